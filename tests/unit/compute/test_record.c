/* A recorded pass: logits and gradients of float64, and the gradient by finite differences of
 * the program's own forward pass. */
#include "compute/attribution/tracer.h"
#include "tests/support/attribution_fixture.h"

#include <math.h>
#include <string.h>

static double
metric_at (TrcTracer *t, const float *embed, GError **error)
{
  gsize n = (gsize)t->n_tokens * t->config->d_model;
  static const TrcLinearise plain;
  g_autoptr (TrcTensor) rows =
      trc_tensor_from_data (t->device, TRC_F32, TRC_SHAPE (t->n_tokens, t->config->d_model),
                            embed, n * sizeof *embed, "embed", error);
  TrcRecord *pass = trc_record_new (t, t->ids, rows, plain, error);
  g_assert_nonnull (pass);
  double metric = trc_tracer_metric (t, pass->logits);
  trc_record_free (pass, t->config->n_layers);
  return metric;
}

static void
test_gradient (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 81);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_EAP, FALSE);
  TrcTracer t = { .model = f.model, .device = f.device, .params = &p, .report = &report };
  trc_tracer_prepare (&t, &error);
  g_assert_no_error (error);
  TrcRule *rule = trc_rule_new (&t, TRC_ESTIMATOR_EAP, &error);
  g_assert_no_error (error);
  gsize n = (gsize)t.n_tokens * t.config->d_model;
  g_autofree float *embed = g_memdup2 (t.clean->embed, n * sizeof *embed);
  const float step = 1e-2f;
  for (gsize i = 0; i < n; i += 7)
    {
      float keep = embed[i];
      embed[i] = keep + step;
      double up = metric_at (&t, embed, &error);
      embed[i] = keep - step;
      double down = metric_at (&t, embed, &error);
      embed[i] = keep;
      g_assert_cmpfloat_with_epsilon (rule->points[0]->g_embed[i], (up - down) / (2 * step),
                                      2e-3);
    }
  trc_rule_free (rule, t.config->n_layers);
  trc_tracer_clear (&t);
}

static void
test_logits (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };
  const double metric[16] = { 0, 1, -1 };

  trc_fixture_open (&f, &trc_fixture_bare, 82);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_EAP, FALSE);
  TrcTracer t = { .model = f.model, .device = f.device, .params = &p, .report = &report };
  trc_tracer_prepare (&t, &error);
  g_assert_no_error (error);
  trc_oracle_prompt (f.oracle, (const guint32 *)f.ids, NULL, f.n_tokens, metric, 1);
  for (guint v = 0; v < f.config.n_vocab; v++)
    g_assert_cmpfloat_with_epsilon (t.clean->logits[v], trc_oracle_logits (f.oracle)[v], 1e-5);
  for (guint i = 0; i < f.config.d_mlp; i++)
    g_assert_cmpfloat_with_epsilon (
        t.clean->pre[1][2 * f.config.d_mlp + i],
        trc_oracle_pre (f.oracle, (TrcOracleNode){ TRC_ORACLE_NEURON, 1, i, 2 }), 1e-5);
  g_assert_null (trc_record_tensor (t.clean, TRC_SITE_NORM1_RSTD, 0)); /* it has no norms */
  g_assert_cmpfloat (t.clean->rstd1[0][3], ==, 1);
  g_assert_cmpuint (report.forwards, ==, 1);
  trc_tracer_clear (&t);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/record/gradient", test_gradient);
  g_test_add_func ("/attribution/record/logits", test_logits);
  return g_test_run ();
}
