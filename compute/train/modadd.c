/* Trains modular addition full batch. The forward pass is the model's own, for the last
 * position only; the step is one AdamW kernel a weight. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/ops.h"
#include "compute/train/trainer.h"

#include <math.h>
#include <string.h>

void
trc_train_params_init (TrcTrainParams *params)
{
  *params = (TrcTrainParams){ .p = 113,
                              .d_model = 128,
                              .n_heads = 4,
                              .d_mlp = 512,
                              .train_share = 0.3,
                              .lr = 1e-3,
                              .weight_decay = 1.0,
                              .beta1 = 0.9,
                              .beta2 = 0.98,
                              .eps = 1e-8,
                              .warmup = 10,
                              .epochs = 40000,
                              .report_every = 100,
                              .checkpoint_every = 500 };
}

/* --- the data --- */

static gboolean
refuse (GError **error, const char *text)
{
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, text);
  return FALSE;
}

static gboolean
check_params (const TrcTrainParams *p, GError **error)
{
  if (p->p < 2 || p->p > 1000)
    return refuse (error, "The modulus p must be from 2 to 1000.");
  if (p->n_heads == 0 || p->d_model == 0 || p->d_mlp == 0 || p->d_model % p->n_heads != 0
      || p->d_model > 8192 || p->d_mlp > 65536)
    return refuse (error, "The widths of the network do not fit each other: d_model must be a "
                          "multiple of the number of heads.");
  if (!(p->train_share > 0 && p->train_share < 1))
    return refuse (error, "The share of pairs to train on must lie between 0 and 1.");
  if (!(p->lr > 0) || !(p->weight_decay >= 0) || !(p->beta1 >= 0 && p->beta1 < 1)
      || !(p->beta2 >= 0 && p->beta2 < 1) || !(p->eps > 0))
    return refuse (error,
                   "The learning rate, weight decay, betas and eps must be positive, the "
                   "betas below 1.");
  if (p->epochs == 0 || p->report_every == 0 || p->checkpoint_every == 0)
    return refuse (error, "Epochs and intervals must be at least 1.");
  return TRUE;
}

static guint32
answer (guint32 pair, guint p)
{
  return (pair / p + pair % p) % p;
}

/* [n][3] ids of the pairs from @first on. */
static TrcTensor *
make_ids (const TrcTrainer *self, guint first, guint n, GError **error)
{
  guint p = self->params.p;
  g_autofree gint32 *ids = g_new (gint32, (gsize)n * 3);

  for (guint i = 0; i < n; i++)
    {
      ids[3 * i] = (gint32)(self->pairs[first + i] / p);
      ids[3 * i + 1] = (gint32)(self->pairs[first + i] % p);
      ids[3 * i + 2] = (gint32)p;
    }
  return trc_tensor_from_data (self->dev, TRC_I32, TRC_SHAPE (3 * n), ids,
                               (gsize)n * 3 * sizeof *ids, "pairs", error);
}

static gboolean
make_data (TrcTrainer *self, GError **error)
{
  guint p = self->params.p;
  g_autofree gint32 *targets = NULL;
  TrcRandom split;

  self->n_pairs = p * p;
  self->n_train =
      CLAMP ((guint)(self->params.train_share * self->n_pairs), 1, self->n_pairs - 1);
  self->pairs = g_new (guint32, self->n_pairs);
  for (guint i = 0; i < self->n_pairs; i++)
    self->pairs[i] = i;
  /* The split has its own stream, so that it never depends on the network. */
  trc_random_init (&split, self->params.seed ^ G_GUINT64_CONSTANT (0x5eed5eed5eed5eed));
  for (guint i = self->n_pairs - 1; i > 0; i--)
    {
      guint j = (guint)trc_random_below (&split, i + 1);
      guint32 other = self->pairs[j];

      self->pairs[j] = self->pairs[i];
      self->pairs[i] = other;
    }
  targets = g_new (gint32, self->n_train);
  for (guint i = 0; i < self->n_train; i++)
    targets[i] = (gint32)answer (self->pairs[i], p);
  self->train_targets =
      trc_tensor_from_data (self->dev, TRC_I32, TRC_SHAPE (self->n_train), targets,
                            self->n_train * sizeof *targets, "answers", error);
  if (self->train_targets == NULL)
    return FALSE;
  self->train_ids = make_ids (self, 0, self->n_train, error);
  if (self->train_ids == NULL)
    return FALSE;
  self->test_ids = make_ids (self, self->n_train, self->n_pairs - self->n_train, error);
  return self->test_ids != NULL;
}

/* --- the network --- */

static gboolean
start_fresh (TrcTrainer *self, GError **error)
{
  float *host[TRC_N_WEIGHTS];
  g_autofree char *checkpoint = trc_checkpoint_path (self->params.folder);
  gboolean ok;

  if (g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s already holds a training run; resume it or choose another folder.",
                   self->params.folder);
      return FALSE;
    }
  trc_random_init (&self->random, self->params.seed);
  trc_modadd_init_weights (&self->params, &self->random, host);
  ok = trc_modadd_write_config (&self->params, error)
       && trc_modadd_write_weights (&self->params, host, error);
  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    g_free (host[role]);
  return ok;
}

static gboolean
has_checkpoint (const TrcTrainer *self, GError **error)
{
  g_autofree char *checkpoint = trc_checkpoint_path (self->params.folder);

  if (g_file_test (checkpoint, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "There is nothing to resume: %s does not exist.", checkpoint);
  return FALSE;
}

static gboolean
take_weights (TrcTrainer *self, GError **error)
{
  guint n_in, n_out;

  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    {
      TrcTrainWeight *w = &self->weights[self->n_weights];
      const TrcWeight *weight;

      if (!trc_modadd_shape (&self->params, role, &n_in, &n_out))
        continue;
      weight = trc_model_weight (self->model, self->dev, role, 0, error);
      if (weight == NULL)
        return FALSE;
      w->role = role;
      w->name = g_strdup_printf ("weight%02u", role);
      w->w = trc_tensor_ref (weight->tensor);
      self->n_weights++;
      w->m = trc_tensor_zeros (self->dev, trc_tensor_shape (w->w), "first moment", error);
      if (w->m == NULL)
        return FALSE;
      w->v = trc_tensor_zeros (self->dev, trc_tensor_shape (w->w), "second moment", error);
      if (w->v == NULL)
        return FALSE;
    }
  return TRUE;
}

static void
trainer_clear (TrcTrainer *self)
{
  for (guint i = 0; i < self->n_weights; i++)
    {
      trc_tensor_unref (self->weights[i].w);
      trc_tensor_unref (self->weights[i].m);
      trc_tensor_unref (self->weights[i].v);
      g_free (self->weights[i].name);
    }
  trc_tensor_unref (self->train_ids);
  trc_tensor_unref (self->train_targets);
  trc_tensor_unref (self->test_ids);
  trc_tape_free (self->tape);
  trc_model_unref (self->model);
  g_free (self->pairs);
}

static gboolean
trainer_start (TrcTrainer *self, GError **error)
{
  if (!check_params (&self->params, error) || !make_data (self, error))
    return FALSE;
  if (self->params.resume ? !has_checkpoint (self, error) : !start_fresh (self, error))
    return FALSE;
  self->model = trc_model_open (self->params.folder, error);
  if (self->model == NULL || !take_weights (self, error))
    return FALSE;
  self->tape = trc_tape_new (self->dev, TRC_TAPE_RECORD);
  return !self->params.resume || trc_checkpoint_read (self, error);
}

/* --- one step --- */

/* Every weight that has become NaN or infinite has a name. */
static gboolean
blame (TrcTrainer *self, double loss, GError **error)
{
  const char *name = "the loss";

  for (guint i = 0; i < self->n_weights; i++)
    {
      gsize n = trc_tensor_n (self->weights[i].w);
      g_autofree float *host = g_new (float, n);

      if (!trc_tensor_read (self->weights[i].w, host, n, error))
        return FALSE;
      for (gsize k = 0; k < n; k++)
        if (!isfinite (host[k]))
          {
            name = trc_tensor_label (self->weights[i].w);
            break;
          }
    }
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
               "At step %" G_GUINT64_FORMAT
               " the loss became %g; the first tensor that is no longer "
               "finite is %s. A smaller learning rate may help.",
               self->step + 1, loss, name);
  return FALSE;
}

static gboolean
update (TrcTrainer *self, const TrcForward *forward, GError **error)
{
  const TrcTrainParams *p = &self->params;
  guint64 step = self->step + 1;
  double warm = p->warmup > 0 ? MIN (1.0, (double)step / p->warmup) : 1.0;
  const TrcAdamw settings = { p->lr * warm, p->beta1, p->beta2, p->eps, p->weight_decay };

  for (guint i = 0; i < self->n_weights; i++)
    {
      const TrcTrainWeight *w = &self->weights[i];
      guint row = trc_weight_is_outer (w->role) ? forward->n_layers : 0;
      TrcTensor *grad = trc_tape_grad (self->tape, forward->weight[row][w->role]);

      if (grad == NULL)
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                       "No gradient reached %s.", trc_tensor_label (w->w));
          return FALSE;
        }
      if (!trc_op_adamw (grad, w->w, w->m, w->v, &settings, step, error))
        return FALSE;
    }
  self->step = step;
  return TRUE;
}

static gboolean
train_step (TrcTrainer *self, double *loss, GError **error)
{
  const TrcForwardParams params = { .id_tensor = self->train_ids,
                                    .n_prompts = self->n_train,
                                    .n_tokens = 3,
                                    .last_only = TRUE,
                                    .train = TRUE };
  g_autoptr (TrcForward) forward = NULL;
  float value;

  trc_tape_reset (self->tape);
  forward = trc_forward_new (self->tape, self->model, &params, error);
  if (forward == NULL)
    return FALSE;
  TrcVar each =
      trc_tape_cross_entropy (self->tape, forward->outer[TRC_SITE_LOGITS], self->train_targets);
  TrcVar mean = trc_tape_sum (self->tape, each, 1.0f / (float)self->n_train);
  if (!trc_tape_backward (self->tape, mean, NULL, error)
      || !trc_tensor_read (trc_tape_tensor (self->tape, mean), &value, 1, error))
    return FALSE;
  *loss = value;
  if (!isfinite (value))
    return blame (self, value, error);
  return update (self, forward, error);
}

/* --- evaluation --- */

/* Mean loss and share of right answers over the pairs from @first on. */
static gboolean
evaluate (TrcTrainer *self, TrcTensor *ids, guint first, guint n, double *loss,
          double *accuracy, GError **error)
{
  const TrcForwardParams params = {
    .id_tensor = ids, .n_prompts = n, .n_tokens = 3, .last_only = TRUE
  };
  guint n_vocab = self->params.p + 1, right = 0;
  g_autofree float *logits = g_new (float, (gsize)n *n_vocab);
  g_autoptr (TrcForward) forward = NULL;
  double total = 0;

  trc_tape_reset (self->tape);
  forward = trc_forward_new (self->tape, self->model, &params, error);
  if (forward == NULL || !trc_tape_status (self->tape, error)
      || !trc_tensor_read (trc_tape_tensor (self->tape, forward->outer[TRC_SITE_LOGITS]),
                           logits, (gsize)n * n_vocab, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      const float *row = logits + (gsize)i * n_vocab;
      guint32 want = answer (self->pairs[first + i], self->params.p), best = 0;
      double sum = 0;

      for (guint j = 0; j < n_vocab; j++)
        {
          sum += exp ((double)row[j] - row[want]);
          best = row[j] > row[best] ? j : best;
        }
      total += log (sum);
      right += best == want;
    }
  *loss = total / n;
  *accuracy = (double)right / n;
  return TRUE;
}

static gboolean
make_report (TrcTrainer *self, TrcTrainReport *r, double seconds_per_epoch, GError **error)
{
  guint n_test = self->n_pairs - self->n_train;

  r->epoch = (guint)self->step;
  r->epochs = self->params.epochs;
  if (!evaluate (self, self->train_ids, 0, self->n_train, &r->train_loss, &r->train_accuracy,
                 error)
      || !evaluate (self, self->test_ids, self->n_train, n_test, &r->test_loss,
                    &r->test_accuracy, error))
    return FALSE;
  r->accuracy = (r->train_accuracy * self->n_train + r->test_accuracy * n_test) / self->n_pairs;
  r->seconds_per_epoch = seconds_per_epoch;
  r->seconds_left = seconds_per_epoch * (r->epochs > r->epoch ? r->epochs - r->epoch : 0);
  if (self->params.stop_at_accuracy > 0 && r->accuracy >= self->params.stop_at_accuracy
      && self->reached_at == 0)
    self->reached_at = self->step;
  return TRUE;
}

/* --- the loop --- */

static gboolean
is_done (const TrcTrainer *self)
{
  const TrcTrainParams *p = &self->params;

  return self->step >= p->epochs
         || (p->stop_at_accuracy > 0 && self->reached_at > 0
             && self->step >= self->reached_at + p->extra_epochs);
}

static gboolean
loop (TrcTrainer *self, TrcTrainFunc report, gpointer data, TrcTrainReport *last,
      const TrcProgress *progress, GError **error)
{
  gint64 began = g_get_monotonic_time ();
  guint64 from = self->step;
  double loss;

  while (!is_done (self))
    {
      if (trc_progress_cancelled (progress, NULL))
        {
          if (!trc_checkpoint_write (self, error))
            return FALSE;
          trc_progress_cancelled (progress, error);
          return FALSE;
        }
      if (!train_step (self, &loss, error))
        return FALSE;
      if (self->step % self->params.report_every == 0 || self->step == self->params.epochs)
        {
          double seconds = (double)(g_get_monotonic_time () - began) * 1e-6;

          if (!make_report (self, last, seconds / (double)(self->step - from), error))
            return FALSE;
          if (report != NULL)
            report (last, data);
          trc_progress_report (progress, (double)last->epoch / last->epochs, "training");
        }
      if (self->step % self->params.checkpoint_every == 0
          && !trc_checkpoint_write (self, error))
        return FALSE;
    }
  return trc_checkpoint_write (self, error)
         && make_report (self, last, last->seconds_per_epoch, error);
}

gboolean
trc_train_modadd (TrcDevice *dev, const TrcTrainParams *params, TrcTrainFunc report,
                  gpointer data, TrcTrainReport *last, const TrcProgress *progress,
                  GError **error)
{
  TrcTrainer self = { .params = *params, .dev = dev };
  TrcTrainReport own = { 0 };
  gboolean ok;

  g_return_val_if_fail (params->folder != NULL, FALSE);
  ok = trainer_start (&self, error)
       && loop (&self, report, data, last != NULL ? last : &own, progress, error);
  trainer_clear (&self);
  return ok;
}
