#include "compute/vk/vk_kernels.h"

static TrcVkCall
fill_call (guint32 rows, guint32 cols)
{
  return (TrcVkCall){ .op = TRC_OP_FILL,
                      .params.fill = { .rows = rows, .cols = cols, .ld = cols } };
}

static guint64
invocations (const TrcVkGrid *grid)
{
  return (guint64)grid->groups[0] * grid->groups[1] * grid->groups[2] * grid->key.constant[0];
}

/* Every op finds its shader in both profiles. */
static void
test_shaders (void)
{
  for (int op = 0; op < TRC_N_OPS; op++)
    for (int profile = TRC_VK_PROFILE_CPU; profile <= TRC_VK_PROFILE_GPU; profile++)
      {
        const TrcVkCall call = { .op = (TrcOpId)op };
        TrcVkGrid grid;

        g_assert_true (trc_vk_kernel_grid ((TrcVkProfile)profile, 8, &call, &grid));
        g_assert_cmpuint (grid.groups[0], ==, 0); /* nothing in it */
        g_assert_cmpuint (grid.key.shader, <, trc_vk_n_shaders);
      }
}

/* So does every type of weights, each its own. */
static void
test_shaders_of_weights (void)
{
  const TrcOpId ops[] = { TRC_OP_MATMUL, TRC_OP_EMBED };

  for (int type = 0; type < TRC_N_DTYPES; type++)
    for (int i = 0; i < 4 && type != TRC_I32; i++)
      {
        TrcVkCall call = { .op = ops[i / 2] };
        TrcVkGrid plain, grid;

        g_assert_true (trc_vk_kernel_grid ((TrcVkProfile)(i % 2), 8, &call, &plain));
        call.dtype[i < 2 ? 1 : 0] = (TrcDType)type;
        g_assert_true (trc_vk_kernel_grid ((TrcVkProfile)(i % 2), 8, &call, &grid));
        g_assert_cmpuint (grid.key.shader, <, trc_vk_n_shaders);
        g_assert_cmpint (grid.key.shader == plain.key.shader, ==, type == TRC_F32);
      }
}

static void
test_grid (void)
{
  const guint32 sizes[] = { 1, 7, 8, 9, 255, 256, 257, 65535 * 8, 65535 * 8 + 1, 100000000 };
  TrcVkGrid grid;

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int profile = TRC_VK_PROFILE_CPU; profile <= TRC_VK_PROFILE_GPU; profile++)
      {
        const TrcVkCall call = fill_call (1, sizes[i]);
        g_assert_true (trc_vk_kernel_grid ((TrcVkProfile)profile, 8, &call, &grid));
        g_assert_cmpuint (invocations (&grid), >=, sizes[i]);
        g_assert_cmpuint (invocations (&grid), <,
                          sizes[i] + grid.key.constant[0] * (1 + grid.groups[1]));
        g_assert_cmpuint (grid.groups[0], <=, TRC_VK_MAX_GROUPS);
        g_assert_cmpuint (grid.groups[1], <=, TRC_VK_MAX_GROUPS);
      }
  const TrcVkCall huge = fill_call (70000, 70000); /* more than shaders can count */
  g_assert_false (trc_vk_kernel_grid (TRC_VK_PROFILE_GPU, 32, &huge, &grid));
}

static void
test_matmul_tiles (void)
{
  TrcVkCall call = { .op = TRC_OP_MATMUL,
                     .params.matmul = {
                         .m = 7, .n = 100, .k = 5, .n_outer = 1, .n_inner = 1 } };
  TrcVkGrid grid;

  g_assert_true (trc_vk_kernel_grid (TRC_VK_PROFILE_GPU, 32, &call, &grid));
  g_assert_cmpstr (trc_vk_shaders[grid.key.shader].name, ==, "matmul_tile32");
  g_assert_cmpuint (grid.groups[0], ==, 4);
  call.params.matmul.m = call.params.matmul.n = 1000;
  g_assert_true (trc_vk_kernel_grid (TRC_VK_PROFILE_GPU, 32, &call, &grid));
  g_assert_cmpstr (trc_vk_shaders[grid.key.shader].name, ==, "matmul_tile64");
  g_assert_cmpuint (grid.groups[0], ==, 256);
  g_assert_true (trc_vk_kernel_grid (TRC_VK_PROFILE_CPU, 8, &call, &grid));
  g_assert_cmpstr (trc_vk_shaders[grid.key.shader].name, ==, "matmul_lanes");
  g_assert_cmpuint (grid.groups[0], ==, 250 * 32);
  g_assert_cmpfloat (grid.work, ==, 2.0 * 1000 * 1000 * 5);

  /* Few rows times rows of weights: four columns a workgroup, on GPUs only. */
  call.params.matmul.m = 4;
  call.params.matmul.trans_b = 1;
  g_assert_true (trc_vk_kernel_grid (TRC_VK_PROFILE_GPU, 32, &call, &grid));
  g_assert_cmpstr (trc_vk_shaders[grid.key.shader].name, ==, "matmul_rows");
  g_assert_cmpuint (grid.groups[0], ==, 250);
  call.params.matmul.trans_a = 1;
  g_assert_true (trc_vk_kernel_grid (TRC_VK_PROFILE_GPU, 32, &call, &grid));
  g_assert_cmpstr (trc_vk_shaders[grid.key.shader].name, ==, "matmul_tile32");
}

static void
test_split_rows (void)
{
  const TrcVkCall call = { .op = TRC_OP_AXPBY,
                           .params.axpby = { .rows = 10, .cols = 3, .ld_x = 4, .ld_y = 5 } };
  TrcVkCall a, b, none;

  g_assert_true (trc_vk_kernel_split (&call, -1, &a, &b));
  g_assert_cmpuint (a.params.axpby.rows + b.params.axpby.rows, ==, 10);
  g_assert_cmpuint (b.base[0], ==, a.params.axpby.rows * 4);
  g_assert_cmpuint (b.base[1], ==, a.params.axpby.rows * 5);
  TrcVkCall one = call;
  one.params.axpby.rows = one.params.axpby.cols = 1;
  g_assert_false (trc_vk_kernel_split (&one, -1, &a, &none));
}

/* Rows read with a period are cut only at whole periods, and then read from the start. */
static void
test_split_period (void)
{
  TrcVkCall call = { .op = TRC_OP_AXPBY,
                     .params.axpby = {
                         .rows = 14, .cols = 1, .ld_x = 1, .ld_y = 1, .x_period = 3 } };
  TrcVkCall a, b;

  g_assert_true (trc_vk_kernel_split (&call, 1, &a, &b));
  g_assert_cmpuint (a.params.axpby.rows, ==, 6);
  g_assert_cmpuint (b.params.axpby.rows, ==, 8);
  g_assert_cmpuint (b.base[0], ==, 0);
  g_assert_cmpuint (b.base[1], ==, 6);
  call.params.axpby.x_period = 9; /* more than half: one whole period and the rest */
  g_assert_true (trc_vk_kernel_split (&call, 1, &a, &b));
  g_assert_cmpuint (a.params.axpby.rows, ==, 9);

  TrcVkCall two = { .op = TRC_OP_MUL,
                    .params.mul = { .rows = 14, .cols = 1, .a_period = 2, .b_period = 3 } };
  g_assert_true (trc_vk_kernel_split (&two, 1, &a, &b));
  g_assert_cmpuint (a.params.mul.rows, ==, 6); /* a multiple of both */
  two.params.mul.a_period = 5;
  g_assert_false (trc_vk_kernel_split (&two, 1, &a, &b));
}

static void
test_split_matmul (void)
{
  const TrcVkCall call = { .op = TRC_OP_MATMUL,
                           .params.matmul = { .m = 4,
                                              .n = 1000,
                                              .k = 6,
                                              .ld_a = 6,
                                              .ld_b = 6,
                                              .ld_c = 1000,
                                              .trans_b = 1,
                                              .has_bias = 1,
                                              .n_outer = 1,
                                              .n_inner = 1,
                                              .b_group = 1 } };
  TrcVkCall a, b;

  /* A large B with its rows along n: columns of the result. */
  g_assert_true (trc_vk_kernel_split (&call, 1, &a, &b));
  g_assert_cmpuint (a.params.matmul.n % 64, ==, 0);
  g_assert_cmpuint (a.params.matmul.n + b.params.matmul.n, ==, 1000);
  g_assert_cmpuint (b.base[1], ==, (guint64)a.params.matmul.n * 6);
  g_assert_cmpuint (b.base[2], ==, a.params.matmul.n);
  g_assert_cmpuint (b.base[3], ==, a.params.matmul.n);
  g_assert_cmpuint (b.params.matmul.accumulate, ==, 0);

  /* The other way round only the depth shrinks it: the second half adds, without bias. */
  TrcVkCall flat = call;
  flat.params.matmul.trans_b = 0;
  flat.params.matmul.ld_b = 1000;
  g_assert_true (trc_vk_kernel_split (&flat, 1, &a, &b));
  g_assert_cmpuint (a.params.matmul.k, ==, 3);
  g_assert_cmpuint (a.params.matmul.has_bias, ==, 1);
  g_assert_cmpuint (b.params.matmul.has_bias, ==, 0);
  g_assert_cmpuint (b.params.matmul.accumulate, ==, 1);
  g_assert_cmpuint (b.base[0], ==, 3);
  g_assert_cmpuint (b.base[1], ==, 3000);
}

/* Rows of blocks are cut between blocks. */
static void
test_split_blocks (void)
{
  TrcVkCall call = { .op = TRC_OP_MATMUL,
                     .params.matmul = { .m = 1,
                                        .n = 1,
                                        .k = 90,
                                        .ld_a = 90,
                                        .ld_b = 96,
                                        .ld_c = 1,
                                        .trans_b = 1,
                                        .n_outer = 1,
                                        .n_inner = 1,
                                        .b_group = 1 },
                     .dtype = { [1] = TRC_Q8_0 } };
  TrcVkCall a, b;

  g_assert_true (trc_vk_kernel_split (&call, 1, &a, &b));
  g_assert_cmpuint (a.params.matmul.k, ==, 32);
  g_assert_cmpuint (b.base[1], ==, 32);
  call.params.matmul.k = 32; /* one block */
  g_assert_false (trc_vk_kernel_split (&call, 1, &a, &b));

  TrcVkCall wide = call;
  wide.params.matmul.trans_b = 0;
  wide.params.matmul.k = 1;
  wide.params.matmul.n = wide.params.matmul.ld_b = 768;
  wide.dtype[1] = TRC_Q6_K;
  g_assert_true (trc_vk_kernel_split (&wide, 1, &a, &b));
  g_assert_cmpuint (a.params.matmul.n, ==, 256);
  g_assert_cmpuint (b.base[1], ==, 256);
  g_assert_cmpuint (b.base[3], ==, 256);
}

/* Heads that share a key head stay together. */
static void
test_split_groups (void)
{
  const TrcVkCall call = { .op = TRC_OP_MATMUL,
                           .params.matmul = { .m = 1,
                                              .n = 1,
                                              .k = 1,
                                              .n_outer = 1,
                                              .n_inner = 10,
                                              .a_inner = 1,
                                              .b_inner = 1,
                                              .c_inner = 1,
                                              .b_group = 3 } };
  TrcVkCall a, b;

  g_assert_true (trc_vk_kernel_split (&call, -1, &a, &b));
  g_assert_cmpuint (a.params.matmul.n_inner, ==, 3);
  g_assert_cmpuint (b.base[0], ==, 3);
  g_assert_cmpuint (b.base[1], ==, 1);
}

static void
test_split_table (void)
{
  const TrcVkCall call = { .op = TRC_OP_EMBED,
                           .params.embed = {
                               .n = 3, .d = 2, .n_table = 9, .ld_table = 2, .ld_out = 2 } };
  TrcVkCall a, b;

  g_assert_true (trc_vk_kernel_split (&call, 0, &a, &b));
  g_assert_cmpuint (a.params.embed.n_table, ==, 4);
  g_assert_cmpuint (b.params.embed.n_table, ==, 5);
  g_assert_cmpuint (b.params.off[7], ==, 4); /* the id of its first row */
  g_assert_cmpuint (b.base[0], ==, 8);
  g_assert_cmpuint (b.params.embed.accumulate, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/kernels/shaders", test_shaders);
  g_test_add_func ("/vk/kernels/shaders-of-weights", test_shaders_of_weights);
  g_test_add_func ("/vk/kernels/grid", test_grid);
  g_test_add_func ("/vk/kernels/matmul-tiles", test_matmul_tiles);
  g_test_add_func ("/vk/kernels/split-rows", test_split_rows);
  g_test_add_func ("/vk/kernels/split-period", test_split_period);
  g_test_add_func ("/vk/kernels/split-matmul", test_split_matmul);
  g_test_add_func ("/vk/kernels/split-blocks", test_split_blocks);
  g_test_add_func ("/vk/kernels/split-groups", test_split_groups);
  g_test_add_func ("/vk/kernels/split-table", test_split_table);
  return g_test_run ();
}
