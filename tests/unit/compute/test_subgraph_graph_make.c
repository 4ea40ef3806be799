#include "compute/graph_file.h"
#include "compute/graph_make.h"
#include "compute/prune.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

/* What is kept is what the masks say, and what the file says about it. */
static void
test_pruned (void)
{
  g_autofree char *path = trc_test_shared ("graphs/gemma2-plt-small-big-annotated.json");
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (TrcGraph) pruned =
      trc_graph_prune (graph, &(TrcPruneParams){ 0.6, 0.9 }, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (pruned), ==, 80);
  g_assert_cmpuint (trc_graph_n_edges (pruned), ==, 745);
  g_assert_cmpstr (trc_graph_text (pruned, "slug"), ==, "gemma-small-big-en");
  g_assert_cmpfloat (trc_graph_number (pruned, "pruning_settings.edge_threshold"), ==, 0.9);
  g_assert_cmpfloat (trc_graph_number (pruned, "node_threshold"), ==, 0.6);
  g_assert_true (trc_graph_has_cumulative_influence (pruned));
  g_assert_cmpuint (trc_graph_marks (pruned)->n_pins, <=, 17);
  g_assert_cmpuint (trc_graph_marks (pruned)->n_supernodes, >, 0);
  for (gsize i = 0; i < trc_graph_marks (pruned)->n_pins; i++)
    {
      const TrcNode *pin = trc_graph_node (pruned, trc_graph_marks (pruned)->pins[i]);
      gint64 old = trc_graph_find (graph, pin->id);
      gboolean was_pinned = FALSE;

      for (gsize k = 0; k < trc_graph_marks (graph)->n_pins; k++)
        was_pinned |= trc_graph_marks (graph)->pins[k] == (guint32)old;
      g_assert_true (was_pinned);
    }
  /* Reading it back finds nothing odd that was not odd before. */
  g_autofree char *text = g_string_free (trc_graph_to_json (pruned), FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (TrcGraph) again = trc_graph_read_bytes (bytes, "pruned", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length ((char **)trc_graph_warnings (again)), ==, 1);
}

/* The numbers asked for, links upwards only, and the same each time. */
static void
test_make (void)
{
  static const guint32 sizes[] = { 0, 24, 100, 1000, 5000 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      TrcGraphMakeParams params = { .n_nodes = sizes[i], .n_edges = sizes[i] * 4, .seed = 2 };
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcGraph) graph = trc_graph_make (&params, &error);
      g_autoptr (TrcGraph) twin = trc_graph_make (&params, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (trc_graph_n_nodes (graph), ==, MAX (sizes[i], 24));
      g_assert_cmpuint (trc_graph_n_edges (graph), <=, params.n_edges);
      g_assert_true (sizes[i] < 1000 || trc_graph_n_edges (graph) == params.n_edges);
      g_assert_cmpuint (trc_graph_n_edges (graph), ==, trc_graph_n_edges (twin));
      for (guint32 t = 0; t < trc_graph_n_nodes (graph); t++)
        {
          gsize n;
          const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

          for (gsize k = 0; k < n; k++)
            {
              const TrcNode *source = trc_graph_node (graph, in[k].source);
              g_assert_cmpint (source->layer, <, trc_graph_node (graph, t)->layer);
              g_assert_cmpint (source->position, <=, trc_graph_node (graph, t)->position);
              g_assert_cmpfloat (in[k].weight, ==, trc_graph_in_edges (twin, t, &n)[k].weight);
            }
        }
      TrcGraphScores scores;
      g_assert_true (trc_graph_scores (graph, &scores, &error));
      g_assert_true (sizes[i] < 100 || isfinite (scores.replacement));
    }
}

static void
test_make_ids (void)
{
  TrcGraphMakeParams params = { .n_nodes = 3000, .n_edges = 30000, .seed = 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_make (&params, &error);

  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    g_assert_cmpint (trc_graph_find (graph, trc_graph_node (graph, i)->id), ==, i);
  g_autofree char *text = g_string_free (trc_graph_to_json (graph), FALSE);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (TrcGraph) again = trc_graph_read_bytes (bytes, "made", NULL, &error);
  g_assert_no_error (error);
  g_assert_null (trc_graph_warnings (again)[0]);
  g_assert_cmpuint (trc_graph_n_edges (again), ==, 30000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subgraph/pruned", test_pruned);
  g_test_add_func ("/graph-make/shape", test_make);
  g_test_add_func ("/graph-make/ids", test_make_ids);
  return g_test_run ();
}
