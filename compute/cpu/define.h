/* compute/cpu/define.h - the definition of every kernel, in plain C
 *
 * Private to compute. Written to be read: no blocking, no threads, sums in double. What
 * the arguments mean is in compute/ops.h. The same source is compiled once more for double
 * tensors by the tests (TRC_REAL, TRC_DEFINE), to take finite differences.
 */
#pragma once

#include "compute/ops.h"

G_BEGIN_DECLS

#ifndef TRC_REAL
#define TRC_REAL float
#define TRC_DEFINE(name) trc_define_##name
#endif

void TRC_DEFINE (matmul) (const TrcKernelArgs *args);
void TRC_DEFINE (embed) (const TrcKernelArgs *args);
void TRC_DEFINE (embed_vjp) (const TrcKernelArgs *args);
void TRC_DEFINE (axpby) (const TrcKernelArgs *args);
void TRC_DEFINE (mul) (const TrcKernelArgs *args);
void TRC_DEFINE (fill) (const TrcKernelArgs *args);
void TRC_DEFINE (sum_rows) (const TrcKernelArgs *args);
void TRC_DEFINE (sum_cols) (const TrcKernelArgs *args);
void TRC_DEFINE (dot_rows) (const TrcKernelArgs *args);
void TRC_DEFINE (act) (const TrcKernelArgs *args);
void TRC_DEFINE (act_vjp) (const TrcKernelArgs *args);
void TRC_DEFINE (norm) (const TrcKernelArgs *args);
void TRC_DEFINE (norm_vjp) (const TrcKernelArgs *args);
void TRC_DEFINE (norm_vjp_gain) (const TrcKernelArgs *args);
void TRC_DEFINE (softmax) (const TrcKernelArgs *args);
void TRC_DEFINE (softmax_vjp) (const TrcKernelArgs *args);
void TRC_DEFINE (attn_pattern) (const TrcKernelArgs *args);
void TRC_DEFINE (attn_dots) (const TrcKernelArgs *args);
void TRC_DEFINE (attn_mix) (const TrcKernelArgs *args);
void TRC_DEFINE (attn_mix_t) (const TrcKernelArgs *args);
void TRC_DEFINE (cross_entropy) (const TrcKernelArgs *args);
void TRC_DEFINE (cross_entropy_vjp) (const TrcKernelArgs *args);
void TRC_DEFINE (adamw) (const TrcKernelArgs *args);
void TRC_DEFINE (rope) (const TrcKernelArgs *args);

G_END_DECLS
