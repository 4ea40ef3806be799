/* Gradients of attention and rotary positions against finite differences in double; a frozen
 * pattern against attention with a constant pattern. */
#include "tests/support/double_device.h"

#include <math.h>

typedef struct {
  TrcAttnShape shape;
  gboolean fused; /* queries, keys and values in one value */
} Attn;

static guint32
n_queries (const TrcAttnShape *shape)
{
  return shape->n_queries != 0 ? shape->n_queries : shape->t;
}

static void
split (const TrcVar *x, const Attn *a, TrcCols *cols)
{
  guint32 width = a->shape.n_heads * a->shape.d_head;
  guint32 kv_width = a->shape.n_kv_heads * a->shape.d_head;

  cols[0] = (TrcCols){ x[0], 0 };
  cols[1] = a->fused ? (TrcCols){ x[0], width } : (TrcCols){ x[1], 0 };
  cols[2] = a->fused ? (TrcCols){ x[0], width + kv_width } : (TrcCols){ x[2], 0 };
}

static TrcVar
attention (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Attn *a = data;
  TrcCols c[3];

  split (x, a, c);
  return trc_tape_attn_apply (tape, trc_tape_attn_pattern (tape, c[0], c[1], &a->shape), c[2],
                              &a->shape, FALSE);
}

static void
test_attention (void)
{
  static const Attn cases[] = {
    { .shape = { .batch = 2,
                 .t = 3,
                 .n_heads = 2,
                 .n_kv_heads = 2,
                 .d_head = 3,
                 .scale = 0.5f } },
    { .shape = { .batch = 2,
                 .t = 4,
                 .n_heads = 4,
                 .n_kv_heads = 2,
                 .d_head = 2,
                 .scale = 0.7f },
      .fused = TRUE },
    { .shape = { .batch = 1,
                 .t = 5,
                 .n_heads = 2,
                 .n_kv_heads = 1,
                 .d_head = 3,
                 .scale = 1.0f,
                 .window = 2 } },
    { .shape = { .batch = 2,
                 .t = 3,
                 .n_heads = 1,
                 .n_kv_heads = 1,
                 .d_head = 4,
                 .scale = 0.5f,
                 .bidirectional = TRUE } },
    { .shape = { .batch = 2,
                 .t = 4,
                 .n_queries = 2,
                 .n_heads = 2,
                 .n_kv_heads = 1,
                 .d_head = 2,
                 .scale = 0.5f } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const TrcAttnShape *s = &cases[i].shape;
      guint32 width = s->n_heads * s->d_head, kv = s->n_kv_heads * s->d_head;
      TrcGradCase c = { .name = "attention", .func = attention, .data = &cases[i] };
      c.n_leaves = cases[i].fused ? 1 : 3;
      c.shape[0] = TRC_SHAPE (s->batch * n_queries (s), width + (cases[i].fused ? 2 * kv : 0));
      c.shape[1] = c.shape[2] = TRC_SHAPE (s->batch * s->t, kv);
      trc_grad_check (&c);
    }
}

static const Attn frozen_case = {
  .shape = { .batch = 2, .t = 3, .n_heads = 2, .n_kv_heads = 2, .d_head = 2, .scale = 0.5f }
};
static TrcTensor *frozen_pattern;

static TrcVar
frozen (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Attn *a = data;
  TrcVar pattern =
      trc_tape_attn_pattern (tape, (TrcCols){ x[0], 0 }, (TrcCols){ x[1], 0 }, &a->shape);

  frozen_pattern = trc_tensor_ref (trc_tape_tensor (tape, pattern));
  return trc_tape_attn_apply (tape, pattern, (TrcCols){ x[2], 0 }, &a->shape, TRUE);
}

static TrcVar
with_constant_pattern (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Attn *a = data;

  return trc_tape_attn_apply (tape, trc_tape_input (tape, frozen_pattern), (TrcCols){ x[2], 0 },
                              &a->shape, FALSE);
}

static void
test_frozen (void)
{
  TrcGradCase c = { .name = "frozen pattern",
                    .n_leaves = 3,
                    .shape = { TRC_SHAPE (6, 4), TRC_SHAPE (6, 4), TRC_SHAPE (6, 4) },
                    .func = frozen,
                    .standard = with_constant_pattern,
                    .data = &frozen_case };

  trc_grad_check (&c);
  g_clear_pointer (&frozen_pattern, trc_tensor_unref);
}

/* A pattern that is looked at keeps its gradient while queries and keys get theirs. */
static void
test_kept_pattern (void)
{
  g_autoptr (TrcDevice) dev = trc_double_device_new ();
  g_autoptr (TrcTensor) x = trc_tensor_zeros (dev, TRC_SHAPE (3, 2), "x", NULL);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  TrcAttnShape shape = {
    .batch = 1, .t = 3, .n_heads = 1, .n_kv_heads = 1, .d_head = 2, .scale = 1.0f
  };
  TrcVar v, pattern;

  for (guint i = 0; i < 6; i++)
    trc_double_values (x)[i] = 0.3 * i - 0.7;
  v = trc_tape_param (tape, x);
  pattern = trc_tape_attn_pattern (tape, (TrcCols){ v, 0 }, (TrcCols){ v, 0 }, &shape);
  trc_tape_keep_grad (tape, pattern);
  g_assert_true (trc_tape_backward (
      tape, trc_tape_attn_apply (tape, pattern, (TrcCols){ v, 0 }, &shape, FALSE), NULL, NULL));
  /* d z / d p[i, j] summed over the columns is the sum of value j, where it is visible */
  g_assert_cmpfloat_with_epsilon (trc_double_values (trc_tape_grad (tape, pattern))[7],
                                  (0.3 * 2 - 0.7) + (0.3 * 3 - 0.7), 1e-12);
  g_assert_cmpfloat (trc_double_values (trc_tape_grad (tape, pattern))[1], ==, 0.0);
}

/* --- rotary positions --------------------------------------------------------------------- */

typedef struct {
  guint32 n_rot, column;
  gboolean interleaved;
} Rope;

static TrcVar
rope (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  const Rope *r = data;
  g_autoptr (TrcTensor) table =
      trc_rope_table (trc_tape_device (tape), 5, r->n_rot, 10000.0, NULL, NULL);

  return trc_tape_rope (tape, (TrcCols){ x[0], r->column }, table, 2, 4, 3, r->interleaved);
}

static void
test_rope (void)
{
  static const Rope cases[] = {
    { 4, 0, FALSE }, { 2, 0, TRUE }, { 4, 3, TRUE }, { 2, 3, FALSE }
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      TrcGradCase c = { .name = "rope", .n_leaves = 1, .func = rope, .data = &cases[i] };
      c.shape[0] = TRC_SHAPE (6, 8 + (cases[i].column != 0 ? 4 : 0));
      trc_grad_check (&c);
    }
}

static void
test_rope_table (void)
{
  static const double freq[] = { 0.5, 0.25 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a = trc_rope_table (dev, 3, 4, 100.0, NULL, NULL);
  g_autoptr (TrcTensor) b = trc_rope_table (dev, 3, 4, 0.0, freq, NULL);
  float got[12];

  g_assert_true (trc_tensor_read (a, got, 12, NULL));
  g_assert_cmpfloat_with_epsilon (got[0], 1.0, 1e-7);
  g_assert_cmpfloat_with_epsilon (got[8], cos (2.0), 1e-6);
  g_assert_cmpfloat_with_epsilon (got[11], sin (0.2), 1e-6); /* 2 / 100^(2/4) */
  g_assert_true (trc_tensor_read (b, got, 12, NULL));
  g_assert_cmpfloat_with_epsilon (got[9], sin (1.0), 1e-6);
  g_assert_cmpfloat_with_epsilon (got[10], cos (0.5), 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tape_attention/attention", test_attention);
  g_test_add_func ("/compute/tape_attention/frozen", test_frozen);
  g_test_add_func ("/compute/tape_attention/kept-pattern", test_kept_pattern);
  g_test_add_func ("/compute/tape_attention/rope", test_rope);
  g_test_add_func ("/compute/tape_attention/rope-table", test_rope_table);
  return g_test_run ();
}
