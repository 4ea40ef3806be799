#include "render/camera.h"

#include <math.h>

static void
near_point (TrcPoint a, TrcPoint b)
{
  g_assert_cmpfloat_with_epsilon (a.x, b.x, 1e-9);
  g_assert_cmpfloat_with_epsilon (a.y, b.y, 1e-9);
}

static void
test_round_trip (void)
{
  TrcCamera camera = { 12, -7, 2.5 };
  TrcPoint p = { 3.25, 9.5 };

  near_point (trc_camera_to_scene (camera, trc_camera_to_view (camera, p, 800, 600), 800, 600),
              p);
  near_point (trc_camera_to_view (camera, (TrcPoint){ 12, -7 }, 800, 600),
              (TrcPoint){ 400, 300 });
}

static void
test_zoom_keeps_the_pointer (void)
{
  TrcCamera camera = { 100, 50, 1 };
  TrcPoint at = { 700, 20 }, before = trc_camera_to_scene (camera, at, 800, 600);

  for (int i = 0; i < 20; i++)
    {
      camera = trc_camera_zoom_at (camera, i % 3 == 0 ? 0.7 : 1.3, at, 800, 600);
      near_point (trc_camera_to_scene (camera, at, 800, 600), before);
    }
  camera = trc_camera_zoom_at (camera, 1e9, at, 800, 600);
  g_assert_cmpfloat (camera.zoom, ==, TRC_ZOOM_MAX);
  camera = trc_camera_zoom_at (camera, 1e-12, at, 800, 600);
  g_assert_cmpfloat (camera.zoom, ==, TRC_ZOOM_MIN);
}

static void
test_fit (void)
{
  TrcRect bounds = { -50, 20, 400, 100 };
  TrcInsets insets = { 40, 10, 20, 30 };
  TrcCamera camera = trc_camera_fit (bounds, 800, 600, insets, 10);
  TrcPoint top_left = trc_camera_to_view (camera, (TrcPoint){ -50, 20 }, 800, 600);
  TrcPoint right = trc_camera_to_view (camera, (TrcPoint){ 350, 120 }, 800, 600);

  g_assert_cmpfloat_with_epsilon (top_left.x, 40, 1e-9);
  g_assert_cmpfloat_with_epsilon (right.x, 780, 1e-9);
  g_assert_cmpfloat (top_left.y, >=, 10);
  g_assert_cmpfloat (right.y, <=, 570);
  g_assert_cmpfloat (trc_camera_fit (bounds, 800, 600, insets, 1.0).zoom, ==, 1.0);
  g_assert_true (isfinite (trc_camera_fit ((TrcRect){ 0 }, 0, 0, insets, 1).cx));
}

static void
test_pan_and_mix (void)
{
  TrcCamera a = { 0, 0, 2 }, b = { 10, 20, 8 };
  TrcCamera moved = trc_camera_pan (a, 30, -10), half = trc_camera_mix (a, b, 0.5);

  near_point (trc_camera_to_view (moved, (TrcPoint){ 0, 0 }, 100, 100), (TrcPoint){ 80, 40 });
  g_assert_cmpfloat_with_epsilon (half.zoom, 4, 1e-9); /* by ratio, not by difference */
  g_assert_cmpfloat_with_epsilon (half.cx, 5, 1e-9);
}

static void
test_visible (void)
{
  TrcRect seen = trc_camera_visible ((TrcCamera){ 10, 10, 2 }, 100, 60);

  g_assert_cmpfloat (seen.x, ==, -15);
  g_assert_cmpfloat (seen.y, ==, -5);
  g_assert_cmpfloat (seen.w, ==, 50);
  g_assert_cmpfloat (seen.h, ==, 30);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/camera/round-trip", test_round_trip);
  g_test_add_func ("/camera/zoom-keeps-the-pointer", test_zoom_keeps_the_pointer);
  g_test_add_func ("/camera/fit", test_fit);
  g_test_add_func ("/camera/pan-and-mix", test_pan_and_mix);
  g_test_add_func ("/camera/visible", test_visible);
  return g_test_run ();
}
