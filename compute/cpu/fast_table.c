#include "compute/cpu/fast_impl.h"

extern const TrcFastTable TRC_FAST (table);

/* In the order of TrcOpId. */
const TrcFastTable TRC_FAST (table) = {
  .name = TRC_FAST_NAME,
  .run = { TRC_FAST (matmul),        TRC_FAST (embed),
           TRC_FAST (embed_vjp),     TRC_FAST (axpby),
           TRC_FAST (mul),           TRC_FAST (fill),
           TRC_FAST (sum_rows),      TRC_FAST (sum_cols),
           TRC_FAST (dot_rows),      TRC_FAST (act),
           TRC_FAST (act_vjp),       TRC_FAST (norm),
           TRC_FAST (norm_vjp),      TRC_FAST (norm_vjp_gain),
           TRC_FAST (softmax),       TRC_FAST (softmax_vjp),
           TRC_FAST (attn_pattern),  TRC_FAST (attn_dots),
           TRC_FAST (attn_mix),      TRC_FAST (attn_mix_t),
           TRC_FAST (cross_entropy), TRC_FAST (cross_entropy_vjp),
           TRC_FAST (adamw),         TRC_FAST (rope) },
};
