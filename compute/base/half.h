/* compute/base/half.h - 16-bit floats to f32
 *
 * Private to compute. Exact for every value, denormals and NaN included.
 */
#pragma once

#include <glib.h>
#include <string.h>

/* IEEE half precision to f32. */
static inline float
trc_half_to_float (guint16 half)
{
  guint32 sign = (guint32)(half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 31, fraction = half & 1023, bits;
  float value;

  if (exponent == 0)
    {
      value = (float)fraction * 0x1p-24f;
      return sign != 0 ? -value : value;
    }
  bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
  memcpy (&value, &bits, 4);
  return value;
}

/* bfloat16 to f32. */
static inline float
trc_bfloat_to_float (guint16 half)
{
  guint32 bits = (guint32)half << 16;
  float value;

  memcpy (&value, &bits, 4);
  return value;
}
