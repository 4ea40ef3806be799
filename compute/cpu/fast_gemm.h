/* compute/cpu/fast_gemm.h - matrix products with weights in a file's own type
 *
 * Private to compute/cpu; compiled once per variant.
 *
 * One register tile does everything: MR rows of P, each element broadcast, times NR
 * columns of V, so that MR x NR sums stay in registers. P is copied (or expanded
 * from its quantised blocks) MR rows at a time into a buffer that fits the first
 * cache; V is read where it lies. Which operand plays which part is chosen so that
 * weights are never transposed:
 *
 *   op(B) = B^T (rows of weights x activations, the forward pass): P = rows of B,
 *   V = A^T, packed once for all rows; the product comes out transposed and is
 *   turned while it is stored.
 *   op(B) = B (the pull-back): P = rows of op(A), V = rows of B.
 *
 * Each sum runs over k in blocks of TRC_GEMM_KC in a fixed order, whoever computes
 * it.
 */
#pragma once

#include "compute/base/packed.h"
#include "compute/cpu/fast_impl.h"

G_BEGIN_DECLS

enum { TRC_GEMM_KC = 256 }; /* a multiple of every quantised block */

/* C (m, n) += alpha op(A) (m, k) op(B) (k, n). */
typedef struct {
  gsize m, n, k;
  float alpha;
  const float *a;
  gsize ld_a; /* elements */
  gboolean trans_a;
  const guint8 *b;
  TrcDType b_type;
  gsize ld_b; /* elements of a stored row: a whole number of blocks */
  gboolean trans_b;
  float *c;
  gsize ld_c;
} TrcGemm;

/* Expands @n elements (whole blocks) of @dtype. */
void TRC_FAST (expand) (TrcDType dtype, const guint8 *in, gsize n, float *out);

/* Runs the product; @pool NULL: on the calling thread alone. */
void TRC_FAST (gemm) (const TrcGemm *g, TrcPool *pool);

G_END_DECLS
