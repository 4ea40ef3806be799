#include "compute/error.h"

static void
test_domain (void)
{
  g_autoptr (GError) error = NULL;

  g_set_error (&error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC, "w.json: weight is NaN.");
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC);
  g_assert_cmpstr (g_quark_to_string (TRC_COMPUTE_ERROR), ==, "trc-compute-error-quark");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/domain", test_domain);
  return g_test_run ();
}
