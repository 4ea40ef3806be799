/* Component graphs: the same links as the neuron graph, summed over neurons and positions; values
 * apart from queries and keys; means over pairs; the file that EAP-IG reads. */
#include "compute/graph_file.h"
#include "tests/support/attribution_fixture.h"
#include "tests/support/nano_sort.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

static TrcTask *
task_of (TrcFixture *f, guint copies)
{
  g_autoptr (GString) text = g_string_new ("\n");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < copies; i++)
    g_string_append (text, "{\"clean\": [3, 0, 5, 3, 1], \"corrupted\": [3, 4, 5, 2, 1], "
                           "\"answer\": 1, \"foil\": 2}\n");
  TrcTask *task = trc_task_parse (f->model, text->str, text->len, "pairs.jsonl", &error);
  g_assert_no_error (error);
  return task;
}

/* The component that a node of the neuron graph belongs to, by its number in the other graph. */
static guint32
component_of (const TrcGraph *components, const TrcNode *node)
{
  g_autofree char *id = node->kind == TRC_NODE_EMBEDDING ? g_strdup ("input")
                        : node->kind == TRC_NODE_LOGIT   ? g_strdup ("logits")
                        : node->kind == TRC_NODE_HEAD
                            ? g_strdup_printf ("a%d.h%d", node->layer, (int)node->index)
                            : g_strdup_printf ("m%d", node->layer);
  gint64 found = trc_graph_find (components, id);
  g_assert_cmpint (found, >=, 0);
  return found;
}

static void
check_sums (const TrcOracleConfig *config, TrcEstimator estimator)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcComponentReport r;
  TrcComponentParams params = TRC_COMPONENT_PARAMS_INIT;

  trc_fixture_open (&f, config, 131);
  TrcTraceParams p = trc_fixture_params (&f, estimator, TRUE);
  g_autoptr (TrcGraph) fine = trc_fixture_trace (&f, &p, NULL);
  g_autoptr (TrcTask) task = task_of (&f, 2);
  params.estimator = estimator;
  params.ig_steps = 3;
  params.trust_pairs = 0;
  g_autoptr (TrcGraph) coarse =
      trc_trace_components (f.model, f.device, task, &params, &r, NULL, &error);
  g_assert_no_error (error);
  guint32 n = trc_graph_n_nodes (coarse);
  g_assert_cmpuint (n, ==, 2 + config->n_layers * (config->n_heads + 1));
  g_autofree double *want = g_new0 (double, n *n);
  g_autofree double *have = g_new0 (double, n *n);
  g_autofree double *scores = g_new0 (double, n);
  double largest = 0;
  for (guint32 t = 0; t < trc_graph_n_nodes (fine); t++)
    {
      gsize count;
      const TrcEdge *in = trc_graph_in_edges (fine, t, &count);
      guint32 target = component_of (coarse, trc_graph_node (fine, t));
      if (isfinite (trc_graph_node (fine, t)->score))
        scores[target] += trc_graph_node (fine, t)->score;
      for (gsize i = 0; i < count; i++)
        want[target * n + component_of (coarse, trc_graph_node (fine, in[i].source))] +=
            in[i].weight;
    }
  for (guint32 t = 0; t < n; t++)
    {
      gsize count;
      const TrcEdge *in = trc_graph_in_edges (coarse, t, &count);
      for (gsize i = 0; i < count; i++)
        have[t * n + in[i].source] += in[i].weight;
    }
  for (guint32 i = 0; i < n * n; i++)
    largest = MAX (largest, fabs (want[i]));
  for (guint32 i = 0; i < n * n; i++)
    g_assert_cmpfloat_with_epsilon (have[i], want[i], 2e-5 * largest);
  for (guint32 i = 0; i + 1 < n; i++)
    g_assert_cmpfloat_with_epsilon (trc_graph_node (coarse, i)->score, scores[i],
                                    2e-5 * largest);
  g_assert_cmpuint (r.n_pairs, ==, 2);
}

static void
test_sums (void)
{
  check_sums (&trc_fixture_full, TRC_ESTIMATOR_EAP);
  check_sums (&trc_fixture_full, TRC_ESTIMATOR_EAP_IG);
  check_sums (&trc_fixture_bare, TRC_ESTIMATOR_EAP);
  check_sums (&trc_fixture_full, TRC_ESTIMATOR_EAP_IG_ACT);
}

/* Along the path of one MLP alone, the mean gradient times the difference IS the effect of
 * patching that MLP: with enough steps nothing is left to estimate. */
static void
test_whole_mlp (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;

  trc_fixture_open (&f, &trc_fixture_full, 134);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_EAP_IG_ACT, TRUE);
  double sums[2] = { 0 }, effects[2];
  TrcHook hooks[2];
  p.ig_steps = 60;
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, NULL);
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    if (trc_graph_node (graph, i)->kind == TRC_NODE_NEURON)
      sums[trc_graph_node (graph, i)->layer] += trc_graph_node (graph, i)->score;
  for (guint l = 0; l < 2; l++)
    hooks[l] = (TrcHook){ .kind = TRC_HOOK_MLP, .layer = l, .last = -1 };
  g_assert_true (
      trc_patch_effects (f.model, f.device, &p, hooks, 2, effects, NULL, NULL, &error));
  for (guint l = 0; l < 2; l++)
    g_assert_cmpfloat_with_epsilon (sums[l], effects[l], 2e-4);
}

/* Without norms the values of the last layer's heads read the same in the frozen model. */
static void
test_values (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcComponentParams params = TRC_COMPONENT_PARAMS_INIT;
  double checked = 0;

  trc_fixture_open (&f, &trc_fixture_bare, 132);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_GRAD_ACT, TRUE);
  g_autoptr (TrcGraph) fine = trc_fixture_trace (&f, &p, NULL);
  g_autoptr (TrcTask) task = task_of (&f, 1);
  params.estimator = TRC_ESTIMATOR_EAP;
  params.trust_pairs = 0;
  g_autoptr (TrcGraph) coarse =
      trc_trace_components (f.model, f.device, task, &params, NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint h = 0; h < f.config.n_heads; h++)
    {
      g_autofree double *want = g_new0 (double, trc_graph_n_nodes (coarse));
      for (guint32 t = 0; t < trc_graph_n_nodes (fine); t++)
        {
          const TrcNode *node = trc_graph_node (fine, t);
          gsize count;
          const TrcEdge *in = trc_graph_in_edges (fine, t, &count);
          if (node->kind == TRC_NODE_HEAD && node->layer == 1 && node->index == (gint64)h)
            for (gsize i = 0; i < count; i++)
              want[component_of (coarse, trc_graph_node (fine, in[i].source))] += in[i].weight;
        }
      g_autofree char *id = g_strdup_printf ("a1.h%u", h);
      gsize count;
      const TrcEdge *in = trc_graph_in_edges (coarse, trc_graph_find (coarse, id), &count);
      for (gsize i = 0; i < count; i++)
        if (in[i].reader == TRC_READER_V)
          {
            g_assert_cmpfloat_with_epsilon (in[i].weight, want[in[i].source], 1e-5);
            checked += fabs (want[in[i].source]);
          }
    }
  g_assert_cmpfloat (checked, >, 1e-3);
}

static void
test_file (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcComponentParams params = TRC_COMPONENT_PARAMS_INIT;
  TrcComponentReport r;

  trc_fixture_open (&f, &trc_fixture_full, 133);
  g_autoptr (TrcTask) task = task_of (&f, 3);
  params.n_pairs = 2;
  params.trust_pairs = 2;
  g_autoptr (TrcGraph) graph =
      trc_trace_components (f.model, f.device, task, &params, &r, NULL, &error);
  g_assert_no_error (error);
  g_autofree char *path = g_build_filename (f.dir, "graph.json", NULL);
  g_assert_true (trc_graph_write (graph, path, &error));
  g_autoptr (TrcGraph) again = trc_graph_read (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_graph_dialect (again), ==, TRC_GRAPH_EAP_IG);
  g_assert_cmpuint (trc_graph_n_edges (again), ==, trc_graph_n_edges (graph));
  g_assert_cmpfloat (trc_graph_number (again, "n_layers"), ==, 2);
  /* input, q, k, v of two heads, an MLP behind them; then the same with three more sources. */
  g_assert_cmpuint (trc_graph_n_edges (graph), ==, 6 * 1 + 3 + 6 * 4 + 6 + 7);
  g_assert_cmpint (r.estimator, >=, TRC_ESTIMATOR_EAP);
  g_assert_cmpint (r.estimator, <=, TRC_ESTIMATOR_EAP_IG_ACT);
  g_assert_cmpstr (trc_graph_text (again, "tracery.estimator"), ==,
                   trc_estimator_name (r.estimator));
  for (guint c = 0; c < TRC_N_COMPONENTS; c++)
    {
      g_assert_cmpuint (r.n_points[c], >, 3);
      for (TrcEstimator e = TRC_ESTIMATOR_RELP; e <= TRC_ESTIMATOR_EAP_IG; e++)
        g_assert_true (r.agreement[e][c].tried);
    }
  g_assert_cmpuint (r.n_pairs, ==, 2);
  g_assert_cmpuint (r.n_trust_pairs, ==, 2);
  params.estimator = TRC_ESTIMATOR_RELP;
  g_assert_null (trc_trace_components (f.model, f.device, task, &params, &r, NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
}

/* Words that differ in one letter, and the first place where their sorted letters differ. */
static void
append_pair (GString *text, GRand *rand)
{
  int clean[6], other[6], at, place = 0;
  int a[3] = { 0 }, b[3] = { 0 };

  for (int i = 0; i < 6; i++)
    other[i] = clean[i] = g_rand_int_range (rand, 0, 3);
  at = g_rand_int_range (rand, 0, 6);
  other[at] = (clean[at] + g_rand_int_range (rand, 1, 3)) % 3;
  for (int i = 0; i < 6; i++)
    {
      a[clean[i]]++;
      b[other[i]]++;
    }
  while ((place < a[0]) == (place < b[0]) && (place < a[0] + a[1]) == (place < b[0] + b[1]))
    place++;
  g_string_append (text, "{\"clean\": [");
  for (int side = 0; side < 2; side++)
    {
      for (int i = 0; i < 6; i++)
        g_string_append_printf (text, "%s%d", i > 0 ? ", " : "", side ? other[i] : clean[i]);
      for (int i = 0; i < place; i++)
        g_string_append_printf (text, ", %d", i < a[0] ? 0 : i < a[0] + a[1] ? 1 : 2);
      g_string_append (text, side ? "], " : "], \"corrupted\": [");
    }
  g_string_append_printf (text, "\"answer\": %d, \"foil\": %d}\n",
                          place < a[0]          ? 0
                          : place < a[0] + a[1] ? 1
                                                : 2,
                          place < b[0]          ? 0
                          : place < b[0] + b[1] ? 1
                                                : 2);
}

/* Over 40 pairs of the sorting model some rule agrees with patching to 0.95 for each kind. */
static void
test_nano_sort (void)
{
  g_autofree char *folder = trc_test_nano_sort ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);
  g_autoptr (GError) error = NULL;
  const TrcComponentParams params = TRC_COMPONENT_PARAMS_INIT;
  TrcComponentReport r;

  if (folder == NULL)
    return;
  for (guint i = 0; i < 40; i++)
    append_pair (text, rand);
  g_autoptr (TrcModel) model = trc_model_open (folder, &error);
  g_assert_no_error (error);
  g_autoptr (TrcDevice) device = trc_device_open ("cpu", &error);
  g_autoptr (TrcTask) task = trc_task_parse (model, text->str, text->len, "sort.jsonl", &error);
  g_assert_no_error (error);
  g_autoptr (TrcGraph) graph =
      trc_trace_components (model, device, task, &params, &r, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (r.metric_clean, >, 5);
  g_assert_cmpfloat (r.metric_corrupted, <, -5);
  for (guint c = 0; c < TRC_N_COMPONENTS; c++)
    {
      double best = -1;
      for (TrcEstimator e = TRC_ESTIMATOR_RELP; e <= TRC_ESTIMATOR_EAP_IG_ACT; e++)
        {
          const TrcAgreement *a = &r.agreement[e][c];
          best = MAX (best, a->pearson);
          g_test_message ("%s %s: %.3f (%.3f to %.3f)", trc_component_name (c),
                          trc_estimator_name (e), a->pearson, a->pearson_low, a->pearson_high);
        }
      g_assert_cmpfloat (best, >, 0.95);
    }
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/components/sums", test_sums);
  g_test_add_func ("/attribution/components/whole-mlp", test_whole_mlp);
  g_test_add_func ("/attribution/components/values", test_values);
  g_test_add_func ("/attribution/components/file", test_file);
  g_test_add_func ("/attribution/components/nano-sort", test_nano_sort);
  return g_test_run ();
}
