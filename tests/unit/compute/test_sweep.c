/* Rows of the frozen rules, both head forms, against the dense float64 definition; tiles, groups
 * of targets and rest nodes change nothing; each weight is read once a sweep. */
#include "tests/support/attribution_fixture.h"

#include <math.h>

static void
check (const TrcOracleConfig *config, TrcEstimator estimator, TrcOracleRule rule,
       gboolean transparent, gboolean contrast)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, config, 11);
  TrcTraceParams p = trc_fixture_params (&f, estimator, contrast);
  p.heads = transparent ? TRC_HEADS_TRANSPARENT : TRC_HEADS_NODES;
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  double worst = trc_fixture_check_rows (&f, graph, rule, transparent, 1e-4);
  g_test_message ("worst %.2g of the row's largest, linear check %.2g", worst,
                  report.linear_check);
  if (transparent && contrast)
    g_assert_true (isnan (report.linear_check));
  else
    g_assert_cmpfloat (report.linear_check, <, 1e-5);
}

static void
test_nodes (void)
{
  for (int contrast = 0; contrast < 2; contrast++)
    {
      check (&trc_fixture_full, TRC_ESTIMATOR_RELP, TRC_ORACLE_RELP, FALSE, contrast);
      check (&trc_fixture_full, TRC_ESTIMATOR_GRAD_ACT, TRC_ORACLE_GRAD, FALSE, contrast);
      check (&trc_fixture_bare, TRC_ESTIMATOR_RELP, TRC_ORACLE_RELP, FALSE, contrast);
    }
}

static void
test_transparent (void)
{
  for (int contrast = 0; contrast < 2; contrast++)
    {
      check (&trc_fixture_full, TRC_ESTIMATOR_GRAD_ACT, TRC_ORACLE_GRAD, TRUE, contrast);
      check (&trc_fixture_bare, TRC_ESTIMATOR_RELP, TRC_ORACLE_RELP, TRUE, contrast);
    }
}

/* The same links whatever the memory budget; a smaller one takes more sweeps. */
static void
test_budget (void)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport wide, tight;

  trc_fixture_open (&f, &trc_fixture_full, 12);
  for (int form = 0; form < 2; form++)
    {
      TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
      p.heads = form == 0 ? TRC_HEADS_NODES : TRC_HEADS_TRANSPARENT;
      g_autoptr (TrcGraph) one = trc_fixture_trace (&f, &p, &wide);
      p.memory_budget = 4096;
      g_autoptr (TrcGraph) many = trc_fixture_trace (&f, &p, &tight);

      g_assert_cmpuint (wide.sweeps, ==, 1);
      g_assert_cmpuint (tight.sweeps, >, 3);
      g_assert_cmpuint (trc_graph_n_edges (one), ==, trc_graph_n_edges (many));
      for (guint64 e = 0; e < trc_graph_n_edges (one); e++)
        {
          const TrcEdge *a = &trc_graph_edges (one)[e], *b = &trc_graph_edges (many)[e];
          g_assert_cmpuint (a->source, ==, b->source);
          g_assert_cmpfloat_with_epsilon (a->weight, b->weight, 1e-6 * (1 + fabs (a->weight)));
        }
    }
}

/* up, down, output and values of each layer, and the unembedding: once, however many targets. */
static void
test_reads_once (void)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, &trc_fixture_full, 13);
  for (int form = 0; form < 2; form++)
    for (guint n = 10; n <= 40; n += 30)
      {
        TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
        p.heads = form == 0 ? TRC_HEADS_NODES : TRC_HEADS_TRANSPARENT;
        p.n_targets = n;
        g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
        g_assert_cmpuint (report.sweeps, ==, 1);
        g_assert_cmpuint (report.weight_reads, ==, 4 * f.config.n_layers + 1);
      }
}

/* Sources that are no nodes: their links into a target are the rest node's link. */
static void
test_rest (void)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;
  double metric[16] = { 0, 1, -1 };

  trc_fixture_open (&f, &trc_fixture_full, 14);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  p.n_targets = 12;
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  trc_fixture_check_rows (&f, graph, TRC_ORACLE_RELP, FALSE, 1e-4);
  g_assert_cmpfloat (report.linear_check, <, 3e-6);

  guint32 logit = trc_graph_n_nodes (graph) - 1;
  gsize n, n_rest = 0;
  const TrcEdge *in = trc_graph_in_edges (graph, logit, &n);
  for (gsize i = 0; i < n; i++)
    {
      const TrcNode *node = trc_graph_node (graph, in[i].source);
      double sum = 0;
      if (node->kind != TRC_NODE_ERROR)
        continue;
      for (guint h = 0; h < f.config.n_heads + f.config.d_mlp; h++)
        {
          gboolean head = h < f.config.n_heads, is_node = FALSE;
          TrcOracleNode s = { head ? TRC_ORACLE_HEAD : TRC_ORACLE_NEURON, node->layer,
                              head ? h : h - f.config.n_heads, node->position };
          for (guint32 k = 0; k < trc_graph_n_nodes (graph) && !is_node; k++)
            {
              const TrcNode *other = trc_graph_node (graph, k);
              is_node = other->kind == (head ? TRC_NODE_HEAD : TRC_NODE_NEURON)
                        && other->layer == (gint32)s.layer && other->index == s.index
                        && other->position == (gint32)s.position;
            }
          if (!is_node)
            sum += trc_oracle_link (f.oracle, TRC_ORACLE_RELP, FALSE,
                                    (TrcOracleNode){ TRC_ORACLE_LOGIT, 0, 0, 4 }, metric, s);
        }
      g_assert_cmpfloat_with_epsilon (in[i].weight, sum, 1e-4);
      n_rest++;
    }
  g_assert_cmpuint (n_rest, ==, f.config.n_layers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/sweep/nodes", test_nodes);
  g_test_add_func ("/attribution/sweep/transparent", test_transparent);
  g_test_add_func ("/attribution/sweep/budget", test_budget);
  g_test_add_func ("/attribution/sweep/reads-once", test_reads_once);
  g_test_add_func ("/attribution/sweep/rest", test_rest);
  return g_test_run ();
}
