/* Rows of the live rules: queries, keys, norms and slopes all pass gradients. Every link is a
 * central difference of a real float64 pass. */
#include "tests/support/attribution_fixture.h"

static void
check (const TrcOracleConfig *config, TrcEstimator estimator, TrcOracleRule rule,
       gboolean contrast)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, config, 21);
  TrcTraceParams p = trc_fixture_params (&f, estimator, contrast);
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  double worst = trc_fixture_check_rows (&f, graph, rule, FALSE, 1e-4);
  g_test_message ("worst %.2g of the row's largest, sum of a row %.2g", worst,
                  report.linear_check);
  g_assert_cmpfloat (report.linear_check, <, 1e-5);
}

static void
test_eap (void)
{
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, TRUE);
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, FALSE);
  check (&trc_fixture_bare, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, TRUE);
}

static void
test_eap_ig (void)
{
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP_IG, TRC_ORACLE_EAP_IG, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/readers/eap", test_eap);
  g_test_add_func ("/attribution/readers/eap-ig", test_eap_ig);
  return g_test_run ();
}
