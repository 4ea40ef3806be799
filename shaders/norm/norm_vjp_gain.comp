#version 450
#extension GL_GOOGLE_include_directive : require
#define TRC_LANES_OF_COLUMNS

// dgain, dbias := gradients of a norm's parameters, summed over the rows. off[6] and
// off[7], of tensors this kernel has not, say which of them is wanted.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer DY { float dy[]; };
layout (std430, binding = 1) readonly buffer X { float x[]; };
layout (std430, binding = 2) readonly buffer Mean { float mean_of[]; };
layout (std430, binding = 3) readonly buffer Rstd { float rstd_of[]; };
layout (std430, binding = 4) buffer DGain { float dgain[]; };
layout (std430, binding = 5) buffer DBias { float dbias[]; };
layout (push_constant) uniform Push { TrcNormParams p; };

void
main ()
{
  uint col = trc_owner ();
  bool live = col < p.d;
  float gain_sum = 0.0, bias_sum = 0.0;

  for (uint i = trc_lane (); live && i < p.rows; i += LANES)
    {
      uint xi = trc_wrap (i, p.x_period);
      float mean = 0.0;
      float g = dy[p.off[0] + i * p.ld_y + col];
      if (p.kind == TRC_NORM_LAYER)
        mean = mean_of[p.off[2] + xi];
      gain_sum += g * (x[p.off[1] + xi * p.ld_x + col] - mean) * rstd_of[p.off[3] + xi];
      bias_sum += g;
    }
  gain_sum = trc_lanes_sum (gain_sum);
  bias_sum = trc_lanes_sum (bias_sum);
  if (!live || trc_lane () != 0u)
    return;
  if (p.off[6] != 0u)
    {
      uint at = p.off[4] + col;
      dgain[at] = p.accumulate != 0u ? dgain[at] + gain_sum : gain_sum;
    }
  if (p.off[7] != 0u)
    {
      uint at = p.off[5] + col;
      dbias[at] = p.accumulate != 0u ? dbias[at] + bias_sum : bias_sum;
    }
}
