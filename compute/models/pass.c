#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/pass.h"

#include <string.h>

/* --- set-up --- */

static gboolean
check_params (TrcModel *model, const TrcForwardParams *p, guint past, GError **error)
{
  const TrcModelConfig *c = trc_model_config (model);
  gsize n;

  if (p->n_tokens == 0 || p->n_prompts == 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The prompt has no tokens.");
      return FALSE;
    }
  if (past > c->n_ctx || p->n_tokens > c->n_ctx - past)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The prompt has %u tokens, but %s takes at most %u.", past + p->n_tokens,
                   trc_model_name (model), c->n_ctx);
      return FALSE;
    }
  if (!g_size_checked_mul (&n, p->n_prompts, p->n_tokens) || n > G_MAXINT32)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%u prompts of %u tokens are more than one run takes.", p->n_prompts,
                   p->n_tokens);
      return FALSE;
    }
  for (gsize i = 0; p->ids != NULL && i < n; i++)
    if (p->ids[i] >= c->n_vocab)
      {
        g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                     "There is no token %u; %s has %u of them, counted from 0.", p->ids[i],
                     trc_model_name (model), c->n_vocab);
        return FALSE;
      }
  return TRUE;
}

static gboolean
make_shared (TrcPass *self, GError **error)
{
  const TrcForwardParams *p = self->params;
  TrcDevice *dev = trc_tape_device (self->tape);
  guint n = p->n_prompts * p->n_tokens;

  if (p->embed == NULL)
    {
      g_return_val_if_fail (p->ids != NULL || p->id_tensor != NULL, FALSE);
      self->ids = p->id_tensor != NULL
                      ? trc_tensor_ref (p->id_tensor)
                      : trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (n), p->ids,
                                              n * sizeof (gint32), "token ids", error);
      if (self->ids == NULL)
        return FALSE;
    }
  if (self->config->positions == TRC_POS_ROTARY)
    {
      self->rope = trc_model_rope_table (self->model, dev, self->past + p->n_tokens, error);
      if (self->rope == NULL)
        return FALSE;
    }
  return TRUE;
}

static TrcForward *
forward_alloc (guint n_layers, guint norm_kind)
{
  TrcForward *out = g_new0 (TrcForward, 1);

  out->n_layers = n_layers;
  out->norm = norm_kind;
  out->layer = g_malloc0_n (n_layers, sizeof *out->layer);
  out->weight = g_malloc0_n (n_layers + 1, sizeof *out->weight);
  return out;
}

gboolean
trc_pass_init (TrcPass *self, TrcTape *tape, TrcModel *model, const TrcForwardParams *params,
               GError **error)
{
  return trc_pass_init_cached (self, tape, model, params, NULL, error);
}

gboolean
trc_pass_init_cached (TrcPass *self, TrcTape *tape, TrcModel *model,
                      const TrcForwardParams *params, const TrcPassCache *cache, GError **error)
{
  *self = (TrcPass){ .tape = tape,
                     .model = model,
                     .config = trc_model_config (model),
                     .params = params,
                     .cache = cache,
                     .past = cache != NULL ? cache->n_past : 0 };
  g_return_val_if_fail (cache == NULL || params->n_prompts == 1, FALSE);
  if (!check_params (model, params, self->past, error))
    return FALSE;
  self->edits = trc_edits_new (params->interventions, params->n_interventions, self->config,
                               params->n_prompts, params->n_tokens, error);
  if (self->edits == NULL || !make_shared (self, error))
    {
      trc_pass_clear (self);
      return FALSE;
    }
  self->out = forward_alloc (self->config->n_layers, self->config->norm);
  return TRUE;
}

void
trc_pass_clear (TrcPass *self)
{
  g_clear_pointer (&self->edits, g_free);
  g_clear_pointer (&self->ids, trc_tensor_unref);
  g_clear_pointer (&self->rope, trc_tensor_unref);
}

/* --- weights on the tape --- */

static TrcVar
weight_var (TrcPass *self, TrcWeightRole role, guint layer, gboolean *out_major)
{
  guint row = trc_weight_in_layer (role) ? layer : self->config->n_layers;
  TrcVar *var = &self->out->weight[row][role];
  GError *error = NULL;
  const TrcWeight *weight;

  if (!trc_model_has_weight (self->model, role, layer))
    return TRC_VAR_NONE;
  weight = (self->params->train ? trc_model_weight : trc_model_weight_packed) (
      self->model, trc_tape_device (self->tape), role, layer, &error);
  if (weight == NULL)
    {
      trc_tape_fail (self->tape, error);
      return TRC_VAR_NONE;
    }
  if (out_major != NULL)
    *out_major = weight->out_major;
  *var = self->params->train ? trc_tape_param (self->tape, weight->tensor)
                             : trc_tape_input (self->tape, weight->tensor);
  return *var;
}

/* x W + b; the bias of a role always follows it. */
static TrcVar
linear (TrcPass *self, TrcWeightRole role, guint layer, TrcVar x)
{
  gboolean out_major = FALSE;
  TrcVar w = weight_var (self, role, layer, &out_major);
  TrcVar b = weight_var (self, role + 1, layer, NULL);

  return trc_tape_linear (self->tape, x, w, out_major, b);
}

static TrcVar
norm (TrcPass *self, TrcWeightRole gain, guint layer, TrcVar x)
{
  const TrcModelConfig *c = self->config;

  if (c->norm == TRC_NORM_NONE)
    return x;
  return trc_tape_norm (self->tape, x, weight_var (self, gain, layer, NULL),
                        weight_var (self, gain + 1, layer, NULL), c->norm, c->norm_eps, 0.0f,
                        self->params->linearise.freeze_scale);
}

/* --- the block --- */

/* Notes a site down after the interventions at it. */
static TrcVar
site (TrcPass *self, TrcSite at, guint layer, TrcVar var)
{
  TrcVar edited = trc_pass_edit (self, at, layer, var);

  if (trc_site_in_layer (at))
    self->out->layer[layer][at] = edited;
  else
    self->out->outer[at] = edited;
  return edited;
}

static gboolean
only_last (const TrcPass *self, guint layer)
{
  return self->params->last_only && layer + 1 == self->config->n_layers;
}

/* The rows of the last position when this layer computes only them. */
static TrcVar
last_rows (TrcPass *self, guint layer, TrcVar x)
{
  guint t = self->params->n_tokens;

  if (!only_last (self, layer) || t == 1)
    return x;
  return trc_tape_rows (self->tape, x, t - 1, t, self->params->n_prompts);
}

static TrcVar
rotate (TrcPass *self, TrcVar x, guint n_heads, gboolean last)
{
  const TrcModelConfig *c = self->config;
  guint t = self->params->n_tokens;
  guint skip = last ? t - 1 : 0, n = t - skip;
  g_autoptr (TrcTensor) angles = NULL;

  if (c->positions != TRC_POS_ROTARY)
    return x;
  angles = trc_tensor_rows (self->rope, self->past + skip, n);
  return trc_tape_rope (self->tape, (TrcCols){ x, 0 }, angles, n_heads, c->d_head, n,
                        c->rotary_interleaved);
}

/* Keys or values of the earlier positions with those of this pass behind them, which are noted
 * down in the cache; @now itself when there is none. */
static TrcVar
with_past (TrcPass *self, TrcTensor *const *cached, guint layer, TrcVar now)
{
  TrcTensor *rows = trc_tape_tensor (self->tape, now);
  guint n = self->params->n_tokens;
  g_autoptr (TrcTensor) into = NULL, all = NULL;
  GError *error = NULL;

  if (rows == NULL)
    return TRC_VAR_NONE;
  into = trc_tensor_rows (cached[layer], self->past, n);
  all = trc_tensor_rows (cached[layer], 0, self->past + n);
  if (!trc_op_copy (rows, into, &error))
    {
      trc_tape_fail (self->tape, error);
      return TRC_VAR_NONE;
    }
  return trc_tape_input (self->tape, all);
}

static TrcVar
attention (TrcPass *self, guint l, TrcVar x)
{
  const TrcModelConfig *c = self->config;
  gboolean last = only_last (self, l);
  const TrcAttnShape shape = { .batch = self->params->n_prompts,
                               .t = self->past + self->params->n_tokens,
                               .n_queries = last ? 1 : self->params->n_tokens,
                               .n_heads = c->n_heads,
                               .n_kv_heads = c->n_kv_heads,
                               .d_head = c->d_head,
                               .scale = c->attn_scale };
  TrcVar q = linear (self, TRC_WEIGHT_Q, l, last_rows (self, l, x));
  TrcVar k = linear (self, TRC_WEIGHT_K, l, x);
  TrcVar v = linear (self, TRC_WEIGHT_V, l, x);

  q = site (self, TRC_SITE_Q, l, rotate (self, q, c->n_heads, last));
  k = site (self, TRC_SITE_K, l, rotate (self, k, c->n_kv_heads, FALSE));
  v = site (self, TRC_SITE_V, l, v);
  if (self->cache != NULL)
    {
      k = with_past (self, self->cache->k, l, k);
      v = with_past (self, self->cache->v, l, v);
    }
  TrcVar pattern =
      trc_tape_attn_pattern (self->tape, (TrcCols){ q, 0 }, (TrcCols){ k, 0 }, &shape);
  self->out->layer[l][TRC_SITE_PATTERN] = pattern;
  TrcVar z = trc_tape_attn_apply (self->tape, pattern, (TrcCols){ v, 0 }, &shape,
                                  self->params->linearise.freeze_pattern);
  z = site (self, TRC_SITE_Z, l, z);
  return site (self, TRC_SITE_ATTN_OUT, l, linear (self, TRC_WEIGHT_O, l, z));
}

static TrcVar
mlp (TrcPass *self, guint l, TrcVar x)
{
  const TrcModelConfig *c = self->config;
  guint rule = self->params->linearise.rule;
  TrcVar act, up = site (self, TRC_SITE_MLP_PRE, l, linear (self, TRC_WEIGHT_UP, l, x));

  if (c->gated)
    {
      TrcVar gate = site (self, TRC_SITE_MLP_GATE, l, linear (self, TRC_WEIGHT_GATE, l, x));

      act = trc_tape_gated (self->tape, (TrcCols){ gate, 0 }, (TrcCols){ up, 0 }, c->d_mlp,
                            c->act, rule);
    }
  else
    act = trc_tape_act (self->tape, up, c->act, rule);
  act = site (self, TRC_SITE_MLP_ACT, l, act);
  return site (self, TRC_SITE_MLP_OUT, l, linear (self, TRC_WEIGHT_DOWN, l, act));
}

TrcVar
trc_pass_begin (TrcPass *self)
{
  const TrcForwardParams *p = self->params;
  TrcVar x;

  if (p->embed != NULL)
    x = trc_tape_param (self->tape, p->embed);
  else
    {
      x = trc_tape_embed (self->tape, weight_var (self, TRC_WEIGHT_EMBED, 0, NULL), self->ids);
      if (self->config->positions == TRC_POS_LEARNED)
        x = trc_tape_add (self->tape, x,
                          trc_tape_rows (self->tape,
                                         weight_var (self, TRC_WEIGHT_POSITIONS, 0, NULL),
                                         self->past, 1, p->n_tokens));
    }
  return site (self, TRC_SITE_EMBED, 0, x);
}

TrcVar
trc_pass_layer (TrcPass *self, guint l, TrcVar stream)
{
  gboolean parallel = self->config->parallel;
  TrcVar pre = site (self, TRC_SITE_RESID_PRE, l, stream);
  TrcVar x = norm (self, TRC_WEIGHT_NORM1_W, l, pre);

  self->out->layer[l][TRC_SITE_NORM1] = x;
  TrcVar attn = attention (self, l, x);
  TrcVar last = last_rows (self, l, pre);
  TrcVar mid = site (self, TRC_SITE_RESID_MID, l, trc_tape_add (self->tape, last, attn));
  x = norm (self, TRC_WEIGHT_NORM2_W, l, parallel ? last : mid);
  self->out->layer[l][TRC_SITE_NORM2] = x;
  TrcVar post = trc_tape_add (self->tape, mid, mlp (self, l, x));
  return site (self, TRC_SITE_RESID_POST, l, post);
}

void
trc_pass_end (TrcPass *self, TrcVar stream)
{
  TrcVar x = norm (self, TRC_WEIGHT_NORM_FINAL_W, 0, stream);

  self->out->outer[TRC_SITE_FINAL] = x;
  site (self, TRC_SITE_LOGITS, 0, linear (self, TRC_WEIGHT_UNEMBED, 0, x));
}
