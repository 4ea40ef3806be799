/* Exact links: real changes of one target's own input, against float64 passes. */
#include "tests/support/attribution_fixture.h"

#include <math.h>

static void
check (const TrcOracleConfig *config, gboolean contrast)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, config, 31);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_EXACT, contrast);
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  g_test_message ("worst %.2g of the row's largest",
                  trc_fixture_check_rows (&f, graph, TRC_ORACLE_EXACT, FALSE, 1e-4));
  g_assert_true (isnan (report.linear_check));
}

static void
test_links (void)
{
  check (&trc_fixture_full, FALSE);
  check (&trc_fixture_full, TRUE);
  check (&trc_fixture_bare, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/direct/links", test_links);
  return g_test_run ();
}
