#include "app/error.h"

static void
test_domain (void)
{
  g_autoptr (GError) error = NULL;

  g_set_error (&error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "--seed is missing.");
  g_assert_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE);
  g_assert_cmpstr (g_quark_to_string (TRC_APP_ERROR), ==, "trc-app-error-quark");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/domain", test_domain);
  return g_test_run ();
}
