#include "compute/cpu/define.h"

#include "compute/base/packed.h"

#include <math.h>

typedef TRC_REAL real;

/* Row i of something read with a period. */
static gsize
wrap (gsize i, guint32 period)
{
  return period != 0 ? i % period : i;
}

static void
put (real *out, double value, guint32 accumulate)
{
  *out = accumulate ? *out + value : value;
}

/* Tensor @slot as numbers: itself, or its packed elements expanded into memory that @room takes
 * over. */
static const real *
unpacked (const TrcKernelArgs *args, TrcOpId op, guint slot, real **room)
{
  const TrcDTypeInfo *info = trc_dtype_info (args->dtype[slot]);
  guint64 extent[TRC_OP_MAX_TENSORS];
  gsize n, whole;
  g_autofree float *values = NULL;

  if (args->dtype[slot] == TRC_F32)
    return args->tensor[slot];
  trc_op_info (op)->extents (args->params, extent);
  n = extent[slot];
  whole = (n + info->block_elements - 1) / info->block_elements * info->block_elements;
  values = g_new (float, whole);
  trc_packed_expand (args->dtype[slot], args->tensor[slot], whole, values);
  *room = g_new (real, whole);
  for (gsize i = 0; i < whole; i++)
    (*room)[i] = values[i];
  return *room;
}

void
TRC_DEFINE (matmul) (const TrcKernelArgs *args)
{
  const TrcMatmulParams *p = &args->params->matmul;
  const real *bias = p->has_bias ? args->tensor[2] : NULL;
  g_autofree real *room = NULL;
  const real *weights = unpacked (args, TRC_OP_MATMUL, 1, &room);
  for (gsize o = 0; o < p->n_outer; o++)
    for (gsize i = 0; i < p->n_inner; i++)
      {
        const real *a = (const real *)args->tensor[0] + o * p->a_outer + i * p->a_inner;
        const real *b = weights + o * p->b_outer + i / p->b_group * p->b_inner;
        real *c = (real *)args->tensor[3] + o * p->c_outer + i * p->c_inner;

        for (gsize row = 0; row < p->m; row++)
          for (gsize col = 0; col < p->n; col++)
            {
              double sum = 0.0;
              for (gsize s = 0; s < p->k; s++)
                sum += (double)a[p->trans_a ? s * p->ld_a + row : row * p->ld_a + s]
                       * b[p->trans_b ? col * p->ld_b + s : s * p->ld_b + col];
              put (&c[row * p->ld_c + col], p->alpha * sum + (bias ? bias[col] : 0.0),
                   p->accumulate);
            }
      }
}

void
TRC_DEFINE (embed) (const TrcKernelArgs *args)
{
  const TrcEmbedParams *p = &args->params->embed;
  g_autofree real *room = NULL;
  const real *table = unpacked (args, TRC_OP_EMBED, 0, &room);
  const gint32 *ids = args->tensor[1];
  real *out = args->tensor[2];

  for (gsize i = 0; i < p->n; i++)
    for (gsize j = 0; j < p->d; j++)
      {
        gboolean known = ids[i] >= 0 && (guint32)ids[i] < p->n_table;
        put (&out[i * p->ld_out + j], known ? table[(gsize)ids[i] * p->ld_table + j] : 0.0,
             p->accumulate);
      }
}

void
TRC_DEFINE (embed_vjp) (const TrcKernelArgs *args)
{
  const TrcEmbedParams *p = &args->params->embed;
  const real *dout = args->tensor[0];
  const gint32 *ids = args->tensor[1];
  real *dtable = args->tensor[2];

  for (gsize r = 0; r < p->n_table; r++)
    for (gsize j = 0; j < p->d; j++)
      {
        double sum = 0.0;
        for (gsize i = 0; i < p->n; i++)
          if (ids[i] >= 0 && (guint32)ids[i] == r)
            sum += dout[i * p->ld_out + j];
        put (&dtable[r * p->ld_table + j], sum, p->accumulate);
      }
}

void
TRC_DEFINE (axpby) (const TrcKernelArgs *args)
{
  const TrcAxpbyParams *p = &args->params->axpby;
  const real *x = args->tensor[0];
  real *y = args->tensor[1];

  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < p->cols; j++)
      {
        double value = (double)p->alpha * x[wrap (i, p->x_period) * p->ld_x + j];
        if (p->beta != 0.0f)
          value += (double)p->beta * y[i * p->ld_y + j];
        y[i * p->ld_y + j] = value;
      }
}

void
TRC_DEFINE (mul) (const TrcKernelArgs *args)
{
  const TrcMulParams *p = &args->params->mul;
  const real *a = args->tensor[0], *b = args->tensor[1];
  real *out = args->tensor[2];

  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < p->cols; j++)
      put (&out[i * p->ld_out + j],
           (double)p->alpha * a[wrap (i, p->a_period) * p->ld_a + j]
               * b[wrap (i, p->b_period) * p->ld_b + j * p->step_b],
           p->accumulate);
}

void
TRC_DEFINE (fill) (const TrcKernelArgs *args)
{
  const TrcFillParams *p = &args->params->fill;
  real *out = args->tensor[0];

  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < p->cols; j++)
      out[i * p->ld + j] = p->value;
}

void
TRC_DEFINE (sum_rows) (const TrcKernelArgs *args)
{
  const TrcReduceParams *p = &args->params->reduce;
  const real *a = args->tensor[0];
  real *out = args->tensor[1];

  for (gsize i = 0; i < p->rows; i++)
    {
      double sum = 0.0;
      for (gsize j = 0; j < p->cols; j++)
        sum += a[wrap (i, p->a_period) * p->ld_a + j];
      put (&out[i], p->alpha * sum, p->accumulate);
    }
}

void
TRC_DEFINE (sum_cols) (const TrcKernelArgs *args)
{
  const TrcReduceParams *p = &args->params->reduce;
  const real *a = args->tensor[0];
  real *out = args->tensor[1];

  for (gsize j = 0; j < p->cols; j++)
    {
      double sum = 0.0;
      for (gsize i = 0; i < p->rows; i++)
        sum += a[wrap (i, p->a_period) * p->ld_a + j];
      put (&out[j], p->alpha * sum, p->accumulate);
    }
}

void
TRC_DEFINE (dot_rows) (const TrcKernelArgs *args)
{
  const TrcReduceParams *p = &args->params->reduce;
  const real *a = args->tensor[0], *b = args->tensor[1];
  real *out = args->tensor[2];

  for (gsize i = 0; i < p->rows; i++)
    {
      double sum = 0.0;
      for (gsize j = 0; j < p->cols; j++)
        sum += (double)a[wrap (i, p->a_period) * p->ld_a + j]
               * b[wrap (i, p->b_period) * p->ld_b + j];
      put (&out[i], p->alpha * sum, p->accumulate);
    }
}

/* --- activations -------------------------------------------------------------------------- */

#define SQRT_2_OVER_PI 0.79788456080286535588
#define INV_SQRT_2PI 0.39894228040143267794

static double
act (guint32 kind, double x)
{
  switch (kind)
    {
    case TRC_ACT_RELU:
      return x > 0.0 ? x : 0.0;
    case TRC_ACT_GELU_TANH:
      return 0.5 * x * (1.0 + tanh (SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
    case TRC_ACT_GELU_ERF:
      return 0.5 * x * (1.0 + erf (x * M_SQRT1_2));
    case TRC_ACT_SILU:
      return x / (1.0 + exp (-x));
    default:
      return x;
    }
}

static double
act_slope (guint32 kind, double x)
{
  double t, s;

  switch (kind)
    {
    case TRC_ACT_RELU:
      return x > 0.0 ? 1.0 : 0.0;
    case TRC_ACT_GELU_TANH:
      t = tanh (SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
      return 0.5 * (1.0 + t)
             + 0.5 * x * (1.0 - t * t) * SQRT_2_OVER_PI * (1.0 + 3.0 * 0.044715 * x * x);
    case TRC_ACT_GELU_ERF:
      return 0.5 * (1.0 + erf (x * M_SQRT1_2)) + x * INV_SQRT_2PI * exp (-0.5 * x * x);
    case TRC_ACT_SILU:
      s = 1.0 / (1.0 + exp (-x));
      return s + x * s * (1.0 - s);
    default:
      return 1.0;
    }
}

/* f(x) / x, written so that it has no hole at 0. */
static double
act_share (guint32 kind, double x)
{
  if (kind == TRC_ACT_IDENTITY)
    return 1.0;
  if (kind == TRC_ACT_RELU)
    return x > 0.0 ? 1.0 : 0.0;
  return x != 0.0 ? act (kind, x) / x : 0.5;
}

void
TRC_DEFINE (act) (const TrcKernelArgs *args)
{
  const TrcActParams *p = &args->params->act;
  const real *x = args->tensor[0], *u = p->gated ? args->tensor[1] : NULL;
  real *y = args->tensor[2];

  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < p->cols; j++)
      {
        gsize xi = wrap (i, p->x_period);
        put (&y[i * p->ld_y + j],
             act (p->kind, x[xi * p->ld_x + j]) * (u ? u[xi * p->ld_u + j] : 1.0),
             p->accumulate);
      }
}

void
TRC_DEFINE (act_vjp) (const TrcKernelArgs *args)
{
  const TrcActParams *p = &args->params->act;
  const real *dy = args->tensor[0], *x = args->tensor[1];
  const real *u = p->gated ? args->tensor[2] : NULL;
  real *dx = args->tensor[3], *du = args->tensor[4];
  double half = p->gated && p->rule != TRC_RULE_GRADIENT ? 0.5 : 1.0;

  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < p->cols; j++)
      {
        gsize xi = wrap (i, p->x_period);
        double v = x[xi * p->ld_x + j], seed = half * dy[i * p->ld_y + j];
        double slope =
            p->rule == TRC_RULE_RELP ? act_share (p->kind, v) : act_slope (p->kind, v);

        if (dx != NULL)
          put (&dx[i * p->ld_dx + j], seed * slope * (u ? u[xi * p->ld_u + j] : 1.0),
               p->accumulate);
        if (du != NULL)
          put (&du[i * p->ld_du + j], seed * act (p->kind, v), p->accumulate);
      }
}

/* --- norms and softmax -------------------------------------------------------------------- */

void
TRC_DEFINE (norm) (const TrcKernelArgs *args)
{
  const TrcNormParams *p = &args->params->norm;
  const real *x = args->tensor[0];
  const real *gain = p->has_gain ? args->tensor[1] : NULL;
  const real *bias = p->has_bias ? args->tensor[2] : NULL;
  real *y = args->tensor[3], *mean_out = args->tensor[4], *rstd_out = args->tensor[5];

  for (gsize i = 0; i < p->rows; i++)
    {
      double mean = 0.0, square = 0.0, rstd;

      if (p->kind == TRC_NORM_LAYER)
        for (gsize j = 0; j < p->d; j++)
          mean += (double)x[i * p->ld_x + j] / p->d;
      for (gsize j = 0; j < p->d; j++)
        square += (x[i * p->ld_x + j] - mean) * (x[i * p->ld_x + j] - mean) / p->d;

      rstd = p->given_rstd ? rstd_out[wrap (i, p->x_period)] : 1.0 / sqrt (square + p->eps);
      if (!p->given_rstd)
        rstd_out[i] = rstd;
      if (mean_out != NULL && p->kind == TRC_NORM_LAYER)
        mean_out[i] = mean;
      for (gsize j = 0; j < p->d; j++)
        y[i * p->ld_y + j] =
            (x[i * p->ld_x + j] - mean) * rstd * (gain ? (double)p->gain_add + gain[j] : 1.0)
            + (bias ? bias[j] : 0.0);
    }
}

void
TRC_DEFINE (norm_vjp) (const TrcKernelArgs *args)
{
  const TrcNormParams *p = &args->params->norm;
  const real *dy = args->tensor[0], *x = args->tensor[1];
  const real *gain = p->has_gain ? args->tensor[2] : NULL;
  const real *mean = args->tensor[3], *rstd = args->tensor[4];
  real *dx = args->tensor[5];

  for (gsize i = 0; i < p->rows; i++)
    {
      gsize xi = wrap (i, p->x_period);
      double centre = p->kind == TRC_NORM_LAYER && !p->freeze_scale ? mean[xi] : 0.0;
      double avg_g = 0.0, avg_gn = 0.0;

      for (gsize j = 0; j < p->d; j++)
        {
          double g = dy[i * p->ld_y + j] * (gain ? (double)p->gain_add + gain[j] : 1.0);
          if (p->kind == TRC_NORM_LAYER)
            avg_g += g / p->d;
          if (!p->freeze_scale)
            avg_gn += g * (x[xi * p->ld_x + j] - centre) * rstd[xi] / p->d;
        }
      for (gsize j = 0; j < p->d; j++)
        {
          double g = dy[i * p->ld_y + j] * (gain ? (double)p->gain_add + gain[j] : 1.0);
          double n = p->freeze_scale ? 0.0 : (x[xi * p->ld_x + j] - centre) * rstd[xi];
          put (&dx[i * p->ld_dx + j], rstd[xi] * (g - avg_g - n * avg_gn), p->accumulate);
        }
    }
}

void
TRC_DEFINE (norm_vjp_gain) (const TrcKernelArgs *args)
{
  const TrcNormParams *p = &args->params->norm;
  const real *dy = args->tensor[0], *x = args->tensor[1];
  const real *mean = p->kind == TRC_NORM_LAYER ? args->tensor[2] : NULL;
  const real *rstd = args->tensor[3];
  real *dgain = args->tensor[4], *dbias = args->tensor[5];

  for (gsize j = 0; j < p->d; j++)
    {
      double gain_sum = 0.0, bias_sum = 0.0;
      for (gsize i = 0; i < p->rows; i++)
        {
          gsize xi = wrap (i, p->x_period);
          gain_sum +=
              dy[i * p->ld_y + j] * (x[xi * p->ld_x + j] - (mean ? mean[xi] : 0.0)) * rstd[xi];
          bias_sum += dy[i * p->ld_y + j];
        }
      if (dgain != NULL)
        put (&dgain[j], gain_sum, p->accumulate);
      if (dbias != NULL)
        put (&dbias[j], bias_sum, p->accumulate);
    }
}

void
TRC_DEFINE (softmax) (const TrcKernelArgs *args)
{
  const TrcSoftmaxParams *p = &args->params->softmax;

  for (gsize i = 0; i < p->rows; i++)
    {
      const real *x = (const real *)args->tensor[0] + i * p->ld_x;
      real *y = (real *)args->tensor[1] + i * p->ld_y;
      double top = -INFINITY, sum = 0.0;

      for (gsize j = 0; j < p->cols; j++)
        top = fmax (top, (double)p->scale * x[j]);
      for (gsize j = 0; j < p->cols; j++)
        sum += exp ((double)p->scale * x[j] - top);
      for (gsize j = 0; j < p->cols; j++)
        y[j] = exp ((double)p->scale * x[j] - top) / sum;
    }
}

void
TRC_DEFINE (softmax_vjp) (const TrcKernelArgs *args)
{
  const TrcSoftmaxParams *p = &args->params->softmax;

  for (gsize i = 0; i < p->rows; i++)
    {
      const real *dy = (const real *)args->tensor[0] + i * p->ld_y;
      const real *y = (const real *)args->tensor[1] + wrap (i, p->y_period) * p->ld_y;
      real *dx = (real *)args->tensor[2] + i * p->ld_x;
      double dot = 0.0;

      for (gsize j = 0; j < p->cols; j++)
        dot += (double)dy[j] * y[j];
      for (gsize j = 0; j < p->cols; j++)
        put (&dx[j], p->scale * y[j] * (dy[j] - dot), p->accumulate);
    }
}

/* --- attention ---------------------------------------------------------------------------- */

static gboolean
visible (const TrcAttnParams *p, gsize i, gsize j)
{
  gsize last = p->first + i;

  return !p->causal || (j <= last && (p->window == 0 || j + p->window > last));
}

static real *
query_row (void *x, const TrcAttnParams *p, gsize b, gsize i, gsize h)
{
  return (real *)x + b * p->x_batch + i * p->x_row + h * p->x_head;
}

static real *
key_row (void *y, const TrcAttnParams *p, gsize b, gsize j, gsize g)
{
  return (real *)y + b * p->y_batch + j * p->y_row + g * p->y_head;
}

static real *
pattern_row (void *pattern, const TrcAttnParams *p, gsize b, gsize h, gsize i)
{
  return (real *)pattern + b * p->p_batch + (h * p->t_q + i) * p->t_k;
}

static gsize
group_of (const TrcAttnParams *p, gsize h)
{
  return h / (p->n_heads / p->n_kv_heads);
}

static double
score (const TrcAttnParams *p, const TrcKernelArgs *args, gsize b, gsize h, gsize i, gsize j)
{
  const real *q = query_row (args->tensor[0], p, b, i, h);
  const real *k = key_row (args->tensor[1], p, b, j, group_of (p, h));
  double sum = 0.0;

  for (gsize c = 0; c < p->d_head; c++)
    sum += (double)q[c] * k[c];
  return p->scale * sum;
}

static void
pattern_of_row (const TrcAttnParams *p, const TrcKernelArgs *args, gsize b, gsize h, gsize i)
{
  real *row = pattern_row (args->tensor[2], p, b, h, i);
  double top = -INFINITY, sum = 0.0;

  for (gsize j = 0; j < p->t_k; j++)
    if (visible (p, i, j))
      top = fmax (top, score (p, args, b, h, i, j));
  for (gsize j = 0; j < p->t_k; j++)
    if (visible (p, i, j))
      sum += exp (score (p, args, b, h, i, j) - top);
  for (gsize j = 0; j < p->t_k; j++)
    row[j] = visible (p, i, j) ? exp (score (p, args, b, h, i, j) - top) / sum : 0.0;
}

void
TRC_DEFINE (attn_pattern) (const TrcKernelArgs *args)
{
  const TrcAttnParams *p = &args->params->attn;

  for (gsize b = 0; b < p->batch; b++)
    for (gsize h = 0; h < p->n_heads; h++)
      for (gsize i = 0; i < p->t_q; i++)
        pattern_of_row (p, args, b, h, i);
}

void
TRC_DEFINE (attn_dots) (const TrcKernelArgs *args)
{
  const TrcAttnParams *p = &args->params->attn;

  for (gsize b = 0; b < p->batch; b++)
    for (gsize h = 0; h < p->n_heads; h++)
      for (gsize i = 0; i < p->t_q; i++)
        for (gsize j = 0; j < p->t_k; j++)
          put (&pattern_row (args->tensor[2], p, b, h, i)[j],
               visible (p, i, j) ? score (p, args, b, h, i, j) : 0.0, p->accumulate);
}

void
TRC_DEFINE (attn_mix) (const TrcKernelArgs *args)
{
  const TrcAttnParams *p = &args->params->attn;

  for (gsize b = 0; b < p->batch; b++)
    for (gsize i = 0; i < p->t_q; i++)
      for (gsize h = 0; h < p->n_heads; h++)
        for (gsize c = 0; c < p->d_head; c++)
          {
            const real *weight = pattern_row (args->tensor[0], p, b, h, i);
            double sum = 0.0;
            for (gsize j = 0; j < p->t_k; j++)
              if (visible (p, i, j))
                sum +=
                    (double)weight[j] * key_row (args->tensor[1], p, b, j, group_of (p, h))[c];
            put (&query_row (args->tensor[2], p, b, i, h)[c], p->scale * sum, p->accumulate);
          }
}

void
TRC_DEFINE (attn_mix_t) (const TrcKernelArgs *args)
{
  const TrcAttnParams *p = &args->params->attn;
  gsize group = p->n_kv_heads != 0 ? p->n_heads / p->n_kv_heads : 0;

  for (gsize b = 0; b < p->batch; b++)
    for (gsize j = 0; j < p->t_k; j++)
      for (gsize g = 0; g < p->n_kv_heads; g++)
        for (gsize c = 0; c < p->d_head; c++)
          {
            double sum = 0.0;
            for (gsize h = g * group; h < (g + 1) * group; h++)
              for (gsize i = 0; i < p->t_q; i++)
                if (visible (p, i, j))
                  sum += (double)pattern_row (args->tensor[0], p, b, h, i)[j]
                         * query_row (args->tensor[1], p, b, i, h)[c];
            put (&key_row (args->tensor[2], p, b, j, g)[c], p->scale * sum, p->accumulate);
          }
}

/* --- training ----------------------------------------------------------------------------- */

/* log of the sum of e^(x_j - x_t) as log1p of the others when the target is the largest. */
static double
loss_of_row (const real *x, gsize n, gsize target)
{
  gsize top = 0;
  double others = 0.0;

  for (gsize j = 1; j < n; j++)
    if (x[j] > x[top])
      top = j;
  if (x[target] >= x[top])
    top = target;
  for (gsize j = 0; j < n; j++)
    if (j != top)
      others += exp ((double)x[j] - x[top]);
  return ((double)x[top] - x[target]) + log1p (others);
}

void
TRC_DEFINE (cross_entropy) (const TrcKernelArgs *args)
{
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;
  const gint32 *targets = args->tensor[1];
  real *loss = args->tensor[2];

  for (gsize i = 0; i < p->rows; i++)
    {
      gboolean counts = targets[i] >= 0 && (guint32)targets[i] < p->cols;
      const real *x = (const real *)args->tensor[0] + i * p->ld_x;
      put (&loss[i], counts ? loss_of_row (x, p->cols, (gsize)targets[i]) : 0.0, p->accumulate);
    }
}

static void
loss_slope_of_row (const real *x, gsize n, gsize target, double seed, real *dx,
                   guint32 accumulate)
{
  double top = -INFINITY, sum = 0.0, others = 0.0;

  for (gsize j = 0; j < n; j++)
    top = fmax (top, x[j]);
  for (gsize j = 0; j < n; j++)
    {
      sum += exp (x[j] - top);
      others += j != target ? exp (x[j] - top) : 0.0;
    }
  for (gsize j = 0; j < n; j++)
    put (&dx[j], seed * (j != target ? exp (x[j] - top) : -others) / sum, accumulate);
}

void
TRC_DEFINE (cross_entropy_vjp) (const TrcKernelArgs *args)
{
  const TrcCrossEntropyParams *p = &args->params->cross_entropy;
  const gint32 *targets = args->tensor[1];
  const real *seed = args->tensor[2];

  for (gsize i = 0; i < p->rows; i++)
    {
      gboolean counts = targets[i] >= 0 && (guint32)targets[i] < p->cols;
      const real *x = (const real *)args->tensor[0] + i * p->ld_x;
      real *dx = (real *)args->tensor[3] + i * p->ld_dx;

      if (counts)
        loss_slope_of_row (x, p->cols, (gsize)targets[i], seed[i * p->step_seed], dx,
                           p->accumulate);
      for (gsize j = 0; !counts && !p->accumulate && j < p->cols; j++)
        dx[j] = 0;
    }
}

void
TRC_DEFINE (adamw) (const TrcKernelArgs *args)
{
  const TrcAdamwParams *p = &args->params->adamw;
  const real *grad = args->tensor[0];
  real *param = args->tensor[1], *m = args->tensor[2], *v = args->tensor[3];

  for (gsize i = 0; i < p->n; i++)
    {
      double g = (double)p->grad_scale * grad[i];
      double mean = p->beta1 * (double)m[i] + (1.0 - p->beta1) * g;
      double square = p->beta2 * (double)v[i] + (1.0 - p->beta2) * g * g;

      m[i] = mean;
      v[i] = square;
      param[i] = param[i] * (1.0 - (double)p->lr * p->weight_decay)
                 - p->lr * (mean / p->correction1) / (sqrt (square / p->correction2) + p->eps);
    }
}

void
TRC_DEFINE (rope) (const TrcKernelArgs *args)
{
  const TrcRopeParams *p = &args->params->rope;
  const real *table = args->tensor[1];

  for (gsize r = 0; r < p->rows; r++)
    for (gsize h = 0; h < p->n_heads; h++)
      {
        const real *angle = table + (p->first + wrap (r, p->period)) * p->n_rot;
        const real *x = (const real *)args->tensor[0] + r * p->ld_x + h * p->head_stride;
        real *y = (real *)args->tensor[2] + r * p->ld_y + h * p->head_stride;

        for (gsize i = 0; i < p->n_rot / 2; i++)
          {
            gsize first = p->interleaved ? 2 * i : i;
            gsize second = p->interleaved ? 2 * i + 1 : i + p->n_rot / 2;
            double c = angle[2 * i], s = p->inverse ? -angle[2 * i + 1] : angle[2 * i + 1];
            double x0 = x[first], x1 = x[second];

            put (&y[first], x0 * c - x1 * s, p->accumulate);
            put (&y[second], x0 * s + x1 * c, p->accumulate);
          }
        for (gsize j = p->n_rot; j < p->d_head; j++)
          put (&y[j], x[j], p->accumulate);
      }
}
