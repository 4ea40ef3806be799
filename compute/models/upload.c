/* Weights on devices: read from the file when they are first asked for, kept for the model's life. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/model_impl.h"
#include "compute/tape.h"

#include <math.h>
#include <string.h>

static gsize
n_slots (const TrcModel *self)
{
  return ((gsize)self->config.n_layers + 1) * TRC_N_WEIGHTS;
}

void
trc_upload_free (gpointer data)
{
  TrcUpload *upload = data;

  g_free (upload->weights);
  trc_tensor_unref (upload->rope);
  trc_device_unref (upload->dev);
  g_free (upload);
}

void
trc_upload_clear (TrcModel *self, TrcUpload *upload)
{
  for (gsize i = 0; i < 2 * n_slots (self); i++)
    trc_tensor_unref (upload->weights[i].tensor);
}

static TrcUpload *
get_upload (TrcModel *self, TrcDevice *dev)
{
  TrcUpload *upload;

  for (guint i = 0; i < self->uploads->len; i++)
    {
      upload = g_ptr_array_index (self->uploads, i);
      if (upload->dev == dev)
        return upload;
    }
  upload = g_new0 (TrcUpload, 1);
  upload->dev = trc_device_ref (dev);
  upload->weights = g_new0 (TrcWeight, 2 * n_slots (self));
  g_ptr_array_add (self->uploads, upload);
  return upload;
}

/* Reads the weight from its file and puts it on the device, as f32 or as it is. */
static TrcTensor *
make_tensor (TrcModel *self, TrcDevice *dev, TrcWeightRole role, guint layer, gboolean packed,
             TrcShape shape, GError **error)
{
  const TrcSource *source = self->sources[trc_model_slot (self, role, layer)];
  TrcDType dtype = packed ? source->dtype : TRC_F32;
  const TrcDTypeInfo *info = trc_dtype_info (dtype);
  g_autofree char *label = g_strdup_printf ("%s, layer %u", trc_weight_role_name (role), layer);
  g_autofree guint8 *host = NULL;
  gsize n, bytes = 0;

  if (trc_shape_count (&shape, &n)
      && g_size_checked_mul (&bytes, n / info->block_elements, info->block_bytes))
    host = g_try_malloc (bytes);
  if (host == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for the %s.", label);
      return NULL;
    }
  if (packed)
    trc_model_fetch_packed (self, role, layer, host);
  else if (!trc_model_fetch (self, role, layer, (float *)host))
    return NULL;
  return trc_tensor_from_data (dev, dtype, shape, host, bytes, label, error);
}

/* With the lock held. A tied unembedding is the embedding's own tensor. */
static TrcWeight *
get_weight (TrcModel *self, TrcDevice *dev, TrcWeightRole role, guint layer, gboolean packed,
            GError **error)
{
  TrcWeightRole from = trc_model_source_role (self, role);
  TrcWeight *all = get_upload (self, dev)->weights;
  TrcWeight *weight = &all[(packed ? n_slots (self) : 0) + trc_model_slot (self, role, layer)];
  guint n_in, n_out;

  if (weight->tensor != NULL)
    return weight;
  trc_model_weight_shape (self, role, &n_in, &n_out);
  weight->n_in = n_in;
  weight->n_out = n_out;
  weight->out_major = n_in > 1 && trc_model_is_out_major (self, role);
  if (from != role)
    {
      TrcWeight *source = get_weight (self, dev, from, layer, packed, error);

      weight->tensor = source != NULL ? trc_tensor_ref (source->tensor) : NULL;
    }
  else
    {
      gboolean vector = n_in == 1 && role != TRC_WEIGHT_EMBED && role != TRC_WEIGHT_POSITIONS;
      TrcShape shape = vector              ? TRC_SHAPE (n_out)
                       : weight->out_major ? TRC_SHAPE (n_out, n_in)
                                           : TRC_SHAPE (n_in, n_out);

      weight->tensor = make_tensor (self, dev, role, layer, packed, shape, error);
    }
  return weight->tensor != NULL ? weight : NULL;
}

static const TrcWeight *
weight_on (TrcModel *self, TrcDevice *dev, TrcWeightRole role, guint layer, gboolean packed,
           GError **error)
{
  TrcWeight *weight;

  if (!trc_model_has_weight (self, role, layer))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND, "%s has no %s.",
                   self->name, trc_weight_role_name (role));
      return NULL;
    }
  g_mutex_lock (&self->lock);
  weight = get_weight (self, dev, role, layer, packed, error);
  g_mutex_unlock (&self->lock);
  return weight;
}

const TrcWeight *
trc_model_weight (TrcModel *self, TrcDevice *dev, TrcWeightRole role, guint layer,
                  GError **error)
{
  return weight_on (self, dev, role, layer, FALSE, error);
}

const TrcWeight *
trc_model_weight_packed (TrcModel *self, TrcDevice *dev, TrcWeightRole role, guint layer,
                         GError **error)
{
  gboolean packed = trc_model_is_packed (self, trc_model_source_role (self, role), layer);

  return weight_on (self, dev, role, layer, packed, error);
}

/* --- rotary positions --- */

/* The frequencies with the stretching of Llama 3 (low ones are divided by the factor, high ones
 * stay, those between are blended), of linear scaling, or of a table in the file. */
static void
rope_frequencies (const TrcModel *self, double *freq)
{
  const TrcModelConfig *c = &self->config;
  const TrcSource *table = trc_sources_find (self->files, "rope_freqs.weight");

  for (guint i = 0; i < c->rotary_dims / 2; i++)
    {
      double f = pow (c->rotary_base, -2.0 * i / c->rotary_dims), wave = 2.0 * G_PI / f;
      float divisor = 1;

      if (table != NULL && table->dtype == TRC_F32 && table->n_elements == c->rotary_dims / 2)
        trc_source_to_f32 (table, i, 1, &divisor);
      freq[i] = divisor > 0 ? f / divisor : f;
      if (c->rotary_factor <= 0)
        continue;
      if (c->rotary_original == 0 || wave > c->rotary_original / c->rotary_low)
        freq[i] = f / c->rotary_factor;
      else if (wave >= c->rotary_original / c->rotary_high)
        {
          double smooth =
              (c->rotary_original / wave - c->rotary_low) / (c->rotary_high - c->rotary_low);

          freq[i] = (1 - smooth) * f / c->rotary_factor + smooth * f;
        }
    }
}

TrcTensor *
trc_model_rope_table (TrcModel *self, TrcDevice *dev, guint n_positions, GError **error)
{
  const TrcModelConfig *c = &self->config;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  TrcUpload *upload = get_upload (self, dev);
  guint n = 64;

  if (upload->rope == NULL || trc_tensor_dim (upload->rope, 0) < n_positions)
    {
      g_autofree double *freq = g_new (double, c->rotary_dims / 2 + 1);

      while (n < n_positions)
        n *= 2;
      rope_frequencies (self, freq);
      g_clear_pointer (&upload->rope, trc_tensor_unref);
      upload->rope = trc_rope_table (dev, n, c->rotary_dims, c->rotary_base, freq, error);
    }
  return upload->rope != NULL ? trc_tensor_ref (upload->rope) : NULL;
}

void
trc_model_release (TrcModel *self, TrcDevice *dev)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->uploads->len; i++)
    {
      TrcUpload *upload = g_ptr_array_index (self->uploads, i);

      if (upload->dev == dev)
        {
          trc_upload_clear (self, upload);
          g_ptr_array_remove_index_fast (self->uploads, i);
          break;
        }
    }
  g_mutex_unlock (&self->lock);
}
