#version 450
#extension GL_GOOGLE_include_directive : require

// LayerNorm and RMSNorm of every row. off[6], of a tensor this kernel has not, says
// whether the mean is wanted.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Gain { float gain[]; };
layout (std430, binding = 2) readonly buffer Bias { float bias[]; };
layout (std430, binding = 3) writeonly buffer Y { float y[]; };
layout (std430, binding = 4) writeonly buffer Mean { float mean_of[]; };
layout (std430, binding = 5) buffer Rstd { float rstd_of[]; };
layout (push_constant) uniform Push { TrcNormParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint from = p.off[0] + row * p.ld_x, to = p.off[3] + row * p.ld_y;
  float mean = 0.0, square = 0.0, rstd = 0.0;

  if (p.kind == TRC_NORM_LAYER)
    {
      for (uint j = trc_lane (); live && j < p.d; j += LANES)
        mean += x[from + j];
      mean = trc_lanes_sum (mean) / float (p.d);
    }
  for (uint j = trc_lane (); live && j < p.d; j += LANES)
    square += (x[from + j] - mean) * (x[from + j] - mean);
  square = trc_lanes_sum (square) / float (p.d);
  if (!live)
    return;

  if (p.given_rstd != 0u)
    rstd = rstd_of[p.off[5] + trc_wrap (row, p.x_period)];
  else
    rstd = 1.0 / sqrt (square + p.eps);
  if (trc_lane () == 0u && p.given_rstd == 0u)
    rstd_of[p.off[5] + row] = rstd;
  if (trc_lane () == 0u && p.off[6] != 0u && p.kind == TRC_NORM_LAYER)
    mean_of[p.off[4] + row] = mean;
  for (uint j = trc_lane (); j < p.d; j += LANES)
    {
      float value = (x[from + j] - mean) * rstd;
      if (p.has_gain != 0u)
        value *= p.gain_add + gain[p.off[1] + j];
      if (p.has_bias != 0u)
        value += bias[p.off[2] + j];
      y[to + j] = value;
    }
}
