#version 450
#extension GL_GOOGLE_include_directive : require

// y := f(x), gated: f(x) * u. One invocation an element.
#include "act.glsl"
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer U { float u[]; };
layout (std430, binding = 2) buffer Y { float y[]; };
layout (push_constant) uniform Push { TrcActParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e >= p.rows * p.cols)
    return;

  uint i = e / p.cols, j = e % p.cols;
  uint row = trc_wrap (i, p.x_period);
  uint at = p.off[2] + i * p.ld_y + j;
  float value = trc_act (p.kind, x[p.off[0] + row * p.ld_x + j]);
  if (p.gated != 0u)
    value *= u[p.off[1] + row * p.ld_u + j];
  y[at] = p.accumulate != 0u ? y[at] + value : value;
}
