#version 450
#extension GL_GOOGLE_include_directive : require

// dtable := sums of rows of dout by id. One invocation owns one element of the table
// and walks all ids in order, so the sum has one order and needs no atomics. off[7] is
// the id of the first row, as in embed.comp.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer DOut { float dout[]; };
layout (std430, binding = 1) readonly buffer Ids { int ids[]; };
layout (std430, binding = 2) buffer DTable { float dtable[]; };
layout (push_constant) uniform Push { TrcEmbedParams p; };

void
main ()
{
  uint e = trc_index ();
  if (e >= p.n_table * p.d)
    return;

  uint r = e / p.d, j = e % p.d;
  int id = int (r + p.off[7]);
  float sum = 0.0;
  for (uint i = 0u; i < p.n; i++)
    if (ids[p.off[1] + i] == id)
      sum += dout[p.off[0] + i * p.ld_out + j];

  uint at = p.off[2] + r * p.ld_table + j;
  dtable[at] = p.accumulate != 0u ? dtable[at] + sum : sum;
}
