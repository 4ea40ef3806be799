/* Products and look-ups with packed weights: the device against the definition, on sizes below,
 * at and beyond every tile, block and strip. */
#include "compute/base/packed.h"
#include "compute/ops.h"

#include <math.h>

typedef struct {
  guint m, n, k;
  gboolean trans_a, trans_b;
} Case;

static float *
noise (gsize n, guint seed)
{
  float *values = g_new (float, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    values[i] = sinf ((float)(i * 7 + seed * 13 % 101) * 0.37f) + 0.1f;
  return values;
}

static TrcTensor *
tensor (TrcDevice *dev, TrcDType dtype, guint rows, guint cols, const float *values)
{
  g_autoptr (GError) error = NULL;
  TrcTensor *t = trc_tensor_new (dev, dtype, TRC_SHAPE (rows, cols), "t", &error);

  g_assert_no_error (error);
  g_autofree guint8 *bytes = g_malloc (trc_tensor_bytes (t) + 1);
  g_assert_true (trc_packed_write (dtype, values, (gsize)rows * cols, bytes));
  g_assert_true (trc_tensor_write (t, bytes, trc_tensor_bytes (t), &error));
  return t;
}

static guint
whole_blocks (TrcDType dtype, guint n)
{
  guint block = trc_dtype_info (dtype)->block_elements;

  return (n + block - 1) / block * block;
}

/* Runs @c with B of @dtype and compares with the definition on the same bytes. */
static void
check (TrcDevice *dev, const Case *c, TrcDType dtype, gboolean bias, gboolean accumulate)
{
  guint b_rows = c->trans_b ? c->n : c->k, b_cols = c->trans_b ? c->k : c->n;
  guint ld_b = whole_blocks (dtype, b_cols);
  g_autofree float *a_values = noise ((gsize)c->m * c->k, 1);
  g_autofree float *b_values = noise ((gsize)b_rows * ld_b, 2);
  g_autofree float *c_values = noise ((gsize)c->m * c->n, 3);
  g_autofree float *got = noise ((gsize)c->m * c->n, 4);
  g_autoptr (GError) error = NULL;
  TrcMatmulParams p = { .m = c->m,
                        .n = c->n,
                        .k = c->k,
                        .ld_a = c->trans_a ? c->m : c->k,
                        .ld_b = ld_b,
                        .ld_c = c->n,
                        .trans_a = (guint)c->trans_a,
                        .trans_b = (guint)c->trans_b,
                        .accumulate = (guint)accumulate,
                        .has_bias = (guint)bias,
                        .alpha = 0.5f,
                        .n_outer = 1,
                        .n_inner = 1,
                        .b_group = 1 };
  g_autoptr (TrcTensor) a = tensor (dev, TRC_F32, p.trans_a ? c->k : c->m, p.ld_a, a_values);
  g_autoptr (TrcTensor) b = tensor (dev, dtype, b_rows, ld_b, b_values);
  g_autoptr (TrcTensor) row = tensor (dev, TRC_F32, 1, c->n, c_values);
  g_autoptr (TrcTensor) out = tensor (dev, TRC_F32, c->m, c->n, c_values);
  g_autofree guint8 *packed = g_malloc (trc_tensor_bytes (b) + 1);
  TrcOpParams params = { .matmul = p };
  TrcKernelArgs args = { .tensor = { a_values, packed, c_values, NULL },
                         .dtype = { [1] = dtype },
                         .params = &params };
  g_autofree float *expected = g_memdup2 (c_values, (gsize)c->m * c->n * 4 + 4 * !c->m);

  trc_packed_write (dtype, b_values, (gsize)b_rows * ld_b, packed);
  args.tensor[3] = expected;
  trc_op_info (TRC_OP_MATMUL)->define (&args);
  g_assert_true (trc_op_matmul (a, b, bias ? row : NULL, out, &p, &error));
  g_assert_true (trc_tensor_read (out, got, (gsize)c->m * c->n, &error));
  double wrong = 0,
         all = 0.01 * c->m * c->n * c->k; /* sums of one may cancel to nearly nothing */
  for (gsize i = 0; i < (gsize)c->m * c->n; i++)
    {
      wrong += ((double)got[i] - expected[i]) * ((double)got[i] - expected[i]);
      all += (double)expected[i] * expected[i];
    }
  if (wrong / all > 1e-10)
    g_test_message ("%u x %u x %u, %s", c->m, c->n, c->k, trc_dtype_info (dtype)->name);
  g_assert_cmpfloat (wrong / all, <=, 1e-10);
}

static void
test_products (void)
{
  static const guint sizes[][3] = { { 1, 1, 32 },    { 2, 5, 64 },    { 7, 33, 31 },
                                    { 12, 96, 256 }, { 13, 97, 257 }, { 33, 100, 300 },
                                    { 40, 257, 96 }, { 97, 31, 520 }, { 270, 20, 40 } };
  static const TrcDType types[] = { TRC_F32, TRC_F16, TRC_BF16, TRC_Q8_0, TRC_Q4_0, TRC_Q4_1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", &error);

  g_assert_no_error (error);
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint t = 0; t < G_N_ELEMENTS (types); t++)
      for (guint turn = 0; turn < 4; turn++)
        {
          Case c = { sizes[s][0], sizes[s][1], sizes[s][2], (turn & 1) != 0, (turn & 2) != 0 };
          check (dev, &c, types[t], turn == 1, turn == 2);
        }
}

/* k-quants are only read: blocks of arbitrary bytes stand for finite weights. */
static void
test_k_quants (void)
{
  static const TrcDType types[] = { TRC_Q5_0, TRC_Q5_1, TRC_Q4_K, TRC_Q5_K, TRC_Q6_K };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", &error);
  g_autofree float *a_values = noise (20 * 512, 1);
  g_autoptr (TrcTensor) a = tensor (dev, TRC_F32, 20, 512, a_values);

  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    {
      const TrcDTypeInfo *info = trc_dtype_info (types[t]);
      gsize n_blocks = 9 * 512 / info->block_elements;
      g_autofree guint8 *bytes = g_malloc (n_blocks * info->block_bytes);
      for (gsize i = 0; i < n_blocks * info->block_bytes; i++)
        bytes[i] = (guint8)(i * 37 % 59); /* f16 scales stay small and finite */
      g_autoptr (TrcTensor) b = trc_tensor_from_data (
          dev, types[t], TRC_SHAPE (9, 512), bytes, n_blocks * info->block_bytes, "b", &error);
      g_autoptr (TrcTensor) out = trc_tensor_zeros (dev, TRC_SHAPE (20, 9), "c", &error);
      TrcMatmulParams p = { .m = 20,
                            .n = 9,
                            .k = 512,
                            .ld_a = 512,
                            .ld_b = 512,
                            .ld_c = 9,
                            .trans_b = 1,
                            .alpha = 1,
                            .n_outer = 1,
                            .n_inner = 1,
                            .b_group = 1 };
      TrcOpParams params = { .matmul = p };
      float got[180], expected[180];
      TrcKernelArgs args = { .tensor = { a_values, bytes, NULL, expected },
                             .dtype = { [1] = types[t] },
                             .params = &params };
      trc_op_info (TRC_OP_MATMUL)->define (&args);
      g_assert_true (trc_op_matmul (a, b, NULL, out, &p, &error));
      g_assert_true (trc_tensor_read (out, got, 180, &error));
      for (guint i = 0; i < 180; i++)
        g_assert_cmpfloat_with_epsilon (got[i], expected[i], 1e-4 * (1 + fabsf (expected[i])));
    }
}

static void
test_look_up (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", &error);
  g_autofree float *values = noise (5 * 320, 1);
  gint32 ids[] = { 4, 0, -1, 7, 2 };
  g_autoptr (TrcTensor) table = tensor (dev, TRC_Q8_0, 5, 320, values);
  g_autoptr (TrcTensor) id =
      trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (5), ids, sizeof ids, "ids", &error);
  g_autoptr (TrcTensor) out = trc_tensor_zeros (dev, TRC_SHAPE (5, 320), "out", &error);
  TrcEmbedParams p = { .n = 5, .d = 320, .n_table = 5, .ld_table = 320, .ld_out = 320 };
  g_autofree float *got = g_new (float, 1600);

  g_assert_true (trc_op_embed (table, id, out, &p, &error));
  g_assert_true (trc_tensor_read (out, got, 1600, &error));
  for (guint i = 0; i < 5; i++)
    for (guint j = 0; j < 320; j++)
      {
        float wanted = ids[i] >= 0 && ids[i] < 5 ? values[ids[i] * 320 + (int)j] : 0;
        g_assert_cmpfloat_with_epsilon (got[i * 320 + j], wanted, 0.005);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fast-gemm/products", test_products);
  g_test_add_func ("/fast-gemm/k-quants", test_k_quants);
  g_test_add_func ("/fast-gemm/look-up", test_look_up);
  return g_test_run ();
}
