#version 450
#extension GL_GOOGLE_include_directive : require

// dx := dy pulled back through a norm, its scale frozen or not.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer DY { float dy[]; };
layout (std430, binding = 1) readonly buffer X { float x[]; };
layout (std430, binding = 2) readonly buffer Gain { float gain[]; };
layout (std430, binding = 3) readonly buffer Mean { float mean_of[]; };
layout (std430, binding = 4) readonly buffer Rstd { float rstd_of[]; };
layout (std430, binding = 5) buffer DX { float dx[]; };
layout (push_constant) uniform Push { TrcNormParams p; };

float
gained (uint row, uint j)
{
  float g = dy[p.off[0] + row * p.ld_y + j];

  return p.has_gain != 0u ? g * (p.gain_add + gain[p.off[2] + j]) : g;
}

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  bool moves = p.freeze_scale == 0u; // rstd follows x
  uint xi = live ? trc_wrap (row, p.x_period) : 0u;
  uint from = p.off[1] + xi * p.ld_x, to = p.off[5] + row * p.ld_dx;
  float rstd = 0.0, mean = 0.0, sum_g = 0.0, sum_gn = 0.0;

  if (live)
    rstd = rstd_of[p.off[4] + xi];
  if (live && moves && p.kind == TRC_NORM_LAYER)
    mean = mean_of[p.off[3] + xi];
  for (uint j = trc_lane (); live && j < p.d; j += LANES)
    {
      float g = gained (row, j);
      sum_g += g;
      if (moves)
        sum_gn += g * (x[from + j] - mean) * rstd;
    }
  sum_g = trc_lanes_sum (sum_g);
  sum_gn = trc_lanes_sum (sum_gn);

  float avg_g = p.kind == TRC_NORM_LAYER ? sum_g / float (p.d) : 0.0;
  float avg_gn = sum_gn / float (p.d);
  for (uint j = trc_lane (); live && j < p.d; j += LANES)
    {
      float value = gained (row, j) - avg_g;
      if (moves)
        value -= (x[from + j] - mean) * rstd * avg_gn;
      value *= rstd;
      dx[to + j] = p.accumulate != 0u ? dx[to + j] + value : value;
    }
}
