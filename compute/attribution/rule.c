#include "compute/attribution/tracer.h"

#include <math.h>
#include <string.h>

/* Above this many heads and neurons, TRC_TARGETS_AUTO takes the strongest only. */
#define AUTO_LIMIT 20000
#define AUTO_TARGETS 2000

static const TrcLinearise linearisations[TRC_N_ESTIMATORS] = {
  [TRC_ESTIMATOR_RELP] = { .freeze_pattern = TRUE,
                           .freeze_scale = TRUE,
                           .rule = TRC_RULE_RELP },
  [TRC_ESTIMATOR_GRAD_ACT] = { .freeze_pattern = TRUE,
                               .freeze_scale = TRUE,
                               .rule = TRC_RULE_GRADIENT },
};

/* Embeddings at @share of the way from the baseline to the prompt. */
static TrcTensor *
embed_between (TrcTracer *tracer, double share, GError **error)
{
  gsize n = (gsize)tracer->n_tokens * tracer->config->d_model;
  g_autofree float *rows = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    rows[i] = tracer->clean->embed[i] - (1 - share) * tracer->d_embed[i];
  return trc_tensor_from_data (tracer->device, TRC_F32,
                               TRC_SHAPE (tracer->n_tokens, tracer->config->d_model), rows,
                               n * sizeof *rows, "embeddings between", error);
}

/* A point of a rule whose groups stand still but one: the heads (odd) or the MLP (even) of a layer
 * at @share of the way from the prompt to the baseline. */
static TrcRecord *
record_between (TrcTracer *tracer, guint group, TrcTensor *embed, double share, GError **error)
{
  guint layer = (group - 1) / 2, d = tracer->config->d_model;
  gboolean heads = group % 2 == 1;
  g_autofree TrcIntervention *edits = g_new0 (TrcIntervention, tracer->n_tokens);
  g_autofree float *step =
      trc_block_difference (tracer, heads ? TRC_SITE_ATTN_OUT : TRC_SITE_MLP_OUT,
                            heads ? TRC_WEIGHT_O_B : TRC_WEIGHT_DOWN_B, layer, error);

  if (step == NULL)
    return NULL;
  for (gsize i = 0; i < (gsize)tracer->n_tokens * d; i++)
    step[i] *= -share;
  for (guint p = 0; p < tracer->n_tokens; p++)
    edits[p] = (TrcIntervention){ .hook = { .kind = heads ? TRC_HOOK_ATTN : TRC_HOOK_MLP,
                                            .layer = layer,
                                            .has_position = TRUE,
                                            .first = p,
                                            .last = p },
                                  .mode = TRC_MODE_ADD,
                                  .values = step + (gsize)p * d,
                                  .prompt = -1 };
  const TrcForwardParams params = { .ids = tracer->ids,
                                    .embed = embed,
                                    .interventions = edits,
                                    .n_interventions = tracer->n_tokens };
  return trc_record_run (tracer, &params, error);
}

/* Point @k of a group: along the embeddings, or along one layer's heads or MLP. */
static TrcRecord *
record_point (TrcTracer *tracer, const TrcRule *self, guint group, guint k, GError **error)
{
  double end = (k + 1.0) / self->n_points, middle = (k + 0.5) / self->n_points;
  double share = self->n_groups == 1 ? end : group == 0 ? middle : 1;
  g_autoptr (TrcTensor) embed = embed_between (tracer, share, error);

  if (embed == NULL)
    return NULL;
  return group > 0 ? record_between (tracer, group, embed, middle, error)
                   : trc_record_new (tracer, tracer->ids, embed,
                                     linearisations[self->estimator], error);
}

static gboolean
run_points (TrcTracer *tracer, TrcRule *self, GError **error)
{
  for (guint i = 0; i < self->n_groups * self->n_points; i++)
    {
      if (trc_progress_cancelled (tracer->progress, error))
        return FALSE;
      self->points[i] =
          record_point (tracer, self, i / self->n_points, i % self->n_points, error);
      if (self->points[i] == NULL || !trc_record_backward (tracer, self->points[i], error))
        return FALSE;
    }
  return TRUE;
}

TrcRule
trc_rule_part (const TrcRule *self, TrcKind kind, guint layer)
{
  TrcRule part = *self;
  guint group = kind == TRC_KIND_HEAD     ? 1 + 2 * layer
                : kind == TRC_KIND_NEURON ? 2 + 2 * layer
                                          : 0;
  if (self->n_groups > 1)
    part.points += group * self->n_points;
  part.n_groups = 1;
  return part;
}

/* scores[i] += share * (the i-th group of @width differences) . (gradients) */
static void
add_scores (double *scores, gsize n, guint width, const float *difference,
            const float *gradient, double share)
{
  for (gsize i = 0; gradient != NULL && i < n; i++)
    {
      double sum = 0;
      for (guint j = 0; j < width; j++)
        sum += (double)difference[i * width + j] * gradient[i * width + j];
      scores[i] += share * sum;
    }
}

static void
score_nodes (const TrcTracer *tracer, TrcRule *self)
{
  const TrcModelConfig *c = tracer->config;
  gsize t = tracer->n_tokens;

  self->embed = g_new0 (double, t);
  self->head = g_new0 (double *, c->n_layers);
  self->neuron = g_new0 (double *, c->n_layers);
  for (guint l = 0; l < c->n_layers; l++)
    {
      self->head[l] = g_new0 (double, t * c->n_heads);
      self->neuron[l] = g_new0 (double, t * c->d_mlp);
    }
  for (guint k = 0; k < self->n_points; k++)
    {
      double share = 1.0 / self->n_points;
      TrcRule part = trc_rule_part (self, TRC_KIND_EMBED, 0);
      add_scores (self->embed, t, c->d_model, tracer->d_embed, part.points[k]->g_embed, share);
      for (guint l = 0; l < c->n_layers; l++)
        {
          part = trc_rule_part (self, TRC_KIND_HEAD, l);
          add_scores (self->head[l], t * c->n_heads, c->d_head, tracer->d_z[l],
                      part.points[k]->g_z[l], share);
          part = trc_rule_part (self, TRC_KIND_NEURON, l);
          add_scores (self->neuron[l], t * c->d_mlp, 1, tracer->d_act[l],
                      part.points[k]->g_act[l], share);
        }
    }
}

TrcRule *
trc_rule_new (TrcTracer *tracer, TrcEstimator estimator, GError **error)
{
  TrcRule *self = g_new0 (TrcRule, 1);

  self->estimator = estimator;
  self->live = estimator >= TRC_ESTIMATOR_EAP && estimator <= TRC_ESTIMATOR_EAP_IG_ACT;
  self->n_points =
      self->live && estimator != TRC_ESTIMATOR_EAP ? MAX (tracer->params->ig_steps, 1) : 1;
  self->n_groups = estimator == TRC_ESTIMATOR_EAP_IG_ACT ? 1 + 2 * tracer->config->n_layers : 1;
  self->points = g_new0 (TrcRecord *, self->n_groups * self->n_points);
  if (!run_points (tracer, self, error))
    {
      trc_rule_free (self, tracer->config->n_layers);
      return NULL;
    }
  score_nodes (tracer, self);
  return self;
}

void
trc_rule_free (TrcRule *self, guint n_layers)
{
  if (self == NULL)
    return;
  for (guint k = 0; k < self->n_groups * self->n_points; k++)
    trc_record_free (self->points[k], n_layers);
  for (guint l = 0; self->head != NULL && l < n_layers; l++)
    {
      g_free (self->head[l]);
      g_free (self->neuron[l]);
    }
  g_free (self->points);
  g_free (self->embed);
  g_free (self->head);
  g_free (self->neuron);
  g_free (self);
}

double
trc_rule_score (const TrcTracer *tracer, const TrcRule *self, TrcPlace place)
{
  const TrcModelConfig *c = tracer->config;
  if (place.kind == TRC_KIND_EMBED)
    return self->embed[place.position];
  if (place.kind == TRC_KIND_HEAD)
    return self->head[place.layer][(gsize)place.position * c->n_heads + place.index];
  return self->neuron[place.layer][(gsize)place.position * c->d_mlp + place.index];
}

/* ---- the choice ---- */

typedef struct {
  double strength;
  guint32 layer;
  gboolean is_head;
  gsize slot;
} Candidate;

static int
by_strength (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;
  if (x->strength != y->strength)
    return x->strength > y->strength ? -1 : 1;
  if (x->layer != y->layer)
    return x->layer < y->layer ? -1 : 1;
  if (x->is_head != y->is_head)
    return x->is_head ? -1 : 1;
  return (x->slot > y->slot) - (x->slot < y->slot);
}

static gboolean
is_silent (const float *values, gsize slot, guint width)
{
  for (guint i = 0; i < width; i++)
    if (values[slot * width + i] != 0)
      return FALSE;
  return TRUE;
}

static void
collect (GArray *found, const TrcTracer *tracer, const double *scores, guint layer,
         gboolean is_head)
{
  const TrcModelConfig *c = tracer->config;
  gsize n = (gsize)tracer->n_tokens * (is_head ? c->n_heads : c->d_mlp);
  const float *values = is_head ? tracer->d_z[layer] : tracer->d_act[layer];

  for (gsize i = 0; i < n; i++)
    if (!is_silent (values, i, is_head ? c->d_head : 1))
      {
        Candidate one = { fabs (scores[i]), layer, is_head, i };
        g_array_append_val (found, one);
      }
}

static GArray *
candidates (const TrcTracer *tracer, const TrcRule *rule)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (Candidate));
  guint limit = tracer->params->n_targets;

  for (guint l = 0; l < tracer->config->n_layers; l++)
    {
      if (tracer->params->heads == TRC_HEADS_NODES)
        collect (found, tracer, rule->head[l], l, TRUE);
      collect (found, tracer, rule->neuron[l], l, FALSE);
    }
  if (limit == TRC_TARGETS_AUTO)
    limit = found->len <= AUTO_LIMIT ? TRC_TARGETS_ALL : AUTO_TARGETS;
  if (found->len > limit)
    {
      g_array_sort (found, by_strength);
      g_array_set_size (found, limit);
    }
  return found;
}

static gint32 *
no_nodes (gsize n)
{
  gint32 *table = g_new (gint32, n);
  memset (table, -1, n * sizeof *table);
  return table;
}

static gboolean
has_rest (const TrcTracer *tracer, const TrcChosen *self, guint l, guint p)
{
  const TrcModelConfig *c = tracer->config;
  for (guint i = 0; i < c->d_mlp; i++)
    if (self->neuron[l][(gsize)p * c->d_mlp + i] < 0
        && tracer->d_act[l][(gsize)p * c->d_mlp + i] != 0)
      return TRUE;
  for (guint h = 0; h < c->n_heads && tracer->params->heads == TRC_HEADS_NODES; h++)
    if (self->head[l][(gsize)p * c->n_heads + h] < 0
        && !is_silent (tracer->d_z[l], (gsize)p * c->n_heads + h, c->d_head))
      return TRUE;
  return FALSE;
}

/* Embeddings first, then layer by layer heads, neurons and rests, logits last. */
static void
number_nodes (const TrcTracer *tracer, TrcChosen *self)
{
  const TrcModelConfig *c = tracer->config;
  gsize n_heads = (gsize)tracer->n_tokens * c->n_heads,
        n_neurons = (gsize)tracer->n_tokens * c->d_mlp;

  self->n_nodes = tracer->n_tokens;
  for (guint l = 0; l < c->n_layers; l++)
    {
      for (gsize i = 0; i < n_heads; i++)
        if (self->head[l][i] >= 0)
          self->head[l][i] = self->n_nodes++;
      for (gsize i = 0; i < n_neurons; i++)
        if (self->neuron[l][i] >= 0)
          self->neuron[l][i] = self->n_nodes++;
      for (guint p = 0; p < tracer->n_tokens; p++)
        if (has_rest (tracer, self, l, p))
          self->rest[(gsize)l * tracer->n_tokens + p] = self->n_nodes++;
    }
  self->first_logit = self->n_nodes;
  self->n_nodes += tracer->n_logits;
}

TrcChosen *
trc_chosen_new (const TrcTracer *tracer, const TrcRule *rule)
{
  const TrcModelConfig *c = tracer->config;
  TrcChosen *self = g_new0 (TrcChosen, 1);
  g_autoptr (GArray) found = candidates (tracer, rule);

  self->head = g_new0 (gint32 *, c->n_layers);
  self->neuron = g_new0 (gint32 *, c->n_layers);
  self->rest = no_nodes ((gsize)c->n_layers * tracer->n_tokens);
  for (guint l = 0; l < c->n_layers; l++)
    {
      self->head[l] = no_nodes ((gsize)tracer->n_tokens * c->n_heads);
      self->neuron[l] = no_nodes ((gsize)tracer->n_tokens * c->d_mlp);
    }
  for (guint i = 0; i < found->len; i++)
    {
      const Candidate *one = &g_array_index (found, Candidate, i);
      (one->is_head ? self->head : self->neuron)[one->layer][one->slot] = 0;
      *(one->is_head ? &self->n_heads : &self->n_neurons) += 1;
    }
  number_nodes (tracer, self);
  return self;
}

void
trc_chosen_free (TrcChosen *self, guint n_layers)
{
  if (self == NULL)
    return;
  for (guint l = 0; l < n_layers; l++)
    {
      g_free (self->head[l]);
      g_free (self->neuron[l]);
    }
  g_free (self->head);
  g_free (self->neuron);
  g_free (self->rest);
  g_free (self);
}
