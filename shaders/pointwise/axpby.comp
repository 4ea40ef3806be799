#version 450
#extension GL_GOOGLE_include_directive : require

// y = alpha * x + beta * y, one invocation an element.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) buffer Y { float y[]; };
layout (push_constant) uniform Push { TrcAxpbyParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e >= p.rows * p.cols)
    return;

  uint i = e / p.cols, j = e % p.cols;
  uint at = p.off[1] + i * p.ld_y + j;
  float value = p.alpha * x[p.off[0] + trc_wrap (i, p.x_period) * p.ld_x + j];
  if (p.beta != 0.0)
    value += p.beta * y[at];
  y[at] = value;
}
