#include "compute/cpu/fast_gemm.h"

#include "compute/base/half.h"

#if defined(__AVX512F__)
enum { WIDTH = 16, MR = 12 };
#elif defined(__AVX__)
enum { WIDTH = 8, MR = 6 };
#else
enum { WIDTH = 4, MR = 4 };
#endif

#if defined(__F16C__)
#include <immintrin.h>
#endif

enum {
  KC = TRC_GEMM_KC,
  NR = 2 * WIDTH,      /* columns of a tile */
  GROUP = 8 * MR,      /* rows of P that share a walk over V */
  BLOCK = 256,         /* columns of V in one walk: KC x BLOCK floats fit the second cache */
  PANELS = BLOCK / NR, /* tiles side by side in a block */
};

typedef float Vec __attribute__ ((vector_size (WIDTH * 4), aligned (4), may_alias));

/* What one thread needs to work in. */
typedef struct {
  float p[MR * KC];
  float v[KC * NR];
  float sums[GROUP * BLOCK];
  float expanded[KC * BLOCK];
} Scratch;

/* One scratch a thread, kept: a fresh one would cost page faults each time. */
static Scratch *
scratch (void)
{
  static GPrivate key = G_PRIVATE_INIT (g_aligned_free);
  Scratch *s = g_private_get (&key);

  if (s == NULL)
    {
      s = g_aligned_alloc (1, sizeof *s, 64);
      g_private_set (&key, s);
    }
  return s;
}

/* out[MR][NR] += alpha p v for @kc steps; p has rows KC apart. */
static void
tile (gsize kc, const float *p, const float *v, gsize ld_v, float alpha, float *out,
      gsize ld_out)
{
  Vec s0[MR] = { 0 }, s1[MR] = { 0 };

  for (gsize k = 0; k < kc; k++)
    {
      Vec v0 = *(const Vec *)(v + k * ld_v), v1 = *(const Vec *)(v + k * ld_v + WIDTH);
#pragma GCC unroll 12
      for (int r = 0; r < MR; r++)
        {
          float x = p[r * KC + k];
          s0[r] += x * v0;
          s1[r] += x * v1;
        }
    }
#pragma GCC unroll 12
  for (int r = 0; r < MR; r++)
    {
      *(Vec *)(out + r * ld_out) += alpha * s0[r];
      *(Vec *)(out + r * ld_out + WIDTH) += alpha * s1[r];
    }
}

/* A tile of which only (rows, cols) are wanted. */
static void
edge_tile (gsize kc, const float *p, const float *v, gsize ld_v, float alpha, gsize rows,
           gsize cols, float *out, gsize ld_out)
{
  float whole[MR * NR] = { 0 };

  tile (kc, p, v, ld_v, alpha, whole, NR);
  for (gsize r = 0; r < rows; r++)
    for (gsize c = 0; c < cols; c++)
      out[r * ld_out + c] += whole[r * NR + c];
}

/* --- reading weights --- */

static void
expand_f16 (const guint8 *in, gsize n, float *out)
{
  gsize i = 0;

#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps (out + i,
                      _mm256_cvtph_ps (_mm_loadu_si128 ((const __m128i *)(in + 2 * i))));
#endif
  for (; i < n; i++)
    out[i] = trc_half_to_float ((guint16)(in[2 * i] | in[2 * i + 1] << 8));
}

static float
scale_at (const guint8 *in)
{
#if defined(__F16C__)
  return _cvtsh_ss ((unsigned short)(in[0] | in[1] << 8));
#else
  return trc_half_to_float ((guint16)(in[0] | in[1] << 8));
#endif
}

static void
expand_q8_0 (const guint8 *in, gsize n, float *out)
{
  for (gsize i = 0; i < n; i += 32, in += 34)
    {
      float d = scale_at (in);
      const gint8 *q = (const gint8 *)in + 2;
      for (int j = 0; j < 32; j++)
        out[i + j] = d * (float)q[j];
    }
}

/* Q4_0 (offset 8, no minimum) and Q4_1 (minimum m). */
static void
expand_q4 (const guint8 *in, gsize n, gboolean with_min, float *out)
{
  gsize head = with_min ? 4 : 2;

  for (gsize i = 0; i < n; i += 32, in += head + 16)
    {
      float d = scale_at (in), m = with_min ? scale_at (in + 2) : -8 * d;
      const guint8 *q = in + head;
      for (int j = 0; j < 16; j++)
        {
          out[i + j] = d * (float)(q[j] & 15) + m;
          out[i + j + 16] = d * (float)(q[j] >> 4) + m;
        }
    }
}

void
TRC_FAST (expand) (TrcDType dtype, const guint8 *in, gsize n, float *out)
{
  switch (dtype)
    {
    case TRC_F32:
      memcpy (out, in, n * 4);
      break;
    case TRC_F16:
      expand_f16 (in, n, out);
      break;
    case TRC_BF16:
      for (gsize i = 0; i < n; i++)
        out[i] = trc_bfloat_to_float ((guint16)(in[2 * i] | in[2 * i + 1] << 8));
      break;
    case TRC_Q8_0:
      expand_q8_0 (in, n, out);
      break;
    case TRC_Q4_0:
    case TRC_Q4_1:
      expand_q4 (in, n, dtype == TRC_Q4_1, out);
      break;
    default:
      trc_packed_expand (dtype, in, n, out);
    }
}

/* Elements [first, first + n) of stored row @row of B; @first is a whole number of blocks. Where
 * the end is not, the rest of its block is expanded too: rows and buffers are whole blocks. */
static void
expand (const TrcGemm *g, gsize row, gsize first, gsize n, float *out)
{
  const TrcDTypeInfo *info = trc_dtype_info (g->b_type);
  gsize block = (row * g->ld_b + first) / info->block_elements;
  gsize whole = (n + info->block_elements - 1) / info->block_elements * info->block_elements;

  TRC_FAST (expand) (g->b_type, g->b + block * info->block_bytes, whole, out);
}

/* The pieces of a job, on the pool or here. */
static void
run_pieces (TrcPool *pool, gsize n, gsize grain, TrcPoolFunc func, gpointer data)
{
  if (pool != NULL)
    trc_pool_run (pool, n, grain, func, data);
  else
    func (0, n, data);
}

/* --- op(B) = B^T: rows of weights times columns of activations --- */

typedef struct {
  const TrcGemm *g;
  float *packed; /* A^T: panels of NR tokens, k rows of NR floats each */
  gsize n_panels;
} Turned;

static void
pack_panel (gsize first, gsize last, gpointer data)
{
  const Turned *t = data;
  const TrcGemm *g = t->g;

  for (gsize panel = first; panel < last; panel++)
    {
      float *out = t->packed + panel * g->k * NR;
      gsize m0 = panel * NR, n = MIN (g->m - m0, (gsize)NR);
      if (n < NR)
        memset (out, 0, g->k * NR * sizeof *out);
      for (gsize k = 0; k < g->k && g->trans_a; k++)
        memcpy (out + k * NR, g->a + k * g->ld_a + m0, n * sizeof *out);
      for (gsize i = 0; i < n && !g->trans_a; i++)
        for (gsize k = 0; k < g->k; k++)
          out[k * NR + i] = g->a[(m0 + i) * g->ld_a + k];
    }
}

/* The sums of GROUP rows of B with the tokens of one block, into scratch. */
static void
turned_sums (const Turned *t, gsize n0, gsize rows, gsize panel0, gsize panels, Scratch *s)
{
  const TrcGemm *g = t->g;

  memset (s->sums, 0, sizeof s->sums);
  for (gsize k0 = 0; k0 < g->k; k0 += KC)
    {
      gsize kc = MIN (g->k - k0, (gsize)KC);
      for (gsize r0 = 0; r0 < rows; r0 += MR)
        {
          for (gsize r = 0; r < MR && r0 + r < rows; r++)
            expand (g, n0 + r0 + r, k0, kc, s->p + r * KC);
          for (gsize panel = 0; panel < panels; panel++)
            tile (kc, s->p, t->packed + ((panel0 + panel) * g->k + k0) * NR, NR, g->alpha,
                  s->sums + r0 * BLOCK + panel * NR, BLOCK);
        }
    }
}

static void
turned_store (const TrcGemm *g, gsize n0, gsize rows, gsize m0, gsize cols, const float *sums)
{
  for (gsize i = 0; i < cols; i++)
    {
      float *c = g->c + (m0 + i) * g->ld_c + n0;
      for (gsize r = 0; r < rows; r++)
        c[r] += sums[r * BLOCK + i];
    }
}

static void
turned_piece (gsize first, gsize last, gpointer data)
{
  const Turned *t = data;
  const TrcGemm *g = t->g;
  Scratch *s = scratch ();

  for (gsize group = first; group < last; group++)
    {
      gsize n0 = group * GROUP, rows = MIN (g->n - n0, (gsize)GROUP);
      for (gsize panel = 0; panel < t->n_panels; panel += PANELS)
        {
          gsize m0 = panel * NR;
          turned_sums (t, n0, rows, panel, MIN (t->n_panels - panel, (gsize)PANELS), s);
          turned_store (g, n0, rows, m0, MIN (g->m - m0, (gsize)BLOCK), s->sums);
        }
    }
}

/* The caller's buffer for A^T, kept like the scratch. */
static float *
packed_room (gsize n)
{
  typedef struct {
    gsize n;
    float data[];
  } Room;
  static GPrivate key = G_PRIVATE_INIT (g_aligned_free);
  Room *room = g_private_get (&key);

  if (room == NULL || room->n < n)
    {
      room = g_aligned_alloc (1, sizeof *room + n * sizeof (float) + 64, 64);
      room->n = n;
      g_private_replace (&key, room);
    }
  return room->data;
}

static void
turned (const TrcGemm *g, TrcPool *pool)
{
  Turned t = { g, NULL, (g->m + NR - 1) / NR };

  t.packed = packed_room (t.n_panels * NR * g->k);
  run_pieces (pool, t.n_panels, 1 + GRAIN_ELEMENTS / (NR * g->k + 1), pack_panel, &t);
  run_pieces (pool, (g->n + GROUP - 1) / GROUP, 1, turned_piece, &t);
}

/* --- op(B) = B: rows of op(A) times rows of weights --- */

typedef struct {
  const TrcGemm *g;
  gsize n_strips; /* of BLOCK columns */
} Straight;

/* MR rows of op(A), steps [k0, k0 + kc), into scratch. */
static void
take_rows (const TrcGemm *g, gsize m0, gsize rows, gsize k0, gsize kc, float *p)
{
  for (gsize r = 0; r < rows && !g->trans_a; r++)
    memcpy (p + r * KC, g->a + (m0 + r) * g->ld_a + k0, kc * sizeof *p);
  for (gsize k = 0; k < kc && g->trans_a; k++)
    for (gsize r = 0; r < rows; r++)
      p[r * KC + k] = g->a[(k0 + k) * g->ld_a + m0 + r];
}

/* One tile of C; where V would be read past its columns, a padded copy is. */
static void
straight_tile (const TrcGemm *g, gsize kc, const float *v, gsize ld_v, gsize rows, gsize cols,
               float *out, Scratch *s)
{
  if (cols < NR)
    {
      for (gsize k = 0; k < kc; k++)
        for (gsize c = 0; c < NR; c++)
          s->v[k * NR + c] = c < cols ? v[k * ld_v + c] : 0;
      edge_tile (kc, s->p, s->v, NR, g->alpha, rows, cols, out, g->ld_c);
    }
  else if (rows < MR)
    edge_tile (kc, s->p, v, ld_v, g->alpha, rows, NR, out, g->ld_c);
  else
    tile (kc, s->p, v, ld_v, g->alpha, out, g->ld_c);
}

static void
straight_block (const TrcGemm *g, gsize m0, gsize m1, gsize n0, gsize cols, Scratch *s)
{
  for (gsize k0 = 0; k0 < g->k; k0 += KC)
    {
      gsize kc = MIN (g->k - k0, (gsize)KC), ld_v = g->ld_b;
      const float *v = (const float *)(const void *)g->b + k0 * g->ld_b + n0;
      if (g->b_type != TRC_F32)
        {
          for (gsize k = 0; k < kc; k++)
            expand (g, k0 + k, n0, cols, s->expanded + k * BLOCK);
          v = s->expanded;
          ld_v = BLOCK;
        }
      for (gsize m = m0; m < m1; m += MR)
        {
          gsize rows = MIN (m1 - m, (gsize)MR);
          take_rows (g, m, rows, k0, kc, s->p);
          for (gsize c = 0; c < cols; c += NR)
            straight_tile (g, kc, v + c, ld_v, rows, MIN (cols - c, (gsize)NR),
                           g->c + m * g->ld_c + n0 + c, s);
        }
    }
}

static void
straight_piece (gsize first, gsize last, gpointer data)
{
  const Straight *t = data;
  const TrcGemm *g = t->g;
  Scratch *s = scratch ();

  for (gsize item = first; item < last; item++)
    {
      gsize n0 = item % t->n_strips * BLOCK, m0 = item / t->n_strips * GROUP;
      straight_block (g, m0, MIN (m0 + GROUP, g->m), n0, MIN (g->n - n0, (gsize)BLOCK), s);
    }
}

static void
straight (const TrcGemm *g, TrcPool *pool)
{
  Straight t = { g, (g->n + BLOCK - 1) / BLOCK };

  run_pieces (pool, t.n_strips * ((g->m + GROUP - 1) / GROUP), 1, straight_piece, &t);
}

/* --- few rows of activations: inner products with the weights --- */

static void
inner_piece (gsize first, gsize last, gpointer data)
{
  const TrcGemm *g = data;
  float row[KC];

  for (gsize n = first; n < last; n++)
    for (gsize k0 = 0; k0 < g->k; k0 += KC)
      {
        gsize kc = MIN (g->k - k0, (gsize)KC);
        const float *w = row;
        if (g->b_type == TRC_F32)
          w = (const float *)(const void *)g->b + n * g->ld_b + k0;
        else
          expand (g, n, k0, kc, row);
        for (gsize i = 0; i < g->m; i++)
          g->c[i * g->ld_c + n] += g->alpha * dot (w, g->a + i * g->ld_a + k0, kc);
      }
}

void
TRC_FAST (gemm) (const TrcGemm *g, TrcPool *pool)
{
  if (g->m == 0 || g->n == 0 || g->k == 0)
    return;
  if (g->trans_b && !g->trans_a && g->m < WIDTH / 2)
    run_pieces (pool, g->n, 1 + 4 * GRAIN_ELEMENTS / g->k, inner_piece, (gpointer)g);
  else if (g->trans_b)
    turned (g, pool);
  else
    straight (g, pool);
}
