#version 450
#extension GL_GOOGLE_include_directive : require

// out := alpha * a * b, one invocation an element.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 1) readonly buffer B { float b[]; };
layout (std430, binding = 2) buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcMulParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e >= p.rows * p.cols)
    return;

  uint i = e / p.cols, j = e % p.cols;
  uint at = p.off[2] + i * p.ld_out + j;
  float value = p.alpha * a[p.off[0] + trc_wrap (i, p.a_period) * p.ld_a + j]
                * b[p.off[1] + trc_wrap (i, p.b_period) * p.ld_b + j * p.step_b];
  o[at] = p.accumulate != 0u ? o[at] + value : value;
}
