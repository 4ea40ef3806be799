#include "compute/error.h"
#include "compute/graph.h"
#include "compute/graph_make.h"

#include <string.h>

static guint32
add (TrcGraphBuilder *builder, TrcNodeKind kind, gint32 layer, gint32 position, gint64 index)
{
  TrcNode node = TRC_NODE_INIT;

  node.kind = kind;
  node.layer = layer;
  node.position = position;
  node.index = index;
  return trc_graph_builder_add_node (builder, &node);
}

static TrcGraph *
small_graph (void)
{
  static const char *const tokens[] = { "a", " b" };
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;

  trc_graph_builder_set_prompt (b, "a b", tokens, 2);
  trc_graph_builder_set_text (b, "slug", "small");
  trc_graph_builder_set_text (b, "tracery.estimator", "relp");
  trc_graph_builder_set_number (b, "tracery.pearson", 0.5);
  trc_graph_builder_set_number (b, "tracery.spearman", NAN);
  add (b, TRC_NODE_EMBEDDING, -1, 0, 5);
  add (b, TRC_NODE_HEAD, 0, 1, 3);
  add (b, TRC_NODE_NEURON, 1, 1, 7);
  add (b, TRC_NODE_LOGIT, -1, 1, 9);
  trc_graph_builder_add_edge (b, 2, 3, 4);
  trc_graph_builder_add_edge (b, 0, 1, 1);
  trc_graph_builder_add_edge (b, 1, 3, 3);
  trc_graph_builder_add_edge (b, 1, 2, 2);
  trc_graph_builder_add_edge (b, 0, 3, 5);
  TrcGraph *graph = trc_graph_builder_finish (b, &error);
  g_assert_no_error (error);
  return graph;
}

static void
test_links (void)
{
  g_autoptr (TrcGraph) graph = small_graph ();
  gsize n;

  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 5);
  const TrcEdge *in = trc_graph_in_edges (graph, 3, &n);
  g_assert_cmpuint (n, ==, 3); /* in the order of adding */
  g_assert_cmpfloat (in[0].weight, ==, 4);
  g_assert_cmpfloat (in[1].weight, ==, 3);
  g_assert_cmpfloat (in[2].weight, ==, 5);
  trc_graph_in_edges (graph, 0, &n);
  g_assert_cmpuint (n, ==, 0);
  const TrcOutEdge *out = trc_graph_out_edges (graph, 0, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (out[0].target, ==, 1);
  g_assert_cmpuint (out[1].target, ==, 3);
  g_assert_cmpfloat (trc_graph_out_edge (graph, &out[1])->weight, ==, 5);
  trc_graph_out_edges (graph, 3, &n);
  g_assert_cmpuint (n, ==, 0);
}

/* Every link is found from both of its ends. */
static void
test_out_index (void)
{
  TrcGraphMakeParams params = { .n_nodes = 300, .n_edges = 4000, .seed = 5 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_make (&params, &error);
  guint64 seen = 0;

  g_assert_no_error (error);
  for (guint32 s = 0; s < trc_graph_n_nodes (graph); s++)
    {
      gsize n;
      const TrcOutEdge *out = trc_graph_out_edges (graph, s, &n);

      for (gsize k = 0; k < n; k++)
        {
          g_assert_cmpuint (trc_graph_out_edge (graph, &out[k])->source, ==, s);
          g_assert_true (k == 0 || out[k - 1].target <= out[k].target);
        }
      seen += n;
    }
  g_assert_cmpuint (seen, ==, trc_graph_n_edges (graph));
}

static void
test_metadata (void)
{
  g_autoptr (TrcGraph) graph = small_graph ();
  g_autofree char *json = trc_graph_metadata_json (graph);

  g_assert_cmpstr (trc_graph_text (graph, "slug"), ==, "small");
  g_assert_cmpstr (trc_graph_text (graph, "tracery.estimator"), ==, "relp");
  g_assert_null (trc_graph_text (graph, "tracery.pearson"));
  g_assert_null (trc_graph_text (graph, "none.such"));
  g_assert_cmpfloat (trc_graph_number (graph, "tracery.pearson"), ==, 0.5);
  g_assert_true (isnan (trc_graph_number (graph, "tracery.spearman")));
  g_assert_true (isnan (trc_graph_number (graph, "slug")));
  g_assert_cmpstr (trc_graph_prompt (graph), ==, "a b");
  g_assert_cmpstr (trc_graph_token (graph, 1), ==, " b");
  g_assert_null (trc_graph_token (graph, 2));
  g_assert_null (trc_graph_token (graph, -1));
  g_assert_cmpint (trc_graph_n_positions (graph), ==, 2);
  g_assert_cmpint (trc_graph_n_layers (graph), ==, 2);
  g_assert_nonnull (strstr (json, "schema_version"));
}

static void
test_names (void)
{
  g_autoptr (TrcGraph) graph = small_graph ();
  g_autofree char *head = trc_graph_dup_label (graph, 1);
  g_autofree char *token = trc_graph_dup_label (graph, 0);

  g_assert_cmpstr (trc_graph_node (graph, 0)->id, ==, "E_5_0");
  g_assert_cmpstr (trc_graph_node (graph, 1)->id, ==, "0_h3_1");
  g_assert_cmpstr (trc_graph_node (graph, 2)->id, ==, "1_n7_1");
  g_assert_cmpstr (trc_graph_node (graph, 3)->id, ==, "3_9_1");
  g_assert_cmpint (trc_graph_node (graph, 3)->layer, ==, 2);
  g_assert_cmpint (trc_graph_find (graph, "1_n7_1"), ==, 2);
  g_assert_cmpint (trc_graph_find (graph, "L_9-1"), ==, 3); /* by jsNodeId */
  g_assert_cmpint (trc_graph_find (graph, "nobody"), ==, -1);
  g_assert_cmpstr (head, ==, "L0 H3");
  g_assert_cmpstr (token, ==, "a");
}

static void
test_refused (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;

  add (b, TRC_NODE_FEATURE, 0, 0, 1);
  trc_graph_builder_add_edge (b, 0, 1, 1);
  g_assert_null (trc_graph_builder_finish (b, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
  g_clear_error (&error);

  b = trc_graph_builder_new ();
  add (b, TRC_NODE_FEATURE, 0, 0, 1);
  trc_graph_builder_add_edge (b, 0, 0, NAN);
  g_assert_null (trc_graph_builder_finish (b, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC);
}

static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (trc_graph_builder_new (), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (graph), ==, 0);
  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 0);
  g_assert_cmpint (trc_graph_n_layers (graph), ==, 0);
  g_assert_false (trc_graph_has_cumulative_influence (graph));
  g_assert_null (trc_graph_warnings (graph)[0]);
}

/* Shares of a falling list of scores, and the scores themselves. */
static void
test_cumulative (void)
{
  TrcGraphBuilder *shares = trc_graph_builder_new ();
  TrcGraphBuilder *scores = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  double reached = 0, left = 1;

  for (guint i = 0; i < 50; i++)
    {
      double score = left * 0.1;

      left -= score;
      reached += score;
      trc_graph_builder_node (shares, add (shares, TRC_NODE_FEATURE, 0, 0, i))->influence =
          reached;
      trc_graph_builder_node (scores, add (scores, TRC_NODE_FEATURE, 0, 0, i))->influence =
          score;
    }
  g_autoptr (TrcGraph) a = trc_graph_builder_finish (shares, &error);
  g_autoptr (TrcGraph) b = trc_graph_builder_finish (scores, &error);
  g_assert_true (trc_graph_has_cumulative_influence (a));
  g_assert_false (trc_graph_has_cumulative_influence (b));
}

/* A few nodes out of many: three that matter, and a token that does not. */
static void
test_cumulative_few (void)
{
  static const double shares[] = { 0.31, 0.42, 0.44, 0.999 };
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    trc_graph_builder_node (b, add (b, TRC_NODE_FEATURE, 0, 0, i))->influence = shares[i];
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, &error);
  g_assert_true (trc_graph_has_cumulative_influence (graph));
}

/* Threads may ask for the out index at the same time. */
static gpointer
ask_out (gpointer data)
{
  gsize n;

  return (gpointer)trc_graph_out_edges (data, 0, &n);
}

static void
test_threads (void)
{
  TrcGraphMakeParams params = { .n_nodes = 2000, .n_edges = 50000, .seed = 5 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_make (&params, &error);
  GThread *threads[4];
  gpointer first = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("out", ask_out, graph);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      gpointer out = g_thread_join (threads[i]);
      g_assert_nonnull (out);
      g_assert_true (first == NULL || first == out);
      first = out;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/links", test_links);
  g_test_add_func ("/graph/out-index", test_out_index);
  g_test_add_func ("/graph/metadata", test_metadata);
  g_test_add_func ("/graph/names", test_names);
  g_test_add_func ("/graph/refused", test_refused);
  g_test_add_func ("/graph/empty", test_empty);
  g_test_add_func ("/graph/cumulative", test_cumulative);
  g_test_add_func ("/graph/cumulative-few", test_cumulative_few);
  g_test_add_func ("/graph/threads", test_threads);
  return g_test_run ();
}
