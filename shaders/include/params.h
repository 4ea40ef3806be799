/* shaders/include/params.h - the push constants of every kernel, read by C and by GLSL
 *
 * compute/ops.h says what each kernel does with them.
 *
 * Layout   Only 32-bit members, so that C and std430 agree without padding.
 *          off[i] is the element in the buffer of tensor i at which the kernel starts;
 *          callers give offsets within their tensor, trc_op_dispatch() adds the tensor's own.
 *          At most 128 bytes, the smallest maxPushConstantsSize that Vulkan allows.
 * Units    Every size, stride, leading dimension (ld_*) and period counts elements or rows.
 *          A period p means: row i of the output reads row i % p; 0 means i itself.
 * Flags    0 or 1. `accumulate` 1 adds to the output, 0 overwrites it without reading it.
 */
#ifndef TRC_SHADERS_PARAMS_H
#define TRC_SHADERS_PARAMS_H

#ifdef GL_core_profile
#define TRC_UINT uint
#else
#include <stdint.h>
#define TRC_UINT uint32_t
#endif

#define TRC_OP_MAX_TENSORS 8

/* TrcActParams.kind */
#define TRC_ACT_RELU 0
#define TRC_ACT_GELU_TANH 1
#define TRC_ACT_GELU_ERF 2
#define TRC_ACT_SILU 3
#define TRC_ACT_IDENTITY 4

/* TrcActParams.rule */
#define TRC_RULE_GRADIENT 0
#define TRC_RULE_RELP 1
#define TRC_RULE_HALF 2

/* TrcNormParams.kind */
#define TRC_NORM_LAYER 0
#define TRC_NORM_RMS 1

struct TrcMatmulParams
{
  TRC_UINT off[8];
  TRC_UINT m, n, k;
  TRC_UINT ld_a, ld_b, ld_c;
  TRC_UINT trans_a, trans_b;
  TRC_UINT accumulate, has_bias;
  float alpha;
  TRC_UINT n_outer, n_inner; /* batch (o, i); both at least 1, 0 is an empty batch */
  TRC_UINT a_outer, a_inner; /* strides of the batch, 0 to share */
  TRC_UINT b_outer, b_inner;
  TRC_UINT c_outer, c_inner;
  TRC_UINT b_group; /* the inner index of B is i / b_group; at least 1 */
};

struct TrcEmbedParams
{
  TRC_UINT off[8];
  TRC_UINT n, d, n_table;
  TRC_UINT ld_table, ld_out;
  TRC_UINT accumulate;
};

struct TrcAxpbyParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_x, ld_y;
  TRC_UINT x_period;
  float alpha, beta;
};

struct TrcMulParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_a, ld_b, ld_out;
  TRC_UINT a_period, b_period;
  TRC_UINT step_b; /* 1: elementwise; 0: one factor per row, at row * ld_b */
  TRC_UINT accumulate;
  float alpha;
};

struct TrcFillParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols, ld;
  float value;
};

struct TrcReduceParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_a, ld_b;
  TRC_UINT a_period, b_period;
  TRC_UINT accumulate;
  float alpha;
};

struct TrcActParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_x, ld_u, ld_y; /* ld_y also of dy */
  TRC_UINT ld_dx, ld_du;
  TRC_UINT x_period; /* rows of x and u */
  TRC_UINT kind, rule;
  TRC_UINT gated;
  TRC_UINT accumulate;
};

struct TrcNormParams
{
  TRC_UINT off[8];
  TRC_UINT rows, d;
  TRC_UINT ld_x, ld_y; /* ld_y also of dy */
  TRC_UINT ld_dx;
  TRC_UINT x_period; /* rows of x, mean and rstd in the vector-Jacobian product */
  TRC_UINT kind;
  TRC_UINT has_gain, has_bias;
  TRC_UINT freeze_scale;
  TRC_UINT given_rstd;
  TRC_UINT accumulate;
  float eps;
  float gain_add; /* the gain is gain_add + gain[j]: 0, or 1 for models that store gain - 1 */
};

struct TrcSoftmaxParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_x, ld_y; /* ld_x also of dx; ld_y also of dy */
  TRC_UINT y_period;
  TRC_UINT accumulate;
  float scale;
};

struct TrcAttnParams
{
  TRC_UINT off[8];
  TRC_UINT batch, n_heads, n_kv_heads;
  TRC_UINT t_q, t_k, d_head;
  TRC_UINT x_batch, x_row, x_head; /* strides of the query-like tensor */
  TRC_UINT y_batch, y_row, y_head; /* strides of the key-like tensor */
  TRC_UINT p_batch;                /* stride of a (n_heads, t_q, t_k) block, 0 to share */
  TRC_UINT causal, first, window;
  TRC_UINT accumulate;
  float scale;
};

struct TrcCrossEntropyParams
{
  TRC_UINT off[8];
  TRC_UINT rows, cols;
  TRC_UINT ld_x, ld_dx;
  TRC_UINT step_seed; /* 1: one seed per row; 0: one for all */
  TRC_UINT accumulate;
};

struct TrcAdamwParams
{
  TRC_UINT off[8];
  TRC_UINT n;
  float lr, beta1, beta2, eps, weight_decay;
  float correction1, correction2; /* 1 - beta^step */
  float grad_scale;
};

struct TrcRopeParams
{
  TRC_UINT off[8];
  TRC_UINT rows, n_heads, d_head, n_rot;
  TRC_UINT ld_x, ld_y;
  TRC_UINT head_stride;
  TRC_UINT first, period; /* position of row r: first + r % period */
  TRC_UINT interleaved, inverse;
  TRC_UINT accumulate;
};

#ifndef GL_core_profile
typedef struct TrcMatmulParams TrcMatmulParams;
typedef struct TrcEmbedParams TrcEmbedParams;
typedef struct TrcAxpbyParams TrcAxpbyParams;
typedef struct TrcMulParams TrcMulParams;
typedef struct TrcFillParams TrcFillParams;
typedef struct TrcReduceParams TrcReduceParams;
typedef struct TrcActParams TrcActParams;
typedef struct TrcNormParams TrcNormParams;
typedef struct TrcSoftmaxParams TrcSoftmaxParams;
typedef struct TrcAttnParams TrcAttnParams;
typedef struct TrcCrossEntropyParams TrcCrossEntropyParams;
typedef struct TrcAdamwParams TrcAdamwParams;
typedef struct TrcRopeParams TrcRopeParams;
#endif

#endif
