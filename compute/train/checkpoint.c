#define G_LOG_DOMAIN "tracery-compute"

#include "compute/safetensors.h"
#include "compute/train/trainer.h"

#include <string.h>

/* What must be the same for a run to go on, and where it stood. */
#define N_STATE 12

char *
trc_checkpoint_path (const char *folder)
{
  return g_build_filename (folder, "checkpoint.safetensors", NULL);
}

static guint64
bits_of (double value)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* The identity of a run: everything that shapes its numbers. */
static guint64
fingerprint (const TrcTrainParams *p)
{
  const guint64 parts[] = { p->p,
                            p->seed,
                            p->d_model,
                            p->n_heads,
                            p->d_mlp,
                            p->warmup,
                            bits_of (p->train_share),
                            bits_of (p->lr),
                            bits_of (p->weight_decay),
                            bits_of (p->beta1),
                            bits_of (p->beta2),
                            bits_of (p->eps) };
  TrcRandom mix = { 0 };
  guint64 hash = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      trc_random_init (&mix, hash ^ parts[i]);
      hash = trc_random_next (&mix);
    }
  return hash;
}

/* --- writing --- */

static gboolean
read_tensor (TrcTensor *tensor, float **host, GError **error)
{
  gsize n = trc_tensor_n (tensor);

  *host = g_new (float, n);
  return trc_tensor_read (tensor, *host, n, error);
}

/* The model's weights as [in][out] by role, for the model file. */
static gboolean
write_model (TrcTrainer *self, float *const read[TRC_N_WEIGHTS], GError **error)
{
  float *host[TRC_N_WEIGHTS] = { NULL };
  g_autofree float *unembed = NULL;
  guint n_in, n_out;

  for (guint i = 0; i < self->n_weights; i++)
    host[self->weights[i].role] = read[i];
  /* The unembedding lies on the device as in its file, (out, in). */
  trc_modadd_shape (&self->params, TRC_WEIGHT_UNEMBED, &n_in, &n_out);
  unembed = g_new (float, (gsize)n_in *n_out);
  for (gsize o = 0; o < n_out; o++)
    for (gsize i = 0; i < n_in; i++)
      unembed[i * n_out + o] = host[TRC_WEIGHT_UNEMBED][o * n_in + i];
  host[TRC_WEIGHT_UNEMBED] = unembed;
  return trc_modadd_write_weights (&self->params, host, error);
}

static gboolean
write_state (TrcTrainer *self, float *const read[], GError **error)
{
  TrcFileOutput out[3 * TRC_N_WEIGHTS + 1] = { 0 };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  static const char *const kinds[] = { "w", "m", "v" };
  gint64 state[N_STATE] = { 0 };
  g_autofree char *path = trc_checkpoint_path (self->params.folder);
  const char *const metadata[] = { "tracery", "training checkpoint 1", NULL };
  guint n = 0;

  state[0] = (gint64)fingerprint (&self->params);
  state[1] = (gint64)self->step;
  state[2] = (gint64)self->reached_at;
  memcpy (state + 3, self->random.state, sizeof self->random.state);
  out[n++] = (TrcFileOutput){ "state", TRC_FILE_I64, 1, { N_STATE }, state };
  for (guint kind = 0; kind < 3; kind++)
    for (guint i = 0; i < self->n_weights; i++)
      {
        const TrcTrainWeight *w = &self->weights[i];
        char *name = g_strdup_printf ("%s.%s", w->name, kinds[kind]);

        g_ptr_array_add (names, name);
        out[n++] = (TrcFileOutput){
          name, TRC_FILE_F32, 1, { trc_tensor_n (w->w) }, read[kind * self->n_weights + i]
        };
      }
  return trc_safetensors_write (path, out, n, metadata, error);
}

gboolean
trc_checkpoint_write (TrcTrainer *self, GError **error)
{
  float *read[3 * TRC_N_WEIGHTS] = { NULL };
  guint n = self->n_weights;
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < n; i++)
    ok = read_tensor (self->weights[i].w, &read[i], error)
         && read_tensor (self->weights[i].m, &read[n + i], error)
         && read_tensor (self->weights[i].v, &read[2 * n + i], error);
  ok = ok && write_state (self, read, error) && write_model (self, read, error);
  for (guint i = 0; i < 3 * n; i++)
    g_free (read[i]);
  return ok;
}

/* --- reading --- */

static gboolean
restore_tensor (const TrcSafetensors *file, const char *path, const char *name,
                const char *kind, TrcTensor *tensor, GError **error)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", name, kind);
  const TrcFileTensor *found = trc_safetensors_find (file, full);
  gsize n = trc_tensor_n (tensor);
  g_autofree float *host = g_new (float, n);

  if (found == NULL || found->n_elements != n || found->type != TRC_FILE_F32)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s lacks a fitting %s; it is no checkpoint of this network.", path, full);
      return FALSE;
    }
  return trc_file_tensor_to_f32 (found, 0, n, host, error)
         && trc_tensor_write (tensor, host, n * sizeof (float), error);
}

static gboolean
restore_state (TrcTrainer *self, const TrcSafetensors *file, const char *path, GError **error)
{
  const TrcFileTensor *found = trc_safetensors_find (file, "state");
  gint64 state[N_STATE];

  if (found == NULL || found->type != TRC_FILE_I64 || found->n_bytes != sizeof state)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s is no training checkpoint.", path);
      return FALSE;
    }
  memcpy (state, found->data, sizeof state);
  if ((guint64)state[0] != fingerprint (&self->params))
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
          "%s was made with another modulus, seed or setting; resume with the same ones.",
          path);
      return FALSE;
    }
  self->step = (guint64)state[1];
  self->reached_at = (guint64)state[2];
  memcpy (self->random.state, state + 3, sizeof self->random.state);
  return TRUE;
}

gboolean
trc_checkpoint_read (TrcTrainer *self, GError **error)
{
  g_autofree char *path = trc_checkpoint_path (self->params.folder);
  g_autoptr (TrcSafetensors) file = trc_safetensors_open (path, error);

  if (file == NULL)
    return FALSE;
  if (!restore_state (self, file, path, error))
    return FALSE;
  for (guint i = 0; i < self->n_weights; i++)
    {
      const TrcTrainWeight *w = &self->weights[i];

      if (!restore_tensor (file, path, w->name, "w", w->w, error)
          || !restore_tensor (file, path, w->name, "m", w->m, error)
          || !restore_tensor (file, path, w->name, "v", w->v, error))
        return FALSE;
    }
  return TRUE;
}
