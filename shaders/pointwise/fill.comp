#version 450
#extension GL_GOOGLE_include_directive : require

// out = value, one invocation an element.
#include "kernel.glsl"

layout (std430, binding = 0) writeonly buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcFillParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e < p.rows * p.cols)
    o[p.off[0] + e / p.cols * p.ld + e % p.cols] = p.value;
}
