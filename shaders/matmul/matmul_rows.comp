#version 450
#extension GL_GOOGLE_include_directive : require

// c := alpha * a op(b) + bias for GPUs where a has few rows, as in generation: LANES
// neighbouring invocations share one row of b, which is read once and along its length, and
// one column of c. a is not transposed, b is.
#define WEIGHT_BINDING 1
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 2) readonly buffer Bias { float bias[]; };
layout (std430, binding = 3) buffer C { float c[]; };
layout (push_constant) uniform Push { TrcMatmulParams p; };

#include "weights.glsl"

#define ROWS 4u

void
main ()
{
  uint owner = trc_owner ();
  uint col = owner % p.n, batch = owner / p.n;
  bool exists = batch < p.n_outer * p.n_inner; // else it only takes part in the sums
  uint outer = batch / p.n_inner, inner = batch % p.n_inner;
  uint from_a = p.off[0] + outer * p.a_outer + inner * p.a_inner;
  uint from_b = outer * p.b_outer + inner / p.b_group * p.b_inner + col * p.ld_b;
  uint k_end = exists ? p.k : 0u;
  float sum[ROWS];
  [[unroll]] for (uint r = 0u; r < ROWS; r++)
    sum[r] = 0.0;

#ifdef WEIGHT_IN_BLOCKS
  for (uint k = trc_lane () * 4u; k < k_end; k += LANES * 4u)
    {
      vec4 w = trc_weights (from_b + k);
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        if (r < p.m)
          [[unroll]] for (uint i = 0u; i < 4u; i++)
            if (k + i < p.k)
              sum[r] += a[from_a + r * p.ld_a + k + i] * w[i];
    }
#else
  for (uint k = trc_lane (); k < k_end; k += LANES)
    {
      float w = trc_weight (from_b + k);
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        if (r < p.m)
          sum[r] += a[from_a + r * p.ld_a + k] * w;
    }
#endif

  uint to = p.off[3] + outer * p.c_outer + inner * p.c_inner + col;
  [[unroll]] for (uint r = 0u; r < ROWS; r++)
    if (r < p.m)
      {
        float value = p.alpha * trc_lanes_sum (sum[r]);
        if (exists && trc_lane () == 0u)
          {
            uint at = to + r * p.ld_c;
            if (p.has_bias != 0u)
              value += bias[p.off[2] + col];
            c[at] = p.accumulate != 0u ? c[at] + value : value;
          }
      }
}
