/* The folder of a trained network: what is written opens as the model that was meant. */
#include "compute/train/trainer.h"

#include "tests/support/shared_data.h"

#include <math.h>

static void
test_round_trip (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  float *host[TRC_N_WEIGHTS];
  g_autoptr (GError) error = NULL;
  TrcTrainParams p;
  TrcRandom random;
  guint64 n_parameters = 0;

  trc_train_params_init (&p);
  p.p = 113;
  p.folder = dir;
  trc_random_init (&random, 1);
  trc_modadd_init_weights (&p, &random, host);
  g_assert_true (trc_modadd_write_config (&p, &error));
  g_assert_true (trc_modadd_write_weights (&p, host, &error));
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  g_assert_no_error (error);
  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    {
      guint n_in, n_out;

      g_assert_cmpint (host[role] != NULL, ==, trc_model_has_weight (model, role, 0));
      if (host[role] == NULL)
        continue;
      g_assert_true (trc_modadd_shape (&p, role, &n_in, &n_out));
      gsize n = (gsize)n_in * n_out;
      g_autofree float *back = g_new (float, n);
      double squares = 0;
      g_assert_true (trc_model_weight_host (model, role, 0, back, n, &error));
      g_assert_cmpmem (back, n * sizeof (float), host[role], n * sizeof (float));
      for (gsize i = 0; i < n; i++)
        squares += (double)back[i] * back[i];
      if (n_in > 1)
        g_assert_cmpfloat_with_epsilon (
            sqrt (squares / n), 1 / sqrt (role == TRC_WEIGHT_UNEMBED ? 114 : 128), 0.01);
      n_parameters += n;
      g_free (host[role]);
    }
  g_assert_cmpuint (n_parameters, ==, 226816);
  g_assert_cmpuint (trc_model_n_parameters (model), ==, 226816);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  static const guint32 want[] = { 37, 95, 113 };
  g_assert_true (trc_model_tokenize (model, "37 + 95 =", ids, NULL, &error));
  g_assert_cmpmem (ids->data, ids->len * 4, want, sizeof want);
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/modadd-folder/round-trip", test_round_trip);
  return g_test_run ();
}
