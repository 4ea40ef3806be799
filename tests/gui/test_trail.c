#include "ui/canvas/trail.h"

static TrcCamera
at (double x)
{
  return (TrcCamera){ x, 0, 1 };
}

static void
test_back_and_forward (void)
{
  TrcTrail *trail = trc_trail_new ();
  TrcCamera camera;

  g_assert_false (trc_trail_can_back (trail));
  g_assert_false (trc_trail_can_forward (trail));
  trc_trail_jump (trail, at (1)); /* the first place */
  trc_trail_jump (trail, at (2));
  trc_trail_move (trail, at (2.5)); /* small moves do not count */
  trc_trail_jump (trail, at (3));
  g_assert_true (trc_trail_back (trail, &camera));
  g_assert_cmpfloat (camera.cx, ==, 2.5);
  g_assert_true (trc_trail_back (trail, &camera));
  g_assert_cmpfloat (camera.cx, ==, 1);
  g_assert_false (trc_trail_back (trail, &camera));
  g_assert_true (trc_trail_forward (trail, &camera));
  g_assert_cmpfloat (camera.cx, ==, 2.5);
  trc_trail_jump (trail, at (9)); /* what lay forward is forgotten */
  g_assert_false (trc_trail_can_forward (trail));
  g_assert_true (trc_trail_back (trail, &camera));
  g_assert_cmpfloat (camera.cx, ==, 2.5);
  trc_trail_free (trail);
}

static void
test_bounded (void)
{
  TrcTrail *trail = trc_trail_new ();
  TrcCamera camera;
  guint n = 0;

  for (guint i = 0; i < 1000; i++)
    trc_trail_jump (trail, at (i));
  while (trc_trail_back (trail, &camera))
    n++;
  g_assert_cmpuint (n, >, 50);
  g_assert_cmpuint (n, <, 200);
  trc_trail_reset (trail, at (5));
  g_assert_false (trc_trail_can_back (trail));
  g_assert_false (trc_trail_can_forward (trail));
  trc_trail_free (trail);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trail/back-and-forward", test_back_and_forward);
  g_test_add_func ("/trail/bounded", test_bounded);
  return g_test_run ();
}
