#define G_LOG_DOMAIN "tracery-compute"

#include "compute/formats/gguf.h"
#include "compute/models/model_impl.h"
#include "compute/ops.h"

#include <math.h>
#include <string.h>

#define MAX_SIZE (1 << 24)

static void
add_tensors (TrcSources *sources, const TrcGguf *file)
{
  guint n;
  const TrcGgufTensor *tensors = trc_gguf_tensors (file, &n);

  for (guint i = 0; i < n; i++)
    {
      const TrcGgufTensor *t = &tensors[i];
      TrcSource source = { .name = t->name,
                           .dtype = t->dtype,
                           .unread = t->dtype == TRC_I32 ? "I32" : NULL,
                           .n_axes = t->n_dims,
                           .n_elements = t->n_elements,
                           .data = t->data,
                           .n_bytes = t->n_bytes };

      for (guint a = 0; a < t->n_dims; a++)
        source.shape[a] = t->dims[t->n_dims - 1 - a];
      trc_sources_add (sources, &source);
    }
}

/* The whole number "ARCH.key"; absent leaves @value. */
static gboolean
read_size (const TrcGguf *file, const char *arch, const char *key, guint *value, GError **error)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", arch, key);
  gint64 number;

  if (!trc_gguf_has (file, full))
    return TRUE;
  number = trc_gguf_int (file, full, -1);
  if (number < 1 || number > MAX_SIZE)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: \"%s\" must be a whole number from 1 to %d.", trc_gguf_path (file),
                   full, MAX_SIZE);
      return FALSE;
    }
  *value = (guint)number;
  return TRUE;
}

static gboolean
read_number (const TrcGguf *file, const char *arch, const char *key, float *value,
             GError **error)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", arch, key);
  double number = trc_gguf_double (file, full, *value);

  if (!isfinite ((float)number))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: \"%s\" must be a finite number.", trc_gguf_path (file), full);
      return FALSE;
    }
  *value = (float)number;
  return TRUE;
}

static gboolean
read_sizes (const TrcGguf *file, const char *arch, TrcModelConfig *c, GError **error)
{
  const TrcGgufTensor *table = trc_gguf_tensor (file, "token_embd.weight");

  if (!read_size (file, arch, "block_count", &c->n_layers, error)
      || !read_size (file, arch, "embedding_length", &c->d_model, error)
      || !read_size (file, arch, "attention.head_count", &c->n_heads, error)
      || !read_size (file, arch, "attention.head_count_kv", &c->n_kv_heads, error)
      || !read_size (file, arch, "attention.key_length", &c->d_head, error)
      || !read_size (file, arch, "feed_forward_length", &c->d_mlp, error)
      || !read_size (file, arch, "context_length", &c->n_ctx, error))
    return FALSE;
  if (c->n_layers > 4096)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: %u layers are more than any model has.", trc_gguf_path (file),
                   c->n_layers);
      return FALSE;
    }
  if (table != NULL && table->n_dims == 2 && table->dims[1] <= MAX_SIZE)
    c->n_vocab = (guint)table->dims[1];
  c->tied = trc_gguf_tensor (file, "output.weight") == NULL;
  return trc_config_finish (c, trc_gguf_path (file), error);
}

/* What the architecture fixes: norms, activation, places. */
static gboolean
set_architecture (const TrcGguf *file, const char *arch, TrcModelConfig *c, GError **error)
{
  gboolean gpt2 = strcmp (arch, "gpt2") == 0, neox = strcmp (arch, "gptneox") == 0;

  if (!gpt2 && !neox && strcmp (arch, "llama") != 0)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "%s holds a model of the architecture \"%s\"; Tracery reads gpt2, gptneox and "
          "llama.",
          trc_gguf_path (file), arch);
      return FALSE;
    }
  c->family = gpt2 ? "gpt2" : neox ? "gpt_neox" : "llama";
  c->norm = gpt2 || neox ? TRC_NORM_LAYER : TRC_NORM_RMS;
  c->norm_eps = 1e-5f;
  c->act = gpt2 ? TRC_ACT_GELU_TANH : neox ? TRC_ACT_GELU_ERF : TRC_ACT_SILU;
  c->gated = !gpt2 && !neox;
  c->positions = gpt2 ? TRC_POS_LEARNED : TRC_POS_ROTARY;
  c->rotary_base = 10000.0f;
  /* The converter reorders q and k of Llama so that pairs lie side by side. */
  c->rotary_interleaved = !gpt2 && !neox;
  if (neox)
    c->parallel = trc_gguf_bool (file, "gptneox.use_parallel_residual", TRUE);
  return TRUE;
}

static gboolean
read_rotary (const TrcGguf *file, const char *arch, TrcModelConfig *c, GError **error)
{
  g_autofree char *kind = g_strdup_printf ("%s.rope.scaling.type", arch);
  const char *scaling = trc_gguf_string (file, kind, "none");

  if (c->positions != TRC_POS_ROTARY)
    return TRUE;
  c->rotary_dims = c->d_head;
  if (strcmp (scaling, "none") != 0 && strcmp (scaling, "linear") != 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s: \"%s\" is \"%s\", which Tracery does not read.", trc_gguf_path (file),
                   kind, scaling);
      return FALSE;
    }
  if (strcmp (scaling, "linear") == 0
      && !read_number (file, arch, "rope.scaling.factor", &c->rotary_factor, error))
    return FALSE;
  if (!read_number (file, arch, "rope.freq_base", &c->rotary_base, error)
      || !read_size (file, arch, "rope.dimension_count", &c->rotary_dims, error))
    return FALSE;
  if (c->rotary_dims > c->d_head || c->rotary_dims % 2 != 0 || c->rotary_base <= 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: %u rotary dimensions do not fit heads of %u.", trc_gguf_path (file),
                   c->rotary_dims, c->d_head);
      return FALSE;
    }
  return TRUE;
}

gboolean
trc_model_open_gguf (TrcModel *self, const char *path, GError **error)
{
  TrcGguf *file = trc_gguf_open (path, error);
  TrcModelConfig *c = &self->config;
  const char *arch;

  if (file == NULL)
    return FALSE;
  trc_sources_take (self->files, file, (GDestroyNotify)trc_gguf_unref);
  add_tensors (self->files, file);
  arch = trc_gguf_string (file, "general.architecture", "");
  if (!set_architecture (file, arch, c, error) || !read_sizes (file, arch, c, error)
      || !read_rotary (file, arch, c, error)
      || !read_number (file, arch, "attention.layer_norm_epsilon", &c->norm_eps, error)
      || !read_number (file, arch, "attention.layer_norm_rms_epsilon", &c->norm_eps, error))
    return FALSE;
  self->family =
      trc_family_gguf (trc_sources_find (self->files, "blk.0.attn_qkv.weight") != NULL);
  return TRUE;
}
