/* The typed calls: AdamW against a hand-written reference in double, whole-tensor helpers, and
 * that arguments arrive in the right order. */
#include "compute/ops.h"

#include <math.h>

#define N 37
#define STEPS 60

/* Straight from the definition of AdamW with decoupled weight decay and bias correction. */
static void
reference (const TrcAdamw *s, guint step, const double *g, double *p, double *m, double *v)
{
  for (guint i = 0; i < N; i++)
    {
      p[i] -= s->lr * s->weight_decay * p[i];
      m[i] += (1.0 - s->beta1) * (g[i] - m[i]);
      v[i] += (1.0 - s->beta2) * (g[i] * g[i] - v[i]);
      double mean = m[i] / (1.0 - pow (s->beta1, step));
      double square = v[i] / (1.0 - pow (s->beta2, step));
      p[i] -= s->lr * mean / (sqrt (square) + s->eps);
    }
}

static void
test_adamw (void)
{
  static const TrcAdamw settings[] = { { 1e-3, 0.9, 0.98, 1e-8, 1.0 },
                                       { 0.1, 0.5, 0.9, 1e-3, 0.0 } };

  for (guint k = 0; k < G_N_ELEMENTS (settings); k++)
    {
      g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
      g_autoptr (TrcTensor) p = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (N), "p", NULL);
      g_autoptr (TrcTensor) g = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (N), "g", NULL);
      g_autoptr (TrcTensor) m = trc_tensor_zeros (dev, TRC_SHAPE (N), "m", NULL);
      g_autoptr (TrcTensor) v = trc_tensor_zeros (dev, TRC_SHAPE (N), "v", NULL);
      double dp[N], dg[N], dm[N] = { 0 }, dv[N] = { 0 };
      float fp[N], fg[N];

      for (guint i = 0; i < N; i++)
        dp[i] = fp[i] = (float)sin (i);
      g_assert_true (trc_tensor_write (p, fp, sizeof fp, NULL));
      for (guint step = 1; step <= STEPS; step++)
        {
          for (guint i = 0; i < N; i++)
            dg[i] = fg[i] = (float)(cos (i * step) * (i == 3 ? 1e-5 : 1.0));
          g_assert_true (trc_tensor_write (g, fg, sizeof fg, NULL));
          g_assert_true (trc_op_adamw (g, p, m, v, &settings[k], step, NULL));
          reference (&settings[k], step, dg, dp, dm, dv);
        }
      g_assert_true (trc_tensor_read (p, fp, N, NULL));
      for (guint i = 0; i < N; i++)
        g_assert_cmpfloat_with_epsilon (fp[i], dp[i], 2e-6);
    }
}

static void
test_whole (void)
{
  static const float x[] = { 1, 2, 3, 4 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (2, 2), x, sizeof x, "a", NULL);
  g_autoptr (TrcTensor) b = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (4), "b", NULL);
  float got[4];

  g_assert_true (trc_op_set (b, 10.0f, NULL));
  g_assert_true (trc_op_add_scaled (a, 2.0f, b, NULL));
  g_assert_true (trc_tensor_read (b, got, 4, NULL));
  g_assert_cmpmem (got, sizeof got, ((float[]){ 12, 14, 16, 18 }), sizeof got);
  g_assert_true (trc_op_copy (a, b, NULL));
  g_assert_true (trc_tensor_read (b, got, 4, NULL));
  g_assert_cmpmem (got, sizeof got, x, sizeof x);
}

static void
test_order (void)
{
  static const float two[] = { 3, 5 }, three[] = { 1, 10, 100 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (2, 1), two, 8, "a", NULL);
  g_autoptr (TrcTensor) b =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (1, 3), three, 12, "b", NULL);
  g_autoptr (TrcTensor) c = trc_tensor_zeros (dev, TRC_SHAPE (2, 3), "c", NULL);
  TrcMatmulParams p = { .m = 2,
                        .n = 3,
                        .k = 1,
                        .ld_a = 1,
                        .ld_b = 3,
                        .ld_c = 3,
                        .alpha = 1.0f,
                        .n_outer = 1,
                        .n_inner = 1,
                        .b_group = 1,
                        .has_bias = 1 };
  float got[6];

  g_assert_true (trc_op_matmul (a, b, b, c, &p, NULL));
  g_assert_true (trc_tensor_read (c, got, 6, NULL));
  g_assert_cmpmem (got, sizeof got, ((float[]){ 4, 40, 400, 6, 60, 600 }), sizeof got);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/calls/adamw", test_adamw);
  g_test_add_func ("/compute/calls/whole", test_whole);
  g_test_add_func ("/compute/calls/order", test_order);
  return g_test_run ();
}
