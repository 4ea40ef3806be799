/* The pass on a caller's tape: gradients against finite differences, frozen modes, edits. */
#include "compute/run.h"

#include "tests/support/shared_data.h"

#include <math.h>

static const guint32 ids[6] = { 37, 95, 113, 1, 2, 113 };

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  TrcTape *tape;
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
  f->tape = trc_tape_new (f->dev, TRC_TAPE_RECORD);
}

static void
teardown (Fixture *f, gconstpointer data)
{
  trc_tape_free (f->tape);
  trc_model_unref (f->model);
  trc_device_unref (f->dev);
}

/* Sum of the logits of token 19 at the last positions; the gradients stay on the tape. */
static double
metric (Fixture *f, const TrcForwardParams *params, TrcForward **forward)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *logits = NULL, *seed = NULL;
  TrcTensor *out;
  guint rows;
  double sum = 0;

  trc_tape_reset (f->tape);
  *forward = trc_forward_new (f->tape, f->model, params, &error);
  g_assert_no_error (error);
  out = trc_tape_tensor (f->tape, (*forward)->outer[TRC_SITE_LOGITS]);
  g_assert_nonnull (out);
  rows = trc_tensor_dim (out, 0);
  logits = g_new (float, rows * 114);
  seed = g_new0 (float, rows * 114);
  for (guint r = params->last_only ? 0 : 2; r < rows; r += params->last_only ? 1 : 3)
    seed[r * 114 + 19] = 1;
  g_autoptr (TrcTensor) seed_tensor =
      trc_tensor_from_data (f->dev, TRC_F32, TRC_SHAPE (rows, 114), seed,
                            rows * 114 * sizeof (float), "seed", &error);
  g_assert_true (trc_tensor_read (out, logits, rows * 114, &error));
  for (guint i = 0; i < rows * 114; i++)
    sum += (double)logits[i] * seed[i];
  g_assert_true (
      trc_tape_backward (f->tape, (*forward)->outer[TRC_SITE_LOGITS], seed_tensor, &error));
  g_assert_no_error (error);
  return sum;
}

/* The gradient with respect to the embeddings, for the whole pass and the last position. */
static void
test_embed_gradient (Fixture *f, gconstpointer data)
{
  const TrcForwardParams plain = { .ids = ids, .n_prompts = 2, .n_tokens = 3 };
  TrcForward *forward;
  float embed[6 * 128], grad[2][6 * 128];

  metric (f, &plain, &forward);
  g_assert_true (trc_tensor_read (trc_tape_tensor (f->tape, forward->outer[TRC_SITE_EMBED]),
                                  embed, 6 * 128, NULL));
  trc_forward_free (forward);
  for (guint last = 0; last < 2; last++)
    {
      g_autoptr (TrcTensor) input = trc_tensor_from_data (
          f->dev, TRC_F32, TRC_SHAPE (6, 128), embed, sizeof embed, "embeddings", NULL);
      const TrcForwardParams p = {
        .n_prompts = 2, .n_tokens = 3, .embed = input, .last_only = last
      };

      metric (f, &p, &forward);
      TrcTensor *got = trc_tape_grad (f->tape, forward->outer[TRC_SITE_EMBED]);
      g_assert_nonnull (got);
      g_assert_true (trc_tensor_read (got, grad[last], 6 * 128, NULL));
      trc_forward_free (forward);
      for (guint k = 0; k < 20; k++)
        {
          guint at = (k * 97) % (6 * 128);
          const float step = 2e-3f;
          double value[2];

          for (guint side = 0; side < 2; side++)
            {
              float moved = embed[at] + (side == 0 ? step : -step);

              g_assert_true (trc_tensor_write_part (input, at, &moved, 1, NULL));
              value[side] = metric (f, &p, &forward);
              trc_forward_free (forward);
            }
          g_assert_true (trc_tensor_write_part (input, at, &embed[at], 1, NULL));
          g_assert_cmpfloat_with_epsilon ((value[0] - value[1]) / (2 * step), grad[last][at],
                                          0.05 * (0.2 + fabs (grad[last][at])));
        }
    }
  for (guint i = 0; i < 6 * 128; i++)
    g_assert_cmpfloat_with_epsilon (grad[0][i], grad[1][i], 1e-4 * (1 + fabs (grad[0][i])));
}

/* Weights get gradients only when they are asked for. */
static void
test_weight_gradients (Fixture *f, gconstpointer data)
{
  for (guint train = 0; train < 2; train++)
    {
      const TrcForwardParams p = { .ids = ids, .n_prompts = 2, .n_tokens = 3, .train = train };
      g_autoptr (TrcForward) forward = NULL;

      if (!train)
        {
          g_autoptr (GError) error = NULL;

          trc_tape_reset (f->tape);
          forward = trc_forward_new (f->tape, f->model, &p, &error);
          g_assert_no_error (error);
          continue;
        }
      metric (f, &p, &forward);
      for (guint role = 0; role < TRC_N_WEIGHTS; role++)
        {
          guint row = trc_weight_is_outer (role) ? forward->n_layers : 0;
          gboolean has = trc_model_has_weight (f->model, role, 0);

          g_assert_cmpint (forward->weight[row][role] != TRC_VAR_NONE, ==, has);
          if (has)
            g_assert_nonnull (trc_tape_grad (f->tape, forward->weight[row][role]));
        }
    }
}

/* With the pattern frozen nothing flows into queries and keys. */
static void
test_frozen_pattern (Fixture *f, gconstpointer data)
{
  for (guint frozen = 0; frozen < 2; frozen++)
    {
      const TrcForwardParams p = { .ids = ids,
                                   .n_prompts = 2,
                                   .n_tokens = 3,
                                   .train = TRUE,
                                   .linearise.freeze_pattern = frozen };
      g_autoptr (TrcForward) forward = NULL;

      metric (f, &p, &forward);
      g_assert_cmpint (trc_tape_grad (f->tape, forward->weight[0][TRC_WEIGHT_Q]) == NULL, ==,
                       frozen);
      g_assert_cmpint (trc_tape_grad (f->tape, forward->weight[0][TRC_WEIGHT_K]) == NULL, ==,
                       frozen);
      g_assert_nonnull (trc_tape_grad (f->tape, forward->weight[0][TRC_WEIGHT_V]));
    }
}

/* A scaled hook scales the gradient that passes it. */
static void
test_edit_gradient (Fixture *f, gconstpointer data)
{
  TrcIntervention edit = { .mode = TRC_MODE_SCALE, .value = 0.5f, .prompt = -1 };
  float whole[114 * 128], half[114 * 128];
  TrcForward *forward;

  g_assert_true (trc_hook_parse ("final", &edit.hook, NULL));
  for (guint with = 0; with < 2; with++)
    {
      const TrcForwardParams p = { .ids = ids,
                                   .n_prompts = 2,
                                   .n_tokens = 3,
                                   .train = TRUE,
                                   .interventions = &edit,
                                   .n_interventions = with };

      metric (f, &p, &forward);
      g_assert_true (
          trc_tensor_read (trc_tape_grad (f->tape, forward->weight[1][TRC_WEIGHT_EMBED]),
                           with ? half : whole, 114 * 128, NULL));
      trc_forward_free (forward);
    }
  for (guint i = 0; i < 114 * 128; i++)
    g_assert_cmpfloat_with_epsilon (half[i], 0.5f * whole[i], 1e-4 * (1 + fabsf (whole[i])));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function)                                                                    \
  g_test_add ("/forward/" name, Fixture, NULL, setup, function, teardown)
  ADD ("embed-gradient", test_embed_gradient);
  ADD ("weight-gradients", test_weight_gradients);
  ADD ("frozen-pattern", test_frozen_pattern);
  ADD ("edit-gradient", test_edit_gradient);
  return g_test_run ();
}
