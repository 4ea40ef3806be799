/* Interventions: what each mode leaves behind at its place, alone, together and in batches. */
#include "compute/run.h"

#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

#define N_PROMPTS 3
#define D_MLP 512

static const guint32 ids[N_PROMPTS * 3] = { 37, 95, 113, 1, 2, 113, 112, 0, 113 };

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  TrcRun *base;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  g_autofree char *path = trc_test_source ("data/models/modadd-113");
  g_autoptr (GError) error = NULL;

  f->model = trc_model_open (path, &error);
  g_assert_no_error (error);
  f->dev = trc_device_open ("cpu", &error);
  g_assert_no_error (error);
  f->base = trc_run_new (
      f->model, f->dev,
      &(TrcRunParams){
          .ids = ids, .n_prompts = N_PROMPTS, .n_tokens = 3, .keep = TRC_SITES_ALL },
      NULL, &error);
  g_assert_no_error (error);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  trc_run_unref (f->base);
  trc_model_unref (f->model);
  trc_device_unref (f->dev);
}

static TrcIntervention
edit (const char *hook, TrcMode mode, float value)
{
  TrcIntervention e = { .mode = mode, .value = value, .prompt = -1 };

  g_assert_true (trc_hook_parse (hook, &e.hook, NULL));
  return e;
}

static TrcRun *
run_with (Fixture *f, const TrcIntervention *edits, guint n, gboolean last_only)
{
  g_autoptr (GError) error = NULL;
  TrcRun *run = trc_run_new (f->model, f->dev,
                             &(TrcRunParams){ .ids = ids,
                                              .n_prompts = N_PROMPTS,
                                              .n_tokens = 3,
                                              .keep = TRC_SITES_ALL,
                                              .last_only = last_only,
                                              .interventions = edits,
                                              .n_interventions = n },
                             NULL, &error);

  g_assert_no_error (error);
  return run;
}

static const float *
host (TrcRun *run, TrcSite site)
{
  const float *values = trc_run_host (run, site, 0, NULL);

  g_assert_nonnull (values);
  return values;
}

/* Each mode at one head and one position: that window is as told, all else is as before. */
static void
test_modes (Fixture *f, gconstpointer data)
{
  static const TrcMode modes[] = { TRC_MODE_ZERO, TRC_MODE_SET, TRC_MODE_SCALE };

  for (guint m = 0; m < G_N_ELEMENTS (modes); m++)
    {
      TrcIntervention e = edit ("L0.H2@1", modes[m], 0.25f);
      g_autoptr (TrcRun) run = run_with (f, &e, 1, FALSE);
      const float *before = host (f->base, TRC_SITE_Z), *after = host (run, TRC_SITE_Z);

      for (guint r = 0; r < N_PROMPTS * 3; r++)
        for (guint j = 0; j < 128; j++)
          {
            gboolean inside = r % 3 == 1 && j / 32 == 2;
            float old = before[r * 128 + j];
            float want = !inside                     ? old
                         : modes[m] == TRC_MODE_ZERO ? 0
                         : modes[m] == TRC_MODE_SET  ? 0.25f
                                                     : 0.25f * old;

            g_assert_cmpfloat (after[r * 128 + j], ==, want);
          }
    }
}

static void
test_order (Fixture *f, gconstpointer data)
{
  const TrcIntervention edits[] = {
    edit ("L0.n7", TRC_MODE_SET, 3),      edit ("L0.n7", TRC_MODE_SCALE, 2),
    edit ("L0.n8", TRC_MODE_SCALE, 2),    edit ("L0.n8", TRC_MODE_SET, 3),
    edit ("L0.n9@-1", TRC_MODE_SCALE, 2), edit ("L0.n9@-1", TRC_MODE_SCALE, 3)
  };
  g_autoptr (TrcRun) run = run_with (f, edits, G_N_ELEMENTS (edits), FALSE);
  const float *before = host (f->base, TRC_SITE_MLP_ACT), *after = host (run, TRC_SITE_MLP_ACT);

  g_assert_cmpfloat (after[7], ==, 6);
  g_assert_cmpfloat (after[8], ==, 3);
  g_assert_cmpfloat (after[9], ==, before[9]);
  g_assert_cmpfloat (after[2 * D_MLP + 9], ==, 6 * before[2 * D_MLP + 9]);
}

static void
test_values (Fixture *f, gconstpointer data)
{
  float values[32];
  TrcIntervention e = edit ("L0.H3", TRC_MODE_SET, 0);

  for (guint j = 0; j < 32; j++)
    values[j] = (float)j;
  e.values = values;
  e.prompt = 1;
  g_autoptr (TrcRun) run = run_with (f, &e, 1, FALSE);
  const float *before = host (f->base, TRC_SITE_Z), *after = host (run, TRC_SITE_Z);
  for (guint j = 0; j < 32; j++)
    {
      g_assert_cmpfloat (after[4 * 128 + 96 + j], ==, (float)j);
      g_assert_cmpfloat (after[2 * 128 + 96 + j], ==, before[2 * 128 + 96 + j]);
    }
}

/* Zeroing a head takes exactly its part out of what attention adds. */
static void
test_effect (Fixture *f, gconstpointer data)
{
  TrcIntervention e = edit ("L0.H1", TRC_MODE_ZERO, 0);
  g_autoptr (TrcRun) run = run_with (f, &e, 1, FALSE);
  const float *z = host (f->base, TRC_SITE_Z);
  const float *before = host (f->base, TRC_SITE_ATTN_OUT),
              *after = host (run, TRC_SITE_ATTN_OUT);
  g_autofree float *w = g_new (float, 128 * 128);

  g_assert_true (trc_model_weight_host (f->model, TRC_WEIGHT_O, 0, w, 128 * 128, NULL));
  for (guint r = 0; r < N_PROMPTS * 3; r++)
    for (guint j = 0; j < 128; j++)
      {
        double part = 0;

        for (guint i = 32; i < 64; i++)
          part += (double)z[r * 128 + i] * w[i * 128 + j];
        g_assert_cmpfloat_with_epsilon (before[r * 128 + j] - after[r * 128 + j], part, 1e-4);
      }
}

static void
test_mean (Fixture *f, gconstpointer data)
{
  TrcIntervention e = edit ("L0.n3", TRC_MODE_MEAN, 0);
  g_autoptr (TrcRun) run = run_with (f, &e, 1, FALSE);
  const float *before = host (f->base, TRC_SITE_MLP_ACT), *after = host (run, TRC_SITE_MLP_ACT);
  double mean = 0;

  for (guint r = 0; r < N_PROMPTS * 3; r++)
    mean += before[r * D_MLP + 3] / (N_PROMPTS * 3.0);
  for (guint r = 0; r < N_PROMPTS * 3; r++)
    g_assert_cmpfloat_with_epsilon (after[r * D_MLP + 3], mean, 1e-6);
}

/* Every site patched from another run gives that run's logits; one prompt serves a batch. */
static void
test_patch (Fixture *f, gconstpointer data)
{
  static const char *const hooks[] = { "embed",         "L0.resid_pre", "L0.resid_mid",
                                       "L0.resid_post", "final",        "logits" };
  static const guint32 other[3] = { 5, 6, 113 };
  g_autoptr (GError) error = NULL;

  for (guint last = 0; last < 2; last++)
    for (gsize h = 0; h < G_N_ELEMENTS (hooks); h++)
      {
        g_autoptr (TrcRun) source = trc_run_new (f->model, f->dev,
                                                 &(TrcRunParams){ .ids = other,
                                                                  .n_prompts = 1,
                                                                  .n_tokens = 3,
                                                                  .last_only = last,
                                                                  .keep = TRC_SITES_ALL },
                                                 NULL, &error);
        TrcIntervention e = edit (hooks[h], TRC_MODE_PATCH, 0);

        g_assert_no_error (error);
        e.source = source;
        g_autoptr (TrcRun) run = run_with (f, &e, 1, last);
        for (guint b = 0; b < N_PROMPTS; b++)
          for (guint v = 0; v < 114; v++)
            g_assert_cmpfloat_with_epsilon (trc_run_logits (run, b, -1, NULL)[v],
                                            trc_run_logits (source, 0, -1, NULL)[v], 1e-4);
      }
}

/* A batch in which every prompt has its own change gives what single runs give. */
static void
test_batch (Fixture *f, gconstpointer data)
{
  TrcIntervention edits[N_PROMPTS] = { edit ("L0.H0", TRC_MODE_ZERO, 0),
                                       edit ("L0.n100@-1", TRC_MODE_SET, 5),
                                       edit ("L0.H2.k@0-1", TRC_MODE_SCALE, -1) };

  for (guint b = 0; b < N_PROMPTS; b++)
    edits[b].prompt = b;
  g_autoptr (TrcRun) batch = run_with (f, edits, N_PROMPTS, TRUE);
  for (guint b = 0; b < N_PROMPTS; b++)
    {
      g_autoptr (TrcRun) one = run_with (f, &edits[b], 1, TRUE);

      for (guint v = 0; v < 114; v++)
        g_assert_cmpfloat (trc_run_logits (batch, b, -1, NULL)[v], ==,
                           trc_run_logits (one, b, -1, NULL)[v]);
    }
}

static void
test_refuses (Fixture *f, gconstpointer data)
{
  static const guint32 shorter[2] = { 5, 113 };
  g_autoptr (TrcRun) source = trc_run_new (
      f->model, f->dev, &(TrcRunParams){ .ids = shorter, .n_prompts = 1, .n_tokens = 2 }, NULL,
      NULL);
  TrcIntervention edits[] = {
    edit ("L0.H4", TRC_MODE_ZERO, 0),   edit ("L1.mlp", TRC_MODE_ZERO, 0),
    edit ("L0.n512", TRC_MODE_ZERO, 0), edit ("L0.f5", TRC_MODE_ZERO, 0),
    edit ("embed@3", TRC_MODE_ZERO, 0), edit ("L0.mlp", TRC_MODE_PATCH, 0),
    edit ("L0.mlp", TRC_MODE_ZERO, 0),  edit ("L0.mlp", TRC_MODE_PATCH, 0)
  };

  edits[5].source = source;
  edits[6].prompt = N_PROMPTS;
  edits[7].source = f->base;
  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++)
    {
      g_autoptr (GError) error = NULL;
      TrcRunParams p = { .ids = ids,
                         .n_prompts = N_PROMPTS,
                         .n_tokens = 3,
                         .interventions = &edits[i],
                         .n_interventions = 1 };
      g_autoptr (TrcRun) run = trc_run_new (f->model, f->dev, &p, NULL, &error);

      if (i == 7) /* the last one is sound */
        g_assert_no_error (error);
      else
        g_assert_true (run == NULL && error->domain == TRC_COMPUTE_ERROR
                       && g_str_has_suffix (error->message, "."));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/edit/" name, Fixture, NULL, setup, function, teardown)
  ADD ("modes", test_modes);
  ADD ("order", test_order);
  ADD ("values", test_values);
  ADD ("effect", test_effect);
  ADD ("mean", test_mean);
  ADD ("patch", test_patch);
  ADD ("batch", test_batch);
  ADD ("refuses", test_refuses);
  return g_test_run ();
}
