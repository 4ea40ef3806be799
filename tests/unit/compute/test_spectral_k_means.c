/* Clusters by k-means and by eigenvectors, dense (LAPACK) and sparse (ARPACK). */
#include "compute/hierarchy/spectral.h"

static void
test_k_means (void)
{
  double rows[60];
  guint32 cluster[30], again[30];

  for (guint i = 0; i < 30; i++)
    {
      rows[2 * i] = (i % 3) * 10 + 0.01 * i;
      rows[2 * i + 1] = (i % 3 == 1) * 5 - 0.01 * i;
    }
  trc_k_means (rows, 30, 2, 3, 1, cluster);
  trc_k_means (rows, 30, 2, 3, 1, again);
  g_assert_cmpmem (cluster, sizeof cluster, again, sizeof again);
  for (guint i = 3; i < 30; i++)
    g_assert_cmpuint (cluster[i], ==, cluster[i % 3]);
  g_assert_cmpuint (cluster[0], !=, cluster[1]);
  g_assert_cmpuint (cluster[1], !=, cluster[2]);
  trc_k_means (rows, 1, 2, 3, 1, cluster); /* fewer rows than centres */
  g_assert_cmpuint (cluster[0], <, 3);
}

/* Two dense streams of @n nodes each with weak links across. */
static TrcGraph *
streams (guint n, guint reach)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();

  for (guint i = 0; i <= 2 * n; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = i == 2 * n ? TRC_NODE_LOGIT : TRC_NODE_FEATURE;
      node.layer = (gint32)i;
      node.position = 0;
      node.index = i;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint t = 1; t <= 2 * n; t++)
    for (guint s = t > reach ? t - reach : 0; s < t; s++)
      trc_graph_builder_add_edge (b, s, t, t == 2 * n || s % 2 == t % 2 ? 1 : 0.0001);
  return trc_graph_builder_finish (b, NULL);
}

static void
test_cluster (void)
{
  static const guint sizes[] = { 40, 200 }; /* below and above what LAPACK takes */

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint rule = 0; rule < TRC_N_COARSEN_RULES; rule++)
      {
        guint n = 2 * sizes[s], right = 0;
        g_autoptr (TrcGraph) graph = streams (sizes[s], sizes[s] / 2);
        TrcFlow *flow = trc_flow_new (graph, NULL);
        g_autofree guint32 *set = g_new (guint32, n), *cluster = g_new (guint32, n);
        g_autofree guint32 *again = g_new (guint32, n);
        TrcSpectral space;
        if (rule == TRC_COARSEN_ARCHITECTURE || rule == TRC_COARSEN_DIRECTED)
          {
            trc_flow_free (flow); /* visits die out along a chain: not what this graph tells */
            continue;
          }
        for (guint i = 0; i < n; i++)
          set[i] = i;
        trc_spectral_init (&space, flow);
        g_assert_true (trc_spectral_cluster (&space, rule, set, n, 2, 1, cluster));
        g_assert_true (trc_spectral_cluster (&space, rule, set, n, 2, 1, again));
        g_assert_cmpmem (cluster, n * 4, again, n * 4);
        for (guint i = 0; i < n; i++)
          {
            right += cluster[i] == cluster[n / 2 + i % 2];
            g_assert_cmpuint (space.local[i], ==, G_MAXUINT32); /* scratch left clean */
            g_assert_cmpfloat (space.wide[i], ==, 0);
          }
        g_assert_cmpuint (cluster[n / 2], !=, cluster[n / 2 + 1]);
        g_assert_cmpuint (right, >, n * 9 / 10);
        trc_spectral_clear (&space);
        trc_flow_free (flow);
      }
}

/* No links: nothing to tell. */
static void
test_nothing (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  TrcNode node = TRC_NODE_INIT;
  guint32 set[8] = { 0, 1, 2, 3, 4, 5, 6, 7 }, cluster[8];
  TrcSpectral space;

  for (guint i = 0; i < 8; i++)
    {
      node.index = i;
      trc_graph_builder_add_node (b, &node);
    }
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, NULL);
  TrcFlow *flow = trc_flow_new (graph, NULL);
  trc_spectral_init (&space, flow);
  for (guint rule = 0; rule < TRC_N_COARSEN_RULES; rule++)
    if (rule != TRC_COARSEN_ARCHITECTURE)
      g_assert_false (trc_spectral_cluster (&space, rule, set, 8, 2, 1, cluster));
  trc_spectral_clear (&space);
  trc_flow_free (flow);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/k-means", test_k_means);
  g_test_add_func ("/spectral/cluster", test_cluster);
  g_test_add_func ("/spectral/nothing", test_nothing);
  return g_test_run ();
}
