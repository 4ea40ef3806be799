#version 450
#extension GL_GOOGLE_include_directive : require

// p = softmax over the visible keys of scale * x . y, one row a query and head. Each
// lane keeps to its own keys; the row itself holds the scores in between.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Y { float y[]; };
layout (std430, binding = 2) buffer P { float pattern[]; };
layout (push_constant) uniform Push { TrcAttnParams p; };
#include "attention.glsl"

float
score (uint from_x, uint from_y)
{
  float sum = 0.0;

  for (uint c = 0u; c < p.d_head; c++)
    sum += x[from_x + c] * y[from_y + c];
  return p.scale * sum;
}

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.batch * p.n_heads * p.t_q;
  uint i = row % p.t_q, h = row / p.t_q % p.n_heads, b = row / p.t_q / p.n_heads;
  uint from = p.off[0] + query_row (b, i, h);
  uint to = p.off[2] + pattern_row (b, h, i);
  uvec2 seen = visible_keys (i);
  float top = -3.0e38, sum = 0.0;

  for (uint j = trc_lane (); live && j < p.t_k; j += LANES)
    {
      bool visible = j >= seen.x && j < seen.y;
      float s = visible ? score (from, p.off[1] + key_row (b, j, kv_head (h))) : 0.0;
      pattern[to + j] = s;
      if (visible)
        top = max (top, s);
    }
  top = trc_lanes_max (top);
  for (uint j = trc_lane (); live && j < seen.y; j += LANES)
    if (j >= seen.x)
      {
        float e = exp (pattern[to + j] - top);
        pattern[to + j] = e;
        sum += e;
      }
  sum = trc_lanes_sum (sum);
  for (uint j = trc_lane (); live && j < seen.y; j += LANES)
    if (j >= seen.x)
      pattern[to + j] /= sum;
}
