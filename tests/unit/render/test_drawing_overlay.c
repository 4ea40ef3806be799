#include "render/draw.h"
#include "samples.h"

#include <string.h>

typedef struct {
  cairo_surface_t *surface;
  cairo_t *cr;
  TrcTheme theme;
  TrcDrawOptions opt;
  TrcCamera camera;
} View;

static void
view_init (View *v, const TrcScene *scene, TrcThemeKind kind)
{
  v->surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 640, 480);
  v->cr = cairo_create (v->surface);
  trc_theme_init (&v->theme, kind, TRC_SIGN_BLUE_ORANGE);
  trc_draw_options_init (&v->opt, &v->theme, 640, 480);
  v->opt.ground = TRUE;
  v->camera = trc_camera_fit (trc_scene_bounds (scene), 640, 480,
                              trc_draw_insets (scene, &v->opt), 4.0 / 3.0);
}

static void
view_clear (View *v)
{
  cairo_destroy (v->cr);
  cairo_surface_destroy (v->surface);
}

static guint32
pixel (View *v, double x, double y)
{
  cairo_surface_flush (v->surface);
  const guint8 *row = cairo_image_surface_get_data (v->surface)
                      + (gsize)y * (gsize)cairo_image_surface_get_stride (v->surface);
  return ((const guint32 *)(const void *)row)[(gsize)x] & 0xffffff;
}

static guint32
rgb (TrcColour c)
{
  return (guint32)(c.r * 255 + 0.5f) << 16 | (guint32)(c.g * 255 + 0.5f) << 8
         | (guint32)(c.b * 255 + 0.5f);
}

/* The picture has the colours of the theme where the boxes are. */
static void
test_pixels (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();

  for (int kind = 0; kind < TRC_N_THEMES; kind++)
    {
      View v;
      view_init (&v, scene, (TrcThemeKind)kind);
      trc_draw_scene (NULL, scene, &v.camera, &v.opt, v.cr, NULL);
      const TrcBox *box = trc_scene_boxes (scene, NULL);
      TrcPoint inner = trc_camera_to_view (v.camera, box[S_INNER].at, 640, 480);
      /* Above the letters, however wide the font here makes them. */
      TrcPoint logit = trc_camera_to_view (
          v.camera, (TrcPoint){ box[S_LOGIT].at.x, box[S_LOGIT].at.y - 8 }, 640, 480);
      g_assert_cmphex (pixel (&v, inner.x, inner.y), ==, rgb (v.theme.block));
      g_assert_cmphex (pixel (&v, logit.x, logit.y), ==, rgb (v.theme.accent));
      g_assert_cmphex (pixel (&v, 1, 478), ==, rgb (v.theme.canvas));
      view_clear (&v);
    }
}

/* Work, not time: what is outside is not drawn, and nothing is shaped twice. */
static void
test_work (void)
{
  g_autoptr (TrcScene) scene = sample_many (1000);
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
  TrcDrawStats all = { 0 }, near = { 0 }, again = { 0 };
  View v;

  view_init (&v, scene, TRC_THEME_LIGHT);
  trc_draw_scene (painter, scene, &v.camera, &v.opt, v.cr, &all);
  g_assert_cmpuint (all.boxes_drawn, ==, 1000);
  g_assert_cmpuint (all.boxes_culled, ==, 0);
  g_assert_cmpuint (all.threads_drawn, ==, 3240);
  g_assert_cmpuint (all.curves_stroked, ==, 360);

  TrcCamera close = { 100, -100, 4 };
  trc_draw_scene (painter, scene, &close, &v.opt, v.cr, &near);
  g_assert_cmpuint (near.boxes_drawn, <, 60);
  g_assert_cmpuint (near.boxes_drawn + near.boxes_culled, ==, 1000);
  g_assert_cmpuint (near.threads_drawn, <, 3240);
  g_assert_cmpuint (near.labels_placed, >, 5);

  trc_draw_scene (painter, scene, &close, &v.opt, v.cr, &again);
  g_assert_cmpuint (again.labels_shaped, ==, 0);
  g_assert_cmpuint (again.labels_placed, ==, near.labels_placed);
  view_clear (&v);
}

static void
test_10000 (void)
{
  g_autoptr (TrcScene) scene = sample_many (10000);
  TrcDrawStats stats = { 0 };
  View v;

  view_init (&v, scene, TRC_THEME_DARK);
  trc_draw_scene (NULL, scene, &v.camera, &v.opt, v.cr, &stats);
  g_assert_cmpuint (stats.boxes_drawn, ==, 10000);
  g_assert_cmpuint (stats.labels_shaped, <, 2000); /* far out there are no labels to shape */
  g_assert_cmpint (cairo_status (v.cr), ==, CAIRO_STATUS_SUCCESS);
  view_clear (&v);
}

static void
test_deterministic (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  View a, b;

  view_init (&a, scene, TRC_THEME_LIGHT);
  view_init (&b, scene, TRC_THEME_LIGHT);
  trc_draw_scene (NULL, scene, &a.camera, &a.opt, a.cr, NULL);
  trc_draw_scene (NULL, scene, &b.camera, &b.opt, b.cr, NULL);
  cairo_surface_flush (a.surface);
  cairo_surface_flush (b.surface);
  gsize n = (gsize)cairo_image_surface_get_stride (a.surface) * 480;
  g_assert_cmpmem (cairo_image_surface_get_data (a.surface), n,
                   cairo_image_surface_get_data (b.surface), n);
  view_clear (&a);
  view_clear (&b);
}

typedef struct {
  TrcScene *scene;
  View view;
} Job;

static gpointer
draw_job (gpointer data)
{
  Job *job = data;

  trc_draw_scene (NULL, job->scene, &job->view.camera, &job->view.opt, job->view.cr, NULL);
  cairo_surface_flush (job->view.surface);
  return NULL;
}

/* Four threads, one scene, the same pixels. */
static void
test_threads (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  Job job[4];
  GThread *thread[4];

  for (int i = 0; i < 4; i++)
    {
      job[i].scene = scene;
      view_init (&job[i].view, scene, TRC_THEME_LIGHT);
      thread[i] = g_thread_new ("draw", draw_job, &job[i]);
    }
  for (int i = 0; i < 4; i++)
    g_thread_join (thread[i]);
  gsize n = (gsize)cairo_image_surface_get_stride (job[0].view.surface) * 480;
  for (int i = 1; i < 4; i++)
    g_assert_cmpmem (cairo_image_surface_get_data (job[0].view.surface), n,
                     cairo_image_surface_get_data (job[i].view.surface), n);
  for (int i = 0; i < 4; i++)
    view_clear (&job[i].view);
}

static void
test_overlay (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  TrcDrawStats stats = { 0 };
  View v;

  view_init (&v, scene, TRC_THEME_LIGHT);
  trc_draw_overlay (NULL, scene, &v.camera, &v.opt, TRC_OVERLAY_TOKENS, v.cr, &stats);
  g_assert_cmpuint (stats.labels_shaped, ==, 0); /* the chips are in view where they stand */

  TrcCamera away = { 200, 40, 4 };
  trc_draw_overlay (NULL, scene, &away, &v.opt, TRC_OVERLAY_TOKENS, v.cr, &stats);
  g_assert_cmpuint (stats.labels_shaped, >, 0);

  trc_draw_overlay (NULL, scene, &v.camera, &v.opt, TRC_OVERLAY_ALL, v.cr, NULL);
  g_assert_cmphex (pixel (&v, 18, 17), !=, 0); /* the panel of the scores */
  view_clear (&v);
}

static void
test_highlight (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  const gint32 selected[] = { S_INNER, 999, -3 };
  TrcHighlight hl = { .hovered = S_LOGIT,
                      .hovered_curve = -1,
                      .selected = selected,
                      .n_selected = 3,
                      .max_curves = 2,
                      .focus_ring = TRUE,
                      .veil = 0.5 };
  TrcDrawStats stats = { 0 }, none = { 0 };
  View v;

  view_init (&v, scene, TRC_THEME_LIGHT);
  trc_draw_highlight (NULL, scene, &v.camera, &v.opt, &hl, v.cr, &stats);
  g_assert_cmpuint (stats.curves_stroked, ==, 4); /* two of each */
  g_assert_cmpuint (stats.labels_placed, >, 0);

  TrcHighlight empty = { .hovered = -1, .hovered_curve = -1 };
  trc_draw_highlight (NULL, scene, &v.camera, &v.opt, &empty, v.cr, &none);
  g_assert_cmpuint (none.curves_stroked + none.labels_shaped, ==, 0);
  view_clear (&v);
}

static void
test_minimap (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  g_autoptr (TrcScene) nothing = sample_empty ();
  TrcRect area = { 500, 380, 120, 80 };
  View v;

  view_init (&v, scene, TRC_THEME_LIGHT);
  trc_draw_minimap (scene, &v.camera, &v.opt, area, v.cr);
  trc_draw_minimap (nothing, &v.camera, &v.opt, area, v.cr);
  TrcRect bounds = trc_scene_bounds (scene);
  TrcPoint middle = trc_minimap_to_scene (scene, area, (TrcPoint){ 560, 420 });
  g_assert_cmpfloat_with_epsilon (middle.x, bounds.x + bounds.w / 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (middle.y, bounds.y + bounds.h / 2, 1e-6);
  view_clear (&v);
}

/* Odd views and scenes draw nothing wrong: no error on the cairo_t. */
static void
test_extremes (void)
{
  TrcScene *scenes[] = { sample_empty (), sample_one (), sample_circuit () };
  const double sizes[][2] = { { 1, 1 }, { 3, 2000 }, { 0, 0 }, { 640, 480 } };

  for (guint s = 0; s < G_N_ELEMENTS (scenes); s++)
    {
      for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
        for (double zoom = TRC_ZOOM_MIN; zoom <= TRC_ZOOM_MAX; zoom *= 6)
          {
            View v;
            view_init (&v, scenes[s], TRC_THEME_DARK);
            v.opt.w = sizes[k][0];
            v.opt.h = sizes[k][1];
            v.camera.zoom = zoom;
            trc_draw_scene (NULL, scenes[s], &v.camera, &v.opt, v.cr, NULL);
            trc_draw_overlay (NULL, scenes[s], &v.camera, &v.opt, TRC_OVERLAY_ALL, v.cr, NULL);
            g_assert_cmpint (cairo_status (v.cr), ==, CAIRO_STATUS_SUCCESS);
            view_clear (&v);
          }
      trc_scene_unref (scenes[s]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/draw/pixels", test_pixels);
  g_test_add_func ("/draw/work", test_work);
  g_test_add_func ("/draw/10000", test_10000);
  g_test_add_func ("/draw/deterministic", test_deterministic);
  g_test_add_func ("/draw/threads", test_threads);
  g_test_add_func ("/draw/overlay", test_overlay);
  g_test_add_func ("/draw/highlight", test_highlight);
  g_test_add_func ("/draw/minimap", test_minimap);
  g_test_add_func ("/draw/extremes", test_extremes);
  return g_test_run ();
}
