#include "compute/cpu/fast_gemm.h"

/* Columns that one piece of a column sum holds at a time, and rows summed in float before the
 * sum goes into a double. */
#define STRIP 64
#define RUN 128

/* --- sums of rows ------------------------------------------------------------------------- */

static void
put (float *out, double value, guint32 accumulate)
{
  *out = accumulate ? (float)(*out + value) : (float)value;
}

static void
sum_rows_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcReduceParams *p = &args->params->reduce;

  for (gsize i = first; i < last; i++)
    put ((float *)args->tensor[1] + i,
         p->alpha
             * long_sum ((const float *)args->tensor[0] + wrap (i, p->a_period) * p->ld_a,
                         p->cols),
         p->accumulate);
}

void
TRC_FAST (sum_rows) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_rows (pool, args->params->reduce.rows, args->params->reduce.cols, sum_rows_piece, args);
}

static void
dot_rows_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcReduceParams *p = &args->params->reduce;

  for (gsize i = first; i < last; i++)
    put ((float *)args->tensor[2] + i,
         p->alpha
             * long_dot ((const float *)args->tensor[0] + wrap (i, p->a_period) * p->ld_a,
                         (const float *)args->tensor[1] + wrap (i, p->b_period) * p->ld_b,
                         p->cols),
         p->accumulate);
}

void
TRC_FAST (dot_rows) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_rows (pool, args->params->reduce.rows, args->params->reduce.cols, dot_rows_piece, args);
}

/* --- sums of columns ---------------------------------------------------------------------- */

static void
flush (double *restrict total, float *restrict part, gsize n)
{
  for (gsize j = 0; j < n; j++)
    {
      total[j] += part[j];
      part[j] = 0.0f;
    }
}

static void
sum_cols_strip (const TrcReduceParams *p, const float *a, float *out, gsize n)
{
  double total[STRIP] = { 0 };
  float part[STRIP] = { 0 };

  for (gsize i = 0; i < p->rows; i++)
    {
      axpy (1.0f, a + wrap (i, p->a_period) * p->ld_a, part, n);
      if (i % RUN == RUN - 1 || i == p->rows - 1)
        flush (total, part, n);
    }
  for (gsize j = 0; j < n; j++)
    put (&out[j], p->alpha * total[j], p->accumulate);
}

static void
sum_cols_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcReduceParams *p = &args->params->reduce;

  for (gsize j = first * STRIP; j < MIN (last * STRIP, p->cols); j += STRIP)
    sum_cols_strip (p, (const float *)args->tensor[0] + j, (float *)args->tensor[1] + j,
                    MIN ((gsize)STRIP, p->cols - j));
}

/* Strips are the unit, so that the sums do not depend on the number of threads. */
static void
run_strips (TrcPool *pool, gsize rows, gsize cols, TrcPoolFunc func, const TrcKernelArgs *args)
{
  trc_pool_run (pool, ((gsize)cols + STRIP - 1) / STRIP,
                1 + GRAIN_ELEMENTS / (STRIP * MAX (rows, 1)), func, (gpointer)args);
}

void
TRC_FAST (sum_cols) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_strips (pool, args->params->reduce.rows, args->params->reduce.cols, sum_cols_piece, args);
}

/* --- gradients of a norm's gain and bias -------------------------------------------------- */

static void
norm_gain_strip (const TrcKernelArgs *args, gsize j0, gsize n)
{
  const TrcNormParams *p = &args->params->norm;
  const float *mean = p->kind == TRC_NORM_LAYER ? args->tensor[2] : NULL;
  const float *rstd = args->tensor[3];
  float *dgain = args->tensor[4], *dbias = args->tensor[5];
  double gain_total[STRIP] = { 0 }, bias_total[STRIP] = { 0 };
  float gain_part[STRIP] = { 0 }, bias_part[STRIP] = { 0 };

  for (gsize i = 0; i < p->rows; i++)
    {
      gsize xi = wrap (i, p->x_period);
      const float *dy = (const float *)args->tensor[0] + i * p->ld_y + j0;
      const float *x = (const float *)args->tensor[1] + xi * p->ld_x + j0;
      float centre = mean != NULL ? mean[xi] : 0.0f, scale = rstd[xi];

      for (gsize j = 0; j < n; j++)
        {
          gain_part[j] += dy[j] * (x[j] - centre) * scale;
          bias_part[j] += dy[j];
        }
      if (i % RUN == RUN - 1 || i == p->rows - 1)
        {
          flush (gain_total, gain_part, n);
          flush (bias_total, bias_part, n);
        }
    }
  for (gsize j = 0; j < n; j++)
    {
      if (dgain != NULL)
        put (&dgain[j0 + j], gain_total[j], p->accumulate);
      if (dbias != NULL)
        put (&dbias[j0 + j], bias_total[j], p->accumulate);
    }
}

static void
norm_gain_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  gsize d = args->params->norm.d;

  for (gsize j = first * STRIP; j < MIN (last * STRIP, d); j += STRIP)
    norm_gain_strip (args, j, MIN ((gsize)STRIP, d - j));
}

void
TRC_FAST (norm_vjp_gain) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_strips (pool, args->params->norm.rows, args->params->norm.d, norm_gain_piece, args);
}

/* --- rows by id --------------------------------------------------------------------------- */

static gboolean
known (const TrcEmbedParams *p, gint32 id)
{
  return id >= 0 && (guint32)id < p->n_table;
}

/* One row of a packed table, a block of columns after the other. */
static void
embed_packed (const TrcKernelArgs *args, gsize id, float *out)
{
  const TrcEmbedParams *p = &args->params->embed;
  const TrcDTypeInfo *info = trc_dtype_info (args->dtype[0]);
  float values[256];

  for (gsize j = 0; j < p->d; j += 256)
    {
      gsize n = MIN (p->d - j, 256),
            whole = (n + info->block_elements - 1) / info->block_elements;
      const guint8 *in = (const guint8 *)args->tensor[0]
                         + (id * p->ld_table + j) / info->block_elements * info->block_bytes;
      TRC_FAST (expand) (args->dtype[0], in, whole * info->block_elements, values);
      if (p->accumulate)
        axpy (1.0f, values, out + j, n);
      else
        memcpy (out + j, values, n * sizeof *out);
    }
}

static void
embed_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcEmbedParams *p = &args->params->embed;
  const float *table = args->tensor[0];
  const gint32 *ids = args->tensor[1];

  for (gsize i = first; i < last; i++)
    {
      float *out = (float *)args->tensor[2] + i * p->ld_out;
      const float *row = table + (known (p, ids[i]) ? (gsize)ids[i] * p->ld_table : 0);

      if (known (p, ids[i]) && args->dtype[0] != TRC_F32)
        {
          embed_packed (args, (gsize)ids[i], out);
          continue;
        }
      if (known (p, ids[i]) && p->accumulate)
        axpy (1.0f, row, out, p->d);
      else if (known (p, ids[i]))
        memcpy (out, row, p->d * sizeof *out);
      else if (!p->accumulate)
        memset (out, 0, p->d * sizeof *out);
    }
}

void
TRC_FAST (embed) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_rows (pool, args->params->embed.n, args->params->embed.d, embed_piece, args);
}

/* Adds up columns [16 first, 16 last) of the table in the order of the ids. */
static void
embed_vjp_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcEmbedParams *p = &args->params->embed;
  const gint32 *ids = args->tensor[1];
  gsize j0 = first * 16, n = MIN (last * 16, p->d) - j0;
  float *dtable = (float *)args->tensor[2] + j0;

  if (!p->accumulate)
    for (gsize r = 0; r < p->n_table; r++)
      memset (dtable + r * p->ld_table, 0, n * sizeof *dtable);
  for (gsize i = 0; i < p->n; i++)
    if (known (p, ids[i]))
      axpy (1.0f, (const float *)args->tensor[0] + i * p->ld_out + j0,
            dtable + (gsize)ids[i] * p->ld_table, n);
}

void
TRC_FAST (embed_vjp) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcEmbedParams *p = &args->params->embed;

  trc_pool_run (pool, ((gsize)p->d + 15) / 16,
                1 + GRAIN_ELEMENTS / (16 * MAX ((gsize)p->n + p->n_table, 1)), embed_vjp_piece,
                (gpointer)args);
}
