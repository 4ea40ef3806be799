#include "compute/attribution/tracer.h"

/* The sites whose gradient the scores and the readers need. */
static const TrcSite wanted[] = { TRC_SITE_Z, TRC_SITE_MLP_ACT, TRC_SITE_MLP_PRE,
                                  TRC_SITE_MLP_GATE };

static void
free_layers (float **tables, guint n_layers)
{
  for (guint l = 0; tables != NULL && l < n_layers; l++)
    g_free (tables[l]);
  g_free (tables);
}

void
trc_record_free (TrcRecord *self, guint n_layers)
{
  if (self == NULL)
    return;
  float **tables[] = { self->z,     self->act, self->pre,   self->pattern, self->rstd1,
                       self->rstd2, self->g_z, self->g_act, self->g_pre,   self->g_gate };
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    free_layers (tables[i], n_layers);
  g_free (self->logits);
  g_free (self->embed);
  g_free (self->g_embed);
  trc_forward_free (self->forward);
  trc_tape_free (self->tape);
  g_free (self);
}

static TrcVar
site_var (const TrcRecord *self, TrcSite site, guint layer)
{
  return trc_forward_var (self->forward, site, layer);
}

TrcTensor *
trc_record_tensor (const TrcRecord *self, TrcSite site, guint layer)
{
  return trc_forward_tensor (self->forward, self->tape, site, layer);
}

static float *
dup_tensor (TrcTensor *tensor, GError **error)
{
  gsize n = trc_tensor_n (tensor);
  g_autofree float *values = g_try_new (float, MAX (n, 1));
  if (values == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for a copy of %zu values of %s.", n,
                   trc_tensor_label (tensor));
      return NULL;
    }
  if (!trc_tensor_read (tensor, values, n, error))
    return NULL;
  return g_steal_pointer (&values);
}

float *
trc_record_dup (const TrcRecord *self, TrcSite site, guint layer, GError **error)
{
  TrcTensor *tensor = trc_record_tensor (self, site, layer);
  g_return_val_if_fail (tensor != NULL, NULL);
  return dup_tensor (tensor, error);
}

static float *
dup_rstd (const TrcTracer *tracer, const TrcRecord *self, TrcSite site, guint layer,
          GError **error)
{
  if (trc_record_tensor (self, site, layer) != NULL)
    return trc_record_dup (self, site, layer, error);
  float *ones = g_new (float, tracer->n_tokens);
  for (guint i = 0; i < tracer->n_tokens; i++)
    ones[i] = 1;
  return ones;
}

static gboolean
copy_layer (const TrcTracer *tracer, TrcRecord *self, guint l, GError **error)
{
  return (self->z[l] = trc_record_dup (self, TRC_SITE_Z, l, error)) != NULL
         && (self->act[l] = trc_record_dup (self, TRC_SITE_MLP_ACT, l, error)) != NULL
         && (self->pre[l] = trc_record_dup (self, TRC_SITE_MLP_PRE, l, error)) != NULL
         && (self->pattern[l] = trc_record_dup (self, TRC_SITE_PATTERN, l, error)) != NULL
         && (self->rstd1[l] = dup_rstd (tracer, self, TRC_SITE_NORM1_RSTD, l, error)) != NULL
         && (self->rstd2[l] = dup_rstd (tracer, self, TRC_SITE_NORM2_RSTD, l, error)) != NULL;
}

static gboolean
copy_pass (const TrcTracer *tracer, TrcRecord *self, GError **error)
{
  guint n_layers = tracer->config->n_layers, vocab = tracer->config->n_vocab;
  TrcTensor *logits = trc_record_tensor (self, TRC_SITE_LOGITS, 0);
  float ***tables[] = { &self->z,       &self->act,   &self->pre,
                        &self->pattern, &self->rstd1, &self->rstd2 };

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    *tables[i] = g_new0 (float *, n_layers);
  for (guint l = 0; l < n_layers; l++)
    if (!copy_layer (tracer, self, l, error))
      return FALSE;
  g_autofree float *rstd = dup_rstd (tracer, self, TRC_SITE_FINAL_RSTD, 0, error);
  if (rstd == NULL)
    return FALSE;
  self->rstd_final = rstd[tracer->n_tokens - 1];
  self->logits = g_new (float, vocab);
  self->embed = trc_record_dup (self, TRC_SITE_EMBED, 0, error);
  return self->embed != NULL
         && trc_tensor_read_part (logits, (gsize)(tracer->n_tokens - 1) * vocab, self->logits,
                                  vocab, error);
}

TrcRecord *
trc_record_run (TrcTracer *tracer, const TrcForwardParams *params, GError **error)
{
  TrcForwardParams p = *params;
  TrcRecord *self = g_new0 (TrcRecord, 1);

  p.n_prompts = 1;
  p.n_tokens = tracer->n_tokens;
  tracer->report->forwards++;
  self->tape = trc_tape_new (tracer->device, TRC_TAPE_RECORD);
  self->forward = trc_forward_new (self->tape, tracer->model, &p, error);
  if (self->forward == NULL || !trc_tape_status (self->tape, error)
      || !copy_pass (tracer, self, error))
    {
      trc_record_free (self, tracer->config->n_layers);
      return NULL;
    }
  return self;
}

TrcRecord *
trc_record_new (TrcTracer *tracer, const guint32 *ids, TrcTensor *embed, TrcLinearise linearise,
                GError **error)
{
  const TrcForwardParams params = { .ids = ids, .linearise = linearise, .embed = embed };
  return trc_record_run (tracer, &params, error);
}

/* Gradient of one site; a NULL table where nothing flowed. */
static gboolean
copy_grad (TrcRecord *self, TrcSite site, guint layer, float **dst, GError **error)
{
  TrcVar var = site_var (self, site, layer);
  TrcTensor *grad = var == TRC_VAR_NONE ? NULL : trc_tape_grad (self->tape, var);
  g_clear_pointer (dst, g_free);
  return grad == NULL || (*dst = dup_tensor (grad, error)) != NULL;
}

static TrcTensor *
seed_of (TrcTracer *tracer, GError **error)
{
  gsize vocab = tracer->config->n_vocab, n = vocab * tracer->n_tokens;
  TrcTensor *seed =
      trc_tensor_zeros (tracer->device, TRC_SHAPE (tracer->n_tokens, vocab), "metric", error);
  if (seed != NULL && !trc_tensor_write_part (seed, n - vocab, tracer->metric, vocab, error))
    g_clear_pointer (&seed, trc_tensor_unref);
  return seed;
}

gboolean
trc_record_backward (TrcTracer *tracer, TrcRecord *self, GError **error)
{
  guint n_layers = tracer->config->n_layers;
  float ***tables[] = { &self->g_z, &self->g_act, &self->g_pre, &self->g_gate };
  g_autoptr (TrcTensor) seed = seed_of (tracer, error);

  if (seed == NULL)
    return FALSE;
  tracer->report->backwards++;
  trc_tape_keep_grad (self->tape, site_var (self, TRC_SITE_EMBED, 0));
  for (guint l = 0; l < n_layers; l++)
    for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
      if (site_var (self, wanted[i], l) != TRC_VAR_NONE)
        trc_tape_keep_grad (self->tape, site_var (self, wanted[i], l));
  if (!trc_tape_backward (self->tape, site_var (self, TRC_SITE_LOGITS, 0), seed, error)
      || !copy_grad (self, TRC_SITE_EMBED, 0, &self->g_embed, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      if (*tables[i] == NULL)
        *tables[i] = g_new0 (float *, n_layers);
      for (guint l = 0; l < n_layers; l++)
        if (!copy_grad (self, wanted[i], l, &(*tables[i])[l], error))
          return FALSE;
    }
  return TRUE;
}
