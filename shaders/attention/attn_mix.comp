#version 450
#extension GL_GOOGLE_include_directive : require

// x[b, i, h] := scale * sum over the visible keys of p * y, one invocation an element.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer P { float pattern[]; };
layout (std430, binding = 1) readonly buffer Y { float y[]; };
layout (std430, binding = 2) buffer X { float x[]; };
layout (push_constant) uniform Push { TrcAttnParams p; };
#include "attention.glsl"

void
main ()
{
  uint e = trc_index ();
  if (e >= p.batch * p.t_q * p.n_heads * p.d_head)
    return;

  uint c = e % p.d_head, h = e / p.d_head % p.n_heads;
  uint i = e / p.d_head / p.n_heads % p.t_q, b = e / p.d_head / p.n_heads / p.t_q;
  uint weights = p.off[0] + pattern_row (b, h, i);
  uint from = p.off[1] + key_row (b, 0u, kv_head (h)) + c;
  uvec2 seen = visible_keys (i);
  float sum = 0.0;
  for (uint j = seen.x; j < seen.y; j++)
    sum += pattern[weights + j] * y[from + j * p.y_row];
  sum *= p.scale;

  uint at = p.off[2] + query_row (b, i, h) + c;
  x[at] = p.accumulate != 0u ? x[at] + sum : sum;
}
