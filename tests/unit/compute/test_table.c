/* Every kernel of the CPU device against its definition, with one thread and with three. */
#include "tests/support/op_cases.h"

#include <string.h>

static void
test_op (gconstpointer data)
{
  static const guint n_threads[] = { 1, 3 };

  for (guint i = 0; i < G_N_ELEMENTS (n_threads); i++)
    {
      g_autoptr (TrcDevice) dev = trc_device_open_cpu (n_threads[i]);
      trc_op_cases_check (dev, GPOINTER_TO_UINT (data));
    }
}

static void
test_rows (void)
{
  for (guint op = 0; op < TRC_N_OPS; op++)
    {
      const TrcOpInfo *info = trc_op_info (op);
      g_assert_nonnull (info->name);
      g_assert_nonnull (info->define);
      g_assert_nonnull (info->fast);
      g_assert_cmpuint (info->n_tensors, <=, TRC_OP_MAX_TENSORS);
      g_assert_cmpuint (info->params_size, <=, 128);
    }
  g_assert_cmpstr (trc_op_info (TRC_OP_ROPE)->name, ==, "rope");
  g_assert_cmpstr (trc_op_info (TRC_OP_ATTN_MIX_T)->name, ==, "attn_mix_t");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/table/rows", test_rows);
  for (guint op = 0; op < TRC_N_OPS; op++)
    {
      g_autofree char *path = g_strdup_printf ("/compute/table/%s", trc_op_info (op)->name);
      g_test_add_data_func (path, GUINT_TO_POINTER (op), test_op);
    }
  return g_test_run ();
}
