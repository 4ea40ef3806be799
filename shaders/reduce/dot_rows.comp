#version 450
#extension GL_GOOGLE_include_directive : require

// out[i] := alpha * inner product of rows i.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 1) readonly buffer B { float b[]; };
layout (std430, binding = 2) buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcReduceParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint from_a = p.off[0] + (live ? trc_wrap (row, p.a_period) : 0u) * p.ld_a;
  uint from_b = p.off[1] + (live ? trc_wrap (row, p.b_period) : 0u) * p.ld_b;
  float sum = 0.0;

  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    sum += a[from_a + j] * b[from_b + j];
  sum = p.alpha * trc_lanes_sum (sum);
  if (live && trc_lane () == 0u)
    o[p.off[2] + row] = p.accumulate != 0u ? o[p.off[2] + row] + sum : sum;
}
