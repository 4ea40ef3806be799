/* Recorded runs: what is kept, the last position alone, and every way to be refused. */
#include "compute/run.h"

#include "compute/safetensors.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

static const guint32 ids[6] = { 37, 95, 113, 1, 2, 113 };

static TrcModel *
open_bundled (void)
{
  g_autofree char *path = trc_test_source ("data/models/modadd-113");
  g_autoptr (GError) error = NULL;
  TrcModel *model = trc_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

static void
test_kept (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GError) error = NULL;
  guint32 keep = TRC_SITE_BIT (TRC_SITE_Z) | TRC_SITE_BIT (TRC_SITE_PATTERN);
  g_autoptr (TrcRun) run = trc_run_new (
      model, dev, &(TrcRunParams){ .ids = ids, .n_prompts = 2, .n_tokens = 3, .keep = keep },
      NULL, &error);
  guint n_prompts, n_tokens;
  float one;

  g_assert_no_error (error);
  for (guint site = 0; site < TRC_N_SITES; site++)
    g_assert_cmpint (trc_run_tensor (run, site, 0) != NULL, ==,
                     site == TRC_SITE_Z || site == TRC_SITE_PATTERN || site == TRC_SITE_LOGITS);
  g_assert_cmpmem (trc_run_ids (run, &n_prompts, &n_tokens), sizeof ids, ids, sizeof ids);
  g_assert_true (n_prompts == 2 && n_tokens == 3);
  g_assert_true (trc_run_model (run) == model && trc_run_device (run) == dev);
  g_assert_false (trc_run_read (run, TRC_SITE_EMBED, 0, &one, 1, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "embed"));
  /* Rows of a pattern sum to 1 and never look ahead. */
  const float *p = trc_run_host (run, TRC_SITE_PATTERN, 0, NULL);
  for (guint row = 0; row < 2 * 4 * 3; row++)
    {
      g_assert_cmpfloat_with_epsilon (p[3 * row] + p[3 * row + 1] + p[3 * row + 2], 1, 1e-5);
      for (guint j = row % 3 + 1; j < 3; j++)
        g_assert_cmpfloat (p[3 * row + j], ==, 0);
    }
}

/* The pass for the last position alone gives what the whole pass gives there. */
static void
test_last_only (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (TrcRun) all = trc_run_new (
      model, dev,
      &(TrcRunParams){ .ids = ids, .n_prompts = 2, .n_tokens = 3, .keep = TRC_SITES_ALL }, NULL,
      NULL);
  g_autoptr (TrcRun) last = trc_run_new (
      model, dev,
      &(TrcRunParams){
          .ids = ids, .n_prompts = 2, .n_tokens = 3, .keep = TRC_SITES_ALL, .last_only = TRUE },
      NULL, NULL);
  const float *whole = trc_run_host (all, TRC_SITE_MLP_ACT, 0, NULL);
  const float *part = trc_run_host (last, TRC_SITE_MLP_ACT, 0, NULL);

  g_assert_cmpuint (trc_tensor_dim (trc_run_tensor (last, TRC_SITE_LOGITS, 0), 0), ==, 2);
  g_assert_cmpuint (trc_tensor_dim (trc_run_tensor (last, TRC_SITE_K, 0), 0), ==, 6);
  for (guint b = 0; b < 2; b++)
    {
      for (guint j = 0; j < 512; j++)
        g_assert_cmpfloat_with_epsilon (part[b * 512 + j], whole[(b * 3 + 2) * 512 + j], 1e-5);
      for (guint v = 0; v < 114; v++)
        g_assert_cmpfloat_with_epsilon (trc_run_logits (last, b, 2, NULL)[v],
                                        trc_run_logits (all, b, -1, NULL)[v], 1e-4);
    }
}

/* Twice the same call gives the same bits. */
static void
test_repeats (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  const TrcRunParams p = { .ids = ids, .n_prompts = 2, .n_tokens = 3 };
  g_autoptr (TrcRun) a = trc_run_new (model, dev, &p, NULL, NULL);
  g_autoptr (TrcRun) b = trc_run_new (model, dev, &p, NULL, NULL);

  g_assert_cmpmem (trc_run_host (a, TRC_SITE_LOGITS, 0, NULL), 6 * 114 * 4,
                   trc_run_host (b, TRC_SITE_LOGITS, 0, NULL), 6 * 114 * 4);
}

static void
test_refuses (void)
{
  static const guint32 wrong[3] = { 37, 114, 113 }, longer[4] = { 1, 2, 3, 113 };
  static const struct {
    const guint32 *ids;
    guint n;
    const char *says;
  } cases[] = { { ids, 0, "no tokens" },
                { wrong, 3, "token 114" },
                { longer, 4, "at most 3" } };
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (trc_run_new (
          model, dev,
          &(TrcRunParams){ .ids = cases[i].ids, .n_prompts = 1, .n_tokens = cases[i].n }, NULL,
          &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

static void
test_cancel (void)
{
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  const TrcProgress progress = { .cancellable = cancellable };

  g_cancellable_cancel (cancellable);
  g_assert_null (trc_run_new (model, dev,
                              &(TrcRunParams){ .ids = ids, .n_prompts = 2, .n_tokens = 3 },
                              &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* A NaN among the weights is found where it enters. */
static void
test_nan (void)
{
  static const struct {
    const char *tensor, *says;
  } cases[] = { { "transformer.wte.weight", "the embedding" },
                { "transformer.h.0.mlp.c_proj.weight", "layer 0" },
                { "lm_head.weight", "the unembedding" } };
  g_autofree char *source = trc_test_source ("data/models/modadd-113");
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dir = trc_test_temp_dir ();
      g_autofree char *weights = g_build_filename (source, "model.safetensors", NULL);
      g_autofree char *to = g_build_filename (dir, "model.safetensors", NULL);
      g_autofree char *config = g_build_filename (source, "config.json", NULL);
      g_autofree char *config_to = g_build_filename (dir, "config.json", NULL);
      g_autofree char *bytes = NULL, *text = NULL;
      g_autoptr (GError) error = NULL;
      gsize n;

      g_assert_true (g_file_get_contents (config, &text, NULL, NULL));
      g_assert_true (g_file_set_contents (config_to, text, -1, NULL));
      g_assert_true (g_file_get_contents (weights, &bytes, &n, NULL));
      {
        g_autoptr (TrcSafetensors) file = trc_safetensors_open (weights, NULL);
        const TrcFileTensor *last =
            trc_safetensors_get (file, trc_safetensors_n_tensors (file) - 1);
        const guint8 *start = last->data + last->n_bytes - n;
        gsize at = (gsize)(trc_safetensors_find (file, cases[i].tensor)->data - start);
        const float nan_value = NAN;

        for (gsize k = 0; k < 128; k++)
          memcpy (bytes + at + 4 * (37 * 128 + k), &nan_value, 4);
      }
      g_assert_true (g_file_set_contents (to, bytes, n, NULL));
      g_autoptr (TrcModel) model = trc_model_open (dir, &error);
      g_assert_no_error (error);
      g_assert_null (trc_run_new (model, dev,
                                  &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = 3 },
                                  NULL, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].says));
      trc_test_remove_tree (dir);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/kept", test_kept);
  g_test_add_func ("/run/last-only", test_last_only);
  g_test_add_func ("/run/repeats", test_repeats);
  g_test_add_func ("/run/refuses", test_refuses);
  g_test_add_func ("/run/cancel", test_cancel);
  g_test_add_func ("/run/nan", test_nan);
  return g_test_run ();
}
