#version 450
#extension GL_GOOGLE_include_directive : require
#define TRC_LANES_OF_COLUMNS

// out[j] := alpha * sum of column j.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 1) buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcReduceParams p; };

void
main ()
{
  uint col = trc_owner ();
  bool live = col < p.cols;
  float sum = 0.0;

  for (uint i = trc_lane (); live && i < p.rows; i += LANES)
    sum += a[p.off[0] + trc_wrap (i, p.a_period) * p.ld_a + col];
  sum = p.alpha * trc_lanes_sum (sum);
  if (live && trc_lane () == 0u)
    o[p.off[1] + col] = p.accumulate != 0u ? o[p.off[1] + col] + sum : sum;
}
