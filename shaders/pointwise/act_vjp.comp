#version 450
#extension GL_GOOGLE_include_directive : require

// dx, du := dy pulled back through act by the rule. One invocation an element.
// off[5] and off[6], of tensors this kernel has not, say whether dx and du are wanted.
#include "act.glsl"
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer DY { float dy[]; };
layout (std430, binding = 1) readonly buffer X { float x[]; };
layout (std430, binding = 2) readonly buffer U { float u[]; };
layout (std430, binding = 3) buffer DX { float dx[]; };
layout (std430, binding = 4) buffer DU { float du[]; };
layout (push_constant) uniform Push { TrcActParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e >= p.rows * p.cols)
    return;

  uint i = e / p.cols, j = e % p.cols;
  uint row = trc_wrap (i, p.x_period);
  float v = x[p.off[1] + row * p.ld_x + j];
  float seed = dy[p.off[0] + i * p.ld_y + j];
  if (p.gated != 0u && p.rule != TRC_RULE_GRADIENT)
    seed *= 0.5;

  if (p.off[5] != 0u)
    {
      uint at = p.off[3] + i * p.ld_dx + j;
      float value = seed
                    * (p.rule == TRC_RULE_RELP ? trc_act_share (p.kind, v)
                                               : trc_act_slope (p.kind, v));
      if (p.gated != 0u)
        value *= u[p.off[2] + row * p.ld_u + j];
      dx[at] = p.accumulate != 0u ? dx[at] + value : value;
    }
  if (p.off[6] != 0u)
    {
      uint at = p.off[4] + i * p.ld_du + j;
      float value = seed * trc_act (p.kind, v);
      du[at] = p.accumulate != 0u ? du[at] + value : value;
    }
}
