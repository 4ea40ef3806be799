#define G_LOG_DOMAIN "tracery-compute"

#include "compute/generate.h"

#include "compute/base/random.h"
#include "compute/models/pass.h"

#include <math.h>

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  const TrcGenerateParams *params;
  const TrcProgress *progress;
  TrcPassCache cache;
  TrcIntervention *edits; /* resolved: plain positions in the whole text */
  TrcIntervention *here;  /* those that act in the pass, with its positions */
  TrcRun *baseline;
  GArray *ends; /* of guint32 */
  guint n_room; /* positions that the cache has room for */
  float *logits;
  double *weights;
  TrcRandom random;
  TrcGenerateWork work;
} Writer;

static void
writer_clear (Writer *self)
{
  guint n_layers = trc_model_config (self->model)->n_layers;

  for (guint l = 0; self->cache.k != NULL && l < n_layers; l++)
    {
      trc_tensor_unref (self->cache.k[l]);
      trc_tensor_unref (self->cache.v[l]);
    }
  g_free (self->cache.k);
  g_free (self->cache.v);
  g_free (self->edits);
  g_free (self->here);
  trc_run_unref (self->baseline);
  g_clear_pointer (&self->ends, g_array_unref);
  g_free (self->logits);
  g_free (self->weights);
}

/* --- set-up --- */

/* The ids that end a text, by the names that tokenisers give them. The last two are how the
 * tokenisers of llama2.c write the end and the beginning, which parts their stories too. */
static GArray *
end_tokens (const TrcModel *model)
{
  static const char *const names[] = { "<|endoftext|>", "<|end_of_text|>", "<|im_end|>",
                                       "<|end_story|>", "<eos>",           "</s>",
                                       "\n</s>\n",      "\n<s>\n" };
  const TrcTokenizer *tokenizer = trc_model_tokenizer (model);
  GArray *ends = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 id;

  for (guint i = 0; tokenizer != NULL && i < G_N_ELEMENTS (names); i++)
    if (trc_tokenizer_find (tokenizer, names[i], &id, NULL))
      g_array_append_val (ends, id);
  return ends;
}

/* Positions from the end belong to the prompt, plain ones to the whole text. */
static gboolean
resolve_edits (Writer *self, GError **error)
{
  const TrcGenerateParams *p = self->params;

  self->edits = g_new0 (TrcIntervention, p->n_interventions + 1);
  self->here = g_new0 (TrcIntervention, p->n_interventions + 1);
  for (guint i = 0; i < p->n_interventions; i++)
    {
      TrcHook *hook = &self->edits[i].hook;

      self->edits[i] = p->interventions[i];
      gboolean from_end = hook->has_position && (hook->first < 0 || hook->last < 0);
      if (!trc_hook_resolve (hook, trc_model_config (self->model),
                             from_end ? p->n_tokens : self->n_room, error))
        {
          g_autofree char *text = trc_hook_format (&p->interventions[i].hook);

          g_prefix_error (error, "%s: ", text);
          return FALSE;
        }
      hook->has_position = TRUE;
    }
  return trc_run_baseline (self->model, self->dev,
                           &(TrcRunParams){ .ids = p->ids,
                                            .n_prompts = 1,
                                            .n_tokens = p->n_tokens,
                                            .interventions = p->interventions,
                                            .n_interventions = p->n_interventions },
                           self->edits, &self->baseline, self->progress, error);
}

static gboolean
make_cache (Writer *self, GError **error)
{
  const TrcModelConfig *c = trc_model_config (self->model);
  TrcShape shape = TRC_SHAPE (self->n_room, c->n_kv_heads * c->d_head);

  self->cache.k = g_new0 (TrcTensor *, c->n_layers);
  self->cache.v = g_new0 (TrcTensor *, c->n_layers);
  for (guint l = 0; l < c->n_layers; l++)
    {
      self->cache.k[l] = trc_tensor_new (self->dev, TRC_F32, shape, "cached keys", error);
      if (self->cache.k[l] == NULL)
        return FALSE;
      self->cache.v[l] = trc_tensor_new (self->dev, TRC_F32, shape, "cached values", error);
      if (self->cache.v[l] == NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
writer_init (Writer *self, GError **error)
{
  const TrcModelConfig *c = trc_model_config (self->model);
  const TrcGenerateParams *p = self->params;

  if (p->n_tokens == 0 || p->n_tokens > c->n_ctx)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The prompt has %u tokens; %s takes 1 to %u.", p->n_tokens,
                   trc_model_name (self->model), c->n_ctx);
      return FALSE;
    }
  /* The last token that is written goes through no pass. */
  self->n_room = p->n_tokens + MIN (p->n_new - 1, c->n_ctx - p->n_tokens);
  self->ends = end_tokens (self->model);
  self->logits = g_new (float, c->n_vocab);
  self->weights = g_new (double, c->n_vocab);
  trc_random_init (&self->random, p->seed);
  return resolve_edits (self, error) && make_cache (self, error);
}

/* --- one pass --- */

/* The interventions of @n positions behind the past ones, counted from there. */
static guint
edits_here (Writer *self, guint n)
{
  gint64 past = self->cache.n_past;
  guint n_here = 0;

  for (guint i = 0; i < self->params->n_interventions; i++)
    {
      TrcIntervention edit = self->edits[i];

      edit.hook.first = MAX (edit.hook.first - past, 0);
      edit.hook.last = MIN (edit.hook.last - past, (gint64)n - 1);
      if (edit.hook.first > edit.hook.last || (edit.mode == TRC_MODE_PATCH && past > 0))
        continue;
      self->here[n_here++] = edit;
    }
  return n_here;
}

static gboolean
walk (Writer *self, TrcPass *pass, GError **error)
{
  TrcTape *tape = pass->tape;
  guint n_vocab = pass->config->n_vocab, mark = trc_tape_mark (tape);
  TrcVar stream = trc_tape_release (tape, mark, trc_pass_begin (pass));

  for (guint l = 0; l < pass->config->n_layers; l++)
    {
      if (trc_progress_cancelled (self->progress, error))
        return FALSE;
      stream = trc_tape_release (tape, mark, trc_pass_layer (pass, l, stream));
    }
  trc_pass_end (pass, stream);
  if (!trc_tape_status (tape, error))
    return FALSE;
  return trc_tensor_read (trc_tape_tensor (tape, pass->out->outer[TRC_SITE_LOGITS]),
                          self->logits, n_vocab, error);
}

/* Sends @n ids through the model; the logits of the last one are read. */
static gboolean
advance (Writer *self, const guint32 *ids, guint n, GError **error)
{
  const TrcForwardParams f = { .ids = ids,
                               .n_prompts = 1,
                               .n_tokens = n,
                               .last_only = TRUE,
                               .n_interventions = edits_here (self, n),
                               .interventions = self->here };
  g_autoptr (TrcTape) tape = trc_tape_new (self->dev, TRC_TAPE_INFERENCE);
  TrcPass pass;

  if (!trc_pass_init_cached (&pass, tape, self->model, &f, &self->cache, error))
    return FALSE;
  gboolean ok = walk (self, &pass, error);
  trc_pass_clear (&pass);
  trc_forward_free (pass.out);
  self->cache.n_past += n;
  self->work.n_passes++;
  self->work.n_positions += n;
  for (guint i = 0; ok && i < trc_model_config (self->model)->n_vocab; i++)
    if (!isfinite (self->logits[i]))
      {
        g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
                     "The logits of %s behind position %u are not finite numbers. The weights "
                     "or the intervention may be damaged.",
                     trc_model_name (self->model), self->cache.n_past - 1);
        ok = FALSE;
      }
  return ok;
}

/* --- tokens --- */

static guint32
pick (Writer *self)
{
  guint n = trc_model_config (self->model)->n_vocab;
  guint32 best = 0;
  double total = 0, draw;

  for (guint32 i = 1; i < n; i++)
    if (self->logits[i] > self->logits[best])
      best = i;
  if (self->params->temperature <= 0)
    return best;
  for (guint32 i = 0; i < n; i++)
    total += self->weights[i] =
        exp (((double)self->logits[i] - self->logits[best]) / self->params->temperature);
  draw = (double)(trc_random_next (&self->random) >> 11) * 0x1p-53 * total;
  for (guint32 i = 0; i < n; i++)
    if ((draw -= self->weights[i]) < 0)
      return i;
  return best;
}

static gboolean
is_end (const Writer *self, guint32 id)
{
  for (guint i = 0; i < self->ends->len; i++)
    if (g_array_index (self->ends, guint32, i) == id)
      return TRUE;
  return FALSE;
}

/* TRUE with the reason noted when @id, the @n-th token, is the last one. */
static gboolean
is_last (Writer *self, guint32 id, guint n)
{
  const TrcGenerateParams *p = self->params;

  if (p->token != NULL && !p->token (id, p->data))
    self->work.stop = TRC_STOP_CALLER;
  else if (n == p->n_new)
    self->work.stop = TRC_STOP_COUNT;
  else if (self->cache.n_past == self->n_room)
    self->work.stop = TRC_STOP_FULL;
  else
    return FALSE;
  return TRUE;
}

static gboolean
write_on (Writer *self, GArray *ids, GError **error)
{
  const TrcGenerateParams *p = self->params;

  if (!advance (self, p->ids, p->n_tokens, error))
    return FALSE;
  for (guint n = 1;; n++)
    {
      guint32 id = pick (self);

      if (is_end (self, id))
        {
          self->work.stop = TRC_STOP_END;
          return TRUE;
        }
      g_array_append_val (ids, id);
      trc_progress_report (self->progress, (double)n / p->n_new, "writing");
      if (is_last (self, id, n))
        return TRUE;
      if (trc_progress_cancelled (self->progress, error) || !advance (self, &id, 1, error))
        return FALSE;
    }
}

gboolean
trc_generate (TrcModel *model, TrcDevice *dev, const TrcGenerateParams *params, GArray *ids,
              TrcGenerateWork *work, const TrcProgress *progress, GError **error)
{
  Writer self = { .model = model, .dev = dev, .params = params, .progress = progress };
  gboolean ok;

  g_return_val_if_fail (params->ids != NULL || params->n_tokens == 0, FALSE);
  g_return_val_if_fail (params->n_new > 0, FALSE);
  ok = writer_init (&self, error) && write_on (&self, ids, error);
  if (work != NULL)
    *work = self.work;
  writer_clear (&self);
  return ok;
}
