#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ODD_LABEL "a \"b\", <c> & \\ d\ne\x01"

static TrcGraph *
odd_graph (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;
  TrcNode node = TRC_NODE_INIT;

  node.kind = TRC_NODE_EMBEDDING;
  node.position = 0;
  node.index = 5;
  node.label = "=SUM(A1)";
  trc_graph_builder_add_node (b, &node);
  node.kind = TRC_NODE_LOGIT;
  node.label = ODD_LABEL;
  node.token_prob = 0.5;
  trc_graph_builder_add_node (b, &node);
  trc_graph_builder_add_edge_full (
      b, 1, &(TrcEdge){ .source = 0, .weight = -0.1, .reader = TRC_READER_K });
  TrcGraph *graph = trc_graph_builder_finish (b, &error);
  g_assert_no_error (error);
  return graph;
}

static char *export(const TrcGraph *graph, const char *name, const char *read)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *wanted = g_build_filename (folder, read, NULL);
  g_autoptr (GError) error = NULL;
  TrcGraphFormat format;
  char *text = NULL;

  g_assert_true (trc_graph_format_of (path, &format));
  g_assert_true (trc_graph_write_as (graph, path, format, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (wanted, &text, NULL, NULL));
  trc_test_remove_tree (folder);
  return text;
}

static void
test_dot (void)
{
  g_autoptr (TrcGraph) graph = odd_graph ();
  g_autofree char *text = export(graph, "g.dot", "g.dot");

  g_assert_true (g_str_has_prefix (text, "digraph circuit {"));
  g_assert_nonnull (strstr (text, "label=\"a \\\"b\\\", <c> & \\\\ d\\ne\""));
  g_assert_nonnull (strstr (text, "n0 -> n1 [value=-0.1, "));
  g_assert_nonnull (strstr (text, "reader=\"k\""));
  g_assert_true (g_str_has_suffix (text, "}\n"));
}

typedef struct {
  guint nodes, edges;
  GString *label;
  gboolean in_label;
} Seen;

static void
on_start (GMarkupParseContext *context, const char *element, const char **names,
          const char **values, gpointer data, GError **error)
{
  Seen *seen = data;

  seen->nodes += strcmp (element, "node") == 0;
  seen->edges += strcmp (element, "edge") == 0;
  seen->in_label = strcmp (element, "data") == 0 && strcmp (values[0], "label") == 0;
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize len, gpointer data,
         GError **error)
{
  Seen *seen = data;

  if (seen->in_label)
    g_string_append_len (seen->label, text, (gssize)len);
}

static void
on_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  ((Seen *)data)->in_label = FALSE;
}

static void
parse_graphml (const char *text, Seen *seen)
{
  static const GMarkupParser parser = { on_start, on_end, on_text, NULL, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GMarkupParseContext) context = g_markup_parse_context_new (&parser, 0, seen, NULL);

  seen->label = g_string_new (NULL);
  g_markup_parse_context_parse (context, text, -1, &error);
  g_assert_no_error (error);
  g_markup_parse_context_end_parse (context, &error);
  g_assert_no_error (error);
}

static void
test_graphml (void)
{
  g_autoptr (TrcGraph) graph = odd_graph ();
  g_autofree char *text = export(graph, "g.GraphML", "g.GraphML");
  Seen seen = { 0 };

  parse_graphml (text, &seen);
  g_assert_cmpuint (seen.nodes, ==, 2);
  g_assert_cmpuint (seen.edges, ==, 1);
  g_assert_cmpstr (seen.label->str, ==, "=SUM(A1)a \"b\", <c> & \\ d\ne ");
  g_assert_nonnull (strstr (text, "<data key=\"weight\">-0.1</data>"));
  g_string_free (seen.label, TRUE);
}

static void
test_csv (void)
{
  g_autoptr (TrcGraph) graph = odd_graph ();
  g_autofree char *links = export(graph, "g.csv", "g.csv");
  g_autofree char *nodes = export(graph, "g.csv", "g-nodes.csv");

  g_assert_cmpstr (links, ==,
                   "source,target,weight,reader,source_id,target_id\r\n"
                   "0,1,-0.1,k,E_5_0,1_5_0\r\n");
  g_assert_nonnull (strstr (nodes, "0,E_5_0,embedding,-1,0,5,,,,,\"'=SUM(A1)\"\r\n"));
  g_assert_nonnull (strstr (nodes, ",0.5,\"a \"\"b\"\", <c> & \\ d\ne\x01\"\r\n"));
}

/* Every link and node of a real file is there. */
static void
test_real (void)
{
  g_autofree char *path = trc_test_shared ("graphs/gemma2-clt-bee.json");
  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, NULL);
  g_autofree char *xml = export(graph, "g.graphml", "g.graphml");
  g_autofree char *csv = export(graph, "g.csv", "g.csv");
  Seen seen = { 0 };
  guint lines = 0;

  parse_graphml (xml, &seen);
  g_assert_cmpuint (seen.nodes, ==, 266);
  g_assert_cmpuint (seen.edges, ==, 2929);
  for (const char *c = csv; *c != '\0'; c++)
    lines += *c == '\n';
  g_assert_cmpuint (lines, ==, 2930);
  g_string_free (seen.label, TRUE);
}

static void
test_format (void)
{
  TrcGraphFormat format;

  g_assert_true (trc_graph_format_of ("x.GV", &format));
  g_assert_cmpint (format, ==, TRC_GRAPH_FORMAT_DOT);
  g_assert_false (trc_graph_format_of ("x.svg", &format));
  g_assert_false (trc_graph_format_of ("json", &format));
}

static gpointer
read_pipe (gpointer path)
{
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

/* A pipe is written into, not replaced. */
static void
test_pipe (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "pipe", NULL);
  g_autoptr (TrcGraph) graph = odd_graph ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  GThread *reader = g_thread_new ("reader", read_pipe, path);
  g_assert_true (trc_graph_write (graph, path, &error));
  g_assert_no_error (error);
  g_autofree char *text = g_thread_join (reader);
  g_assert_true (g_str_has_suffix (text, "}\n"));
  g_assert_false (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph-export/dot", test_dot);
  g_test_add_func ("/graph-export/graphml", test_graphml);
  g_test_add_func ("/graph-export/csv", test_csv);
  g_test_add_func ("/graph-export/real", test_real);
  g_test_add_func ("/graph-export/format", test_format);
  g_test_add_func ("/graph-export/pipe", test_pipe);
  return g_test_run ();
}
