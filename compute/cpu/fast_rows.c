#include "compute/cpu/fast_impl.h"

/* --- norms -------------------------------------------------------------------------------- */

static void
norm_store (const TrcNormParams *p, const float *restrict x, float mean, float rstd,
            const float *restrict gain, const float *restrict bias, float *restrict y)
{
  if (gain == NULL)
    for (gsize j = 0; j < p->d; j++)
      y[j] = (x[j] - mean) * rstd;
  else
    for (gsize j = 0; j < p->d; j++)
      y[j] = (x[j] - mean) * rstd * (p->gain_add + gain[j]);
  if (bias != NULL)
    for (gsize j = 0; j < p->d; j++)
      y[j] += bias[j];
}

static void
norm_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcNormParams *p = &args->params->norm;
  float *mean_out = args->tensor[4], *rstd_out = args->tensor[5];

  for (gsize i = first; i < last; i++)
    {
      const float *x = (const float *)args->tensor[0] + i * p->ld_x;
      float mean = p->kind == TRC_NORM_LAYER && p->d > 0 ? sum (x, p->d) / (float)p->d : 0.0f;
      float rstd;

      if (p->given_rstd)
        rstd = rstd_out[wrap (i, p->x_period)];
      else
        rstd = rstd_out[i] =
            1.0f
            / sqrtf ((p->d > 0 ? sum_of_squares (x, mean, p->d) / (float)p->d : 0.0f) + p->eps);
      if (mean_out != NULL && p->kind == TRC_NORM_LAYER)
        mean_out[i] = mean;
      norm_store (p, x, mean, rstd, p->has_gain ? args->tensor[1] : NULL,
                  p->has_bias ? args->tensor[2] : NULL, (float *)args->tensor[3] + i * p->ld_y);
    }
}

void
TRC_FAST (norm) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_rows (pool, args->params->norm.rows, args->params->norm.d, norm_piece, args);
}

/* dx := rstd (g - avg(g) - n avg(g n)) in strips: first the two averages, then the values. */
static void
norm_vjp_row (const TrcNormParams *p, const float *restrict dy, const float *restrict x,
              const float *restrict gain, float mean, float rstd, float *restrict dx)
{
  float sum_g = 0.0f, sum_gn = 0.0f, scratch[256];

  for (gsize j0 = 0; j0 < p->d; j0 += 256)
    {
      gsize n = MIN ((gsize)256, p->d - j0);
      for (gsize j = 0; j < n; j++)
        scratch[j] = dy[j0 + j] * (gain != NULL ? p->gain_add + gain[j0 + j] : 1.0f);
      sum_g += p->kind == TRC_NORM_LAYER ? sum (scratch, n) : 0.0f;
      for (gsize j = 0; j < n && !p->freeze_scale; j++)
        scratch[j] *= x[j0 + j] - mean;
      sum_gn += p->freeze_scale ? 0.0f : sum (scratch, n);
    }
  float avg_g = sum_g / (float)p->d, slope = sum_gn * rstd * rstd / (float)p->d;
  float keep = p->accumulate ? 1.0f : 0.0f;

  for (gsize j = 0; j < p->d; j++)
    {
      float g = dy[j] * (gain != NULL ? p->gain_add + gain[j] : 1.0f);
      float n = p->freeze_scale ? 0.0f : (x[j] - mean) * slope;
      dx[j] = rstd * (g - avg_g - n) + (keep != 0.0f ? dx[j] : 0.0f);
    }
}

static void
norm_vjp_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcNormParams *p = &args->params->norm;
  const float *mean = p->kind == TRC_NORM_LAYER && !p->freeze_scale ? args->tensor[3] : NULL;

  for (gsize i = first; i < last; i++)
    {
      gsize xi = wrap (i, p->x_period);
      norm_vjp_row (p, (const float *)args->tensor[0] + i * p->ld_y,
                    p->freeze_scale ? NULL : (const float *)args->tensor[1] + xi * p->ld_x,
                    p->has_gain ? args->tensor[2] : NULL, mean != NULL ? mean[xi] : 0.0f,
                    ((const float *)args->tensor[4])[xi],
                    (float *)args->tensor[5] + i * p->ld_dx);
    }
}

void
TRC_FAST (norm_vjp) (const TrcKernelArgs *args, TrcPool *pool)
{
  if (args->params->norm.d > 0)
    run_rows (pool, args->params->norm.rows, args->params->norm.d, norm_vjp_piece, args);
}

/* --- softmax ------------------------------------------------------------------------------ */

static void
softmax_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcSoftmaxParams *p = &args->params->softmax;

  for (gsize i = first; i < last; i++)
    {
      const float *x = (const float *)args->tensor[0] + i * p->ld_x;
      float *y = (float *)args->tensor[1] + i * p->ld_y;
      float top, total;

      for (gsize j = 0; j < p->cols; j++)
        y[j] = p->scale * x[j];
      top = largest (y, p->cols);
      exp_all (y, 1.0f, top, y, p->cols);
      total = (float)long_sum (y, p->cols);
      for (gsize j = 0; j < p->cols; j++)
        y[j] /= total;
    }
}

void
TRC_FAST (softmax) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_rows (pool, args->params->softmax.rows, args->params->softmax.cols, softmax_piece, args);
}

static void
softmax_vjp_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcSoftmaxParams *p = &args->params->softmax;

  for (gsize i = first; i < last; i++)
    {
      const float *dy = (const float *)args->tensor[0] + i * p->ld_y;
      const float *y = (const float *)args->tensor[1] + wrap (i, p->y_period) * p->ld_y;
      float *dx = (float *)args->tensor[2] + i * p->ld_x;
      float centre = (float)long_dot (dy, y, p->cols);

      if (p->accumulate)
        for (gsize j = 0; j < p->cols; j++)
          dx[j] += p->scale * y[j] * (dy[j] - centre);
      else
        for (gsize j = 0; j < p->cols; j++)
          dx[j] = p->scale * y[j] * (dy[j] - centre);
    }
}

void
TRC_FAST (softmax_vjp) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcSoftmaxParams *p = &args->params->softmax;

  run_rows (pool, p->rows, p->cols, softmax_vjp_piece, args);
}

/* --- cross-entropy ------------------------------------------------------------------------ */

/* Where the largest is: at @preferred when nothing exceeds that. */
static gsize
argmax (const float *x, gsize n, gsize preferred)
{
  float top = largest (x, n);
  gsize j = preferred;

  if (x[preferred] < top)
    for (j = 0; j < n - 1 && x[j] != top; j++)
      ;
  return j;
}

/* Sum of e^(x_j - shift) over j outside @skip, which lies in one of the two halves. */
static double
sum_exp_except (const float *x, gsize n, float shift, gsize skip)
{
  float scratch[256];
  double total = 0.0;

  for (gsize j0 = 0; j0 < n; j0 += 256)
    {
      gsize len = MIN ((gsize)256, n - j0);
      exp_all (x + j0, 1.0f, shift, scratch, len);
      if (skip >= j0 && skip - j0 < len)
        scratch[skip - j0] = 0.0f;
      total += sum (scratch, len);
    }
  return total;
}

static void
cross_entropy_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;
  const gint32 *targets = args->tensor[1];
  float *loss = args->tensor[2];

  for (gsize i = first; i < last; i++)
    {
      const float *x = (const float *)args->tensor[0] + i * p->ld_x;
      float value = 0.0f;

      if (targets[i] >= 0 && (guint32)targets[i] < p->cols)
        {
          gsize top = argmax (x, p->cols, (gsize)targets[i]);
          value = (float)(((double)x[top] - x[targets[i]])
                          + log1p (sum_exp_except (x, p->cols, x[top], top)));
        }
      loss[i] = value + (p->accumulate ? loss[i] : 0.0f);
    }
}

void
TRC_FAST (cross_entropy) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;

  run_rows (pool, p->rows, p->cols, cross_entropy_piece, args);
}

static void
cross_entropy_vjp_row (const float *x, gsize n, gsize target, float seed, float *dx,
                       gboolean add)
{
  float top = x[argmax (x, n, target)];
  double others = sum_exp_except (x, n, top, target);
  float scale = (float)(seed / (others + exp ((double)x[target] - top)));
  float kept = add ? dx[target] : 0.0f;

  for (gsize j = 0; j < n; j += LANES)
    {
      VF p = scale * vf_exp (vf_get (x + j, n - j) - top);
      if (add)
        p += vf_get (dx + j, n - j);
      vf_put (dx + j, p, n - j);
    }
  dx[target] = kept - scale * (float)others;
}

static void
cross_entropy_vjp_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;
  const gint32 *targets = args->tensor[1];
  const float *seed = args->tensor[2];

  for (gsize i = first; i < last; i++)
    {
      float *dx = (float *)args->tensor[3] + i * p->ld_dx;

      if (targets[i] >= 0 && (guint32)targets[i] < p->cols)
        cross_entropy_vjp_row ((const float *)args->tensor[0] + i * p->ld_x, p->cols,
                               (gsize)targets[i], seed[i * p->step_seed], dx,
                               p->accumulate != 0);
      else if (!p->accumulate)
        memset (dx, 0, p->cols * sizeof *dx);
    }
}

void
TRC_FAST (cross_entropy_vjp) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;

  run_rows (pool, p->rows, p->cols, cross_entropy_vjp_piece, args);
}
