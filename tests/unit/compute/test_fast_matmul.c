/* Products large enough to be cut into strips, against the definition. */
#include "tests/support/op_cases.h"

typedef struct {
  guint32 m, n, k;
  guint trans;
} Size;

static void
test_strips (void)
{
  static const Size sizes[] = { { 501, 130, 90, 0 }, { 130, 515, 77, 1 }, { 257, 200, 129, 2 },
                                { 96, 301, 400, 3 }, { 1, 700, 300, 0 },  { 700, 1, 300, 1 },
                                { 1, 700, 300, 2 },  { 700, 1, 300, 3 } };

  for (guint threads = 1; threads <= 4; threads++)
    {
      g_autoptr (TrcDevice) dev = trc_device_open_cpu (threads);
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          const Size *s = &sizes[i];
          gboolean ta = s->trans & 1, tb = s->trans >> 1;
          TrcOpCase c = { .name = (char *)"strips", .op = TRC_OP_MATMUL };
          c.params.matmul = (TrcMatmulParams){ .m = s->m,
                                               .n = s->n,
                                               .k = s->k,
                                               .ld_a = (ta ? s->m : s->k) + 3,
                                               .ld_b = (tb ? s->k : s->n) + 5,
                                               .ld_c = s->n + 1,
                                               .trans_a = ta,
                                               .trans_b = tb,
                                               .has_bias = 1,
                                               .accumulate = i & 1,
                                               .alpha = 0.5f,
                                               .n_outer = 1,
                                               .n_inner = 1,
                                               .b_group = 1 };
          trc_op_case_check (dev, &c);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_matmul/strips", test_strips);
  return g_test_run ();
}
