/* The same graph from the CPU and from a software Vulkan device, to 1e-4 of a row's largest. */
#include "tests/support/attribution_fixture.h"

#include <math.h>
#include <string.h>

static double
worst_gap (const TrcGraph *a, const TrcGraph *b)
{
  double worst = 0;

  g_assert_cmpuint (trc_graph_n_nodes (a), ==, trc_graph_n_nodes (b));
  for (guint32 t = 0; t < trc_graph_n_nodes (a); t++)
    {
      guint32 n = trc_graph_n_nodes (a);
      g_autofree double *row = g_new0 (double, n);
      double largest = 0, gap = 0;
      gsize n_a, n_b;
      const TrcEdge *x = trc_graph_in_edges (a, t, &n_a), *y = trc_graph_in_edges (b, t, &n_b);
      for (gsize i = 0; i < n_a; i++)
        {
          row[x[i].source] = x[i].weight;
          largest = MAX (largest, fabs (x[i].weight));
        }
      for (gsize i = 0; i < n_b; i++)
        row[y[i].source] -= y[i].weight;
      for (guint32 i = 0; i < n; i++)
        gap = MAX (gap, fabs (row[i]));
      g_assert_cmpfloat (gap, <=, 2 * 1e-4 * largest + 1e-6);
      worst = MAX (worst, largest > 1e-3 ? gap / largest : 0);
      g_assert_cmpstr (trc_graph_node (a, t)->label, ==, trc_graph_node (b, t)->label);
      const TrcNode *p = trc_graph_node (a, t), *q = trc_graph_node (b, t);
      g_assert_true (isnan (p->score) == isnan (q->score));
      if (!isnan (p->score))
        g_assert_cmpfloat_with_epsilon (p->score, q->score, 1e-4);
    }
  return worst;
}

static void
compare (const TrcOracleConfig *config, TrcEstimator estimator, TrcHeadForm form)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) vulkan = trc_device_open ("vulkan:llvmpipe", &error);

  if (vulkan == NULL)
    {
      g_test_skip (error->message);
      return;
    }
  trc_fixture_open (&f, config, 121);
  TrcTraceParams p = trc_fixture_params (&f, estimator, TRUE);
  p.heads = form;
  g_autoptr (TrcGraph) on_cpu = trc_fixture_trace (&f, &p, NULL);
  g_autoptr (TrcGraph) on_vulkan = trc_trace (f.model, vulkan, &p, NULL, &error);
  g_assert_no_error (error);
  g_test_message ("%s: worst %.2g of the row's largest", trc_estimator_name (estimator),
                  worst_gap (on_cpu, on_vulkan));
}

static void
test_devices (void)
{
  compare (&trc_fixture_full, TRC_ESTIMATOR_RELP, TRC_HEADS_NODES);
  compare (&trc_fixture_full, TRC_ESTIMATOR_GRAD_ACT, TRC_HEADS_TRANSPARENT);
  compare (&trc_fixture_full, TRC_ESTIMATOR_EAP_IG, TRC_HEADS_NODES);
  compare (&trc_fixture_bare, TRC_ESTIMATOR_EXACT, TRC_HEADS_NODES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/devices", test_devices);
  return g_test_run ();
}
