#include "compute/graph/members.h"
#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

#define HEAD                                                                                   \
  "{\"nodes\":["                                                                               \
  "{\"node_id\":\"a\",\"jsNodeId\":\"ja\"},{\"node_id\":\"b\",\"jsNodeId\":\"jb\"},"           \
  "{\"node_id\":\"c\",\"jsNodeId\":\"jd\"},{\"node_id\":\"d\",\"jsNodeId\":\"jd\"}],"          \
  "\"links\":[],\"qParams\":"

static TrcGraph *
read_params (const char *params)
{
  g_autofree char *text = g_strconcat (HEAD, params, "}", NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (GError) error = NULL;
  TrcGraph *graph = trc_graph_read_bytes (bytes, "some.json", NULL, &error);

  g_assert_no_error (error);
  return graph;
}

/* The same marks in the two forms that are about. */
static void
check_marks (const char *params)
{
  g_autoptr (TrcGraph) graph = read_params (params);
  const TrcGraphMarks *marks = trc_graph_marks (graph);

  g_assert_cmpuint (marks->n_pins, ==, 3);
  g_assert_cmpuint (marks->pins[0], ==, 1);
  g_assert_cmpuint (marks->pins[2], ==, 0); /* named by jsNodeId */
  g_assert_cmpuint (marks->n_supernodes, ==, 2);
  g_assert_cmpstr (marks->supernodes[0].label, ==, "one, \"two\"");
  g_assert_cmpuint (marks->supernodes[0].n_members, ==, 2);
  g_assert_cmpuint (marks->supernodes[0].members[1], ==, 2);
  g_assert_cmpuint (marks->supernodes[1].n_members, ==, 0);
  g_assert_cmpuint (marks->n_labels, ==, 1);
  g_assert_cmpstr (marks->labels[0].label, ==, "texas");
  g_assert_cmpuint (marks->n_places, ==, 2);
  g_assert_cmpfloat (marks->places[3], ==, -40.5);
  g_assert_cmpint (marks->clicked, ==, 3);
  g_assert_cmpfloat (marks->pruning_threshold, ==, 0.6);
  g_assert_true (isnan (marks->density_threshold));
  g_assert_cmpstr (marks->link_type, ==, "both");

  g_autofree char *label = trc_graph_dup_label (graph, 2);
  g_assert_cmpstr (label, ==, "texas");
}

static void
test_forms (void)
{
  check_marks ("{\"pinnedIds\":[\"b\",\"d\",\"ja\"],\"supernodes\":[[\"one, \\\"two\\\"\","
               "\"a\",\"c\"],[\"empty\"]],\"clerps\":[[\"c\",\"texas\"]],"
               "\"sg_pos\":\"1 2 3.5 -40.5\",\"clickedId\":\"d\",\"pruningThreshold\":0.6,"
               "\"linkType\":\"both\"}");
  check_marks (
      "{\"pinnedIds\":\"b,d,ja\",\"supernodes\":\"[[\\\"one, \\\\\\\"two\\\\\\\"\\\","
      "\\\"a\\\",\\\"c\\\"],[\\\"empty\\\"]]\",\"clerps\":\"[[\\\"c\\\",\\\"texas\\\"]]\","
      "\"sg_pos\":\"1 2 3.5 -40.5\",\"clickedId\":\"d\",\"pruningThreshold\":\"0.6\","
      "\"linkType\":\"both\"}");
}

/* What is of another form or names nothing is left out, and said. */
static void
test_odd (void)
{
  g_autoptr (TrcGraph) graph =
      read_params ("{\"pinnedIds\":[\"nobody\",3,\"jd\",\"a\"],\"supernodes\":{\"x\":1},"
                   "\"clerps\":[[\"a\"],3,[\"a\",4]],\"sg_pos\":\"1 2 x\",\"clickedId\":null,"
                   "\"pruningThreshold\":\"half\",\"linkType\":7}");
  const TrcGraphMarks *marks = trc_graph_marks (graph);

  g_assert_cmpuint (marks->n_pins, ==, 1); /* jd is the name of two */
  g_assert_cmpuint (marks->n_supernodes, ==, 0);
  g_assert_cmpuint (marks->n_labels, ==, 0);
  g_assert_cmpuint (marks->n_places, ==, 1);
  g_assert_cmpint (marks->clicked, ==, -1);
  g_assert_true (isnan (marks->pruning_threshold));
  g_assert_null (marks->link_type);
  g_assert_true (g_strv_contains (trc_graph_warnings (graph),
                                  "2 of the pins, groups and labels name nodes that the graph "
                                  "does not have, the first is \"nobody\"."));
}

static void
test_set (void)
{
  g_autoptr (TrcGraph) old = read_params ("{\"gridsnap\":\"keep\",\"pinnedIds\":\"a\"}");
  TrcGraphBuilder *builder = trc_graph_builder_new_from (old);
  static const guint32 pins[] = { 3, 0 }, members[] = { 1, 2 };
  static const TrcSupernode group = { "g\"", members, 2 };
  static const TrcNodeLabel label = { 2, "mine" };
  static const double places[] = { 1, 2.5, 3, 4 };
  TrcGraphMarks marks = { .pins = pins,
                          .n_pins = 2,
                          .supernodes = &group,
                          .n_supernodes = 1,
                          .labels = &label,
                          .n_labels = 1,
                          .places = places,
                          .n_places = 2,
                          .clicked = 1,
                          .link_type = "input",
                          .pruning_threshold = 0.7,
                          .density_threshold = NAN };
  g_autoptr (GError) error = NULL;

  trc_graph_builder_set_marks (builder, &marks);
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (builder, &error);
  g_assert_no_error (error);
  g_autofree char *text = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (TrcGraph) again = trc_graph_read_bytes (bytes, "text", NULL, &error);
  g_assert_no_error (error);

  const TrcGraphMarks *read = trc_graph_marks (again);
  g_assert_cmpuint (read->n_pins, ==, 2);
  g_assert_cmpuint (read->pins[0], ==, 3);
  g_assert_cmpstr (read->supernodes[0].label, ==, "g\"");
  g_assert_cmpuint (read->supernodes[0].members[1], ==, 2);
  g_assert_cmpstr (read->labels[0].label, ==, "mine");
  g_assert_cmpfloat (read->places[1], ==, 2.5);
  g_assert_cmpint (read->clicked, ==, 1);
  g_assert_cmpstr (read->link_type, ==, "input");
  g_assert_cmpfloat (read->pruning_threshold, ==, 0.7);
  g_assert_nonnull (strstr (text, "\"gridsnap\": \"keep\""));
}

/* Pins by jsNodeId, as Anthropic's files have them. */
static void
test_haiku (void)
{
  g_autofree char *path = trc_test_shared ("graphs/haiku-clt-dallas-annotated.json");
  g_autoptr (GError) error = NULL;
  gsize n_members = 0;

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  const TrcGraphMarks *marks = trc_graph_marks (graph);
  g_assert_cmpuint (marks->n_pins, ==, 49);
  g_assert_cmpuint (marks->n_supernodes, ==, 6);
  g_assert_cmpuint (marks->n_places, ==, 7);
  for (gsize i = 0; i < marks->n_supernodes; i++)
    n_members += marks->supernodes[i].n_members;
  g_assert_cmpuint (n_members, ==, 48);
}

static void
test_members (void)
{
  g_autoptr (GStringChunk) strings = g_string_chunk_new (64);
  g_autoptr (GArray) members = trc_members_new ();
  g_autoptr (GString) text = g_string_new (NULL);

  trc_members_set (members, strings, "a.b", "1");
  trc_members_set (members, strings, "c", "{\"d\": 2, \"e\": {\"f\": 3}}");
  trc_members_set (members, strings, "a.b", "7");
  trc_members_store (members, strings, "c.d", "[4]");
  trc_members_store (members, strings, "new.x", "null");
  trc_members_store (members, strings, "new.first", "0.8");
  trc_members_store (members, strings, "new.second", "[0.1, {\"k\": \"v\"}, true]");
  trc_members_store (members, strings, "new.third", "3");
  g_assert_cmpstr (trc_members_get (members, "new"), ==,
                   "{\"x\": null, \"first\": 0.8, \"second\": [0.1, {\"k\": \"v\"}, true], "
                   "\"third\": 3}");
  g_autoptr (JsonNode) whole = trc_members_lookup (members, "a.b");
  g_autoptr (JsonNode) deep = trc_members_lookup (members, "c.e.f");
  g_autoptr (JsonNode) none = trc_members_lookup (members, "c.e.f.g");
  g_assert_cmpint (json_node_get_int (whole), ==, 7);
  g_assert_cmpint (json_node_get_int (deep), ==, 3);
  g_assert_null (none);
  trc_members_store (members, strings, "new.a.b.c", "11");
  g_autoptr (JsonNode) dotted = trc_members_lookup (members, "new.a.b.c");
  g_assert_cmpint (json_node_get_int (dotted), ==, 11);
  trc_members_remove (members, "nobody");
  trc_members_remove (members, "a.b");
  trc_members_append (members, text);
  g_autoptr (JsonNode) all = trc_json_parse_value (text->str);
  g_assert_true (JSON_NODE_HOLDS_OBJECT (all));
  g_assert_cmpuint (json_object_get_size (json_node_get_object (all)), ==, 2);
  g_assert_null (trc_json_parse_value ("{"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/marks/forms", test_forms);
  g_test_add_func ("/marks/odd", test_odd);
  g_test_add_func ("/marks/set", test_set);
  g_test_add_func ("/marks/haiku", test_haiku);
  g_test_add_func ("/members/basic", test_members);
  return g_test_run ();
}
