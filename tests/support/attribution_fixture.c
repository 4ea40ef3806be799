#include "tests/support/attribution_fixture.h"

#include "tests/support/shared_data.h"

#include <string.h>

const TrcOracleConfig trc_fixture_full = { .n_layers = 2,
                                           .d_model = 12,
                                           .n_heads = 2,
                                           .d_head = 6,
                                           .d_mlp = 10,
                                           .n_vocab = 9,
                                           .n_ctx = 8,
                                           .norm = TRUE,
                                           .bias = TRUE,
                                           .gelu = TRUE };
const TrcOracleConfig trc_fixture_bare = {
  .n_layers = 2, .d_model = 8, .n_heads = 3, .d_head = 5, .d_mlp = 14, .n_vocab = 7, .n_ctx = 6
};

void
trc_fixture_open (TrcFixture *self, const TrcOracleConfig *config, guint32 seed)
{
  g_autoptr (GError) error = NULL;
  static const gint32 ids[] = { 3, 0, 5, 3, 1 }, other[] = { 3, 4, 5, 2, 1 };

  self->config = *config;
  self->oracle = trc_oracle_new (config, seed);
  self->dir = trc_test_temp_dir ();
  trc_oracle_save (self->oracle, self->dir, &error);
  g_assert_no_error (error);
  self->model = trc_model_open (self->dir, &error);
  g_assert_no_error (error);
  self->device = trc_device_open ("cpu", &error);
  g_assert_no_error (error);
  self->n_tokens = G_N_ELEMENTS (ids);
  memcpy (self->ids, ids, sizeof ids);
  memcpy (self->other, other, sizeof other);
}

void
trc_fixture_clear (TrcFixture *self)
{
  g_clear_pointer (&self->oracle, trc_oracle_free);
  g_clear_pointer (&self->model, trc_model_unref);
  g_clear_pointer (&self->device, trc_device_unref);
  if (self->dir != NULL)
    trc_test_remove_tree (self->dir);
  g_clear_pointer (&self->dir, g_free);
}

TrcTraceParams
trc_fixture_params (const TrcFixture *self, TrcEstimator estimator, gboolean contrast)
{
  TrcTraceParams p = TRC_TRACE_PARAMS_INIT;

  p.ids = self->ids;
  p.n_ids = self->n_tokens;
  p.counterfactual_ids = contrast ? self->other : NULL;
  p.n_counterfactual_ids = contrast ? self->n_tokens : 0;
  p.target = 1;
  p.foil = 2;
  p.estimator = estimator;
  p.n_targets = TRC_TARGETS_ALL;
  p.prune = FALSE;
  p.trust_sample = 0;
  p.ig_steps = 3;
  return p;
}

TrcGraph *
trc_fixture_trace (TrcFixture *self, const TrcTraceParams *params, TrcTraceReport *report)
{
  g_autoptr (GError) error = NULL;
  double metric[16] = { 0 };

  g_assert_cmpuint (self->config.n_vocab, <=, G_N_ELEMENTS (metric));
  metric[1] = 1;
  metric[2] = -1;
  trc_oracle_prompt (self->oracle, (const guint32 *)params->ids,
                     (const guint32 *)params->counterfactual_ids, params->n_ids, metric,
                     params->ig_steps);
  TrcGraph *graph = trc_trace_report (self->model, self->device, params, report, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (graph);
  return graph;
}

gboolean
trc_fixture_place (const TrcNode *node, TrcOracleNode *out)
{
  if (node->kind == TRC_NODE_ERROR)
    return FALSE;
  *out = (TrcOracleNode){ .kind = node->kind == TRC_NODE_EMBEDDING ? TRC_ORACLE_EMBED
                                  : node->kind == TRC_NODE_HEAD    ? TRC_ORACLE_HEAD
                                  : node->kind == TRC_NODE_NEURON  ? TRC_ORACLE_NEURON
                                                                   : TRC_ORACLE_LOGIT,
                          .layer = MAX (node->layer, 0),
                          .index = node->index,
                          .position = node->position };
  if (node->kind == TRC_NODE_EMBEDDING || node->kind == TRC_NODE_LOGIT)
    out->layer = out->index = 0;
  return TRUE;
}

/* Weights of the links into @target by source, 0 where there is none. */
static double *
dense_row (const TrcGraph *graph, guint32 target)
{
  double *row = g_new0 (double, trc_graph_n_nodes (graph));
  gsize n;
  const TrcEdge *in = trc_graph_in_edges (graph, target, &n);
  for (gsize i = 0; i < n; i++)
    {
      g_assert_cmpfloat (row[in[i].source], ==, 0); /* each link once */
      row[in[i].source] = in[i].weight;
    }
  return row;
}

double
trc_fixture_check_rows (TrcFixture *self, const TrcGraph *graph, TrcOracleRule rule,
                        gboolean transparent, double limit)
{
  guint32 n = trc_graph_n_nodes (graph);
  double worst = 0, metric[16] = { 0, 1, -1 };

  for (guint32 t = 0; t < n; t++)
    {
      TrcOracleNode target, source;
      const TrcNode *node = trc_graph_node (graph, t);
      if (node->kind == TRC_NODE_EMBEDDING || !trc_fixture_place (node, &target))
        continue;
      g_autofree double *row = dense_row (graph, t);
      g_autofree double *truth = g_new0 (double, n);
      double largest = 0;
      for (guint32 s = 0; s < n; s++)
        if (trc_graph_node (graph, s)->kind != TRC_NODE_LOGIT
            && trc_fixture_place (trc_graph_node (graph, s), &source))
          {
            truth[s] =
                trc_oracle_link (self->oracle, rule, transparent, target, metric, source);
            largest = MAX (largest, ABS (truth[s]));
          }
      for (guint32 s = 0; s < n; s++)
        if (trc_graph_node (graph, s)->kind != TRC_NODE_ERROR)
          {
            double gap = ABS (row[s] - truth[s]);
            /* Where a row nearly cancels (a norm undoes what scales its whole input), float
             * leaves some 1e-6 of what cancelled. */
            if (gap > limit * largest + 2e-6)
              g_error ("link %s@%d -> %s@%d is %.9g, should be %.9g (largest of the row %.3g)",
                       trc_graph_node (graph, s)->label, trc_graph_node (graph, s)->position,
                       node->label, node->position, row[s], truth[s], largest);
            worst = MAX (worst, largest > 1e-3 ? gap / largest : 0);
          }
    }
  return worst;
}

double
trc_fixture_check_scores (TrcFixture *self, const TrcGraph *graph, TrcOracleRule rule,
                          double limit)
{
  guint32 n = trc_graph_n_nodes (graph);
  g_autofree double *truth = g_new0 (double, n);
  double worst = 0, largest = 0;
  TrcOracleNode place;

  for (guint32 i = 0; i < n; i++)
    if (trc_graph_node (graph, i)->kind != TRC_NODE_LOGIT
        && trc_fixture_place (trc_graph_node (graph, i), &place))
      {
        truth[i] = trc_oracle_score (self->oracle, rule, place);
        largest = MAX (largest, ABS (truth[i]));
      }
  for (guint32 i = 0; i < n; i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      if (node->kind == TRC_NODE_LOGIT || node->kind == TRC_NODE_ERROR)
        continue;
      double gap = ABS (node->score - truth[i]) / largest;
      if (!(gap <= limit))
        g_error ("score of %s@%d is %.9g, should be %.9g (largest %.3g)", node->label,
                 node->position, node->score, truth[i], largest);
      worst = MAX (worst, gap);
    }
  return worst;
}
