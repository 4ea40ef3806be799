#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/family.h"

#include "compute/formats/json_file.h"
#include "compute/ops.h"

#include <math.h>
#include <string.h>

/* Widths above these are no language model; they keep products of sizes far from overflow. */
#define MAX_WIDTH (1u << 22)
#define MAX_LAYERS 4096u
#define MAX_CONTEXT (1u << 24)

static const struct {
  const char *name;
  guint act;
} activations[] = {
  { "relu", TRC_ACT_RELU },           { "gelu_new", TRC_ACT_GELU_TANH },
  { "gelu", TRC_ACT_GELU_ERF },       { "gelu_pytorch_tanh", TRC_ACT_GELU_TANH },
  { "silu", TRC_ACT_SILU },           { "swish", TRC_ACT_SILU },
  { "gelu_fast", TRC_ACT_GELU_TANH }, { "linear", TRC_ACT_IDENTITY },
};

static gboolean
unsupported (const char *path, const char *key, const char *value, GError **error)
{
  g_autofree char *shown = trc_error_quotable (value);

  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "%s: \"%s\" is \"%s\", which Tracery does not read.", path, key, shown);
  return FALSE;
}

static gboolean
read_activation (JsonObject *json, const char *path, const char *key, guint *act,
                 GError **error)
{
  const char *name = NULL;

  if (!trc_json_get_string (json, path, key, &name, error))
    return FALSE;
  if (name == NULL)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (activations); i++)
    if (strcmp (activations[i].name, name) == 0)
      {
        *act = activations[i].act;
        return TRUE;
      }
  return unsupported (path, key, name, error);
}

/* "key": "word" out of @words; the index of the word to @value. */
static gboolean
read_word (JsonObject *json, const char *path, const char *key, const char *const *words,
           guint *value, GError **error)
{
  const char *text = NULL;

  if (!trc_json_get_string (json, path, key, &text, error))
    return FALSE;
  if (text == NULL)
    return TRUE;
  for (guint i = 0; words[i] != NULL; i++)
    if (strcmp (words[i], text) == 0)
      {
        *value = i;
        return TRUE;
      }
  return unsupported (path, key, text, error);
}

/* A bias key: absent leaves 0, true gives 1 (must), false gives 2 (none). */
static gboolean
read_bias (JsonObject *json, const char *path, const char *key, guint *rule, GError **error)
{
  gboolean value = 2;

  if (!trc_json_get_bool (json, path, key, &value, error))
    return FALSE;
  if (value != 2)
    *rule = value ? TRC_BIAS_MUST : TRC_BIAS_NONE;
  return TRUE;
}

/* The value of "key" must be absent or false. */
static gboolean
must_be_off (JsonObject *json, const char *path, const char *key, GError **error)
{
  gboolean value = FALSE;

  if (!trc_json_get_bool (json, path, key, &value, error))
    return FALSE;
  return !value || unsupported (path, key, "true", error);
}

typedef struct {
  const char *key;
  guint *value;
  guint max;
} UintKey;

static gboolean
read_uints (JsonObject *json, const char *path, const UintKey *keys, GError **error)
{
  for (; keys->key != NULL; keys++)
    if (!trc_json_get_uint (json, path, keys->key, keys->max, keys->value, error))
      return FALSE;
  return TRUE;
}

/* What every family needs before it can go on; d_head 0 is d_model / n_heads. */
gboolean
trc_config_finish (TrcModelConfig *c, const char *path, GError **error)
{
  const char *missing = c->n_layers == 0  ? "the number of layers"
                        : c->d_model == 0 ? "the width of the model"
                        : c->n_heads == 0 ? "the number of heads"
                        : c->n_vocab == 0 ? "the size of the vocabulary"
                        : c->n_ctx == 0   ? "the longest prompt"
                                          : NULL;

  if (missing != NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s does not say %s.",
                   path, missing);
      return FALSE;
    }
  if (c->n_kv_heads == 0)
    c->n_kv_heads = c->n_heads;
  if (c->d_head == 0 && c->d_model % c->n_heads == 0)
    c->d_head = c->d_model / c->n_heads;
  if (c->d_head == 0 || c->n_heads % c->n_kv_heads != 0 || c->d_head > MAX_WIDTH / c->n_heads)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: %u heads, %u key-value heads and a width of %u do not fit each other.",
                   path, c->n_heads, c->n_kv_heads, c->d_model);
      return FALSE;
    }
  if (c->d_mlp == 0)
    c->d_mlp = 4 * c->d_model;
  c->attn_scale = 1.0f / sqrtf ((float)c->d_head);
  return TRUE;
}

/* --- GPT-2 --- */

static gboolean
read_gpt2 (JsonObject *json, const char *path, TrcModelConfig *c, GError **error)
{
  static const char *const norms[] = { "layer", "rms", "none", NULL };
  static const char *const positions[] = { "none", "learned", NULL };
  gboolean scaled = TRUE;
  guint place = TRC_POS_LEARNED, n_positions = 0;
  const UintKey keys[] = { { "n_layer", &c->n_layers, MAX_LAYERS },
                           { "n_head", &c->n_heads, MAX_WIDTH },
                           { "n_embd", &c->d_model, MAX_WIDTH },
                           { "n_inner", &c->d_mlp, MAX_WIDTH },
                           { "head_dim", &c->d_head, MAX_WIDTH },
                           { "n_ctx", &c->n_ctx, MAX_CONTEXT },
                           { "n_positions", &n_positions, MAX_CONTEXT },
                           { "vocab_size", &c->n_vocab, MAX_CONTEXT },
                           { NULL } };

  c->act = TRC_ACT_GELU_TANH;
  c->norm = TRC_NORM_LAYER;
  c->norm_eps = 1e-5f;
  c->tied = TRUE;
  if (!read_uints (json, path, keys, error)
      || !trc_json_get_float (json, path, "layer_norm_epsilon", &c->norm_eps, error)
      || !trc_json_get_bool (json, path, "tie_word_embeddings", &c->tied, error)
      || !trc_json_get_bool (json, path, "scale_attn_weights", &scaled, error)
      || !must_be_off (json, path, "scale_attn_by_inverse_layer_idx", error)
      || !must_be_off (json, path, "add_cross_attention", error)
      || !read_activation (json, path, "activation_function", &c->act, error)
      || !read_word (json, path, "normalization", norms, &c->norm, error)
      || !read_word (json, path, "position_embedding", positions, &place, error)
      || !read_bias (json, path, "attention_bias", &c->attn_bias, error)
      || !read_bias (json, path, "mlp_bias", &c->mlp_bias, error))
    return FALSE;
  if (n_positions != 0)
    c->n_ctx = n_positions;
  c->positions = place;
  if (!trc_config_finish (c, path, error))
    return FALSE;
  if (!scaled)
    c->attn_scale = 1.0f;
  return TRUE;
}

/* --- GPT-NeoX --- */

static gboolean
read_neox (JsonObject *json, const char *path, TrcModelConfig *c, GError **error)
{
  float share = 0.25f;
  const UintKey keys[] = { { "num_hidden_layers", &c->n_layers, MAX_LAYERS },
                           { "num_attention_heads", &c->n_heads, MAX_WIDTH },
                           { "hidden_size", &c->d_model, MAX_WIDTH },
                           { "intermediate_size", &c->d_mlp, MAX_WIDTH },
                           { "max_position_embeddings", &c->n_ctx, MAX_CONTEXT },
                           { "vocab_size", &c->n_vocab, MAX_CONTEXT },
                           { NULL } };

  c->act = TRC_ACT_GELU_ERF;
  c->norm = TRC_NORM_LAYER;
  c->norm_eps = 1e-5f;
  c->parallel = TRUE;
  c->positions = TRC_POS_ROTARY;
  c->rotary_base = 10000.0f;
  if (!read_uints (json, path, keys, error)
      || !trc_json_get_float (json, path, "layer_norm_eps", &c->norm_eps, error)
      || !trc_json_get_float (json, path, "rotary_pct", &share, error)
      || !trc_json_get_float (json, path, "rotary_emb_base", &c->rotary_base, error)
      || !trc_json_get_bool (json, path, "use_parallel_residual", &c->parallel, error)
      || !trc_json_get_bool (json, path, "tie_word_embeddings", &c->tied, error)
      || !read_activation (json, path, "hidden_act", &c->act, error)
      || !read_bias (json, path, "attention_bias", &c->attn_bias, error)
      || !trc_config_finish (c, path, error))
    return FALSE;
  if (!(share > 0.0f && share <= 1.0f))
    return unsupported (path, "rotary_pct", "outside 0 to 1", error);
  c->rotary_dims = (guint)(share * (float)c->d_head);
  return TRUE;
}

/* --- Llama --- */

static gboolean
read_rope_scaling (JsonObject *json, const char *path, TrcModelConfig *c, GError **error)
{
  JsonObject *scaling = NULL;
  const char *kind = NULL;

  if (!trc_json_get_object (json, path, "rope_scaling", &scaling, error))
    return FALSE;
  if (scaling == NULL)
    return TRUE;
  if (!trc_json_get_string (scaling, path, "type", &kind, error)
      || !trc_json_get_string (scaling, path, "rope_type", &kind, error))
    return FALSE;
  if (kind == NULL || strcmp (kind, "default") == 0)
    return TRUE;
  if (strcmp (kind, "llama3") != 0 && strcmp (kind, "linear") != 0)
    return unsupported (path, "rope_scaling", kind, error);
  c->rotary_factor = 1.0f;
  if (strcmp (kind, "llama3") == 0)
    {
      c->rotary_low = 1.0f;
      c->rotary_high = 4.0f;
      c->rotary_original = 8192;
    }
  return trc_json_get_float (scaling, path, "factor", &c->rotary_factor, error)
         && trc_json_get_float (scaling, path, "low_freq_factor", &c->rotary_low, error)
         && trc_json_get_float (scaling, path, "high_freq_factor", &c->rotary_high, error)
         && trc_json_get_uint (scaling, path, "original_max_position_embeddings", MAX_CONTEXT,
                               &c->rotary_original, error);
}

static gboolean
read_llama (JsonObject *json, const char *path, TrcModelConfig *c, GError **error)
{
  const UintKey keys[] = { { "num_hidden_layers", &c->n_layers, MAX_LAYERS },
                           { "num_attention_heads", &c->n_heads, MAX_WIDTH },
                           { "num_key_value_heads", &c->n_kv_heads, MAX_WIDTH },
                           { "head_dim", &c->d_head, MAX_WIDTH },
                           { "hidden_size", &c->d_model, MAX_WIDTH },
                           { "intermediate_size", &c->d_mlp, MAX_WIDTH },
                           { "max_position_embeddings", &c->n_ctx, MAX_CONTEXT },
                           { "vocab_size", &c->n_vocab, MAX_CONTEXT },
                           { NULL } };

  c->act = TRC_ACT_SILU;
  c->gated = TRUE;
  c->norm = TRC_NORM_RMS;
  c->norm_eps = 1e-6f;
  c->n_ctx = 2048;
  c->positions = TRC_POS_ROTARY;
  c->rotary_base = 10000.0f;
  c->attn_bias = c->mlp_bias = TRC_BIAS_MAY;
  if (!read_uints (json, path, keys, error)
      || !trc_json_get_float (json, path, "rms_norm_eps", &c->norm_eps, error)
      || !trc_json_get_float (json, path, "rope_theta", &c->rotary_base, error)
      || !trc_json_get_bool (json, path, "tie_word_embeddings", &c->tied, error)
      || !trc_json_get_bool (json, path, "rope_interleaved", &c->rotary_interleaved, error)
      || !read_activation (json, path, "hidden_act", &c->act, error)
      || !read_bias (json, path, "attention_bias", &c->attn_bias, error)
      || !read_bias (json, path, "mlp_bias", &c->mlp_bias, error)
      || !read_rope_scaling (json, path, c, error) || !trc_config_finish (c, path, error))
    return FALSE;
  c->rotary_dims = c->d_head;
  return TRUE;
}

/* --- the table --- */

#define WHOLE(name_, out_)                                                                     \
  {                                                                                            \
    .name = name_, .out_major = out_                                                           \
  }
#define OTHER(name_, other_, out_)                                                             \
  {                                                                                            \
    .name = name_, .other = other_, .out_major = out_                                          \
  }
#define PART(name_, part_, out_)                                                               \
  {                                                                                            \
    .name = name_, .part = part_, .out_major = out_                                            \
  }

static const TrcFamily families[] = {
  { { "gpt2" },
    "gpt2",
    { "transformer.", "" },
    {
        [TRC_WEIGHT_EMBED] = WHOLE ("wte.weight", FALSE),
        [TRC_WEIGHT_POSITIONS] = WHOLE ("wpe.weight", FALSE),
        [TRC_WEIGHT_NORM1_W] = WHOLE ("h.%u.ln_1.weight", FALSE),
        [TRC_WEIGHT_NORM1_B] = WHOLE ("h.%u.ln_1.bias", FALSE),
        [TRC_WEIGHT_Q] = PART ("h.%u.attn.c_attn.weight", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_Q_B] = PART ("h.%u.attn.c_attn.bias", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_K] = PART ("h.%u.attn.c_attn.weight", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_K_B] = PART ("h.%u.attn.c_attn.bias", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_V] = PART ("h.%u.attn.c_attn.weight", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_V_B] = PART ("h.%u.attn.c_attn.bias", TRC_PART_BLOCKS, FALSE),
        [TRC_WEIGHT_O] = WHOLE ("h.%u.attn.c_proj.weight", FALSE),
        [TRC_WEIGHT_O_B] = WHOLE ("h.%u.attn.c_proj.bias", FALSE),
        [TRC_WEIGHT_NORM2_W] = WHOLE ("h.%u.ln_2.weight", FALSE),
        [TRC_WEIGHT_NORM2_B] = WHOLE ("h.%u.ln_2.bias", FALSE),
        [TRC_WEIGHT_UP] = WHOLE ("h.%u.mlp.c_fc.weight", FALSE),
        [TRC_WEIGHT_UP_B] = WHOLE ("h.%u.mlp.c_fc.bias", FALSE),
        [TRC_WEIGHT_DOWN] = WHOLE ("h.%u.mlp.c_proj.weight", FALSE),
        [TRC_WEIGHT_DOWN_B] = WHOLE ("h.%u.mlp.c_proj.bias", FALSE),
        [TRC_WEIGHT_NORM_FINAL_W] = WHOLE ("ln_f.weight", FALSE),
        [TRC_WEIGHT_NORM_FINAL_B] = WHOLE ("ln_f.bias", FALSE),
        [TRC_WEIGHT_UNEMBED] = WHOLE ("/lm_head.weight", TRUE),
    },
    read_gpt2 },
  { { "gpt_neox" },
    "gpt_neox",
    { "gpt_neox.", "" },
    {
        [TRC_WEIGHT_EMBED] = WHOLE ("embed_in.weight", FALSE),
        [TRC_WEIGHT_NORM1_W] = WHOLE ("layers.%u.input_layernorm.weight", FALSE),
        [TRC_WEIGHT_NORM1_B] = WHOLE ("layers.%u.input_layernorm.bias", FALSE),
        [TRC_WEIGHT_Q] =
            PART ("layers.%u.attention.query_key_value.weight", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_Q_B] =
            PART ("layers.%u.attention.query_key_value.bias", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_K] =
            PART ("layers.%u.attention.query_key_value.weight", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_K_B] =
            PART ("layers.%u.attention.query_key_value.bias", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_V] =
            PART ("layers.%u.attention.query_key_value.weight", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_V_B] =
            PART ("layers.%u.attention.query_key_value.bias", TRC_PART_HEADS, TRUE),
        [TRC_WEIGHT_O] = WHOLE ("layers.%u.attention.dense.weight", TRUE),
        [TRC_WEIGHT_O_B] = WHOLE ("layers.%u.attention.dense.bias", TRUE),
        [TRC_WEIGHT_NORM2_W] = WHOLE ("layers.%u.post_attention_layernorm.weight", FALSE),
        [TRC_WEIGHT_NORM2_B] = WHOLE ("layers.%u.post_attention_layernorm.bias", FALSE),
        [TRC_WEIGHT_UP] = WHOLE ("layers.%u.mlp.dense_h_to_4h.weight", TRUE),
        [TRC_WEIGHT_UP_B] = WHOLE ("layers.%u.mlp.dense_h_to_4h.bias", TRUE),
        [TRC_WEIGHT_DOWN] = WHOLE ("layers.%u.mlp.dense_4h_to_h.weight", TRUE),
        [TRC_WEIGHT_DOWN_B] = WHOLE ("layers.%u.mlp.dense_4h_to_h.bias", TRUE),
        [TRC_WEIGHT_NORM_FINAL_W] = WHOLE ("final_layer_norm.weight", FALSE),
        [TRC_WEIGHT_NORM_FINAL_B] = WHOLE ("final_layer_norm.bias", FALSE),
        [TRC_WEIGHT_UNEMBED] = WHOLE ("/embed_out.weight", TRUE),
    },
    read_neox },
  { { "llama", "mistral" },
    "llama",
    { "model.", "" },
    {
        [TRC_WEIGHT_EMBED] = OTHER ("embed_tokens.weight", "/lm_head.weight", FALSE),
        [TRC_WEIGHT_NORM1_W] = WHOLE ("layers.%u.input_layernorm.weight", FALSE),
        [TRC_WEIGHT_Q] = WHOLE ("layers.%u.self_attn.q_proj.weight", TRUE),
        [TRC_WEIGHT_Q_B] = WHOLE ("layers.%u.self_attn.q_proj.bias", TRUE),
        [TRC_WEIGHT_K] = WHOLE ("layers.%u.self_attn.k_proj.weight", TRUE),
        [TRC_WEIGHT_K_B] = WHOLE ("layers.%u.self_attn.k_proj.bias", TRUE),
        [TRC_WEIGHT_V] = WHOLE ("layers.%u.self_attn.v_proj.weight", TRUE),
        [TRC_WEIGHT_V_B] = WHOLE ("layers.%u.self_attn.v_proj.bias", TRUE),
        [TRC_WEIGHT_O] = WHOLE ("layers.%u.self_attn.o_proj.weight", TRUE),
        [TRC_WEIGHT_O_B] = WHOLE ("layers.%u.self_attn.o_proj.bias", TRUE),
        [TRC_WEIGHT_NORM2_W] = WHOLE ("layers.%u.post_attention_layernorm.weight", FALSE),
        [TRC_WEIGHT_GATE] = WHOLE ("layers.%u.mlp.gate_proj.weight", TRUE),
        [TRC_WEIGHT_GATE_B] = WHOLE ("layers.%u.mlp.gate_proj.bias", TRUE),
        [TRC_WEIGHT_UP] = WHOLE ("layers.%u.mlp.up_proj.weight", TRUE),
        [TRC_WEIGHT_UP_B] = WHOLE ("layers.%u.mlp.up_proj.bias", TRUE),
        [TRC_WEIGHT_DOWN] = WHOLE ("layers.%u.mlp.down_proj.weight", TRUE),
        [TRC_WEIGHT_DOWN_B] = WHOLE ("layers.%u.mlp.down_proj.bias", TRUE),
        [TRC_WEIGHT_NORM_FINAL_W] = WHOLE ("norm.weight", FALSE),
        [TRC_WEIGHT_UNEMBED] = WHOLE ("/lm_head.weight", TRUE),
    },
    read_llama },
};

/* GGUF has one naming for all architectures, and every matrix is (out, in). */
#define GGUF_COMMON                                                                            \
  [TRC_WEIGHT_EMBED] = WHOLE ("token_embd.weight", FALSE),                                     \
  [TRC_WEIGHT_POSITIONS] = WHOLE ("position_embd.weight", FALSE),                              \
  [TRC_WEIGHT_NORM1_W] = WHOLE ("blk.%u.attn_norm.weight", FALSE),                             \
  [TRC_WEIGHT_NORM1_B] = WHOLE ("blk.%u.attn_norm.bias", FALSE),                               \
  [TRC_WEIGHT_O] = WHOLE ("blk.%u.attn_output.weight", TRUE),                                  \
  [TRC_WEIGHT_O_B] = WHOLE ("blk.%u.attn_output.bias", TRUE),                                  \
  [TRC_WEIGHT_NORM2_W] = WHOLE ("blk.%u.ffn_norm.weight", FALSE),                              \
  [TRC_WEIGHT_NORM2_B] = WHOLE ("blk.%u.ffn_norm.bias", FALSE),                                \
  [TRC_WEIGHT_GATE] = WHOLE ("blk.%u.ffn_gate.weight", TRUE),                                  \
  [TRC_WEIGHT_GATE_B] = WHOLE ("blk.%u.ffn_gate.bias", TRUE),                                  \
  [TRC_WEIGHT_UP] = WHOLE ("blk.%u.ffn_up.weight", TRUE),                                      \
  [TRC_WEIGHT_UP_B] = WHOLE ("blk.%u.ffn_up.bias", TRUE),                                      \
  [TRC_WEIGHT_DOWN] = WHOLE ("blk.%u.ffn_down.weight", TRUE),                                  \
  [TRC_WEIGHT_DOWN_B] = WHOLE ("blk.%u.ffn_down.bias", TRUE),                                  \
  [TRC_WEIGHT_NORM_FINAL_W] = WHOLE ("output_norm.weight", FALSE),                             \
  [TRC_WEIGHT_NORM_FINAL_B] = WHOLE ("output_norm.bias", FALSE),                               \
  [TRC_WEIGHT_UNEMBED] = WHOLE ("output.weight", TRUE)

static const TrcFamily gguf_families[2] = {
  { { NULL },
    "gguf",
    { "" },
    {
        GGUF_COMMON,
        [TRC_WEIGHT_Q] = WHOLE ("blk.%u.attn_q.weight", TRUE),
        [TRC_WEIGHT_Q_B] = WHOLE ("blk.%u.attn_q.bias", TRUE),
        [TRC_WEIGHT_K] = WHOLE ("blk.%u.attn_k.weight", TRUE),
        [TRC_WEIGHT_K_B] = WHOLE ("blk.%u.attn_k.bias", TRUE),
        [TRC_WEIGHT_V] = WHOLE ("blk.%u.attn_v.weight", TRUE),
        [TRC_WEIGHT_V_B] = WHOLE ("blk.%u.attn_v.bias", TRUE),
    },
    NULL },
  { { NULL },
    "gguf",
    { "" },
    {
        GGUF_COMMON,
        [TRC_WEIGHT_Q] = PART ("blk.%u.attn_qkv.weight", TRC_PART_BLOCKS, TRUE),
        [TRC_WEIGHT_Q_B] = PART ("blk.%u.attn_qkv.bias", TRC_PART_BLOCKS, TRUE),
        [TRC_WEIGHT_K] = PART ("blk.%u.attn_qkv.weight", TRC_PART_BLOCKS, TRUE),
        [TRC_WEIGHT_K_B] = PART ("blk.%u.attn_qkv.bias", TRC_PART_BLOCKS, TRUE),
        [TRC_WEIGHT_V] = PART ("blk.%u.attn_qkv.weight", TRC_PART_BLOCKS, TRUE),
        [TRC_WEIGHT_V_B] = PART ("blk.%u.attn_qkv.bias", TRC_PART_BLOCKS, TRUE),
    },
    NULL },
};

const TrcFamily *
trc_family_gguf (gboolean fused)
{
  return &gguf_families[fused ? 1 : 0];
}

const TrcFamily *
trc_family_find (const char *model_type, const char *path, GError **error)
{
  g_autofree char *shown = trc_error_quotable (model_type);

  for (gsize f = 0; f < G_N_ELEMENTS (families); f++)
    for (guint i = 0; families[f].model_type[i] != NULL; i++)
      if (strcmp (families[f].model_type[i], model_type) == 0)
        return &families[f];
  g_set_error (
      error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
      "%s describes a model of type \"%s\"; Tracery reads gpt2, gpt_neox, llama and mistral.",
      path, shown);
  return NULL;
}

gboolean
trc_config_read (const char *path, TrcModelConfig *config, const TrcFamily **family,
                 GError **error)
{
  g_autoptr (JsonObject) json = trc_json_load (path, error);
  const char *type = NULL;

  if (json == NULL || !trc_json_get_string (json, path, "model_type", &type, error))
    return FALSE;
  if (type == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s does not say \"model_type\".", path);
      return FALSE;
    }
  *family = trc_family_find (type, path, error);
  if (*family == NULL)
    return FALSE;
  *config = (TrcModelConfig){ .family = (*family)->config_family };
  return (*family)->read_config (json, path, config, error);
}

TrcBiasRule
trc_config_bias (const TrcModelConfig *config, TrcWeightRole role)
{
  gboolean rms = config->norm == TRC_NORM_RMS, none = config->norm == TRC_NORM_NONE;

  switch (role)
    {
    case TRC_WEIGHT_Q_B:
    case TRC_WEIGHT_K_B:
    case TRC_WEIGHT_V_B:
    case TRC_WEIGHT_O_B:
      return config->attn_bias;
    case TRC_WEIGHT_UP_B:
    case TRC_WEIGHT_DOWN_B:
      return config->mlp_bias;
    case TRC_WEIGHT_GATE_B:
      return config->gated ? config->mlp_bias : TRC_BIAS_NONE;
    case TRC_WEIGHT_GATE:
      return config->gated ? TRC_BIAS_MUST : TRC_BIAS_NONE;
    case TRC_WEIGHT_NORM1_W:
    case TRC_WEIGHT_NORM2_W:
    case TRC_WEIGHT_NORM_FINAL_W:
      return none ? TRC_BIAS_NONE : TRC_BIAS_MUST;
    case TRC_WEIGHT_NORM1_B:
    case TRC_WEIGHT_NORM2_B:
    case TRC_WEIGHT_NORM_FINAL_B:
      return none || rms ? TRC_BIAS_NONE : TRC_BIAS_MAY;
    case TRC_WEIGHT_POSITIONS:
      return config->positions == TRC_POS_LEARNED ? TRC_BIAS_MUST : TRC_BIAS_NONE;
    case TRC_WEIGHT_UNEMBED_B:
      return TRC_BIAS_MAY;
    default:
      return TRC_BIAS_MUST;
    }
}

const char *
trc_weight_role_name (TrcWeightRole role)
{
  static const char *const names[TRC_N_WEIGHTS] = {
    [TRC_WEIGHT_EMBED] = "token embedding",
    [TRC_WEIGHT_POSITIONS] = "position embedding",
    [TRC_WEIGHT_NORM1_W] = "first norm",
    [TRC_WEIGHT_NORM1_B] = "first norm's bias",
    [TRC_WEIGHT_Q] = "query matrix",
    [TRC_WEIGHT_Q_B] = "query bias",
    [TRC_WEIGHT_K] = "key matrix",
    [TRC_WEIGHT_K_B] = "key bias",
    [TRC_WEIGHT_V] = "value matrix",
    [TRC_WEIGHT_V_B] = "value bias",
    [TRC_WEIGHT_O] = "attention output matrix",
    [TRC_WEIGHT_O_B] = "attention output bias",
    [TRC_WEIGHT_NORM2_W] = "second norm",
    [TRC_WEIGHT_NORM2_B] = "second norm's bias",
    [TRC_WEIGHT_GATE] = "MLP gate matrix",
    [TRC_WEIGHT_GATE_B] = "MLP gate bias",
    [TRC_WEIGHT_UP] = "MLP input matrix",
    [TRC_WEIGHT_UP_B] = "MLP input bias",
    [TRC_WEIGHT_DOWN] = "MLP output matrix",
    [TRC_WEIGHT_DOWN_B] = "MLP output bias",
    [TRC_WEIGHT_NORM_FINAL_W] = "final norm",
    [TRC_WEIGHT_NORM_FINAL_B] = "final norm's bias",
    [TRC_WEIGHT_UNEMBED] = "unembedding",
    [TRC_WEIGHT_UNEMBED_B] = "unembedding bias",
  };

  return names[role];
}

gboolean
trc_weight_in_layer (TrcWeightRole role)
{
  return role >= TRC_WEIGHT_NORM1_W && role <= TRC_WEIGHT_DOWN_B;
}
