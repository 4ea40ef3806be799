#include "compute/error.h"
#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define NODE(id)                                                                               \
  "{\"node_id\":\"" id "\",\"layer\":\"0\",\"ctx_idx\":0,\"feature\":1,"                       \
  "\"feature_type\":\"cross layer transcoder\",\"jsNodeId\":\"j\",\"clerp\":\"\"}"
#define LINK(s, t, w) "{\"source\":\"" s "\",\"target\":\"" t "\",\"weight\":" w "}"
#define GRAPH(nodes, links) "{\"nodes\":[" nodes "],\"links\":[" links "]}"

static TrcGraph *
read_bytes (const char *text, gsize len, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, len);

  return trc_graph_read_bytes (bytes, "some.json", NULL, error);
}

/* A failure is one sentence that names the file. */
static void
assert_sentence (const GError *error, const char *name)
{
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_null (strchr (error->message, '\n'));
  g_assert_true (g_str_has_suffix (error->message, "."));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

/* Texts that are no graph, and a word that the sentence has to have. */
static const char *const wrong[][2] = {
  { "", "empty" },
  { "   \n ", "cut off" },
  { "[]", "list" },
  { "3", "number" },
  { "\"graph\"", "text" },
  { "{}", "no \"nodes\"" },
  { "{\"model\": 1, \"weights\": [1, 2]}", "no \"nodes\"" },
  { "{\"nodes\": []}", "no \"links\"" },
  { "{\"links\": []}", "no \"nodes\"" },
  { "{\"nodes\": 3, \"links\": []}", "\"nodes\" is a number" },
  { "{\"nodes\": [3], \"links\": []}", "node 0 is a number" },
  { "{\"nodes\": [[]], \"links\": []}", "node 0 is a list" },
  { "{\"nodes\": [{}], \"links\": []}", "no \"node_id\"" },
  { "{\"nodes\": [{\"node_id\": {}}], \"links\": []}", "\"node_id\" of node 0 is an object" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"layer\": []}], \"links\": []}",
    "\"layer\" of node 0" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"layer\": 1e9}], \"links\": []}", "no layer" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"ctx_idx\": \"x\"}], \"links\": []}", "\"ctx_idx\"" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"ctx_idx\": -5}], \"links\": []}", "no position" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"ctx_idx\": 4000000000}], \"links\": []}",
    "no position" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"feature\": 1.5}], \"links\": []}",
    "no feature number" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"feature\": 99999999999999999999}], \"links\": []}",
    "no feature number" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"feature\": true}], \"links\": []}", "true or false" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"clerp\": 4}], \"links\": []}", "\"clerp\"" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"influence\": \"much\"}], \"links\": []}",
    "\"influence\"" },
  { "{\"nodes\": [{\"node_id\": \"a\", \"is_target_logit\": 1}], \"links\": []}",
    "true or false" },
  { GRAPH (NODE ("a"), "7"), "link 0 is a number" },
  { GRAPH (NODE ("a"), "{}"), "no \"source\"" },
  { GRAPH (NODE ("a"), "{\"source\":\"a\"}"), "no \"target\"" },
  { GRAPH (NODE ("a"), "{\"source\":\"a\",\"target\":\"a\"}"), "no \"weight\"" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "null")), "\"weight\" of link 0 is null" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "\"heavy\"")), "\"weight\" of link 0 is a text" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "[1]")), "\"weight\" of link 0 is a list" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "1e999")), "too large" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "-1e400")), "too large" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "NaN")), "NaN" },
  { GRAPH (NODE ("a"), LINK ("a", "a", "-Infinity")), "Infinity" },
  { GRAPH (NODE ("a"), LINK ("a", "b", "1")), "\"b\"" },
  { GRAPH (NODE ("a"), LINK ("c", "a", "1")), "\"c\"" },
  { GRAPH (NODE ("a"), "{\"source\":{},\"target\":\"a\",\"weight\":1}"),
    "\"source\" of link 0" },
  { GRAPH (NODE ("a"), "") "x", "not valid JSON" },
  { GRAPH (NODE ("a"), "") "{}", "not valid JSON" },
  { "{\"nodes\": [], \"links\": [], \"prompt\": \"\xff\xfe\"}", "not valid JSON" },
  { "{nodes: []}", "not valid JSON" },
  { "PK\x03\x04 zip", "not valid JSON" },
  { "<html><body>404</body></html>", "not valid JSON" },
  { "{\"cfg\":{},\"nodes\":{\"x9\":{}},\"edges\":{}}", "x9" },
  { "{\"cfg\":{},\"nodes\":{\"a0.h\":{}},\"edges\":{}}", "a0.h" },
  { "{\"cfg\":{},\"nodes\":{\"input\":[]},\"edges\":{}}", "list" },
  { "{\"cfg\":{},\"nodes\":{\"input\":{}},\"edges\":{\"input\":{\"score\":1}}}", "->" },
  { "{\"cfg\":{},\"nodes\":{\"input\":{}},\"edges\":{\"input->m0\":{\"score\":1}}}", "m0" },
  { "{\"cfg\":{},\"nodes\":{\"input\":{}},\"edges\":{\"input->a0.h0<z>\":{\"score\":1}}}",
    "<q>" },
  { "{\"cfg\":{},\"nodes\":{\"input\":{},\"m0\":{}},\"edges\":{\"input->m0\":{}}}", "weight" },
  { "{\"cfg\":{},\"nodes\":{\"input\":{},\"m0\":{}},\"edges\":{\"input->m0\":3}}",
    "no object" },
  { "{\"cfg\":{},\"nodes\":{\"a\\nb\\u0001\":{}},\"edges\":{}}", "a b " },
  { GRAPH (NODE ("a"), LINK ("a", "\\u00fc\\n\\u00fc", "1")), "\303\274 \303\274" },
};

static void
test_wrong (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (read_bytes (wrong[i][0], strlen (wrong[i][0]), &error));
      g_test_message ("%s", error->message);
      assert_sentence (error, "some.json");
      if (strstr (error->message, wrong[i][1]) == NULL)
        g_error ("%s: no %s", error->message, wrong[i][1]);
    }
}

static void
test_deep (void)
{
  g_autoptr (GString) text = g_string_new ("{\"nodes\":[],\"links\":[],\"metadata\":{\"a\":");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (text, '[');
  g_assert_null (read_bytes (text->str, text->len, &error));
  assert_sentence (error, "some.json");
  g_assert_nonnull (strstr (error->message, "nested"));
}

static char *
real_file (gsize *len)
{
  g_autofree char *path = trc_test_shared ("graphs/gemma2-clt-meow-tiny.json");
  char *text = NULL;

  if (path != NULL)
    g_assert_true (g_file_get_contents (path, &text, len, NULL));
  return text;
}

static void
test_truncated (void)
{
  gsize len;
  g_autofree char *text = real_file (&len);

  for (gsize i = 0; text != NULL && i < 50; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (read_bytes (text, len * i / 50, &error));
      assert_sentence (error, "some.json");
      g_assert_nonnull (strstr (error->message, i == 0 ? "empty" : "cut off"));
    }
}

/* Damage at any byte gives a graph or a sentence. */
static void
test_damaged (void)
{
  gsize len;
  g_autofree char *text = real_file (&len);
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint round = 0; text != NULL && round < 400; round++)
    {
      g_autoptr (GError) error = NULL;
      gsize at = (gsize)g_rand_int_range (rand, 0, (gint32)len);
      char old = text[at];

      text[at] = (char)g_rand_int_range (rand, 0, 256);
      g_autoptr (TrcGraph) graph = read_bytes (text, len, &error);
      g_assert_true ((graph != NULL) != (error != NULL));
      if (error != NULL)
        assert_sentence (error, "some.json");
      text[at] = old;
    }
}

static void
test_places (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.json", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (trc_graph_read (folder, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  assert_sentence (error, folder);
  g_clear_error (&error);
  g_assert_null (trc_graph_read (path, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  assert_sentence (error, path);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "{}", -1, NULL));
  if (g_chmod (path, 0) == 0 && access (path, R_OK) != 0) /* root may read anything */
    {
      g_assert_null (trc_graph_read (path, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
      assert_sentence (error, path);
    }
  trc_test_remove_tree (folder);
}

/* The line that a person has to look at. */
static void
test_line (void)
{
  static const char text[] = "{\n\"nodes\": [],\n\"links\": [\n{\"source\": 1,\n"
                             "\"target\": \"a\", \"weight\": true}]}";
  g_autoptr (GError) error = NULL;

  g_assert_null (read_bytes (text, strlen (text), &error));
  g_assert_nonnull (strstr (error->message, "line 5"));
}

static char *
compress (const char *text, gsize len, gsize *packed_len)
{
  g_autoptr (GZlibCompressor) gzip = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 6);
  g_autoptr (GInputStream) memory =
      g_memory_input_stream_new_from_data (text, (gssize)len, NULL);
  g_autoptr (GInputStream) stream = g_converter_input_stream_new (memory, G_CONVERTER (gzip));
  char *packed = g_malloc (len + 1000);

  g_assert_true (g_input_stream_read_all (stream, packed, len + 1000, packed_len, NULL, NULL));
  return packed;
}

static void
test_gzip (void)
{
  gsize len, packed_len;
  g_autofree char *text = real_file (&len);
  g_autoptr (GError) error = NULL;

  if (text == NULL)
    return;
  g_autofree char *packed = compress (text, len, &packed_len);
  g_autoptr (TrcGraph) graph = read_bytes (packed, packed_len, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 374);
  g_assert_null (read_bytes (packed, packed_len / 2, &error));
  assert_sentence (error, "some.json");
}

static void
on_report (double fraction, const char *text, gpointer data)
{
  guint *reports = data;

  g_assert_cmpfloat (fraction, <=, 1);
  (*reports)++;
}

static void
test_progress (void)
{
  g_autofree char *path = trc_test_shared ("graphs/gemma2-plt-dollar-duplicate-id.json");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint reports = 0;
  TrcProgress progress = { cancellable, on_report, &reports };
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, &progress, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (reports, >=, 10);
  g_cancellable_cancel (cancellable);
  g_assert_null (trc_graph_read (path, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Links first, members missing, ids as numbers, layers as numbers, null features. */
static void
test_dialects (void)
{
  static const char text[] =
      "{\"links\":[{\"weight\":2,\"target\":7,\"source\":\"input_0\"}],"
      "\"nodes\":[{\"node_id\":7,\"layer\":3,\"feature\":null,\"ctx_idx\":\"4\","
      "\"feature_type\":\"lorsa error\"},"
      "{\"node_id\":\"input_0\",\"feature_type\":\"embedding\",\"layer\":\"E\"},"
      "{\"node_id\":\"3_cro_20_1\",\"layer\":3,\"feature\":296,\"ctx_idx\":1,"
      "\"feature_type\":\"lorsa\"},"
      "{\"node_id\":\"output_9_0\",\"layer\":\"-1\",\"feature\":17,\"ctx_idx\":9,"
      "\"feature_type\":\"logit\",\"clerp\":\"output: \\\"(p=2\\\" (p=0.5)\"},"
      "{\"node_id\":\"q\"}],\"metadata\":{\"schema_version\":1}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = read_bytes (text, strlen (text), &error);

  g_assert_no_error (error);
  const TrcNode *nodes = trc_graph_nodes (graph);
  g_assert_cmpint (nodes[0].kind, ==, TRC_NODE_ERROR);
  g_assert_cmpint (nodes[0].layer, ==, 3);
  g_assert_cmpint (nodes[0].position, ==, 4);
  g_assert_cmpint (nodes[1].kind, ==, TRC_NODE_EMBEDDING);
  g_assert_cmpint (nodes[1].layer, ==, -1);
  g_assert_cmpint (nodes[2].kind, ==, TRC_NODE_FEATURE);
  g_assert_cmpint (nodes[2].index, ==, 20); /* unpaired: the id has another form */
  g_assert_cmpint (nodes[3].kind, ==, TRC_NODE_LOGIT);
  g_assert_cmpint (nodes[3].layer, ==, 4);
  g_assert_cmpfloat (nodes[3].token_prob, ==, 0.5);
  g_assert_cmpint (nodes[4].kind, ==, TRC_NODE_OTHER);
  g_assert_cmpint (nodes[4].layer, ==, -1);
  g_assert_cmpint (trc_graph_n_layers (graph), ==, 4);
  gsize n;
  const TrcEdge *in = trc_graph_in_edges (graph, 0, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (in[0].source, ==, 1);
  g_assert_cmpuint (g_strv_length ((char **)trc_graph_warnings (graph)), ==, 2);
}

/* Smaller dialects: other names for the same members, and the prompt beside the nodes. */
static void
test_other_names (void)
{
  static const char neurons[] =
      "{\"metadata\":{\"num_nodes\":2},\"nodes\":[{\"id\":\"3_1_77\",\"layer\":3,"
      "\"position\":1,\"neuron_idx\":77,\"label\":\"dogs\",\"attribution\":0.5,"
      "\"activations\":[1,2]},{\"id\":\"5_1_9\",\"layer\":5,\"position\":1,"
      "\"neuron_idx\":9}],\"edges\":[{\"source\":\"3_1_77\",\"target\":\"5_1_9\","
      "\"weight\":2,\"order\":\"FO\"}],\"token_strings\":[\"a\",\"b\"]}";
  static const char features[] =
      "{\"prompt\":\"a b\",\"nodes\":[{\"node_id\":\"feat_L0_P1_F1903\",\"layer\":0,"
      "\"feature_idx\":1903,\"position\":1,\"activation\":4,\"node_type\":\"feature\"}],"
      "\"edges\":[]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) a = read_bytes (neurons, strlen (neurons), &error);
  g_assert_no_error (error);
  g_autoptr (TrcGraph) b = read_bytes (features, strlen (features), &error);
  g_assert_no_error (error);

  const TrcNode *neuron = trc_graph_node (a, 0), *feature = trc_graph_node (b, 0);
  g_assert_cmpint (neuron->kind, ==, TRC_NODE_NEURON);
  g_assert_cmpint (neuron->index, ==, 77);
  g_assert_cmpint (neuron->position, ==, 1);
  g_assert_cmpstr (neuron->label, ==, "dogs");
  g_assert_cmpfloat (neuron->score, ==, 0.5);
  g_assert_cmpuint (trc_graph_n_edges (a), ==, 1);
  g_assert_cmpstr (trc_graph_token (a, 1), ==, "b");
  g_assert_cmpint (feature->kind, ==, TRC_NODE_FEATURE);
  g_assert_cmpint (feature->index, ==, 1903);
  g_assert_cmpstr (trc_graph_prompt (b), ==, "a b");

  /* Written in the common form, with what it had kept. */
  g_autofree char *text = g_string_free (trc_graph_to_json (a), FALSE);
  g_assert_nonnull (strstr (text, "\"activations\":[1,2]"));
  g_assert_nonnull (strstr (text, "\"order\":\"FO\""));
  g_autoptr (TrcGraph) again = read_bytes (text, strlen (text), &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_graph_node (again, 0)->kind, ==, TRC_NODE_NEURON);
  g_assert_cmpint (trc_graph_node (again, 0)->index, ==, 77);
}

static void
test_eap (void)
{
  g_autofree char *path = trc_test_shared ("graphs/gpt2-eapig-ioi.json");
  g_autoptr (GError) error = NULL;
  guint marked_nodes = 0, marked_edges = 0, readers[4] = { 0 };

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_graph_dialect (graph), ==, TRC_GRAPH_EAP_IG);
  g_assert_cmpuint (trc_graph_n_nodes (graph), ==, 158);
  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 32491);
  g_assert_cmpfloat (trc_graph_number (graph, "d_model"), ==, 768);
  for (guint32 i = 0; i < 158; i++)
    marked_nodes += (trc_graph_node (graph, i)->flags & TRC_NODE_IN_CIRCUIT) != 0;
  for (guint64 e = 0; e < 32491; e++)
    {
      marked_edges += (trc_graph_edges (graph)[e].flags & TRC_EDGE_IN_CIRCUIT) != 0;
      readers[trc_graph_edges (graph)[e].reader]++;
    }
  g_assert_cmpuint (marked_nodes, ==, 81);
  g_assert_cmpuint (marked_edges, ==, 756);
  g_assert_cmpuint (readers[TRC_READER_Q], ==, readers[TRC_READER_V]);
  g_assert_cmpuint (readers[TRC_READER_ANY], >, 0);
  const TrcNode *head = trc_graph_node (graph, (guint32)trc_graph_find (graph, "a9.h6"));
  g_assert_cmpint (head->kind, ==, TRC_NODE_HEAD);
  g_assert_cmpint (head->layer, ==, 9);
  g_assert_cmpint (head->index, ==, 6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph-read/wrong", test_wrong);
  g_test_add_func ("/graph-read/deep", test_deep);
  g_test_add_func ("/graph-read/truncated", test_truncated);
  g_test_add_func ("/graph-read/damaged", test_damaged);
  g_test_add_func ("/graph-read/places", test_places);
  g_test_add_func ("/graph-read/line", test_line);
  g_test_add_func ("/graph-read/gzip", test_gzip);
  g_test_add_func ("/graph-read/progress", test_progress);
  g_test_add_func ("/graph-read/dialects", test_dialects);
  g_test_add_func ("/graph-read/other-names", test_other_names);
  g_test_add_func ("/graph-read/eap-ig", test_eap);
  return g_test_run ();
}
