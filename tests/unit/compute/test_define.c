/* The definitions themselves, on cases small enough to work out by hand. */
#include "compute/cpu/define.h"

#include <math.h>
#include <string.h>

#define NEAR(a, b) g_assert_cmpfloat_with_epsilon (a, b, 1e-6)

static void
test_matmul (void)
{
  float a[] = { 1, 2, 3, 4 }, b[] = { 5, 6, 7, 8 }, bias[] = { 100, 200 }, c[4];
  TrcOpParams p = { .matmul = { .m = 2,
                                .n = 2,
                                .k = 2,
                                .ld_a = 2,
                                .ld_b = 2,
                                .ld_c = 2,
                                .alpha = 1.0f,
                                .has_bias = 1,
                                .n_outer = 1,
                                .n_inner = 1,
                                .b_group = 1 } };
  TrcKernelArgs args = { .tensor = { a, b, bias, c }, .params = &p };

  trc_define_matmul (&args);
  g_assert_cmpmem (c, 16, ((float[]){ 119, 222, 143, 250 }), 16);
  p.matmul.trans_b = 1, p.matmul.has_bias = 0, p.matmul.accumulate = 1;
  trc_define_matmul (&args);
  g_assert_cmpmem (c, 16, ((float[]){ 136, 245, 182, 303 }), 16);
}

static void
test_embed (void)
{
  float table[] = { 1, 2, 3, 4 }, out[6], dtable[4];
  gint32 ids[] = { 1, -1, 1 };
  TrcOpParams p = { .embed = { .n = 3, .d = 2, .n_table = 2, .ld_table = 2, .ld_out = 2 } };

  trc_define_embed (&(TrcKernelArgs){ .tensor = { table, ids, out }, .params = &p });
  g_assert_cmpmem (out, 24, ((float[]){ 3, 4, 0, 0, 3, 4 }), 24);
  memcpy (out, ((float[]){ 1, 2, 7, 7, 10, 20 }), sizeof out);
  trc_define_embed_vjp (&(TrcKernelArgs){ .tensor = { out, ids, dtable }, .params = &p });
  g_assert_cmpmem (dtable, 16, ((float[]){ 0, 0, 11, 22 }), 16);
}

static void
test_act (void)
{
  static const double wanted[] = { 1.0, 0.8411919906, 0.8413447461, 0.7310585786, 1.0 };
  float x[] = { 1, 0, -1 }, y[3], dy[] = { 1, 1, 1 }, dx[3];

  for (guint kind = 0; kind <= TRC_ACT_IDENTITY; kind++)
    {
      TrcOpParams p = { .act = { .rows = 1,
                                 .cols = 3,
                                 .ld_x = 3,
                                 .ld_y = 3,
                                 .ld_dx = 3,
                                 .kind = kind,
                                 .rule = TRC_RULE_RELP } };
      trc_define_act (&(TrcKernelArgs){ .tensor = { x, NULL, y }, .params = &p });
      NEAR (y[0], wanted[kind]);
      g_assert_cmpfloat (y[1], ==, 0.0f);
      /* all of these are x times a share that grows from 0 to 1 around 1/2 */
      NEAR (y[2], kind == TRC_ACT_IDENTITY ? -1.0 : wanted[kind] - 1.0);
      trc_define_act_vjp (&(TrcKernelArgs){ .tensor = { dy, x, NULL, dx }, .params = &p });
      NEAR (dx[0], wanted[kind]);
      NEAR (dx[1], kind == TRC_ACT_RELU ? 0.0 : kind == TRC_ACT_IDENTITY ? 1.0 : 0.5);
    }
}

static void
test_norm (void)
{
  float x[] = { 1, 3, 3, 4 }, gain[] = { 2, 10 }, y[4], mean[2], rstd[2];
  TrcOpParams p = { .norm = { .rows = 2, .d = 2, .ld_x = 2, .ld_y = 2, .has_gain = 1 } };
  TrcKernelArgs args = { .tensor = { x, gain, NULL, y, mean, rstd }, .params = &p };

  trc_define_norm (&args);
  g_assert_cmpmem (y, 16, ((float[]){ -2, 10, -2, 10 }), 16);
  g_assert_cmpmem (mean, 8, ((float[]){ 2, 3.5f }), 8);
  g_assert_cmpmem (rstd, 8, ((float[]){ 1, 2 }), 8);
  p.norm.kind = TRC_NORM_RMS;
  trc_define_norm (&args);
  NEAR (rstd[1], 1.0 / sqrt (12.5));
  NEAR (y[3], 40.0 / sqrt (12.5));
}

static void
test_attention (void)
{
  float q[] = { 0, 1 }, k[] = { 3, 1 }, v[] = { 10, 20 }, pattern[4], z[2];
  TrcOpParams p = { .attn = { .batch = 1,
                              .n_heads = 1,
                              .n_kv_heads = 1,
                              .t_q = 2,
                              .t_k = 2,
                              .d_head = 1,
                              .x_row = 1,
                              .y_row = 1,
                              .p_batch = 4,
                              .causal = 1,
                              .scale = 1.0f } };
  double share = exp (3.0) / (exp (3.0) + exp (1.0));

  trc_define_attn_pattern (&(TrcKernelArgs){ .tensor = { q, k, pattern }, .params = &p });
  g_assert_cmpmem (pattern, 8, ((float[]){ 1, 0 }), 8);
  NEAR (pattern[2], share);
  NEAR (pattern[3], 1.0 - share);
  trc_define_attn_mix (&(TrcKernelArgs){ .tensor = { pattern, v, z }, .params = &p });
  NEAR (z[0], 10.0);
  NEAR (z[1], 20.0 - 10.0 * share);
  trc_define_attn_mix_t (&(TrcKernelArgs){ .tensor = { pattern, q, z }, .params = &p });
  NEAR (z[0], share);
}

static void
test_cross_entropy (void)
{
  float x[] = { 5, 5, 5, 5, 0, 0, 60, 0 }, loss[2], dx[8], seed[] = { 2 };
  gint32 t[] = { 1, 2 };
  TrcOpParams p = { .cross_entropy = { .rows = 2, .cols = 4, .ld_x = 4, .ld_dx = 4 } };

  trc_define_cross_entropy (&(TrcKernelArgs){ .tensor = { x, t, loss }, .params = &p });
  NEAR (loss[0], log (4.0));
  g_assert_cmpfloat_with_epsilon (loss[1] / (3.0 * exp (-60.0)), 1.0, 1e-6); /* no 0 */
  trc_define_cross_entropy_vjp (&(TrcKernelArgs){ .tensor = { x, t, seed, dx }, .params = &p });
  NEAR (dx[0], 0.5);
  NEAR (dx[1], -1.5);
  g_assert_cmpfloat_with_epsilon (dx[6] / (-6.0 * exp (-60.0)), 1.0, 1e-6);
}

static void
test_rope (void)
{
  float x[] = { 1, 2, 3, 4 }, table[] = { 0, 1, 1, 0 }, y[4]; /* a quarter turn; none */
  TrcOpParams p = { .rope = { .rows = 1,
                              .n_heads = 1,
                              .d_head = 4,
                              .n_rot = 4,
                              .ld_x = 4,
                              .ld_y = 4,
                              .head_stride = 4 } };

  trc_define_rope (&(TrcKernelArgs){ .tensor = { x, table, y }, .params = &p });
  g_assert_cmpmem (y, 16, ((float[]){ -3, 2, 1, 4 }), 16);
  p.rope.interleaved = 1;
  trc_define_rope (&(TrcKernelArgs){ .tensor = { x, table, y }, .params = &p });
  g_assert_cmpmem (y, 16, ((float[]){ -2, 1, 3, 4 }), 16);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/define/matmul", test_matmul);
  g_test_add_func ("/compute/define/embed", test_embed);
  g_test_add_func ("/compute/define/act", test_act);
  g_test_add_func ("/compute/define/norm", test_norm);
  g_test_add_func ("/compute/define/attention", test_attention);
  g_test_add_func ("/compute/define/cross-entropy", test_cross_entropy);
  g_test_add_func ("/compute/define/rope", test_rope);
  return g_test_run ();
}
