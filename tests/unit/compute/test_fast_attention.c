/* Attention long enough for blocks and matrix products, against the definition. */
#include "tests/support/op_cases.h"

#include <math.h>

static TrcAttnParams
params (guint32 t, guint32 heads, guint32 kv, guint32 d, guint32 window)
{
  return (TrcAttnParams){ .batch = 1,
                          .n_heads = heads,
                          .n_kv_heads = kv,
                          .t_q = t,
                          .t_k = t,
                          .d_head = d,
                          .x_batch = t * heads * d,
                          .x_row = heads * d,
                          .x_head = d,
                          .y_batch = t * kv * d,
                          .y_row = kv * d,
                          .y_head = d,
                          .p_batch = heads * t * t,
                          .causal = 1,
                          .window = window,
                          .scale = 0.3f };
}

static void
test_long (void)
{
  static const TrcOpId ops[] = { TRC_OP_ATTN_PATTERN, TRC_OP_ATTN_DOTS, TRC_OP_ATTN_MIX,
                                 TRC_OP_ATTN_MIX_T };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (2);

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    for (guint window = 0; window <= 70; window += 70)
      {
        TrcOpCase c = { .name = (char *)"long", .op = ops[i] };
        c.params.attn = params (161, 2, 1, 40, window);
        trc_op_case_check (dev, &c);
      }
}

/* Scores far apart: the softmax neither overflows nor loses its sum. */
static void
test_extreme (void)
{
  enum { T = 40, D = 8 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autofree float *x = g_new (float, T *D), *p = g_new (float, T *T);
  TrcAttnParams attn = params (T, 1, 1, D, 0);

  for (guint i = 0; i < T * D; i++)
    x[i] = (float)((i * 2654435761u >> 16) % 2000) - 1000.0f;
  g_autoptr (TrcTensor) q =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (T, D), x, T * D * 4, "q", NULL);
  g_autoptr (TrcTensor) out = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (T, T), "p", NULL);
  g_assert_true (trc_op_attn_pattern (q, q, out, &attn, NULL));
  g_assert_true (trc_tensor_read (out, p, T * T, NULL));
  for (guint i = 0; i < T; i++)
    {
      double sum = 0.0;
      for (guint j = 0; j < T; j++)
        {
          g_assert_true (isfinite (p[i * T + j]) && (j <= i || p[i * T + j] == 0.0f));
          sum += p[i * T + j];
        }
      g_assert_cmpfloat_with_epsilon (sum, 1.0, 1e-5);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_attention/long", test_long);
  g_test_add_func ("/compute/fast_attention/extreme", test_extreme);
  return g_test_run ();
}
