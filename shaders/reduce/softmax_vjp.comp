#version 450
#extension GL_GOOGLE_include_directive : require

// dx := scale * y * (dy - sum of dy * y). Each lane reads and writes only its own
// elements in the last pass, so dx and dy may be the same.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer DY { float dy[]; };
layout (std430, binding = 1) readonly buffer Y { float y[]; };
layout (std430, binding = 2) buffer DX { float dx[]; };
layout (push_constant) uniform Push { TrcSoftmaxParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint from = p.off[0] + row * p.ld_y;
  uint from_y = p.off[1] + (live ? trc_wrap (row, p.y_period) : 0u) * p.ld_y;
  uint to = p.off[2] + row * p.ld_x;
  float sum = 0.0;

  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    sum += dy[from + j] * y[from_y + j];
  sum = trc_lanes_sum (sum);
  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    {
      float value = p.scale * y[from_y + j] * (dy[from + j] - sum);
      dx[to + j] = p.accumulate != 0u ? dx[to + j] + value : value;
    }
}
