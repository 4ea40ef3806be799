#include "compute/base/packed.h"

#include "compute/base/half.h"

#include <math.h>
#include <string.h>

guint16
trc_float_to_half (float f)
{
  guint32 bits;

  memcpy (&bits, &f, 4);
  guint32 sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000)
    return sign | 0x7e00;
  if (rest >= 0x47800000)
    return sign | 0x7c00;
  if (rest < 0x38800000) /* subnormal half: the value counts in units of 2^-24 */
    return sign | (guint16)lrintf (fabsf (f) * 0x1p24f);
  return sign | (guint16)((rest - 0x38000000 + 0xfff + (rest >> 13 & 1)) >> 13);
}

static float
f16_at (const guint8 *p)
{
  guint16 h;

  memcpy (&h, p, 2);
  return trc_half_to_float (GUINT16_FROM_LE (h));
}

static guint32
u32_at (const guint8 *p)
{
  guint32 v;

  memcpy (&v, p, 4);
  return GUINT32_FROM_LE (v);
}

static void
expand_f32 (const guint8 *in, float *out)
{
  guint32 bits = u32_at (in);

  memcpy (out, &bits, 4);
}

static void
expand_f16 (const guint8 *in, float *out)
{
  *out = f16_at (in);
}

static void
expand_bf16 (const guint8 *in, float *out)
{
  *out = trc_bfloat_to_float ((guint16)(in[0] | in[1] << 8));
}

static void
expand_q8_0 (const guint8 *in, float *out)
{
  float d = f16_at (in);

  for (int i = 0; i < 32; i++)
    out[i] = d * (gint8)in[2 + i];
}

/* The four nibble types differ in offset, minimum and the fifth bit. */
static void
expand_nibbles (const guint8 *pairs, guint32 high, float d, float m, int offset, float *out)
{
  for (int i = 0; i < 16; i++)
    {
      int low = (pairs[i] & 15) | (int)(high >> i & 1) << 4;
      int top = pairs[i] >> 4 | (int)(high >> (i + 16) & 1) << 4;
      out[i] = d * (float)(low - offset) + m;
      out[i + 16] = d * (float)(top - offset) + m;
    }
}

static void
expand_q4_0 (const guint8 *in, float *out)
{
  expand_nibbles (in + 2, 0, f16_at (in), 0, 8, out);
}

static void
expand_q4_1 (const guint8 *in, float *out)
{
  expand_nibbles (in + 4, 0, f16_at (in), f16_at (in + 2), 0, out);
}

static void
expand_q5_0 (const guint8 *in, float *out)
{
  expand_nibbles (in + 6, u32_at (in + 2), f16_at (in), 0, 16, out);
}

static void
expand_q5_1 (const guint8 *in, float *out)
{
  expand_nibbles (in + 8, u32_at (in + 4), f16_at (in), f16_at (in + 2), 0, out);
}

/* Scale and minimum of sub-block @j: 6 bits each, packed in 12 bytes. Sub-blocks
 * 0-3 have a byte each; 4-7 take a nibble and two bits left over from 0-3. */
static void
k_scale_min (const guint8 *s, int j, int *scale, int *min)
{
  if (j < 4)
    {
      *scale = s[j] & 63;
      *min = s[j + 4] & 63;
    }
  else
    {
      *scale = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4;
      *min = s[j + 4] >> 4 | (s[j] >> 6) << 4;
    }
}

/* Q4_K and Q5_K: @high is NULL for four bits, else 32 bytes in which bit 2j of
 * byte i belongs to element i of sub-block 2j. */
static void
expand_k45 (const guint8 *in, const guint8 *high, const guint8 *pairs, float *out)
{
  float d = f16_at (in), dmin = f16_at (in + 2);

  for (int j = 0; j < 8; j++)
    {
      int scale, min;
      k_scale_min (in + 4, j, &scale, &min);
      for (int i = 0; i < 32; i++)
        {
          int q = pairs[j / 2 * 32 + i] >> (j % 2 * 4) & 15;
          if (high != NULL)
            q |= (high[i] >> j & 1) << 4;
          out[j * 32 + i] = d * (float)scale * (float)q - dmin * (float)min;
        }
    }
}

static void
expand_q4_k (const guint8 *in, float *out)
{
  expand_k45 (in, NULL, in + 16, out);
}

static void
expand_q5_k (const guint8 *in, float *out)
{
  expand_k45 (in, in + 16, in + 48, out);
}

static void
expand_q6_k (const guint8 *in, float *out)
{
  float d = f16_at (in + 208);

  for (int i = 0; i < 256; i++)
    {
      int half = i / 128, quarter = i % 128 / 32, k = i % 32;
      guint8 low = in[half * 64 + quarter % 2 * 32 + k];
      guint8 high = in[128 + half * 32 + k];
      int q = (low >> (quarter / 2 * 4) & 15) | (high >> (quarter * 2) & 3) << 4;
      out[i] = d * (float)(gint8)in[192 + i / 16] * (float)(q - 32);
    }
}

/* One block of each type. */
static void (*const expand_block[TRC_N_DTYPES]) (const guint8 *in, float *out) = {
  [TRC_F32] = expand_f32,   [TRC_F16] = expand_f16,   [TRC_BF16] = expand_bf16,
  [TRC_Q8_0] = expand_q8_0, [TRC_Q4_0] = expand_q4_0, [TRC_Q4_1] = expand_q4_1,
  [TRC_Q5_0] = expand_q5_0, [TRC_Q5_1] = expand_q5_1, [TRC_Q4_K] = expand_q4_k,
  [TRC_Q5_K] = expand_q5_k, [TRC_Q6_K] = expand_q6_k,
};

void
trc_packed_expand (TrcDType dtype, const guint8 *data, gsize n, float *out)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);

  g_return_if_fail (expand_block[dtype] != NULL && n % info->block_elements == 0);
  for (gsize i = 0; i < n; i += info->block_elements, data += info->block_bytes)
    expand_block[dtype](data, out + i);
}

static void
put_f16 (guint8 *out, float f)
{
  guint16 h = GUINT16_TO_LE (trc_float_to_half (f));

  memcpy (out, &h, 2);
}

static void
pack_q8_0 (const float *in, guint8 *out)
{
  float largest = 0;

  for (int i = 0; i < 32; i++)
    largest = MAX (largest, fabsf (in[i]));
  put_f16 (out, largest / 127);
  for (int i = 0; i < 32; i++)
    out[2 + i] = (guint8)(gint8)(largest == 0 ? 0 : lrintf (in[i] / largest * 127));
}

/* Q4_0: the value of largest magnitude becomes -8. */
static void
pack_q4_0 (const float *in, guint8 *out)
{
  float extreme = 0;

  for (int i = 0; i < 32; i++)
    if (fabsf (in[i]) > fabsf (extreme))
      extreme = in[i];
  float d = extreme / -8, inverse = d == 0 ? 0 : 1 / d;
  put_f16 (out, d);
  for (int i = 0; i < 16; i++)
    out[2 + i] = (guint8)(CLAMP (lrintf (in[i] * inverse) + 8, 0, 15)
                          | CLAMP (lrintf (in[i + 16] * inverse) + 8, 0, 15) << 4);
}

static void
pack_q4_1 (const float *in, guint8 *out)
{
  float low = in[0], high = in[0];

  for (int i = 1; i < 32; i++)
    {
      low = MIN (low, in[i]);
      high = MAX (high, in[i]);
    }
  float d = (high - low) / 15, inverse = d == 0 ? 0 : 1 / d;
  put_f16 (out, d);
  put_f16 (out + 2, low);
  for (int i = 0; i < 16; i++)
    out[4 + i] = (guint8)(CLAMP (lrintf ((in[i] - low) * inverse), 0, 15)
                          | CLAMP (lrintf ((in[i + 16] - low) * inverse), 0, 15) << 4);
}

static void
pack_one (TrcDType dtype, float f, guint8 *out)
{
  guint32 bits;

  memcpy (&bits, &f, 4);
  if (dtype == TRC_F16)
    put_f16 (out, f);
  else if (dtype == TRC_BF16)
    {
      guint16 top = GUINT16_TO_LE ((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
      memcpy (out, &top, 2);
    }
  else
    {
      bits = GUINT32_TO_LE (bits);
      memcpy (out, &bits, 4);
    }
}

gboolean
trc_packed_write (TrcDType dtype, const float *in, gsize n, guint8 *out)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);

  g_return_val_if_fail (n % info->block_elements == 0, FALSE);
  for (gsize i = 0; i < n; i += info->block_elements, out += info->block_bytes)
    switch (dtype)
      {
      case TRC_F32:
      case TRC_F16:
      case TRC_BF16:
        pack_one (dtype, in[i], out);
        break;
      case TRC_Q8_0:
        pack_q8_0 (in + i, out);
        break;
      case TRC_Q4_0:
        pack_q4_0 (in + i, out);
        break;
      case TRC_Q4_1:
        pack_q4_1 (in + i, out);
        break;
      default:
        return FALSE;
      }
  return TRUE;
}
