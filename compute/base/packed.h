/* compute/base/packed.h - the element types of weight files, block by block
 *
 * A row of a quantised tensor is a run of blocks; each holds `block` elements in
 * `bytes` bytes. Numbers are little endian, scales f16. With d, m scale and
 * minimum, q the stored integer:
 *
 *   Q8_0  32 in 34:  d, 32 x i8                      x = d q
 *   Q4_0  32 in 18:  d, 16 x (low, high nibble)      x = d (q - 8)
 *   Q4_1  32 in 20:  d, m, 16 nibble pairs           x = d q + m
 *   Q5_0  32 in 22:  d, 32 high bits, 16 pairs       x = d (q - 16)
 *   Q5_1  32 in 24:  d, m, 32 high bits, 16 pairs    x = d q + m
 *   Q4_K 256 in 144: d, dmin, 8 x (6-bit scale, 6-bit min), 128 nibble pairs
 *   Q5_K 256 in 176: the same with 256 high bits
 *   Q6_K 256 in 210: 4 low bits, 2 high bits, 16 x i8 scale, d     x = d s (q - 32)
 *
 * In the 32-element types element i sits in the low nibble of byte i, element
 * i + 16 in its high nibble.
 *
 * These readable routines are the definition that faster kernels are tested
 * against.
 */
#pragma once

#include "compute/tensor.h"

G_BEGIN_DECLS

/* Expands @n elements of @dtype (whole blocks; not I32) from @data to @out. */
void trc_packed_expand (TrcDType dtype, const guint8 *data, gsize n, float *out);

/* Packs @n elements (whole blocks) into F32, F16, BF16, Q8_0, Q4_0 or Q4_1, rounding to
 * nearest; FALSE for other types. For benchmarks and tests. */
gboolean trc_packed_write (TrcDType dtype, const float *in, gsize n, guint8 *out);

/* Float to IEEE half, round to nearest even. The other way is in half.h. */
guint16 trc_float_to_half (float f);

G_END_DECLS
