#include "compute/ops/table.h"

/* Elements from the first to the last of @rows rows of @cols, @ld apart. */
static guint64
span (guint64 rows, guint64 cols, guint64 ld)
{
  return rows == 0 || cols == 0 ? 0 : (rows - 1) * ld + cols;
}

/* The same when only @period different rows are read. */
static guint64
span_wrapped (guint64 rows, guint64 cols, guint64 ld, guint32 period)
{
  return span (period != 0 ? MIN (rows, period) : rows, cols, ld);
}

static guint64
rows_wrapped (guint64 rows, guint32 period)
{
  return period != 0 ? MIN (rows, period) : rows;
}

/* A block of @inner elements repeated over two batch axes. */
static guint64
span_batch (guint64 inner, guint64 n_outer, guint64 outer, guint64 n_inner, guint64 step)
{
  return inner == 0 || n_outer == 0 || n_inner == 0
             ? 0
             : (n_outer - 1) * outer + (n_inner - 1) * step + inner;
}

void
trc_extents_matmul (const TrcOpParams *params, guint64 *extent)
{
  const TrcMatmulParams *p = &params->matmul;
  guint64 b_inner = p->b_group != 0 && p->n_inner != 0 ? (p->n_inner - 1) / p->b_group + 1 : 0;
  gboolean empty = p->m == 0 || p->n == 0 || p->n_outer == 0 || p->n_inner == 0;

  extent[0] = p->trans_a ? span (p->k, p->m, p->ld_a) : span (p->m, p->k, p->ld_a);
  extent[1] = p->trans_b ? span (p->n, p->k, p->ld_b) : span (p->k, p->n, p->ld_b);
  extent[0] =
      empty ? 0 : span_batch (extent[0], p->n_outer, p->a_outer, p->n_inner, p->a_inner);
  extent[1] = empty ? 0 : span_batch (extent[1], p->n_outer, p->b_outer, b_inner, p->b_inner);
  extent[2] = p->has_bias && !empty ? p->n : 0;
  extent[3] =
      span_batch (span (p->m, p->n, p->ld_c), p->n_outer, p->c_outer, p->n_inner, p->c_inner);
}

void
trc_extents_embed (const TrcOpParams *params, guint64 *extent)
{
  const TrcEmbedParams *p = &params->embed;

  extent[0] = p->n != 0 ? span (p->n_table, p->d, p->ld_table) : 0;
  extent[1] = p->d != 0 ? p->n : 0;
  extent[2] = span (p->n, p->d, p->ld_out);
}

void
trc_extents_embed_vjp (const TrcOpParams *params, guint64 *extent)
{
  const TrcEmbedParams *p = &params->embed;

  extent[0] = p->n_table != 0 ? span (p->n, p->d, p->ld_out) : 0;
  extent[1] = p->d != 0 && p->n_table != 0 ? p->n : 0;
  extent[2] = span (p->n_table, p->d, p->ld_table);
}

void
trc_extents_axpby (const TrcOpParams *params, guint64 *extent)
{
  const TrcAxpbyParams *p = &params->axpby;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_x, p->x_period);
  extent[1] = span (p->rows, p->cols, p->ld_y);
}

void
trc_extents_mul (const TrcOpParams *params, guint64 *extent)
{
  const TrcMulParams *p = &params->mul;
  guint64 b_cols = p->cols == 0 ? 0 : (p->cols - 1) * (guint64)p->step_b + 1;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_a, p->a_period);
  extent[1] = span_wrapped (p->rows, b_cols, p->ld_b, p->b_period);
  extent[2] = span (p->rows, p->cols, p->ld_out);
}

void
trc_extents_fill (const TrcOpParams *params, guint64 *extent)
{
  extent[0] = span (params->fill.rows, params->fill.cols, params->fill.ld);
}

void
trc_extents_sum_rows (const TrcOpParams *params, guint64 *extent)
{
  const TrcReduceParams *p = &params->reduce;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_a, p->a_period);
  extent[1] = p->rows;
}

void
trc_extents_sum_cols (const TrcOpParams *params, guint64 *extent)
{
  const TrcReduceParams *p = &params->reduce;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_a, p->a_period);
  extent[1] = p->cols;
}

void
trc_extents_dot_rows (const TrcOpParams *params, guint64 *extent)
{
  const TrcReduceParams *p = &params->reduce;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_a, p->a_period);
  extent[1] = span_wrapped (p->rows, p->cols, p->ld_b, p->b_period);
  extent[2] = p->rows;
}

void
trc_extents_act (const TrcOpParams *params, guint64 *extent)
{
  const TrcActParams *p = &params->act;

  extent[0] = span_wrapped (p->rows, p->cols, p->ld_x, p->x_period);
  extent[1] = p->gated ? span_wrapped (p->rows, p->cols, p->ld_u, p->x_period) : 0;
  extent[2] = span (p->rows, p->cols, p->ld_y);
}

void
trc_extents_act_vjp (const TrcOpParams *params, guint64 *extent)
{
  const TrcActParams *p = &params->act;

  extent[0] = span (p->rows, p->cols, p->ld_y);
  extent[1] = span_wrapped (p->rows, p->cols, p->ld_x, p->x_period);
  extent[2] = p->gated ? span_wrapped (p->rows, p->cols, p->ld_u, p->x_period) : 0;
  extent[3] = span (p->rows, p->cols, p->ld_dx);
  extent[4] = p->gated ? span (p->rows, p->cols, p->ld_du) : 0;
}

void
trc_extents_norm (const TrcOpParams *params, guint64 *extent)
{
  const TrcNormParams *p = &params->norm;

  extent[0] = span (p->rows, p->d, p->ld_x);
  extent[1] = p->has_gain && p->rows != 0 ? p->d : 0;
  extent[2] = p->has_bias && p->rows != 0 ? p->d : 0;
  extent[3] = span (p->rows, p->d, p->ld_y);
  extent[4] = p->kind == TRC_NORM_LAYER ? p->rows : 0;
  extent[5] = p->given_rstd ? rows_wrapped (p->rows, p->x_period) : p->rows;
}

void
trc_extents_norm_vjp (const TrcOpParams *params, guint64 *extent)
{
  const TrcNormParams *p = &params->norm;

  extent[0] = span (p->rows, p->d, p->ld_y);
  extent[1] = p->freeze_scale ? 0 : span_wrapped (p->rows, p->d, p->ld_x, p->x_period);
  extent[2] = p->has_gain && p->rows != 0 ? p->d : 0;
  extent[3] =
      p->kind == TRC_NORM_LAYER && !p->freeze_scale ? rows_wrapped (p->rows, p->x_period) : 0;
  extent[4] = rows_wrapped (p->rows, p->x_period);
  extent[5] = span (p->rows, p->d, p->ld_dx);
}

void
trc_extents_norm_vjp_gain (const TrcOpParams *params, guint64 *extent)
{
  const TrcNormParams *p = &params->norm;

  extent[0] = span (p->rows, p->d, p->ld_y);
  extent[1] = span_wrapped (p->rows, p->d, p->ld_x, p->x_period);
  extent[2] = p->kind == TRC_NORM_LAYER ? rows_wrapped (p->rows, p->x_period) : 0;
  extent[3] = rows_wrapped (p->rows, p->x_period);
  extent[4] = p->d;
  extent[5] = p->d;
}

void
trc_extents_softmax (const TrcOpParams *params, guint64 *extent)
{
  const TrcSoftmaxParams *p = &params->softmax;

  extent[0] = span (p->rows, p->cols, p->ld_x);
  extent[1] = span (p->rows, p->cols, p->ld_y);
}

void
trc_extents_softmax_vjp (const TrcOpParams *params, guint64 *extent)
{
  const TrcSoftmaxParams *p = &params->softmax;

  extent[0] = span (p->rows, p->cols, p->ld_y);
  extent[1] = span_wrapped (p->rows, p->cols, p->ld_y, p->y_period);
  extent[2] = span (p->rows, p->cols, p->ld_x);
}

/* The query-like, key-like and pattern tensors of an attention kernel. */
static void
attn_spans (const TrcAttnParams *p, guint64 *x, guint64 *y, guint64 *pattern)
{
  guint64 x_item = p->n_heads == 0 ? 0 : (p->n_heads - 1) * (guint64)p->x_head + p->d_head;
  guint64 y_item =
      p->n_kv_heads == 0 ? 0 : (p->n_kv_heads - 1) * (guint64)p->y_head + p->d_head;

  if (p->d_head == 0)
    x_item = y_item = 0;
  *x = span_batch (x_item, p->batch, p->x_batch, p->t_q, p->x_row);
  *y = span_batch (y_item, p->batch, p->y_batch, p->t_k, p->y_row);
  *pattern = span (p->batch, (guint64)p->n_heads * p->t_q * p->t_k, p->p_batch);
}

void
trc_extents_attn_to_pattern (const TrcOpParams *params, guint64 *extent)
{
  attn_spans (&params->attn, &extent[0], &extent[1], &extent[2]);
}

void
trc_extents_attn_mix (const TrcOpParams *params, guint64 *extent)
{
  attn_spans (&params->attn, &extent[2], &extent[1], &extent[0]);
}

void
trc_extents_attn_mix_t (const TrcOpParams *params, guint64 *extent)
{
  attn_spans (&params->attn, &extent[1], &extent[2], &extent[0]);
}

void
trc_extents_cross_entropy (const TrcOpParams *params, guint64 *extent)
{
  const TrcCrossEntropyParams *p = &params->cross_entropy;

  extent[0] = span (p->rows, p->cols, p->ld_x);
  extent[1] = p->rows;
  extent[2] = p->rows;
}

void
trc_extents_cross_entropy_vjp (const TrcOpParams *params, guint64 *extent)
{
  const TrcCrossEntropyParams *p = &params->cross_entropy;

  extent[0] = span (p->rows, p->cols, p->ld_x);
  extent[1] = p->rows;
  extent[2] = p->rows == 0 ? 0 : (p->rows - 1) * (guint64)p->step_seed + 1;
  extent[3] = span (p->rows, p->cols, p->ld_dx);
}

void
trc_extents_adamw (const TrcOpParams *params, guint64 *extent)
{
  extent[0] = extent[1] = extent[2] = extent[3] = params->adamw.n;
}

void
trc_extents_rope (const TrcOpParams *params, guint64 *extent)
{
  const TrcRopeParams *p = &params->rope;
  guint64 cols = p->n_heads == 0 ? 0 : (p->n_heads - 1) * (guint64)p->head_stride + p->d_head;
  guint64 positions = rows_wrapped (p->rows, p->period);

  extent[0] = span (p->rows, p->d_head == 0 ? 0 : cols, p->ld_x);
  extent[1] = positions == 0 ? 0 : (p->first + positions) * (guint64)p->n_rot;
  extent[2] = span (p->rows, p->d_head == 0 ? 0 : cols, p->ld_y);
}
