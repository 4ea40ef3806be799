#include "compute/attribution/tracer.h"

#include "compute/prune.h"

#include <math.h>
#include <string.h>

static const char *const names[TRC_N_ESTIMATORS] = {
  [TRC_ESTIMATOR_AUTO] = "auto",
  [TRC_ESTIMATOR_RELP] = "relp",
  [TRC_ESTIMATOR_EAP_IG] = "eap-ig",
  [TRC_ESTIMATOR_EAP] = "eap",
  [TRC_ESTIMATOR_GRAD_ACT] = "grad-act",
  [TRC_ESTIMATOR_EXACT] = "exact",
  [TRC_ESTIMATOR_EAP_IG_ACT] = "eap-ig-act",
};

const char *
trc_estimator_name (TrcEstimator estimator)
{
  g_return_val_if_fail (estimator < TRC_N_ESTIMATORS, "?");
  return names[estimator];
}

gboolean
trc_estimator_from_name (const char *name, TrcEstimator *out)
{
  for (guint i = 0; i < TRC_N_ESTIMATORS; i++)
    if (g_strcmp0 (name, names[i]) == 0)
      {
        *out = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
check_params (const TrcTraceParams *p, GError **error)
{
  gboolean live = p->estimator != TRC_ESTIMATOR_AUTO && p->estimator != TRC_ESTIMATOR_RELP
                  && p->estimator != TRC_ESTIMATOR_GRAD_ACT;
  if (p->heads == TRC_HEADS_TRANSPARENT && live)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "Transparent heads need frozen patterns, which the rule %s has not; use relp "
          "or grad-act, or draw the heads as nodes.",
          names[p->estimator]);
      return FALSE;
    }
  return TRUE;
}

/* ---- rules and their agreement with exact patching ---- */

typedef struct {
  TrcTracer tracer;
  TrcRule *rules[TRC_N_ESTIMATORS];
  TrcPlace *sample;
  double *truth; /* of the sample */
  guint n_sample;
} Trace;

static gboolean
need_rule (Trace *self, TrcEstimator estimator, GError **error)
{
  if (self->rules[estimator] == NULL)
    self->rules[estimator] = trc_rule_new (&self->tracer, estimator, error);
  return self->rules[estimator] != NULL;
}

static gboolean
take_sample (Trace *self, GError **error)
{
  guint wanted = self->tracer.params->trust_sample;

  if (wanted == 0 && self->tracer.params->estimator == TRC_ESTIMATOR_AUTO)
    wanted = 64;
  if (wanted == 0)
    return TRUE;
  self->sample = trc_trust_sample (&self->tracer, wanted, &self->n_sample);
  self->truth = g_new0 (double, MAX (self->n_sample, 1));
  self->tracer.report->n_sample = self->n_sample;
  return trc_exact_scores (&self->tracer, self->sample, self->n_sample, self->truth, error);
}

/* Agreement over the sampled nodes of @kind, or of all kinds. */
static TrcAgreement
agreement_of (const Trace *self, const double *scores, gboolean all, TrcKind kind)
{
  g_autofree double *x = g_new (double, self->n_sample + 1);
  g_autofree double *y = g_new (double, self->n_sample + 1);
  guint n = 0;

  for (guint i = 0; i < self->n_sample; i++)
    if (all || self->sample[i].kind == kind)
      {
        x[n] = scores[i];
        y[n++] = self->truth[i];
      }
  return trc_trust_agreement (x, y, n, self->tracer.params->seed);
}

static void
measure_rule (Trace *self, TrcEstimator estimator)
{
  TrcTraceReport *r = self->tracer.report;
  g_autofree double *scores = g_new (double, self->n_sample + 1);

  if (self->n_sample == 0)
    return;
  for (guint i = 0; i < self->n_sample; i++)
    scores[i] = trc_rule_score (&self->tracer, self->rules[estimator], self->sample[i]);
  r->agreement[estimator] = agreement_of (self, scores, TRUE, 0);
  r->heads[estimator] = agreement_of (self, scores, FALSE, TRC_KIND_HEAD);
  r->neurons[estimator] = agreement_of (self, scores, FALSE, TRC_KIND_NEURON);
}

/* The length of what every sampled node writes; the sample holds runs of one kind and layer. */
static gboolean
write_sizes (Trace *self, double *sizes, GError **error)
{
  TrcTracer *t = &self->tracer;
  gsize d = t->config->d_model;

  for (guint first = 0; first < self->n_sample;)
    {
      guint n = 1;
      while (first + n < self->n_sample && n < 256
             && self->sample[first + n].kind == self->sample[first].kind
             && self->sample[first + n].layer == self->sample[first].layer)
        n++;
      g_autofree float *rows = g_new (float, n *d);
      g_autoptr (TrcTensor) writes = trc_block_writes (t, &self->sample[first], n, error);
      if (writes == NULL || !trc_tensor_read (writes, rows, n * d, error))
        return FALSE;
      for (guint i = 0; i < n; i++)
        {
          sizes[first + i] = 0;
          for (gsize j = 0; j < d; j++)
            sizes[first + i] += (double)rows[i * d + j] * rows[i * d + j];
          sizes[first + i] = sqrt (sizes[first + i]);
        }
      first += n;
    }
  return TRUE;
}

/* What a score should beat: the size of what a node writes, and the same scores shuffled. */
static gboolean
measure_controls (Trace *self, TrcEstimator estimator, GError **error)
{
  TrcTracer *t = &self->tracer;
  const TrcRule *rule = self->rules[estimator];
  g_autofree double *sizes = g_new (double, self->n_sample + 1);
  g_autofree double *scores = g_new (double, self->n_sample + 1);

  if (!write_sizes (self, sizes, error))
    return FALSE;
  for (guint i = 0; i < self->n_sample; i++)
    scores[i] = rule != NULL ? trc_rule_score (t, rule, self->sample[i]) : self->truth[i];
  t->report->control_norm = agreement_of (self, sizes, TRUE, 0);
  trc_trust_shuffle (scores, self->n_sample, t->params->seed);
  t->report->control_shuffled = agreement_of (self, scores, TRUE, 0);
  return TRUE;
}

/* Tries every rule that fits the form of the heads; the highest Pearson wins, RelP on a tie. */
static gboolean
choose_rule (Trace *self, TrcEstimator *best, GError **error)
{
  static const TrcEstimator all[] = { TRC_ESTIMATOR_RELP, TRC_ESTIMATOR_GRAD_ACT,
                                      TRC_ESTIMATOR_EAP, TRC_ESTIMATOR_EAP_IG };
  guint n = self->tracer.params->heads == TRC_HEADS_TRANSPARENT ? 2 : G_N_ELEMENTS (all);
  double highest = -INFINITY;

  *best = TRC_ESTIMATOR_RELP;
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("trying %s", names[all[i]]);
      trc_progress_report (self->tracer.progress, 0.02 * (i + 1), text);
      if (!need_rule (self, all[i], error))
        return FALSE;
      measure_rule (self, all[i]);
      const TrcAgreement *a = &self->tracer.report->agreement[all[i]];
      if (a->tried && a->pearson > highest)
        {
          highest = a->pearson;
          *best = all[i];
        }
    }
  for (guint i = 0; i < n; i++)
    if (all[i] != *best)
      {
        trc_rule_free (self->rules[all[i]], self->tracer.config->n_layers);
        self->rules[all[i]] = NULL;
      }
  return TRUE;
}

static gboolean
settle_rule (Trace *self, TrcEstimator *estimator, GError **error)
{
  *estimator = self->tracer.params->estimator;
  if (!take_sample (self, error))
    return FALSE;
  if (*estimator == TRC_ESTIMATOR_AUTO)
    {
      if (!choose_rule (self, estimator, error))
        return FALSE;
    }
  else if (*estimator == TRC_ESTIMATOR_EXACT)
    {
      /* RelP ranks the nodes to patch; the plain gradient says along which direction a head
       * matters. */
      if (!need_rule (self, TRC_ESTIMATOR_RELP, error)
          || !need_rule (self, TRC_ESTIMATOR_EAP, error))
        return FALSE;
    }
  else
    {
      if (!need_rule (self, *estimator, error))
        return FALSE;
      measure_rule (self, *estimator);
    }
  self->tracer.report->estimator = *estimator;
  return self->n_sample == 0 || measure_controls (self, *estimator, error);
}

/* ---- targets ---- */

static void
add_target (GArray *targets, TrcPlace place, guint32 node)
{
  const TrcTarget target = { .place = place,
                             .node = node,
                             .links = g_array_new (FALSE, FALSE, sizeof (TrcLink)) };
  g_array_append_val (targets, target);
}

/* From the top down: logits, then each layer's neurons and, head by head, its heads. */
static GArray *
list_targets (const TrcTracer *t, const TrcChosen *chosen)
{
  const TrcModelConfig *c = t->config;
  GArray *targets = g_array_new (FALSE, FALSE, sizeof (TrcTarget));

  for (guint j = 0; j < t->n_logits; j++)
    add_target (targets, (TrcPlace){ TRC_KIND_LOGIT, 0, j, t->n_tokens - 1 },
                chosen->first_logit + j);
  for (guint l = c->n_layers; l-- > 0;)
    {
      for (guint p = 0; p < t->n_tokens; p++)
        for (guint i = 0; i < c->d_mlp; i++)
          if (chosen->neuron[l][(gsize)p * c->d_mlp + i] >= 0)
            add_target (targets, (TrcPlace){ TRC_KIND_NEURON, l, i, p },
                        chosen->neuron[l][(gsize)p * c->d_mlp + i]);
      for (guint h = 0; h < c->n_heads; h++)
        for (guint p = 0; p < t->n_tokens; p++)
          if (chosen->head[l][(gsize)p * c->n_heads + h] >= 0)
            add_target (targets, (TrcPlace){ TRC_KIND_HEAD, l, h, p },
                        chosen->head[l][(gsize)p * c->n_heads + h]);
    }
  return targets;
}

static void
free_targets (GArray *targets)
{
  for (guint k = 0; k < targets->len; k++)
    g_array_unref (g_array_index (targets, TrcTarget, k).links);
  g_array_unref (targets);
}

/* The worst gap between a row and its target; NaN when no target has a value of its own. */
static double
linear_check (GArray *targets)
{
  double worst = NAN;
  for (guint k = 0; k < targets->len; k++)
    {
      const TrcTarget *t = &g_array_index (targets, TrcTarget, k);
      double size = t->size + fabs (t->bias), gap = fabs (t->sum + t->bias - t->value);
      if (!isnan (t->value) && (size > 0 || gap > 0))
        worst = fmax (worst, gap / MAX (size, fabs (t->value)));
    }
  return worst;
}

/* ---- scores of the nodes ---- */

static void
list_places (const TrcTracer *t, GArray *targets, TrcPlace *places)
{
  for (guint p = 0; p < t->n_tokens; p++)
    places[p] = (TrcPlace){ TRC_KIND_EMBED, 0, 0, p };
  for (guint k = 0; k < targets->len; k++)
    {
      const TrcTarget *target = &g_array_index (targets, TrcTarget, k);
      places[target->node] = target->place;
    }
}

static gboolean
score_nodes (Trace *self, TrcEstimator estimator, const TrcChosen *chosen, GArray *targets,
             double *scores, GError **error)
{
  TrcTracer *t = &self->tracer;
  g_autofree TrcPlace *places = g_new (TrcPlace, chosen->n_nodes);
  g_autofree guint32 *nodes = g_new (guint32, chosen->n_nodes);
  guint n = 0;

  for (guint32 i = 0; i < chosen->n_nodes; i++)
    {
      places[i].kind = TRC_KIND_REST;
      scores[i] = NAN;
    }
  list_places (t, targets, places);
  for (guint32 i = 0; i < chosen->first_logit; i++)
    if (places[i].kind != TRC_KIND_REST)
      {
        places[n] = places[i];
        nodes[n++] = i;
      }
  g_autofree double *found = g_new0 (double, MAX (n, 1));
  if (estimator == TRC_ESTIMATOR_EXACT && !trc_exact_scores (t, places, n, found, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    scores[nodes[i]] = estimator == TRC_ESTIMATOR_EXACT
                           ? found[i]
                           : trc_rule_score (t, self->rules[estimator], places[i]);
  return TRUE;
}

/* ---- figures in the graph ---- */

static void
note_agreement (TrcGraphBuilder *b, const char *key, const TrcAgreement *a)
{
  const struct {
    const char *name;
    double value;
  } rows[] = { { "pearson", a->pearson },           { "pearson_low", a->pearson_low },
               { "pearson_high", a->pearson_high }, { "spearman", a->spearman },
               { "spearman_low", a->spearman_low }, { "spearman_high", a->spearman_high } };

  for (guint i = 0; a->tried && i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("tracery.%s.%s", key, rows[i].name);
      trc_graph_builder_set_number (b, path, rows[i].value);
    }
}

static TrcGraph *
note_figures (const TrcTracer *t, const TrcGraph *graph, const double *cumulative,
              GError **error)
{
  const TrcTraceReport *r = t->report;
  TrcGraphBuilder *b = trc_graph_builder_new_from (graph);
  const struct {
    const char *key;
    double value;
  } rows[] = {
    { "tracery.sample", r->n_sample },
    { "tracery.linear_check", r->linear_check },
    { "tracery.metric", r->metric },
    { "tracery.replacement", r->replacement },
    { "tracery.completeness", r->completeness },
    { "tracery.nodes_before", r->n_nodes_before },
    { "tracery.links_before", r->n_links_before },
    { "tracery.seed", (double)t->params->seed },
  };

  for (guint32 i = 0; cumulative != NULL && i < trc_graph_builder_n_nodes (b); i++)
    {
      TrcNode *node = trc_graph_builder_node (b, i);
      node->influence = cumulative[i];
      node->flags |= TRC_NODE_HAS_INFLUENCE;
    }
  trc_graph_builder_set_text (b, "tracery.estimator", names[r->estimator]);
  trc_graph_builder_set_text (b, "tracery.heads",
                              t->params->heads == TRC_HEADS_NODES ? "nodes" : "transparent");
  trc_graph_builder_set_text (b, "tracery.baseline",
                              t->other != NULL ? "counterfactual" : "zero");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    trc_graph_builder_set_number (b, rows[i].key, rows[i].value);
  for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
    {
      g_autofree char *key = g_strdup_printf ("agreement.%s", names[e]);
      note_agreement (b, key, &r->agreement[e]);
    }
  note_agreement (b, "control.norm", &r->control_norm);
  note_agreement (b, "control.shuffled", &r->control_shuffled);
  return trc_graph_builder_finish (b, error);
}

static TrcGraph *
finish_graph (TrcTracer *t, TrcGraph *whole, GError **error)
{
  const TrcPruneParams params = { .node_share = t->params->node_share,
                                  .edge_share = t->params->edge_share };
  TrcTraceReport *r = t->report;
  TrcGraphScores scores;

  trc_progress_report (t->progress, 0.95, "influence and pruning");
  g_autoptr (TrcPruner) pruner = trc_pruner_new (whole, t->progress, error);
  if (pruner == NULL)
    return NULL;
  scores = trc_pruner_scores (pruner);
  r->replacement = scores.replacement;
  r->completeness = scores.completeness;
  r->pruned_replacement = r->pruned_completeness = NAN;
  r->n_nodes_before = trc_graph_n_nodes (whole);
  r->n_links_before = trc_graph_n_edges (whole);
  if (!t->params->prune)
    return note_figures (t, whole, trc_pruner_cumulative (pruner), error);
  g_autoptr (TrcPruned) kept = trc_pruner_keep (pruner, &params, t->progress, error);
  if (kept == NULL)
    return NULL;
  g_autoptr (TrcGraph) small = trc_graph_subgraph (whole, kept, pruner, &params, error);
  if (small == NULL || !trc_graph_scores (small, &scores, error))
    return NULL;
  r->pruned_replacement = scores.replacement;
  r->pruned_completeness = scores.completeness;
  return note_figures (t, small, NULL, error);
}

/* ---- the driver ---- */

static TrcGraph *
trace_rows (Trace *self, TrcEstimator estimator, const TrcChosen *chosen, GArray *targets,
            GError **error)
{
  TrcTracer *t = &self->tracer;
  TrcTarget *rows = (TrcTarget *)targets->data;
  gboolean exact = estimator == TRC_ESTIMATOR_EXACT;
  g_autofree double *scores = g_new (double, chosen->n_nodes);

  if (!score_nodes (self, estimator, chosen, targets, scores, error))
    return NULL;
  if (!(exact ? trc_exact_links (t, self->rules[TRC_ESTIMATOR_EAP], chosen, rows, targets->len,
                                 error)
              : trc_sweep (t, self->rules[estimator], chosen, rows, targets->len, error)))
    return NULL;
  t->report->linear_check = exact ? NAN : linear_check (targets);
  g_autoptr (TrcGraph) whole = trc_assemble (t, chosen, scores, rows, targets->len, error);
  return whole != NULL ? finish_graph (t, whole, error) : NULL;
}

static TrcGraph *
trace_all (Trace *self, GError **error)
{
  TrcTracer *t = &self->tracer;
  TrcEstimator estimator;

  if (!trc_tracer_prepare (t, error) || !settle_rule (self, &estimator, error))
    return NULL;
  TrcChosen *chosen = trc_chosen_new (
      t, self->rules[estimator == TRC_ESTIMATOR_EXACT ? TRC_ESTIMATOR_RELP : estimator]);
  GArray *targets = list_targets (t, chosen);
  TrcGraph *graph = trace_rows (self, estimator, chosen, targets, error);
  free_targets (targets);
  trc_chosen_free (chosen, t->config->n_layers);
  return graph;
}

TrcGraph *
trc_trace_report (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
                  TrcTraceReport *report, const TrcProgress *progress, GError **error)
{
  TrcTraceReport own;
  Trace self = {
    .tracer = { .model = model, .device = device, .params = params, .progress = progress }
  };

  g_return_val_if_fail (model != NULL && device != NULL && params != NULL, NULL);
  if (!check_params (params, error))
    return NULL;
  self.tracer.report = report != NULL ? report : &own;
  memset (self.tracer.report, 0, sizeof own);
  TrcGraph *graph = trace_all (&self, error);
  for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
    trc_rule_free (self.rules[e], trc_model_config (model)->n_layers);
  g_free (self.sample);
  g_free (self.truth);
  trc_tracer_clear (&self.tracer);
  return graph;
}

TrcGraph *
trc_trace (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
           const TrcProgress *progress, GError **error)
{
  return trc_trace_report (model, device, params, NULL, progress, error);
}

gboolean
trc_patch_effects (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
                   const TrcHook *hooks, guint n, double *effects, double *metric,
                   const TrcProgress *progress, GError **error)
{
  TrcTraceReport report = { 0 };
  TrcTracer tracer = {
    .model = model, .device = device, .params = params, .progress = progress, .report = &report
  };

  g_return_val_if_fail (model != NULL && device != NULL && params != NULL, FALSE);
  gboolean ok = trc_tracer_prepare (&tracer, error)
                && trc_exact_hooks (&tracer, hooks, n, effects, error);
  if (metric != NULL)
    *metric = report.metric;
  trc_tracer_clear (&tracer);
  return ok;
}
