/* Links between whole components over a task. For every pair and point: the gradient at each
 * reader as rows [T * d_model], times what every earlier component writes, one product a layer. */
#include "compute/attribution/readers.h"

#include <math.h>
#include <string.h>

typedef struct {
  TrcTracer *tracer;
  const TrcRule *rule;
  TrcRule part; /* the group of sources at work, [from, to) */
  guint from, to;
  guint n_sources;   /* input, then heads and MLP of each layer */
  TrcTensor *writes; /* [n_sources][T * d_model], clean minus corrupted */
  double *links;     /* [readers][n_sources], summed over pairs */
  double *scores;    /* [n_sources] */
} Components;

/* Source number of head 0 of a layer; its MLP follows its heads. */
static guint
first_source (const TrcModelConfig *c, guint layer)
{
  return 1 + layer * (c->n_heads + 1);
}

/* Reader number of a layer: queries, keys, values of all heads, then the MLP. The logits come
 * after all layers. */
static guint
first_reader (const TrcModelConfig *c, guint layer)
{
  return layer * (3 * c->n_heads + 1);
}

static guint
n_readers (const TrcModelConfig *c)
{
  return first_reader (c, c->n_layers) + 1;
}

/* ---- what components write ---- */

static TrcTensor *
upload (TrcTracer *t, const float *values, guint rows, guint columns, GError **error)
{
  return trc_tensor_from_data (t->device, TRC_F32, TRC_SHAPE (rows, columns), values,
                               (gsize)rows * columns * sizeof *values, "component", error);
}

/* Writes of all heads of a layer, one product a head. */
static gboolean
write_heads (Components *self, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  guint n = t->n_tokens, d = c->d_model, dh = c->d_head, w = c->n_heads * dh;
  const TrcWeight *o = trc_model_weight (t->model, t->device, TRC_WEIGHT_O, layer, error);
  g_autoptr (TrcTensor) z = upload (t, t->d_z[layer], n, w, error);
  TrcMatmulParams p = { .m = n,
                        .n = d,
                        .k = dh,
                        .ld_a = w,
                        .ld_b = d,
                        .ld_c = d,
                        .alpha = 1,
                        .n_outer = 1,
                        .n_inner = c->n_heads,
                        .a_inner = dh,
                        .b_inner = dh * d,
                        .c_inner = n * d,
                        .b_group = 1 };

  if (o == NULL || z == NULL)
    return FALSE;
  if (o->out_major)
    {
      p.trans_b = 1;
      p.ld_b = w;
      p.b_inner = dh;
    }
  p.off[3] = first_source (c, layer) * n * d;
  return trc_op_matmul (z, o->tensor, NULL, self->writes, &p, error);
}

static gboolean
write_mlp (Components *self, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  guint n = t->n_tokens, d = c->d_model, m = c->d_mlp;
  const TrcWeight *w = trc_model_weight (t->model, t->device, TRC_WEIGHT_DOWN, layer, error);
  g_autoptr (TrcTensor) act = upload (t, t->d_act[layer], n, m, error);
  TrcMatmulParams p = { .m = n,
                        .n = d,
                        .k = m,
                        .ld_a = m,
                        .ld_c = d,
                        .alpha = 1,
                        .n_outer = 1,
                        .n_inner = 1,
                        .b_group = 1 };

  if (w == NULL || act == NULL)
    return FALSE;
  p.trans_b = w->out_major;
  p.ld_b = w->out_major ? m : d;
  p.off[3] = (first_source (c, layer) + c->n_heads) * n * d;
  return trc_op_matmul (act, w->tensor, NULL, self->writes, &p, error);
}

static gboolean
write_all (Components *self, GError **error)
{
  TrcTracer *t = self->tracer;
  gsize row = (gsize)t->n_tokens * t->config->d_model;

  self->writes = trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (self->n_sources, row),
                                 "component writes", error);
  if (self->writes == NULL || !trc_tensor_write_part (self->writes, 0, t->d_embed, row, error))
    return FALSE;
  for (guint l = 0; l < t->config->n_layers; l++)
    if (!write_heads (self, l, error) || !write_mlp (self, l, error))
      return FALSE;
  return TRUE;
}

/* ---- what they read ---- */

/* rows [n_rows][T * d] times those of the first @limit writes that are at work, added to the links
 * from @reader on. */
static gboolean
add_links (Components *self, TrcTensor *rows, guint n_rows, guint reader, guint limit,
           GError **error)
{
  TrcTracer *t = self->tracer;
  guint k = t->n_tokens * t->config->d_model, n_sources = MIN (limit, self->to) - self->from;
  TrcMatmulParams p = { .m = n_rows,
                        .n = n_sources,
                        .k = k,
                        .ld_a = k,
                        .ld_b = k,
                        .ld_c = n_sources,
                        .trans_b = 1,
                        .alpha = 1,
                        .n_outer = 1,
                        .n_inner = 1,
                        .b_group = 1 };
  p.off[1] = self->from * k;
  g_autoptr (TrcTensor) out =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n_rows, n_sources), "links", error);
  g_autofree float *values = g_new (float, (gsize)n_rows *n_sources);

  if (out == NULL || !trc_op_matmul (rows, self->writes, NULL, out, &p, error)
      || !trc_tensor_read (out, values, (gsize)n_rows * n_sources, error))
    return FALSE;
  for (guint r = 0; r < n_rows; r++)
    for (guint s = 0; s < n_sources; s++)
      self->links[(gsize)(reader + r) * self->n_sources + self->from + s] +=
          values[(gsize)r * n_sources + s];
  return TRUE;
}

static gboolean
link_heads (Components *self, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  if (first_source (c, layer) <= self->from)
    return TRUE;
  g_autoptr (TrcTensor) rows = trc_readers_components (t, &self->part, layer, error);
  return rows != NULL
         && add_links (self, rows, 3 * c->n_heads, first_reader (c, layer),
                       first_source (c, layer), error);
}

/* A reader whose row is a sum over its neurons, or the metric's. */
static gboolean
link_block (Components *self, TrcKind kind, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  gboolean logits = kind == TRC_KIND_LOGIT;
  guint reader = logits ? n_readers (c) - 1 : first_reader (c, layer) + 3 * c->n_heads;
  guint sources = logits        ? self->n_sources
                  : c->parallel ? first_source (c, layer)
                                : first_source (c, layer) + c->n_heads;
  if (sources <= self->from)
    return TRUE;
  g_autoptr (TrcTensor) rows = trc_readers_block (t, &self->part, kind, layer, error);
  return rows != NULL && add_links (self, rows, 1, reader, sources, error);
}

static void
add_scores (Components *self)
{
  const TrcModelConfig *c = self->tracer->config;
  guint n = self->tracer->n_tokens;

  for (guint p = 0; p < n; p++)
    self->scores[0] += self->rule->embed[p];
  for (guint l = 0; l < c->n_layers; l++)
    {
      double *to = self->scores + first_source (c, l);
      for (gsize i = 0; i < (gsize)n * c->n_heads; i++)
        to[i % c->n_heads] += self->rule->head[l][i];
      for (gsize i = 0; i < (gsize)n * c->d_mlp; i++)
        to[c->n_heads] += self->rule->neuron[l][i];
    }
}

/* The sources of group @group of the rule: all of them when it has one group. */
static void
take_group (Components *self, guint group)
{
  const TrcModelConfig *c = self->tracer->config;
  guint layer = group > 0 ? (group - 1) / 2 : 0;
  gboolean heads = group % 2 == 1;

  self->from = group == 0 ? 0 : first_source (c, layer) + (heads ? 0 : c->n_heads);
  self->to = self->rule->n_groups == 1 ? self->n_sources
             : group == 0              ? 1
                                       : self->from + (heads ? c->n_heads : 1);
  self->part = trc_rule_part (self->rule,
                              group == 0 ? TRC_KIND_EMBED
                              : heads    ? TRC_KIND_HEAD
                                         : TRC_KIND_NEURON,
                              layer);
}

static gboolean
add_pair (Components *self, GError **error)
{
  gboolean ok = write_all (self, error);

  for (guint group = 0; ok && group < self->rule->n_groups; group++)
    {
      take_group (self, group);
      ok = link_block (self, TRC_KIND_LOGIT, 0, error);
      for (guint l = 0; ok && l < self->tracer->config->n_layers; l++)
        ok = link_block (self, TRC_KIND_NEURON, l, error) && link_heads (self, l, error);
    }
  g_clear_pointer (&self->writes, trc_tensor_unref);
  if (ok)
    add_scores (self);
  return ok;
}

/* ---- agreement with exact patching, over pairs ---- */

typedef struct {
  GArray *truth[TRC_N_COMPONENTS];
  GArray *guess[TRC_N_ESTIMATORS][TRC_N_COMPONENTS];
} Points;

static void
add_number (GArray **array, double value)
{
  if (*array == NULL)
    *array = g_array_new (FALSE, FALSE, sizeof (double));
  g_array_append_val (*array, value);
}

static void
points_clear (Points *self)
{
  for (guint part = 0; part < TRC_N_COMPONENTS; part++)
    {
      g_clear_pointer (&self->truth[part], g_array_unref);
      for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
        g_clear_pointer (&self->guess[e][part], g_array_unref);
    }
}

static gboolean
patch_components (TrcTracer *t, double *effects, GError **error)
{
  const TrcModelConfig *c = t->config;
  guint n = c->n_layers * (c->n_heads + 1);
  g_autofree TrcHook *hooks = g_new0 (TrcHook, n);

  for (guint l = 0; l < c->n_layers; l++)
    for (guint h = 0; h <= c->n_heads; h++)
      hooks[l * (c->n_heads + 1) + h] =
          (TrcHook){ .kind = h < c->n_heads ? TRC_HOOK_HEAD : TRC_HOOK_MLP,
                     .layer = l,
                     .index = h < c->n_heads ? h : 0,
                     .last = -1 };
  return trc_exact_hooks (t, hooks, n, effects, error);
}

/* The sampled neurons, heads left out: those are patched whole. */
static TrcPlace *
sample_neurons (TrcTracer *t, guint wanted, guint *n)
{
  TrcPlace *places = trc_trust_sample (t, 2 * wanted, n);
  guint kept = 0;
  for (guint i = 0; i < *n; i++)
    if (places[i].kind == TRC_KIND_NEURON && kept < wanted)
      places[kept++] = places[i];
  *n = kept;
  return places;
}

static gboolean
compare_pair (TrcTracer *t, const TrcComponentParams *params, Points *points, GError **error)
{
  const TrcModelConfig *c = t->config;
  guint parts = c->n_layers * (c->n_heads + 1), n_places;
  g_autofree double *effects = g_new0 (double, parts);
  g_autofree TrcPlace *places = sample_neurons (t, params->trust_sample, &n_places);
  g_autofree double *exact = g_new0 (double, n_places + 1);

  if (!patch_components (t, effects, error)
      || !trc_exact_scores (t, places, n_places, exact, error))
    return FALSE;
  for (guint i = 0; i < parts; i++)
    add_number (&points->truth[i % (c->n_heads + 1) < c->n_heads ? TRC_COMPONENT_HEADS
                                                                 : TRC_COMPONENT_MLPS],
                effects[i]);
  for (guint i = 0; i < n_places; i++)
    add_number (&points->truth[TRC_COMPONENT_NEURONS], exact[i]);
  for (TrcEstimator e = TRC_ESTIMATOR_RELP; e <= TRC_ESTIMATOR_EAP_IG_ACT; e++)
    {
      TrcRule *rule = trc_rule_new (t, e, error);
      if (rule == NULL)
        return FALSE;
      g_autofree double *scores = g_new0 (double, parts + 1);
      Components sums = { .tracer = t, .rule = rule, .scores = scores };
      add_scores (&sums);
      for (guint i = 0; i < parts; i++)
        add_number (&points->guess[e][i % (c->n_heads + 1) < c->n_heads ? TRC_COMPONENT_HEADS
                                                                        : TRC_COMPONENT_MLPS],
                    scores[1 + i]);
      for (guint i = 0; i < n_places; i++)
        add_number (&points->guess[e][TRC_COMPONENT_NEURONS],
                    trc_rule_score (t, rule, places[i]));
      trc_rule_free (rule, c->n_layers);
    }
  return TRUE;
}

static void
settle_points (const Points *points, const TrcComponentParams *params, TrcComponentReport *r)
{
  for (guint part = 0; part < TRC_N_COMPONENTS; part++)
    for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
      if (points->guess[e][part] != NULL)
        {
          r->n_points[part] = points->truth[part]->len;
          r->agreement[e][part] = trc_trust_agreement (
              (const double *)points->guess[e][part]->data,
              (const double *)points->truth[part]->data, r->n_points[part], params->seed);
        }
}

/* ---- the graph ---- */

static void
add_nodes (const Components *self, TrcGraphBuilder *b, double share)
{
  const TrcModelConfig *c = self->tracer->config;

  for (guint i = 0; i <= self->n_sources; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      g_autofree char *id = NULL;
      guint l = i > 0 ? (i - 1) / (c->n_heads + 1) : 0,
            h = i > 0 ? (i - 1) % (c->n_heads + 1) : 0;

      if (i == 0)
        node.kind = TRC_NODE_EMBEDDING, id = g_strdup ("input");
      else if (i == self->n_sources)
        node.kind = TRC_NODE_LOGIT, node.layer = c->n_layers, node.token_prob = 1,
        id = g_strdup ("logits");
      else
        {
          node.layer = l;
          node.kind = h < c->n_heads ? TRC_NODE_HEAD : TRC_NODE_MLP;
          node.index = h < c->n_heads ? (gint64)h : -1;
          id = h < c->n_heads ? g_strdup_printf ("a%u.h%u", l, h) : g_strdup_printf ("m%u", l);
        }
      node.id = id;
      node.label = id;
      node.score = i < self->n_sources ? self->scores[i] * share : NAN;
      node.flags = TRC_NODE_IN_CIRCUIT;
      trc_graph_builder_add_node (b, &node);
    }
}

static void
add_reader_links (const Components *self, TrcGraphBuilder *b, guint reader, guint32 target,
                  guint n_sources, TrcReader kind, double share)
{
  for (guint s = 0; s < n_sources; s++)
    {
      const TrcEdge edge = { .source = s,
                             .reader = kind,
                             .flags = TRC_EDGE_IN_CIRCUIT,
                             .weight =
                                 share * self->links[(gsize)reader * self->n_sources + s] };
      trc_graph_builder_add_edge_full (b, target, &edge);
    }
}

static TrcGraph *
make_graph (const Components *self, const TrcTask *task, const TrcComponentParams *params,
            guint n_pairs, GError **error)
{
  static const TrcReader order[] = { TRC_READER_Q, TRC_READER_K, TRC_READER_V };
  TrcModel *model = self->tracer->model;
  const TrcModelConfig *c = self->tracer->config;
  TrcGraphBuilder *b = trc_graph_builder_new ();
  double share = 1.0 / n_pairs;

  trc_graph_builder_set_dialect (b, TRC_GRAPH_EAP_IG);
  trc_graph_builder_set_number (b, "n_layers", c->n_layers);
  trc_graph_builder_set_number (b, "n_heads", c->n_heads);
  trc_graph_builder_set_bool (b, "parallel_attn_mlp", c->parallel);
  trc_graph_builder_set_bool (b, "parallel_attn_mlp", c->parallel);
  trc_graph_builder_set_number (b, "d_model", c->d_model);
  trc_graph_builder_set_text (b, "scan", trc_model_name (model));
  trc_graph_builder_set_text (b, "tracery.task", trc_task_name (task));
  trc_graph_builder_set_text (b, "tracery.estimator", trc_estimator_name (params->estimator));
  trc_graph_builder_set_number (b, "tracery.pairs", n_pairs);
  add_nodes (self, b, share);
  for (guint l = 0; l < c->n_layers; l++)
    {
      guint heads = first_source (c, l), reader = first_reader (c, l), mlp = heads + c->n_heads;
      for (guint h = 0; h < c->n_heads; h++)
        for (guint r = 0; r < G_N_ELEMENTS (order); r++)
          add_reader_links (self, b, reader + r * c->n_heads + h, heads + h, heads, order[r],
                            share);
      add_reader_links (self, b, reader + 3 * c->n_heads, mlp, c->parallel ? heads : mlp,
                        TRC_READER_ANY, share);
    }
  add_reader_links (self, b, n_readers (c) - 1, self->n_sources, self->n_sources,
                    TRC_READER_ANY, share);
  return trc_graph_builder_finish (b, error);
}

/* ---- the driver ---- */

typedef struct {
  Components sums;
  Points points;
  TrcTraceReport work;
  TrcModel *model;
  TrcDevice *device;
  TrcComponentParams params;
  TrcComponentReport *report;
  const TrcProgress *progress;
} Run;

/* One pair: its links, with the run's estimator, or what every rule says against patching. */
static gboolean
trace_pair (Run *self, const TrcTaskPair *pair, gboolean compare, GError **error)
{
  const TrcComponentParams *params = &self->params;
  const TrcProgress quiet = { .cancellable =
                                  self->progress != NULL ? self->progress->cancellable : NULL };
  TrcTraceParams p = TRC_TRACE_PARAMS_INIT;
  TrcTracer t = { .model = self->model,
                  .device = self->device,
                  .params = &p,
                  .report = &self->work,
                  .progress = &quiet };
  TrcRule *rule = NULL;

  p.ids = pair->clean;
  p.counterfactual_ids = pair->corrupted;
  p.n_ids = p.n_counterfactual_ids = pair->n_tokens;
  p.target = pair->answer;
  p.foil = pair->foil;
  p.ig_steps = params->ig_steps;
  p.seed = params->seed;
  p.memory_budget = params->memory_budget;
  gboolean ok =
      !trc_progress_cancelled (self->progress, error) && trc_tracer_prepare (&t, error);
  if (ok && compare)
    ok = compare_pair (&t, params, &self->points, error);
  else if (ok && (ok = (rule = trc_rule_new (&t, params->estimator, error)) != NULL))
    {
      self->sums.tracer = &t;
      self->sums.rule = rule;
      self->report->metric_clean += self->work.metric;
      self->report->metric_corrupted += trc_tracer_metric (&t, t.other->logits);
      ok = add_pair (&self->sums, error);
    }
  trc_rule_free (rule, trc_model_config (self->model)->n_layers);
  trc_tracer_clear (&t);
  return ok;
}

static gboolean
trace_pairs (Run *self, const TrcTaskPair *pairs, guint n, gboolean compare, double from,
             double to, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf (
          compare ? "comparing rules: pair %u of %u" : "links: pair %u of %u", i + 1, n);
      trc_progress_report (self->progress, from + (to - from) * i / n, text);
      if (!trace_pair (self, &pairs[i], compare, error))
        return FALSE;
    }
  return TRUE;
}

/* The live rule whose mean Pearson over heads and MLPs is highest; EAP-IG without figures. */
static TrcEstimator
best_rule (const TrcComponentReport *r)
{
  TrcEstimator best = TRC_ESTIMATOR_EAP_IG;
  double highest = -INFINITY;

  for (TrcEstimator e = TRC_ESTIMATOR_EAP; e <= TRC_ESTIMATOR_EAP_IG_ACT; e++)
    {
      const TrcAgreement *a = r->agreement[e];
      double mean = (a[TRC_COMPONENT_HEADS].pearson + a[TRC_COMPONENT_MLPS].pearson) / 2;
      if (a[TRC_COMPONENT_HEADS].tried && mean > highest)
        {
          highest = mean;
          best = e;
        }
    }
  return best;
}

static TrcGraph *
trace_task (Run *self, const TrcTask *task, GError **error)
{
  TrcTracer names = { .model = self->model, .config = trc_model_config (self->model) };
  TrcComponentReport *r = self->report;
  double share = r->n_trust_pairs > 0 ? 0.7 : 0;
  guint all;
  const TrcTaskPair *pairs = trc_task_pairs (task, &all);

  if (!trace_pairs (self, pairs, r->n_trust_pairs, TRUE, 0, share, error))
    return NULL;
  settle_points (&self->points, &self->params, r);
  if (self->params.estimator == TRC_ESTIMATOR_AUTO)
    self->params.estimator = best_rule (r);
  r->estimator = self->params.estimator;
  if (!trace_pairs (self, pairs, r->n_pairs, FALSE, share, 1, error))
    return NULL;
  r->metric_clean /= r->n_pairs;
  r->metric_corrupted /= r->n_pairs;
  r->forwards = self->work.forwards;
  r->backwards = self->work.backwards;
  r->patches = self->work.patches;
  self->sums.tracer = &names;
  return make_graph (&self->sums, task, &self->params, r->n_pairs, error);
}

TrcGraph *
trc_trace_components (TrcModel *model, TrcDevice *device, const TrcTask *task,
                      const TrcComponentParams *params, TrcComponentReport *report,
                      const TrcProgress *progress, GError **error)
{
  const TrcModelConfig *c = trc_model_config (model);
  TrcComponentReport own;
  Run self = { .model = model,
               .device = device,
               .params = *params,
               .progress = progress,
               .report = report != NULL ? report : &own,
               .sums.n_sources = first_source (c, c->n_layers) };
  gsize size = (gsize)n_readers (c) * self.sums.n_sources;
  g_autofree double *links = g_try_new0 (double, size);
  g_autofree double *scores = g_new0 (double, self.sums.n_sources);
  guint n;

  if (params->estimator != TRC_ESTIMATOR_AUTO
      && (params->estimator < TRC_ESTIMATOR_EAP
          || params->estimator > TRC_ESTIMATOR_EAP_IG_ACT))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "Links between components need live queries and keys: take eap, eap-ig or "
                   "eap-ig-act.");
      return NULL;
    }
  if (links == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for the %zu links between components.", size);
      return NULL;
    }
  memset (self.report, 0, sizeof *self.report);
  trc_task_pairs (task, &n);
  self.report->n_pairs = params->n_pairs > 0 ? MIN (params->n_pairs, n) : n;
  self.report->n_trust_pairs = MIN (params->trust_pairs, self.report->n_pairs);
  self.sums.links = links;
  self.sums.scores = scores;
  TrcGraph *graph = trace_task (&self, task, error);
  points_clear (&self.points);
  return graph;
}

const char *
trc_component_name (TrcComponent part)
{
  static const char *const names[] = { "heads", "mlps", "neurons" };
  g_return_val_if_fail (part < TRC_N_COMPONENTS, "?");
  return names[part];
}
