#include "compute/tape/tape_impl.h"

#include <math.h>

/* --- attention ---------------------------------------------------------------------------- */

static guint32
n_queries (const TrcAttnShape *shape)
{
  return shape->n_queries != 0 ? shape->n_queries : shape->t;
}

/* Whether @n_heads heads lie in @cols, with @t rows an item of the batch. */
static gboolean
fits (TrcTape *self, const TrcAttnShape *shape, TrcCols cols, guint32 n_heads, guint32 t)
{
  return (guint64)cols.column + (guint64)n_heads * shape->d_head
             <= trc_tape_cols_of (self, cols.var)
         && trc_tape_rows_of (self, cols.var) == (guint64)shape->batch * t
         && n_queries (shape) <= shape->t && shape->n_kv_heads != 0
         && shape->n_heads % shape->n_kv_heads == 0;
}

/* The params for a query-like operand of row length @x_row and a key-like one of @y_row. */
static TrcAttnParams
attn_params (const TrcAttnShape *shape, guint32 x_row, guint32 y_row)
{
  guint32 t_q = n_queries (shape);

  return (TrcAttnParams){ .batch = shape->batch,
                          .n_heads = shape->n_heads,
                          .n_kv_heads = shape->n_kv_heads,
                          .t_q = t_q,
                          .t_k = shape->t,
                          .d_head = shape->d_head,
                          .x_batch = t_q * x_row,
                          .x_row = x_row,
                          .x_head = shape->d_head,
                          .y_batch = shape->t * y_row,
                          .y_row = y_row,
                          .y_head = shape->d_head,
                          .p_batch = shape->n_heads * t_q * shape->t,
                          .causal = !shape->bidirectional,
                          .first = shape->t - t_q,
                          .window = shape->window,
                          .scale = shape->scale };
}

/* The gradient of a value of which a kernel writes @width columns from @column: whole, or a
 * part that is added to. */
static TrcTensor *
grad_cols (TrcTape *tape, TrcVar var, guint32 column, guint32 width, guint32 *accumulate)
{
  *accumulate = 1;
  if (column == 0 && width == trc_tape_cols_of (tape, var))
    return trc_tape_grad_for (tape, var, accumulate);
  return trc_tape_grad_part (tape, var);
}

/* dP -> dS -> dQ, dK. dS takes the place of dP unless somebody wants to see that. */
static void
pattern_back (TrcTape *tape, TrcNode *node)
{
  const TrcAttnParams *p = &node->params.attn;
  guint32 rows = p->batch * p->n_heads * p->t_q;
  g_autoptr (TrcTensor) ds =
      node->keep_grad ? trc_tape_out (tape, trc_tensor_shape (node->tensor), "scores")
                      : trc_tensor_ref (node->grad);
  TrcOpCall call = { .op = TRC_OP_SOFTMAX_VJP,
                     .tensor = { node->grad, node->tensor, ds },
                     .params.softmax = { .rows = rows,
                                         .cols = p->t_k,
                                         .ld_x = p->t_k,
                                         .ld_y = p->t_k,
                                         .scale = 1.0f } };
  if (ds == NULL || !trc_tape_run (tape, &call))
    return;

  call = (TrcOpCall){ .op = TRC_OP_ATTN_MIX, .params.attn = *p };
  memset (call.params.off, 0, sizeof call.params.off);
  call.tensor[0] = ds;
  call.tensor[1] = trc_tape_tensor (tape, node->in[1]), call.params.off[1] = p->off[1];
  call.params.off[2] = p->off[0];
  call.tensor[2] = grad_cols (tape, node->in[0], p->off[0], p->n_heads * p->d_head,
                              &call.params.attn.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);

  call.op = TRC_OP_ATTN_MIX_T;
  call.tensor[1] = trc_tape_tensor (tape, node->in[0]), call.params.off[1] = p->off[0];
  call.params.off[2] = p->off[1];
  call.tensor[2] = grad_cols (tape, node->in[1], p->off[1], p->n_kv_heads * p->d_head,
                              &call.params.attn.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_attn_pattern (TrcTape *self, TrcCols q, TrcCols k, const TrcAttnShape *shape)
{
  TrcNode node = { .back = pattern_back, .in = { q.var, k.var } };

  if (!trc_tape_ready (self, 2, node.in))
    return TRC_VAR_NONE;
  if (!fits (self, shape, q, shape->n_heads, n_queries (shape))
      || !fits (self, shape, k, shape->n_kv_heads, shape->t))
    return trc_tape_misfit (self, "trc_tape_attn_pattern");
  node.params.attn =
      attn_params (shape, trc_tape_cols_of (self, q.var), trc_tape_cols_of (self, k.var));
  node.params.off[0] = q.column, node.params.off[1] = k.column;
  node.tensor =
      trc_tape_out (self, TRC_SHAPE (shape->batch, shape->n_heads, n_queries (shape), shape->t),
                    "attention pattern");
  if (node.tensor != NULL)
    trc_tape_run (self, &(TrcOpCall){ .op = TRC_OP_ATTN_PATTERN,
                                      .tensor = { trc_tape_tensor (self, q.var),
                                                  trc_tape_tensor (self, k.var), node.tensor },
                                      .params = node.params });
  return trc_tape_push (self, &node);
}

/* dz -> dV, and dP unless the pattern is frozen. */
static void
apply_back (TrcTape *tape, TrcNode *node)
{
  const TrcAttnParams *p = &node->params.attn;
  TrcOpCall call = { .op = TRC_OP_ATTN_MIX_T, .params.attn = *p };

  memset (call.params.off, 0, sizeof call.params.off);
  call.tensor[0] = trc_tape_tensor (tape, node->in[0]);
  call.tensor[1] = node->grad;
  call.params.off[2] = p->off[1];
  call.tensor[2] = grad_cols (tape, node->in[1], p->off[1], p->n_kv_heads * p->d_head,
                              &call.params.attn.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
  if (node->flag)
    return;

  call.op = TRC_OP_ATTN_DOTS;
  call.params.off[2] = 0;
  call.tensor[0] = node->grad;
  call.tensor[1] = trc_tape_tensor (tape, node->in[1]), call.params.off[1] = p->off[1];
  call.tensor[2] = trc_tape_grad_for (tape, node->in[0], &call.params.attn.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_attn_apply (TrcTape *self, TrcVar pattern, TrcCols v, const TrcAttnShape *shape,
                     gboolean freeze_pattern)
{
  TrcNode node = { .back = apply_back,
                   .in = { pattern, v.var },
                   .flag = freeze_pattern != FALSE };
  guint32 width = shape->n_heads * shape->d_head;

  if (!trc_tape_ready (self, 2, node.in))
    return TRC_VAR_NONE;
  if (!fits (self, shape, v, shape->n_kv_heads, shape->t)
      || trc_tensor_n (trc_tape_tensor (self, pattern))
             != (guint64)shape->batch * shape->n_heads * n_queries (shape) * shape->t)
    return trc_tape_misfit (self, "trc_tape_attn_apply");
  node.params.attn = attn_params (shape, width, trc_tape_cols_of (self, v.var));
  node.params.attn.scale = 1.0f;
  node.params.off[1] = v.column;
  node.tensor = trc_tape_out (self, TRC_SHAPE (shape->batch * n_queries (shape), width), "z");
  if (node.tensor != NULL)
    trc_tape_run (self, &(TrcOpCall){ .op = TRC_OP_ATTN_MIX,
                                      .tensor = { trc_tape_tensor (self, pattern),
                                                  trc_tape_tensor (self, v.var), node.tensor },
                                      .params = node.params });
  return trc_tape_push (self, &node);
}

/* --- rotary positions --------------------------------------------------------------------- */

static void
rope_back (TrcTape *tape, TrcNode *node)
{
  const TrcRopeParams *p = &node->params.rope;
  TrcOpCall call = { .op = TRC_OP_ROPE, .params.rope = *p };

  call.params.rope.off[0] = 0, call.params.rope.off[2] = p->off[0];
  call.params.rope.ld_x = p->ld_y, call.params.rope.ld_y = p->ld_x;
  call.params.rope.inverse = 1;
  call.tensor[0] = node->grad, call.tensor[1] = node->saved[0];
  call.tensor[2] = grad_cols (tape, node->in[0], p->off[0], p->n_heads * p->d_head,
                              &call.params.rope.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_rope (TrcTape *self, TrcCols x, TrcTensor *table, guint32 n_heads, guint32 d_head,
               guint32 t, gboolean interleaved)
{
  TrcNode node = { .back = rope_back, .in = { x.var } };
  TrcRopeParams *p = &node.params.rope;

  if (!trc_tape_ready (self, 1, &x.var))
    return TRC_VAR_NONE;
  *p = (TrcRopeParams){ .off = { x.column },
                        .rows = trc_tape_rows_of (self, x.var),
                        .n_heads = n_heads,
                        .d_head = d_head,
                        .n_rot = 2 * trc_tensor_dim (table, 1),
                        .ld_x = trc_tape_cols_of (self, x.var),
                        .ld_y = n_heads * d_head,
                        .head_stride = d_head,
                        .period = t,
                        .interleaved = interleaved };
  if (p->n_rot > d_head || trc_tensor_dim (table, 0) < t
      || (guint64)x.column + p->ld_y > p->ld_x)
    return trc_tape_misfit (self, "trc_tape_rope");
  node.tensor = trc_tape_out (self, TRC_SHAPE (p->rows, p->ld_y), "rotated");
  node.saved[0] = trc_tensor_ref (table);
  if (node.tensor != NULL)
    trc_tape_run (self,
                  &(TrcOpCall){ .op = TRC_OP_ROPE,
                                .tensor = { trc_tape_tensor (self, x.var), table, node.tensor },
                                .params = node.params });
  return trc_tape_push (self, &node);
}

TrcTensor *
trc_rope_table (TrcDevice *dev, guint32 n_positions, guint32 n_rot, double base,
                const double *freq, GError **error)
{
  TrcShape shape = TRC_SHAPE (n_positions, n_rot / 2, 2);
  g_autofree float *table = NULL;
  gsize n;

  g_return_val_if_fail (n_rot % 2 == 0, NULL);
  if (!trc_shape_count (&shape, &n) || (table = g_try_new0 (float, MAX (n, 1))) == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "A table of rotary angles for %u positions does not fit in memory.",
                   n_positions);
      return NULL;
    }
  for (gsize pos = 0; pos < n_positions; pos++)
    for (gsize i = 0; i < n_rot / 2; i++)
      {
        double step = freq != NULL ? freq[i] : pow (base, -2.0 * (double)i / n_rot);
        table[(pos * (n_rot / 2) + i) * 2] = (float)cos ((double)pos * step);
        table[(pos * (n_rot / 2) + i) * 2 + 1] = (float)sin ((double)pos * step);
      }
  return trc_tensor_from_data (dev, TRC_F32, shape, table, n * sizeof (float), "rotary angles",
                               error);
}
