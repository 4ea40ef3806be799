/* Models as their users see them: bundled names, weights on a device, tokens. */
#include "compute/model.h"

#include "tests/support/shared_data.h"

#include <string.h>
#include <unistd.h>

static TrcModel *
open_bundled (void)
{
  g_autoptr (GError) error = NULL;
  TrcModel *model = trc_model_open ("modadd-113", &error);

  g_assert_no_error (error);
  return model;
}

static void
test_bundled (void)
{
  g_auto (GStrv) names = trc_model_list_bundled ();
  g_autofree char *path = trc_model_bundled_path ("modadd-113");

  g_assert_true (g_strv_contains ((const char *const *)names, "modadd-113"));
  g_assert_nonnull (path);
  g_assert_null (trc_model_bundled_path (""));
  g_assert_null (trc_model_bundled_path (".."));
  g_assert_null (trc_model_bundled_path ("../models/modadd-113"));
  g_autoptr (TrcModel) model = open_bundled ();
  const TrcModelConfig *c = trc_model_config (model);
  g_assert_cmpstr (trc_model_name (model), ==, "modadd-113");
  g_assert_true (c->n_layers == 1 && c->d_model == 128 && c->n_heads == 4 && c->d_mlp == 512);
  g_assert_true (c->n_vocab == 114 && c->n_ctx == 3 && !c->tied);
  g_assert_cmpuint (trc_model_n_parameters (model), ==, 226816);
}

static void
test_upload (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  guint64 before = trc_device_counters (dev).bytes_uploaded, once;
  g_autoptr (GError) error = NULL;
  const TrcWeight *w = trc_model_weight (model, dev, TRC_WEIGHT_UP, 0, &error);

  g_assert_no_error (error);
  g_assert_true (w->n_in == 128 && w->n_out == 512 && !w->out_major);
  g_assert_cmpuint (trc_tensor_dim (w->tensor, 0), ==, 128);
  once = trc_device_counters (dev).bytes_uploaded;
  g_assert_cmpuint (once - before, ==, 128 * 512 * 4);
  g_assert_true (trc_model_weight (model, dev, TRC_WEIGHT_UP, 0, &error) == w);
  g_assert_cmpuint (trc_device_counters (dev).bytes_uploaded, ==, once);
  w = trc_model_weight (model, dev, TRC_WEIGHT_UNEMBED, 0, &error);
  g_assert_true (w->n_in == 128 && w->n_out == 114 && w->out_major);
  g_assert_cmpuint (trc_tensor_dim (w->tensor, 0), ==, 114);
  g_assert_null (trc_model_weight (model, dev, TRC_WEIGHT_GATE, 0, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  trc_model_release (model, dev);
  g_assert_cmpuint (trc_device_counters (dev).bytes_live, ==, 0);
}

static void
test_tokens (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  g_autoptr (GError) error = NULL;
  static const guint32 want[] = { 37, 95, 113 };
  guint32 id;

  g_assert_true (trc_model_tokenize (model, "37 + 95 =", ids, spans, &error));
  g_assert_cmpmem (ids->data, ids->len * 4, want, sizeof want);
  g_assert_cmpuint (g_array_index (spans, TrcSpan, 1).first, ==, 5);
  g_assert_cmpstr (trc_model_token_text (model, 113), ==, "=");
  g_assert_cmpstr (trc_model_token_text (model, 5000), ==, "#5000");
  g_assert_true (trc_model_parse_token (model, "19", &id, &error) && id == 19);
  g_assert_true (trc_model_parse_token (model, "=", &id, &error) && id == 113);
  g_assert_true (trc_model_parse_token (model, "#7", &id, &error) && id == 7);
  g_assert_false (trc_model_parse_token (model, "#114", &id, &error));
  g_clear_error (&error);
  g_assert_false (trc_model_parse_token (model, "200", &id, &error));
  g_clear_error (&error);
  g_assert_false (trc_model_tokenize (model, "37 + 200 =", ids, NULL, &error));
  g_assert_cmpuint (ids->len, ==, 3);
}

/* Without tokeniser files a model runs on ids, and says what is missing when given text. */
static void
test_no_tokenizer (void)
{
  g_autofree char *source = trc_test_source ("data/models/modadd-113");
  g_autofree char *dir = trc_test_temp_dir ();
  static const char *const names[] = { "config.json", "model.safetensors" };
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *from = g_build_filename (source, names[i], NULL);
      g_autofree char *to = g_build_filename (dir, names[i], NULL);

      g_assert_cmpint (symlink (from, to), ==, 0);
    }
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  g_assert_no_error (error);
  g_assert_null (trc_model_tokenizer (model));
  g_assert_false (trc_model_tokenize (model, "1 + 2 =", ids, NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_cmpstr (trc_model_token_text (model, 7), ==, "#7");
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/bundled", test_bundled);
  g_test_add_func ("/model/upload", test_upload);
  g_test_add_func ("/model/tokens", test_tokens);
  g_test_add_func ("/model/no-tokenizer", test_no_tokenizer);
  return g_test_run ();
}
