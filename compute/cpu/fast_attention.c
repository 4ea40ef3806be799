#include "compute/cpu/fast_impl.h"

#include <cblas.h>

/* Queries (or keys, for attn_mix_t) that are done together. What all of them see is one
 * matrix product; the ragged edges of the mask are done row by row. */
#define BLOCK 32
/* Products with fewer multiply-adds than this are done by plain vector loops. */
#define SMALL_PRODUCT 16384

typedef struct {
  gsize from, to;
} Range;

typedef struct {
  const TrcAttnParams *p;
  float *x, *y, *pattern;
  gboolean blas;
  gboolean softmax;
} Job;

static Range
range_of (gsize from, gsize to)
{
  return (Range){ from, MAX (from, to) };
}

/* The keys that query i sees. */
static Range
keys_of (const TrcAttnParams *p, gsize i)
{
  gsize end = (gsize)p->first + i + 1;

  if (!p->causal)
    return range_of (0, p->t_k);
  return range_of (p->window != 0 && end > p->window ? MIN (end - p->window, p->t_k) : 0,
                   MIN (end, p->t_k));
}

/* The queries that see key j. */
static Range
queries_of (const TrcAttnParams *p, gsize j)
{
  gsize from = j > p->first ? j - p->first : 0, to = p->t_q;

  if (!p->causal)
    return range_of (0, p->t_q);
  if (p->window != 0)
    to = j + p->window > p->first ? MIN (to, j + p->window - p->first) : 0;
  return range_of (MIN (from, p->t_q), to);
}

/* What all rows of a block have in common; ranges only move up. */
static Range
common (Range first, Range last)
{
  return range_of (last.from, first.to);
}

static float *
x_at (const Job *job, gsize b, gsize i, gsize h)
{
  return job->x + b * job->p->x_batch + i * job->p->x_row + h * job->p->x_head;
}

static float *
y_at (const Job *job, gsize b, gsize j, gsize g)
{
  return job->y + b * job->p->y_batch + j * job->p->y_row + g * job->p->y_head;
}

static float *
p_at (const Job *job, gsize b, gsize h, gsize i)
{
  return job->pattern + b * job->p->p_batch + (h * job->p->t_q + i) * job->p->t_k;
}

static gsize
group_size (const TrcAttnParams *p)
{
  return p->n_heads / p->n_kv_heads;
}

static gboolean
worth_blas (const Job *job, gsize rows, Range range)
{
  return job->blas && rows * (range.to - range.from) * job->p->d_head >= SMALL_PRODUCT;
}

/* --- pattern and dots --------------------------------------------------------------------- */

static void
dots_of_row (const Job *job, gsize b, gsize h, gsize i, Range range)
{
  const TrcAttnParams *p = job->p;
  const float *x = x_at (job, b, i, h);
  float *out = p_at (job, b, h, i);
  gsize g = h / group_size (p);

  for (gsize j = range.from; j < range.to; j++)
    {
      float value = p->scale * dot (x, y_at (job, b, j, g), p->d_head);
      out[j] = p->accumulate && !job->softmax ? out[j] + value : value;
    }
}

static void
softmax_of_row (float *row, Range range)
{
  gsize n = range.to - range.from;
  float *y = row + range.from, top = largest (y, n), total;

  exp_all (y, 1.0f, top, y, n);
  total = (float)long_sum (y, n);
  for (gsize j = 0; j < n; j++)
    y[j] /= total;
}

static void
finish_row (const Job *job, float *row, Range range)
{
  if (job->softmax)
    softmax_of_row (row, range);
  if (job->softmax || !job->p->accumulate)
    {
      memset (row, 0, range.from * sizeof *row);
      memset (row + range.to, 0, (job->p->t_k - range.to) * sizeof *row);
    }
}

/* Rows [i0, i1) of the pattern of one head. */
static void
dots_block (const Job *job, gsize b, gsize h, gsize i0, gsize i1)
{
  const TrcAttnParams *p = job->p;
  Range all = common (keys_of (p, i0), keys_of (p, i1 - 1));
  gboolean blas = worth_blas (job, i1 - i0, all);

  if (blas)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (int)(i1 - i0),
                 (int)(all.to - all.from), (int)p->d_head, p->scale, x_at (job, b, i0, h),
                 (int)p->x_row, y_at (job, b, all.from, h / group_size (p)), (int)p->y_row,
                 p->accumulate && !job->softmax ? 1.0f : 0.0f, p_at (job, b, h, i0) + all.from,
                 (int)p->t_k);
  for (gsize i = i0; i < i1; i++)
    {
      Range keys = keys_of (p, i);
      if (blas)
        {
          dots_of_row (job, b, h, i, (Range){ keys.from, all.from });
          dots_of_row (job, b, h, i, (Range){ all.to, keys.to });
        }
      else
        dots_of_row (job, b, h, i, keys);
      finish_row (job, p_at (job, b, h, i), keys);
    }
}

/* --- mix ---------------------------------------------------------------------------------- */

static void
mix_row (const Job *job, gsize b, gsize h, gsize i, Range range)
{
  const TrcAttnParams *p = job->p;
  const float *weight = p_at (job, b, h, i);
  float *out = x_at (job, b, i, h);
  gsize g = h / group_size (p);

  for (gsize j = range.from; j < range.to; j++)
    axpy (p->scale * weight[j], y_at (job, b, j, g), out, p->d_head);
}

static void
mix_block (const Job *job, gsize b, gsize h, gsize i0, gsize i1)
{
  const TrcAttnParams *p = job->p;
  Range all = common (keys_of (p, i0), keys_of (p, i1 - 1));
  gboolean blas = worth_blas (job, i1 - i0, all);

  for (gsize i = i0; i < i1 && !p->accumulate; i++)
    memset (x_at (job, b, i, h), 0, p->d_head * sizeof (float));
  if (blas)
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(i1 - i0), (int)p->d_head,
                 (int)(all.to - all.from), p->scale, p_at (job, b, h, i0) + all.from,
                 (int)p->t_k, y_at (job, b, all.from, h / group_size (p)), (int)p->y_row, 1.0f,
                 x_at (job, b, i0, h), (int)p->x_row);
  for (gsize i = i0; i < i1; i++)
    {
      Range keys = keys_of (p, i);
      if (blas)
        {
          mix_row (job, b, h, i, (Range){ keys.from, all.from });
          mix_row (job, b, h, i, (Range){ all.to, keys.to });
        }
      else
        mix_row (job, b, h, i, keys);
    }
}

/* --- mix transposed ----------------------------------------------------------------------- */

static void
mix_t_row (const Job *job, gsize b, gsize h, gsize j, Range range)
{
  const TrcAttnParams *p = job->p;
  float *out = y_at (job, b, j, h / group_size (p));

  for (gsize i = range.from; i < range.to; i++)
    axpy (p->scale * p_at (job, b, h, i)[j], x_at (job, b, i, h), out, p->d_head);
}

/* What head @h adds to keys [j0, j1). */
static void
mix_t_head (const Job *job, gsize b, gsize h, gsize j0, gsize j1)
{
  const TrcAttnParams *p = job->p;
  Range all = common (queries_of (p, j0), queries_of (p, j1 - 1));
  gboolean blas = worth_blas (job, j1 - j0, all);

  if (blas)
    cblas_sgemm (CblasRowMajor, CblasTrans, CblasNoTrans, (int)(j1 - j0), (int)p->d_head,
                 (int)(all.to - all.from), p->scale, p_at (job, b, h, all.from) + j0,
                 (int)p->t_k, x_at (job, b, all.from, h), (int)p->x_row, 1.0f,
                 y_at (job, b, j0, h / group_size (p)), (int)p->y_row);
  for (gsize j = j0; j < j1; j++)
    {
      Range queries = queries_of (p, j);
      if (blas)
        {
          mix_t_row (job, b, h, j, (Range){ queries.from, all.from });
          mix_t_row (job, b, h, j, (Range){ all.to, queries.to });
        }
      else
        mix_t_row (job, b, h, j, queries);
    }
}

static void
mix_t_block (const Job *job, gsize b, gsize g, gsize j0, gsize j1)
{
  const TrcAttnParams *p = job->p;
  gsize group = group_size (p);

  for (gsize j = j0; j < j1 && !p->accumulate; j++)
    memset (y_at (job, b, j, g), 0, p->d_head * sizeof (float));
  for (gsize h = g * group; h < (g + 1) * group; h++)
    mix_t_head (job, b, h, j0, j1);
}

/* --- sharing out -------------------------------------------------------------------------- */

typedef void (*BlockFunc) (const Job *job, gsize b, gsize h, gsize first, gsize last);

typedef struct {
  Job job;
  BlockFunc func;
  gsize n_heads, length, n_blocks;
} Plan;

static void
plan_piece (gsize first, gsize last, gpointer data)
{
  const Plan *plan = data;

  for (gsize item = first; item < last; item++)
    {
      gsize block = item % plan->n_blocks, bh = item / plan->n_blocks;
      plan->func (&plan->job, bh / plan->n_heads, bh % plan->n_heads, block * BLOCK,
                  MIN ((block + 1) * BLOCK, plan->length));
    }
}

/* The items are blocks of heads of the batch; each owns its rows of the output. */
static void
run_plan (TrcPool *pool, Plan *plan)
{
  const TrcAttnParams *p = plan->job.p;
  gsize other = plan->length == p->t_q ? p->t_k : p->t_q;
  gsize work = MIN (plan->length, (gsize)BLOCK) * MAX (other, 1) * MAX (p->d_head, 1);

  plan->job.blas = p->x_row >= MAX (p->d_head, 1) && p->y_row >= MAX (p->d_head, 1)
                   && MAX (MAX (p->x_row, p->y_row), MAX (p->t_q, p->t_k)) <= G_MAXINT
                   && p->d_head > 0;
  plan->n_blocks = (plan->length + BLOCK - 1) / BLOCK;
  trc_pool_run (pool, (gsize)p->batch * plan->n_heads * plan->n_blocks, 1 + 262144 / (work + 1),
                plan_piece, plan);
}

static void
run_dots (const TrcKernelArgs *args, TrcPool *pool, gboolean softmax)
{
  const TrcAttnParams *p = &args->params->attn;
  Plan plan = { .job = { .p = p,
                         .x = args->tensor[0],
                         .y = args->tensor[1],
                         .pattern = args->tensor[2],
                         .softmax = softmax },
                .func = dots_block,
                .n_heads = p->n_heads,
                .length = p->t_q };
  run_plan (pool, &plan);
}

void
TRC_FAST (attn_pattern) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_dots (args, pool, TRUE);
}

void
TRC_FAST (attn_dots) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_dots (args, pool, FALSE);
}

void
TRC_FAST (attn_mix) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcAttnParams *p = &args->params->attn;
  Plan plan = {
    .job = { .p = p, .pattern = args->tensor[0], .y = args->tensor[1], .x = args->tensor[2] },
    .func = mix_block,
    .n_heads = p->n_heads,
    .length = p->t_q
  };
  run_plan (pool, &plan);
}

void
TRC_FAST (attn_mix_t) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcAttnParams *p = &args->params->attn;
  Plan plan = {
    .job = { .p = p, .pattern = args->tensor[0], .x = args->tensor[1], .y = args->tensor[2] },
    .func = mix_t_block,
    .n_heads = p->n_kv_heads,
    .length = p->t_k
  };
  run_plan (pool, &plan);
}
