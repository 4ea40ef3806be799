/* From rows to a graph: kinds, labels, values and numbers of the nodes. */
#include "tests/support/attribution_fixture.h"

#include <math.h>
#include <string.h>

static void
test_nodes (void)
{
  g_auto (TrcFixture) f = { 0 };
  guint count[TRC_N_NODE_KINDS] = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, &trc_fixture_full, 101);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      count[node->kind]++;
      if (node->kind == TRC_NODE_NEURON && node->layer == 1 && node->index == 7)
        g_assert_cmpstr (node->label, ==, "L1 n7");
      if (node->kind == TRC_NODE_HEAD && node->layer == 0 && node->index == 1)
        g_assert_cmpstr (node->label, ==, "L0 H1");
      if (node->kind != TRC_NODE_EMBEDDING && node->kind != TRC_NODE_LOGIT)
        g_assert_true (isfinite (node->activation) && isfinite (node->score));
    }
  g_assert_cmpuint (count[TRC_NODE_EMBEDDING], ==, 5);
  g_assert_cmpuint (count[TRC_NODE_HEAD], ==, 5 * 2 * 2);
  g_assert_cmpuint (count[TRC_NODE_NEURON], ==, 5 * 2 * 10);
  g_assert_cmpuint (count[TRC_NODE_LOGIT], ==, 1);
  g_assert_cmpuint (count[TRC_NODE_ERROR], ==, 0);

  const TrcNode *logit = trc_graph_node (graph, trc_graph_n_nodes (graph) - 1);
  g_assert_cmpint (logit->position, ==, 4);
  g_assert_cmpint (logit->layer, ==, 2);
  g_assert_true (logit->flags & TRC_NODE_IS_TARGET);
  g_assert_true (logit->token_prob > 0 && logit->token_prob < 1);
  g_assert_nonnull (strstr (logit->label, "−"));
  g_assert_cmpint (trc_graph_node (graph, 2)->index, ==, f.ids[2]);
  g_assert_cmpstr (trc_graph_token (graph, 2), ==, "#5");
  g_assert_cmpstr (trc_graph_text (graph, "tracery.estimator"), ==, "relp");
  g_assert_cmpfloat (trc_graph_number (graph, "tracery.linear_check"), ==, report.linear_check);
  g_assert_cmpfloat_with_epsilon (report.replacement, 1, 1e-9);
}

/* Transparent heads: no head nodes at all. */
static void
test_transparent (void)
{
  g_auto (TrcFixture) f = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 102);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  p.heads = TRC_HEADS_TRANSPARENT;
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, NULL);
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    g_assert_cmpint (trc_graph_node (graph, i)->kind, !=, TRC_NODE_HEAD);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/assemble/nodes", test_nodes);
  g_test_add_func ("/attribution/assemble/transparent", test_transparent);
  return g_test_run ();
}
