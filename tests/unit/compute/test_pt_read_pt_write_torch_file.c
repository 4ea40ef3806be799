/* A .pt file is written and read back; then damaged. Files of Python's own pickler are
 * tried in tests/cli/test_pt.py. */
#include "compute/error.h"
#include "compute/formats/torch_file.h"
#include "compute/graph_file.h"
#include "compute/graph_make.h"
#include "compute/prune.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static TrcGraph *
made_graph (void)
{
  TrcGraphMakeParams params = { .n_nodes = 200, .n_edges = 1500, .n_layers = 3, .seed = 9 };
  g_autoptr (GError) error = NULL;
  TrcGraph *graph = trc_graph_make (&params, &error);

  g_assert_no_error (error);
  return graph;
}

static void
test_round_trip (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.pt", NULL);
  g_autoptr (TrcGraph) graph = made_graph ();
  g_autoptr (GError) error = NULL;
  TrcGraphScores before, after;

  g_assert_true (trc_graph_write_as (graph, path, TRC_GRAPH_FORMAT_PT, &error));
  g_assert_no_error (error);
  g_autoptr (TrcGraph) again = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_edges (again), ==, trc_graph_n_edges (graph));
  g_assert_cmpstr (trc_graph_prompt (again), ==, trc_graph_prompt (graph));
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      gint64 twin = trc_graph_find (again, node->id);
      gsize n, n_twin;

      g_assert_cmpint (twin, >=, 0);
      g_assert_cmpint (trc_graph_node (again, (guint32)twin)->kind, ==, node->kind);
      trc_graph_in_edges (graph, i, &n);
      trc_graph_in_edges (again, (guint32)twin, &n_twin);
      g_assert_cmpuint (n, ==, n_twin);
      if (node->kind == TRC_NODE_FEATURE)
        g_assert_cmpfloat (trc_graph_node (again, (guint32)twin)->activation, ==,
                           (float)node->activation);
    }
  g_assert_true (trc_graph_scores (graph, &before, &error));
  g_assert_true (trc_graph_scores (again, &after, &error));
  g_assert_cmpfloat_with_epsilon (before.replacement, after.replacement, 1e-6);
  g_assert_cmpfloat_with_epsilon (before.completeness, after.completeness, 1e-6);
  trc_test_remove_tree (folder);
}

static void
test_refused (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.pt", NULL);
  TrcGraphBuilder *b = trc_graph_builder_new ();
  TrcNode node = TRC_NODE_INIT;
  g_autoptr (GError) error = NULL;

  node.kind = TRC_NODE_NEURON;
  trc_graph_builder_add_node (b, &node);
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, &error);
  g_assert_false (trc_graph_write_as (graph, path, TRC_GRAPH_FORMAT_PT, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  trc_test_remove_tree (folder);
}

/* Any byte changed: a graph or a sentence. */
static void
test_damaged (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.pt", NULL);
  g_autofree char *data = NULL;
  g_autoptr (TrcGraph) graph = made_graph ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  gsize len;

  g_assert_true (trc_graph_write_as (graph, path, TRC_GRAPH_FORMAT_PT, NULL));
  g_assert_true (g_file_get_contents (path, &data, &len, NULL));
  for (guint round = 0; round < 600; round++)
    {
      /* Mostly the pickle and the heads of the members. */
      gsize at = round % 3 == 0 ? (gsize)g_rand_int_range (rand, 0, (gint32)len)
                                : (gsize)g_rand_int_range (rand, 0, 3000);
      char old = data[at];
      g_autoptr (GError) error = NULL;
      FILE *file = fopen (path, "wb");

      data[at] = (char)g_rand_int_range (rand, 0, 256);
      g_assert_cmpuint (fwrite (data, 1, len, file), ==, len);
      fclose (file);
      g_autoptr (TrcGraph) read = trc_graph_read (path, NULL, &error);
      g_assert_true ((read != NULL) != (error != NULL));
      if (error != NULL)
        {
          g_assert_true (g_utf8_validate (error->message, -1, NULL));
          g_assert_null (strchr (error->message, '\n'));
        }
      data[at] = old;
    }
  trc_test_remove_tree (folder);
}

static void
test_cancel (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.pt", NULL);
  g_autoptr (TrcGraph) graph = made_graph ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TrcProgress progress = { .cancellable = cancellable };
  g_autoptr (GError) error = NULL;

  g_assert_true (trc_graph_write_as (graph, path, TRC_GRAPH_FORMAT_PT, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_null (trc_graph_read (path, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  trc_test_remove_tree (folder);
}

/* A tensor whose sizes do not fit its storage is noticed before it is read. */
static void
test_tensor (void)
{
  g_autofree char *folder = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (folder, "g.pt", NULL);
  g_autoptr (TrcGraph) graph = made_graph ();
  g_autoptr (GError) error = NULL;
  TrcTorchTensor tensor;

  g_assert_true (trc_graph_write_as (graph, path, TRC_GRAPH_FORMAT_PT, NULL));
  g_autoptr (TrcTorchFile) file = trc_torch_file_open (path, &error);
  g_assert_no_error (error);
  const TrcPickleValue *value = trc_pickle_get (trc_torch_file_root (file), "active_features");
  g_assert_true (trc_torch_tensor (value, &tensor));
  g_assert_cmpint (tensor.shape[1], ==, 3);
  g_autofree double *rows = trc_torch_file_read (file, &tensor, &error);
  g_assert_no_error (error);

  /* The same numbers by columns. */
  gint64 n = tensor.shape[0];
  tensor.shape[0] = 3;
  tensor.shape[1] = n;
  tensor.stride[0] = 1;
  tensor.stride[1] = 3;
  g_autofree double *columns = trc_torch_file_read (file, &tensor, &error);
  g_assert_no_error (error);
  for (gint64 i = 0; i < n; i++)
    g_assert_cmpfloat (columns[2 * n + i], ==, rows[3 * i + 2]);
  tensor.offset = 1;
  g_assert_null (trc_torch_file_read (file, &tensor, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_false (trc_torch_tensor (trc_torch_file_root (file), &tensor));
  g_assert_false (trc_torch_tensor (NULL, &tensor));
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pt/round-trip", test_round_trip);
  g_test_add_func ("/pt/refused", test_refused);
  g_test_add_func ("/pt/damaged", test_damaged);
  g_test_add_func ("/pt/cancel", test_cancel);
  g_test_add_func ("/pt/tensor", test_tensor);
  return g_test_run ();
}
