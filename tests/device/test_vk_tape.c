#include "compute/base/device_impl.h"
#include "compute/tape.h"
#include "tests/device/vk_fixture.h"

#include <math.h>
#include <string.h>

/* A small transformer with everything in it, forward, backward and three AdamW steps, on a
 * Vulkan device and on the CPU: same losses and same gradients. */

enum { VOCAB = 19, T = 7, BATCH = 3, D = 20, HEADS = 4, KV_HEADS = 2, D_HEAD = 5, MLP = 33 };

typedef enum {
  EMBED,
  POSITIONS,
  GAIN1,
  BIAS1,
  QKV,
  OUT,
  GAIN2,
  UP,
  UP_BIAS,
  DOWN,
  HEAD,
  N_WEIGHTS
} Weight;

#define QKV_COLS ((HEADS + 2 * KV_HEADS) * D_HEAD)

static const TrcShape shapes[N_WEIGHTS] = {
  { 2, { VOCAB, D } }, { 2, { T, D } },        { 1, { D } },
  { 1, { D } },        { 2, { D, QKV_COLS } }, { 2, { HEADS * D_HEAD, D } },
  { 1, { D } },        { 2, { D, 2 * MLP } },  { 1, { 2 * MLP } },
  { 2, { MLP, D } },   { 2, { D, VOCAB } },
};

typedef struct {
  TrcDevice *dev;
  TrcTape *tape;
  TrcTensor *weight[N_WEIGHTS], *m[N_WEIGHTS], *v[N_WEIGHTS];
  TrcTensor *ids, *targets, *rope;
  TrcVar var[N_WEIGHTS];
  gboolean frozen; /* the linearised modes */
} Model;

static TrcTensor *
random_tensor (TrcDevice *dev, TrcShape shape, GRand *rand, double scale)
{
  g_autoptr (GError) error = NULL;
  gsize n = 0;

  trc_shape_count (&shape, &n);
  g_autofree float *data = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    data[i] = (float)(g_rand_double_range (rand, -1, 1) * scale);
  TrcTensor *tensor = trc_tensor_from_data (dev, TRC_F32, shape, data, n * 4, "weight", &error);
  g_assert_no_error (error);
  return tensor;
}

static TrcTensor *
ids_tensor (TrcDevice *dev, GRand *rand, int low)
{
  gint32 ids[BATCH * T];

  for (int i = 0; i < BATCH * T; i++)
    ids[i] = g_rand_int_range (rand, low, VOCAB);
  TrcTensor *tensor =
      trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (BATCH * T), ids, sizeof ids, "ids", NULL);
  g_assert_nonnull (tensor);
  return tensor;
}

static void
model_init (Model *m, TrcDevice *dev, gboolean frozen)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (42);

  *m = (Model){ .dev = dev, .frozen = frozen, .tape = trc_tape_new (dev, TRC_TAPE_RECORD) };
  for (int i = 0; i < N_WEIGHTS; i++)
    {
      m->weight[i] = random_tensor (dev, shapes[i], rand, i == GAIN1 || i == GAIN2 ? 1.0 : 0.4);
      m->m[i] = trc_tensor_zeros (dev, shapes[i], "m", NULL);
      m->v[i] = trc_tensor_zeros (dev, shapes[i], "v", NULL);
    }
  m->ids = ids_tensor (dev, rand, 0);
  m->targets = ids_tensor (dev, rand, -2); /* some rows are ignored */
  m->rope = trc_rope_table (dev, T, 4, 10000.0, NULL, NULL);
  g_assert_nonnull (m->rope);
}

static void
model_clear (Model *m)
{
  trc_tape_free (m->tape);
  for (int i = 0; i < N_WEIGHTS; i++)
    {
      trc_tensor_unref (m->weight[i]);
      trc_tensor_unref (m->m[i]);
      trc_tensor_unref (m->v[i]);
    }
  trc_tensor_unref (m->ids);
  trc_tensor_unref (m->targets);
  trc_tensor_unref (m->rope);
}

static TrcVar
attention (Model *m, TrcVar x)
{
  const TrcAttnShape shape = { .batch = BATCH,
                               .t = T,
                               .n_heads = HEADS,
                               .n_kv_heads = KV_HEADS,
                               .d_head = D_HEAD,
                               .scale = 0.447f };
  TrcVar qkv = trc_tape_linear (m->tape, x, m->var[QKV], FALSE, TRC_VAR_NONE);
  TrcVar q = trc_tape_rope (m->tape, (TrcCols){ qkv, 0 }, m->rope, HEADS, D_HEAD, T, FALSE);
  TrcVar k = trc_tape_rope (m->tape, (TrcCols){ qkv, HEADS * D_HEAD }, m->rope, KV_HEADS,
                            D_HEAD, T, FALSE);
  TrcVar pattern =
      trc_tape_attn_pattern (m->tape, (TrcCols){ q, 0 }, (TrcCols){ k, 0 }, &shape);
  TrcVar z = trc_tape_attn_apply (
      m->tape, pattern, (TrcCols){ qkv, (HEADS + KV_HEADS) * D_HEAD }, &shape, m->frozen);

  return trc_tape_linear (m->tape, z, m->var[OUT], FALSE, TRC_VAR_NONE);
}

static TrcVar
forward (Model *m)
{
  const guint rule = m->frozen ? TRC_RULE_RELP : TRC_RULE_GRADIENT;
  TrcTape *tape = m->tape;

  trc_tape_reset (tape);
  for (int i = 0; i < N_WEIGHTS; i++)
    m->var[i] = trc_tape_param (tape, m->weight[i]);
  TrcVar x =
      trc_tape_add (tape, trc_tape_embed (tape, m->var[EMBED], m->ids), m->var[POSITIONS]);
  TrcVar n = trc_tape_norm (tape, x, m->var[GAIN1], m->var[BIAS1], TRC_NORM_LAYER, 1e-5f, 0,
                            m->frozen);
  x = trc_tape_add (tape, x, attention (m, n));
  n = trc_tape_norm (tape, x, m->var[GAIN2], TRC_VAR_NONE, TRC_NORM_RMS, 1e-5f, 1.0f,
                     m->frozen);
  TrcVar up = trc_tape_linear (tape, n, m->var[UP], FALSE, m->var[UP_BIAS]);
  TrcVar h = trc_tape_gated (tape, (TrcCols){ up, 0 }, (TrcCols){ up, MLP }, MLP,
                             TRC_ACT_GELU_TANH, rule);
  x = trc_tape_add (tape, x, trc_tape_linear (tape, h, m->var[DOWN], FALSE, TRC_VAR_NONE));
  TrcVar logits = trc_tape_linear (tape, x, m->var[HEAD], FALSE, TRC_VAR_NONE);
  TrcVar losses = trc_tape_cross_entropy (tape, logits, m->targets);
  return trc_tape_sum (tape, losses, 1.0f / (BATCH * T));
}

/* One step; its loss, and the gradients one after the other into @grads. */
static float
step (Model *m, guint number, GArray *grads)
{
  const TrcAdamw settings = { 1e-2, 0.9, 0.98, 1e-8, 0.1 };
  g_autoptr (GError) error = NULL;
  TrcVar loss = forward (m);
  float value = NAN;

  trc_tape_backward (m->tape, loss, NULL, &error);
  g_assert_no_error (error);
  g_array_set_size (grads, 0);
  for (int i = 0; i < N_WEIGHTS; i++)
    {
      TrcTensor *grad = trc_tape_grad (m->tape, m->var[i]);
      guint at = grads->len;

      g_assert_nonnull (grad);
      g_array_set_size (grads, at + (guint)trc_tensor_n (grad));
      g_assert_true (trc_tensor_read (grad, &g_array_index (grads, float, at),
                                      trc_tensor_n (grad), &error));
      g_assert_true (
          trc_op_adamw (grad, m->weight[i], m->m[i], m->v[i], &settings, number, &error));
    }
  g_assert_true (trc_tensor_read (trc_tape_tensor (m->tape, loss), &value, 1, &error));
  return value;
}

static double
distance (const GArray *a, const GArray *b)
{
  double error = 0, norm = 0;

  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    {
      double x = g_array_index (a, float, i), y = g_array_index (b, float, i);
      error += (x - y) * (x - y);
      norm += x * x;
    }
  g_assert_cmpfloat (norm, >, 0);
  return error / norm;
}

static void
compare (TrcVkProfile profile, gboolean frozen)
{
  const TrcVkParams params = { .profile = profile };
  g_autoptr (GArray) mine = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GArray) theirs = g_array_new (FALSE, FALSE, sizeof (float));
  TrcVkBackend *backend = vk_fixture_open (&params);
  Model gpu, cpu;

  if (backend == NULL)
    return;
  g_autoptr (TrcDevice) processor = trc_device_open_cpu (1);
  model_init (&gpu, &backend->base, frozen);
  model_init (&cpu, processor, frozen);
  for (guint number = 1; number <= 3; number++)
    {
      float a = step (&gpu, number, mine), b = step (&cpu, number, theirs);

      g_test_message ("step %u: loss %.7f against %.7f, gradients off by %.2g", number, a, b,
                      distance (theirs, mine));
      g_assert_cmpfloat (fabsf (a - b), <, 1e-4f * b);
      g_assert_cmpfloat (distance (theirs, mine), <, 1e-7);
    }
  /* The first step fills the pool; later ones allocate nothing. */
  guint64 allocations = trc_device_counters (&backend->base).allocations;
  step (&gpu, 4, mine);
  g_assert_cmpuint (trc_device_counters (&backend->base).allocations, ==, allocations);
  model_clear (&gpu);
  model_clear (&cpu);
  vk_fixture_close (backend);
}

static void
test_training (void)
{
  compare (TRC_VK_PROFILE_AUTO, FALSE);
}

static void
test_training_gpu_profile (void)
{
  compare (TRC_VK_PROFILE_GPU, FALSE);
}

static void
test_linearised (void)
{
  compare (TRC_VK_PROFILE_AUTO, TRUE);
}

/* The same work twice gives the same bits. */
static void
test_repeats (void)
{
  g_autoptr (GArray) first = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GArray) second = g_array_new (FALSE, FALSE, sizeof (float));

  for (int round = 0; round < 2; round++)
    {
      TrcVkBackend *backend = vk_fixture_open (NULL);
      Model model;

      if (backend == NULL)
        return;
      model_init (&model, &backend->base, FALSE);
      for (guint number = 1; number <= 3; number++)
        step (&model, number, round == 0 ? first : second);
      model_clear (&model);
      vk_fixture_close (backend);
    }
  g_assert_cmpmem (first->data, first->len * 4, second->data, second->len * 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/tape/training", test_training);
  g_test_add_func ("/vk/tape/training-gpu-profile", test_training_gpu_profile);
  g_test_add_func ("/vk/tape/linearised", test_linearised);
  g_test_add_func ("/vk/tape/repeats", test_repeats);
  return g_test_run ();
}
