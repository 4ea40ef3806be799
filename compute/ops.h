/* compute/ops.h - the kernels: what every device can do, one table row each
 *
 * The lines below are exact definitions; compute/cpu/define_*.c is the same in plain C, and
 * every fast path and shader is tested against it within the row's tolerance (normalised
 * squared error). Differentiable functions built from these are in compute/tape.h.
 *
 * Shapes   A kernel sees its tensors as flat f32 arrays (ids and targets: i32) and takes all
 *          sizes and strides from its params (shaders/include/params.h), so columns of a fused
 *          tensor, rows of a batch and shared (stride 0) operands need no copy. Tensors are
 *          given in the order listed, [name] may be NULL, "->" stands before the outputs. An
 *          output may not overlap another tensor of the call unless it says "in place".
 *          x_ is x read with a period p: x_[i, j] = x[(p ? i % p : i) * ld_x + j].
 *          out := v means out = v, or out += v with accumulate.
 * Errors   trc_op_dispatch(): device trouble, cancellation. A tensor too small for its params,
 *          of another device or another type is a caller's bug: a warning, and nothing runs.
 * Threads  those of the device.
 *
 * matmul       a, b, [bias] -> c
 *              c[o, i] := alpha * op(a[o, i]) op(b[o, i / b_group]) + bias
 *              op(a) is (m, k): a[r * ld_a + s], with trans_a a[s * ld_a + r].
 *              op(b) is (k, n): b[s * ld_b + c], with trans_b b[c * ld_b + s].
 *              bias (n) is added to every row, once, not scaled. k = 0 gives bias or 0.
 *              b may be of a packed type; ld_b and its strides are then whole blocks.
 * embed        table, ids -> out
 *              out[i, j] := table[ids[i], j], i < n, j < d. An id outside [0, n_table) counts
 *              as a row of zeros. The table may be of a packed type, ld_table whole blocks.
 * embed_vjp    dout, ids -> dtable
 *              dtable[r, j] := sum of dout[i, j] over the i with ids[i] = r, in the order of i.
 *              All n_table rows are written.
 * axpby        x -> y
 *              y[i, j] = alpha * x_[i, j] + beta * y[i, j]; y is not read when beta is 0.
 *              Copies, sums, broadcast rows (x_period 1), every n-th row (ld_x).
 * mul          a, b -> out
 *              out[i, j] := alpha * a_[i, j] * b_[i, j * step_b]
 * fill         -> out
 *              out[i, j] = value
 * sum_rows     a -> out            out[i] := alpha * sum over j of a_[i, j]
 * sum_cols     a -> out            out[j] := alpha * sum over i of a_[i, j]
 * dot_rows     a, b -> out         out[i] := alpha * sum over j of a_[i, j] * b_[i, j]
 * act          x, [u] -> y
 *              y[i, j] := f(x_[i, j]), gated: f(x_[i, j]) * u_[i, j].
 *              relu; gelu tanh 0.5 x (1 + tanh (sqrt (2/pi) (x + 0.044715 x^3))); gelu erf
 *              0.5 x (1 + erf (x / sqrt 2)); silu x / (1 + e^-x); identity.
 * act_vjp      dy, x, [u] -> [dx], [du]
 *              dx := h * dy * u_ * s, du := h * dy * f(x_), with u = 1 when not gated.
 *              rule gradient: s = f'(x), h = 1 (relu: f'(0) = 0).
 *              rule half:     s = f'(x), h = 1/2 when gated, else 1.
 *              rule relp:     s = f(x) / x (at 0: relu 0, identity 1, others 1/2), h as half.
 * norm         x, [gain], [bias] -> y, [mean], rstd
 *              layer: mean = average of the row, rstd = 1/sqrt(average of (x - mean)^2 + eps).
 *              rms:   mean = 0 and not stored,   rstd = 1/sqrt(average of x^2 + eps).
 *              y = (x - mean) * rstd * (gain_add + gain) + bias, absent gain: factor 1.
 *              given_rstd: rstd (row i % x_period) is read instead of computed and written.
 * norm_vjp     dy, [x], [gain], [mean], rstd -> dx
 *              With g = dy * (gain_add + gain), n = (x_ - mean_) * rstd_, avg over the row:
 *              layer: dx := rstd_ * (g - avg(g) - n * avg(g * n)), frozen rstd_ * (g - avg(g)).
 *              rms:   dx := rstd_ * (g - n * avg(g * n)),          frozen rstd_ * g.
 *              Frozen: rstd counts as a constant while the mean is still subtracted. x and mean
 *              may be NULL when frozen, mean for rms.
 * norm_vjp_gain  dy, x, [mean], rstd -> [dgain], [dbias]
 *              dgain[j] := sum over i of dy * (x_ - mean_) * rstd_, dbias[j] := that of dy.
 * softmax      x -> y
 *              y[i, :] = softmax (scale * x[i, :]), the largest subtracted. In place allowed.
 * softmax_vjp  dy, y -> dx
 *              dx := scale * y_ * (dy - sum over j of dy * y_). In place of dy allowed without
 *              accumulate.
 *
 * The attention kernels share one params struct. x is query-like (queries, z, their gradients):
 * x[b, i, h] starts at b * x_batch + i * x_row + h * x_head, i < t_q, and has d_head elements.
 * y is key-like (keys, values): y[b, j, g] likewise, j < t_k, g = h / (n_heads / n_kv_heads).
 * p[b, h, i, j] is at b * p_batch + (h * t_q + i) * t_k + j. A pair (i, j) is visible when not
 * causal, or when j <= first + i and (window is 0 or j + window > first + i). Invisible entries
 * of p are never read; attn_pattern and attn_dots write 0 there (accumulate: leave them).
 *
 * attn_pattern x, y -> p           p[b, h, i, :] = softmax over visible j of scale * x . y; a
 *                                  row that sees nothing is all 0
 * attn_dots    x, y -> p           p[b, h, i, j] := scale * x[b, i, h] . y[b, j, g]
 * attn_mix     p, y -> x           x[b, i, h] := scale * sum over j of p[b, h, i, j] y[b, j, g]
 * attn_mix_t   p, x -> y           y[b, j, g] := scale * sum over h of g, then i, of
 *                                  p[b, h, i, j] x[b, i, h]
 *     z = mix (p, v), dv = mix_t (p, dz), dp = dots (dz, v), ds = softmax_vjp (dp, p),
 *     dq = scale * mix (ds, k), dk = scale * mix_t (ds, q).
 *
 * cross_entropy      logits, targets -> loss
 *              loss[i] := log1p (sum over j != t of e^(x_j - x_t)), the largest logit taken out
 *              when it is not the target's, so that tiny losses keep their digits. A target
 *              outside [0, cols) means: ignore the row, loss 0.
 * cross_entropy_vjp  logits, targets, seed -> dlogits
 *              dx[i, j] := seed[i * step_seed] * (p_j - [j = t]), for j = t worked out as minus
 *              the sum of the other p. Ignored rows: 0.
 * adamw        grad -> param, m, v
 *              In place, with g = grad_scale * grad: m = beta1 m + (1 - beta1) g;
 *              v = beta2 v + (1 - beta2) g^2; param = param * (1 - lr * weight_decay)
 *              - lr * (m / correction1) / (sqrt (v / correction2) + eps).
 * rope         x, table -> y
 *              pos = first + (period ? r % period : r) for row r; c, s = table[pos, i, 0 and
 *              1], i < n_rot / 2, inverse: s = -s. The pair (x0, x1) of a head (at r * ld +
 *              h * head_stride) is (i, i + n_rot / 2), interleaved: (2i, 2i + 1).
 *              y0 := x0 c - x1 s, y1 := x0 s + x1 c; columns n_rot .. d_head: y := x.
 *              In place allowed without accumulate.
 */
#pragma once

#include "compute/tensor.h"
#include "shaders/include/params.h"

G_BEGIN_DECLS

typedef enum {
  TRC_OP_MATMUL,
  TRC_OP_EMBED,
  TRC_OP_EMBED_VJP,
  TRC_OP_AXPBY,
  TRC_OP_MUL,
  TRC_OP_FILL,
  TRC_OP_SUM_ROWS,
  TRC_OP_SUM_COLS,
  TRC_OP_DOT_ROWS,
  TRC_OP_ACT,
  TRC_OP_ACT_VJP,
  TRC_OP_NORM,
  TRC_OP_NORM_VJP,
  TRC_OP_NORM_VJP_GAIN,
  TRC_OP_SOFTMAX,
  TRC_OP_SOFTMAX_VJP,
  TRC_OP_ATTN_PATTERN,
  TRC_OP_ATTN_DOTS,
  TRC_OP_ATTN_MIX,
  TRC_OP_ATTN_MIX_T,
  TRC_OP_CROSS_ENTROPY,
  TRC_OP_CROSS_ENTROPY_VJP,
  TRC_OP_ADAMW,
  TRC_OP_ROPE,
  TRC_N_OPS
} TrcOpId;

typedef enum { /* how a kernel uses one of its tensors */
               TRC_USE_READ = 1,
               TRC_USE_WRITE = 2, /* may also be read (accumulate, in place) */
               TRC_USE_OPTIONAL = 4,
               TRC_USE_I32 = 8,     /* else f32 */
               TRC_USE_PACKED = 16, /* f32 or any packed type, whole blocks from off[i] on */
} TrcOpUse;

typedef union {
  TRC_UINT off[TRC_OP_MAX_TENSORS]; /* the first member of every one */
  TrcMatmulParams matmul;
  TrcEmbedParams embed;
  TrcAxpbyParams axpby;
  TrcMulParams mul;
  TrcFillParams fill;
  TrcReduceParams reduce;
  TrcActParams act;
  TrcNormParams norm;
  TrcSoftmaxParams softmax;
  TrcAttnParams attn;
  TrcCrossEntropyParams cross_entropy;
  TrcAdamwParams adamw;
  TrcRopeParams rope;
} TrcOpParams;

/* What a CPU kernel gets: tensor[i] points at element off[i] and is NULL when not given. */
typedef struct {
  void *tensor[TRC_OP_MAX_TENSORS];
  TrcDType dtype[TRC_OP_MAX_TENSORS]; /* of the PACKED ones */
  const TrcOpParams *params;
} TrcKernelArgs;

typedef struct _TrcPool TrcPool; /* the threads of a CPU device */

typedef struct {
  const char *name;               /* as in the list above; also the shader's file name */
  guint8 n_tensors;               /* slots, optional ones included */
  guint8 params_size;             /* bytes of the params struct */
  guint8 use[TRC_OP_MAX_TENSORS]; /* TrcOpUse */
  double tolerance; /* limit of the normalised squared error of fast path and shader */
  /* One past the last element touched in each tensor, from off[i]; 0 for none. */
  void (*extents) (const TrcOpParams *params, guint64 extent[TRC_OP_MAX_TENSORS]);
  void (*define) (const TrcKernelArgs *args);              /* plain, sums in double */
  void (*fast) (const TrcKernelArgs *args, TrcPool *pool); /* what the CPU device runs */
} TrcOpInfo;

typedef struct {
  TrcOpId op;
  TrcTensor *tensor[TRC_OP_MAX_TENSORS]; /* borrowed, in the order of the list above */
  TrcOpParams params;                    /* off[] relative to each tensor's first element */
} TrcOpCall;

/* The table row of an op. */
const TrcOpInfo *trc_op_info (TrcOpId op);

/* Queues one kernel on the device of its tensors. */
gboolean trc_op_dispatch (const TrcOpCall *call, GError **error);

/* --- the same, typed: one a kernel; arguments in the order of the list above ----------------
 */

/* c := alpha op(a) op(b) + bias. */
gboolean trc_op_matmul (TrcTensor *a, TrcTensor *b, TrcTensor *bias, TrcTensor *c,
                        const TrcMatmulParams *params, GError **error);

/* out := rows of @table. */
gboolean trc_op_embed (TrcTensor *table, TrcTensor *ids, TrcTensor *out,
                       const TrcEmbedParams *params, GError **error);

/* dtable := sums of the rows of @dout by id. */
gboolean trc_op_embed_vjp (TrcTensor *dout, TrcTensor *ids, TrcTensor *dtable,
                           const TrcEmbedParams *params, GError **error);

/* y = alpha x + beta y. */
gboolean
trc_op_axpby (TrcTensor *x, TrcTensor *y, const TrcAxpbyParams *params, GError **error);

/* out := alpha a b. */
gboolean trc_op_mul (TrcTensor *a, TrcTensor *b, TrcTensor *out, const TrcMulParams *params,
                     GError **error);

/* out = value. */
gboolean trc_op_fill (TrcTensor *out, const TrcFillParams *params, GError **error);

/* out[i] := alpha times the sum of row i. */
gboolean
trc_op_sum_rows (TrcTensor *a, TrcTensor *out, const TrcReduceParams *params, GError **error);

/* out[j] := alpha times the sum of column j. */
gboolean
trc_op_sum_cols (TrcTensor *a, TrcTensor *out, const TrcReduceParams *params, GError **error);

/* out[i] := alpha times the inner product of rows i. */
gboolean trc_op_dot_rows (TrcTensor *a, TrcTensor *b, TrcTensor *out,
                          const TrcReduceParams *params, GError **error);

/* y := f(x), or f(x) u when gated. */
gboolean trc_op_act (TrcTensor *x, TrcTensor *u, TrcTensor *y, const TrcActParams *params,
                     GError **error);

/* dx, du := pulled back through act by the rule of @params. */
gboolean trc_op_act_vjp (TrcTensor *dy, TrcTensor *x, TrcTensor *u, TrcTensor *dx,
                         TrcTensor *du, const TrcActParams *params, GError **error);

/* y = LayerNorm or RMSNorm of x, keeping mean and rstd. */
gboolean trc_op_norm (TrcTensor *x, TrcTensor *gain, TrcTensor *bias, TrcTensor *y,
                      TrcTensor *mean, TrcTensor *rstd, const TrcNormParams *params,
                      GError **error);

/* dx := pulled back through norm, with the scale frozen or not. */
gboolean trc_op_norm_vjp (TrcTensor *dy, TrcTensor *x, TrcTensor *gain, TrcTensor *mean,
                          TrcTensor *rstd, TrcTensor *dx, const TrcNormParams *params,
                          GError **error);

/* dgain, dbias := gradients of the norm's parameters. */
gboolean trc_op_norm_vjp_gain (TrcTensor *dy, TrcTensor *x, TrcTensor *mean, TrcTensor *rstd,
                               TrcTensor *dgain, TrcTensor *dbias, const TrcNormParams *params,
                               GError **error);

/* y := softmax of the rows of x. */
gboolean
trc_op_softmax (TrcTensor *x, TrcTensor *y, const TrcSoftmaxParams *params, GError **error);

/* dx := pulled back through softmax. */
gboolean trc_op_softmax_vjp (TrcTensor *dy, TrcTensor *y, TrcTensor *dx,
                             const TrcSoftmaxParams *params, GError **error);

/* p = attention pattern of queries and keys. */
gboolean trc_op_attn_pattern (TrcTensor *q, TrcTensor *k, TrcTensor *p,
                              const TrcAttnParams *params, GError **error);

/* p := scale x . y for visible pairs. */
gboolean trc_op_attn_dots (TrcTensor *x, TrcTensor *y, TrcTensor *p,
                           const TrcAttnParams *params, GError **error);

/* x := rows of y mixed by p. */
gboolean trc_op_attn_mix (TrcTensor *p, TrcTensor *y, TrcTensor *x, const TrcAttnParams *params,
                          GError **error);

/* y := rows of x mixed by p transposed. */
gboolean trc_op_attn_mix_t (TrcTensor *p, TrcTensor *x, TrcTensor *y,
                            const TrcAttnParams *params, GError **error);

/* loss := cross-entropy of every row. */
gboolean trc_op_cross_entropy (TrcTensor *logits, TrcTensor *targets, TrcTensor *loss,
                               const TrcCrossEntropyParams *params, GError **error);

/* dlogits := seed (softmax - target). */
gboolean trc_op_cross_entropy_vjp (TrcTensor *logits, TrcTensor *targets, TrcTensor *seed,
                                   TrcTensor *dlogits, const TrcCrossEntropyParams *params,
                                   GError **error);

/* y := x rotated by the angles of @table. */
gboolean trc_op_rope (TrcTensor *x, TrcTensor *table, TrcTensor *y, const TrcRopeParams *params,
                      GError **error);

typedef struct {
  double lr, beta1, beta2, eps, weight_decay;
} TrcAdamw;

/* One AdamW update of all of @param, @m and @v (zeros at first); @step counts from 1. */
gboolean trc_op_adamw (TrcTensor *grad, TrcTensor *param, TrcTensor *m, TrcTensor *v,
                       const TrcAdamw *settings, guint64 step, GError **error);

/* --- common cases of whole tensors ----------------------------------------------------------
 */

/* dst = src, f32, same count. */
gboolean trc_op_copy (TrcTensor *src, TrcTensor *dst, GError **error);

/* y += alpha x, same count. */
gboolean trc_op_add_scaled (TrcTensor *x, float alpha, TrcTensor *y, GError **error);

/* All elements = value. */
gboolean trc_op_set (TrcTensor *out, float value, GError **error);

G_END_DECLS
