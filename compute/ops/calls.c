#include "compute/ops.h"

#include <math.h>

/* Dispatches @OP with the tensors listed, PARAMS going into the union's member MEMBER. */
#define CALL(OP, MEMBER, PARAMS, ...)                                                          \
  trc_op_dispatch (                                                                            \
      &(TrcOpCall){ .op = OP, .tensor = { __VA_ARGS__ }, .params.MEMBER = *(PARAMS) }, error)

gboolean
trc_op_matmul (TrcTensor *a, TrcTensor *b, TrcTensor *bias, TrcTensor *c,
               const TrcMatmulParams *params, GError **error)
{
  return CALL (TRC_OP_MATMUL, matmul, params, a, b, bias, c);
}

gboolean
trc_op_embed (TrcTensor *table, TrcTensor *ids, TrcTensor *out, const TrcEmbedParams *params,
              GError **error)
{
  return CALL (TRC_OP_EMBED, embed, params, table, ids, out);
}

gboolean
trc_op_embed_vjp (TrcTensor *dout, TrcTensor *ids, TrcTensor *dtable,
                  const TrcEmbedParams *params, GError **error)
{
  return CALL (TRC_OP_EMBED_VJP, embed, params, dout, ids, dtable);
}

gboolean
trc_op_axpby (TrcTensor *x, TrcTensor *y, const TrcAxpbyParams *params, GError **error)
{
  return CALL (TRC_OP_AXPBY, axpby, params, x, y);
}

gboolean
trc_op_mul (TrcTensor *a, TrcTensor *b, TrcTensor *out, const TrcMulParams *params,
            GError **error)
{
  return CALL (TRC_OP_MUL, mul, params, a, b, out);
}

gboolean
trc_op_fill (TrcTensor *out, const TrcFillParams *params, GError **error)
{
  return CALL (TRC_OP_FILL, fill, params, out);
}

gboolean
trc_op_sum_rows (TrcTensor *a, TrcTensor *out, const TrcReduceParams *params, GError **error)
{
  return CALL (TRC_OP_SUM_ROWS, reduce, params, a, out);
}

gboolean
trc_op_sum_cols (TrcTensor *a, TrcTensor *out, const TrcReduceParams *params, GError **error)
{
  return CALL (TRC_OP_SUM_COLS, reduce, params, a, out);
}

gboolean
trc_op_dot_rows (TrcTensor *a, TrcTensor *b, TrcTensor *out, const TrcReduceParams *params,
                 GError **error)
{
  return CALL (TRC_OP_DOT_ROWS, reduce, params, a, b, out);
}

gboolean
trc_op_act (TrcTensor *x, TrcTensor *u, TrcTensor *y, const TrcActParams *params,
            GError **error)
{
  return CALL (TRC_OP_ACT, act, params, x, u, y);
}

gboolean
trc_op_act_vjp (TrcTensor *dy, TrcTensor *x, TrcTensor *u, TrcTensor *dx, TrcTensor *du,
                const TrcActParams *params, GError **error)
{
  return CALL (TRC_OP_ACT_VJP, act, params, dy, x, u, dx, du);
}

gboolean
trc_op_norm (TrcTensor *x, TrcTensor *gain, TrcTensor *bias, TrcTensor *y, TrcTensor *mean,
             TrcTensor *rstd, const TrcNormParams *params, GError **error)
{
  return CALL (TRC_OP_NORM, norm, params, x, gain, bias, y, mean, rstd);
}

gboolean
trc_op_norm_vjp (TrcTensor *dy, TrcTensor *x, TrcTensor *gain, TrcTensor *mean, TrcTensor *rstd,
                 TrcTensor *dx, const TrcNormParams *params, GError **error)
{
  return CALL (TRC_OP_NORM_VJP, norm, params, dy, x, gain, mean, rstd, dx);
}

gboolean
trc_op_norm_vjp_gain (TrcTensor *dy, TrcTensor *x, TrcTensor *mean, TrcTensor *rstd,
                      TrcTensor *dgain, TrcTensor *dbias, const TrcNormParams *params,
                      GError **error)
{
  return CALL (TRC_OP_NORM_VJP_GAIN, norm, params, dy, x, mean, rstd, dgain, dbias);
}

gboolean
trc_op_softmax (TrcTensor *x, TrcTensor *y, const TrcSoftmaxParams *params, GError **error)
{
  return CALL (TRC_OP_SOFTMAX, softmax, params, x, y);
}

gboolean
trc_op_softmax_vjp (TrcTensor *dy, TrcTensor *y, TrcTensor *dx, const TrcSoftmaxParams *params,
                    GError **error)
{
  return CALL (TRC_OP_SOFTMAX_VJP, softmax, params, dy, y, dx);
}

gboolean
trc_op_attn_pattern (TrcTensor *q, TrcTensor *k, TrcTensor *p, const TrcAttnParams *params,
                     GError **error)
{
  return CALL (TRC_OP_ATTN_PATTERN, attn, params, q, k, p);
}

gboolean
trc_op_attn_dots (TrcTensor *x, TrcTensor *y, TrcTensor *p, const TrcAttnParams *params,
                  GError **error)
{
  return CALL (TRC_OP_ATTN_DOTS, attn, params, x, y, p);
}

gboolean
trc_op_attn_mix (TrcTensor *p, TrcTensor *y, TrcTensor *x, const TrcAttnParams *params,
                 GError **error)
{
  return CALL (TRC_OP_ATTN_MIX, attn, params, p, y, x);
}

gboolean
trc_op_attn_mix_t (TrcTensor *p, TrcTensor *x, TrcTensor *y, const TrcAttnParams *params,
                   GError **error)
{
  return CALL (TRC_OP_ATTN_MIX_T, attn, params, p, x, y);
}

gboolean
trc_op_cross_entropy (TrcTensor *logits, TrcTensor *targets, TrcTensor *loss,
                      const TrcCrossEntropyParams *params, GError **error)
{
  return CALL (TRC_OP_CROSS_ENTROPY, cross_entropy, params, logits, targets, loss);
}

gboolean
trc_op_cross_entropy_vjp (TrcTensor *logits, TrcTensor *targets, TrcTensor *seed,
                          TrcTensor *dlogits, const TrcCrossEntropyParams *params,
                          GError **error)
{
  return CALL (TRC_OP_CROSS_ENTROPY_VJP, cross_entropy, params, logits, targets, seed, dlogits);
}

gboolean
trc_op_rope (TrcTensor *x, TrcTensor *table, TrcTensor *y, const TrcRopeParams *params,
             GError **error)
{
  return CALL (TRC_OP_ROPE, rope, params, x, table, y);
}

gboolean
trc_op_adamw (TrcTensor *grad, TrcTensor *param, TrcTensor *m, TrcTensor *v,
              const TrcAdamw *settings, guint64 step, GError **error)
{
  g_return_val_if_fail (step >= 1 && trc_tensor_n (param) <= G_MAXUINT32, FALSE);
  TrcAdamwParams params = {
    .n = (guint32)trc_tensor_n (param),
    .lr = (float)settings->lr,
    .beta1 = (float)settings->beta1,
    .beta2 = (float)settings->beta2,
    .eps = (float)settings->eps,
    .weight_decay = (float)settings->weight_decay,
    .correction1 = (float)(1.0 - pow (settings->beta1, (double)step)),
    .correction2 = (float)(1.0 - pow (settings->beta2, (double)step)),
    .grad_scale = 1.0f,
  };
  return CALL (TRC_OP_ADAMW, adamw, &params, grad, param, m, v);
}

/* A whole tensor as one row: 32-bit sizes hold 16 GiB of f32. */
static gboolean
whole (TrcTensor *tensor, guint32 *n)
{
  g_return_val_if_fail (trc_tensor_n (tensor) <= G_MAXUINT32, FALSE);
  *n = (guint32)trc_tensor_n (tensor);
  return TRUE;
}

gboolean
trc_op_copy (TrcTensor *src, TrcTensor *dst, GError **error)
{
  TrcAxpbyParams params = { .rows = 1, .alpha = 1.0f };

  g_return_val_if_fail (trc_tensor_n (src) == trc_tensor_n (dst), FALSE);
  if (!whole (src, &params.cols))
    return FALSE;
  params.ld_x = params.ld_y = params.cols;
  return trc_op_axpby (src, dst, &params, error);
}

gboolean
trc_op_add_scaled (TrcTensor *x, float alpha, TrcTensor *y, GError **error)
{
  TrcAxpbyParams params = { .rows = 1, .alpha = alpha, .beta = 1.0f };

  g_return_val_if_fail (trc_tensor_n (x) == trc_tensor_n (y), FALSE);
  if (!whole (x, &params.cols))
    return FALSE;
  params.ld_x = params.ld_y = params.cols;
  return trc_op_axpby (x, y, &params, error);
}

gboolean
trc_op_set (TrcTensor *out, float value, GError **error)
{
  TrcFillParams params = { .rows = 1, .value = value };

  if (!whole (out, &params.cols))
    return FALSE;
  params.ld = params.cols;
  return trc_op_fill (out, &params, error);
}
