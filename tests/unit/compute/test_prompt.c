/* Prompts that cannot be traced get one sentence; logits are the fewest that reach the mass. */
#include "compute/attribution/tracer.h"
#include "tests/support/attribution_fixture.h"

#include <math.h>
#include <string.h>

static void
expect (TrcFixture *f, const TrcTraceParams *p, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (trc_trace (f->model, f->device, p, NULL, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, words) == NULL)
    g_error ("“%s” says nothing of “%s”", error->message, words);
  g_assert_true (g_str_has_suffix (error->message, "."));
}

static void
test_refused (void)
{
  g_auto (TrcFixture) f = { 0 };
  gint32 bad[] = { 1, 99 }, negative[] = { -4 }, eleven[11] = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 91);
  TrcTraceParams good = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, TRUE), p = good;
  p.ids = bad, p.n_ids = 2;
  expect (&f, &p, "99");
  p.ids = negative, p.n_ids = 1;
  expect (&f, &p, "-4");
  p.ids = eleven, p.n_ids = 11;
  expect (&f, &p, "11 tokens");
  p.ids = bad, p.n_ids = 0;
  expect (&f, &p, "0 tokens");
  p = good, p.ids = NULL;
  expect (&f, &p, "needs a prompt");
  p = good, p.n_counterfactual_ids = 4;
  expect (&f, &p, "same length");
  p = good, p.target = 900;
  expect (&f, &p, "900");
  p = good, p.target = -1;
  expect (&f, &p, "foil needs a target");
  p = good, p.foil = p.target;
  expect (&f, &p, "same token");
  p = good, p.heads = TRC_HEADS_TRANSPARENT, p.estimator = TRC_ESTIMATOR_EAP;
  expect (&f, &p, "frozen patterns");
}

static void
test_logits (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  TrcTraceReport report = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 92);
  TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_RELP, FALSE);
  p.target = p.foil = -1;
  for (guint limit = 1; limit <= 9; limit += 4)
    {
      TrcTracer t = { .model = f.model, .device = f.device, .params = &p, .report = &report };
      double mass = 0, metric = 0, mean = 0;
      p.max_logits = limit;
      p.logit_mass = 0.9;
      g_assert_true (trc_tracer_prepare (&t, &error));
      for (guint j = 0; j < t.n_logits; j++)
        {
          g_assert_true (j == 0 || t.logit_prob[j] <= t.logit_prob[j - 1]);
          g_assert_true (mass < 0.9); /* none too many */
          mass += t.logit_prob[j];
        }
      g_assert_true (mass >= 0.9 || t.n_logits == limit);
      for (guint v = 0; v < f.config.n_vocab; v++)
        mean += t.clean->logits[v] / f.config.n_vocab;
      for (guint j = 0; j < t.n_logits; j++)
        metric += t.logit_prob[j] * (t.clean->logits[t.logit_token[j]] - mean);
      g_assert_cmpfloat_with_epsilon (report.metric, metric, 1e-5);
      trc_tracer_clear (&t);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/prompt/refused", test_refused);
  g_test_add_func ("/attribution/prompt/logits", test_logits);
  return g_test_run ();
}
