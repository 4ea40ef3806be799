#include "compute/error.h"

#include <string.h>

static void
test_domain (void)
{
  g_autoptr (GError) error = NULL;

  g_set_error (&error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC, "w.json: weight is NaN.");
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC);
  g_assert_cmpstr (g_quark_to_string (TRC_COMPUTE_ERROR), ==, "trc-compute-error-quark");
}

static void
test_quotable (void)
{
  g_autofree char *plain = trc_error_quotable ("h.0.attn é");
  g_autofree char *lines = trc_error_quotable ("a\nb\tc\x7f");
  g_autofree char *broken = trc_error_quotable ("a\xff");
  g_autofree char *many = g_strnfill (100000, 'x');
  g_autofree char *cut = trc_error_quotable (many);

  g_assert_cmpstr (plain, ==, "h.0.attn é");
  g_assert_cmpstr (lines, ==, "a b c ");
  g_assert_true (g_utf8_validate (broken, -1, NULL));
  g_assert_cmpuint (strlen (cut), <, 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/domain", test_domain);
  g_test_add_func ("/error/quotable", test_quotable);
  return g_test_run ();
}
