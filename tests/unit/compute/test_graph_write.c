/* Reading, writing and reading again loses nothing: the files are compared as
 * JSON, members in any order, links in any order, numbers as doubles. */
#include "compute/error.h"
#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

static const char *const files[] = {
  "gemma2-clt-bee",
  "gemma2-clt-meow-tiny",
  "gemma2-plt-dallas-raw-influence",
  "gemma2-plt-dollar-duplicate-id",
  "gemma2-plt-ngsa",
  "gemma2-plt-small-big-annotated",
  "gpt2-eapig-ioi",
  "haiku-clt-dallas-annotated",
  "llama32-clt-dallas",
  "llama32-clt-puppy-dense",
  "llama32-clt-subset-zero-weights",
};

static gboolean same_value (JsonNode *a, JsonNode *b);

static gboolean
is_text (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
same_object (JsonObject *a, JsonObject *b)
{
  JsonObjectIter iter;
  const char *name;
  JsonNode *value;

  if (json_object_get_size (a) != json_object_get_size (b))
    return FALSE;
  json_object_iter_init (&iter, a);
  while (json_object_iter_next (&iter, &name, &value))
    if (!json_object_has_member (b, name)
        || !same_value (value, json_object_get_member (b, name)))
      return FALSE;
  return TRUE;
}

static gboolean
same_value (JsonNode *a, JsonNode *b)
{
  if (json_node_get_node_type (a) != json_node_get_node_type (b))
    return FALSE;
  if (JSON_NODE_HOLDS_OBJECT (a))
    return same_object (json_node_get_object (a), json_node_get_object (b));
  if (JSON_NODE_HOLDS_ARRAY (a))
    {
      JsonArray *x = json_node_get_array (a), *y = json_node_get_array (b);
      guint n = json_array_get_length (x);

      if (n != json_array_get_length (y))
        return FALSE;
      for (guint i = 0; i < n; i++)
        if (!same_value (json_array_get_element (x, i), json_array_get_element (y, i)))
          return FALSE;
      return TRUE;
    }
  if (JSON_NODE_HOLDS_NULL (a))
    return TRUE;
  if (is_text (a) || is_text (b))
    return is_text (a) && is_text (b)
           && strcmp (json_node_get_string (a), json_node_get_string (b)) == 0;
  return json_node_get_double (a) == json_node_get_double (b)
         && json_node_get_boolean (a) == json_node_get_boolean (b);
}

/* A text that stands for an element, to put lists in one order. */
static int
compare_printed (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
sorted_links (JsonArray *links)
{
  GPtrArray *out = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < json_array_get_length (links); i++)
    {
      JsonObject *link = json_array_get_object_element (links, i);
      g_ptr_array_add (out, g_strdup_printf ("%s %s %.17g %u",
                                             json_object_get_string_member (link, "source"),
                                             json_object_get_string_member (link, "target"),
                                             json_object_get_double_member (link, "weight"),
                                             json_object_get_size (link)));
    }
  g_ptr_array_sort (out, compare_printed);
  return out;
}

static void
assert_same_links (JsonArray *a, JsonArray *b)
{
  g_autoptr (GPtrArray) x = sorted_links (a), y = sorted_links (b);

  g_assert_cmpuint (x->len, ==, y->len);
  for (guint i = 0; i < x->len; i++)
    g_assert_cmpstr (x->pdata[i], ==, y->pdata[i]);
}

static void
assert_same_document (JsonNode *a, JsonNode *b)
{
  JsonObject *x = json_node_get_object (a), *y = json_node_get_object (b);
  g_autoptr (GList) names = json_object_get_members (x);

  g_assert_cmpuint (json_object_get_size (x), ==, json_object_get_size (y));
  for (GList *l = names; l != NULL; l = l->next)
    {
      g_assert_true (json_object_has_member (y, l->data));
      if (strcmp (l->data, "links") == 0)
        assert_same_links (json_object_get_array_member (x, l->data),
                           json_object_get_array_member (y, l->data));
      else if (!same_value (json_object_get_member (x, l->data),
                            json_object_get_member (y, l->data)))
        g_error ("member \"%s\" has changed", (char *)l->data);
    }
}

static JsonNode *
parse (const char *text, gssize len)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, len, &error);
  g_assert_no_error (error);
  return json_parser_steal_root (parser);
}

static TrcGraph *
read_text (const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (GError) error = NULL;
  TrcGraph *graph = trc_graph_read_bytes (bytes, "text", NULL, &error);

  g_assert_no_error (error);
  return graph;
}

static void
test_round_trip (gconstpointer data)
{
  g_autofree char *rel = g_strdup_printf ("graphs/%s.json", (const char *)data);
  g_autofree char *path = trc_test_shared (rel);
  g_autofree char *original = NULL;
  g_autoptr (GError) error = NULL;
  gsize len;

  if (path == NULL)
    return;
  g_assert_true (g_file_get_contents (path, &original, &len, NULL));
  g_autoptr (JsonNode) before = parse (original, (gssize)len);
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *first = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (JsonNode) after = parse (first, -1);
  assert_same_document (before, after);

  /* The second time around not even the text changes. */
  g_autoptr (TrcGraph) again = read_text (first);
  g_autofree char *second = g_string_free (trc_graph_to_json (again), FALSE);
  g_assert_cmpstr (first, ==, second);

  /* And a builder that copies keeps everything too. */
  g_autoptr (TrcGraph) copy =
      trc_graph_builder_finish (trc_graph_builder_new_from (graph), &error);
  g_assert_no_error (error);
  g_autofree char *third = g_string_free (trc_graph_to_json (copy), FALSE);
  g_assert_cmpstr (first, ==, third);
}

/* Members that no writer that we know of has, in every place where one can be. */
static void
test_unknown_members (void)
{
  static const char text[] =
      "{\"links\": [{\"source\": \"E_7_0\", \"target\": \"0_5_0\", \"weight\": 0.1, "
      "\"why\": {\"a\": [1, 2e-3, null, \"\\u0007\\\"\"]}}, "
      "{\"source\": \"0_5_0\", \"target\": \"1_9_0\", \"weight\": -2}],"
      "\"qk_only_nodes\": {\"x\": []}, \"features\": [], \"count\": 12345678901234567,"
      "\"metadata\": {\"slug\": \"s\", \"scan\": \"m\", \"prompt\": \"p\","
      "\"prompt_tokens\": [\"p\"], \"own\": {\"deep\": [[[true]]]}, \"schema_version\": 1},"
      "\"qParams\": {\"gridsnap\": \"x y\", \"pinnedIds\": \"0_5_0,1_9_0\"},"
      "\"nodes\": ["
      "{\"node_id\": \"E_7_0\", \"feature\": 0, \"layer\": \"E\", \"ctx_idx\": 0,"
      " \"feature_type\": \"embedding\", \"jsNodeId\": \"E_7-0\", \"clerp\": \"\","
      " \"token\": \"p\"},"
      "{\"node_id\": \"0_5_0\", \"feature\": 20, \"layer\": \"0\", \"ctx_idx\": 0,"
      " \"feature_type\": \"cross layer transcoder\", \"jsNodeId\": \"0_5-0\","
      " \"clerp\": \"\\\\ \\\"q\\\" \\n\\u00fc\", \"qk_tracing_results\": {\"top\": [[\"a\", "
      "0.5]]},"
      " \"influence\": null, \"activation\": 1e-300},"
      "{\"node_id\": \"1_9_0\", \"feature\": null, \"layer\": 1, \"ctx_idx\": 0,"
      " \"feature_type\": \"logit\", \"jsNodeId\": \"L_9-0\", \"clerp\": \"x (p=0.25)\","
      " \"is_target_logit\": true}]}";
  g_autoptr (TrcGraph) graph = read_text (text);
  g_autofree char *written = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (JsonNode) before = parse (text, -1);
  g_autoptr (JsonNode) after = parse (written, -1);

  assert_same_document (before, after);
  g_assert_nonnull (strstr (written, "\"why\":{\"a\":[1,2e-3,null,\"\\u0007\\\"\"]}"));
  g_assert_nonnull (strstr (written, "12345678901234567"));
}

/* A graph that was made here has what the readers of other tools insist on. */
static void
test_made_graph (void)
{
  static const char *const needed[] = { "node_id",      "feature",  "layer", "ctx_idx",
                                        "feature_type", "jsNodeId", "clerp" };
  static const TrcNodeKind kinds[] = { TRC_NODE_EMBEDDING, TRC_NODE_HEAD,  TRC_NODE_NEURON,
                                       TRC_NODE_FEATURE,   TRC_NODE_ERROR, TRC_NODE_MLP,
                                       TRC_NODE_LOGIT };
  TrcGraphBuilder *builder = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = kinds[i];
      node.layer = kinds[i] == TRC_NODE_EMBEDDING ? -1 : 0;
      node.position = 1;
      node.index = 3;
      trc_graph_builder_add_node (builder, &node);
    }
  trc_graph_builder_add_edge (builder, 0, 6, 0.1 + 0.2);
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (builder, &error);
  g_assert_no_error (error);
  g_autofree char *text = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (JsonNode) root = parse (text, -1);
  JsonObject *document = json_node_get_object (root);
  JsonObject *metadata = json_object_get_object_member (document, "metadata");
  JsonArray *nodes = json_object_get_array_member (document, "nodes");

  g_assert_cmpint (json_object_get_int_member (metadata, "schema_version"), ==, 1);
  g_assert_true (json_object_has_member (metadata, "slug"));
  g_assert_true (json_object_has_member (metadata, "scan"));
  g_assert_true (json_object_has_member (metadata, "prompt"));
  g_assert_true (json_object_has_member (metadata, "prompt_tokens"));
  g_assert_true (json_object_has_member (document, "qParams"));
  for (guint i = 0; i < json_array_get_length (nodes); i++)
    {
      JsonObject *node = json_array_get_object_element (nodes, i);
      const char *id = json_object_get_string_member (node, "node_id");

      for (gsize k = 0; k < G_N_ELEMENTS (needed); k++)
        g_assert_true (json_object_has_member (node, needed[k]));
      g_assert_true (g_hash_table_add (ids, (gpointer)id));
    }
  g_assert_true (g_hash_table_contains (ids, "0_3_1"));  /* feature */
  g_assert_true (g_hash_table_contains (ids, "E_3_1"));  /* token 3 at position 1 */
  g_assert_true (g_hash_table_contains (ids, "0_-1_1")); /* rest */
  g_assert_true (g_hash_table_contains (ids, "2_3_1"));  /* logit: layers + 1 */
  JsonObject *feature = json_array_get_object_element (nodes, 3);
  g_assert_cmpint (json_object_get_int_member (feature, "feature"), ==, 9);

  g_autoptr (TrcGraph) again = read_text (text);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_assert_cmpint (trc_graph_node (again, i)->kind, ==, kinds[i]);
      g_assert_cmpint (trc_graph_node (again, i)->layer, ==, trc_graph_node (graph, i)->layer);
      if (kinds[i] != TRC_NODE_MLP && kinds[i] != TRC_NODE_ERROR)
        g_assert_cmpint (trc_graph_node (again, i)->index, ==, 3);
    }
  g_assert_cmpfloat (trc_graph_edges (again)[0].weight, ==, 0.1 + 0.2);
}

static void
test_file (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.json", NULL);
  g_autofree char *link = g_build_filename (folder, "link.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (TrcGraph) graph = read_text ("{\"nodes\":[],\"links\":[]}");
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = NULL;
  GStatBuf info;
  guint n = 0;

  g_assert_true (g_file_set_contents (path, "old", -1, NULL));
  g_assert_cmpint (g_chmod (path, 0640), ==, 0);
  g_assert_cmpint (symlink ("g.json", link), ==, 0);
  g_assert_true (trc_graph_write (graph, link, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "{\n\"metadata\""));
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 0777, ==, 0640);

  /* A folder, and a folder that is not there: a sentence, and nothing left over. */
  g_assert_false (trc_graph_write (graph, folder, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  g_clear_error (&error);
  g_autofree char *nowhere = g_build_filename (folder, "none", "g.json", NULL);
  g_assert_false (trc_graph_write (graph, nowhere, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (trc_graph_write (graph, "/dev/full", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);

  dir = g_dir_open (folder, 0, NULL);
  while (g_dir_read_name (dir) != NULL)
    n++;
  g_assert_cmpuint (n, ==, 2);
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *name = g_strdup_printf ("/graph-write/round-trip/%s", files[i]);
      g_test_add_data_func (name, files[i], test_round_trip);
    }
  g_test_add_func ("/graph-write/unknown-members", test_unknown_members);
  g_test_add_func ("/graph-write/made-graph", test_made_graph);
  g_test_add_func ("/graph-write/file", test_file);
  return g_test_run ();
}
