#version 450
#extension GL_GOOGLE_include_directive : require

// y[b, j, g] := scale * sum over the heads of g, then the queries that see j, of p * x.
// One invocation an element.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer P { float pattern[]; };
layout (std430, binding = 1) readonly buffer X { float x[]; };
layout (std430, binding = 2) buffer Y { float y[]; };
layout (push_constant) uniform Push { TrcAttnParams p; };
#include "attention.glsl"

void
main ()
{
  uint e = trc_index ();
  if (e >= p.batch * p.t_k * p.n_kv_heads * p.d_head)
    return;

  uint c = e % p.d_head, g = e / p.d_head % p.n_kv_heads;
  uint j = e / p.d_head / p.n_kv_heads % p.t_k, b = e / p.d_head / p.n_kv_heads / p.t_k;
  uint group = p.n_heads / p.n_kv_heads;
  uvec2 seeing = seeing_queries (j);
  float sum = 0.0;
  for (uint h = g * group; h < (g + 1u) * group; h++)
    for (uint i = seeing.x; i < seeing.y; i++)
      sum += pattern[p.off[0] + pattern_row (b, h, i) + j]
             * x[p.off[1] + query_row (b, i, h) + c];
  sum *= p.scale;

  uint at = p.off[2] + key_row (b, j, g) + c;
  y[at] = p.accumulate != 0u ? y[at] + sum : sum;
}
