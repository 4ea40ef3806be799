#include "compute/tape/tape_impl.h"

/* --- matrix products ---------------------------------------------------------------------- */

typedef struct {
  TrcTensor *a, *b, *bias, *c;
  gboolean trans_a, trans_b;
  guint32 m, n, k;
  float alpha;
  guint32 accumulate;
} Product;

static guint32
rows_of (const TrcTensor *tensor)
{
  guint32 cols = trc_tensor_dim (tensor, -1);
  TrcShape shape = trc_tensor_shape (tensor);
  guint32 rows = 1;

  for (guint i = 0; cols != 0 && i + 1 < shape.n_axes; i++)
    rows *= shape.dim[i];
  return rows;
}

/* c := alpha op(a) op(b) + bias for whole tensors; their last axes are the leading dimensions. */
static void
run_product (TrcTape *tape, const Product *x)
{
  trc_tape_run (tape, &(TrcOpCall){ .op = TRC_OP_MATMUL,
                                    .tensor = { x->a, x->b, x->bias, x->c },
                                    .params.matmul = { .m = x->m,
                                                       .n = x->n,
                                                       .k = x->k,
                                                       .ld_a = trc_tensor_dim (x->a, -1),
                                                       .ld_b = trc_tensor_dim (x->b, -1),
                                                       .ld_c = trc_tensor_dim (x->c, -1),
                                                       .trans_a = x->trans_a,
                                                       .trans_b = x->trans_b,
                                                       .accumulate = x->accumulate,
                                                       .has_bias = x->bias != NULL,
                                                       .alpha = x->alpha,
                                                       .n_outer = 1,
                                                       .n_inner = 1,
                                                       .b_group = 1 } });
}

/* With C = alpha op(A) op(B):  dA is alpha dC op(B)', transposed when A was; dB likewise. */
static void
matmul_back (TrcTape *tape, TrcNode *node)
{
  const TrcMatmulParams *p = &node->params.matmul;
  TrcTensor *a = trc_tape_tensor (tape, node->in[0]), *b = trc_tape_tensor (tape, node->in[1]);
  gboolean ta = p->trans_a != 0, tb = p->trans_b != 0;
  Product x = { .alpha = p->alpha };

  if ((x.c = trc_tape_grad_for (tape, node->in[0], &x.accumulate)) != NULL)
    {
      x.a = ta ? b : node->grad, x.trans_a = ta ? tb : FALSE;
      x.b = ta ? node->grad : b, x.trans_b = ta ? TRUE : !tb;
      x.m = ta ? p->k : p->m, x.n = ta ? p->m : p->k, x.k = p->n;
      run_product (tape, &x);
    }
  if ((x.c = trc_tape_grad_for (tape, node->in[1], &x.accumulate)) != NULL)
    {
      x.a = tb ? node->grad : a, x.trans_a = tb ? TRUE : !ta;
      x.b = tb ? a : node->grad, x.trans_b = tb ? ta : FALSE;
      x.m = tb ? p->n : p->k, x.n = tb ? p->k : p->n, x.k = p->m;
      run_product (tape, &x);
    }
  if ((x.c = trc_tape_grad_for (tape, node->in[2], &x.accumulate)) != NULL)
    trc_tape_run (tape, &(TrcOpCall){ .op = TRC_OP_SUM_COLS,
                                      .tensor = { node->grad, x.c },
                                      .params.reduce = { .rows = p->m,
                                                         .cols = p->n,
                                                         .ld_a = p->n,
                                                         .accumulate = x.accumulate,
                                                         .alpha = 1.0f } });
}

static TrcVar
push_product (TrcTape *self, TrcVar a, gboolean trans_a, TrcVar b, gboolean trans_b,
              TrcVar bias, float alpha, const char *label)
{
  TrcNode node = { .back = matmul_back, .in = { a, b, bias } };
  Product x = { .trans_a = trans_a, .trans_b = trans_b, .alpha = alpha };
  TrcVar vars[3] = { a, b, bias };

  if (!trc_tape_ready (self, bias != TRC_VAR_NONE ? 3 : 2, vars))
    return TRC_VAR_NONE;
  x.a = trc_tape_tensor (self, a), x.b = trc_tape_tensor (self, b);
  x.bias = trc_tape_tensor (self, bias);
  x.m = trans_a ? trc_tensor_dim (x.a, -1) : rows_of (x.a);
  x.k = trans_a ? rows_of (x.a) : trc_tensor_dim (x.a, -1);
  x.n = trans_b ? rows_of (x.b) : trc_tensor_dim (x.b, -1);
  if (x.k != (trans_b ? trc_tensor_dim (x.b, -1) : rows_of (x.b))
      || (x.bias != NULL && trc_tensor_n (x.bias) != x.n))
    return trc_tape_misfit (self, label);
  node.tensor = x.c = trc_tape_out (self, TRC_SHAPE (x.m, x.n), label);
  node.params.matmul = (TrcMatmulParams){
    .m = x.m, .n = x.n, .k = x.k, .trans_a = trans_a, .trans_b = trans_b, .alpha = alpha
  };
  if (x.c != NULL)
    run_product (self, &x);
  return trc_tape_push (self, &node);
}

TrcVar
trc_tape_matmul (TrcTape *self, TrcVar a, gboolean trans_a, TrcVar b, gboolean trans_b,
                 float alpha)
{
  return push_product (self, a, trans_a, b, trans_b, TRC_VAR_NONE, alpha, "matmul");
}

TrcVar
trc_tape_linear (TrcTape *self, TrcVar x, TrcVar w, gboolean trans_w, TrcVar bias)
{
  return push_product (self, x, FALSE, w, trans_w, bias, 1.0f, "linear");
}

/* --- rows of a table ---------------------------------------------------------------------- */

static void
embed_back (TrcTape *tape, TrcNode *node)
{
  TrcOpCall call = { .op = TRC_OP_EMBED_VJP, .params = node->params };

  call.tensor[0] = node->grad;
  call.tensor[1] = node->saved[0];
  call.tensor[2] = trc_tape_grad_for (tape, node->in[0], &call.params.embed.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_embed (TrcTape *self, TrcVar table, TrcTensor *ids)
{
  TrcNode node = { .back = embed_back, .in = { table } };
  TrcEmbedParams *p = &node.params.embed;

  if (!trc_tape_ready (self, 1, &table))
    return TRC_VAR_NONE;
  p->n = (guint32)trc_tensor_n (ids);
  p->d = p->ld_table = p->ld_out = trc_tape_cols_of (self, table);
  p->n_table = trc_tape_rows_of (self, table);
  node.tensor = trc_tape_out (self, TRC_SHAPE (p->n, p->d), "embed");
  node.saved[0] = trc_tensor_ref (ids);
  if (node.tensor != NULL)
    trc_tape_run (self,
                  &(TrcOpCall){ .op = TRC_OP_EMBED,
                                .tensor = { trc_tape_tensor (self, table), ids, node.tensor },
                                .params = node.params });
  return trc_tape_push (self, &node);
}

/* --- sums and multiples ------------------------------------------------------------------- */

/* y = alpha x + beta y for @rows rows of @cols, x with a period. */
static void
run_axpby (TrcTape *tape, TrcTensor *x, TrcTensor *y, const TrcAxpbyParams *params)
{
  trc_tape_run (
      tape, &(TrcOpCall){ .op = TRC_OP_AXPBY, .tensor = { x, y }, .params.axpby = *params });
}

/* y = alpha x, or y += alpha x. */
static void
run_scaled (TrcTape *tape, TrcTensor *x, float alpha, TrcTensor *y, guint32 accumulate)
{
  guint32 n = (guint32)trc_tensor_n (x);

  run_axpby (tape, x, y,
             &(TrcAxpbyParams){ .rows = 1,
                                .cols = n,
                                .ld_x = n,
                                .ld_y = n,
                                .alpha = alpha,
                                .beta = accumulate ? 1.0f : 0.0f });
}

static void
add_back (TrcTape *tape, TrcNode *node)
{
  const TrcAxpbyParams *p = &node->params.axpby;
  guint32 accumulate = 0, period = p->x_period;
  TrcTensor *db = trc_tape_grad_for (tape, node->in[1], &accumulate);

  if (db != NULL && period == p->rows)
    run_scaled (tape, node->grad, p->alpha, db, accumulate);
  else if (db != NULL)
    trc_tape_run (tape, &(TrcOpCall){ .op = TRC_OP_SUM_COLS,
                                      .tensor = { node->grad, db },
                                      .params.reduce = { .rows = p->rows / period,
                                                         .cols = period * p->cols,
                                                         .ld_a = period * p->cols,
                                                         .accumulate = accumulate,
                                                         .alpha = p->alpha } });
  if (!trc_tape_grad_move (tape, node, node->in[0]))
    {
      TrcTensor *da = trc_tape_grad_for (tape, node->in[0], &accumulate);
      if (da != NULL)
        run_scaled (tape, node->grad, 1.0f, da, accumulate);
    }
}

TrcVar
trc_tape_add_scaled (TrcTape *self, TrcVar a, float beta, TrcVar b)
{
  TrcNode node = { .back = add_back, .in = { a, b } };
  TrcVar vars[2] = { a, b };
  guint32 rows, cols, period;

  if (!trc_tape_ready (self, 2, vars))
    return TRC_VAR_NONE;
  rows = trc_tape_rows_of (self, a), cols = trc_tape_cols_of (self, a);
  period = trc_tape_rows_of (self, b);
  if (cols != trc_tape_cols_of (self, b) || period > rows
      || (period == 0 ? rows != 0 : rows % period != 0))
    return trc_tape_misfit (self, "trc_tape_add_scaled");
  node.tensor = trc_tape_out (self, trc_tensor_shape (trc_tape_tensor (self, a)), "sum");
  node.params.axpby = (TrcAxpbyParams){ .rows = rows,
                                        .cols = cols,
                                        .ld_x = cols,
                                        .ld_y = cols,
                                        .x_period = period,
                                        .alpha = beta,
                                        .beta = 1.0f };
  if (node.tensor != NULL)
    {
      run_scaled (self, trc_tape_tensor (self, a), 1.0f, node.tensor, FALSE);
      run_axpby (self, trc_tape_tensor (self, b), node.tensor, &node.params.axpby);
    }
  return trc_tape_push (self, &node);
}

TrcVar
trc_tape_add (TrcTape *self, TrcVar a, TrcVar b)
{
  return trc_tape_add_scaled (self, a, 1.0f, b);
}

static void
scale_back (TrcTape *tape, TrcNode *node)
{
  guint32 accumulate = 0;
  TrcTensor *dx = trc_tape_grad_for (tape, node->in[0], &accumulate);

  if (dx != NULL)
    run_scaled (tape, node->grad, node->params.axpby.alpha, dx, accumulate);
}

TrcVar
trc_tape_scale (TrcTape *self, TrcVar a, float alpha)
{
  TrcNode node = { .back = scale_back, .in = { a }, .params.axpby.alpha = alpha };

  if (!trc_tape_ready (self, 1, &a))
    return TRC_VAR_NONE;
  node.tensor = trc_tape_out (self, trc_tensor_shape (trc_tape_tensor (self, a)), "multiple");
  if (node.tensor != NULL)
    run_scaled (self, trc_tape_tensor (self, a), alpha, node.tensor, FALSE);
  return trc_tape_push (self, &node);
}

/* --- products ----------------------------------------------------------------------------- */

/* out := a * b over all elements; with @by_one, b is a single factor. */
static void
run_mul (TrcTape *tape, TrcTensor *a, TrcTensor *b, gboolean by_one, TrcTensor *out,
         guint32 accumulate)
{
  guint32 n = (guint32)trc_tensor_n (a);

  trc_tape_run (tape, &(TrcOpCall){ .op = TRC_OP_MUL,
                                    .tensor = { a, b, out },
                                    .params.mul = { .rows = 1,
                                                    .cols = n,
                                                    .ld_a = n,
                                                    .ld_b = n,
                                                    .ld_out = n,
                                                    .step_b = !by_one,
                                                    .accumulate = accumulate,
                                                    .alpha = 1.0f } });
}

/* Of mul and dot: each factor gets the other times what came back. */
static void
mul_back (TrcTape *tape, TrcNode *node)
{
  for (guint i = 0; i < 2; i++)
    {
      guint32 accumulate = 0;
      TrcTensor *other = trc_tape_tensor (tape, node->in[1 - i]);
      TrcTensor *grad = trc_tape_grad_for (tape, node->in[i], &accumulate);
      if (grad != NULL)
        run_mul (tape, other, node->grad, node->flag, grad, accumulate);
    }
}

TrcVar
trc_tape_mul (TrcTape *self, TrcVar a, TrcVar b)
{
  TrcNode node = { .back = mul_back, .in = { a, b } };
  TrcVar vars[2] = { a, b };

  if (!trc_tape_ready (self, 2, vars))
    return TRC_VAR_NONE;
  if (trc_tensor_n (trc_tape_tensor (self, a)) != trc_tensor_n (trc_tape_tensor (self, b)))
    return trc_tape_misfit (self, "trc_tape_mul");
  node.tensor = trc_tape_out (self, trc_tensor_shape (trc_tape_tensor (self, a)), "product");
  if (node.tensor != NULL)
    run_mul (self, trc_tape_tensor (self, a), trc_tape_tensor (self, b), FALSE, node.tensor,
             FALSE);
  return trc_tape_push (self, &node);
}

TrcVar
trc_tape_dot (TrcTape *self, TrcVar a, TrcVar b)
{
  TrcNode node = { .back = mul_back, .in = { a, b }, .flag = TRUE };
  TrcVar vars[2] = { a, b };
  guint32 n;

  if (!trc_tape_ready (self, 2, vars))
    return TRC_VAR_NONE;
  n = (guint32)trc_tensor_n (trc_tape_tensor (self, a));
  if (n != trc_tensor_n (trc_tape_tensor (self, b)))
    return trc_tape_misfit (self, "trc_tape_dot");
  node.tensor = trc_tape_out (self, TRC_SHAPE (1), "dot");
  if (node.tensor != NULL)
    trc_tape_run (
        self,
        &(TrcOpCall){
            .op = TRC_OP_DOT_ROWS,
            .tensor = { trc_tape_tensor (self, a), trc_tape_tensor (self, b), node.tensor },
            .params.reduce = { .rows = 1, .cols = n, .ld_a = n, .ld_b = n, .alpha = 1.0f } });
  return trc_tape_push (self, &node);
}

/* --- rows and sums ------------------------------------------------------------------------ */

static void
rows_back (TrcTape *tape, TrcNode *node)
{
  const TrcAxpbyParams *p = &node->params.axpby;
  TrcTensor *dx = trc_tape_grad_part (tape, node->in[0]);

  if (dx != NULL)
    run_axpby (tape, node->grad, dx,
               &(TrcAxpbyParams){ .off = { 0, p->off[0] },
                                  .rows = p->rows,
                                  .cols = p->cols,
                                  .ld_x = p->cols,
                                  .ld_y = p->ld_x,
                                  .alpha = 1.0f,
                                  .beta = 1.0f });
}

TrcVar
trc_tape_rows (TrcTape *self, TrcVar x, guint32 first, guint32 step, guint32 n)
{
  TrcNode node = { .back = rows_back, .in = { x } };
  guint32 cols;

  if (!trc_tape_ready (self, 1, &x))
    return TRC_VAR_NONE;
  cols = trc_tape_cols_of (self, x);
  if (n > 0 && first + (guint64)(n - 1) * step >= trc_tape_rows_of (self, x))
    return trc_tape_misfit (self, "trc_tape_rows");
  node.tensor = trc_tape_out (self, TRC_SHAPE (n, cols), "rows");
  node.params.axpby = (TrcAxpbyParams){ .off = { first * cols },
                                        .rows = n,
                                        .cols = cols,
                                        .ld_x = step * cols,
                                        .ld_y = cols,
                                        .alpha = 1.0f };
  if (node.tensor != NULL)
    run_axpby (self, trc_tape_tensor (self, x), node.tensor, &node.params.axpby);
  return trc_tape_push (self, &node);
}

static void
sum_back (TrcTape *tape, TrcNode *node)
{
  guint32 accumulate = 0;
  TrcTensor *dx = trc_tape_grad_for (tape, node->in[0], &accumulate);

  if (dx != NULL)
    run_axpby (tape, node->grad, dx,
               &(TrcAxpbyParams){ .rows = (guint32)trc_tensor_n (dx),
                                  .cols = 1,
                                  .ld_y = 1,
                                  .alpha = node->params.reduce.alpha,
                                  .beta = accumulate ? 1.0f : 0.0f });
}

TrcVar
trc_tape_sum (TrcTape *self, TrcVar x, float alpha)
{
  TrcNode node = { .back = sum_back, .in = { x }, .params.reduce.alpha = alpha };
  guint32 n;

  if (!trc_tape_ready (self, 1, &x))
    return TRC_VAR_NONE;
  n = (guint32)trc_tensor_n (trc_tape_tensor (self, x));
  node.tensor = trc_tape_out (self, TRC_SHAPE (1), "total");
  if (node.tensor != NULL)
    trc_tape_run (self, &(TrcOpCall){ .op = TRC_OP_SUM_ROWS,
                                      .tensor = { trc_tape_tensor (self, x), node.tensor },
                                      .params.reduce = {
                                          .rows = 1, .cols = n, .ld_a = n, .alpha = alpha } });
  return trc_tape_push (self, &node);
}
