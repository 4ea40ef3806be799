/* Training: the same seed gives the same bytes, a resumed run equals an uninterrupted one, the
 * task is learnt, and trouble has a name. Small moduli, seconds in all. */
#include "compute/safetensors.h"
#include "compute/train.h"

#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

static TrcTrainParams
small (const char *folder)
{
  TrcTrainParams p;

  trc_train_params_init (&p);
  p.p = 7;
  p.d_model = 16;
  p.n_heads = 2;
  p.d_mlp = 32;
  p.seed = 3;
  p.train_share = 0.7;
  p.epochs = 60;
  p.report_every = 10;
  p.checkpoint_every = 1000;
  p.folder = folder;
  return p;
}

static gboolean
train (const TrcTrainParams *p, TrcTrainReport *last, GCancellable *cancellable,
       TrcTrainFunc report, gpointer data, GError **error)
{
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  const TrcProgress progress = { .cancellable = cancellable };

  return trc_train_modadd (dev, p, report, data, last, &progress, error);
}

static void
assert_same_file (const char *a, const char *b, const char *name, gboolean same)
{
  g_autofree char *path_a = g_build_filename (a, name, NULL);
  g_autofree char *path_b = g_build_filename (b, name, NULL);
  g_autofree char *text_a = NULL, *text_b = NULL;
  gsize n_a, n_b;

  g_assert_true (g_file_get_contents (path_a, &text_a, &n_a, NULL));
  g_assert_true (g_file_get_contents (path_b, &text_b, &n_b, NULL));
  g_assert_cmpint (n_a == n_b && memcmp (text_a, text_b, n_a) == 0, ==, same);
}

static void
test_deterministic (void)
{
  g_autofree char *a = trc_test_temp_dir (), *b = trc_test_temp_dir (),
                  *c = trc_test_temp_dir ();
  TrcTrainParams pa = small (a), pb = small (b), pc = small (c);
  g_autoptr (GError) error = NULL;

  pc.seed = 4;
  g_assert_true (train (&pa, NULL, NULL, NULL, NULL, &error));
  g_assert_true (train (&pb, NULL, NULL, NULL, NULL, &error));
  g_assert_true (train (&pc, NULL, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  assert_same_file (a, b, "model.safetensors", TRUE);
  assert_same_file (a, b, "checkpoint.safetensors", TRUE);
  assert_same_file (a, c, "model.safetensors", FALSE);
  trc_test_remove_tree (a);
  trc_test_remove_tree (b);
  trc_test_remove_tree (c);
}

static void
cancel_at_30 (const TrcTrainReport *report, gpointer data)
{
  if (report->epoch == 30)
    g_cancellable_cancel (data);
}

/* Stopped by a cancel at epoch 30 and resumed, against one go. */
static void
test_resume (void)
{
  g_autofree char *a = trc_test_temp_dir (), *b = trc_test_temp_dir ();
  TrcTrainParams pa = small (a), pb = small (b);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcTrainReport last = { 0 };

  g_assert_true (train (&pa, NULL, NULL, NULL, NULL, &error));
  g_assert_false (train (&pb, &last, cancellable, cancel_at_30, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpuint (last.epoch, ==, 30);
  assert_same_file (a, b, "model.safetensors", FALSE);
  pb.resume = TRUE;
  g_assert_true (train (&pb, &last, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (last.epoch, ==, 60);
  assert_same_file (a, b, "model.safetensors", TRUE);
  assert_same_file (a, b, "checkpoint.safetensors", TRUE);
  trc_test_remove_tree (a);
  trc_test_remove_tree (b);
}

/* What is trained on is learnt, the report says so, and the wanted accuracy stops the run. */
static void
test_learns (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  TrcTrainParams p = small (dir);
  TrcTrainReport last = { 0 };
  g_autoptr (GError) error = NULL;

  p.d_model = 32;
  p.d_mlp = 64;
  p.train_share = 0.95;
  p.epochs = 3000;
  p.stop_at_accuracy = 0.95;
  p.extra_epochs = 20;
  g_assert_true (train (&p, &last, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (last.train_accuracy, >, 0.99);
  g_assert_cmpfloat (last.train_loss, <, 0.5);
  g_assert_cmpfloat (last.accuracy, >=, 0.95);
  g_assert_cmpuint (last.epoch, <, 3000);
  g_assert_cmpuint (last.epoch % 10, ==, 0);
  trc_test_remove_tree (dir);
}

static void
test_nan (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  TrcTrainParams p = small (dir);
  g_autoptr (GError) error = NULL;

  p.lr = 1e30;
  p.warmup = 0;
  g_assert_false (train (&p, NULL, NULL, NULL, NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "step"));
  trc_test_remove_tree (dir);
}

static void
test_refuses (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  TrcTrainParams good = small (dir), p;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 6; i++)
    {
      p = good;
      switch (i)
        {
        case 0:
          p.p = 1;
          break;
        case 1:
          p.n_heads = 3;
          break;
        case 2:
          p.train_share = 1.0;
          break;
        case 3:
          p.lr = NAN;
          break;
        case 4:
          p.epochs = 0;
          break;
        default:
          p.beta2 = 1.0;
          break;
        }
      g_assert_false (train (&p, NULL, NULL, NULL, NULL, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_clear_error (&error);
    }
  good.epochs = 2;
  g_assert_true (train (&good, NULL, NULL, NULL, NULL, NULL));
  g_assert_false (train (&good, NULL, NULL, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "already holds"));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/modadd/deterministic", test_deterministic);
  g_test_add_func ("/modadd/resume", test_resume);
  g_test_add_func ("/modadd/learns", test_learns);
  g_test_add_func ("/modadd/nan", test_nan);
  g_test_add_func ("/modadd/refuses", test_refuses);
  return g_test_run ();
}
