/* Any bytes as a graph file: a graph or one sentence. A graph that was read can be
 * written, read again as the same, pruned and scored. */
#include "tests/fuzz/fuzz.h"

#include "compute/graph_file.h"
#include "compute/prune.h"

#include <string.h>

static void
check_error (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\n'));
}

static void
prune (TrcGraph *graph)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, &error);
  g_autoptr (TrcPruned) kept = NULL;

  g_assert_no_error (error);
  TrcGraphScores scores = trc_pruner_scores (pruner);
  g_assert_false (scores.replacement < -1e-9 || scores.replacement > 1 + 1e-9);
  kept = trc_pruner_keep (pruner, &(TrcPruneParams)TRC_PRUNE_DEFAULTS, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (TrcGraph) part =
      trc_graph_subgraph (graph, kept, pruner, &(TrcPruneParams)TRC_PRUNE_DEFAULTS, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (part), ==, kept->n_nodes);
  g_assert_cmpuint (trc_graph_n_edges (part), ==, kept->n_edges);
}

static void
write_and_read (TrcGraph *graph)
{
  g_autofree char *text = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) again = trc_graph_read_bytes (bytes, "again", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (again), ==, trc_graph_n_nodes (graph));
  g_assert_cmpuint (trc_graph_n_edges (again), ==, trc_graph_n_edges (graph));
  g_assert_cmpuint (trc_graph_marks (again)->n_pins, ==, trc_graph_marks (graph)->n_pins);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_read_bytes (bytes, "input", NULL, &error);

  if (graph == NULL)
    check_error (error);
  else
    {
      write_and_read (graph);
      prune (graph);
    }
  return 0;
}
