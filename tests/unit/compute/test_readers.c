/* Rows of the live rules: queries, keys, norms and slopes all pass gradients. Every link is a
 * central difference of a real float64 pass. */
#include "tests/support/attribution_fixture.h"
#include "tests/support/shared_data.h"

#include <math.h>

static void
check (const TrcOracleConfig *config, TrcEstimator estimator, TrcOracleRule rule,
       gboolean contrast)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport report;

  trc_fixture_open (&f, config, 21);
  TrcTraceParams p = trc_fixture_params (&f, estimator, contrast);
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &report);
  double worst = trc_fixture_check_rows (&f, graph, rule, FALSE, 1e-4);
  g_test_message ("worst %.2g of the row's largest, sum of a row %.2g", worst,
                  report.linear_check);
  g_assert_cmpfloat (report.linear_check, <, 1e-5);
}

static void
test_eap (void)
{
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, TRUE);
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, FALSE);
  check (&trc_fixture_bare, TRC_ESTIMATOR_EAP, TRC_ORACLE_EAP, TRUE);
}

static void
test_eap_ig (void)
{
  check (&trc_fixture_full, TRC_ESTIMATOR_EAP_IG, TRC_ORACLE_EAP_IG, TRUE);
}

/* A model folder out of two files of the small fixtures; NULL when they are not there. */
static char *
fixture_folder (const char *weights, const char *config)
{
  const char *from[] = { weights, config }, *to[] = { "model.safetensors", "config.json" };
  g_autofree char *root = trc_test_shared ("data/models/hf-tiny-fixtures");
  g_autoptr (GError) error = NULL;

  if (root == NULL)
    return NULL;
  char *dir = trc_test_temp_dir ();
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *source = g_build_filename (root, from[i], NULL);
      g_autofree char *target = g_build_filename (dir, to[i], NULL);
      g_autofree char *bytes = NULL;
      gsize n;
      g_file_get_contents (source, &bytes, &n, &error);
      g_assert_no_error (error);
      g_file_set_contents (target, bytes, n, &error);
      g_assert_no_error (error);
    }
  return dir;
}

/* Every path from a node to the metric leaves it through one of its links: what the links carry,
 * each times what its target is worth, adds up to the node's score. In a live rule a row is in
 * units of the metric already; in a frozen one a gated neuron's is in those of its activation. */
static double
worst_sum (const TrcGraph *graph, gboolean live)
{
  guint32 n = trc_graph_n_nodes (graph);
  double largest = 0, worst = 0;

  for (guint32 s = 0; s < n; s++)
    if (isfinite (trc_graph_node (graph, s)->score))
      largest = MAX (largest, fabs (trc_graph_node (graph, s)->score));
  for (guint32 s = 0; s < n; s++)
    {
      const TrcNode *source = trc_graph_node (graph, s);
      gsize count;
      const TrcOutEdge *out = trc_graph_out_edges (graph, s, &count);
      double sum = 0;
      if (!isfinite (source->score))
        continue;
      for (gsize i = 0; i < count; i++)
        {
          const TrcNode *target = trc_graph_node (graph, out[i].target);
          gboolean scaled = !live && target->kind == TRC_NODE_NEURON;
          sum += trc_graph_out_edge (graph, &out[i])->weight
                 * (scaled ? target->score / target->activation : 1);
        }
      worst = MAX (worst, fabs (sum - source->score) / largest);
    }
  return worst;
}

static void
check_family (const char *weights, const char *config, gboolean gated)
{
  g_autofree char *dir = fixture_folder (weights, config);
  g_autoptr (GError) error = NULL;
  static const gint32 ids[] = { 3, 1, 4, 1, 5 };

  if (dir == NULL)
    return;
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  g_assert_no_error (error);
  g_autoptr (TrcDevice) device = trc_device_open ("cpu", &error);
  for (TrcEstimator e = TRC_ESTIMATOR_RELP; e <= TRC_ESTIMATOR_EAP_IG_ACT; e++)
    {
      TrcTraceParams p = TRC_TRACE_PARAMS_INIT;
      TrcTraceReport r;
      gboolean live = e >= TRC_ESTIMATOR_EAP;
      p.ids = ids;
      p.n_ids = G_N_ELEMENTS (ids);
      p.target = 2;
      p.foil = 6;
      p.estimator = e;
      p.n_targets = TRC_TARGETS_ALL;
      p.prune = FALSE;
      p.trust_sample = 0;
      if (!live && !gated)
        continue;
      g_autoptr (TrcGraph) graph = trc_trace_report (model, device, &p, &r, NULL, &error);
      g_assert_no_error (error);
      double worst = worst_sum (graph, live);
      g_test_message ("%s %s: links miss the scores by %.1g of the largest", weights,
                      trc_estimator_name (e), worst);
      g_assert_cmpfloat (worst, <, 1e-4);
      g_assert_true (e == TRC_ESTIMATOR_EAP_IG_ACT ? isnan (r.linear_check)
                                                   : r.linear_check < 1e-4);
    }
  trc_test_remove_tree (dir);
}

/* RMSNorm, rotary positions, grouped keys and gated neurons; parallel blocks. */
static void
test_families (void)
{
  check_family ("tiny_llama.safetensors", "tiny_llama_config.json", TRUE);
  check_family ("tiny_gptneox.safetensors", "tiny_gptneox_config.json", FALSE);
  check_family ("tiny_gptneox.safetensors", "tiny_gptneox_seq_config.json", FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/readers/eap", test_eap);
  g_test_add_func ("/attribution/readers/eap-ig", test_eap_ig);
  g_test_add_func ("/attribution/readers/families", test_families);
  return g_test_run ();
}
