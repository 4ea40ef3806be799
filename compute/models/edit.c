/* Interventions: every change at one site of one layer is folded into one mask and one sum,
 * x' = x * mask + sum, so that a thousand changes cost as much as one and gradients pass. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/pass.h"

static gboolean
check_edit (TrcIntervention *edit, const TrcModelConfig *config, guint n_prompts,
            guint n_tokens, GError **error)
{
  g_autofree char *text = trc_hook_format (&edit->hook);
  guint source_prompts, source_tokens;

  if (!trc_hook_resolve (&edit->hook, config, n_tokens, error))
    {
      g_prefix_error (error, "%s: ", text);
      return FALSE;
    }
  if (edit->hook.kind == TRC_HOOK_FEATURE)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s is a feature of a dictionary; a run of the model alone has none.", text);
      return FALSE;
    }
  if (edit->prompt >= (gint64)n_prompts)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "%s: there is no prompt %" G_GINT64_FORMAT " in a batch of %u.", text,
                   edit->prompt, n_prompts);
      return FALSE;
    }
  if (edit->mode != TRC_MODE_PATCH)
    return TRUE;
  g_return_val_if_fail (edit->source != NULL, FALSE);
  trc_run_ids (edit->source, &source_prompts, &source_tokens);
  if (source_tokens != n_tokens || (source_prompts != n_prompts && source_prompts != 1))
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
          "%s: the prompt that the values come from has %u tokens and this one has %u; "
          "patching needs as many.",
          text, source_tokens, n_tokens);
      return FALSE;
    }
  return TRUE;
}

TrcIntervention *
trc_edits_new (const TrcIntervention *from, guint n, const TrcModelConfig *config,
               guint n_prompts, guint n_tokens, GError **error)
{
  g_autofree TrcIntervention *edits = g_new0 (TrcIntervention, n + 1);

  for (guint i = 0; i < n; i++)
    {
      edits[i] = from[i];
      if (!check_edit (&edits[i], config, n_prompts, n_tokens, error))
        return NULL;
    }
  return g_steal_pointer (&edits);
}

/* --- values of the change --- */

typedef struct {
  guint n_rows, width; /* of the site in this pass */
  guint n_tokens;      /* 0: one row a prompt, of the last position */
  float *mask, *sum;
} Folded;

/* A whole site of a source run on the host, borrowed from that run. */
static const float *
source_values (const TrcIntervention *edit, TrcSite site, guint layer, guint *n_rows,
               GError **error)
{
  TrcTensor *tensor = trc_run_tensor (edit->source, site, layer);

  if (tensor == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The run that values of %s should come from has not kept them.",
                   trc_site_name (site));
      return NULL;
    }
  *n_rows = trc_tensor_dim (tensor, 0);
  return trc_run_host (edit->source, site, layer, error);
}

/* The mean of @n columns from @first over all rows of the source; free with g_free(). */
static float *
source_mean (const TrcIntervention *edit, TrcSite site, guint layer, guint width, guint first,
             guint n, GError **error)
{
  guint n_rows;
  const float *values = source_values (edit, site, layer, &n_rows, error);
  float *mean;

  if (values == NULL)
    return NULL;
  mean = g_new (float, n);
  for (guint j = 0; j < n; j++)
    {
      double total = 0;

      for (gsize r = 0; r < n_rows; r++)
        total += values[r * width + first + j];
      mean[j] = (float)(total / n_rows);
    }
  return mean;
}

static void
fold_row (const TrcIntervention *edit, float *mask, float *sum, guint n, const float *values)
{
  for (guint j = 0; j < n; j++)
    if (edit->mode == TRC_MODE_SCALE)
      {
        mask[j] *= edit->value;
        sum[j] *= edit->value;
      }
    else if (edit->mode == TRC_MODE_ADD)
      sum[j] += values != NULL ? values[j] : edit->value;
    else
      {
        mask[j] = 0;
        sum[j] = edit->mode == TRC_MODE_ZERO ? 0 : values != NULL ? values[j] : edit->value;
      }
}

/* The row of a prompt and position in this pass, or -1 when it is not computed. */
static gint64
row_of (const Folded *f, guint pass_tokens, guint prompt, gint64 position)
{
  if (f->n_tokens == 0)
    return position + 1 == (gint64)pass_tokens ? (gint64)prompt : -1;
  return (gint64)prompt * f->n_tokens + position;
}

static gboolean
fold (const TrcPass *self, const TrcIntervention *edit, TrcSite site, guint layer, Folded *f,
      GError **error)
{
  guint first, n, n_source = 0, n_prompts = self->params->n_prompts;
  const float *patch = NULL;
  g_autofree float *mean = NULL;

  trc_hook_site (&edit->hook, self->config, &first, &n);
  if (edit->mode == TRC_MODE_PATCH
      && (patch = source_values (edit, site, layer, &n_source, error)) == NULL)
    return FALSE;
  if (edit->mode == TRC_MODE_MEAN
      && (mean = source_mean (edit, site, layer, f->width, first, n, error)) == NULL)
    return FALSE;
  guint source_prompts = 0, source_tokens = 0;
  if (patch != NULL)
    trc_run_ids (edit->source, &source_prompts, &source_tokens);
  gboolean source_last = patch != NULL && n_source == source_prompts && source_tokens > 1;
  for (guint b = edit->prompt < 0 ? 0 : (guint)edit->prompt; b < n_prompts; b++)
    {
      for (gint64 t = edit->hook.first; t <= edit->hook.last; t++)
        {
          gint64 row = row_of (f, self->params->n_tokens, b, t);
          gsize from = source_prompts > 1 ? b : 0;
          const float *values = mean != NULL ? mean : edit->values;

          if (row < 0 || (source_last && t + 1 != (gint64)source_tokens))
            continue;
          if (patch != NULL)
            values = patch + (source_last ? from : from * source_tokens + (gsize)t) * f->width
                     + first;
          fold_row (edit, f->mask + (gsize)row * f->width + first,
                    f->sum + (gsize)row * f->width + first, n, values);
        }
      if (edit->prompt >= 0)
        break;
    }
  return TRUE;
}

static gboolean
is_here (const TrcPass *self, const TrcIntervention *edit, TrcSite site, guint layer)
{
  guint first, n;
  guint at = edit->hook.kind == TRC_HOOK_FINAL ? self->config->n_layers - 1 : edit->hook.layer;

  return trc_hook_site (&edit->hook, self->config, &first, &n) == site
         && (!trc_site_in_layer (site) || at == layer);
}

/* Puts @host on the tape as a constant of the shape of the site. */
static TrcVar
constant (TrcPass *self, const Folded *f, const float *host, const char *label)
{
  GError *error = NULL;
  g_autoptr (TrcTensor) tensor = trc_tensor_from_data (
      trc_tape_device (self->tape), TRC_F32, TRC_SHAPE (f->n_rows, f->width), host,
      (gsize)f->n_rows * f->width * sizeof (float), label, &error);

  if (tensor == NULL)
    {
      trc_tape_fail (self->tape, error);
      return TRC_VAR_NONE;
    }
  return trc_tape_input (self->tape, tensor);
}

TrcVar
trc_pass_edit (TrcPass *self, TrcSite site, guint layer, TrcVar var)
{
  const TrcForwardParams *p = self->params;
  gboolean last = p->last_only && trc_site_is_last (site, layer, self->config);
  Folded f = { .width = trc_site_width (site, self->config),
               .n_tokens = last ? 0 : p->n_tokens };
  g_autofree float *mask = NULL, *sum = NULL;
  GError *error = NULL;

  f.n_rows = last ? p->n_prompts : p->n_prompts * p->n_tokens;
  for (guint i = 0; i < p->n_interventions; i++)
    {
      if (!is_here (self, &self->edits[i], site, layer))
        continue;
      if (mask == NULL)
        {
          gsize n = (gsize)f.n_rows * f.width;

          f.mask = mask = g_new (float, n);
          f.sum = sum = g_new0 (float, n);
          for (gsize j = 0; j < n; j++)
            mask[j] = 1;
        }
      if (!fold (self, &self->edits[i], site, layer, &f, &error))
        {
          trc_tape_fail (self->tape, error);
          return TRC_VAR_NONE;
        }
    }
  if (mask == NULL)
    return var;
  return trc_tape_add (self->tape,
                       trc_tape_mul (self->tape, var, constant (self, &f, mask, "kept share")),
                       constant (self, &f, sum, "set values"));
}
