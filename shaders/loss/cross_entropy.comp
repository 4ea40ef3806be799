#version 450
#extension GL_GOOGLE_include_directive : require

// loss := cross-entropy of every row. When the target has the largest logit, the loss
// is log1p of what the others have, so that tiny losses keep their digits.
#include "lanes.glsl"

layout (std430, binding = 0) readonly buffer X { float x[]; };
layout (std430, binding = 1) readonly buffer Targets { int targets[]; };
layout (std430, binding = 2) buffer Loss { float loss[]; };
layout (push_constant) uniform Push { TrcCrossEntropyParams p; };

// log (1 + v) for v >= 0, by its series where 1 + v would drop digits
float
log1p (float v)
{
  if (v < 0.02)
    return v * (1.0 - v * (0.5 - v * (0.33333333333 - v * (0.25 - v * 0.2))));
  return log (1.0 + v);
}

void
main ()
{
  uint row = trc_owner ();
  bool live = row < p.rows;
  uint target = live ? uint (targets[p.off[1] + row]) : 0u;
  bool counts = live && target < p.cols;
  uint from = p.off[0] + row * p.ld_x;
  float top = -3.0e38, others = 0.0;

  for (uint j = trc_lane (); counts && j < p.cols; j += LANES)
    top = max (top, x[from + j]);
  top = trc_lanes_max (top);
  for (uint j = trc_lane (); counts && j < p.cols; j += LANES)
    if (j != target)
      others += exp (x[from + j] - top);
  others = trc_lanes_sum (others);
  if (!live || trc_lane () != 0u)
    return;

  float value = 0.0;
  if (counts)
    {
      float below = top - x[from + target];
      value = below > 0.0 ? below + log (others + exp (-below)) : log1p (others);
    }
  uint at = p.off[2] + row;
  loss[at] = p.accumulate != 0u ? loss[at] + value : value;
}
