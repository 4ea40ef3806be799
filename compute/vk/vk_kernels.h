/* compute/vk/vk_kernels.h - how each op becomes dispatches of a shader
 *
 * Private to compute/vk. Two questions are answered from an op's params alone, with no
 * Vulkan call: which pipeline and grid one dispatch takes, and how a call that is too
 * large for one (a tensor larger than a binding may be, or more work than one dispatch
 * should hold) is cut in two.
 */
#pragma once

#include "compute/ops.h"
#include "compute/vk/vk_pipeline.h"

G_BEGIN_DECLS

/* Groups along one axis that every device allows. */
#define TRC_VK_MAX_GROUPS 65535

/* One op with everything a dispatch needs; pieces of a call are such structs too. */
typedef struct {
  TrcOpId op;
  TrcOpParams params; /* off[] relative to each tensor's first element, plus what shaders
                         read in the entries beyond the op's tensors */
  guint64 base[TRC_OP_MAX_TENSORS]; /* elements to add to off[], 64 bits */
  TrcDType dtype[TRC_OP_MAX_TENSORS];
} TrcVkCall;

typedef struct {
  TrcVkPipelineKey key;
  guint32 groups[3]; /* groups[0] 0: nothing to do */
  double work;       /* estimated floating-point operations */
} TrcVkGrid;

/* Pipeline and grid for @call. FALSE when it needs more groups than exist. */
gboolean trc_vk_kernel_grid (TrcVkProfile profile, guint32 subgroup_size, const TrcVkCall *call,
                             TrcVkGrid *grid);

/* Estimated floating-point operations of @call. */
double trc_vk_kernel_work (const TrcVkCall *call);

/* Cuts @call into two that do the same one after the other. @large is the tensor that
 * has to shrink, or -1: any cut. FALSE when it cannot be cut. */
gboolean
trc_vk_kernel_split (const TrcVkCall *call, int large, TrcVkCall *first, TrcVkCall *second);

G_END_DECLS
