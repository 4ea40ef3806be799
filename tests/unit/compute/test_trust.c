/* Correlations, their intervals, and the sample. */
#include "compute/attribution/tracer.h"
#include "tests/support/attribution_fixture.h"

#include <math.h>
#include <string.h>

static void
test_values (void)
{
  const double x[] = { 1, 2, 3, 4, 5 }, line[] = { 3, 5, 7, 9, 11 },
               bent[] = { 1, 4, 9, 16, 25 }, tied[] = { 1, 1, 2, 2, 3 },
               flat[] = { 2, 2, 2, 2, 2 };
  TrcAgreement a = trc_trust_agreement (x, line, 5, 1);

  g_assert_cmpfloat_with_epsilon (a.pearson, 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (a.spearman, 1, 1e-12);
  a = trc_trust_agreement (x, bent, 5, 1);
  g_assert_cmpfloat_with_epsilon (a.pearson, 0.981104910, 1e-8);
  g_assert_cmpfloat_with_epsilon (a.spearman, 1, 1e-12);
  a = trc_trust_agreement (x, tied, 5, 1);
  g_assert_cmpfloat_with_epsilon (a.spearman, 0.948683298, 1e-8);
  a = trc_trust_agreement (x, flat, 5, 1);
  g_assert_true (isnan (a.pearson) && isnan (a.spearman));
  a = trc_trust_agreement (x, line, 2, 1);
  g_assert_true (a.tried && isnan (a.pearson));
}

/* The interval holds the truth about as often as it says, and is the same for the same seed. */
static void
test_interval (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  double x[60], y[60];
  guint held = 0;
  const guint trials = 60;

  for (guint k = 0; k < trials; k++)
    {
      for (guint i = 0; i < G_N_ELEMENTS (x); i++)
        {
          double a = 0, b = 0;
          for (guint j = 0; j < 12; j++)
            {
              a += g_rand_double (rand) - 0.5;
              b += g_rand_double (rand) - 0.5;
            }
          x[i] = a;
          y[i] = 0.6 * a + 0.8 * b; /* correlation 0.6 */
        }
      TrcAgreement r = trc_trust_agreement (x, y, G_N_ELEMENTS (x), 9);
      TrcAgreement again = trc_trust_agreement (x, y, G_N_ELEMENTS (x), 9);
      g_assert_cmpfloat (r.pearson_low, ==, again.pearson_low);
      g_assert_cmpfloat (r.spearman_high, ==, again.spearman_high);
      g_assert_cmpfloat (r.pearson_low, <=, r.pearson);
      g_assert_cmpfloat (r.pearson_high, >=, r.pearson);
      held += r.pearson_low <= 0.6 && 0.6 <= r.pearson_high;
    }
  g_assert_cmpuint (held, >=, trials * 8 / 10);
}

static void
test_shuffle (void)
{
  double a[40], b[40], sum = 0;
  for (guint i = 0; i < 40; i++)
    a[i] = b[i] = i;
  trc_trust_shuffle (a, 40, 3);
  g_assert_cmpint (memcmp (a, b, sizeof a), !=, 0);
  for (guint i = 0; i < 40; i++)
    sum += a[i];
  g_assert_cmpfloat (sum, ==, 780);
}

/* Only heads and neurons that can reach the last logits, each once, the same for a seed. */
static void
test_sample (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };
  guint n, again;

  trc_fixture_open (&f, &trc_fixture_full, 61);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  TrcTracer t = { .model = f.model, .device = f.device, .params = &p, .report = &report };
  trc_tracer_prepare (&t, &error);
  g_assert_no_error (error);
  g_autofree TrcPlace *some = trc_trust_sample (&t, 20, &n);
  g_autofree TrcPlace *same = trc_trust_sample (&t, 20, &again);
  g_assert_cmpuint (n, ==, 20);
  g_assert_cmpmem (some, n * sizeof *some, same, again * sizeof *same);
  for (guint i = 0; i < n; i++)
    {
      g_assert_true (some[i].kind == TRC_KIND_HEAD || some[i].kind == TRC_KIND_NEURON);
      g_assert_true (some[i].layer == 0 || some[i].position == 4);
      for (guint j = 0; j < i; j++)
        g_assert_cmpint (memcmp (&some[i], &some[j], sizeof *some), !=, 0);
    }
  g_autofree TrcPlace *all = trc_trust_sample (&t, 100000, &n);
  g_assert_cmpuint (n, ==, (5 + 1) * (f.config.n_heads + f.config.d_mlp));
  trc_tracer_clear (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/trust/values", test_values);
  g_test_add_func ("/attribution/trust/interval", test_interval);
  g_test_add_func ("/attribution/trust/shuffle", test_shuffle);
  g_test_add_func ("/attribution/trust/sample", test_sample);
  return g_test_run ();
}
