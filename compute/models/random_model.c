#include "compute/random_model.h"

#include "compute/error.h"
#include "compute/formats/gguf_write.h"

#include <string.h>

typedef enum { GPT2, NEOX, LLAMA } Family;

typedef struct {
  const char *name;
  Family family;
  guint n_layers, d_model, n_heads, n_kv_heads, d_mlp, n_vocab, n_ctx;
} Shape;

static const Shape shapes[] = {
  { "gpt2-small", GPT2, 12, 768, 12, 12, 3072, 50257, 1024 },
  { "pythia-70m", NEOX, 6, 512, 8, 8, 2048, 50304, 2048 },
  { "pythia-1.4b", NEOX, 24, 2048, 16, 16, 8192, 50304, 2048 },
  { "smollm2-135m", LLAMA, 30, 576, 9, 3, 1536, 49152, 2048 },
  { "llama-7b", LLAMA, 32, 4096, 32, 32, 11008, 32000, 4096 },
  { "llama-70b", LLAMA, 80, 8192, 64, 8, 28672, 32000, 4096 },
};

static const struct {
  const char *name;
  TrcDType dtype;
} types[] = {
  { "f32", TRC_F32 },   { "f16", TRC_F16 },   { "bf16", TRC_BF16 },
  { "q8_0", TRC_Q8_0 }, { "q4_0", TRC_Q4_0 }, { "q4_1", TRC_Q4_1 },
};

const char *const *
trc_random_model_shapes (void)
{
  static const char *names[G_N_ELEMENTS (shapes) + 1];

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    names[i] = shapes[i].name;
  return names;
}

const char *const *
trc_random_model_types (void)
{
  static const char *names[G_N_ELEMENTS (types) + 1];

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    names[i] = types[i].name;
  return names;
}

static const Shape *
find_shape (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (g_str_equal (shapes[i].name, name))
      return &shapes[i];
  return NULL;
}

static gboolean
find_type (const char *name, TrcDType *dtype)
{
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_equal (types[i].name, name))
      {
        *dtype = types[i].dtype;
        return TRUE;
      }
  return FALSE;
}

/* --- contents --- */

enum { N_NOISE = 1 << 16 };

/* Uniform numbers in [-0.03, 0.03); rows are windows of it at scattered places, which
 * is far cheaper than drawing each and looks the same to a matrix product. */
static const float *
noise (void)
{
  static float values[2 * N_NOISE];
  static gsize ready;

  if (g_once_init_enter (&ready))
    {
      guint64 state = 0x853c49e6748fea9bu;
      for (guint i = 0; i < N_NOISE; i++)
        {
          state = state * 6364136223846793005u + 1442695040888963407u;
          values[i] = ((float)(state >> 40) / (float)(1 << 24) - 0.5f) * 0.06f;
        }
      memcpy (values + N_NOISE, values, N_NOISE * sizeof (float));
      g_once_init_leave (&ready, 1);
    }
  return values;
}

static void
fill_noise (guint64 row, float *out, gsize n, gpointer tensor)
{
  guint64 at = (row * 40503 + GPOINTER_TO_SIZE (tensor) * 9973) % N_NOISE;

  for (gsize i = 0; i < n; i += N_NOISE)
    memcpy (out + i, noise () + at, MIN (n - i, (gsize)N_NOISE) * sizeof (float));
}

static void
fill_ones (guint64 row, float *out, gsize n, gpointer data)
{
  for (gsize i = 0; i < n; i++)
    out[i] = 1;
}

/* A model being declared. */
typedef struct {
  TrcGgufWriter *writer;
  TrcDType type;
  guint n_tensors;
} Draft;

static void
matrix (Draft *d, const char *name, TrcDType type, guint in, guint out)
{
  trc_gguf_writer_tensor (d->writer, name, type, in, out, fill_noise,
                          GSIZE_TO_POINTER (d->n_tensors++));
}

static void
layer_matrix (Draft *d, guint layer, const char *part, guint in, guint out, gboolean bias)
{
  g_autofree char *weight = g_strdup_printf ("blk.%u.%s.weight", layer, part);
  g_autofree char *offset = g_strdup_printf ("blk.%u.%s.bias", layer, part);

  matrix (d, weight, d->type, in, out);
  if (bias)
    matrix (d, offset, TRC_F32, out, 0);
}

static void
norm (Draft *d, const char *stem, guint n, gboolean bias)
{
  g_autofree char *weight = g_strconcat (stem, ".weight", NULL);
  g_autofree char *offset = g_strconcat (stem, ".bias", NULL);

  trc_gguf_writer_tensor (d->writer, weight, TRC_F32, n, 0, fill_ones, NULL);
  if (bias)
    matrix (d, offset, TRC_F32, n, 0);
}

static void
layer_norm (Draft *d, guint layer, const char *part, guint n, gboolean bias)
{
  g_autofree char *stem = g_strdup_printf ("blk.%u.%s", layer, part);

  norm (d, stem, n, bias);
}

static void
declare_layer (Draft *d, const Shape *s, guint layer)
{
  gboolean bias = s->family != LLAMA;
  guint d_head = s->d_model / s->n_heads, d_kv = d_head * s->n_kv_heads;

  layer_norm (d, layer, "attn_norm", s->d_model, bias);
  if (s->family == LLAMA)
    {
      layer_matrix (d, layer, "attn_q", s->d_model, s->d_model, FALSE);
      layer_matrix (d, layer, "attn_k", s->d_model, d_kv, FALSE);
      layer_matrix (d, layer, "attn_v", s->d_model, d_kv, FALSE);
    }
  else
    layer_matrix (d, layer, "attn_qkv", s->d_model, 3 * s->d_model, TRUE);
  layer_matrix (d, layer, "attn_output", s->d_model, s->d_model, bias);
  layer_norm (d, layer, "ffn_norm", s->d_model, bias);
  if (s->family == LLAMA)
    layer_matrix (d, layer, "ffn_gate", s->d_model, s->d_mlp, FALSE);
  layer_matrix (d, layer, "ffn_up", s->d_model, s->d_mlp, bias);
  layer_matrix (d, layer, "ffn_down", s->d_mlp, s->d_model, bias);
}

static void
declare_weights (Draft *d, const Shape *s)
{
  matrix (d, "token_embd.weight", d->type, s->d_model, s->n_vocab);
  if (s->family == GPT2)
    matrix (d, "position_embd.weight", TRC_F32, s->d_model, s->n_ctx);
  for (guint layer = 0; layer < s->n_layers; layer++)
    declare_layer (d, s, layer);
  norm (d, "output_norm", s->d_model, s->family != LLAMA);
  if (s->family != GPT2)
    matrix (d, "output.weight", d->type, s->d_model, s->n_vocab);
}

static void
declare_u32 (Draft *d, const char *arch, const char *key, guint32 value)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", arch, key);

  trc_gguf_writer_u32 (d->writer, full, value);
}

static void
declare_config (Draft *d, const Shape *s)
{
  static const char *const archs[] = { "gpt2", "gptneox", "llama" };
  const char *arch = archs[s->family];
  g_autofree char *eps =
      g_strdup_printf ("%s.attention.%s", arch,
                       s->family == LLAMA ? "layer_norm_rms_epsilon" : "layer_norm_epsilon");
  g_autofree char *parallel = g_strdup_printf ("%s.use_parallel_residual", arch);

  trc_gguf_writer_string (d->writer, "general.architecture", arch);
  trc_gguf_writer_string (d->writer, "general.name", s->name);
  declare_u32 (d, arch, "block_count", s->n_layers);
  declare_u32 (d, arch, "context_length", s->n_ctx);
  declare_u32 (d, arch, "embedding_length", s->d_model);
  declare_u32 (d, arch, "feed_forward_length", s->d_mlp);
  declare_u32 (d, arch, "attention.head_count", s->n_heads);
  declare_u32 (d, arch, "attention.head_count_kv", s->n_kv_heads);
  trc_gguf_writer_f32 (d->writer, eps, 1e-5f);
  if (s->family == NEOX)
    trc_gguf_writer_bool (d->writer, parallel, TRUE);
  if (s->family != GPT2)
    declare_u32 (d, arch, "rope.dimension_count",
                 s->d_model / s->n_heads / (s->family == NEOX ? 4 : 1));
}

/* 256 byte tokens in GPT-2's alphabet, then numbered fillers. */
static void
declare_vocabulary (Draft *d, const Shape *s)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  g_autofree gint32 *kinds = g_new (gint32, s->n_vocab);
  static const char *const merges[] = { "a b" };
  gunichar next = 256;

  for (guint b = 0; b < 256; b++)
    {
      gboolean plain = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
      char text[8] = { 0 };
      g_unichar_to_utf8 (plain ? b : next++, text);
      g_ptr_array_add (tokens, g_strdup (text));
    }
  g_ptr_array_add (tokens, g_strdup ("ab"));
  while (tokens->len < s->n_vocab)
    g_ptr_array_add (tokens, g_strdup_printf ("<%u>", tokens->len));
  for (guint i = 0; i < s->n_vocab; i++)
    kinds[i] = 1;
  kinds[s->n_vocab - 1] = 3;
  trc_gguf_writer_string (d->writer, "tokenizer.ggml.model", "gpt2");
  trc_gguf_writer_string (d->writer, "tokenizer.ggml.pre", "gpt-2");
  trc_gguf_writer_array (d->writer, "tokenizer.ggml.tokens", TRC_GGUF_STRING, tokens->pdata,
                         s->n_vocab);
  trc_gguf_writer_array (d->writer, "tokenizer.ggml.token_type", TRC_GGUF_I32, kinds,
                         s->n_vocab);
  trc_gguf_writer_array (d->writer, "tokenizer.ggml.merges", TRC_GGUF_STRING, merges, 1);
  trc_gguf_writer_u32 (d->writer, "tokenizer.ggml.eos_token_id", s->n_vocab - 1);
}

guint64
trc_random_model_bytes (const char *shape, const char *type)
{
  const Shape *s = find_shape (shape);
  TrcDType dtype;

  if (s == NULL || !find_type (type, &dtype))
    return 0;
  guint64 d_kv = (guint64)s->d_model / s->n_heads * s->n_kv_heads;
  guint64 layer = 2 * (guint64)s->d_model * s->d_model + 2 * d_kv * s->d_model
                  + (s->family == LLAMA ? 3u : 2u) * (guint64)s->d_model * s->d_mlp;
  guint64 n =
      s->n_layers * layer + (s->family == GPT2 ? 1u : 2u) * (guint64)s->n_vocab * s->d_model;
  const TrcDTypeInfo *info = trc_dtype_info (dtype);
  return n / info->block_elements * info->block_bytes;
}

gboolean
trc_random_model_write (const char *shape, const char *type, const char *path,
                        const TrcProgress *progress, GError **error)
{
  const Shape *s = find_shape (shape);
  Draft d = { NULL, TRC_F32, 1 };

  if (s == NULL || !find_type (type, &d.type))
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
          "There is no shape \"%s\" of type \"%s\"; shapes are gpt2-small, pythia-70m, "
          "pythia-1.4b, smollm2-135m, llama-7b, llama-70b, types f32, f16, bf16, q8_0, "
          "q4_0, q4_1.",
          shape, type);
      return FALSE;
    }
  d.writer = trc_gguf_writer_new ();
  declare_config (&d, s);
  declare_vocabulary (&d, s);
  declare_weights (&d, s);
  gboolean ok = trc_gguf_writer_finish (d.writer, path, progress, error);
  trc_gguf_writer_free (d.writer);
  return ok;
}
