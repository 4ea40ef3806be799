/* The walk that coarsening looks at: order, shares, visits, on a graph small enough to do by
 * hand and on one whose links run in a circle. */
#include "compute/hierarchy/flow.h"

static TrcGraph *
graph_of (const guint (*links)[2], const double *weights, guint n_links, guint n,
          guint n_logits)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();

  for (guint i = 0; i < n; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = i + n_logits >= n ? TRC_NODE_LOGIT : TRC_NODE_FEATURE;
      node.layer = (gint32)i;
      node.position = 0;
      node.index = i;
      node.token_prob = node.kind == TRC_NODE_LOGIT ? 0.5 : NAN;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint k = 0; k < n_links; k++)
    trc_graph_builder_add_edge (b, links[k][0], links[k][1], weights[k]);
  return trc_graph_builder_finish (b, NULL);
}

/* 0 and 1 feed 2 with 3 and -1, 2 feeds logit 3. */
static void
test_visits (void)
{
  static const guint links[][2] = { { 0, 2 }, { 1, 2 }, { 2, 3 }, { 0, 3 }, { 3, 3 } };
  static const double weights[] = { 3, -1, 2, 0, 5 };
  g_autoptr (TrcGraph) graph = graph_of (links, weights, 5, 4, 1);
  TrcFlow *flow = trc_flow_new (graph, NULL);

  g_assert_cmpuint (flow->in_offset[4], ==, 3); /* no zero weight, no self link */
  g_assert_cmpuint (flow->rank[3], ==, 2);
  g_assert_cmpuint (flow->rank[0], ==, 0);
  g_assert_cmpfloat_with_epsilon (flow->phi[3], 1.0 / 3, 1e-7);
  g_assert_cmpfloat_with_epsilon (flow->phi[2], 1.0 / 3, 1e-7);
  g_assert_cmpfloat_with_epsilon (flow->phi[0], 0.25, 1e-7);
  g_assert_cmpfloat_with_epsilon (flow->phi[1], 1.0 / 12, 1e-7);
  for (guint v = 0; v < 4; v++)
    for (gsize k = flow->in_offset[v]; k < flow->in_offset[v + 1]; k++)
      g_assert_cmpuint (flow->place[flow->in[k].other], <, flow->place[v]);
  g_assert_cmpuint (flow->out_offset[1] - flow->out_offset[0], ==, 1);
  g_assert_cmpuint (flow->out[flow->out_offset[0]].other, ==, 2);
  trc_flow_free (flow);
}

/* A circle is opened at its lowest node: one link is left out, the others stay. */
static void
test_circle (void)
{
  static const guint links[][2] = { { 0, 1 }, { 1, 2 }, { 2, 0 }, { 2, 3 } };
  static const double weights[] = { 1, 1, 1, 1 };
  g_autoptr (TrcGraph) graph = graph_of (links, weights, 4, 4, 1);
  TrcFlow *flow = trc_flow_new (graph, NULL);

  g_assert_cmpuint (flow->in_offset[4], ==, 3);
  g_assert_cmpuint (flow->place[0], ==, 0);
  g_assert_cmpuint (flow->rank[3], ==, 3);
  trc_flow_free (flow);
}

/* Without a logit the walk starts everywhere. */
static void
test_no_logit (void)
{
  static const guint links[][2] = { { 0, 1 } };
  static const double weights[] = { 1 };
  g_autoptr (TrcGraph) graph = graph_of (links, weights, 1, 2, 0);
  TrcFlow *flow = trc_flow_new (graph, NULL);

  g_assert_cmpfloat_with_epsilon (flow->phi[0], 2.0 / 3, 1e-7);
  trc_flow_free (flow);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/visits", test_visits);
  g_test_add_func ("/flow/circle", test_circle);
  g_test_add_func ("/flow/no-logit", test_no_logit);
  return g_test_run ();
}
