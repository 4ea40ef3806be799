/* compute/ops/table.h - how far each kernel reaches into its tensors
 *
 * Private to compute/ops. Each function writes one past the last element that the kernel
 * touches in each tensor, counted from off[i]; 0 when it touches none.
 */
#pragma once

#include "compute/ops.h"

G_BEGIN_DECLS

void trc_extents_matmul (const TrcOpParams *params, guint64 *extent);
void trc_extents_embed (const TrcOpParams *params, guint64 *extent);
void trc_extents_embed_vjp (const TrcOpParams *params, guint64 *extent);
void trc_extents_axpby (const TrcOpParams *params, guint64 *extent);
void trc_extents_mul (const TrcOpParams *params, guint64 *extent);
void trc_extents_fill (const TrcOpParams *params, guint64 *extent);
void trc_extents_sum_rows (const TrcOpParams *params, guint64 *extent);
void trc_extents_sum_cols (const TrcOpParams *params, guint64 *extent);
void trc_extents_dot_rows (const TrcOpParams *params, guint64 *extent);
void trc_extents_act (const TrcOpParams *params, guint64 *extent);
void trc_extents_act_vjp (const TrcOpParams *params, guint64 *extent);
void trc_extents_norm (const TrcOpParams *params, guint64 *extent);
void trc_extents_norm_vjp (const TrcOpParams *params, guint64 *extent);
void trc_extents_norm_vjp_gain (const TrcOpParams *params, guint64 *extent);
void trc_extents_softmax (const TrcOpParams *params, guint64 *extent);
void trc_extents_softmax_vjp (const TrcOpParams *params, guint64 *extent);
void trc_extents_attn_to_pattern (const TrcOpParams *params, guint64 *extent);
void trc_extents_attn_mix (const TrcOpParams *params, guint64 *extent);
void trc_extents_attn_mix_t (const TrcOpParams *params, guint64 *extent);
void trc_extents_cross_entropy (const TrcOpParams *params, guint64 *extent);
void trc_extents_cross_entropy_vjp (const TrcOpParams *params, guint64 *extent);
void trc_extents_adamw (const TrcOpParams *params, guint64 *extent);
void trc_extents_rope (const TrcOpParams *params, guint64 *extent);

G_END_DECLS
