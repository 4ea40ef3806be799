#define G_LOG_DOMAIN "tracery-compute"

#include "compute/run.h"

#include "compute/models/pass.h"

#include <math.h>
#include <string.h>

struct _TrcRun {
  TrcModel *model;
  TrcDevice *dev;
  guint32 *ids;
  guint n_prompts, n_tokens;
  gboolean last_only;
  TrcTensor **kept;   /* [(n_layers + 1) * TRC_N_SITES]; outer sites in the last row */
  float **host;       /* the same, copied on demand */
  float **logit_rows; /* [rows of the logits], copied on demand */
  guint n_logit_rows;
};

static gsize
slot (const TrcRun *self, TrcSite site, guint layer)
{
  guint n = trc_model_config (self->model)->n_layers;

  return (gsize)(trc_site_in_layer (site) ? layer : n) * TRC_N_SITES + site;
}

static gsize
n_slots (const TrcRun *self)
{
  return ((gsize)trc_model_config (self->model)->n_layers + 1) * TRC_N_SITES;
}

/* --- life cycle --- */

static void
run_clear (gpointer data)
{
  TrcRun *self = data;

  for (gsize i = 0; i < n_slots (self); i++)
    {
      trc_tensor_unref (self->kept[i]);
      g_free (self->host[i]);
    }
  for (guint i = 0; i < self->n_logit_rows; i++)
    g_free (self->logit_rows[i]);
  g_free (self->kept);
  g_free (self->host);
  g_free (self->logit_rows);
  g_free (self->ids);
  trc_model_unref (self->model);
  trc_device_unref (self->dev);
}

TrcRun *
trc_run_ref (TrcRun *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_run_unref (TrcRun *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, run_clear);
}

static TrcRun *
run_alloc (TrcModel *model, TrcDevice *dev, const TrcRunParams *params)
{
  TrcRun *self = g_atomic_rc_box_new0 (TrcRun);

  self->model = trc_model_ref (model);
  self->dev = trc_device_ref (dev);
  self->n_prompts = params->n_prompts;
  self->n_tokens = params->n_tokens;
  self->last_only = params->last_only;
  self->ids = g_memdup2 (params->ids,
                         (gsize)params->n_prompts * params->n_tokens * sizeof *params->ids);
  self->kept = g_new0 (TrcTensor *, n_slots (self));
  self->host = g_new0 (float *, n_slots (self));
  self->n_logit_rows = params->n_prompts * (params->last_only ? 1 : params->n_tokens);
  self->logit_rows = g_new0 (float *, self->n_logit_rows);
  return self;
}

/* --- the pass --- */

/* Keeps what was asked for of one layer, or of the outer sites (@layer = n_layers). */
static void
keep_sites (TrcRun *self, const TrcTape *tape, const TrcForward *forward, guint layer,
            guint32 keep)
{
  gboolean outer = layer == forward->n_layers;

  for (guint site = 0; site < TRC_N_SITES; site++)
    {
      TrcTensor *tensor;

      if ((keep & TRC_SITE_BIT (site)) == 0 || trc_site_in_layer (site) == outer)
        continue;
      tensor = trc_forward_tensor (forward, tape, site, outer ? 0 : layer);
      if (tensor != NULL && self->kept[slot (self, site, layer)] == NULL)
        self->kept[slot (self, site, layer)] = trc_tensor_ref (tensor);
    }
}

/* Layer by layer, giving the memory of each back as soon as it is behind. */
static gboolean
walk (TrcRun *self, TrcPass *pass, guint32 keep, const TrcProgress *progress, GError **error)
{
  TrcTape *tape = pass->tape;
  guint n_layers = pass->config->n_layers;
  guint mark = trc_tape_mark (tape);
  TrcVar stream = trc_pass_begin (pass);

  keep_sites (self, tape, pass->out, n_layers, keep & TRC_SITE_BIT (TRC_SITE_EMBED));
  stream = trc_tape_release (tape, mark, stream);
  for (guint l = 0; l < n_layers; l++)
    {
      g_autofree char *text = g_strdup_printf ("layer %u of %u", l + 1, n_layers);

      if (trc_progress_cancelled (progress, error))
        return FALSE;
      trc_progress_report (progress, (double)l / n_layers, text);
      stream = trc_pass_layer (pass, l, stream);
      if (!trc_tape_status (tape, error))
        return FALSE;
      keep_sites (self, tape, pass->out, l, keep);
      stream = trc_tape_release (tape, mark, stream);
    }
  pass->out->outer[TRC_SITE_EMBED] = TRC_VAR_NONE;
  trc_pass_end (pass, stream);
  if (!trc_tape_status (tape, error))
    return FALSE;
  keep_sites (self, tape, pass->out, n_layers,
              (keep | TRC_SITE_BIT (TRC_SITE_LOGITS)) & ~TRC_SITE_BIT (TRC_SITE_EMBED));
  return TRUE;
}

static gboolean
all_finite (TrcTensor *tensor)
{
  gsize n = trc_tensor_n (tensor);
  g_autofree float *values = g_try_new (float, n);

  if (values == NULL || !trc_tensor_read (tensor, values, n, NULL))
    return TRUE;
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i]))
      return FALSE;
  return TRUE;
}

/* The logits are bad: runs again, keeping every stream, to say where it began. */
static void
name_the_bad_layer (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
                    const TrcIntervention *edits, GError **error)
{
  guint n_layers = trc_model_config (model)->n_layers;
  guint32 keep = TRC_SITE_BIT (TRC_SITE_EMBED) | TRC_SITE_BIT (TRC_SITE_RESID_POST);
  g_autoptr (TrcRun) again = NULL;
  g_autofree char *where = NULL;
  TrcRunParams p = *params;
  TrcPass pass;
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_INFERENCE);
  TrcForwardParams f = { .ids = p.ids,
                         .n_prompts = p.n_prompts,
                         .n_tokens = p.n_tokens,
                         .last_only = p.last_only,
                         .interventions = edits,
                         .n_interventions = p.n_interventions };

  again = run_alloc (model, dev, params);
  if (trc_pass_init (&pass, tape, model, &f, NULL))
    {
      walk (again, &pass, keep, NULL, NULL);
      trc_pass_clear (&pass);
      trc_forward_free (pass.out);
    }
  TrcTensor *embed = trc_run_tensor (again, TRC_SITE_EMBED, 0);
  if (embed != NULL && !all_finite (embed))
    where = g_strdup ("the embedding");
  for (guint l = 0; where == NULL && l < n_layers; l++)
    {
      TrcTensor *stream = trc_run_tensor (again, TRC_SITE_RESID_POST, l);

      if (stream != NULL && !all_finite (stream))
        where = g_strdup_printf ("layer %u", l);
    }
  g_set_error (
      error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
      "The logits of %s are not finite numbers; the first that are not come from %s. The "
      "weights or the intervention may be damaged.",
      trc_model_name (model), where != NULL ? where : "the unembedding");
}

/* A sum shows every NaN and infinity at the price of one number from the device. */
static gboolean
check_logits (TrcRun *self, TrcPass *pass, const TrcRunParams *params,
              const TrcIntervention *edits, GError **error)
{
  TrcVar total = trc_tape_sum (pass->tape, pass->out->outer[TRC_SITE_LOGITS], 1.0f);
  TrcTensor *tensor = trc_tape_tensor (pass->tape, total);
  float value = 0;

  if (!trc_tape_status (pass->tape, error) || !trc_tensor_read (tensor, &value, 1, error))
    return FALSE;
  if (isfinite (value))
    return TRUE;
  name_the_bad_layer (self->model, self->dev, params, edits, error);
  return FALSE;
}

/* MEAN without a source means the mean of the same prompts left alone. */
static TrcRun *
baseline_for_means (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
                    TrcIntervention *edits, const TrcProgress *progress, GError **error)
{
  TrcRunParams plain = { .ids = params->ids,
                         .n_prompts = params->n_prompts,
                         .n_tokens = params->n_tokens };
  g_autoptr (TrcRun) run = NULL;
  guint first, n;

  for (guint i = 0; i < params->n_interventions; i++)
    if (edits[i].mode == TRC_MODE_MEAN && edits[i].source == NULL)
      plain.keep |=
          TRC_SITE_BIT (trc_hook_site (&edits[i].hook, trc_model_config (model), &first, &n));
  run = trc_run_new (model, dev, &plain, progress, error);
  for (guint i = 0; run != NULL && i < params->n_interventions; i++)
    if (edits[i].mode == TRC_MODE_MEAN && edits[i].source == NULL)
      edits[i].source = run;
  return g_steal_pointer (&run);
}

static gboolean
needs_baseline (const TrcRunParams *params)
{
  for (guint i = 0; i < params->n_interventions; i++)
    if (params->interventions[i].mode == TRC_MODE_MEAN
        && params->interventions[i].source == NULL)
      return TRUE;
  return FALSE;
}

gboolean
trc_run_baseline (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
                  TrcIntervention *edits, TrcRun **run, const TrcProgress *progress,
                  GError **error)
{
  if (!needs_baseline (params))
    return TRUE;
  *run = baseline_for_means (model, dev, params, edits, progress, error);
  return *run != NULL;
}

TrcRun *
trc_run_new (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
             const TrcProgress *progress, GError **error)
{
  g_autofree TrcIntervention *edits =
      g_memdup2 (params->interventions, params->n_interventions * sizeof *edits);
  g_autoptr (TrcRun) baseline = NULL;
  TrcForwardParams f = { .ids = params->ids,
                         .n_prompts = params->n_prompts,
                         .n_tokens = params->n_tokens,
                         .last_only = params->last_only,
                         .interventions = edits,
                         .n_interventions = params->n_interventions };
  g_autoptr (TrcTape) tape = NULL;
  TrcPass pass;

  g_return_val_if_fail (params->ids != NULL || params->n_tokens == 0, NULL);
  if (!trc_run_baseline (model, dev, params, edits, &baseline, progress, error))
    return NULL;
  tape = trc_tape_new (dev, TRC_TAPE_INFERENCE);
  if (!trc_pass_init (&pass, tape, model, &f, error))
    return NULL;
  g_autoptr (TrcRun) self = run_alloc (model, dev, params);
  gboolean ok = walk (self, &pass, params->keep, progress, error)
                && check_logits (self, &pass, params, edits, error);
  trc_pass_clear (&pass);
  trc_forward_free (pass.out);
  return ok ? g_steal_pointer (&self) : NULL;
}

/* --- results --- */

TrcModel *
trc_run_model (const TrcRun *self)
{
  return self->model;
}

TrcDevice *
trc_run_device (const TrcRun *self)
{
  return self->dev;
}

const guint32 *
trc_run_ids (const TrcRun *self, guint *n_prompts, guint *n_tokens)
{
  if (n_prompts != NULL)
    *n_prompts = self->n_prompts;
  if (n_tokens != NULL)
    *n_tokens = self->n_tokens;
  return self->ids;
}

TrcTensor *
trc_run_tensor (const TrcRun *self, TrcSite site, guint layer)
{
  g_return_val_if_fail (site < TRC_N_SITES, NULL);
  g_return_val_if_fail (
      !trc_site_in_layer (site) || layer < trc_model_config (self->model)->n_layers, NULL);
  return self->kept[slot (self, site, layer)];
}

static TrcTensor *
need_tensor (const TrcRun *self, TrcSite site, guint layer, GError **error)
{
  TrcTensor *tensor = trc_run_tensor (self, site, layer);

  if (tensor == NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                 "The run has not kept %s, or the model has no such place.",
                 trc_site_name (site));
  return tensor;
}

gboolean
trc_run_read (const TrcRun *self, TrcSite site, guint layer, float *dst, gsize n,
              GError **error)
{
  TrcTensor *tensor = need_tensor (self, site, layer, error);

  return tensor != NULL && trc_tensor_read (tensor, dst, n, error);
}

const float *
trc_run_host (TrcRun *self, TrcSite site, guint layer, GError **error)
{
  TrcTensor *tensor = need_tensor (self, site, layer, error);
  float **copy;

  if (tensor == NULL)
    return NULL;
  copy = &self->host[slot (self, site, layer)];
  if (*copy == NULL)
    {
      gsize n = trc_tensor_n (tensor);
      g_autofree float *values = g_try_new (float, n);

      if (values == NULL)
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                       "There is no memory for a copy of %s.", trc_site_name (site));
          return NULL;
        }
      if (!trc_tensor_read (tensor, values, n, error))
        return NULL;
      *copy = g_steal_pointer (&values);
    }
  return *copy;
}

const float *
trc_run_logits (TrcRun *self, guint prompt, gint position, GError **error)
{
  guint n_vocab = trc_model_config (self->model)->n_vocab;
  gint64 at = position < 0 ? (gint64)self->n_tokens + position : position;
  gsize row;

  g_return_val_if_fail (prompt < self->n_prompts, NULL);
  g_return_val_if_fail (at >= 0 && at < (gint64)self->n_tokens, NULL);
  g_return_val_if_fail (!self->last_only || at + 1 == (gint64)self->n_tokens, NULL);
  row = self->last_only ? prompt : (gsize)prompt * self->n_tokens + (gsize)at;
  if (self->logit_rows[row] == NULL)
    {
      g_autofree float *values = g_new (float, n_vocab);
      TrcTensor *logits = trc_run_tensor (self, TRC_SITE_LOGITS, 0);

      if (!trc_tensor_read_part (logits, row * n_vocab, values, n_vocab, error))
        return NULL;
      self->logit_rows[row] = g_steal_pointer (&values);
    }
  return self->logit_rows[row];
}
