#define G_LOG_DOMAIN "tracery-compute"

#include "compute/formats/llama2c.h"
#include "compute/models/model_impl.h"
#include "compute/ops.h"

#include <string.h>

static void
add_tensors (TrcSources *sources, const TrcLlama2c *file)
{
  gsize n;
  const TrcFileTensor *tensors = trc_llama2c_tensors (file, &n);

  for (gsize i = 0; i < n; i++)
    {
      TrcSource source = { .name = tensors[i].name,
                           .dtype = TRC_F32,
                           .n_axes = tensors[i].n_axes,
                           .n_elements = tensors[i].n_elements,
                           .data = tensors[i].data,
                           .n_bytes = tensors[i].n_bytes };

      memcpy (source.shape, tensors[i].shape, sizeof source.shape);
      trc_sources_add (sources, &source);
    }
}

gboolean
trc_model_open_llama2c (TrcModel *self, const char *path, GError **error)
{
  TrcLlama2c *file = trc_llama2c_open (path, error);
  const TrcLlama2cShape *s;

  if (file == NULL)
    return FALSE;
  trc_sources_take (self->files, file, (GDestroyNotify)trc_llama2c_free);
  add_tensors (self->files, file);
  self->family = trc_family_find ("llama", path, error);
  s = trc_llama2c_shape (file);
  /* What the format does not say is fixed in the program that it comes from. */
  self->config = (TrcModelConfig){ .family = "llama",
                                   .n_layers = s->n_layers,
                                   .d_model = s->dim,
                                   .n_heads = s->n_heads,
                                   .n_kv_heads = s->n_kv_heads,
                                   .d_mlp = s->hidden,
                                   .n_vocab = s->n_vocab,
                                   .n_ctx = s->n_ctx,
                                   .norm = TRC_NORM_RMS,
                                   .norm_eps = 1e-5f,
                                   .act = TRC_ACT_SILU,
                                   .gated = TRUE,
                                   .positions = TRC_POS_ROTARY,
                                   .rotary_dims = s->dim / s->n_heads,
                                   .rotary_base = 10000.0f,
                                   .rotary_interleaved = TRUE,
                                   .tied = s->tied };
  return trc_config_finish (&self->config, path, error);
}
