// shaders/include/act.glsl - activation functions, their slopes and shares
//
// Built-in tanh and a naive e^-x overflow on some drivers for large arguments, and
// GLSL has no erf, so all three are made from exp of a bounded argument.
#ifndef TRC_SHADERS_ACT_GLSL
#define TRC_SHADERS_ACT_GLSL

#include "params.h"

const float TRC_SQRT_2_OVER_PI = 0.7978845608;
const float TRC_INV_SQRT_2PI = 0.3989422804;
const float TRC_SQRT1_2 = 0.7071067812;

// 1 / (1 + e^-x)
float
trc_sigmoid (float x)
{
  float e = exp (-min (abs (x), 80.0));

  return x >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

// (1 + erf (x / sqrt 2)) / 2, the normal distribution. Below |z| = 1 the Taylor series
// of erf; beyond, erfc z = e^(-z^2) t P(t) with t = 2 / (2 + z) and P fitted on [1, 11]
// to 1e-8.
float
trc_phi (float x)
{
  float z = abs (x) * TRC_SQRT1_2;
  float s = z * z;

  if (z < 1.0)
    {
      float r = 1.3122532963802805e-8 * -s + 1.4503852223150468e-7;
      r = r * -s + 1.4589169000933706e-6;
      r = r * -s + 1.3227513227513228e-5;
      r = r * -s + 1.0683760683760684e-4;
      r = r * -s + 7.5757575757575758e-4;
      r = r * -s + 4.6296296296296297e-3;
      r = r * -s + 2.3809523809523808e-2;
      r = r * -s + 0.1;
      r = r * -s + 0.33333333333333333;
      r = r * -s + 1.0;
      float half_erf = 0.5641895835 * z * r;
      return x >= 0.0 ? 0.5 + half_erf : 0.5 - half_erf;
    }

  float t = 2.0 / (2.0 + z);
  float r = 0.09506194042 * t - 0.2309287762;
  r = r * t + 0.08823693964;
  r = r * t + 0.05715053074;
  r = r * t + 0.1802713019;
  r = r * t + 0.2466300841;
  r = r * t + 0.2820794893;
  r = r * t + 0.2820964459;
  float half_erfc = 0.5 * exp (-min (s, 80.0)) * t * r;
  return x >= 0.0 ? 1.0 - half_erfc : half_erfc;
}

float
trc_gelu_tanh_inner (float x)
{
  return TRC_SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
}

// f(x) / x, without a hole at 0
float
trc_act_share (uint kind, float x)
{
  switch (kind)
    {
    case TRC_ACT_RELU:
      return x > 0.0 ? 1.0 : 0.0;
    case TRC_ACT_GELU_TANH:
      return trc_sigmoid (2.0 * trc_gelu_tanh_inner (x)); // (1 + tanh u) / 2
    case TRC_ACT_GELU_ERF:
      return trc_phi (x);
    case TRC_ACT_SILU:
      return trc_sigmoid (x);
    default:
      return 1.0;
    }
}

float
trc_act (uint kind, float x)
{
  return kind == TRC_ACT_RELU ? max (x, 0.0) : x * trc_act_share (kind, x);
}

// f'(x)
float
trc_act_slope (uint kind, float x)
{
  float s = trc_act_share (kind, x);

  switch (kind)
    {
    case TRC_ACT_GELU_TANH:
      return s + 2.0 * x * s * trc_sigmoid (-2.0 * trc_gelu_tanh_inner (x)) * TRC_SQRT_2_OVER_PI
                     * (1.0 + 3.0 * 0.044715 * x * x);
    case TRC_ACT_GELU_ERF:
      return s + x * TRC_INV_SQRT_2PI * exp (-min (0.5 * x * x, 80.0));
    case TRC_ACT_SILU:
      return s + x * s * trc_sigmoid (-x);
    default:
      return s;
    }
}

#endif
