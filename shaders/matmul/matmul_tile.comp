#version 450
#extension GL_GOOGLE_include_directive : require

// c := alpha * op(a) op(b) + bias for GPUs. 256 invocations share a tile of TILE x TILE
// results; strips of a and b, DEPTH deep, go through shared memory. PER, the results an
// invocation owns along each side, comes from the variant table: 4 (tile 64) or 2 (tile
// 32, for small products that would leave most of the device idle). The sum over k has
// the same order in both.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 2) readonly buffer Bias { float bias[]; };
layout (std430, binding = 3) buffer C { float c[]; };
layout (push_constant) uniform Push { TrcMatmulParams p; };

#define WEIGHT_BINDING 1
#include "weights.glsl"

#define SIDE 16u
#define TILE (SIDE * PER)
#define DEPTH 16u
#define PITCH (TILE + 1u)

shared float strip_a[DEPTH * PITCH];
shared float strip_b[DEPTH * PITCH];

// Each loads a strip of op(a) or op(b) from depth k0 on. Neighbouring invocations read
// neighbouring elements, whichever way the matrix lies.
void
load_a (uint from, uint row0, uint k0)
{
  for (uint e = gl_LocalInvocationID.x; e < TILE * DEPTH; e += SIDE * SIDE)
    {
      bool down = p.trans_a != 0u; // rows of op(a) are neighbours in memory
      uint r = down ? e % TILE : e / DEPTH, k = down ? e / TILE : e % DEPTH;
      float v = 0.0;
      if (row0 + r < p.m && k0 + k < p.k)
        v = a[from + (down ? (k0 + k) * p.ld_a + row0 + r : (row0 + r) * p.ld_a + k0 + k)];
      strip_a[k * PITCH + r] = v;
    }
}

#ifdef WEIGHT_IN_BLOCKS
// Four neighbours at a time. What lies beyond k meets zeros of a.
void
load_b (uint from, uint col0, uint k0)
{
  for (uint e = gl_LocalInvocationID.x; e < TILE * DEPTH / 4u; e += SIDE * SIDE)
    {
      bool along = p.trans_b == 0u; // columns of op(b) are neighbours in memory
      uint s = along ? e % (TILE / 4u) * 4u : e / (DEPTH / 4u);
      uint k = along ? e / (TILE / 4u) : e % (DEPTH / 4u) * 4u;
      vec4 v = vec4 (0.0);
      if (col0 + s < p.n && k0 + k < p.k)
        v = trc_weights (
            from + (along ? (k0 + k) * p.ld_b + col0 + s : (col0 + s) * p.ld_b + k0 + k));
      [[unroll]] for (uint i = 0u; i < 4u; i++)
        strip_b[along ? k * PITCH + s + i : (k + i) * PITCH + s] = v[i];
    }
}
#else
void
load_b (uint from, uint col0, uint k0)
{
  for (uint e = gl_LocalInvocationID.x; e < TILE * DEPTH; e += SIDE * SIDE)
    {
      bool along = p.trans_b == 0u;
      uint s = along ? e % TILE : e / DEPTH, k = along ? e / TILE : e % DEPTH;
      float v = 0.0;
      if (col0 + s < p.n && k0 + k < p.k)
        v = trc_weight (
            from + (along ? (k0 + k) * p.ld_b + col0 + s : (col0 + s) * p.ld_b + k0 + k));
      strip_b[k * PITCH + s] = v;
    }
}
#endif

void
main ()
{
  uint group = trc_group ();
  uint n_right = (p.n + TILE - 1u) / TILE, n_down = (p.m + TILE - 1u) / TILE;
  uint row0 = group / n_right % n_down * TILE, col0 = group % n_right * TILE;
  uint batch = group / n_right / n_down;
  if (batch >= p.n_outer * p.n_inner)
    return; // the whole workgroup: no barrier is missed

  uint outer = batch / p.n_inner, inner = batch % p.n_inner;
  uint from_a = p.off[0] + outer * p.a_outer + inner * p.a_inner;
  uint from_b = outer * p.b_outer + inner / p.b_group * p.b_inner;
  uint down = gl_LocalInvocationID.x / SIDE, right = gl_LocalInvocationID.x % SIDE;
  float sum[PER * PER];
  [[unroll]] for (uint i = 0u; i < PER * PER; i++)
    sum[i] = 0.0;

  for (uint k0 = 0u; k0 < p.k; k0 += DEPTH)
    {
      load_a (from_a, row0, k0);
      load_b (from_b, col0, k0);
      barrier ();
      for (uint k = 0u; k < DEPTH; k++)
        {
          float bs[PER];
          [[unroll]] for (uint s = 0u; s < PER; s++)
            bs[s] = strip_b[k * PITCH + right + s * SIDE];
          [[unroll]] for (uint r = 0u; r < PER; r++)
            {
              float as = strip_a[k * PITCH + down + r * SIDE];
              [[unroll]] for (uint s = 0u; s < PER; s++)
                sum[r * PER + s] += as * bs[s];
            }
        }
      barrier ();
    }

  uint to = p.off[3] + outer * p.c_outer + inner * p.c_inner;
  [[unroll]] for (uint r = 0u; r < PER; r++)
    [[unroll]] for (uint s = 0u; s < PER; s++)
      {
        uint row = row0 + down + r * SIDE, col = col0 + right + s * SIDE;
        if (row < p.m && col < p.n)
          {
            uint at = to + row * p.ld_c + col;
            float value = p.alpha * sum[r * PER + s];
            if (p.has_bias != 0u)
              value += bias[p.off[2] + col];
            c[at] = p.accumulate != 0u ? c[at] + value : value;
          }
      }
}
