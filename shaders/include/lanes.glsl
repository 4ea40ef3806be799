// shaders/include/lanes.glsl - sums and maxima over a row or column, in a fixed order
//
// LANES invocations (specialisation constant 1, a power of two that divides WIDTH)
// share one row: lane l takes the elements l, l + LANES, ... in order, then a fixed
// tree adds the lanes. LANES = 1 needs neither shared memory nor barriers, which is
// what software devices want. No subgroup operation is used, since the subgroup size
// would change the order.
//
// The lanes of a row are neighbours (TRC_LANES_OF_ROWS), so that they read neighbouring
// elements; those of a column are WIDTH / LANES apart (TRC_LANES_OF_COLUMNS), so that
// neighbouring invocations take neighbouring columns.
#ifndef TRC_SHADERS_LANES_GLSL
#define TRC_SHADERS_LANES_GLSL

#include "kernel.glsl"

layout (constant_id = 1) const uint LANES = 1;

const uint TRC_SHARED = LANES > 1u ? WIDTH : 1u;
const uint TRC_OWNERS = WIDTH / LANES; // rows or columns of one workgroup
shared float trc_part[TRC_SHARED];

#ifdef TRC_LANES_OF_COLUMNS
const uint TRC_PITCH = TRC_OWNERS;
#else
const uint TRC_PITCH = 1u;
#endif

uint
trc_lane ()
{
#ifdef TRC_LANES_OF_COLUMNS
  return gl_LocalInvocationID.x / TRC_OWNERS;
#else
  return gl_LocalInvocationID.x % LANES;
#endif
}

// The row or column this invocation works for; the last ones may not exist, but their
// invocations must take part in the sums all the same.
uint
trc_owner ()
{
#ifdef TRC_LANES_OF_COLUMNS
  return trc_group () * TRC_OWNERS + gl_LocalInvocationID.x % TRC_OWNERS;
#else
  return trc_group () * TRC_OWNERS + gl_LocalInvocationID.x / LANES;
#endif
}

float
trc_lanes_sum (float v)
{
  if (LANES == 1u)
    return v;

  uint me = gl_LocalInvocationID.x;
  uint first = me - trc_lane () * TRC_PITCH;

  trc_part[me] = v;
  barrier ();
  for (uint s = LANES / 2u; s > 0u; s /= 2u)
    {
      if (trc_lane () < s)
        trc_part[me] += trc_part[me + s * TRC_PITCH];
      barrier ();
    }
  float sum = trc_part[first];
  barrier ();
  return sum;
}

float
trc_lanes_max (float v)
{
  if (LANES == 1u)
    return v;

  uint me = gl_LocalInvocationID.x;
  uint first = me - trc_lane () * TRC_PITCH;

  trc_part[me] = v;
  barrier ();
  for (uint s = LANES / 2u; s > 0u; s /= 2u)
    {
      if (trc_lane () < s)
        trc_part[me] = max (trc_part[me], trc_part[me + s * TRC_PITCH]);
      barrier ();
    }
  float top = trc_part[first];
  barrier ();
  return top;
}

#endif
