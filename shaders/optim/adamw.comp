#version 450
#extension GL_GOOGLE_include_directive : require

// One AdamW step in place, one invocation a parameter.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer Grad { float grad[]; };
layout (std430, binding = 1) buffer Param { float param[]; };
layout (std430, binding = 2) buffer M { float m[]; };
layout (std430, binding = 3) buffer V { float v[]; };
layout (push_constant) uniform Push { TrcAdamwParams p; };

void
main ()
{
  uint i = trc_index ();
  if (i >= p.n)
    return;

  float g = p.grad_scale * grad[p.off[0] + i];
  float mean = p.beta1 * m[p.off[2] + i] + (1.0 - p.beta1) * g;
  float square = p.beta2 * v[p.off[3] + i] + (1.0 - p.beta2) * g * g;
  m[p.off[2] + i] = mean;
  v[p.off[3] + i] = square;
  param[p.off[1] + i] = param[p.off[1] + i] * (1.0 - p.lr * p.weight_decay)
                        - p.lr * (mean / p.correction1)
                              / (sqrt (square / p.correction2) + p.eps);
}
