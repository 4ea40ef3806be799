/* config.json of every family: what is read, which defaults hold, what is refused. */
#include "compute/models/family.h"
#include "compute/ops.h"

#include "tests/support/shared_data.h"

#include <string.h>

static gboolean
read_config (const char *text, TrcModelConfig *config, GError **error)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "config.json", NULL);
  const TrcFamily *family = NULL;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  gboolean ok = trc_config_read (path, config, &family, error);
  g_assert_true (!ok || strcmp (family->config_family, config->family) == 0);
  trc_test_remove_tree (dir);
  return ok;
}

static void
test_gpt2 (void)
{
  g_autoptr (GError) error = NULL;
  TrcModelConfig c;

  g_assert_true (
      read_config ("{\"model_type\":\"gpt2\",\"n_layer\":12,\"n_head\":12,\"n_embd\":768,"
                   "\"n_positions\":1024,\"vocab_size\":50257,\"n_inner\":null}",
                   &c, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (c.d_mlp, ==, 3072);
  g_assert_cmpuint (c.d_head, ==, 64);
  g_assert_cmpuint (c.n_kv_heads, ==, 12);
  g_assert_cmpuint (c.act, ==, TRC_ACT_GELU_TANH);
  g_assert_cmpuint (c.norm, ==, TRC_NORM_LAYER);
  g_assert_cmpint (c.positions, ==, TRC_POS_LEARNED);
  g_assert_true (c.tied && !c.gated && !c.parallel);
  g_assert_cmpfloat (c.attn_scale, ==, 0.125f);
}

static void
test_gpt2_extra_keys (void)
{
  g_autoptr (GError) error = NULL;
  TrcModelConfig c;

  g_assert_true (read_config (
      "{\"model_type\":\"gpt2\",\"n_layer\":1,\"n_head\":4,\"n_embd\":128,\"n_ctx\":3,"
      "\"vocab_size\":114,\"normalization\":\"none\",\"position_embedding\":\"none\","
      "\"activation_function\":\"relu\",\"head_dim\":16,\"attention_bias\":false,\"mlp_bias\":"
      "true,"
      "\"scale_attn_weights\":false,\"tie_word_embeddings\":false}",
      &c, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (c.norm, ==, TRC_NORM_NONE);
  g_assert_cmpuint (c.act, ==, TRC_ACT_RELU);
  g_assert_cmpint (c.positions, ==, TRC_POS_NONE);
  g_assert_cmpuint (c.d_head, ==, 16);
  g_assert_cmpfloat (c.attn_scale, ==, 1.0f);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_Q_B), ==, TRC_BIAS_NONE);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_UP_B), ==, TRC_BIAS_MUST);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_NORM1_W), ==, TRC_BIAS_NONE);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_POSITIONS), ==, TRC_BIAS_NONE);
}

static void
test_neox (void)
{
  g_autoptr (GError) error = NULL;
  TrcModelConfig c;

  g_assert_true (read_config (
      "{\"model_type\":\"gpt_neox\",\"num_hidden_layers\":6,\"num_attention_heads\":8,"
      "\"hidden_size\":512,\"intermediate_size\":2048,\"max_position_embeddings\":2048,"
      "\"vocab_size\":50304,\"rotary_pct\":0.25,\"hidden_act\":\"gelu\"}",
      &c, &error));
  g_assert_no_error (error);
  g_assert_true (c.parallel && !c.tied && !c.rotary_interleaved);
  g_assert_cmpuint (c.rotary_dims, ==, 16);
  g_assert_cmpuint (c.act, ==, TRC_ACT_GELU_ERF);
}

static void
test_llama (void)
{
  g_autoptr (GError) error = NULL;
  TrcModelConfig c;

  g_assert_true (read_config (
      "{\"model_type\":\"llama\",\"num_hidden_layers\":16,\"num_attention_heads\":32,"
      "\"num_key_value_heads\":8,\"hidden_size\":2048,\"intermediate_size\":8192,"
      "\"max_position_embeddings\":131072,\"vocab_size\":128256,\"rope_theta\":500000.0,"
      "\"rms_norm_eps\":1e-5,\"tie_word_embeddings\":true,\"rope_scaling\":{\"rope_type\":"
      "\"llama3\","
      "\"factor\":32.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,"
      "\"original_max_position_embeddings\":8192}}",
      &c, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (c.norm, ==, TRC_NORM_RMS);
  g_assert_true (c.gated && c.tied);
  g_assert_cmpuint (c.rotary_dims, ==, 64);
  g_assert_cmpfloat (c.rotary_factor, ==, 32);
  g_assert_cmpuint (c.rotary_original, ==, 8192);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_NORM1_B), ==, TRC_BIAS_NONE);
  g_assert_cmpint (trc_config_bias (&c, TRC_WEIGHT_GATE), ==, TRC_BIAS_MUST);
}

#define GPT2(rest)                                                                             \
  "{\"model_type\":\"gpt2\",\"n_layer\":2,\"n_head\":2,\"n_embd\":8,\"n_ctx\":4,\"vocab_"      \
  "size\":5," rest "}"

static void
test_refused (void)
{
  static const struct {
    const char *text, *says;
  } cases[] = {
    { "{}", "model_type" },
    { "{\"model_type\":7}", "model_type" },
    { "{\"model_type\":\"mamba\"}", "mamba" },
    { "{\"model_type\":\"gpt2\"}", "number of layers" },
    { "{\"model_type\":\"gpt2\",\"n_layer\":2,\"n_head\":3,\"n_embd\":8,\"n_ctx\":4,\"vocab_"
      "size\":5}",
      "do not fit" },
    { GPT2 ("\"n_layer\":0"), "n_layer" },
    { GPT2 ("\"n_layer\":-1"), "n_layer" },
    { GPT2 ("\"n_layer\":1e9"), "n_layer" },
    { GPT2 ("\"n_embd\":99999999999999"), "n_embd" },
    { GPT2 ("\"n_embd\":\"8\""), "n_embd" },
    { GPT2 ("\"activation_function\":\"tanh\""), "tanh" },
    { GPT2 ("\"normalization\":\"batch\""), "batch" },
    { GPT2 ("\"position_embedding\":\"alibi\""), "alibi" },
    { GPT2 ("\"layer_norm_epsilon\":\"x\""), "layer_norm_epsilon" },
    { GPT2 ("\"tie_word_embeddings\":1"), "tie_word_embeddings" },
    { GPT2 ("\"scale_attn_by_inverse_layer_idx\":true"), "inverse_layer_idx" },
    { "{\"model_type\":\"llama\",\"num_hidden_layers\":1,\"num_attention_heads\":4,"
      "\"num_key_value_heads\":3,\"hidden_size\":8,\"vocab_size\":5}",
      "key-value" },
    { "{\"model_type\":\"llama\",\"num_hidden_layers\":1,\"num_attention_heads\":4,"
      "\"hidden_size\":8,\"vocab_size\":5,\"rope_scaling\":{\"type\":\"yarn\"}}",
      "yarn" },
    { "{\"model_type\":\"gpt_neox\",\"num_hidden_layers\":1,\"num_attention_heads\":4,"
      "\"hidden_size\":8,\"vocab_size\":5,\"max_position_embeddings\":4,\"rotary_pct\":2}",
      "rotary_pct" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TrcModelConfig c;

      g_test_message ("%s", cases[i].text);
      g_assert_false (read_config (cases[i].text, &c, &error));
      g_assert_nonnull (error);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].says));
      g_assert_nonnull (strstr (error->message, "config.json"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/family/gpt2", test_gpt2);
  g_test_add_func ("/family/gpt2-extra-keys", test_gpt2_extra_keys);
  g_test_add_func ("/family/neox", test_neox);
  g_test_add_func ("/family/llama", test_llama);
  g_test_add_func ("/family/refused", test_refused);
  return g_test_run ();
}
