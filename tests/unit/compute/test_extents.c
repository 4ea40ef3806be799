/* How far kernels reach, by hand for a few; that none reaches further, the guard words of
 * test_table show. */
#include "compute/ops.h"

static void
test_numbers (void)
{
  guint64 e[TRC_OP_MAX_TENSORS] = { 0 };
  TrcOpParams p = { .matmul = { .m = 3,
                                .n = 4,
                                .k = 5,
                                .ld_a = 7,
                                .ld_b = 6,
                                .ld_c = 9,
                                .has_bias = 1,
                                .n_outer = 2,
                                .n_inner = 4,
                                .a_outer = 100,
                                .a_inner = 1,
                                .b_inner = 50,
                                .c_outer = 30,
                                .c_inner = 0,
                                .b_group = 2 } };

  trc_op_info (TRC_OP_MATMUL)->extents (&p, e);
  g_assert_cmpuint (e[0], ==, 100 + 3 + 2 * 7 + 5);
  g_assert_cmpuint (e[1], ==, 50 + 4 * 6 + 4);
  g_assert_cmpuint (e[2], ==, 4);
  g_assert_cmpuint (e[3], ==, 30 + 2 * 9 + 4);

  p = (TrcOpParams){ .axpby = { .rows = 10, .cols = 3, .ld_x = 4, .ld_y = 5, .x_period = 2 } };
  trc_op_info (TRC_OP_AXPBY)->extents (&p, e);
  g_assert_cmpuint (e[0], ==, 7);
  g_assert_cmpuint (e[1], ==, 48);

  p = (TrcOpParams){ .attn = { .batch = 2,
                               .n_heads = 4,
                               .n_kv_heads = 2,
                               .t_q = 3,
                               .t_k = 5,
                               .d_head = 8,
                               .x_batch = 200,
                               .x_row = 32,
                               .x_head = 8,
                               .y_row = 16,
                               .y_head = 8,
                               .p_batch = 60 } };
  trc_op_info (TRC_OP_ATTN_MIX)->extents (&p, e);
  g_assert_cmpuint (e[0], ==, 120);
  g_assert_cmpuint (e[1], ==, 4 * 16 + 16);
  g_assert_cmpuint (e[2], ==, 200 + 2 * 32 + 32);
}

/* Large strides must not wrap around. */
static void
test_large (void)
{
  guint64 e[TRC_OP_MAX_TENSORS] = { 0 };
  TrcOpParams p = { .fill = { .rows = G_MAXUINT32, .cols = 1, .ld = G_MAXUINT32 } };

  trc_op_info (TRC_OP_FILL)->extents (&p, e);
  g_assert_cmpuint (e[0], ==, (guint64)(G_MAXUINT32 - 1) * G_MAXUINT32 + 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/extents/numbers", test_numbers);
  g_test_add_func ("/compute/extents/large", test_large);
  return g_test_run ();
}
