/* Checkpoints: damaged or foreign ones are refused by a sentence, and the run stays whole. */
#include "compute/error.h"
#include "compute/train.h"

#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <string.h>

static TrcTrainParams
tiny (const char *folder)
{
  TrcTrainParams p;

  trc_train_params_init (&p);
  p.p = 5;
  p.d_model = 8;
  p.n_heads = 2;
  p.d_mlp = 8;
  p.epochs = 4;
  p.folder = folder;
  return p;
}

static gboolean
train (const TrcTrainParams *p, GError **error)
{
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);

  return trc_train_modadd (dev, p, NULL, NULL, NULL, NULL, error);
}

static void
test_damaged (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "checkpoint.safetensors", NULL);
  g_autofree char *whole = NULL, *after = NULL;
  TrcTrainParams p = tiny (dir);
  gsize n, n_after;

  g_assert_true (train (&p, NULL));
  g_assert_true (g_file_get_contents (path, &whole, &n, NULL));
  p.resume = TRUE;
  p.epochs = 8;
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (path, whole, (gssize)(n * i / 50), NULL));
      g_assert_false (train (&p, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "checkpoint.safetensors"));
    }
  g_assert_true (g_file_get_contents (path, &after, &n_after, NULL));
  g_assert_cmpuint (n_after, ==, n * 49 / 50);
  g_assert_true (g_file_set_contents (path, whole, (gssize)n, NULL));
  g_assert_true (train (&p, NULL));
  trc_test_remove_tree (dir);
}

static void
test_foreign (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "checkpoint.safetensors", NULL);
  g_autofree char *model = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *text = NULL;
  TrcTrainParams p = tiny (dir);
  g_autoptr (GError) error = NULL;
  gsize n;

  g_assert_true (train (&p, NULL));
  p.resume = TRUE;
  p.seed = 99;
  g_assert_false (train (&p, &error));
  g_assert_nonnull (strstr (error->message, "another modulus, seed or setting"));
  g_clear_error (&error);
  p.seed = 0;
  g_assert_true (g_file_get_contents (model, &text, &n, NULL));
  g_assert_true (g_file_set_contents (path, text, (gssize)n, NULL));
  g_assert_false (train (&p, &error));
  g_assert_nonnull (strstr (error->message, "no training checkpoint"));
  g_clear_error (&error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_false (train (&p, &error));
  g_assert_nonnull (strstr (error->message, "checkpoint.safetensors"));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/checkpoint/damaged", test_damaged);
  g_test_add_func ("/checkpoint/foreign", test_foreign);
  return g_test_run ();
}
