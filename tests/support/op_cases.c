#include "tests/support/op_cases.h"

#include <math.h>
#include <string.h>

#define GUARD 8 /* elements on each side of a tensor */
#define GUARD_BITS 0x7fc0dead

static void
case_free (gpointer data)
{
  TrcOpCase *c = data;

  g_free (c->name);
  g_free (c);
}

/* A case with the defaults; the caller fills the params. */
static TrcOpCase *
add (GPtrArray *cases, TrcOpId op, const char *format, ...)
{
  TrcOpCase *c = g_new0 (TrcOpCase, 1);
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  c->name = g_strdup_printf ("%s %s", trc_op_info (op)->name, text);
  c->op = op;
  g_ptr_array_add (cases, c);
  return c;
}

/* --- the cases ---------------------------------------------------------------------------- */

static void
add_matmul (GPtrArray *cases)
{
  static const guint32 sizes[][3] = { { 1, 1, 1 },     { 3, 5, 7 },    { 0, 4, 4 },
                                      { 4, 0, 4 },     { 4, 4, 0 },    { 1, 65, 33 },
                                      { 65, 1, 33 },   { 17, 33, 65 }, { 70, 40, 9 },
                                      { 130, 96, 40 }, { 40, 130, 96 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint trans = 0; trans < 4; trans++)
      {
        guint32 m = sizes[i][0], n = sizes[i][1], k = sizes[i][2], pad = trans % 3;
        gboolean ta = trans & 1, tb = trans >> 1;
        TrcOpCase *c = add (cases, TRC_OP_MATMUL, "%ux%ux%u trans %u", m, n, k, trans);
        c->params.matmul = (TrcMatmulParams){ .m = m,
                                              .n = n,
                                              .k = k,
                                              .ld_a = (ta ? m : k) + pad,
                                              .ld_b = (tb ? k : n) + pad,
                                              .ld_c = n + pad,
                                              .trans_a = ta,
                                              .trans_b = tb,
                                              .accumulate = i % 2,
                                              .has_bias = (i + trans) % 2,
                                              .alpha = i % 3 ? 1.0f : 0.5f,
                                              .n_outer = 1,
                                              .n_inner = 1,
                                              .b_group = 1 };
        c->absent = c->params.matmul.has_bias ? 0 : 1 << 2;
      }
}

static void
add_matmul_batch (GPtrArray *cases)
{
  static const guint32 sizes[][3] = { { 3, 4, 5 }, { 33, 18, 21 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint shared = 0; shared < 2; shared++)
      {
        guint32 m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];
        TrcOpCase *c = add (cases, TRC_OP_MATMUL, "batch 3x4 of %ux%ux%u%s", m, n, k,
                            shared ? ", b shared" : "");
        c->absent = 1 << 2;
        c->params.matmul = (TrcMatmulParams){ .m = m,
                                              .n = n,
                                              .k = k,
                                              .ld_a = 4 * k,
                                              .ld_b = n,
                                              .ld_c = 4 * n,
                                              .alpha = -1.5f,
                                              .n_outer = 3,
                                              .n_inner = 4,
                                              .a_outer = 4 * k * m,
                                              .a_inner = k,
                                              .b_outer = shared ? 0 : 2 * k * n,
                                              .b_inner = k * n,
                                              .c_outer = 4 * n * m,
                                              .c_inner = n,
                                              .b_group = 2 };
      }
  TrcOpCase *c = add (cases, TRC_OP_MATMUL, "a row broadcast by ld 0");
  c->absent = 1 << 2;
  c->params.matmul = (TrcMatmulParams){ .m = 4,
                                        .n = 3,
                                        .k = 5,
                                        .ld_b = 3,
                                        .ld_c = 3,
                                        .alpha = 1.0f,
                                        .n_outer = 1,
                                        .n_inner = 1,
                                        .b_group = 1 };
}

static void
add_embed (GPtrArray *cases)
{
  static const guint32 sizes[][3] = {
    { 1, 1, 1 }, { 5, 7, 3 }, { 0, 4, 4 }, { 40, 33, 11 }, { 700, 17, 5 }
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint way = 0; way < 4; way++)
      {
        guint32 n = sizes[i][0], d = sizes[i][1], v = sizes[i][2];
        TrcOpCase *c = add (cases, way & 1 ? TRC_OP_EMBED_VJP : TRC_OP_EMBED,
                            "%u ids of %u, d %u, accumulate %u", n, v, d, way >> 1);
        c->n_ids = v;
        c->params.embed = (TrcEmbedParams){ .n = n,
                                            .d = d,
                                            .n_table = v,
                                            .ld_table = d + i % 2,
                                            .ld_out = d + i % 3,
                                            .accumulate = way >> 1 };
      }
}

static const guint32 sheets[][2] = { { 1, 1 },   { 3, 5 },    { 0, 4 },    { 4, 0 },
                                     { 17, 33 }, { 1, 4099 }, { 257, 65 }, { 600, 70 } };

static void
add_sheet (GPtrArray *cases, guint i)
{
  guint32 rows = sheets[i][0], cols = sheets[i][1], period = i % 2 ? 3 : 0;
  TrcOpCase *c;

  for (guint b = 0; b < 3; b++)
    {
      c = add (cases, TRC_OP_AXPBY, "%ux%u beta %g", rows, cols, b * 0.5);
      c->params.axpby = (TrcAxpbyParams){ .rows = rows,
                                          .cols = cols,
                                          .ld_x = b == 2 ? 0 : cols + 3,
                                          .ld_y = cols + b,
                                          .x_period = period,
                                          .alpha = b ? 1.0f - 2.0f * b : 1.0f,
                                          .beta = b * 0.5f };
    }
  c = add (cases, TRC_OP_AXPBY, "%u values from one", rows);
  c->params.axpby =
      (TrcAxpbyParams){ .rows = rows, .cols = 1, .ld_y = 1, .alpha = 0.3f, .beta = i % 2 };
  c = add (cases, TRC_OP_FILL, "%ux%u", rows, cols);
  c->params.fill =
      (TrcFillParams){ .rows = rows, .cols = cols, .ld = cols + i % 3, .value = -2.5f };
  for (guint way = 0; way < 4; way++)
    {
      c = add (cases, TRC_OP_MUL, "%ux%u way %u", rows, cols, way);
      c->params.mul = (TrcMulParams){ .rows = rows,
                                      .cols = cols,
                                      .ld_a = cols + 1,
                                      .ld_b = way & 1 ? cols : 1,
                                      .ld_out = cols + 2,
                                      .a_period = period,
                                      .b_period = way == 3 ? 2 : 0,
                                      .step_b = way & 1,
                                      .accumulate = way >> 1,
                                      .alpha = 1.5f };
    }
}

static void
add_reduce (GPtrArray *cases, guint i)
{
  guint32 rows = sheets[i][0], cols = sheets[i][1];
  static const TrcOpId ops[] = { TRC_OP_SUM_ROWS, TRC_OP_SUM_COLS, TRC_OP_DOT_ROWS };

  for (guint o = 0; o < G_N_ELEMENTS (ops); o++)
    for (guint accumulate = 0; accumulate < 2; accumulate++)
      {
        TrcOpCase *c = add (cases, ops[o], "%ux%u accumulate %u", rows, cols, accumulate);
        c->params.reduce = (TrcReduceParams){ .rows = rows,
                                              .cols = cols,
                                              .ld_a = cols + 2,
                                              .ld_b = i == 4 ? 0 : cols,
                                              .a_period = accumulate ? 4 : 0,
                                              .b_period = i == 3 ? 2 : 0,
                                              .accumulate = accumulate,
                                              .alpha = -0.75f };
      }
}

static void
add_act (GPtrArray *cases, guint i, guint kind)
{
  guint32 rows = sheets[i][0], cols = sheets[i][1];

  for (guint way = 0; way < 12; way++) /* rule, gated, accumulate */
    {
      guint rule = way % 3, gated = way / 3 % 2, accumulate = way / 6;
      TrcActParams p = { .rows = rows,
                         .cols = cols,
                         .ld_x = cols + 1,
                         .ld_u = cols + 2,
                         .ld_y = cols + gated,
                         .ld_dx = cols,
                         .ld_du = cols + 3,
                         .x_period = way == 5 ? 2 : 0,
                         .kind = kind,
                         .rule = rule,
                         .gated = gated,
                         .accumulate = accumulate };
      TrcOpCase *c = add (cases, TRC_OP_ACT_VJP, "%ux%u kind %u rule %u gated %u add %u", rows,
                          cols, kind, rule, gated, accumulate);
      c->params.act = p;
      c->absent = gated ? (way == 4 ? 1 << 3 : way == 10 ? 1 << 4 : 0) : (1 << 2 | 1 << 4);
      if (rule != 0)
        continue;
      c = add (cases, TRC_OP_ACT, "%ux%u kind %u gated %u add %u", rows, cols, kind, gated,
               accumulate);
      c->params.act = p;
      c->absent = gated ? 0 : 1 << 1;
    }
}

static void
add_norm (GPtrArray *cases, guint i, guint kind)
{
  guint32 rows = sheets[i][0], d = MAX (sheets[i][1], 1);

  for (guint way = 0; way < 8; way++) /* gain and bias, frozen or given, accumulate */
    {
      guint affine = way & 1, frozen = way >> 1 & 1, accumulate = way >> 2;
      TrcNormParams p = { .rows = rows,
                          .d = d,
                          .ld_x = d + 1,
                          .ld_y = d + 2,
                          .ld_dx = d,
                          .x_period = accumulate ? 3 : 0,
                          .kind = kind,
                          .has_gain = affine,
                          .has_bias = affine,
                          .freeze_scale = frozen,
                          .given_rstd = frozen,
                          .accumulate = accumulate,
                          .eps = 1e-5f,
                          .gain_add = way == 5 ? 1.0f : 0.0f };
      gboolean rms = kind == TRC_NORM_RMS;
      TrcOpCase *c = add (cases, TRC_OP_NORM, "%ux%u kind %u way %u", rows, d, kind, way);
      c->params.norm = p;
      c->absent = (affine ? 0 : 1 << 1 | 1 << 2) | (rms || way == 6 ? 1 << 4 : 0);
      c = add (cases, TRC_OP_NORM_VJP, "%ux%u kind %u way %u", rows, d, kind, way);
      c->params.norm = p;
      c->absent = (affine ? 0 : 1 << 2) | (rms || frozen ? 1 << 3 : 0) | (frozen ? 1 << 1 : 0);
      if (way % 2 == 0)
        continue;
      c = add (cases, TRC_OP_NORM_VJP_GAIN, "%ux%u kind %u way %u", rows, d, kind, way);
      c->params.norm = p;
      c->absent = (rms ? 1 << 2 : 0) | (way == 3 ? 1 << 5 : way == 7 ? 1 << 4 : 0);
    }
}

static void
add_softmax (GPtrArray *cases, guint i)
{
  guint32 rows = sheets[i][0], cols = sheets[i][1];

  for (guint way = 0; way < 3; way++)
    {
      TrcSoftmaxParams p = { .rows = rows,
                             .cols = cols,
                             .ld_x = cols + 2,
                             .ld_y = cols + 2 * (way == 2),
                             .y_period = way == 1 ? 2 : 0,
                             .accumulate = way == 1,
                             .scale = 0.7f };
      TrcOpCase *c = add (cases, TRC_OP_SOFTMAX_VJP, "%ux%u way %u", rows, cols, way);
      c->params.softmax = p;
      c->in_place = way == 2 ? 2 : 0;
      if (way == 1)
        continue;
      c = add (cases, TRC_OP_SOFTMAX, "%ux%u way %u", rows, cols, way);
      c->params.softmax = p;
      c->in_place = way == 2 ? 1 : 0;
    }
}

static void
add_cross_entropy (GPtrArray *cases, guint i)
{
  guint32 rows = sheets[i][0], cols = sheets[i][1];

  for (guint accumulate = 0; accumulate < 2; accumulate++)
    {
      TrcCrossEntropyParams p = { .rows = rows,
                                  .cols = cols,
                                  .ld_x = cols + 1,
                                  .ld_dx = cols + accumulate,
                                  .step_seed = accumulate,
                                  .accumulate = accumulate };
      TrcOpCase *c = add (cases, TRC_OP_CROSS_ENTROPY, "%ux%u add %u", rows, cols, accumulate);
      c->params.cross_entropy = p;
      c->n_ids = cols;
      c = add (cases, TRC_OP_CROSS_ENTROPY_VJP, "%ux%u add %u", rows, cols, accumulate);
      c->params.cross_entropy = p;
      c->n_ids = cols;
    }
}

typedef struct {
  guint32 batch, heads, kv, t_q, t_k, d, first, window, causal;
} AttnSize;

static void
add_attn (GPtrArray *cases, const AttnSize *s, guint accumulate)
{
  static const TrcOpId ops[] = { TRC_OP_ATTN_PATTERN, TRC_OP_ATTN_DOTS, TRC_OP_ATTN_MIX,
                                 TRC_OP_ATTN_MIX_T };
  guint32 x_row = s->heads * s->d + 2, y_row = 2 * s->kv * s->d;

  for (guint i = 0; i < G_N_ELEMENTS (ops); i++)
    {
      TrcOpCase *c =
          add (cases, ops[i], "%u of %u/%u heads x %u, %ux%u, first %u window %u%s%s", s->batch,
               s->heads, s->kv, s->d, s->t_q, s->t_k, s->first, s->window,
               s->causal ? "" : " all", accumulate ? " add" : "");
      gboolean writes_p = i < 2;
      c->params.attn = (TrcAttnParams){
        .batch = s->batch,
        .n_heads = s->heads,
        .n_kv_heads = s->kv,
        .t_q = s->t_q,
        .t_k = s->t_k,
        .d_head = s->d,
        .x_batch = s->t_q * x_row,
        .x_row = x_row,
        .x_head = s->d,
        /* inputs may be shared by the batch */
        .y_batch = accumulate && i != 3 ? 0 : s->t_k * y_row,
        .y_row = y_row,
        .y_head = s->d,
        .p_batch = accumulate && !writes_p ? 0 : s->heads * s->t_q * s->t_k,
        .causal = s->causal,
        .first = s->first,
        .window = s->window,
        .accumulate = accumulate && i != 0,
        .scale = 0.25f,
      };
    }
}

static void
add_attention (GPtrArray *cases)
{
  static const AttnSize sizes[] = {
    { 1, 1, 1, 1, 1, 1, 0, 0, 1 },      { 5, 4, 4, 3, 3, 8, 0, 0, 1 },
    { 2, 4, 2, 7, 7, 5, 0, 3, 1 },      { 2, 2, 1, 5, 9, 16, 4, 0, 1 },
    { 1, 3, 3, 6, 4, 7, 0, 0, 0 },      { 0, 2, 2, 3, 3, 4, 0, 0, 1 },
    { 2, 2, 2, 0, 3, 4, 0, 0, 1 },      { 1, 4, 2, 75, 75, 33, 0, 0, 1 },
    { 1, 2, 1, 70, 90, 32, 20, 40, 1 }, { 2, 2, 2, 40, 64, 24, 0, 0, 0 },
    { 1, 2, 2, 9, 3, 4, 0, 2, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint accumulate = 0; accumulate < 2; accumulate++)
      add_attn (cases, &sizes[i], accumulate);
}

static void
add_adamw (GPtrArray *cases)
{
  static const guint32 sizes[] = { 0, 1, 7, 70000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      TrcOpCase *c = add (cases, TRC_OP_ADAMW, "%u", sizes[i]);
      c->params.adamw = (TrcAdamwParams){ .n = sizes[i],
                                          .lr = 0.01f,
                                          .beta1 = 0.9f,
                                          .beta2 = 0.98f,
                                          .eps = 1e-8f,
                                          .weight_decay = i % 2 ? 1.0f : 0.1f,
                                          .correction1 = 0.19f,
                                          .correction2 = 0.04f,
                                          .grad_scale = i % 2 ? 1.0f : 0.5f };
    }
}

static void
add_rope (GPtrArray *cases)
{
  static const guint32 sizes[][4] = {
    { 1, 1, 2, 2 }, { 6, 3, 8, 8 }, { 0, 2, 4, 4 }, { 5, 2, 7, 4 }, { 300, 4, 32, 8 }
  };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint way = 0; way < 8; way++)
      {
        guint32 width = sizes[i][1] * sizes[i][2];
        TrcOpCase *c = add (cases, TRC_OP_ROPE, "%u rows, %u heads of %u, %u turned, way %u",
                            sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], way);
        c->params.rope = (TrcRopeParams){ .rows = sizes[i][0],
                                          .n_heads = sizes[i][1],
                                          .d_head = sizes[i][2],
                                          .n_rot = sizes[i][3],
                                          .ld_x = width + 3,
                                          .ld_y = width + (way == 4 ? 3 : 0),
                                          .head_stride = sizes[i][2],
                                          .first = way,
                                          .period = way % 2 ? 3 : 0,
                                          .interleaved = way & 1,
                                          .inverse = way >> 1 & 1,
                                          .accumulate = way > 4 };
        c->in_place = way == 4 ? 2 : 0;
      }
}

GPtrArray *
trc_op_cases (void)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func (case_free);

  add_matmul (cases);
  add_matmul_batch (cases);
  add_embed (cases);
  add_attention (cases);
  add_adamw (cases);
  add_rope (cases);
  for (guint i = 0; i < G_N_ELEMENTS (sheets); i++)
    {
      add_sheet (cases, i);
      add_reduce (cases, i);
      add_softmax (cases, i);
      add_cross_entropy (cases, i);
      for (guint kind = 0; kind <= TRC_ACT_IDENTITY; kind++)
        add_act (cases, i, kind);
      for (guint kind = 0; kind <= TRC_NORM_RMS; kind++)
        add_norm (cases, i, kind);
    }
  return cases;
}

/* --- running one -------------------------------------------------------------------------- */

typedef struct {
  gsize n;         /* elements, guards included */
  guint32 *before; /* bits that definition and kernel start from */
  guint32 *wanted; /* after the definition */
  guint32 *got;    /* after the kernel */
  TrcTensor *tensor;
} Slot;

static float
random_value (GRand *rand)
{
  return (float)(2.0 * (g_rand_double (rand) + g_rand_double (rand) - 1.0));
}

/* Whether the kernel reads the output before it writes it. */
static gboolean
is_read (const TrcOpCase *c, guint slot)
{
  switch (c->op)
    {
    case TRC_OP_AXPBY:
      return c->params.axpby.beta != 0.0f;
    case TRC_OP_ADAMW:
      return TRUE;
    case TRC_OP_NORM:
      return slot == 5 && c->params.norm.given_rstd;
    case TRC_OP_FILL:
    case TRC_OP_ATTN_PATTERN:
    case TRC_OP_SOFTMAX:
      return FALSE;
    case TRC_OP_MATMUL:
      return c->params.matmul.accumulate;
    case TRC_OP_EMBED:
    case TRC_OP_EMBED_VJP:
      return c->params.embed.accumulate;
    case TRC_OP_MUL:
      return c->params.mul.accumulate;
    case TRC_OP_SUM_ROWS:
    case TRC_OP_SUM_COLS:
    case TRC_OP_DOT_ROWS:
      return c->params.reduce.accumulate;
    case TRC_OP_ACT:
    case TRC_OP_ACT_VJP:
      return c->params.act.accumulate;
    case TRC_OP_NORM_VJP:
    case TRC_OP_NORM_VJP_GAIN:
      return c->params.norm.accumulate;
    case TRC_OP_SOFTMAX_VJP:
      return c->params.softmax.accumulate;
    case TRC_OP_CROSS_ENTROPY:
    case TRC_OP_CROSS_ENTROPY_VJP:
      return c->params.cross_entropy.accumulate;
    case TRC_OP_ROPE:
      return c->params.rope.accumulate;
    default:
      return c->params.attn.accumulate;
    }
}

static guint32
bits_of (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

/* What each input must look like for the kernel to be in its domain. */
static guint32
random_bits (const TrcOpCase *c, guint slot, GRand *rand)
{
  guint use = trc_op_info (c->op)->use[slot];
  gboolean positive = (c->op == TRC_OP_ADAMW && slot == 3)
                      || (c->op == TRC_OP_NORM && slot == 5)
                      || (c->op == TRC_OP_NORM_VJP && slot == 4);

  if (use & TRC_USE_I32)
    return (guint32)g_rand_int_range (rand, -1, (gint32)c->n_ids + 1);
  return bits_of (positive ? 0.1f + fabsf (random_value (rand)) : random_value (rand));
}

static void
slot_fill (Slot *slot, const TrcOpCase *c, guint i, guint64 extent, GRand *rand)
{
  gboolean garbage = (trc_op_info (c->op)->use[i] & TRC_USE_WRITE) && !is_read (c, i);

  slot->n = extent + 2 * GUARD;
  slot->before = g_new (guint32, slot->n);
  for (gsize e = 0; e < slot->n; e++)
    slot->before[e] =
        garbage || e < GUARD || e >= GUARD + extent ? GUARD_BITS : random_bits (c, i, rand);
  slot->wanted = g_memdup2 (slot->before, slot->n * 4);
  slot->got = g_new0 (guint32, slot->n);
}

static void
slot_clear (Slot *slot)
{
  g_clear_pointer (&slot->tensor, trc_tensor_unref);
  g_clear_pointer (&slot->before, g_free);
  g_clear_pointer (&slot->wanted, g_free);
  g_clear_pointer (&slot->got, g_free);
}

double
trc_normalised_error (const float *a, const float *b, gsize n)
{
  double error = 0.0, size = 0.0;

  for (gsize i = 0; i < n; i++)
    {
      error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
      size += (double)b[i] * b[i];
    }
  return error == 0.0 ? 0.0 : error / MAX (size, 1e-3 * (double)n);
}

/* Compares one tensor. Inputs, guards and the gaps between the rows of outputs that are not
 * added to must keep their bits. */
static void
slot_compare (const TrcOpCase *c, guint i, const Slot *slot)
{
  g_autofree float *got = g_new (float, slot->n), *wanted = g_new (float, slot->n);
  double limit = trc_op_info (c->op)->tolerance, error;
  gboolean input = !(trc_op_info (c->op)->use[i] & TRC_USE_WRITE) && (i != 0 || !c->in_place);
  gsize n = 0;

  for (gsize e = 0; e < slot->n; e++)
    if (input || slot->wanted[e] == GUARD_BITS)
      {
        if (slot->got[e] != slot->wanted[e])
          {
            g_test_fail_printf ("%s: tensor %u, element %" G_GSIZE_FORMAT " was written",
                                c->name, i, e);
            return;
          }
      }
    else
      {
        memcpy (&got[n], &slot->got[e], 4);
        memcpy (&wanted[n++], &slot->wanted[e], 4);
      }
  error = trc_normalised_error (got, wanted, n);
  if (!(error <= limit))
    g_test_fail_printf ("%s: tensor %u differs by %g, more than %g", c->name, i, error, limit);
}

static void
run_definition (const TrcOpCase *c, Slot *slots)
{
  const TrcOpInfo *info = trc_op_info (c->op);
  TrcKernelArgs args = { .params = &c->params };

  for (guint i = 0; i < info->n_tensors; i++)
    if (slots[i].n > 0)
      args.tensor[i] = slots[i].wanted + GUARD;
  if (c->in_place)
    args.tensor[c->in_place] = args.tensor[0];
  info->define (&args);
}

/* Runs the kernel once from the start bytes and reads all tensors back. */
static gboolean
run_kernel (TrcDevice *dev, const TrcOpCase *c, Slot *slots, GError **error)
{
  const TrcOpInfo *info = trc_op_info (c->op);
  TrcOpCall call = { .op = c->op, .params = c->params };

  for (guint i = 0; i < info->n_tensors; i++)
    if (slots[i].n > 0)
      {
        TrcDType dtype = info->use[i] & TRC_USE_I32 ? TRC_I32 : TRC_F32;
        g_clear_pointer (&slots[i].tensor, trc_tensor_unref);
        slots[i].tensor = trc_tensor_from_data (dev, dtype, TRC_SHAPE (slots[i].n),
                                                slots[i].before, slots[i].n * 4, "case", error);
        if (slots[i].tensor == NULL)
          return FALSE;
        call.tensor[i] = slots[i].tensor;
        call.params.off[i] = GUARD;
      }
  if (c->in_place)
    {
      call.tensor[c->in_place] = call.tensor[0];
      call.params.off[c->in_place] = GUARD;
    }
  if (!trc_op_dispatch (&call, error))
    return FALSE;
  for (guint i = 0; i < info->n_tensors; i++)
    if (slots[i].n > 0
        && !(info->use[i] & TRC_USE_I32
                 ? trc_tensor_read_i32 (slots[i].tensor, (gint32 *)slots[i].got, slots[i].n,
                                        error)
                 : trc_tensor_read (slots[i].tensor, (float *)(void *)slots[i].got, slots[i].n,
                                    error)))
      return FALSE;
  return TRUE;
}

static void
check_twice (TrcDevice *dev, const TrcOpCase *c, Slot *slots)
{
  guint n = trc_op_info (c->op)->n_tensors;
  g_autoptr (GError) error = NULL;

  run_definition (c, slots);
  if (!run_kernel (dev, c, slots, &error))
    {
      g_test_fail_printf ("%s: %s", c->name, error->message);
      return;
    }
  for (guint i = 0; i < n; i++)
    if (slots[i].n > 0)
      {
        slot_compare (c, i, &slots[i]);
        memcpy (slots[i].wanted, slots[i].got, slots[i].n * 4);
      }
  if (!run_kernel (dev, c, slots, &error))
    g_test_fail_printf ("%s, again: %s", c->name, error->message);
  for (guint i = 0; i < n; i++)
    if (slots[i].n > 0 && memcmp (slots[i].wanted, slots[i].got, slots[i].n * 4) != 0)
      g_test_fail_printf ("%s: tensor %u is not the same bytes the second time", c->name, i);
}

void
trc_op_case_check (TrcDevice *dev, const TrcOpCase *c)
{
  const TrcOpInfo *info = trc_op_info (c->op);
  guint64 extent[TRC_OP_MAX_TENSORS] = { 0 };
  Slot slots[TRC_OP_MAX_TENSORS] = { 0 };
  GRand *rand = g_rand_new_with_seed (g_str_hash (c->name));

  info->extents (&c->params, extent);
  for (guint i = 0; i < info->n_tensors; i++)
    if (!(c->absent >> i & 1) && (c->in_place == 0 || i != (guint)c->in_place))
      slot_fill (&slots[i], c, i,
                 c->in_place && i == 0 ? MAX (extent[0], extent[c->in_place]) : extent[i],
                 rand);
  check_twice (dev, c, slots);
  for (guint i = 0; i < info->n_tensors; i++)
    slot_clear (&slots[i]);
  g_rand_free (rand);
}

void
trc_op_cases_check (TrcDevice *dev, TrcOpId op)
{
  g_autoptr (GPtrArray) cases = trc_op_cases ();
  guint n = 0;

  for (guint i = 0; i < cases->len; i++)
    {
      const TrcOpCase *c = g_ptr_array_index (cases, i);
      if (c->op != op)
        continue;
      trc_op_case_check (dev, c);
      n++;
    }
  g_test_message ("%s: %u cases on %s", trc_op_info (op)->name, n, trc_device_name (dev));
  g_assert_cmpuint (n, >, 0);
}
