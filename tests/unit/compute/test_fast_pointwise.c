/* Activations over their whole range, and with numbers that are none. */
#include "compute/ops.h"

#include <math.h>

static double
wanted (guint kind, double x)
{
  switch (kind)
    {
    case TRC_ACT_RELU:
      return x > 0.0 ? x : 0.0;
    case TRC_ACT_GELU_TANH:
      return 0.5 * x * (1.0 + tanh (sqrt (2.0 / G_PI) * (x + 0.044715 * x * x * x)));
    case TRC_ACT_GELU_ERF:
      return 0.5 * x * erfc (-x / sqrt (2.0));
    case TRC_ACT_SILU:
      return x / (1.0 + exp (-x));
    default:
      return x;
    }
}

static void
run (guint kind, const float *x, float *y, guint32 n)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (2);
  g_autoptr (TrcTensor) in =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (n), x, n * sizeof *x, "x", NULL);
  g_autoptr (TrcTensor) out = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (n), "y", NULL);
  TrcActParams p = { .rows = 1, .cols = n, .ld_x = n, .ld_y = n, .kind = kind };

  g_assert_true (trc_op_act (in, NULL, out, &p, NULL));
  g_assert_true (trc_tensor_read (out, y, n, NULL));
}

static void
test_range (void)
{
  enum { N = 60001 };
  g_autofree float *x = g_new (float, N), *y = g_new (float, N);

  for (guint i = 0; i < N; i++)
    x[i] = ((float)i - 30000.0f) / 1000.0f;
  for (guint kind = 0; kind <= TRC_ACT_IDENTITY; kind++)
    {
      double worst = 0.0;
      run (kind, x, y, N);
      for (guint i = 0; i < N; i++)
        worst = MAX (worst, fabs (y[i] - wanted (kind, x[i])) / MAX (1.0, fabs (x[i])));
      g_test_message ("kind %u: worst %g", kind, worst);
      g_assert_cmpfloat (worst, <, 3e-7);
    }
}

static void
test_extreme (void)
{
  static const float x[] = { 1e30f, -1e30f, 100.0f, -100.0f, 0.0f, -0.0f, INFINITY, NAN };
  float y[8];

  for (guint kind = 0; kind <= TRC_ACT_SILU; kind++)
    {
      run (kind, x, y, 8);
      g_assert_cmpfloat (y[0], ==, 1e30f);
      g_assert_cmpfloat (fabsf (y[1]), <, 1e-6);
      g_assert_cmpfloat_with_epsilon (y[2], 100.0, 1e-4);
      g_assert_cmpfloat (fabsf (y[3]), <, 1e-6);
      g_assert_cmpfloat (y[4], ==, 0.0f);
      g_assert_cmpfloat (y[5], ==, 0.0f);
      g_assert_true (y[6] == INFINITY);
      g_assert_true (kind == TRC_ACT_RELU || isnan (y[7]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_pointwise/range", test_range);
  g_test_add_func ("/compute/fast_pointwise/extreme", test_extreme);
  return g_test_run ();
}
