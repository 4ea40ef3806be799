/* Long sums keep their digits, whatever the number of threads. */
#include "compute/ops.h"

#include <math.h>

#define N 1000003u

static void
test_long (void)
{
  g_autofree float *x = g_new (float, N);
  float first[3];

  for (guint i = 0; i < N; i++)
    x[i] = 0.1f + (i % 7 == 0 ? 1000.0f : 0.0f);
  double exact = (double)0.1f * N, squares = 0.0;
  for (guint i = 0; i < N; i++)
    {
      exact += i % 7 == 0 ? (double)x[i] - 0.1f : 0.0;
      squares += (double)x[i] * x[i];
    }
  for (guint threads = 1; threads <= 3; threads++)
    {
      g_autoptr (TrcDevice) dev = trc_device_open_cpu (threads);
      g_autoptr (TrcTensor) a =
          trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (N), x, N * 4, "a", NULL);
      g_autoptr (TrcTensor) out = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (3), "out", NULL);
      TrcReduceParams row = { .rows = 1, .cols = N, .ld_a = N, .ld_b = N, .alpha = 1.0f };
      TrcReduceParams col = { .off = { 0, 1 }, .rows = N, .cols = 1, .ld_a = 1, .alpha = 1.0f };
      TrcReduceParams two = row;
      float got[3];

      two.off[2] = 2;
      g_assert_true (trc_op_sum_rows (a, out, &row, NULL));
      g_assert_true (trc_op_sum_cols (a, out, &col, NULL));
      g_assert_true (trc_op_dot_rows (a, a, out, &two, NULL));
      g_assert_true (trc_tensor_read (out, got, 3, NULL));
      g_assert_cmpfloat_with_epsilon (got[0] / exact, 1.0, 1e-6);
      g_assert_cmpfloat_with_epsilon (got[1] / exact, 1.0, 5e-6);
      g_assert_cmpfloat_with_epsilon (got[2] / squares, 1.0, 1e-6);
      for (guint i = 0; i < 3 && threads > 1; i++)
        g_assert_cmpfloat (got[i], ==, first[i]);
      for (guint i = 0; i < 3; i++)
        first[i] = got[i];
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_reduce/long", test_long);
  return g_test_run ();
}
