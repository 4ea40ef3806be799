/* The tape itself: a small transformer learns without allocating after its first round,
 * gradients are kept, added and dropped as the header says, errors stick. */
#include "compute/error.h"
#include "compute/tape.h"

enum { B = 7, T = 3, D = 8, H = 2, F = 16, V = 5 };

typedef struct {
  TrcDevice *dev;
  TrcTensor *ids, *targets;
  TrcTensor *weight[6], *m[6], *v[6];
} Toy;

static TrcTensor *
random_tensor (TrcDevice *dev, TrcShape shape, GRand *rand)
{
  g_autofree float *x = NULL;
  gsize n;

  g_assert_true (trc_shape_count (&shape, &n));
  x = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    x[i] = (float)(g_rand_double (rand) - 0.5);
  return trc_tensor_from_data (dev, TRC_F32, shape, x, n * sizeof *x, "random", NULL);
}

static void
toy_init (Toy *toy)
{
  const TrcShape shape[6] = { TRC_SHAPE (V, D), TRC_SHAPE (D, 3 * D), TRC_SHAPE (D, D),
                              TRC_SHAPE (D, F), TRC_SHAPE (F, D),     TRC_SHAPE (D, V) };
  GRand *rand = g_rand_new_with_seed (5);
  gint32 ids[B * T], targets[B];

  toy->dev = trc_device_open_cpu (2);
  for (guint b = 0; b < B; b++)
    {
      for (guint t = 0; t < T; t++)
        ids[b * T + t] = g_rand_int_range (rand, 0, V);
      targets[b] = (ids[b * T] + ids[b * T + 1]) % V;
    }
  toy->ids =
      trc_tensor_from_data (toy->dev, TRC_I32, TRC_SHAPE (B, T), ids, sizeof ids, "i", NULL);
  toy->targets = trc_tensor_from_data (toy->dev, TRC_I32, TRC_SHAPE (B), targets,
                                       sizeof targets, "t", NULL);
  for (guint i = 0; i < 6; i++)
    {
      toy->weight[i] = random_tensor (toy->dev, shape[i], rand);
      toy->m[i] = trc_tensor_zeros (toy->dev, shape[i], "m", NULL);
      toy->v[i] = trc_tensor_zeros (toy->dev, shape[i], "v", NULL);
    }
  g_rand_free (rand);
}

static void
toy_clear (Toy *toy)
{
  for (guint i = 0; i < 6; i++)
    {
      trc_tensor_unref (toy->weight[i]);
      trc_tensor_unref (toy->m[i]);
      trc_tensor_unref (toy->v[i]);
    }
  trc_tensor_unref (toy->ids);
  trc_tensor_unref (toy->targets);
  trc_device_unref (toy->dev);
}

/* Mean loss of the toy; its weights become params named in @w. */
static TrcVar
toy_loss (const Toy *toy, TrcTape *tape, TrcVar *w)
{
  static const TrcAttnShape shape = {
    .batch = B, .t = T, .n_heads = H, .n_kv_heads = H, .d_head = D / H, .scale = 0.5f
  };
  TrcVar x, qkv, pattern, z, mid, hidden;

  for (guint i = 0; i < 6; i++)
    w[i] = trc_tape_param (tape, toy->weight[i]);
  x = trc_tape_embed (tape, w[0], toy->ids);
  qkv = trc_tape_linear (tape, trc_tape_norm (tape, x, 0, 0, TRC_NORM_LAYER, 1e-5f, 0, FALSE),
                         w[1], FALSE, TRC_VAR_NONE);
  pattern = trc_tape_attn_pattern (tape, (TrcCols){ qkv, 0 }, (TrcCols){ qkv, D }, &shape);
  z = trc_tape_attn_apply (tape, pattern, (TrcCols){ qkv, 2 * D }, &shape, FALSE);
  mid = trc_tape_add (tape, x, trc_tape_linear (tape, z, w[2], FALSE, TRC_VAR_NONE));
  hidden = trc_tape_act (tape, trc_tape_linear (tape, mid, w[3], FALSE, TRC_VAR_NONE),
                         TRC_ACT_GELU_TANH, TRC_RULE_GRADIENT);
  mid = trc_tape_add (tape, mid, trc_tape_linear (tape, hidden, w[4], FALSE, TRC_VAR_NONE));
  mid =
      trc_tape_linear (tape, trc_tape_rows (tape, mid, T - 1, T, B), w[5], FALSE, TRC_VAR_NONE);
  return trc_tape_sum (tape, trc_tape_cross_entropy (tape, mid, toy->targets), 1.0f / B);
}

static float
toy_round (Toy *toy, TrcTape *tape, guint step)
{
  static const TrcAdamw adamw = { 0.02, 0.9, 0.99, 1e-8, 0.01 };
  TrcVar w[6], loss = toy_loss (toy, tape, w);
  float value = 0.0f;

  g_assert_true (trc_tape_backward (tape, loss, NULL, NULL));
  g_assert_true (trc_tensor_read (trc_tape_tensor (tape, loss), &value, 1, NULL));
  for (guint i = 0; i < 6; i++)
    g_assert_true (trc_op_adamw (trc_tape_grad (tape, w[i]), toy->weight[i], toy->m[i],
                                 toy->v[i], &adamw, step, NULL));
  trc_tape_reset (tape);
  return value;
}

static void
test_learns (void)
{
  Toy toy, again;
  float first, last = 0.0f, other = 0.0f;
  guint64 n_allocated, n_dispatched;

  toy_init (&toy);
  toy_init (&again);
  g_autoptr (TrcTape) tape = trc_tape_new (toy.dev, TRC_TAPE_RECORD);
  g_autoptr (TrcTape) tape2 = trc_tape_new (again.dev, TRC_TAPE_RECORD);
  first = toy_round (&toy, tape, 1);
  toy_round (&again, tape2, 1);
  n_allocated = trc_device_counters (toy.dev).allocations;
  n_dispatched = trc_device_counters (toy.dev).dispatches;
  for (guint step = 2; step <= 101; step++)
    {
      last = toy_round (&toy, tape, step);
      other = toy_round (&again, tape2, step);
    }
  g_assert_cmpuint (trc_device_counters (toy.dev).allocations, ==, n_allocated);
  g_assert_cmpuint (trc_device_counters (toy.dev).dispatches % 100, ==, n_dispatched % 100);
  g_assert_cmpfloat (first, >, 1.0f);
  g_assert_cmpfloat (last, <, 0.05f);
  g_assert_cmpfloat (last, ==, other); /* the same bytes on every run */
  g_clear_pointer (&tape, trc_tape_free);
  g_clear_pointer (&tape2, trc_tape_free);
  toy_clear (&toy);
  toy_clear (&again);
}

/* --- gradients ---------------------------------------------------------------------------- */

static float
read_one (TrcTensor *t)
{
  float x = -1.0f;

  g_assert_nonnull (t);
  g_assert_true (trc_tensor_read_part (t, 0, &x, 1, NULL));
  return x;
}

static void
test_gradients (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  g_autoptr (TrcTensor) three = trc_tensor_zeros (dev, TRC_SHAPE (1), "three", NULL);
  g_autoptr (TrcTensor) into = trc_tensor_zeros (dev, TRC_SHAPE (1), "into", NULL);
  g_autoptr (TrcTensor) seed = trc_tensor_zeros (dev, TRC_SHAPE (1), "seed", NULL);
  TrcVar x, y, unused, inner, outer;

  g_assert_true (trc_op_set (three, 3.0f, NULL) && trc_op_set (seed, 10.0f, NULL)
                 && trc_op_set (into, 100.0f, NULL));
  x = trc_tape_param (tape, three);
  y = trc_tape_param_into (tape, three, into);
  unused = trc_tape_param (tape, three);
  inner = trc_tape_mul (tape, x, y);
  outer = trc_tape_mul (tape, inner, x); /* x^2 y */
  trc_tape_keep_grad (tape, inner);

  g_assert_true (trc_tape_backward (tape, outer, NULL, NULL));
  g_assert_cmpfloat (read_one (trc_tape_grad (tape, x)), ==, 18.0f);
  g_assert_cmpfloat (read_one (trc_tape_grad (tape, inner)), ==, 3.0f);
  g_assert_cmpfloat (read_one (into), ==, 109.0f); /* added */
  g_assert_null (trc_tape_grad (tape, unused));
  g_assert_null (trc_tape_grad (tape, outer));

  g_assert_true (trc_tape_backward (tape, outer, seed, NULL)); /* the old ones are dropped */
  g_assert_cmpfloat (read_one (trc_tape_grad (tape, x)), ==, 180.0f);
  g_assert_cmpfloat (read_one (into), ==, 199.0f);
  g_assert_true (trc_tape_backward (tape, inner, NULL, NULL)); /* from the middle */
  g_assert_cmpfloat (read_one (trc_tape_grad (tape, x)), ==, 3.0f);
}

static void
test_release (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_INFERENCE);
  g_autoptr (TrcTensor) one = trc_tensor_zeros (dev, TRC_SHAPE (64), "one", NULL);
  TrcVar x;
  guint64 live;

  g_assert_true (trc_op_set (one, 1.0f, NULL));
  x = trc_tape_input (tape, one);
  for (guint i = 0; i < 5; i++)
    {
      guint mark = trc_tape_mark (tape);
      TrcVar y = trc_tape_add (tape, x, x);
      y = trc_tape_add (tape, y, trc_tape_scale (tape, y, 0.5f));
      x = trc_tape_release (tape, mark, y);
      g_assert_cmpuint (x, ==, mark);
    }
  live = trc_device_counters (dev).bytes_live;
  g_assert_cmpuint (live, ==, 6 * 256); /* the leaf and one value a layer */
  g_assert_cmpuint (trc_device_counters (dev).bytes_peak, ==, 8 * 256);
  g_assert_cmpfloat (read_one (trc_tape_tensor (tape, x)), ==, 243.0f);
  g_assert_cmpuint (trc_tape_release (tape, trc_tape_mark (tape), x), ==, x);
}

static void
test_cancelled (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  g_autoptr (TrcTensor) one = trc_tensor_zeros (dev, TRC_SHAPE (4), "one", NULL);
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcVar x = trc_tape_param (tape, one), y = trc_tape_add (tape, x, x);

  trc_device_set_cancellable (dev, stop);
  g_cancellable_cancel (stop);
  g_assert_cmpuint (trc_tape_add (tape, y, x), ==, TRC_VAR_NONE);
  g_assert_cmpuint (trc_tape_scale (tape, y, 2.0f), ==, TRC_VAR_NONE);
  g_assert_null (trc_tape_tensor (tape, TRC_VAR_NONE));
  g_assert_false (trc_tape_status (tape, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (trc_tape_backward (tape, y, NULL, NULL));
  trc_device_set_cancellable (dev, NULL);
  g_assert_false (trc_tape_status (tape, NULL)); /* sticky */
  trc_tape_reset (tape);
  g_assert_true (trc_tape_status (tape, NULL));
  trc_tape_fail (tape, g_error_new (TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC, "no number"));
  g_assert_cmpuint (trc_tape_input (tape, one), ==, TRC_VAR_NONE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tape/learns", test_learns);
  g_test_add_func ("/compute/tape/gradients", test_gradients);
  g_test_add_func ("/compute/tape/release", test_release);
  g_test_add_func ("/compute/tape/cancelled", test_cancelled);
  return g_test_run ();
}
