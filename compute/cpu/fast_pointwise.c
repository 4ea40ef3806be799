#include "compute/cpu/fast_impl.h"

/* --- fill, axpby, mul --------------------------------------------------------------------- */

static void
fill_cells (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcFillParams *p = &args->params->fill;

  for (gsize i = i0; i < i1; i++)
    {
      float *row = (float *)args->tensor[0] + i * p->ld;
      for (gsize j = j0; j < j1; j++)
        row[j] = p->value;
    }
}

void
TRC_FAST (fill) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_cells (pool, args->params->fill.rows, args->params->fill.cols, fill_cells, args);
}

static void
axpby_row (float alpha, const float *restrict x, float beta, float *restrict y, gsize n)
{
  if (beta == 0.0f && alpha == 1.0f)
    memcpy (y, x, n * sizeof *y);
  else if (beta == 0.0f)
    for (gsize j = 0; j < n; j++)
      y[j] = alpha * x[j];
  else if (beta == 1.0f)
    for (gsize j = 0; j < n; j++)
      y[j] += alpha * x[j];
  else
    for (gsize j = 0; j < n; j++)
      y[j] = alpha * x[j] + beta * y[j];
}

static void
axpby_cells (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcAxpbyParams *p = &args->params->axpby;

  if (p->cols == 1 && p->ld_y == 1 && p->ld_x == 0) /* one value for all */
    {
      float value = p->alpha * *(const float *)args->tensor[0], *y = args->tensor[1];
      for (gsize i = i0; i < i1; i++)
        y[i] = p->beta != 0.0f ? value + p->beta * y[i] : value;
      return;
    }
  for (gsize i = i0; i < i1; i++)
    axpby_row (p->alpha, (const float *)args->tensor[0] + wrap (i, p->x_period) * p->ld_x + j0,
               p->beta, (float *)args->tensor[1] + i * p->ld_y + j0, j1 - j0);
}

void
TRC_FAST (axpby) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_cells (pool, args->params->axpby.rows, args->params->axpby.cols, axpby_cells, args);
}

static void
mul_cells (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcMulParams *p = &args->params->mul;

  for (gsize i = i0; i < i1; i++)
    {
      const float *restrict a =
          (const float *)args->tensor[0] + wrap (i, p->a_period) * p->ld_a;
      const float *restrict b =
          (const float *)args->tensor[1] + wrap (i, p->b_period) * p->ld_b;
      float *restrict out = (float *)args->tensor[2] + i * p->ld_out;

      if (!p->accumulate && p->step_b == 1)
        for (gsize j = j0; j < j1; j++)
          out[j] = p->alpha * a[j] * b[j];
      else if (p->step_b == 1)
        for (gsize j = j0; j < j1; j++)
          out[j] += p->alpha * a[j] * b[j];
      else
        for (gsize j = j0; j < j1; j++)
          out[j] = p->alpha * a[j] * b[j * p->step_b] + (p->accumulate ? out[j] : 0.0f);
    }
}

void
TRC_FAST (mul) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_cells (pool, args->params->mul.rows, args->params->mul.cols, mul_cells, args);
}

/* --- activations -------------------------------------------------------------------------- */

#define SQRT_2_OVER_PI 0.79788456080286535588f
#define INV_SQRT_2PI 0.39894228040143267794f

static inline VF
sigmoid (VF x)
{
  return 1.0f / (1.0f + vf_exp (-x));
}

/* The share of a normal distribution below x. Near 0 the series of erf (its terms up to z^19),
 * further out t P(t) e^(-z^2) with t = 1 / (1 + 0.4 z), P through the Chebyshev points of [0,
 * 6]; both are worked out, so that loops vectorise. Error below 1e-7. */
static inline VF
normal_share (VF x)
{
  const VF zero = { 0 };
  VF z = (VF)((VI)x & G_MAXINT32) * 0.70710678118654752440f, q = z * z;
  VF e = zero - 1.0f / 6894720.0f;
  e = e * q + 1.0f / 685440.0f;
  e = e * q - 1.0f / 75600.0f;
  e = e * q + 1.0f / 9360.0f;
  e = e * q - 1.0f / 1320.0f;
  e = e * q + 1.0f / 216.0f;
  e = e * q - 1.0f / 42.0f;
  e = e * q + 1.0f / 10.0f;
  e = e * q - 1.0f / 3.0f;
  e = e * q + 1.0f;
  e = 0.5f - 0.56418958354775628695f * z * e;

  VF t = 1.0f / (1.0f + 0.4f * z);
  VF y = zero + 0.0730426461f;
  y = y * t - 0.38846755f;
  y = y * t + 0.672118127f;
  y = y * t - 0.360699922f;
  y = y * t + 0.400500953f;
  y = y * t + 0.142649904f;
  y = y * t + 0.235857874f;
  y = y * t + 0.224997967f;
  y = 0.5f * y * t * vf_exp (-q);

  y = vf_select (z < 1.0f, e, y);
  return vf_select (x < 0.0f, y, 1.0f - y);
}

/* f(x), f(x) / x and f'(x) of each kind, without branches. */
static inline VF
relu_value (VF x)
{
  return (VF)((VI)x & (x > 0.0f));
}

static inline VF
relu_share (VF x)
{
  const VF zero = { 0 };

  return (VF)((VI)(zero + 1.0f) & (x > 0.0f));
}

static inline VF
gelu_tanh_share (VF x)
{
  return sigmoid (2.0f * SQRT_2_OVER_PI * (x + 0.044715f * x * x * x));
}

static inline VF
gelu_tanh_slope (VF x)
{
  VF s = gelu_tanh_share (x);
  return s + x * s * (1.0f - s) * 2.0f * SQRT_2_OVER_PI * (1.0f + 3.0f * 0.044715f * x * x);
}

static inline VF
gelu_erf_slope (VF x)
{
  return normal_share (x) + x * INV_SQRT_2PI * vf_exp (-0.5f * x * x);
}

static inline VF
silu_slope (VF x)
{
  VF s = sigmoid (x);
  return s + x * s * (1.0f - s);
}

static inline VF
identity_share (VF x)
{
  const VF zero = { 0 };

  return zero + 1.0f;
}

static inline VF
gelu_tanh_value (VF x)
{
  return x * gelu_tanh_share (x);
}

static inline VF
gelu_erf_value (VF x)
{
  return x * normal_share (x);
}

static inline VF
silu_value (VF x)
{
  return x * sigmoid (x);
}

static inline VF
identity_value (VF x)
{
  return x;
}

typedef struct {
  const TrcActParams *p;
  const float *dy, *x, *u;
  float *dx, *du;
} ActRow;

/* The loops over one row for one kind; u is NULL when not gated. */
#define ACT_LOOPS(KIND, VALUE, SHARE, SLOPE)                                                   \
  static void act_forward_##KIND (const float *x, const float *u, float *y, gboolean add,      \
                                  gsize n)                                                     \
  {                                                                                            \
    for (gsize j = 0; j < n; j += LANES)                                                       \
      {                                                                                        \
        VF v = VALUE (vf_get (x + j, n - j));                                                  \
        if (u != NULL)                                                                         \
          v *= vf_get (u + j, n - j);                                                          \
        if (add)                                                                               \
          v += vf_get (y + j, n - j);                                                          \
        vf_put (y + j, v, n - j);                                                              \
      }                                                                                        \
  }                                                                                            \
  static void act_slope_##KIND (const float *x, gboolean relp, float *s, gsize n)              \
  {                                                                                            \
    for (gsize j = 0; j < n; j += LANES)                                                       \
      vf_put (s + j, relp ? SHARE (vf_get (x + j, n - j)) : SLOPE (vf_get (x + j, n - j)),     \
              n - j);                                                                          \
  }

ACT_LOOPS (relu, relu_value, relu_share, relu_share)
ACT_LOOPS (gelu_tanh, gelu_tanh_value, gelu_tanh_share, gelu_tanh_slope)
ACT_LOOPS (gelu_erf, gelu_erf_value, normal_share, gelu_erf_slope)
ACT_LOOPS (silu, silu_value, sigmoid, silu_slope)
ACT_LOOPS (identity, identity_value, identity_share, identity_share)

typedef void (*ForwardFunc) (const float *x, const float *u, float *y, gboolean add, gsize n);
typedef void (*SlopeFunc) (const float *x, gboolean relp, float *s, gsize n);

/* In the order of TRC_ACT_*. */
static const ForwardFunc act_forward[] = { act_forward_relu, act_forward_gelu_tanh,
                                           act_forward_gelu_erf, act_forward_silu,
                                           act_forward_identity };
static const SlopeFunc act_slope[] = { act_slope_relu, act_slope_gelu_tanh, act_slope_gelu_erf,
                                       act_slope_silu, act_slope_identity };

static void
act_cells (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcActParams *p = &args->params->act;
  ForwardFunc forward = act_forward[MIN (p->kind, TRC_ACT_IDENTITY)];

  for (gsize i = i0; i < i1; i++)
    {
      gsize xi = wrap (i, p->x_period);
      forward ((const float *)args->tensor[0] + xi * p->ld_x + j0,
               p->gated ? (const float *)args->tensor[1] + xi * p->ld_u + j0 : NULL,
               (float *)args->tensor[2] + i * p->ld_y + j0, p->accumulate != 0, j1 - j0);
    }
}

void
TRC_FAST (act) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_cells (pool, args->params->act.rows, args->params->act.cols, act_cells, args);
}

/* out := scale * a * b (* c). */
static void
store_product (float *restrict out, float scale, const float *restrict a,
               const float *restrict b, const float *restrict c, gboolean add, gsize n)
{
  if (c == NULL && !add)
    for (gsize j = 0; j < n; j++)
      out[j] = scale * a[j] * b[j];
  else if (c == NULL)
    for (gsize j = 0; j < n; j++)
      out[j] += scale * a[j] * b[j];
  else if (!add)
    for (gsize j = 0; j < n; j++)
      out[j] = scale * a[j] * b[j] * c[j];
  else
    for (gsize j = 0; j < n; j++)
      out[j] += scale * a[j] * b[j] * c[j];
}

/* At most 256 columns of one row, through a scratch of slopes. */
static void
act_vjp_strip (const ActRow *row, gsize j, gsize n)
{
  const TrcActParams *p = row->p;
  guint32 kind = MIN (p->kind, TRC_ACT_IDENTITY);
  float half = p->gated && p->rule != TRC_RULE_GRADIENT ? 0.5f : 1.0f;
  float scratch[256];

  if (row->dx != NULL)
    {
      act_slope[kind](row->x + j, p->rule == TRC_RULE_RELP, scratch, n);
      store_product (row->dx + j, half, row->dy + j, scratch, row->u ? row->u + j : NULL,
                     p->accumulate != 0, n);
    }
  if (row->du != NULL)
    {
      act_forward[kind](row->x + j, NULL, scratch, FALSE, n);
      store_product (row->du + j, half, row->dy + j, scratch, NULL, p->accumulate != 0, n);
    }
}

static void
act_vjp_cells (gsize i0, gsize i1, gsize j0, gsize j1, gconstpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcActParams *p = &args->params->act;

  for (gsize i = i0; i < i1; i++)
    {
      gsize xi = wrap (i, p->x_period);
      ActRow row = {
        .p = p,
        .dy = (const float *)args->tensor[0] + i * p->ld_y,
        .x = (const float *)args->tensor[1] + xi * p->ld_x,
        .u = p->gated ? (const float *)args->tensor[2] + xi * p->ld_u : NULL,
        .dx = args->tensor[3] != NULL ? (float *)args->tensor[3] + i * p->ld_dx : NULL,
        .du = args->tensor[4] != NULL ? (float *)args->tensor[4] + i * p->ld_du : NULL,
      };
      for (gsize j = j0; j < j1; j += 256)
        act_vjp_strip (&row, j, MIN ((gsize)256, j1 - j));
    }
}

void
TRC_FAST (act_vjp) (const TrcKernelArgs *args, TrcPool *pool)
{
  run_cells (pool, args->params->act.rows, args->params->act.cols, act_vjp_cells, args);
}

/* --- AdamW -------------------------------------------------------------------------------- */

static void
adamw_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcAdamwParams *p = &args->params->adamw;
  const float *restrict grad = args->tensor[0];
  float *restrict param = args->tensor[1];
  float *restrict m = args->tensor[2], *restrict v = args->tensor[3];
  float decay = (float)(1.0 - (double)p->lr * p->weight_decay);

  for (gsize i = first; i < last; i++)
    {
      float g = p->grad_scale * grad[i];
      m[i] = p->beta1 * m[i] + (1.0f - p->beta1) * g;
      v[i] = p->beta2 * v[i] + (1.0f - p->beta2) * g * g;
      param[i] = param[i] * decay
                 - p->lr * (m[i] / p->correction1) / (sqrtf (v[i] / p->correction2) + p->eps);
    }
}

void
TRC_FAST (adamw) (const TrcKernelArgs *args, TrcPool *pool)
{
  trc_pool_run (pool, args->params->adamw.n, GRAIN_ELEMENTS, adamw_piece, (gpointer)args);
}

/* --- rotary positions --------------------------------------------------------------------- */

static void
rope_head (const TrcRopeParams *p, const float *angle, const float *x, float *y)
{
  float sign = p->inverse ? -1.0f : 1.0f;

  for (gsize i = 0; i < p->n_rot / 2; i++)
    {
      gsize first = p->interleaved ? 2 * i : i;
      gsize second = p->interleaved ? 2 * i + 1 : i + p->n_rot / 2;
      float c = angle[2 * i], s = sign * angle[2 * i + 1];
      float x0 = x[first], x1 = x[second];

      y[first] = x0 * c - x1 * s + (p->accumulate ? y[first] : 0.0f);
      y[second] = x0 * s + x1 * c + (p->accumulate ? y[second] : 0.0f);
    }
  for (gsize j = p->n_rot; j < p->d_head; j++)
    y[j] = x[j] + (p->accumulate ? y[j] : 0.0f);
}

static void
rope_piece (gsize first, gsize last, gpointer data)
{
  const TrcKernelArgs *args = data;
  const TrcRopeParams *p = &args->params->rope;

  for (gsize r = first; r < last; r++)
    for (gsize h = 0; h < p->n_heads; h++)
      rope_head (p,
                 (const float *)args->tensor[1] + (p->first + wrap (r, p->period)) * p->n_rot,
                 (const float *)args->tensor[0] + r * p->ld_x + h * p->head_stride,
                 (float *)args->tensor[2] + r * p->ld_y + h * p->head_stride);
}

void
TRC_FAST (rope) (const TrcKernelArgs *args, TrcPool *pool)
{
  const TrcRopeParams *p = &args->params->rope;

  run_rows (pool, p->rows, (gsize)p->n_heads * p->d_head, rope_piece, args);
}
