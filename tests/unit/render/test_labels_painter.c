#include "render/draw/pen.h"
#include "samples.h"

#include <string.h>

/* A pen that remembers where text and plain marks went. */
typedef struct {
  TrcPen base;
  GArray *texts; /* TrcRect */
  double smallest;
} Recorder;

static void
skip_begin (TrcPen *pen, const char *id, const char *klass, const char *title)
{
}

static void
skip_end (TrcPen *pen)
{
}

static void
skip_mark (TrcPen *pen, TrcMark mark, TrcRect r, double radius, const TrcPaint *paint)
{
}

static void
skip_curve (TrcPen *pen, const TrcPoint p[4], TrcColour colour, double width, double dash)
{
}

static void
skip_line (TrcPen *pen, TrcPoint a, TrcPoint b, TrcColour colour, double width, double dash)
{
}

static void
skip_threads (TrcPen *pen, const TrcThread *thread, guint n, TrcColour colour, TrcColour ground)
{
}

static void
skip_clip (TrcPen *pen, TrcRect r)
{
}

static void
note_text (TrcPen *pen, const TrcPenText *text)
{
  Recorder *self = (Recorder *)pen;
  double k = text->size / TRC_TEXT_BASE, w = text->shaped->w * k, h = text->shaped->h * k;
  TrcRect r = { text->x - w * (text->align + 1) / 2, text->y - h / 2, w, h };

  g_array_append_val (self->texts, r);
  self->smallest = MIN (self->smallest, text->size);
}

static const TrcPenClass recorder_class = { skip_begin, skip_end,     skip_mark, skip_curve,
                                            skip_line,  skip_threads, note_text, skip_clip };

static void
record (Recorder *self, TrcPainter *painter, const TrcScene *scene, double zoom,
        TrcDrawStats *stats)
{
  static TrcTheme theme;
  TrcDrawOptions opt;
  TrcRect bounds = trc_scene_bounds (scene);
  TrcCamera camera = { bounds.x + bounds.w / 2, bounds.y + bounds.h / 2, zoom };
  TrcDrawing drawing;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_draw_options_init (&opt, &theme, 900, 700);
  opt.unit = 1;
  *self = (Recorder){ { &recorder_class, painter, stats },
                      g_array_new (FALSE, FALSE, sizeof (TrcRect)),
                      G_MAXDOUBLE };
  trc_drawing_init (&drawing, &self->base, scene, &camera, &opt);
  trc_paint_labels (&drawing, NULL, 0);

  /* no label on a label, none on a box */
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);
  for (guint i = 0; i < self->texts->len; i++)
    {
      TrcRect r = trc_rect_grow (g_array_index (self->texts, TrcRect, i), -0.6);
      for (guint j = i + 1; j < self->texts->len; j++)
        g_assert_false (trc_rect_meets (r, g_array_index (self->texts, TrcRect, j)));
      for (guint b = 0; b < n; b++)
        if (box[b].shape != TRC_BOX_GROUP)
          g_assert_false (
              trc_rect_meets (r, trc_drawing_rect (&drawing, trc_box_rect (&box[b]))));
    }
}

static void
test_no_collisions (void)
{
  g_autoptr (TrcScene) many = sample_many (600);
  g_autoptr (TrcScene) circuit = sample_circuit ();
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);

  for (double zoom = 0.4; zoom < 6; zoom *= 1.7)
    {
      TrcDrawStats stats = { 0 };
      Recorder recorder;
      record (&recorder, painter, many, zoom, &stats);
      g_assert_cmpuint (recorder.texts->len, ==, stats.labels_placed);
      if (recorder.texts->len > 0) /* 9 points at 100 %, not much less farther out */
        g_assert_cmpfloat (recorder.smallest, >=, zoom >= 1 ? 9 : 7);
      g_array_unref (recorder.texts);
    }
  TrcDrawStats stats = { 0 };
  Recorder recorder;
  record (&recorder, painter, circuit, 1.5, &stats);
  g_assert_cmpuint (recorder.texts->len, ==, 2); /* the members; the error never has one */
  g_array_unref (recorder.texts);
}

/* Where there is room for one label only, the weightier box gets it. */
static void
test_priority (void)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
  TrcSceneBuilder *b = trc_scene_builder_new ();
  TrcDrawStats stats = { 0 };
  Recorder recorder;

  for (int i = 0; i < 40; i++)
    {
      TrcBox box = { .at = { 9.0 * (i % 8), 9.0 * (i / 8) },
                     .w = 8,
                     .h = 8,
                     .parent = -1,
                     .place = TRC_LABEL_AROUND,
                     .weight = i == 23 ? 1 : 0.2,
                     .label = i == 23 ? "wanted" : "a long label that needs much room" };
      trc_scene_builder_box (b, &box);
    }
  g_autoptr (TrcScene) scene = trc_scene_builder_end (b);
  record (&recorder, painter, scene, 1, &stats);
  g_assert_cmpuint (stats.labels_placed, <, 40);
  g_assert_cmpuint (stats.labels_placed + stats.labels_dropped, ==, 40);
  g_array_unref (recorder.texts);
}

static void
test_shaping (void)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
  TrcDrawStats stats = { 0 };
  const TrcShaped *whole =
      trc_painter_shape (painter, "say Austin", TRC_WEIGHT_NORMAL, 0, &stats);
  double full = whole->w;

  g_assert_cmpstr (whole->text, ==, "say Austin");
  const TrcShaped *cut =
      trc_painter_shape (painter, "say Austin", TRC_WEIGHT_NORMAL, full / 2, &stats);
  g_assert_true (g_str_has_suffix (cut->text, "\u2026"));
  g_assert_cmpfloat (cut->w, <=, full / 2 + 1);
  g_assert_cmpuint (stats.labels_shaped, ==, 2);
  trc_painter_shape (painter, "say Austin", TRC_WEIGHT_NORMAL, 0, &stats);
  g_assert_cmpuint (stats.labels_shaped, ==, 2);
  g_assert_cmpfloat (trc_painter_shape (painter, "say Austin", TRC_WEIGHT_BOLD, 0, &stats)->w,
                     >, full);

  const TrcShaped *lines =
      trc_painter_shape (painter, "a\nb\x01", TRC_WEIGHT_NORMAL, 0, &stats);
  g_assert_cmpstr (lines->text, ==, "a b ");
  const TrcShaped *wide =
      trc_painter_shape (painter, "日本語のトークン", TRC_WEIGHT_NORMAL, 20, &stats);
  g_assert_true (g_utf8_validate (wide->text, -1, NULL));
  g_assert_cmpfloat (trc_painter_text_width (painter, "ab\xff", 9, FALSE), >, 0);
}

/* The cache is bounded. */
static void
test_tidy (void)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
  TrcDrawStats stats = { 0 };

  for (int i = 0; i < 6100; i++)
    {
      g_autofree char *text = g_strdup_printf ("n%d", i);
      trc_painter_shape (painter, text, TRC_WEIGHT_NORMAL, 0, &stats);
    }
  trc_painter_tidy (painter);
  trc_painter_shape (painter, "n0", TRC_WEIGHT_NORMAL, 0, &stats);
  g_assert_cmpuint (stats.labels_shaped, ==, 6101);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/labels/no-collisions", test_no_collisions);
  g_test_add_func ("/labels/priority", test_priority);
  g_test_add_func ("/painter/shaping", test_shaping);
  g_test_add_func ("/painter/tidy", test_tidy);
  return g_test_run ();
}
