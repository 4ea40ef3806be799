#version 450
#extension GL_GOOGLE_include_directive : require

// out[i] := alpha * sum of row i.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 1) buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcReduceParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint from = p.off[0] + (live ? trc_wrap (row, p.a_period) : 0u) * p.ld_a;
  float sum = 0.0;

  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    sum += a[from + j];
  sum = p.alpha * trc_lanes_sum (sum);
  if (live && trc_lane () == 0u)
    o[p.off[1] + row] = p.accumulate != 0u ? o[p.off[1] + row] + sum : sum;
}
