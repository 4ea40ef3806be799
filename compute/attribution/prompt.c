#include "compute/attribution/tracer.h"

#include <math.h>
#include <string.h>

static gboolean invalid (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
invalid (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, text);
  return FALSE;
}

static guint32 *
take_ids (const TrcTracer *self, const char *text, const gint32 *ids, guint n_ids, guint *n,
          GError **error)
{
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (guint32));

  if (ids == NULL && text == NULL)
    {
      invalid (error, "A trace needs a prompt: give text or token ids.");
      return NULL;
    }
  if (ids == NULL && !trc_model_tokenize (self->model, text, found, NULL, error))
    return NULL;
  for (guint i = 0; ids != NULL && i < n_ids; i++)
    {
      if (ids[i] < 0 || (guint32)ids[i] >= self->config->n_vocab)
        {
          invalid (error, "Token id %d at position %u is outside the vocabulary of %u.", ids[i],
                   i, self->config->n_vocab);
          return NULL;
        }
      g_array_append_val (found, ids[i]);
    }
  if (found->len == 0 || found->len > self->config->n_ctx)
    {
      invalid (error, "The prompt has %u tokens; this model takes 1 to %u.", found->len,
               self->config->n_ctx);
      return NULL;
    }
  *n = found->len;
  return (guint32 *)g_array_free (g_steal_pointer (&found), FALSE);
}

static gboolean
take_prompts (TrcTracer *self, GError **error)
{
  const TrcTraceParams *p = self->params;
  guint n = 0;

  self->ids = take_ids (self, p->prompt, p->ids, p->n_ids, &self->n_tokens, error);
  if (self->ids == NULL)
    return FALSE;
  if (p->counterfactual == NULL && p->counterfactual_ids == NULL)
    return TRUE;
  self->other_ids = take_ids (self, p->counterfactual, p->counterfactual_ids,
                              p->n_counterfactual_ids, &n, error);
  if (self->other_ids == NULL)
    return FALSE;
  if (n != self->n_tokens)
    return invalid (error,
                    "The counterfactual has %u tokens and the prompt %u; they must be of the "
                    "same length, so that every position has its counterpart.",
                    n, self->n_tokens);
  return TRUE;
}

static double *
probabilities (const float *logits, guint n)
{
  double *p = g_new (double, n), top = -INFINITY, sum = 0;
  for (guint i = 0; i < n; i++)
    top = MAX (top, logits[i]);
  for (guint i = 0; i < n; i++)
    sum += p[i] = exp (logits[i] - top);
  for (guint i = 0; i < n; i++)
    p[i] /= sum;
  return p;
}

/* The fewest tokens whose probability reaches the mass, likeliest first. */
static void
take_likeliest (TrcTracer *self, const double *p)
{
  guint vocab = self->config->n_vocab, limit = CLAMP (self->params->max_logits, 1, vocab);
  double mass = 0;

  self->logit_token = g_new (guint32, limit);
  while (self->n_logits < limit && (self->n_logits == 0 || mass < self->params->logit_mass))
    {
      gint64 best = -1;
      for (guint v = 0; v < vocab; v++)
        {
          gboolean taken = FALSE;
          for (guint j = 0; j < self->n_logits && !taken; j++)
            taken = self->logit_token[j] == v;
          if (!taken && (best < 0 || p[v] > p[best]))
            best = v;
        }
      self->logit_token[self->n_logits++] = best;
      mass += p[best];
    }
}

static void
write_weights (TrcTracer *self)
{
  guint vocab = self->config->n_vocab;

  self->logit_weights = g_new0 (float, (gsize)self->n_logits *vocab);
  self->metric = g_new0 (float, vocab);
  for (guint j = 0; j < self->n_logits; j++)
    {
      float *row = self->logit_weights + (gsize)j * vocab;
      for (guint v = 0; v < vocab && !self->is_direction; v++)
        row[v] = -1.0f / vocab;
      row[self->logit_token[j]] += 1;
      if (self->is_direction)
        row[self->params->foil] -= 1;
      for (guint v = 0; v < vocab; v++)
        self->metric[v] += (self->is_direction ? 1 : self->logit_prob[j]) * row[v];
    }
}

static gboolean
choose_logits (TrcTracer *self, GError **error)
{
  gint64 vocab = self->config->n_vocab, target = self->params->target,
         foil = self->params->foil;

  if (target >= vocab || foil >= vocab)
    return invalid (
        error, "Token #%" G_GINT64_FORMAT " is outside the vocabulary of %" G_GINT64_FORMAT ".",
        MAX (target, foil), vocab);
  if (foil >= 0 && target < 0)
    return invalid (error, "A foil needs a target: name the answer that it is compared with.");
  if (foil >= 0 && foil == target)
    return invalid (error, "Target and foil are the same token; their difference is always 0.");

  g_autofree double *p = probabilities (self->clean->logits, vocab);
  if (target >= 0)
    {
      self->n_logits = 1;
      self->logit_token = g_new (guint32, 1);
      self->logit_token[0] = target;
      self->is_direction = foil >= 0;
    }
  else
    take_likeliest (self, p);
  self->logit_prob = g_new (double, self->n_logits);
  for (guint j = 0; j < self->n_logits; j++)
    self->logit_prob[j] = p[self->logit_token[j]];
  write_weights (self);
  return TRUE;
}

static float *
minus (const float *a, const float *b, gsize n)
{
  float *d = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    d[i] = a[i] - (b != NULL ? b[i] : 0);
  return d;
}

static void
take_differences (TrcTracer *self)
{
  const TrcModelConfig *c = self->config;
  gsize t = self->n_tokens;
  const TrcRecord *other = self->other;

  self->d_embed =
      minus (self->clean->embed, other != NULL ? other->embed : NULL, t * c->d_model);
  self->d_z = g_new0 (float *, c->n_layers);
  self->d_act = g_new0 (float *, c->n_layers);
  for (guint l = 0; l < c->n_layers; l++)
    {
      self->d_z[l] = minus (self->clean->z[l], other != NULL ? other->z[l] : NULL,
                            t * c->n_heads * c->d_head);
      self->d_act[l] =
          minus (self->clean->act[l], other != NULL ? other->act[l] : NULL, t * c->d_mlp);
    }
}

gboolean
trc_tracer_prepare (TrcTracer *self, GError **error)
{
  static const TrcLinearise plain;

  self->config = trc_model_config (self->model);
  if (!take_prompts (self, error))
    return FALSE;
  trc_progress_report (self->progress, 0.0, "running the prompt");
  self->clean = trc_record_new (self, self->ids, NULL, plain, error);
  if (self->clean == NULL || !choose_logits (self, error))
    return FALSE;
  if (self->other_ids != NULL)
    {
      self->other = trc_record_new (self, self->other_ids, NULL, plain, error);
      if (self->other == NULL)
        return FALSE;
    }
  take_differences (self);
  self->report->metric = trc_tracer_metric (self, self->clean->logits);
  return TRUE;
}

void
trc_tracer_clear (TrcTracer *self)
{
  guint n_layers = self->config != NULL ? self->config->n_layers : 0;

  for (guint l = 0; l < n_layers && self->d_z != NULL; l++)
    {
      g_free (self->d_z[l]);
      g_free (self->d_act[l]);
    }
  g_clear_pointer (&self->d_z, g_free);
  g_clear_pointer (&self->d_act, g_free);
  g_clear_pointer (&self->d_embed, g_free);
  trc_record_free (self->clean, n_layers);
  trc_record_free (self->other, n_layers);
  self->clean = self->other = NULL;
  g_clear_pointer (&self->ids, g_free);
  g_clear_pointer (&self->other_ids, g_free);
  g_clear_pointer (&self->logit_token, g_free);
  g_clear_pointer (&self->logit_prob, g_free);
  g_clear_pointer (&self->logit_weights, g_free);
  g_clear_pointer (&self->metric, g_free);
}

double
trc_tracer_metric (const TrcTracer *self, const float *logits)
{
  double sum = 0;
  for (guint v = 0; v < self->config->n_vocab; v++)
    sum += (double)self->metric[v] * logits[v];
  return sum;
}
