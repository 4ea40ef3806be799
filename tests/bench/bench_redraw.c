/* Redrawing while a person pans: a kept picture moved, against everything drawn by cairo in
 * every frame. The graph is the 829-node one at default shares, a window of 1280 x 800. */
#include "tests/bench/bench.h"

#include "app/present.h"
#include "compute/graph_file.h"
#include "render/draw.h"
#include "tests/support/shared_data.h"

#define VIEW_W 1280
#define VIEW_H 800
#define MARGIN 256
#define FRAMES 30
#define STEP_PX 7.0

typedef struct {
  TrcGraph *graph;
  TrcPruner *pruner;
  TrcScene *scene;
  TrcPainter *painter;
  TrcTheme theme;
  TrcDrawOptions opt;
  TrcCamera camera;
  cairo_surface_t *screen, *kept;
  TrcDrawStats stats;
} Bench;

/* The kept picture is larger than the view by the margin on every side. */
static void
paint_kept (gpointer data)
{
  Bench *b = data;
  TrcDrawOptions opt = b->opt;
  cairo_t *cr = cairo_create (b->kept);

  opt.w += 2 * MARGIN;
  opt.h += 2 * MARGIN;
  trc_draw_scene (b->painter, b->scene, &b->camera, &opt, cr, &b->stats);
  cairo_destroy (cr);
}

static void
pan_kept (gpointer data)
{
  Bench *b = data;

  for (int i = 0; i < FRAMES; i++)
    {
      TrcCamera camera = trc_camera_pan (b->camera, -STEP_PX * i, 0);
      cairo_t *cr = cairo_create (b->screen);
      cairo_set_source_surface (cr, b->kept, -MARGIN - STEP_PX * i, -MARGIN);
      cairo_set_operator (cr, CAIRO_OPERATOR_SOURCE);
      cairo_paint (cr);
      cairo_set_operator (cr, CAIRO_OPERATOR_OVER);
      trc_draw_overlay (b->painter, b->scene, &camera, &b->opt, TRC_OVERLAY_ALL, cr, &b->stats);
      cairo_destroy (cr);
    }
}

static void
stroke_weave (Bench *b, const TrcCamera *camera, cairo_t *cr)
{
  TrcColour c = b->theme.weave;
  guint n;
  const TrcCurve *curve = trc_scene_curves (b->scene, &n);

  cairo_set_source_rgba (cr, c.r, c.g, c.b, c.a / 4);
  cairo_set_line_width (cr, 0.7);
  for (guint i = 0; i < n && curve[i].weave; i++)
    {
      TrcPoint p[4];
      for (int k = 0; k < 4; k++)
        p[k] = trc_camera_to_view (*camera, curve[i].p[k], VIEW_W, VIEW_H);
      cairo_move_to (cr, p[0].x, p[0].y);
      cairo_curve_to (cr, p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y);
      cairo_stroke (cr);
    }
}

static void
frame_by_cairo (gpointer data)
{
  Bench *b = data;
  TrcDrawOptions opt = b->opt;
  TrcCamera camera = trc_camera_pan (b->camera, -STEP_PX, 0);
  cairo_t *cr = cairo_create (b->screen);

  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  stroke_weave (b, &camera, cr);
  opt.weave = FALSE;
  opt.ground = FALSE;
  trc_draw_scene (b->painter, b->scene, &camera, &opt, cr, NULL);
  trc_draw_overlay (b->painter, b->scene, &camera, &b->opt, TRC_OVERLAY_ALL, cr, NULL);
  cairo_destroy (cr);
}

static void
highlight (gpointer data)
{
  Bench *b = data;
  guint n;
  TrcHighlight hl = { .hovered = -1, .hovered_curve = -1, .veil = 0.5 };
  cairo_t *cr = cairo_create (b->screen);

  trc_scene_boxes (b->scene, &n);
  hl.hovered = (gint32)n / 2;
  trc_draw_highlight (b->painter, b->scene, &b->camera, &b->opt, &hl, cr, NULL);
  cairo_destroy (cr);
}

static void
present (gpointer data)
{
  Bench *b = data;
  TrcView view;

  trc_view_init (&view);
  g_clear_pointer (&b->scene, trc_scene_unref);
  b->scene = trc_present_scene (b->graph, b->pruner, &view, NULL, NULL, NULL);
}

static void
compare (Bench *b)
{
  TrcBenchTime kept = trc_bench ("pan, kept picture, 30 frames", 5, pan_kept, b);
  TrcBenchTime all = trc_bench ("pan, all by cairo, 1 frame", 3, frame_by_cairo, b);

  trc_bench_figure ("kept picture, wall a frame", 1e3 * kept.wall / FRAMES, "ms");
  trc_bench_figure ("kept picture, CPU a frame", 1e3 * kept.cpu / FRAMES, "ms");
  trc_bench_figure ("all by cairo, wall a frame", 1e3 * all.wall, "ms");
  trc_bench_figure ("all by cairo, CPU a frame", 1e3 * all.cpu, "ms");
  trc_bench_figure ("ratio, wall", all.wall / (kept.wall / FRAMES), "x");
  trc_bench_figure ("ratio, CPU", all.cpu / (kept.cpu / FRAMES), "x");
}

int
main (int argc, char **argv)
{
  g_autofree char *path = NULL;
  Bench b = { 0 };

  g_test_init (&argc, &argv, NULL); /* for the finder of reference data */
  path = trc_test_shared ("graphs/gemma2-plt-dollar-duplicate-id.json");
  if (path == NULL)
    return 0;
  b.graph = trc_graph_read (path, NULL, NULL);
  b.pruner = b.graph != NULL ? trc_pruner_new (b.graph, NULL, NULL) : NULL;
  if (b.pruner == NULL)
    return 1;
  trc_bench ("graph to scene, 829 nodes", 5, present, &b);
  b.painter = trc_painter_new (NULL);
  trc_theme_init (&b.theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_draw_options_init (&b.opt, &b.theme, VIEW_W, VIEW_H);
  b.opt.ground = TRUE;
  b.camera = trc_camera_fit (trc_scene_bounds (b.scene), VIEW_W, VIEW_H,
                             trc_draw_insets (b.scene, &b.opt), 4.0 / 3.0);
  b.screen = cairo_image_surface_create (CAIRO_FORMAT_RGB24, VIEW_W, VIEW_H);
  b.kept =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, VIEW_W + 2 * MARGIN, VIEW_H + 2 * MARGIN);
  trc_bench ("kept picture painted (worker)", 5, paint_kept, &b);
  trc_bench ("hover with neighbours", 5, highlight, &b);
  compare (&b);
  cairo_surface_destroy (b.screen);
  cairo_surface_destroy (b.kept);
  trc_painter_free (b.painter);
  trc_scene_unref (b.scene);
  trc_pruner_free (b.pruner);
  trc_graph_unref (b.graph);
  return 0;
}
