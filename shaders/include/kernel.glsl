// shaders/include/kernel.glsl - what every kernel begins with
//
// WIDTH, the size of a workgroup, is specialisation constant 0. Groups form a grid
// of at most 65535 x 65535 that is numbered through, row by row.
#ifndef TRC_SHADERS_KERNEL_GLSL
#define TRC_SHADERS_KERNEL_GLSL

#extension GL_EXT_control_flow_attributes : require

#include "params.h"

layout (constant_id = 0) const uint WIDTH = 8;
layout (local_size_x_id = 0) in;

uint
trc_group ()
{
  return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
}

// Number of this invocation in the whole dispatch; the last group may exceed the work.
uint
trc_index ()
{
  return trc_group () * WIDTH + gl_LocalInvocationID.x;
}

// Row i of something read with a period.
uint
trc_wrap (uint i, uint period)
{
  return period != 0u ? i % period : i;
}

#endif
