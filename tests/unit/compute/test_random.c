/* The generator: fixed numbers for a seed, state that resumes, the right distributions. */
#include "compute/base/random.h"

#include <math.h>

static void
test_fixed (void)
{
  TrcRandom a, b;

  trc_random_init (&a, 1);
  trc_random_init (&b, 1);
  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (trc_random_next (&a), ==, trc_random_next (&b));
  trc_random_init (&b, 2);
  g_assert_cmpuint (trc_random_next (&a), !=, trc_random_next (&b));
  /* From the published reference: splitmix64 (1) fills the state, xoshiro256** draws. */
  trc_random_init (&a, 1);
  g_assert_cmpuint (a.state[0], ==, G_GUINT64_CONSTANT (0x910a2dec89025cc1));
}

static void
test_resume (void)
{
  TrcRandom a, kept;
  guint64 next;

  trc_random_init (&a, 7);
  trc_random_normal (&a);
  kept = a;
  next = trc_random_next (&a);
  g_assert_cmpuint (trc_random_next (&kept), ==, next);
}

static void
test_below (void)
{
  TrcRandom r;
  guint seen[7] = { 0 };

  trc_random_init (&r, 3);
  for (guint i = 0; i < 7000; i++)
    {
      guint64 x = trc_random_below (&r, 7);

      g_assert_cmpuint (x, <, 7);
      seen[x]++;
    }
  for (guint i = 0; i < 7; i++)
    g_assert_true (seen[i] > 850 && seen[i] < 1150);
}

static void
test_normal (void)
{
  TrcRandom r;
  double sum = 0, squares = 0, fourth = 0;
  const guint n = 100000;

  trc_random_init (&r, 5);
  for (guint i = 0; i < n; i++)
    {
      double x = trc_random_normal (&r);

      g_assert_true (isfinite (x));
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
    }
  g_assert_cmpfloat (fabs (sum / n), <, 0.02);
  g_assert_cmpfloat (fabs (squares / n - 1), <, 0.02);
  g_assert_cmpfloat (fabs (fourth / n - 3), <, 0.15);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/random/fixed", test_fixed);
  g_test_add_func ("/random/resume", test_resume);
  g_test_add_func ("/random/below", test_below);
  g_test_add_func ("/random/normal", test_normal);
  return g_test_run ();
}
