#version 450
#extension GL_GOOGLE_include_directive : require

// p := scale * x . y for every visible pair, one invocation a pair.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Y { float y[]; };
layout (std430, binding = 2) buffer P { float pattern[]; };
layout (push_constant) uniform Push { TrcAttnParams p; };
#include "attention.glsl"

void
main ()
{
  uint e = trc_index ();
  if (e >= p.batch * p.n_heads * p.t_q * p.t_k)
    return;

  uint j = e % p.t_k, i = e / p.t_k % p.t_q;
  uint h = e / p.t_k / p.t_q % p.n_heads, b = e / p.t_k / p.t_q / p.n_heads;
  uvec2 seen = visible_keys (i);
  float sum = 0.0;
  if (j >= seen.x && j < seen.y)
    {
      uint from_x = p.off[0] + query_row (b, i, h);
      uint from_y = p.off[1] + key_row (b, j, kv_head (h));
      for (uint c = 0u; c < p.d_head; c++)
        sum += x[from_x + c] * y[from_y + c];
      sum *= p.scale;
    }

  uint at = p.off[2] + pattern_row (b, h, i) + j;
  pattern[at] = p.accumulate != 0u ? pattern[at] + sum : sum;
}
