#include "compute/base/packed.h"
#include "tests/device/vk_fixture.h"
#include "tests/support/op_cases.h"

#include <string.h>

/* Products and look-ups with weights in every type of a file, against the definition on the
 * host that reads the same bytes. Shapes as in test_vk_ops.c. Outputs lie between guard words
 * and have gaps between their rows; weights begin some blocks into their tensor, so that
 * neither blocks nor the tensor are aligned to words. */
static TrcVkBackend *backend;

static const TrcDType types[] = { TRC_F16,  TRC_BF16, TRC_Q8_0, TRC_Q4_0, TRC_Q4_1,
                                  TRC_Q5_0, TRC_Q5_1, TRC_Q4_K, TRC_Q5_K, TRC_Q6_K };

enum { GUARD = 5, LEAD = 3 }; /* words around an output; blocks before the weights */

/* --- made-up tensors ------------------------------------------------------------------------ */

static float *
noise (gsize n, guint32 seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  float *values = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    values[i] = (float)g_rand_double_range (rand, -1, 1);
  return values;
}

/* Where a block has its f16 scales, and what makes its weights of size 1. */
static void
put_scales (TrcDType dtype, guint8 *block, GRand *rand)
{
  static const float size[TRC_N_DTYPES] = {
    [TRC_Q8_0] = 0.01f, [TRC_Q4_0] = 0.1f,    [TRC_Q4_1] = 0.1f,    [TRC_Q5_0] = 0.1f,
    [TRC_Q5_1] = 0.05f, [TRC_Q4_K] = 0.0015f, [TRC_Q5_K] = 0.0008f, [TRC_Q6_K] = 0.0004f,
  };
  const gboolean two =
      dtype == TRC_Q4_1 || dtype == TRC_Q5_1 || dtype == TRC_Q4_K || dtype == TRC_Q5_K;

  for (guint i = 0; i <= (guint)two; i++)
    {
      const double scale = g_rand_double_range (rand, -1, 1) * size[dtype];
      guint16 h = GUINT16_TO_LE (trc_float_to_half ((float)scale));

      memcpy (block + (dtype == TRC_Q6_K ? 208 : 2 * i), &h, 2);
    }
}

/* @n weights (whole blocks) of any bits with finite scales, here and there a subnormal one. */
static guint8 *
weights (TrcDType dtype, gsize n, guint32 seed)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);
  const gsize n_blocks = n / info->block_elements;
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  guint8 *bytes = g_malloc (n_blocks * info->block_bytes);

  if (info->block_elements == 1)
    {
      g_autofree float *values = noise (n, seed);
      for (gsize i = 0; i < n; i += 11)
        values[i] *= 1e-6f;
      g_assert_true (trc_packed_write (dtype, values, n, bytes));
      return bytes;
    }
  for (gsize i = 0; i < n_blocks; i++)
    {
      guint8 *block = bytes + i * info->block_bytes;
      for (guint j = 0; j < info->block_bytes; j++)
        block[j] = (guint8)g_rand_int_range (rand, 0, 256);
      put_scales (dtype, block, rand);
      if (i % 7 == 3)
        block[dtype == TRC_Q6_K ? 209 : 1] &= 0x83; /* the exponent of the scale */
    }
  return bytes;
}

static guint32
whole_blocks (TrcDType dtype, guint32 n)
{
  const guint32 block = trc_dtype_info (dtype)->block_elements;

  return (n + block - 1) / block * block;
}

static TrcTensor *
tensor_of (TrcDType dtype, gconstpointer data, gsize n)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);
  g_autoptr (GError) error = NULL;
  TrcTensor *tensor =
      trc_tensor_from_data (&backend->base, dtype, TRC_SHAPE ((guint32)n), data,
                            n / info->block_elements * info->block_bytes, info->name, &error);

  g_assert_no_error (error);
  return tensor;
}

/* --- the calls ------------------------------------------------------------------------------ */

/* Runs @call, whose output is tensor @out with @n_out elements, on the device and by the
 * definition from @host; both outputs go through @expected and the result. */
static float *
run (TrcOpCall *call, void *const *host, guint out, gsize n_out, float *expected)
{
  const TrcOpInfo *info = trc_op_info (call->op);
  TrcKernelArgs args = { .params = &call->params };
  g_autoptr (GError) error = NULL;
  float *got = g_new (float, n_out);

  for (guint i = 0; i < info->n_tensors; i++)
    if (call->tensor[i] != NULL)
      {
        const TrcDTypeInfo *type = trc_dtype_info (trc_tensor_dtype (call->tensor[i]));
        args.dtype[i] = trc_tensor_dtype (call->tensor[i]);
        args.tensor[i] =
            (guint8 *)host[i] + call->params.off[i] / type->block_elements * type->block_bytes;
      }
  args.tensor[out] = expected + call->params.off[out];
  info->define (&args);
  g_assert_true (trc_op_dispatch (call, &error));
  g_assert_true (trc_tensor_read (call->tensor[out], got, n_out, &error));
  g_assert_no_error (error);
  return got;
}

typedef struct {
  guint32 m, n, k;
  guint8 trans_a, trans_b, has_bias, accumulate;
  guint32 n_outer, n_inner, b_group;
} Case;

static TrcMatmulParams
params_of_case (const Case *c, TrcDType dtype)
{
  const guint32 ld_b = whole_blocks (dtype, c->trans_b ? c->k : c->n);
  const guint32 b_one = ld_b * (c->trans_b ? c->n : c->k);
  const guint32 ld_c = c->n + 3;

  return (
      TrcMatmulParams){ .off = { 0, LEAD * trc_dtype_info (dtype)->block_elements, 0, GUARD },
                        .m = c->m,
                        .n = c->n,
                        .k = c->k,
                        .ld_a = c->trans_a ? c->m : c->k,
                        .ld_b = ld_b,
                        .ld_c = ld_c,
                        .trans_a = c->trans_a,
                        .trans_b = c->trans_b,
                        .accumulate = c->accumulate,
                        .has_bias = c->has_bias,
                        .alpha = 0.75f,
                        .n_outer = c->n_outer,
                        .n_inner = c->n_inner,
                        .a_outer = c->m * c->k * c->n_inner,
                        .a_inner = c->m * c->k,
                        .b_outer = b_one * ((c->n_inner - 1) / c->b_group + 1),
                        .b_inner = b_one,
                        .c_outer = ld_c * c->m * c->n_inner,
                        .c_inner = ld_c * c->m,
                        .b_group = c->b_group };
}

/* What the definition leaves alone is left alone bit by bit; the rest agrees. */
static void
assert_same (const TrcMatmulParams *p, const float *got, const float *expected,
             const float *before, gsize n)
{
  const double error = trc_normalised_error (got, expected, n);

  if (error > trc_op_info (TRC_OP_MATMUL)->tolerance)
    g_test_message ("%u x %u x %u, trans %u %u", p->m, p->n, p->k, p->trans_a, p->trans_b);
  g_assert_cmpfloat (error, <=, trc_op_info (TRC_OP_MATMUL)->tolerance);
  for (gsize i = 0; i < n; i++)
    if (i < GUARD || (i - GUARD) % p->ld_c >= p->n || i >= n - GUARD)
      g_assert_cmpmem (&got[i], 4, &before[i], 4);
}

static void
check_matmul (const Case *c, TrcDType dtype)
{
  const guint32 batch = c->n_outer * c->n_inner;
  const TrcMatmulParams p = params_of_case (c, dtype);
  const gsize n_a = MAX (c->m * c->k * batch, 1), n_b = p.off[1] + p.b_outer * c->n_outer;
  const gsize n_c = 2 * GUARD + p.c_outer * c->n_outer;
  g_autofree float *a = noise (n_a, 1), *bias = noise (c->n, 2), *before = noise (n_c, 3);
  g_autofree guint8 *b = weights (dtype, n_b, 4);
  g_autofree float *expected = g_memdup2 (before, n_c * 4);
  g_autoptr (TrcTensor) ta = tensor_of (TRC_F32, a, n_a);
  g_autoptr (TrcTensor) tb = tensor_of (dtype, b, n_b);
  g_autoptr (TrcTensor) row = tensor_of (TRC_F32, bias, c->n);
  g_autoptr (TrcTensor) tc = tensor_of (TRC_F32, before, n_c);
  TrcOpCall call = { TRC_OP_MATMUL, { ta, tb, c->has_bias ? row : NULL, tc }, { .matmul = p } };
  void *host[TRC_OP_MAX_TENSORS] = { a, b, bias, NULL };

  g_autofree float *got = run (&call, host, 3, n_c, expected);
  assert_same (&p, got, expected, before, n_c);
}

static void
test_matmul (gconstpointer data)
{
  static const Case cases[] = {
    { 5, 37, 70, 0, 1, 1, 0, 1, 1, 1 },   { 5, 37, 19, 0, 0, 1, 0, 1, 1, 1 },
    { 1, 3, 300, 1, 1, 0, 1, 1, 1, 1 },   { 9, 301, 3, 1, 0, 0, 1, 1, 1, 1 },
    { 2, 5, 33, 0, 1, 0, 0, 2, 3, 2 },    { 2, 5, 33, 0, 0, 0, 0, 2, 3, 2 },
    { 3, 200, 600, 0, 1, 1, 0, 1, 1, 1 }, { 3, 600, 200, 0, 0, 1, 1, 1, 1, 1 },
    { 3, 7, 0, 0, 1, 1, 0, 1, 1, 1 },     { 6, 7, 0, 0, 1, 1, 0, 1, 1, 1 },
    { 7, 70, 200, 0, 1, 0, 1, 1, 1, 1 },  { 6, 66, 17, 0, 1, 0, 0, 8, 8, 1 },
    { 2, 66, 17, 1, 0, 0, 0, 8, 8, 1 }, /* the large tile of GPUs */
    { 2, 3, 1500, 0, 1, 1, 0, 1, 1, 1 },  { 2, 1500, 3, 0, 0, 1, 0, 1, 1, 1 },
  };

  if (backend == NULL)
    g_test_skip ("there is no such Vulkan device on this machine");
  for (guint i = 0; i < G_N_ELEMENTS (cases) && backend != NULL; i++)
    check_matmul (&cases[i], types[GPOINTER_TO_UINT (data)]);
}

/* A look-up is exact; ids outside the table give zeros. */
static void
check_embed (TrcDType dtype, guint32 accumulate)
{
  enum { N = 9, D = 45, TABLE = 100, LD = D + 2, N_OUT = 2 * GUARD + N * LD };
  gint32 ids[N] = { 4, 99, -1, 0, 100, 50, 50, G_MAXINT32, 73 };
  const guint32 ld = whole_blocks (dtype, D);
  const guint32 first = LEAD * trc_dtype_info (dtype)->block_elements;
  const gsize n = first + ld * TABLE;
  g_autofree guint8 *table = weights (dtype, n, 5);
  g_autofree float *before = noise (N_OUT, 6);
  g_autofree float *expected = g_memdup2 (before, N_OUT * 4);
  g_autoptr (TrcTensor) tt = tensor_of (dtype, table, n);
  g_autoptr (TrcTensor) ti = tensor_of (TRC_I32, ids, N);
  g_autoptr (TrcTensor) out = tensor_of (TRC_F32, before, N_OUT);
  TrcOpCall call = { TRC_OP_EMBED,
                     { tt, ti, out },
                     { .embed = { .off = { first, 0, GUARD },
                                  .n = N,
                                  .d = D,
                                  .n_table = TABLE,
                                  .ld_table = ld,
                                  .ld_out = LD,
                                  .accumulate = accumulate } } };
  void *host[TRC_OP_MAX_TENSORS] = { table, ids, NULL };

  g_autofree float *got = run (&call, host, 2, N_OUT, expected);
  for (guint i = 0; i < N_OUT; i++)
    g_assert_cmpfloat (got[i], ==, expected[i]);
}

static void
test_embed (gconstpointer data)
{
  if (backend == NULL)
    g_test_skip ("there is no such Vulkan device on this machine");
  for (guint accumulate = 0; accumulate < 2 && backend != NULL; accumulate++)
    check_embed (types[GPOINTER_TO_UINT (data)], accumulate);
}

static TrcVkParams
params_of (const char *shape)
{
  TrcVkParams params = { .profile = TRC_VK_PROFILE_CPU };

  if (g_str_equal (shape, "gpu"))
    params.profile = TRC_VK_PROFILE_GPU;
  else if (g_str_equal (shape, "pieces"))
    params.max_bind_bytes = 48 * 1024;
  else if (g_str_equal (shape, "crumbs"))
    params.max_bind_bytes = 3072;
  else if (g_str_equal (shape, "exact"))
    params.exact_bindings = TRUE;
  else if (g_str_equal (shape, "staged"))
    params.force_staging = TRUE;
  else
    g_assert_cmpstr (shape, ==, "cpu");
  return params;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const TrcVkParams params = params_of (argc > 1 ? argv[1] : "cpu");
  if (vk_fixture_available ())
    backend = vk_fixture_open (&params);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const char *name = trc_dtype_info (types[i])->name;
      g_autofree char *matmul = g_strdup_printf ("/vk/packed/matmul/%s", name);
      g_autofree char *embed = g_strdup_printf ("/vk/packed/embed/%s", name);
      g_test_add_data_func (matmul, GUINT_TO_POINTER (i), test_matmul);
      g_test_add_data_func (embed, GUINT_TO_POINTER (i), test_embed);
    }
  int status = g_test_run ();
  if (backend != NULL)
    vk_fixture_close (backend);
  return status;
}
