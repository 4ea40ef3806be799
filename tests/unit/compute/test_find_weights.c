/* Taking a weight file apart: fused q, k, v of both kinds, orientation, and every defect. */
#include "compute/model.h"

#include "compute/safetensors.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define D 4
#define HEADS 2

/* A folder whose weights are the numbers 0, 1, 2, ... of each tensor. */
static char *
make_model (const char *config, const TrcFileOutput *tensors, gsize n)
{
  char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *config_path = g_build_filename (dir, "config.json", NULL);

  g_assert_true (g_file_set_contents (config_path, config, -1, NULL));
  g_assert_true (trc_safetensors_write (path, tensors, n, NULL, NULL));
  return dir;
}

static float counting[3 * D * D * 4];

static const TrcFileOutput gpt2[] = {
  { "wte.weight", TRC_FILE_F32, 2, { 3, D }, counting },
  { "wpe.weight", TRC_FILE_F32, 2, { 2, D }, counting },
  { "h.0.ln_1.weight", TRC_FILE_F32, 1, { D }, counting },
  { "h.0.ln_1.bias", TRC_FILE_F32, 1, { D }, counting },
  { "h.0.attn.c_attn.weight", TRC_FILE_F32, 2, { D, 3 * D }, counting },
  { "h.0.attn.c_attn.bias", TRC_FILE_F32, 1, { 3 * D }, counting },
  { "h.0.attn.c_proj.weight", TRC_FILE_F32, 2, { D, D }, counting },
  { "h.0.ln_2.weight", TRC_FILE_F32, 1, { D }, counting },
  { "h.0.mlp.c_fc.weight", TRC_FILE_F32, 2, { D, 8 }, counting },
  { "h.0.mlp.c_proj.weight", TRC_FILE_F32, 2, { 8, D }, counting },
  { "ln_f.weight", TRC_FILE_F32, 1, { D }, counting },
};

#define GPT2_CONFIG(rest)                                                                      \
  "{\"model_type\":\"gpt2\",\"n_layer\":1,\"n_head\":2,\"n_embd\":4,\"n_inner\":8,\"n_ctx\":"  \
  "2,"                                                                                         \
  "\"vocab_size\":3" rest "}"

static void
read_weight (TrcModel *model, TrcWeightRole role, float *dst, gsize n)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (trc_model_weight_host (model, role, 0, dst, n, &error));
  g_assert_no_error (error);
}

static void
test_blocks (void)
{
  g_autofree char *dir = make_model (GPT2_CONFIG (""), gpt2, G_N_ELEMENTS (gpt2));
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  static const TrcWeightRole roles[] = { TRC_WEIGHT_Q, TRC_WEIGHT_K, TRC_WEIGHT_V };
  float w[D * D], b[D], u[D * 3];

  g_assert_no_error (error);
  for (guint part = 0; part < 3; part++)
    {
      read_weight (model, roles[part], w, D * D);
      read_weight (model, roles[part] + 1, b, D);
      for (guint i = 0; i < D; i++)
        for (guint j = 0; j < D; j++)
          g_assert_cmpfloat (w[i * D + j], ==, i * 3 * D + part * D + j);
      g_assert_cmpfloat (b[1], ==, part * D + 1);
    }
  /* Tied: the unembedding is the embedding turned round. */
  read_weight (model, TRC_WEIGHT_UNEMBED, u, D * 3);
  for (guint i = 0; i < D; i++)
    for (guint v = 0; v < 3; v++)
      g_assert_cmpfloat (u[i * 3 + v], ==, v * D + i);
  g_assert_false (trc_model_has_weight (model, TRC_WEIGHT_UP_B, 0));
  g_assert_null (trc_model_note (model));
  trc_test_remove_tree (dir);
}

static void
test_heads (void)
{
  static const TrcFileOutput neox[] = {
    { "gpt_neox.embed_in.weight", TRC_FILE_F32, 2, { 3, D }, counting },
    { "gpt_neox.layers.0.input_layernorm.weight", TRC_FILE_F32, 1, { D }, counting },
    { "gpt_neox.layers.0.attention.query_key_value.weight",
      TRC_FILE_F32,
      2,
      { 3 * D, D },
      counting },
    { "gpt_neox.layers.0.attention.query_key_value.bias",
      TRC_FILE_F32,
      1,
      { 3 * D },
      counting },
    { "gpt_neox.layers.0.attention.dense.weight", TRC_FILE_F32, 2, { D, D }, counting },
    { "gpt_neox.layers.0.post_attention_layernorm.weight", TRC_FILE_F32, 1, { D }, counting },
    { "gpt_neox.layers.0.mlp.dense_h_to_4h.weight", TRC_FILE_F32, 2, { 8, D }, counting },
    { "gpt_neox.layers.0.mlp.dense_4h_to_h.weight", TRC_FILE_F32, 2, { D, 8 }, counting },
    { "gpt_neox.final_layer_norm.weight", TRC_FILE_F32, 1, { D }, counting },
    { "embed_out.weight", TRC_FILE_F32, 2, { 3, D }, counting },
  };
  g_autofree char *dir = make_model (
      "{\"model_type\":\"gpt_neox\",\"num_hidden_layers\":1,\"num_attention_heads\":2,"
      "\"hidden_size\":4,\"intermediate_size\":8,\"max_position_embeddings\":2,\"vocab_size\":"
      "3}",
      neox, G_N_ELEMENTS (neox));
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  static const TrcWeightRole roles[] = { TRC_WEIGHT_Q, TRC_WEIGHT_K, TRC_WEIGHT_V };
  float w[D * D], b[D], up[D * 8];

  g_assert_no_error (error);
  for (guint part = 0; part < 3; part++)
    {
      read_weight (model, roles[part], w, D * D);
      read_weight (model, roles[part] + 1, b, D);
      for (guint h = 0; h < HEADS; h++)
        for (guint j = 0; j < D / HEADS; j++)
          {
            guint row = (h * 3 + part) * (D / HEADS) + j, col = h * (D / HEADS) + j;

            g_assert_cmpfloat (b[col], ==, row);
            for (guint i = 0; i < D; i++)
              g_assert_cmpfloat (w[i * D + col], ==, row * D + i);
          }
    }
  read_weight (model, TRC_WEIGHT_UP, up, D * 8);
  g_assert_cmpfloat (up[1 * 8 + 2], ==, 2 * D + 1);
  trc_test_remove_tree (dir);
}

static void
assert_refused (const char *dir, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);

  g_assert_null (model);
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, says));
  g_assert_true (g_str_has_suffix (error->message, "."));
}

/* Each tensor in turn missing, and in turn of another shape. */
static void
test_defects (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (gpt2); i++)
    for (guint wrong = 0; wrong < 2; wrong++)
      {
        TrcFileOutput tensors[G_N_ELEMENTS (gpt2)];
        gboolean bias = strstr (gpt2[i].name, "bias") != NULL;
        gsize n = 0;

        if (bias && !wrong)
          continue;
        for (gsize k = 0; k < G_N_ELEMENTS (gpt2); k++)
          {
            if (k == i && !wrong)
              continue;
            tensors[n] = gpt2[k];
            if (k == i)
              tensors[n].shape[tensors[n].n_axes - 1]--;
            n++;
          }
        g_autofree char *dir = make_model (GPT2_CONFIG (""), tensors, n);
        assert_refused (dir, gpt2[i].name);
        trc_test_remove_tree (dir);
      }
}

static void
test_bias_rules (void)
{
  g_autofree char *wants =
      make_model (GPT2_CONFIG (",\"mlp_bias\":true"), gpt2, G_N_ELEMENTS (gpt2));
  g_autofree char *none =
      make_model (GPT2_CONFIG (",\"attention_bias\":false"), gpt2, G_N_ELEMENTS (gpt2));
  g_autoptr (GError) error = NULL;

  assert_refused (wants, "h.0.mlp.c_fc.bias");
  g_autoptr (TrcModel) model = trc_model_open (none, &error);
  g_assert_no_error (error);
  g_assert_false (trc_model_has_weight (model, TRC_WEIGHT_Q_B, 0));
  trc_test_remove_tree (wants);
  trc_test_remove_tree (none);
}

static void
test_bad_index (void)
{
  static const struct {
    const char *text, *says;
  } cases[] = { { "{}", "weight_map" },
                { "{\"weight_map\":3}", "weight_map" },
                { "{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "names a file" },
                { "{\"weight_map\":{\"a\":\"x.bin\"}}", "names a file" },
                { "{\"weight_map\":{\"a\":7}}", "names a file" },
                { "{\"weight_map\":{\"a\":\"gone.safetensors\"}}", "gone.safetensors" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dir = make_model (GPT2_CONFIG (""), gpt2, G_N_ELEMENTS (gpt2));
      g_autofree char *index = g_build_filename (dir, "model.safetensors.index.json", NULL);

      g_assert_true (g_file_set_contents (index, cases[i].text, -1, NULL));
      assert_refused (dir, cases[i].says);
      trc_test_remove_tree (dir);
    }
}

static void
test_no_folder (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *file = g_build_filename (dir, "a.bin", NULL);
  g_autofree char *other = g_build_filename (dir, "a.txt", NULL);

  assert_refused (dir, "config.json");
  assert_refused ("no-such-model", "no bundled model");
  g_assert_true (g_file_set_contents (file, "x", 1, NULL));
  g_assert_true (g_file_set_contents (other, "x", 1, NULL));
  assert_refused (file, "llama2.c");
  assert_refused (other, "is a file");
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (counting); i++)
    counting[i] = (float)i;
  g_test_add_func ("/find-weights/blocks", test_blocks);
  g_test_add_func ("/find-weights/heads", test_heads);
  g_test_add_func ("/find-weights/defects", test_defects);
  g_test_add_func ("/find-weights/bias-rules", test_bias_rules);
  g_test_add_func ("/find-weights/bad-index", test_bad_index);
  g_test_add_func ("/find-weights/no-folder", test_no_folder);
  return g_test_run ();
}
