#include "compute/ops/table.h"

#include "compute/cpu/define.h"
#include "compute/cpu/fast.h"

#define R TRC_USE_READ
#define W TRC_USE_WRITE
#define OPT TRC_USE_OPTIONAL
#define I32 TRC_USE_I32
#define PACKED TRC_USE_PACKED

G_STATIC_ASSERT (sizeof (TrcOpParams) <= 128);
G_STATIC_ASSERT (G_STRUCT_OFFSET (TrcMatmulParams, m) == 32);

#define ROW(NAME, PARAMS, EXTENTS, TOLERANCE, ...)                                             \
  {                                                                                            \
    .name = #NAME, .n_tensors = sizeof ((guint8[]){ __VA_ARGS__ }),                            \
    .params_size = sizeof (PARAMS), .use = { __VA_ARGS__ }, .tolerance = TOLERANCE,            \
    .extents = trc_extents_##EXTENTS, .define = trc_define_##NAME                              \
  }

/* In the order of TrcOpId. */
static TrcOpInfo op_table[TRC_N_OPS] = {
  ROW (matmul, TrcMatmulParams, matmul, 1e-10, R, R | PACKED, R | OPT, W),
  ROW (embed, TrcEmbedParams, embed, 0.0, R | PACKED, R | I32, W),
  ROW (embed_vjp, TrcEmbedParams, embed_vjp, 1e-10, R, R | I32, W),
  ROW (axpby, TrcAxpbyParams, axpby, 1e-12, R, W),
  ROW (mul, TrcMulParams, mul, 1e-12, R, R, W),
  ROW (fill, TrcFillParams, fill, 0.0, W),
  ROW (sum_rows, TrcReduceParams, sum_rows, 1e-10, R, W),
  ROW (sum_cols, TrcReduceParams, sum_cols, 1e-10, R, W),
  ROW (dot_rows, TrcReduceParams, dot_rows, 1e-10, R, R, W),
  ROW (act, TrcActParams, act, 1e-10, R, R | OPT, W),
  ROW (act_vjp, TrcActParams, act_vjp, 1e-10, R, R, R | OPT, W | OPT, W | OPT),
  ROW (norm, TrcNormParams, norm, 1e-10, R, R | OPT, R | OPT, W, W | OPT, W),
  ROW (norm_vjp, TrcNormParams, norm_vjp, 1e-10, R, R | OPT, R | OPT, R | OPT, R, W),
  ROW (norm_vjp_gain, TrcNormParams, norm_vjp_gain, 1e-10, R, R, R | OPT, R, W | OPT, W | OPT),
  ROW (softmax, TrcSoftmaxParams, softmax, 1e-10, R, W),
  ROW (softmax_vjp, TrcSoftmaxParams, softmax_vjp, 1e-10, R, R, W),
  ROW (attn_pattern, TrcAttnParams, attn_to_pattern, 1e-10, R, R, W),
  ROW (attn_dots, TrcAttnParams, attn_to_pattern, 1e-10, R, R, W),
  ROW (attn_mix, TrcAttnParams, attn_mix, 1e-10, R, R, W),
  ROW (attn_mix_t, TrcAttnParams, attn_mix_t, 1e-10, R, R, W),
  ROW (cross_entropy, TrcCrossEntropyParams, cross_entropy, 1e-10, R, R | I32, W),
  ROW (cross_entropy_vjp, TrcCrossEntropyParams, cross_entropy_vjp, 1e-10, R, R | I32, R, W),
  ROW (adamw, TrcAdamwParams, adamw, 1e-12, R, W, W, W),
  ROW (rope, TrcRopeParams, rope, 1e-12, R, R, W),
};

const TrcOpInfo *
trc_op_info (TrcOpId op)
{
  static gsize ready = 0;

  g_return_val_if_fail (op < TRC_N_OPS, NULL);
  if (g_once_init_enter (&ready))
    {
      const TrcFastTable *fast = trc_fast_table ();
      for (guint i = 0; i < TRC_N_OPS; i++)
        op_table[i].fast = fast->run[i];
      g_once_init_leave (&ready, 1);
    }
  return &op_table[op];
}
