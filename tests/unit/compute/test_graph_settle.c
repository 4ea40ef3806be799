/* Which node a link means, when an id is used twice, and what is told about it. */
#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <string.h>

#define FEATURE(id, layer, pos)                                                                \
  "{\"node_id\":\"" id "\",\"layer\":\"" layer "\",\"ctx_idx\":" pos                           \
  ",\"feature_type\":\"cross layer transcoder\"}"
#define ERROR(id, layer, pos)                                                                  \
  "{\"node_id\":\"" id "\",\"layer\":\"" layer "\",\"ctx_idx\":" pos                           \
  ",\"feature_type\":\"mlp reconstruction error\"}"
#define LINK(s, t, w) "{\"source\":\"" s "\",\"target\":\"" t "\",\"weight\":" w "}"

static TrcGraph *
read_text (const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (GError) error = NULL;
  TrcGraph *graph = trc_graph_read_bytes (bytes, "text", NULL, &error);

  g_assert_no_error (error);
  return graph;
}

static gboolean
says (const TrcGraph *graph, const char *part)
{
  for (const char *const *w = trc_graph_warnings (graph); *w != NULL; w++)
    if (strstr (*w, part) != NULL)
      return TRUE;
  return FALSE;
}

static void
test_shared_id (void)
{
  /* Nodes: 0 feature "0_2_1" of layer 0, 1 feature of layer 1, 2 feature of layer 5,
   * 3 error "0_2_1" of layer 2, 4 feature of layer 4. */
  g_autoptr (TrcGraph) graph = read_text (
      "{\"nodes\":[" FEATURE ("0_2_1", "0", "1") "," FEATURE ("1_7_1", "1", "1") "," FEATURE (
          "5_1_1", "5",
          "1") "," ERROR ("0_2_1", "2",
                          "1") "," FEATURE ("4_1_1", "4",
                                            "1") "],\"links\":[" LINK ("0_2_1", "1_7_1",
                                                                       "1") "," /* lower layer: the feature */
      LINK ("0_2_1", "5_1_1", "2") "," LINK ("1_7_1", "5_1_1", "3") "," LINK (
          "0_2_1", "5_1_1", "4") "," /* before and after node 1 */
      LINK ("1_7_1", "4_1_1", "5") "," LINK ("0_2_1", "4_1_1", "6") "," /* after node 1 */
      LINK ("1_7_1", "0_2_1", "7") "]}"); /* errors have no inputs */
  gsize n;

  g_assert_cmpuint (trc_graph_in_edges (graph, 1, &n)[0].source, ==, 0);
  const TrcEdge *in = trc_graph_in_edges (graph, 2, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (in[0].source, ==, 0);
  g_assert_cmpuint (in[2].source, ==, 3);
  g_assert_cmpuint (trc_graph_in_edges (graph, 4, &n)[1].source, ==, 3);
  g_assert_cmpfloat (trc_graph_in_edges (graph, 0, &n)[0].weight, ==, 7);
  trc_graph_in_edges (graph, 3, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (says (graph, "\"0_2_1\""));
}

/* The real case: with the ids told apart no link runs backwards, and none is double. */
static void
test_dollar (void)
{
  g_autofree char *path = trc_test_shared ("graphs/gemma2-plt-dollar-duplicate-id.json");
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (graph), ==, 829);
  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 40249);
  g_assert_true (says (graph, "\"0_2_1\""));
  g_assert_false (says (graph, "lower layer"));
  g_assert_false (says (graph, "same ends"));
  g_assert_cmpint (trc_graph_node (graph, 717)->kind, ==, TRC_NODE_ERROR);
  gsize n;
  trc_graph_out_edges (graph, 717, &n);
  g_assert_cmpuint (n, >=, 6);
}

static void
test_oddities (void)
{
  g_autoptr (TrcGraph) graph = read_text (
      "{\"nodes\":[" FEATURE ("a", "0", "1") "," FEATURE ("b", "1", "0") "],\"links\":[" LINK (
          "a", "a", "0") "," LINK ("b", "a", "1") "," LINK ("a", "b", "1") "," LINK ("a", "b",
                                                                                     "1") "]}");

  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 4);
  g_assert_true (says (graph, "1 of the links have weight 0."));
  g_assert_true (says (graph, "1 of the links run from a node to itself."));
  g_assert_true (says (graph, "3 of the links run to a lower layer or an earlier token."));
  g_assert_true (says (graph, "1 of the links have the same ends as the link before them."));
  g_assert_true (says (graph, "schema_version"));
}

static void
test_plain_influence (void)
{
  static const struct {
    const char *file;
    gboolean plain;
  } cases[] = {
    { "gemma2-clt-bee", FALSE },
    { "gemma2-clt-meow-tiny", FALSE },
    { "gemma2-plt-dallas-raw-influence", TRUE },
    { "gemma2-plt-dollar-duplicate-id", FALSE },
    { "gemma2-plt-ngsa", TRUE },
    { "gemma2-plt-small-big-annotated", FALSE },
    { "llama32-clt-dallas", FALSE },
    { "llama32-clt-puppy-dense", FALSE },
    { "llama32-clt-subset-zero-weights", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *rel = g_strdup_printf ("graphs/%s.json", cases[i].file);
      g_autofree char *path = trc_test_shared (rel);
      if (path == NULL)
        return;
      g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, NULL);
      g_assert_cmpint (trc_graph_has_cumulative_influence (graph), ==, !cases[i].plain);
      g_assert_cmpint (says (graph, "plain scores"), ==, cases[i].plain);
    }
}

/* Features' own numbers in the three ways of writing them. */
static void
test_feature_numbers (void)
{
  static const struct {
    const char *text;
    gint64 index;
  } cases[] = {
    { "{\"metadata\":{\"schema_version\":1},\"nodes\":[{\"node_id\":\"x\",\"layer\":\"0\","
      "\"feature\":124133645,\"feature_type\":\"cross layer transcoder\"}],\"links\":[]}",
      15755 },
    { "{\"links\":[],\"nodes\":[{\"node_id\":\"x\",\"layer\":\"0\",\"feature\":124133645,"
      "\"feature_type\":\"lorsa\"}],\"metadata\":{\"schema_version\":1}}",
      15755 },
    { "{\"nodes\":[{\"node_id\":\"x\",\"layer\":\"12\",\"feature\":1200345,"
      "\"feature_type\":\"cross layer transcoder\"}],\"links\":[]}",
      345 },
    { "{\"nodes\":[{\"node_id\":\"12_77_3\",\"layer\":\"12\",\"feature\":1200345,"
      "\"feature_type\":\"cross layer transcoder\"}],\"links\":[]}",
      77 },
    { "{\"nodes\":[{\"node_id\":\"x\",\"layer\":\"12\",\"feature\":13000000000,"
      "\"feature_type\":\"cross layer transcoder\"}],\"links\":[]}",
      G_GINT64_CONSTANT (13000000000) },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TrcGraph) graph = read_text (cases[i].text);
      g_assert_cmpint (trc_graph_node (graph, 0)->index, ==, cases[i].index);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph-settle/shared-id", test_shared_id);
  g_test_add_func ("/graph-settle/dollar", test_dollar);
  g_test_add_func ("/graph-settle/oddities", test_oddities);
  g_test_add_func ("/graph-settle/plain-influence", test_plain_influence);
  g_test_add_func ("/graph-settle/feature-numbers", test_feature_numbers);
  return g_test_run ();
}
