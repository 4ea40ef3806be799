/* Matrix pieces of the sweep: pulling back through a weight in either order of its axes, columns
 * of it, rows that do not start at zero; biases behind a norm; what nodes write. */
#include "compute/attribution/tracer.h"
#include "tests/support/attribution_fixture.h"

static void
test_pull (void)
{
  enum { IN = 5, OUT = 7, ROWS = 3 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  float w[IN][OUT], flipped[OUT][IN], s[ROWS + 1][4], out[ROWS + 2][IN];

  for (guint i = 0; i < IN; i++)
    for (guint j = 0; j < OUT; j++)
      flipped[j][i] = w[i][j] = (i * 3 + j * 5) % 11 - 4.0f;
  for (guint r = 0; r <= ROWS; r++)
    for (guint j = 0; j < 4; j++)
      s[r][j] = r + 0.5f * j;
  for (int order = 0; order < 2; order++)
    {
      g_autoptr (TrcTensor) wt =
          trc_tensor_from_data (dev, TRC_F32, order ? TRC_SHAPE (OUT, IN) : TRC_SHAPE (IN, OUT),
                                order ? (gconstpointer)flipped : w, sizeof w, "w", &error);
      g_autoptr (TrcTensor) st = trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (ROWS + 1, 4), s,
                                                       sizeof s, "s", &error);
      g_autoptr (TrcTensor) ot =
          trc_tensor_zeros (dev, TRC_SHAPE (ROWS + 2, IN), "out", &error);
      const TrcWeight weight = { wt, IN, OUT, order };
      const TrcPull pull = { .s = st,
                             .out = ot,
                             .first_row_s = 1,
                             .first_row_out = 2,
                             .rows = ROWS,
                             .ld_s = 4,
                             .first = 2,
                             .columns = 4,
                             .accumulate = TRUE };
      g_assert_true (trc_block_pull (&weight, &pull, &error));
      g_assert_true (trc_block_pull (&weight, &pull, &error)); /* adds */
      g_assert_true (trc_tensor_read (ot, &out[0][0], (ROWS + 2) * IN, &error));
      for (guint r = 0; r < ROWS + 2; r++)
        for (guint i = 0; i < IN; i++)
          {
            double want = 0;
            for (guint j = 0; j < 4 && r >= 2; j++)
              want += 2 * s[r - 1][j] * w[i][2 + j];
            g_assert_cmpfloat_with_epsilon (out[r][i], want, 1e-4);
          }
    }
}

/* Embeddings, heads and neurons of a layer add up, with the biases, to the stream. */
static void
test_writes (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 71);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  TrcTracer t = { .model = f.model, .device = f.device, .params = &p, .report = &report };
  trc_tracer_prepare (&t, &error);
  g_assert_no_error (error);
  guint d = f.config.d_model, at = 3;
  g_autofree double *sum = g_new0 (double, d);
  static const TrcKind kinds[] = { TRC_KIND_EMBED, TRC_KIND_HEAD, TRC_KIND_NEURON };
  const guint counts[] = { 1, f.config.n_heads, f.config.d_mlp };
  for (guint k = 0; k < 3; k++)
    {
      g_autofree TrcPlace *places = g_new0 (TrcPlace, counts[k]);
      g_autofree float *rows = g_new (float, counts[k] * d);
      for (guint i = 0; i < counts[k]; i++)
        places[i] = (TrcPlace){ kinds[k], 0, i, at };
      g_autoptr (TrcTensor) writes = trc_block_writes (&t, places, counts[k], &error);
      g_assert_no_error (error);
      g_assert_true (trc_tensor_read (writes, rows, counts[k] * d, &error));
      for (guint i = 0; i < counts[k] * d; i++)
        sum[i % d] += rows[i];
    }
  g_autofree double *b1 = trc_block_vector (&t, TRC_WEIGHT_O_B, 0, d, &error);
  g_autofree double *b2 = trc_block_vector (&t, TRC_WEIGHT_DOWN_B, 0, d, &error);
  g_autofree float *stream = trc_record_dup (t.clean, TRC_SITE_RESID_POST, 0, &error);
  for (guint j = 0; j < d; j++)
    g_assert_cmpfloat_with_epsilon (sum[j] + b1[j] + b2[j], stream[at * d + j], 1e-5);
  trc_tracer_clear (&t);
}

/* What a zero stream leaves behind the norm is bias alone. */
static void
test_bias (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 72);
  TrcTracer t = { .model = f.model, .device = f.device, .report = &report };
  guint d = f.config.d_model, m = f.config.d_mlp;
  g_autofree double *b = g_new (double, m);
  g_autofree float *w = g_new (float, d *m);
  g_assert_true (
      trc_block_bias (&t, TRC_WEIGHT_UP, TRC_WEIGHT_UP_B, TRC_WEIGHT_NORM2_B, 1, b, &error));
  g_autofree double *own = trc_block_vector (&t, TRC_WEIGHT_UP_B, 1, m, &error);
  g_autofree double *norm = trc_block_vector (&t, TRC_WEIGHT_NORM2_B, 1, d, &error);
  g_assert_true (trc_model_weight_host (f.model, TRC_WEIGHT_UP, 1, w, d * m, &error));
  for (guint j = 0; j < m; j++)
    {
      double want = own[j];
      for (guint i = 0; i < d; i++)
        want += norm[i] * w[i * m + j];
      g_assert_cmpfloat_with_epsilon (b[j], want, 1e-5);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/block/pull", test_pull);
  g_test_add_func ("/attribution/block/writes", test_writes);
  g_test_add_func ("/attribution/block/bias", test_bias);
  return g_test_run ();
}
