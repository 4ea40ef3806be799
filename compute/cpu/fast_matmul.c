#include "compute/cpu/fast_gemm.h"

#include <cblas.h>

/* Below this many multiply-adds a call of OpenBLAS costs more than the work. */
#define SMALL_PRODUCT 4096
/* Rows or columns of C that one piece holds at least: OpenBLAS packs the other operand anew for
 * every piece. */
#define STRIP 32

typedef struct {
  const TrcMatmulParams *p;
  const float *a, *b, *bias;
  float *c;
  TrcDType b_type;
  gboolean plain; /* strides that BLAS does not take */
  gboolean by_cols;
} Job;

/* One product with the shape of the params, but for m and n. */
static void
small_product (const Job *job, gsize m, gsize n, const float *a, const float *b, float *c)
{
  const TrcMatmulParams *p = job->p;
  gsize a_row = p->trans_a ? 1 : p->ld_a, a_step = p->trans_a ? p->ld_a : 1;

  for (gsize i = 0; i < m; i++)
    for (gsize s = 0; s < p->k && !p->trans_b; s++)
      axpy (p->alpha * a[i * a_row + s * a_step], b + s * p->ld_b, c + i * p->ld_c, n);
  for (gsize i = 0; i < m && p->trans_b; i++)
    for (gsize j = 0; j < n; j++)
      {
        float total = 0.0f;
        if (a_step == 1)
          total = dot (a + i * a_row, b + j * p->ld_b, p->k);
        else
          for (gsize s = 0; s < p->k; s++)
            total += a[i * a_row + s * a_step] * b[j * p->ld_b + s];
        c[i * p->ld_c + j] += p->alpha * total;
      }
}

/* One row or one column of C: a matrix-vector product. */
static void
vector_product (const Job *job, int m, int n, const float *a, const float *b, float *c)
{
  const TrcMatmulParams *p = job->p;
  int k = (int)p->k;

  if (m == 1 && p->trans_b)
    cblas_sgemv (CblasRowMajor, CblasNoTrans, n, k, p->alpha, b, (int)p->ld_b, a,
                 p->trans_a ? (int)p->ld_a : 1, 1.0f, c, 1);
  else if (m == 1)
    cblas_sgemv (CblasRowMajor, CblasTrans, k, n, p->alpha, b, (int)p->ld_b, a,
                 p->trans_a ? (int)p->ld_a : 1, 1.0f, c, 1);
  else if (p->trans_a)
    cblas_sgemv (CblasRowMajor, CblasTrans, k, m, p->alpha, a, (int)p->ld_a, b,
                 p->trans_b ? 1 : (int)p->ld_b, 1.0f, c, (int)p->ld_c);
  else
    cblas_sgemv (CblasRowMajor, CblasNoTrans, m, k, p->alpha, a, (int)p->ld_a, b,
                 p->trans_b ? 1 : (int)p->ld_b, 1.0f, c, (int)p->ld_c);
}

/* Puts what the product is added to into C. */
static void
prepare (const Job *job, gsize m, gsize n, const float *bias, float *c)
{
  for (gsize i = 0; i < m; i++)
    {
      float *row = c + i * job->p->ld_c;
      if (bias != NULL && job->p->accumulate)
        axpy (1.0f, bias, row, n);
      else if (bias != NULL)
        memcpy (row, bias, n * sizeof *row);
      else if (!job->p->accumulate)
        memset (row, 0, n * sizeof *row);
    }
}

/* Our own product: for packed weights, and wherever it beats the library's. On AVX-512 it does
 * (150-200 against 105 GFLOP/s a thread, measured: the library that Debian 12 ships knows no
 * newer processor than Skylake and falls back to AVX2 on many). */
static gboolean
own_product (const Job *job)
{
#ifdef __AVX512F__
  return job->b_type != TRC_F32 || job->p->m >= 4;
#else
  return job->b_type != TRC_F32;
#endif
}

/* All of C of batch item (o, i) by our own product. */
static void
run_own (const Job *job, gsize o, gsize i, TrcPool *pool)
{
  const TrcMatmulParams *p = job->p;
  const TrcDTypeInfo *type = trc_dtype_info (job->b_type);
  gsize b_at = o * p->b_outer + i / p->b_group * p->b_inner;
  TrcGemm g = {
    .m = p->m,
    .n = p->n,
    .k = p->k,
    .alpha = p->alpha,
    .a = job->a + o * p->a_outer + i * p->a_inner,
    .ld_a = p->ld_a,
    .trans_a = p->trans_a != 0,
    .b = (const guint8 *)job->b + b_at / type->block_elements * type->block_bytes,
    .b_type = job->b_type,
    .ld_b = p->ld_b,
    .trans_b = p->trans_b != 0,
    .c = job->c + o * p->c_outer + i * p->c_inner,
    .ld_c = p->ld_c,
  };

  prepare (job, p->m, p->n, job->bias, g.c);
  TRC_FAST (gemm) (&g, pool);
}

/* The block of C at (row, col) of size (m, n). */
static void
product (const Job *job, gsize row, gsize col, gsize m, gsize n, const float *a, const float *b,
         float *c)
{
  const TrcMatmulParams *p = job->p;
  gboolean overwrite = job->bias == NULL && !p->accumulate;
  gboolean small = job->plain || (guint64)m * n * p->k <= SMALL_PRODUCT;

  a += p->trans_a ? row : row * p->ld_a;
  b += p->trans_b ? col * p->ld_b : col;
  c += row * p->ld_c + col;
  if (!overwrite || small || m == 1 || n == 1 || p->k == 0)
    prepare (job, m, n, job->bias != NULL ? job->bias + col : NULL, c);
  if (p->k == 0)
    return;
  if (small)
    small_product (job, m, n, a, b, c);
  else if (m == 1 || n == 1)
    vector_product (job, (int)m, (int)n, a, b, c);
  else
    cblas_sgemm (CblasRowMajor, p->trans_a ? CblasTrans : CblasNoTrans,
                 p->trans_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)p->k, p->alpha, a,
                 (int)p->ld_a, b, (int)p->ld_b, overwrite ? 0.0f : 1.0f, c, (int)p->ld_c);
}

static void
batch_piece (gsize first, gsize last, gpointer data)
{
  const Job *job = data;
  const TrcMatmulParams *p = job->p;

  for (gsize item = first; item < last; item++)
    {
      gsize o = item / p->n_inner, i = item % p->n_inner;
      if (job->b_type != TRC_F32)
        {
          run_own (job, o, i, NULL);
          continue;
        }
      product (job, 0, 0, p->m, p->n, job->a + o * p->a_outer + i * p->a_inner,
               job->b + o * p->b_outer + i / p->b_group * p->b_inner,
               job->c + o * p->c_outer + i * p->c_inner);
    }
}

static void
strip_piece (gsize first, gsize last, gpointer data)
{
  const Job *job = data;
  const TrcMatmulParams *p = job->p;
  gsize from = first * STRIP, to = MIN (last * STRIP, job->by_cols ? p->n : p->m);

  if (job->by_cols)
    product (job, 0, from, p->m, to - from, job->a, job->b, job->c);
  else
    product (job, from, 0, to - from, p->n, job->a, job->b, job->c);
}

/* BLAS wants leading dimensions that hold a row, and ints. */
static gboolean
blas_takes (const TrcMatmulParams *p)
{
  guint32 a_cols = p->trans_a ? p->m : p->k, b_cols = p->trans_b ? p->k : p->n;

  return p->ld_a >= MAX (a_cols, 1) && p->ld_b >= MAX (b_cols, 1) && p->ld_c >= MAX (p->n, 1)
         && MAX (MAX (p->m, p->n), p->k) <= G_MAXINT
         && MAX (MAX (p->ld_a, p->ld_b), p->ld_c) <= G_MAXINT;
}

void
TRC_FAST (matmul) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcMatmulParams *p = &args->params->matmul;
  Job job = { .p = p,
              .a = args->tensor[0],
              .b = args->tensor[1],
              .bias = p->has_bias ? args->tensor[2] : NULL,
              .c = args->tensor[3],
              .b_type = args->dtype[1],
              .plain = !blas_takes (p),
              .by_cols = p->n > p->m };
  gsize n_items = (gsize)p->n_outer * p->n_inner;
  guint64 work = (guint64)p->m * p->n * MAX (p->k, 1);

  if (work == 0 || n_items == 0)
    return;
  if (n_items == 1 && own_product (&job) && work > SMALL_PRODUCT)
    run_own (&job, 0, 0, pool);
  else if (n_items == 1 && job.b_type != TRC_F32)
    run_own (&job, 0, 0, NULL);
  else if (n_items > 1)
    trc_pool_run (pool, n_items, 1 + 1000000 / work, batch_piece, &job);
  else
    {
      gsize length = job.by_cols ? p->n : p->m;
      gsize n_strips = (length + STRIP - 1) / STRIP;
      trc_pool_run (pool, n_strips, 1 + 1000000 / (work / n_strips + 1), strip_piece, &job);
    }
}
