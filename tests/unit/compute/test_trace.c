/* The whole trace: names of the rules, the choice of auto, pruning, progress, cancel, the same
 * bytes twice, and gpt-nano-sort. */
#include "tests/support/attribution_fixture.h"
#include "tests/support/nano_sort.h"
#include "tests/support/shared_data.h"

#include "compute/graph_file.h"
#include "compute/prune.h"

#include <math.h>
#include <string.h>

static void
test_names (void)
{
  for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
    {
      TrcEstimator back = TRC_N_ESTIMATORS;
      g_assert_true (trc_estimator_from_name (trc_estimator_name (e), &back));
      g_assert_cmpint (back, ==, e);
    }
  TrcEstimator untouched = TRC_ESTIMATOR_EAP;
  g_assert_false (trc_estimator_from_name ("magic", &untouched));
  g_assert_false (trc_estimator_from_name (NULL, &untouched));
  g_assert_cmpint (untouched, ==, TRC_ESTIMATOR_EAP);
}

/* auto takes the rule of the highest Pearson, and says what the others had. */
static void
test_auto (void)
{
  g_auto (TrcFixture) f = { 0 };
  TrcTraceReport r;

  trc_fixture_open (&f, &trc_fixture_full, 111);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_AUTO, TRUE);
  p.trust_sample = 50;
  g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, &r);
  for (guint e = TRC_ESTIMATOR_RELP; e <= TRC_ESTIMATOR_EAP_IG; e++)
    {
      g_assert_true (r.agreement[e].tried);
      g_assert_cmpfloat (r.agreement[r.estimator].pearson, >=, r.agreement[e].pearson);
    }
  g_assert_cmpstr (trc_graph_text (graph, "tracery.estimator"), ==,
                   trc_estimator_name (r.estimator));
  g_assert_true (r.control_norm.tried && r.control_shuffled.tried);
  g_assert_cmpfloat (r.agreement[r.estimator].pearson, >, fabs (r.control_shuffled.pearson));
  g_assert_cmpuint (r.n_sample, ==, 50);
  g_assert_cmpuint (r.patches, ==, 50);
}

/* Pruned here is pruned afterwards: the same nodes and links. */
static void
test_pruned (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport r;

  trc_fixture_open (&f, &trc_fixture_full, 112);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  g_autoptr (TrcGraph) whole = trc_fixture_trace (&f, &p, NULL);
  p.prune = TRUE;
  g_autoptr (TrcGraph) small = trc_fixture_trace (&f, &p, &r);
  const TrcPruneParams shares = TRC_PRUNE_DEFAULTS;
  g_autoptr (TrcGraph) want = trc_graph_prune (whole, &shares, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (small), <, trc_graph_n_nodes (whole));
  g_assert_cmpuint (trc_graph_n_nodes (small), ==, trc_graph_n_nodes (want));
  g_assert_cmpuint (trc_graph_n_edges (small), ==, trc_graph_n_edges (want));
  g_assert_cmpuint (r.n_nodes_before, ==, trc_graph_n_nodes (whole));
  g_assert_true (trc_graph_has_cumulative_influence (small));
  g_assert_true (trc_graph_has_cumulative_influence (whole));
}

/* The same call gives the same bytes. */
static void
test_same_bytes (void)
{
  g_auto (TrcFixture) f = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 113);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_AUTO, FALSE);
  p.trust_sample = 30;
  g_autoptr (TrcGraph) a = trc_fixture_trace (&f, &p, NULL);
  g_autoptr (TrcGraph) b = trc_fixture_trace (&f, &p, NULL);
  g_autoptr (GString) one = trc_graph_to_json (a), two = trc_graph_to_json (b);
  g_assert_cmpstr (one->str, ==, two->str);
}

typedef struct {
  GCancellable *cancellable;
  guint calls, stop_at;
  double last;
} Watch;

static void
watch (double fraction, const char *text, gpointer data)
{
  Watch *self = data;
  g_assert_nonnull (text);
  g_assert_cmpfloat (fraction, <=, 1);
  if (++self->calls == self->stop_at)
    g_cancellable_cancel (self->cancellable);
}

/* Cancelled at every report there is: each time that error and nothing else. */
static void
test_cancel (void)
{
  g_auto (TrcFixture) f = { 0 };
  guint reports = 0;

  trc_fixture_open (&f, &trc_fixture_full, 114);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_AUTO, FALSE);
  p.trust_sample = 30;
  for (guint stop = 0; stop <= reports; stop++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GError) error = NULL;
      Watch w = { cancellable, 0, stop, 0 };
      const TrcProgress progress = { cancellable, watch, &w };
      g_autoptr (TrcGraph) graph = trc_trace (f.model, f.device, &p, &progress, &error);
      if (stop == 0)
        {
          g_assert_no_error (error);
          reports = w.calls;
          g_assert_cmpuint (reports, >=, 5);
        }
      else if (graph == NULL)
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        g_assert_cmpuint (stop, >=, reports); /* too late to stop anything */
    }
}

/* On the sorting model some rule agrees with real patching to 0.95 on each of three prompts. */
static void
test_nano_sort (void)
{
  static const gint32 prompts[3][7] = { { 2, 1, 0, 1, 1, 2, 0 },
                                        { 2, 2, 0, 1, 0, 1, 0 },
                                        { 1, 1, 2, 2, 0, 0, 0 } };
  static const gint32 others[3][7] = { { 2, 1, 1, 1, 1, 2, 0 },
                                       { 2, 2, 0, 1, 1, 1, 0 },
                                       { 1, 1, 2, 2, 0, 1, 0 } };
  g_autofree char *folder = trc_test_nano_sort ();
  g_autoptr (GError) error = NULL;

  if (folder == NULL)
    return;
  g_autoptr (TrcModel) model = trc_model_open (folder, &error);
  g_assert_no_error (error);
  g_autoptr (TrcDevice) device = trc_device_open ("cpu", &error);
  for (guint i = 0; i < 3; i++)
    {
      TrcTraceParams p = TRC_TRACE_PARAMS_INIT;
      TrcTraceReport r;
      p.ids = prompts[i];
      p.counterfactual_ids = others[i];
      p.n_ids = p.n_counterfactual_ids = i == 0 ? 6 : 7;
      p.target = 0;
      p.foil = 1;
      g_autoptr (TrcGraph) graph = trc_trace_report (model, device, &p, &r, NULL, &error);
      g_assert_no_error (error);
      g_test_message ("%s: Pearson %.3f (%.3f to %.3f), linear check %.1g",
                      trc_estimator_name (r.estimator), r.agreement[r.estimator].pearson,
                      r.agreement[r.estimator].pearson_low,
                      r.agreement[r.estimator].pearson_high, r.linear_check);
      g_assert_cmpfloat (r.agreement[r.estimator].pearson, >, 0.95);
      g_assert_cmpfloat (r.linear_check, <, 1e-4);
    }
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/trace/names", test_names);
  g_test_add_func ("/attribution/trace/auto", test_auto);
  g_test_add_func ("/attribution/trace/pruned", test_pruned);
  g_test_add_func ("/attribution/trace/same-bytes", test_same_bytes);
  g_test_add_func ("/attribution/trace/cancel", test_cancel);
  g_test_add_func ("/attribution/trace/nano-sort", test_nano_sort);
  return g_test_run ();
}
