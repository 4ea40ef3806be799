/* compute/cpu/fast_impl.h - what the fast_*.c files share
 *
 * Private to compute/cpu; included once per variant (TRC_FAST gives its names). Vectors of
 * eight floats are written with the compiler's vector types, which become one AVX or two SSE
 * registers. Every sum has a fixed order that does not depend on the threads.
 */
#pragma once

#include "compute/cpu/fast.h"
#include "compute/cpu/pool.h"

#include <math.h>
#include <string.h>

#ifndef TRC_FAST
#define TRC_FAST(name) trc_fast_base_##name
#define TRC_FAST_NAME "base"
#endif

/* Pieces of pointwise work smaller than this are not worth waking a thread. */
#define GRAIN_ELEMENTS 16384

typedef float V8 __attribute__ ((vector_size (32), aligned (4), may_alias));

static inline V8
v8_load (const float *p)
{
  return *(const V8 *)(const void *)p;
}

static inline float
v8_sum (V8 v)
{
  return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

static inline float
dot (const float *a, const float *b, gsize n)
{
  V8 s0 = { 0 }, s1 = { 0 }, s2 = { 0 }, s3 = { 0 };
  float tail = 0.0f;
  gsize i = 0;

  for (; i + 32 <= n; i += 32)
    {
      s0 += v8_load (a + i) * v8_load (b + i);
      s1 += v8_load (a + i + 8) * v8_load (b + i + 8);
      s2 += v8_load (a + i + 16) * v8_load (b + i + 16);
      s3 += v8_load (a + i + 24) * v8_load (b + i + 24);
    }
  for (; i + 8 <= n; i += 8)
    s0 += v8_load (a + i) * v8_load (b + i);
  for (; i < n; i++)
    tail += a[i] * b[i];
  return v8_sum ((s0 + s1) + (s2 + s3)) + tail;
}

static inline float
sum (const float *a, gsize n)
{
  V8 s0 = { 0 }, s1 = { 0 };
  float tail = 0.0f;
  gsize i = 0;

  for (; i + 16 <= n; i += 16)
    {
      s0 += v8_load (a + i);
      s1 += v8_load (a + i + 8);
    }
  for (; i < n; i++)
    tail += a[i];
  return v8_sum (s0 + s1) + tail;
}

static inline float
sum_of_squares (const float *a, float mean, gsize n)
{
  V8 s0 = { 0 }, s1 = { 0 };
  float tail = 0.0f;
  gsize i = 0;

  for (; i + 16 <= n; i += 16)
    {
      V8 d0 = v8_load (a + i) - mean, d1 = v8_load (a + i + 8) - mean;
      s0 += d0 * d0;
      s1 += d1 * d1;
    }
  for (; i < n; i++)
    tail += (a[i] - mean) * (a[i] - mean);
  return v8_sum (s0 + s1) + tail;
}

/* A sum of many: blocks of 4096 in float, the blocks in double. */
static inline double
long_sum (const float *a, gsize n)
{
  double total = 0.0;

  for (gsize i = 0; i < n; i += 4096)
    total += sum (a + i, MIN ((gsize)4096, n - i));
  return total;
}

static inline double
long_dot (const float *a, const float *b, gsize n)
{
  double total = 0.0;

  for (gsize i = 0; i < n; i += 4096)
    total += dot (a + i, b + i, MIN ((gsize)4096, n - i));
  return total;
}

static inline void
axpy (float alpha, const float *restrict x, float *restrict y, gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] += alpha * x[i];
}

/* --- vectors as wide as the processor's, for functions ------------------------------------- */

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

typedef float VF __attribute__ ((vector_size (4 * LANES), aligned (4), may_alias));
typedef gint32 VI __attribute__ ((vector_size (4 * LANES), aligned (4), may_alias));

/* The next LANES of @n floats, or all that are left and zeros. */
static inline VF
vf_get (const float *p, gsize n)
{
  VF v = { 0 };

  if (n >= LANES)
    return *(const VF *)(const void *)p;
  memcpy (&v, p, n * sizeof *p);
  return v;
}

static inline void
vf_put (float *p, VF v, gsize n)
{
  if (n >= LANES)
    *(VF *)(void *)p = v;
  else
    memcpy (p, &v, n * sizeof *p);
}

/* Lane by lane @a where @mask is -1, @b where it is 0. */
static inline VF
vf_select (VI mask, VF a, VF b)
{
  return (VF)(((VI)a & mask) | ((VI)b & ~mask));
}

/* e^x to about one unit in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, then a Taylor
 * polynomial of r, then 2^n put into the exponent. 0 below -87, e^88 above 88, NaN stays. */
static inline VF
vf_exp (VF x)
{
  const VF zero = { 0 };
  VF c = vf_select (x < 88.0f, x, zero + 88.0f); /* NaN too, until the end */
  c = vf_select (c > -87.0f, c, zero - 87.0f);
  VI n = __builtin_convertvector(
      c * 1.44269504088896341f + vf_select (c < 0.0f, zero - 0.5f, zero + 0.5f), VI);
  VF m = __builtin_convertvector(n, VF);
  VF r = c - m * 0.693359375f;
  r = r + m * 2.12194440054690583e-4f;
  VF y = zero + 1.0f / 5040.0f;
  y = y * r + 1.0f / 720.0f;
  y = y * r + 1.0f / 120.0f;
  y = y * r + 1.0f / 24.0f;
  y = y * r + 1.0f / 6.0f;
  y = y * r + 0.5f;
  y = y * r + 1.0f;
  y = y * r + 1.0f;
  y = y * (VF)((n + 127) << 23);
  y = vf_select (x < -87.0f, zero, y);
  return vf_select (x == x, y, x);
}

static inline float
largest (const float *x, gsize n)
{
  float top = -INFINITY;
  gsize i = 0;

  if (n >= LANES)
    {
      VF v = vf_get (x, n);
      for (i = LANES; i + LANES <= n; i += LANES)
        {
          VF w = vf_get (x + i, LANES);
          v = vf_select (w > v, w, v);
        }
      for (guint k = 0; k < LANES; k++)
        top = v[k] > top ? v[k] : top;
    }
  for (; i < n; i++)
    top = x[i] > top ? x[i] : top;
  return top;
}

/* y := e^(scale * x - top); x and y may be the same. */
G_GNUC_UNUSED static void
exp_all (const float *x, float scale, float top, float *y, gsize n)
{
  for (gsize i = 0; i < n; i += LANES)
    vf_put (y + i, vf_exp (scale * vf_get (x + i, n - i) - top), n - i);
}

/* Calls @func for blocks of a (rows, cols) sheet: rows are shared out, or columns when
 * there are few rows. */
typedef void (*TrcCellFunc) (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data);

typedef struct {
  TrcCellFunc func;
  gconstpointer data;
  gsize rows, cols;
  gboolean by_cols;
} TrcCells;

static void
run_cells_piece (gsize first, gsize last, gpointer data)
{
  const TrcCells *c = data;

  if (c->by_cols)
    c->func (0, c->rows, first, last, c->data);
  else
    c->func (first, last, 0, c->cols, c->data);
}

G_GNUC_UNUSED static void
run_cells (TrcPool *pool, gsize rows, gsize cols, TrcCellFunc func, gconstpointer data)
{
  TrcCells c = { func, data, rows, cols, rows < 8 && cols > rows };

  if (rows == 0 || cols == 0)
    return;
  trc_pool_run (pool, c.by_cols ? cols : rows, 1 + GRAIN_ELEMENTS / (c.by_cols ? rows : cols),
                run_cells_piece, &c);
}

/* The same by rows only, for kernels that need whole rows. */
G_GNUC_UNUSED static void
run_rows (TrcPool *pool, gsize rows, gsize cols, TrcPoolFunc func, gconstpointer data)
{
  trc_pool_run (pool, rows, 1 + GRAIN_ELEMENTS / MAX (cols, 1), func, (gpointer)data);
}

static inline gsize
wrap (gsize i, guint32 period)
{
  return period != 0 ? i % period : i;
}

void TRC_FAST (matmul) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (embed) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (embed_vjp) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (axpby) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (mul) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (fill) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (sum_rows) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (sum_cols) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (dot_rows) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (act) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (act_vjp) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (norm) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (norm_vjp) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (norm_vjp_gain) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (softmax) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (softmax_vjp) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (attn_pattern) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (attn_dots) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (attn_mix) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (attn_mix_t) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (cross_entropy) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (cross_entropy_vjp) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (adamw) (const TrcKernelArgs *args, TrcPool *pool);
void TRC_FAST (rope) (const TrcKernelArgs *args, TrcPool *pool);
