#version 450
#extension GL_GOOGLE_include_directive : require

// out := rows of the table by id, one invocation an element. off[7], of a tensor this
// kernel has not, is the id of the table's first row: tables too large to be bound whole
// come in pieces.
#include "kernel.glsl"

layout (std430, binding = 1) readonly buffer Ids { int ids[]; };
layout (std430, binding = 2) buffer Out { float o[]; };
layout (push_constant) uniform Push { TrcEmbedParams p; };

#define WEIGHT_BINDING 0
#include "weights.glsl"

void
main ()
{
  uint e = trc_index ();
  if (e >= p.n * p.d)
    return;

  uint i = e / p.d, j = e % p.d;
  uint row = uint (ids[p.off[1] + i]) - p.off[7]; // an id below the piece wraps: too large
  uint at = p.off[2] + i * p.ld_out + j;
  float value = 0.0;
  if (row < p.n_table)
    value = trc_weight (row * p.ld_table + j);
  o[at] = p.accumulate != 0u ? o[at] + value : value;
}
