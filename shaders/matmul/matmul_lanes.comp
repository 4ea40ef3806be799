#version 450
#extension GL_GOOGLE_include_directive : require

// c := alpha * op(a) op(b) + bias for software devices: no shared memory and no barrier.
// A workgroup owns ROWS rows by WIDTH * COLS columns; a lane owns columns WIDTH apart, so
// that neighbouring lanes read neighbouring elements. Quantised weights are read four
// neighbours at a time: four steps of k where rows of b are columns of op(b), else four
// columns, which one lane then owns.
#include "kernel.glsl"

layout (std430, binding = 0) readonly buffer A { float a[]; };
layout (std430, binding = 2) readonly buffer Bias { float bias[]; };
layout (std430, binding = 3) buffer C { float c[]; };
layout (push_constant) uniform Push { TrcMatmulParams p; };

#define WEIGHT_BINDING 1
#include "weights.glsl"

#define ROWS 4u
#define COLS 4u

void
main ()
{
  uint group = trc_group ();
  uint n_right = (p.n + WIDTH * COLS - 1u) / (WIDTH * COLS);
  uint n_down = (p.m + ROWS - 1u) / ROWS;
  uint row0 = group / n_right % n_down * ROWS;
  uint lane_apart = 1u, apart = WIDTH; // between lanes, between a lane's columns
#ifdef WEIGHT_IN_BLOCKS
  if (p.trans_b == 0u)
    lane_apart = COLS, apart = 1u;
#endif
  uint col0 = group % n_right * WIDTH * COLS + gl_LocalInvocationID.x * lane_apart;
  uint batch = group / n_right / n_down;
  if (batch >= p.n_outer * p.n_inner)
    return;

  uint outer = batch / p.n_inner, inner = batch % p.n_inner;
  uint step_a = p.trans_a != 0u ? p.ld_a : 1u, step_b = p.trans_b != 0u ? 1u : p.ld_b;
  uint batch_b = outer * p.b_outer + inner / p.b_group * p.b_inner;
  uint from_a[ROWS], from_b[COLS];
  float sum[ROWS * COLS];
  // Rows and columns past the end read the last one again; they are not stored.
  [[unroll]] for (uint r = 0u; r < ROWS; r++)
    from_a[r] = p.off[0] + outer * p.a_outer + inner * p.a_inner
                + min (row0 + r, p.m - 1u) * (p.trans_a != 0u ? 1u : p.ld_a);
  [[unroll]] for (uint s = 0u; s < COLS; s++)
    from_b[s] = batch_b
                + min (col0 + s * apart, p.n - 1u) * (p.trans_b != 0u ? p.ld_b : 1u);
  [[unroll]] for (uint i = 0u; i < ROWS * COLS; i++)
    sum[i] = 0.0;

#ifdef WEIGHT_IN_BLOCKS
  from_b[0] &= ~3u;
  for (uint k = 0u; k < p.k; k += 4u)
    {
      vec4 right[4];
      [[unroll]] for (uint i = 0u; i < 4u; i++)
        right[i] = trc_weights (p.trans_b != 0u ? from_b[i] + k
                                                : from_b[0] + min (k + i, p.k - 1u) * step_b);
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        [[unroll]] for (uint i = 0u; i < 4u; i++)
          {
            float left = a[from_a[r] + min (k + i, p.k - 1u) * step_a];
            left = k + i < p.k ? left : 0.0;
            [[unroll]] for (uint s = 0u; s < COLS; s++)
              sum[r * COLS + s] += left * (p.trans_b != 0u ? right[s][i] : right[i][s]);
          }
    }
#else
  for (uint k = 0u; k < p.k; k++)
    {
      float right[COLS];
      [[unroll]] for (uint s = 0u; s < COLS; s++)
        right[s] = trc_weight (from_b[s] + k * step_b);
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        {
          float left = a[from_a[r] + k * step_a];
          [[unroll]] for (uint s = 0u; s < COLS; s++)
            sum[r * COLS + s] += left * right[s];
        }
    }
#endif

  uint to = p.off[3] + outer * p.c_outer + inner * p.c_inner;
  [[unroll]] for (uint s = 0u; s < COLS; s++)
    {
      uint col = col0 + s * apart;
      float add = 0.0;
      if (p.has_bias != 0u && col < p.n)
        add = bias[p.off[2] + col];
      [[unroll]] for (uint r = 0u; r < ROWS; r++)
        if (row0 + r < p.m && col < p.n)
          {
            uint at = to + (row0 + r) * p.ld_c + col;
            float value = p.alpha * sum[r * COLS + s] + add;
            c[at] = p.accumulate != 0u ? c[at] + value : value;
          }
    }
}
