/* The files of a modular-addition network: config.json, vocab.json, model.safetensors. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/safetensors.h"
#include "compute/train/trainer.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

gboolean
trc_modadd_shape (const TrcTrainParams *p, TrcWeightRole role, guint *n_in, guint *n_out)
{
  guint d = p->d_model, n_vocab = p->p + 1;
  const guint shapes[TRC_N_WEIGHTS][2] = {
    [TRC_WEIGHT_EMBED] = { n_vocab, d },
    [TRC_WEIGHT_POSITIONS] = { 3, d },
    [TRC_WEIGHT_Q] = { d, d },
    [TRC_WEIGHT_K] = { d, d },
    [TRC_WEIGHT_V] = { d, d },
    [TRC_WEIGHT_O] = { d, d },
    [TRC_WEIGHT_UP] = { d, p->d_mlp },
    [TRC_WEIGHT_UP_B] = { 1, p->d_mlp },
    [TRC_WEIGHT_DOWN] = { p->d_mlp, d },
    [TRC_WEIGHT_DOWN_B] = { 1, d },
    [TRC_WEIGHT_UNEMBED] = { d, n_vocab },
  };

  *n_in = shapes[role][0];
  *n_out = shapes[role][1];
  return *n_in > 0;
}

/* Normal with deviation 1 / sqrt (d_model), the unembedding 1 / sqrt (n_vocab), biases 0. */
void
trc_modadd_init_weights (const TrcTrainParams *p, TrcRandom *random, float *host[TRC_N_WEIGHTS])
{
  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    {
      guint n_in, n_out;
      gboolean bias = role == TRC_WEIGHT_UP_B || role == TRC_WEIGHT_DOWN_B;
      double deviation = 1.0 / sqrt (role == TRC_WEIGHT_UNEMBED ? p->p + 1 : p->d_model);

      host[role] = NULL;
      if (!trc_modadd_shape (p, role, &n_in, &n_out))
        continue;
      host[role] = g_new0 (float, (gsize)n_in *n_out);
      for (gsize i = 0; !bias && i < (gsize)n_in * n_out; i++)
        host[role][i] = (float)(deviation * trc_random_normal (random));
    }
}

static gboolean
write_text (const char *folder, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GError) local = NULL;

  if (g_file_set_contents (path, text, -1, &local))
    return TRUE;
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s cannot be written: %s.",
               path, local->message);
  return FALSE;
}

gboolean
trc_modadd_write_config (const TrcTrainParams *p, GError **error)
{
  g_autofree char *config = g_strdup_printf (
      "{\n"
      "  \"model_type\": \"gpt2\",\n"
      "  \"n_layer\": 1,\n"
      "  \"n_head\": %u,\n"
      "  \"n_embd\": %u,\n"
      "  \"n_inner\": %u,\n"
      "  \"n_positions\": 3,\n"
      "  \"vocab_size\": %u,\n"
      "  \"activation_function\": \"relu\",\n"
      "  \"normalization\": \"none\",\n"
      "  \"attention_bias\": false,\n"
      "  \"mlp_bias\": true,\n"
      "  \"tie_word_embeddings\": false,\n"
      "  \"task\": { \"name\": \"modadd\", \"p\": %u, \"seed\": %" G_GUINT64_FORMAT " }\n"
      "}\n",
      p->n_heads, p->d_model, p->d_mlp, p->p + 1, p->p, p->seed);
  GString *vocab = g_string_new ("{\n  \"tokens\": [");
  gboolean ok;

  if (g_mkdir_with_parents (p->folder, 0755) != 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The folder %s cannot be made: %s.", p->folder, g_strerror (errno));
      g_string_free (vocab, TRUE);
      return FALSE;
    }
  for (guint i = 0; i < p->p; i++)
    g_string_append_printf (vocab, "\"%u\", ", i);
  g_string_append (vocab, "\"=\"],\n  \"skip\": [\"+\"]\n}\n");
  ok = write_text (p->folder, "config.json", config, error)
       && write_text (p->folder, "vocab.json", vocab->str, error);
  g_string_free (vocab, TRUE);
  return ok;
}

/* q, k and v side by side, as GPT-2 files have them. */
static float *
fuse (const TrcTrainParams *p, float *const host[TRC_N_WEIGHTS])
{
  static const TrcWeightRole parts[] = { TRC_WEIGHT_Q, TRC_WEIGHT_K, TRC_WEIGHT_V };
  gsize d = p->d_model;
  float *fused = g_new (float, d *d * 3);

  for (guint part = 0; part < 3; part++)
    for (gsize i = 0; i < d; i++)
      memcpy (fused + (i * 3 + part) * d, host[parts[part]] + i * d, d * sizeof (float));
  return fused;
}

/* The unembedding as (out, in). */
static float *
turn (const float *from, gsize n_in, gsize n_out)
{
  float *turned = g_new (float, n_in *n_out);

  for (gsize i = 0; i < n_in; i++)
    for (gsize o = 0; o < n_out; o++)
      turned[o * n_in + i] = from[i * n_out + o];
  return turned;
}

gboolean
trc_modadd_write_weights (const TrcTrainParams *p, float *const host[TRC_N_WEIGHTS],
                          GError **error)
{
  guint64 d = p->d_model, m = p->d_mlp, v = p->p + 1;
  g_autofree float *fused = fuse (p, host);
  g_autofree float *unembed = turn (host[TRC_WEIGHT_UNEMBED], d, v);
  g_autofree char *path = g_build_filename (p->folder, "model.safetensors", NULL);
  const TrcFileOutput tensors[] = {
    { "transformer.wte.weight", TRC_FILE_F32, 2, { v, d }, host[TRC_WEIGHT_EMBED] },
    { "transformer.wpe.weight", TRC_FILE_F32, 2, { 3, d }, host[TRC_WEIGHT_POSITIONS] },
    { "transformer.h.0.attn.c_attn.weight", TRC_FILE_F32, 2, { d, 3 * d }, fused },
    { "transformer.h.0.attn.c_proj.weight", TRC_FILE_F32, 2, { d, d }, host[TRC_WEIGHT_O] },
    { "transformer.h.0.mlp.c_fc.weight", TRC_FILE_F32, 2, { d, m }, host[TRC_WEIGHT_UP] },
    { "transformer.h.0.mlp.c_fc.bias", TRC_FILE_F32, 1, { m }, host[TRC_WEIGHT_UP_B] },
    { "transformer.h.0.mlp.c_proj.weight", TRC_FILE_F32, 2, { m, d }, host[TRC_WEIGHT_DOWN] },
    { "transformer.h.0.mlp.c_proj.bias", TRC_FILE_F32, 1, { d }, host[TRC_WEIGHT_DOWN_B] },
    { "lm_head.weight", TRC_FILE_F32, 2, { v, d }, unembed },
  };
  const char *const metadata[] = { "format", "pt", NULL };

  return trc_safetensors_write (path, tensors, G_N_ELEMENTS (tensors), metadata, error);
}
