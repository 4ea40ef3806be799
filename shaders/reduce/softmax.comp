#version 450
#extension GL_GOOGLE_include_directive : require

// y = softmax (scale * x) of every row. Each lane reads and writes only its own
// elements, so x and y may be the same.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) buffer Y { float y[]; };
layout (push_constant) uniform Push { TrcSoftmaxParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint from = p.off[0] + row * p.ld_x, to = p.off[1] + row * p.ld_y;
  float top = -3.0e38, sum = 0.0;

  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    top = max (top, p.scale * x[from + j]);
  top = trc_lanes_max (top);
  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    {
      float e = exp (p.scale * x[from + j] - top);
      y[to + j] = e;
      sum += e;
    }
  sum = trc_lanes_sum (sum);
  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    y[to + j] /= sum;
}
