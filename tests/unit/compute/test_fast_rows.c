/* Rows at the edge of what f32 holds: tiny losses, large logits, a large mean. */
#include "compute/ops.h"

#include <math.h>
#include <string.h>

static TrcTensor *
tensor (TrcDevice *dev, const float *x, guint32 n)
{
  TrcTensor *t = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (n), "t", NULL);

  g_assert_true (x == NULL || trc_tensor_write (t, x, n * sizeof *x, NULL));
  return t;
}

static void
test_tiny_loss (void)
{
  static const float x[] = { 0, 50, 3, 0, 1e4f, -1e4f, 0, 0, INFINITY, 0, 0, 0 };
  static const gint32 t[] = { 1, 1, 0 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) logits = tensor (dev, x, 12), loss = tensor (dev, NULL, 3);
  g_autoptr (TrcTensor) targets =
      trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (3), t, sizeof t, "t", NULL);
  g_autoptr (TrcTensor) seed = tensor (dev, (float[]){ 1 }, 1), dx = tensor (dev, NULL, 12);
  TrcCrossEntropyParams p = { .rows = 3, .cols = 4, .ld_x = 4, .ld_dx = 4 };
  double others = 2.0 * exp (-50.0) + exp (-47.0);
  float got[12];

  g_assert_true (trc_op_cross_entropy (logits, targets, loss, &p, NULL));
  g_assert_true (trc_tensor_read (loss, got, 3, NULL));
  g_assert_cmpfloat_with_epsilon (got[0] / others, 1.0, 1e-5);
  g_assert_cmpfloat (got[1], ==, 2e4f);
  g_assert_true (isnan (got[2])); /* an infinite logit is not hidden */
  g_assert_true (trc_op_cross_entropy_vjp (logits, targets, seed, dx, &p, NULL));
  g_assert_true (trc_tensor_read (dx, got, 12, NULL));
  g_assert_cmpfloat_with_epsilon (got[1] / -others, 1.0, 1e-5);
  g_assert_cmpfloat_with_epsilon (got[2] / exp (-47.0), 1.0, 1e-5);
  g_assert_cmpfloat_with_epsilon (got[4], 1.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (got[5], -1.0, 1e-6);
}

static void
test_softmax (void)
{
  static const float x[] = { 1e4f, 1e4f, -1e4f, -INFINITY };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) in = tensor (dev, x, 4), out = tensor (dev, NULL, 4);
  TrcSoftmaxParams p = { .rows = 1, .cols = 4, .ld_x = 4, .ld_y = 4, .scale = 1.0f };
  float got[4];

  g_assert_true (trc_op_softmax (in, out, &p, NULL));
  g_assert_true (trc_tensor_read (out, got, 4, NULL));
  g_assert_cmpmem (got, 16, ((float[]){ 0.5f, 0.5f, 0, 0 }), 16);
}

/* The spread of numbers around a thousand is 1: two passes keep it. */
static void
test_large_mean (void)
{
  enum { D = 768 };
  g_autofree float *x = g_new (float, D), *y = g_new (float, D);
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  TrcNormParams p = { .rows = 1, .d = D, .ld_x = D, .ld_y = D, .eps = 1e-5f };
  double mean = 0.0, square = 0.0;

  for (guint i = 0; i < D; i++)
    mean += (x[i] = 1000.0f + (float)sin (i * 1.7)) / (double)D;
  for (guint i = 0; i < D; i++)
    square += (x[i] - mean) * (x[i] - mean) / D;
  g_autoptr (TrcTensor) in = tensor (dev, x, D), out = tensor (dev, NULL, D);
  g_autoptr (TrcTensor) rstd = tensor (dev, NULL, 1);
  g_assert_true (trc_op_norm (in, NULL, NULL, out, NULL, rstd, &p, NULL));
  g_assert_true (trc_tensor_read (out, y, D, NULL));
  for (guint i = 0; i < D; i++)
    g_assert_cmpfloat_with_epsilon (y[i], (x[i] - mean) / sqrt (square + 1e-5), 3e-4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_rows/tiny-loss", test_tiny_loss);
  g_test_add_func ("/compute/fast_rows/softmax", test_softmax);
  g_test_add_func ("/compute/fast_rows/large-mean", test_large_mean);
  return g_test_run ();
}
