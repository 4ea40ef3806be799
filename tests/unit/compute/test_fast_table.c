/* All kernels again with every variant of the fast paths that this processor has. The variant
 * is chosen once in a process, so each runs in a process of its own. */
#include "compute/cpu/fast.h"
#include "tests/support/op_cases.h"

static void
test_child (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (2);

  g_test_message ("%s", trc_fast_table ()->name);
  for (guint op = 0; op < TRC_N_OPS; op++)
    {
      g_assert_true (trc_op_info (op)->fast == trc_fast_table ()->run[op]);
      trc_op_cases_check (dev, op);
    }
}

static void
test_variant (gconstpointer data)
{
  g_setenv ("TRACERY_CPU", data, TRUE);
  g_test_trap_subprocess ("/compute/fast_table/any/subprocess", 0,
                          G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  g_unsetenv ("TRACERY_CPU");
}

static void
test_choice (void)
{
  g_setenv ("TRACERY_CPU", "base", TRUE);
  g_assert_cmpstr (trc_fast_table ()->name, ==, "base");
  g_unsetenv ("TRACERY_CPU");
  for (guint op = 0; op < TRC_N_OPS; op++)
    g_assert_nonnull (trc_fast_table ()->run[op]);
#if defined(__x86_64__)
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    g_assert_cmpstr (trc_fast_table ()->name, !=, "base");
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/fast_table/choice", test_choice);
  g_test_add_func ("/compute/fast_table/any/subprocess", test_child);
  g_test_add_data_func ("/compute/fast_table/base", "base", test_variant);
  g_test_add_data_func ("/compute/fast_table/v3", "v3", test_variant);
  return g_test_run ();
}
