/* Scores of all nodes by every rule against float64: the frozen rules pushed forwards, the live
 * ones as central differences; and which nodes are chosen. */
#include "tests/support/attribution_fixture.h"

#include <math.h>

static const struct {
  TrcEstimator estimator;
  TrcOracleRule rule;
} rules[] = { { TRC_ESTIMATOR_RELP, TRC_ORACLE_RELP },
              { TRC_ESTIMATOR_GRAD_ACT, TRC_ORACLE_GRAD },
              { TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP },
              { TRC_ESTIMATOR_EAP_IG, TRC_ORACLE_EAP_IG } };

static void
test_scores (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    for (int contrast = 0; contrast < 2; contrast++)
      {
        g_auto (TrcFixture) f = { 0 };
        trc_fixture_open (&f, i == 0 && contrast ? &trc_fixture_bare : &trc_fixture_full, 41);
        TrcTraceParams p = trc_fixture_params (&f, rules[i].estimator, contrast);
        g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, NULL);
        g_test_message ("%s: worst %.2g of the largest score",
                        trc_estimator_name (rules[i].estimator),
                        trc_fixture_check_scores (&f, graph, rules[i].rule, 1e-4));
      }
}

/* N targets are the N of largest score. */
static void
test_choice (void)
{
  g_auto (TrcFixture) f = { 0 };
  double weakest = INFINITY;

  trc_fixture_open (&f, &trc_fixture_full, 42);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  g_autoptr (TrcGraph) all = trc_fixture_trace (&f, &p, NULL);
  p.n_targets = 15;
  g_autoptr (TrcGraph) some = trc_fixture_trace (&f, &p, NULL);
  guint n = 0, stronger = 0;
  for (guint32 i = 0; i < trc_graph_n_nodes (some); i++)
    {
      const TrcNode *node = trc_graph_node (some, i);
      if (node->kind == TRC_NODE_HEAD || node->kind == TRC_NODE_NEURON)
        {
          weakest = MIN (weakest, fabs (node->score));
          n++;
        }
    }
  g_assert_cmpuint (n, ==, 15);
  for (guint32 i = 0; i < trc_graph_n_nodes (all); i++)
    {
      const TrcNode *node = trc_graph_node (all, i);
      if (node->kind == TRC_NODE_HEAD || node->kind == TRC_NODE_NEURON)
        stronger += fabs (node->score) > weakest;
    }
  g_assert_cmpuint (stronger, ==, 14);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/rule/scores", test_scores);
  g_test_add_func ("/attribution/rule/choice", test_choice);
  return g_test_run ();
}
