#include "compute/attribution/tracer.h"

#include <math.h>
#include <string.h>

/* Prompts in one patched batch: enough to fill the matrix kernels, and within the budget. */
static guint
batch_size (const TrcTracer *t)
{
  const TrcModelConfig *c = t->config;
  gsize widest = MAX (MAX (c->d_mlp, c->n_heads * c->d_head), c->n_heads * t->n_tokens);
  gsize prompt = (8 * widest * t->n_tokens + c->n_vocab) * sizeof (float);
  return CLAMP (t->params->memory_budget / 2 / prompt, 1, 256);
}

static gboolean
patch_batch (TrcTracer *t, TrcRun *source, const TrcHook *hooks, guint n, double *effects,
             GError **error)
{
  g_autofree TrcIntervention *edits = g_new0 (TrcIntervention, n);
  g_autofree guint32 *ids = g_new (guint32, (gsize)n * t->n_tokens);
  const TrcProgress quiet = { .cancellable =
                                  t->progress != NULL ? t->progress->cancellable : NULL };

  for (guint i = 0; i < n; i++)
    {
      memcpy (ids + (gsize)i * t->n_tokens, t->ids, t->n_tokens * sizeof *ids);
      edits[i] = (TrcIntervention){ .hook = hooks[i],
                                    .mode = source != NULL ? TRC_MODE_PATCH : TRC_MODE_ZERO,
                                    .source = source,
                                    .prompt = i };
    }
  const TrcRunParams params = { .ids = ids,
                                .n_prompts = n,
                                .n_tokens = t->n_tokens,
                                .last_only = TRUE,
                                .interventions = edits,
                                .n_interventions = n };
  g_autoptr (TrcRun) run = trc_run_new (t->model, t->device, &params, &quiet, error);
  if (run == NULL)
    return FALSE;
  t->report->forwards++;
  t->report->patches += n;
  for (guint i = 0; i < n; i++)
    {
      const float *logits = trc_run_logits (run, i, -1, error);
      if (logits == NULL)
        return FALSE;
      effects[i] = t->report->metric - trc_tracer_metric (t, logits);
    }
  return TRUE;
}

gboolean
trc_exact_hooks (TrcTracer *t, const TrcHook *hooks, guint n, double *effects, GError **error)
{
  guint batch = batch_size (t);
  g_autoptr (TrcRun) source = NULL;

  if (t->other_ids != NULL)
    {
      const TrcRunParams params = {
        .ids = t->other_ids, .n_prompts = 1, .n_tokens = t->n_tokens, .keep = TRC_SITES_ALL
      };
      source = trc_run_new (t->model, t->device, &params, NULL, error);
      if (source == NULL)
        return FALSE;
    }
  for (guint first = 0; first < n; first += batch)
    {
      g_autofree char *text = g_strdup_printf ("exact patching: %u of %u nodes", first, n);
      trc_progress_report (t->progress, 0.1 + 0.4 * first / n, text);
      if (trc_progress_cancelled (t->progress, error)
          || !patch_batch (t, source, hooks + first, MIN (batch, n - first), effects + first,
                           error))
        return FALSE;
    }
  return TRUE;
}

gboolean
trc_exact_scores (TrcTracer *t, const TrcPlace *places, guint n, double *scores, GError **error)
{
  static const TrcHookKind kinds[] = { [TRC_KIND_EMBED] = TRC_HOOK_EMBED,
                                       [TRC_KIND_HEAD] = TRC_HOOK_HEAD,
                                       [TRC_KIND_NEURON] = TRC_HOOK_NEURON };
  g_autofree TrcHook *hooks = g_new0 (TrcHook, MAX (n, 1));

  for (guint i = 0; i < n; i++)
    hooks[i] = (TrcHook){ .kind = kinds[places[i].kind],
                          .layer = places[i].layer,
                          .index = places[i].index,
                          .has_position = TRUE,
                          .first = places[i].position,
                          .last = places[i].position };
  return trc_exact_hooks (t, hooks, n, scores, error);
}
