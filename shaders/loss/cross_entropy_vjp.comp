#version 450
#extension GL_GOOGLE_include_directive : require

// dx := seed * (softmax - target), the target's own entry being minus the sum of the
// others. Ignored rows get 0.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Targets { int targets[]; };
layout (std430, binding = 2) readonly buffer Seed { float seeds[]; };
layout (std430, binding = 3) buffer DX { float dx[]; };
layout (push_constant) uniform Push { TrcCrossEntropyParams p; };

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint target = live ? uint (targets[p.off[1] + row]) : 0u;
  bool counts = live && target < p.cols;
  uint from = p.off[0] + row * p.ld_x, to = p.off[3] + row * p.ld_dx;
  float top = -3.0e38, others = 0.0, seed = 0.0, all = 1.0;

  for (uint j = trc_lane (); counts && j < p.cols; j += LANES)
    top = max (top, x[from + j]);
  top = trc_lanes_max (top);
  for (uint j = trc_lane (); counts && j < p.cols; j += LANES)
    if (j != target)
      others += exp (x[from + j] - top);
  others = trc_lanes_sum (others);
  if (counts)
    {
      seed = seeds[p.off[2] + row * p.step_seed];
      all = others + exp (x[from + target] - top);
    }

  for (uint j = trc_lane (); live && j < p.cols; j += LANES)
    {
      float value = 0.0;
      if (counts)
        value = seed * (j != target ? exp (x[from + j] - top) : -others) / all;
      dx[to + j] = p.accumulate != 0u ? dx[to + j] + value : value;
    }
}
