#version 450
#extension GL_GOOGLE_include_directive : require

// Rotary positions: one invocation a pair, or a column that passes through. Both halves
// of a pair are read before either is written, so x and y may be the same.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Table { float table[]; };
layout (std430, binding = 2) buffer Y { float y[]; };
layout (push_constant) uniform Push { TrcRopeParams p; };

void
put (uint at, float value)
{
  y[at] = p.accumulate != 0u ? y[at] + value : value;
}

void
main ()
{
  uint n_pairs = p.n_rot / 2u;
  uint n_items = n_pairs + p.d_head - p.n_rot; // of one head
  uint e = trc_index ();
  if (e >= p.rows * p.n_heads * n_items)
    return;

  uint i = e % n_items, h = e / n_items % p.n_heads, r = e / n_items / p.n_heads;
  uint from = p.off[0] + r * p.ld_x + h * p.head_stride;
  uint to = p.off[2] + r * p.ld_y + h * p.head_stride;

  if (i >= n_pairs)
    {
      uint j = p.n_rot + i - n_pairs;
      put (to + j, x[from + j]);
      return;
    }

  uint angle = p.off[1] + (p.first + trc_wrap (r, p.period)) * p.n_rot + 2u * i;
  uint first = p.interleaved != 0u ? 2u * i : i;
  uint second = p.interleaved != 0u ? 2u * i + 1u : i + n_pairs;
  float c = table[angle];
  float s = p.inverse != 0u ? -table[angle + 1u] : table[angle + 1u];
  float x0 = x[from + first], x1 = x[from + second];
  put (to + first, x0 * c - x1 * s);
  put (to + second, x0 * s + x1 * c);
}
