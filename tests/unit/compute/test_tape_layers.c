/* Gradients of norms, activations, softmax and cross-entropy against finite differences in
 * double; the linearised modes against the function that they say they are. */
#include "tests/support/double_device.h"

#include <math.h>

#define ROWS 3
#define D 5

/* A constant with the numbers that @func makes of those of @x, element by element. */
static TrcVar
constant (TrcTape *tape, TrcTensor *x, double (*func) (double x, guint kind), guint kind)
{
  g_autoptr (TrcTensor) out =
      trc_tensor_new (trc_tape_device (tape), TRC_F32, trc_tensor_shape (x), "constant", NULL);

  for (gsize i = 0; i < trc_tensor_n (x); i++)
    trc_double_values (out)[i] = func (trc_double_values (x)[i], kind);
  return trc_tape_input (tape, out);
}

/* The leaves at the point of linearisation: finite differences move the leaves, not these. The
 * first call of a case, which is the tape's, stores them. */
static TrcTensor *start[2];

static void
remember (TrcTape *tape, const TrcVar *x, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      TrcTensor *leaf = trc_tape_tensor (tape, x[i]);
      g_clear_pointer (&start[i], trc_tensor_unref);
      start[i] = trc_tensor_new (trc_tape_device (tape), TRC_F32, trc_tensor_shape (leaf),
                                 "start", NULL);
      memcpy (trc_double_values (start[i]), trc_double_values (leaf),
              trc_tensor_n (leaf) * sizeof (double));
    }
}

static void
forget (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (start); i++)
    g_clear_pointer (&start[i], trc_tensor_unref);
}

/* --- norms -------------------------------------------------------------------------------- */

static TrcVar
norm (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  guint kind = GPOINTER_TO_UINT (data);

  return trc_tape_norm (tape, x[0], x[1], x[2], kind, 1e-5f, kind ? 1.0f : 0.0f, FALSE);
}

static TrcVar
norm_plain (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  return trc_tape_norm (tape, x[0], 0, 0, GPOINTER_TO_UINT (data), 1e-5f, 0.0f, FALSE);
}

static TrcVar
norm_frozen (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  remember (tape, x, 1);
  return trc_tape_norm (tape, x[0], x[1], x[2], GPOINTER_TO_UINT (data), 1e-5f, 0.0f, TRUE);
}

/* What a frozen norm is: (x - mean (x)) * rstd0 * gain + bias, with the rstd0 of the start. */
static TrcVar
norm_linear (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  gboolean layer = GPOINTER_TO_UINT (data) == TRC_NORM_LAYER;
  TrcDevice *dev = trc_tape_device (tape);
  g_autoptr (TrcTensor) centre = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (D, D), "c", NULL);
  g_autoptr (TrcTensor) scale = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (ROWS, D), "s", NULL);
  g_autoptr (TrcTensor) ones = trc_tensor_zeros (dev, TRC_SHAPE (ROWS, D), "o", NULL);
  const double *x0 = trc_double_values (start[0]);

  for (guint i = 0; i < D * D; i++)
    trc_double_values (centre)[i] = (i % (D + 1) == 0) - (layer ? 1.0 / D : 0.0);
  for (guint i = 0; i < ROWS; i++)
    {
      double mean = 0.0, square = 0.0;
      for (guint j = 0; j < D; j++)
        mean += layer ? x0[i * D + j] / D : 0.0;
      for (guint j = 0; j < D; j++)
        square += (x0[i * D + j] - mean) * (x0[i * D + j] - mean) / D;
      for (guint j = 0; j < D; j++)
        trc_double_values (scale)[i * D + j] = 1.0 / sqrt (square + (double)1e-5f);
    }
  TrcVar n = trc_tape_matmul (tape, x[0], FALSE, trc_tape_input (tape, centre), FALSE, 1.0f);
  TrcVar gain = trc_tape_add (tape, trc_tape_input (tape, ones), x[1]);
  n = trc_tape_mul (tape, n, trc_tape_input (tape, scale));
  return trc_tape_add (tape, trc_tape_mul (tape, n, gain), x[2]);
}

static void
test_norm (void)
{
  for (guint kind = 0; kind <= TRC_NORM_RMS; kind++)
    {
      TrcGradCase c = { .name = "norm",
                        .n_leaves = 3,
                        .shape = { TRC_SHAPE (ROWS, D), TRC_SHAPE (D), TRC_SHAPE (D) },
                        .func = norm,
                        .data = GUINT_TO_POINTER (kind) };
      trc_grad_check (&c);
      c.name = "frozen norm", c.func = norm_frozen, c.standard = norm_linear;
      trc_grad_check (&c);
      c.name = "plain norm", c.func = norm_plain, c.standard = NULL, c.n_leaves = 1;
      trc_grad_check (&c);
    }
  forget ();
}

static void
test_saved (void)
{
  static const float x[] = { 1.0f, 2.0f, 3.0f, 6.0f };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  g_autoptr (TrcTensor) t =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (1, 4), x, sizeof x, "x", NULL);
  TrcVar v = trc_tape_input (tape, t);
  TrcVar layer = trc_tape_norm (tape, v, 0, 0, TRC_NORM_LAYER, 0.0f, 0.0f, FALSE);
  TrcVar rms = trc_tape_norm (tape, v, 0, 0, TRC_NORM_RMS, 0.0f, 0.0f, FALSE);
  float got;

  g_assert_true (trc_tensor_read (trc_tape_norm_mean (tape, layer), &got, 1, NULL));
  g_assert_cmpfloat_with_epsilon (got, 3.0, 1e-6);
  g_assert_true (trc_tensor_read (trc_tape_norm_rstd (tape, layer), &got, 1, NULL));
  g_assert_cmpfloat_with_epsilon (got, 1.0 / sqrt (3.5), 1e-6);
  g_assert_null (trc_tape_norm_mean (tape, rms));
  g_assert_true (trc_tensor_read (trc_tape_norm_rstd (tape, rms), &got, 1, NULL));
  g_assert_cmpfloat_with_epsilon (got, 1.0 / sqrt (12.5), 1e-6);
}

/* --- activations -------------------------------------------------------------------------- */

static double
value (double x, guint kind)
{
  switch (kind)
    {
    case TRC_ACT_RELU:
      return MAX (x, 0.0);
    case TRC_ACT_GELU_TANH:
      return 0.5 * x * (1.0 + tanh (sqrt (2.0 / G_PI) * (x + 0.044715 * x * x * x)));
    case TRC_ACT_GELU_ERF:
      return 0.5 * x * erfc (-x / sqrt (2.0));
    case TRC_ACT_SILU:
      return x / (1.0 + exp (-x));
    default:
      return x;
    }
}

static double
share (double x, guint kind)
{
  return value (x, kind) / x;
}

static double
same (double x, guint kind)
{
  return x;
}

typedef struct {
  guint kind, rule;
} Act;

static TrcVar
act (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Act *a = data;

  remember (tape, x, 1);
  return trc_tape_act (tape, x[0], a->kind, a->rule);
}

/* x * (f(x0) / x0) for relp; f(x) itself for the two other rules. */
static TrcVar
act_linear (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Act *a = data;

  if (a->rule != TRC_RULE_RELP)
    return trc_tape_act (tape, x[0], a->kind, TRC_RULE_GRADIENT);
  return trc_tape_mul (tape, x[0], constant (tape, start[0], share, a->kind));
}

static TrcVar
gated (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Act *a = data;

  remember (tape, x, 2);
  return trc_tape_gated (tape, (TrcCols){ x[0], 0 }, (TrcCols){ x[1], 0 }, D, a->kind, a->rule);
}

/* Half and relp: each branch moves alone, with half the effect. */
static TrcVar
gated_linear (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Act *a = data;
  TrcVar u0 = constant (tape, start[1], same, 0),
         f0 = constant (tape, start[0], value, a->kind);
  TrcVar f = trc_tape_act (tape, x[0], a->kind, TRC_RULE_GRADIENT), left, right;

  if (a->rule == TRC_RULE_GRADIENT)
    return trc_tape_mul (tape, f, x[1]);
  if (a->rule == TRC_RULE_RELP)
    f = trc_tape_mul (tape, x[0], constant (tape, start[0], share, a->kind));
  left = trc_tape_scale (tape, trc_tape_mul (tape, f, u0), 0.5f);
  right = trc_tape_scale (tape, trc_tape_mul (tape, f0, x[1]), 0.5f);
  return trc_tape_add (tape, left, right);
}

/* Both branches in one fused value, with a column between them. */
static TrcVar
fused (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Act *a = data;

  return trc_tape_gated (tape, (TrcCols){ x[0], 3 }, (TrcCols){ x[0], 0 }, 2, a->kind, a->rule);
}

static void
test_act (void)
{
  for (guint kind = 0; kind <= TRC_ACT_IDENTITY; kind++)
    for (guint rule = 0; rule <= TRC_RULE_HALF; rule++)
      {
        Act a = { kind, rule };
        TrcGradCase c = { .name = "act",
                          .n_leaves = 1,
                          .shape = { TRC_SHAPE (ROWS, D), TRC_SHAPE (ROWS, D) },
                          .func = act,
                          .standard = act_linear,
                          .data = &a };
        trc_grad_check (&c);
        c.name = "gated", c.n_leaves = 2, c.func = gated, c.standard = gated_linear;
        trc_grad_check (&c);
        c.name = "fused gate", c.n_leaves = 1, c.func = fused, c.standard = NULL;
        if (rule == TRC_RULE_GRADIENT)
          trc_grad_check (&c);
      }
  forget ();
}

/* --- softmax and cross-entropy ------------------------------------------------------------ */

static TrcVar
softmax (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  return trc_tape_softmax (tape, x[0], 0.7f);
}

static TrcVar
cross_entropy (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  static const gint32 target[ROWS] = { 4, -1, 0 };
  g_autoptr (TrcTensor) t =
      trc_tensor_from_data (trc_tape_device (tape), TRC_I32, TRC_SHAPE (ROWS), target,
                            sizeof target, "targets", NULL);

  return trc_tape_cross_entropy (tape, x[0], t);
}

static void
test_softmax (void)
{
  TrcGradCase c = {
    .name = "softmax", .n_leaves = 1, .shape = { TRC_SHAPE (ROWS, D) }, .func = softmax
  };

  trc_grad_check (&c);
  c.name = "cross-entropy", c.func = cross_entropy;
  trc_grad_check (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tape_layers/norm", test_norm);
  g_test_add_func ("/compute/tape_layers/saved", test_saved);
  g_test_add_func ("/compute/tape_layers/act", test_act);
  g_test_add_func ("/compute/tape_layers/softmax", test_softmax);
  return g_test_run ();
}
