#include "render/draw/pen.h"

#include <cairo-pdf.h>
#include <math.h>

static const TrcColour black = { 0, 0, 0, 0.2f };

static guint
darkness (cairo_surface_t *surface, int x, int y)
{
  cairo_surface_flush (surface);
  const guint8 *row = cairo_image_surface_get_data (surface)
                      + (gsize)y * (gsize)cairo_image_surface_get_stride (surface);
  return 255 - (((const guint32 *)(const void *)row)[x] & 255);
}

static cairo_t *
white (cairo_surface_t **surface, cairo_format_t format)
{
  *surface = cairo_image_surface_create (format, 100, 100);
  cairo_t *cr = cairo_create (*surface);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  return cr;
}

static TrcThread
vertical (double x)
{
  return (TrcThread){ { { x, 10 }, { x, 30 }, { x, 60 }, { x, 90 } }, 1 };
}

/* A thread lies on its own pixels and nowhere else. */
static void
test_place (void)
{
  cairo_surface_t *surface;
  cairo_t *cr = white (&surface, CAIRO_FORMAT_RGB24);
  TrcThread thread = vertical (50.5);

  g_assert_true (trc_threads_to_pixels (cr, &thread, 1, black));
  g_assert_cmpuint (darkness (surface, 50, 50), >, 0);
  g_assert_cmpuint (darkness (surface, 48, 50), ==, 0);
  g_assert_cmpuint (darkness (surface, 52, 50), ==, 0);
  g_assert_cmpuint (darkness (surface, 50, 5), ==, 0);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* However many threads cross, the weave stays under its colour's alpha. */
static void
test_bounded (void)
{
  cairo_surface_t *surface;
  cairo_t *cr = white (&surface, CAIRO_FORMAT_ARGB32);
  TrcThread thread[3000];

  for (guint i = 0; i < G_N_ELEMENTS (thread); i++)
    thread[i] = vertical (50.5);
  g_assert_true (trc_threads_to_pixels (cr, thread, G_N_ELEMENTS (thread), black));
  g_assert_cmpuint (darkness (surface, 50, 50), <=, 52);
  g_assert_cmpuint (darkness (surface, 50, 50), >=, 45);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* Scale, translation, clipping far outside, and numbers that are none. */
static void
test_matrix_and_hostile (void)
{
  cairo_surface_t *surface;
  cairo_t *cr = white (&surface, CAIRO_FORMAT_ARGB32);
  TrcThread thread[] = { vertical (25.25),
                         { { { NAN, 0 }, { 0, INFINITY }, { 1, 1 }, { 2, 2 } }, 1 },
                         { { { -1e12, -1e12 }, { 0, 0 }, { 0, 0 }, { 1e12, 1e12 } }, 1 } };

  cairo_scale (cr, 2, 1);
  g_assert_true (trc_threads_to_pixels (cr, thread, 2, black));
  g_assert_cmpuint (darkness (surface, 50, 50), >, 0);
  g_assert_true (trc_threads_to_pixels (cr, &thread[2], 1, black)); /* ends, inside bounds */
  cairo_rotate (cr, 0.3);
  g_assert_false (trc_threads_to_pixels (cr, thread, 1, black));
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* A thousand strokes come to what the density picture comes to. */
static void
test_same_limit (void)
{
  TrcColour white = { 1, 1, 1, 1 }, one = trc_thread_colour (black, white, 1);

  g_assert_cmpfloat_with_epsilon (one.r, 0.8, 1e-6); /* black at 0.2 over white */
  g_assert_cmpfloat_with_epsilon (one.a, 0.465, 1e-2);
  g_assert_cmpfloat (trc_thread_colour (black, white, 0).a, >, 0);
}

/* On a vector surface threads become strokes. */
static void
test_vector (void)
{
  cairo_surface_t *surface = cairo_recording_surface_create (CAIRO_CONTENT_COLOR_ALPHA, NULL);
  cairo_t *cr = cairo_create (surface);
  g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
  TrcDrawStats stats = { 0 };
  TrcThread thread[] = { vertical (10), vertical (20) };
  TrcCairoPen pen;

  trc_cairo_pen_init (&pen, painter, cr, &stats);
  pen.base.klass->threads (&pen.base, thread, 2, black, (TrcColour){ 1, 1, 1, 1 });
  g_assert_cmpuint (stats.curves_stroked, ==, 2);
  g_assert_cmpuint (stats.threads_drawn, ==, 0);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* Every mark fills its middle and leaves the corner of its rectangle as it is. */
static void
test_marks (void)
{
  for (int mark = TRC_MARK_RECT; mark <= TRC_MARK_HEXAGON; mark++)
    {
      cairo_surface_t *surface;
      cairo_t *cr = white (&surface, CAIRO_FORMAT_RGB24);
      g_autoptr (TrcPainter) painter = trc_painter_new (NULL);
      TrcDrawStats stats = { 0 };
      TrcPaint paint = { .fill = { 0, 0, 0, 1 } };
      TrcCairoPen pen;
      trc_cairo_pen_init (&pen, painter, cr, &stats);
      pen.base.klass->mark (&pen.base, (TrcMark)mark, (TrcRect){ 20, 20, 60, 60 }, 12, &paint);
      g_assert_cmpuint (darkness (surface, 50, 50), ==, 255);
      g_assert_cmpuint (darkness (surface, 20, 20), ==, 0);
      cairo_destroy (cr);
      cairo_surface_destroy (surface);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/threads/place", test_place);
  g_test_add_func ("/threads/bounded", test_bounded);
  g_test_add_func ("/threads/matrix-and-hostile", test_matrix_and_hostile);
  g_test_add_func ("/threads/same-limit", test_same_limit);
  g_test_add_func ("/threads/vector", test_vector);
  g_test_add_func ("/pen-cairo/marks", test_marks);
  return g_test_run ();
}
