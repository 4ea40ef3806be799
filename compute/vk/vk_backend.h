/* compute/vk/vk_backend.h - Vulkan as a TrcDevice
 *
 * Private to compute/vk and its tests. Joins the parts of this room into the entries of
 * TrcDeviceClass: tensors are ranges of blocks, a kernel is one or more recorded
 * dispatches, and the first lost submission makes the device lost for good.
 */
#pragma once

#include "compute/base/device_impl.h"
#include "compute/vk/vk_kernels.h"
#include "compute/vk/vk_transfer.h"

G_BEGIN_DECLS

typedef struct {
  TrcDevice base;
  TrcVkDevice device;
  TrcVkMemory memory;
  TrcVkStream stream;
  TrcVkTransfer transfer;
  TrcVkPipelines pipelines;
  TrcVkRange nothing; /* bound in place of optional tensors that were not given */
  gboolean exact_bindings;
} TrcVkBackend;

/* Opens a device. The result is a TrcDevice with one reference. */
TrcVkBackend *trc_vk_backend_new (const TrcVkParams *params, GError **error);

/* Number of validation messages so far, with their text in @text (owned, may be NULL). */
guint trc_vk_backend_messages (TrcVkBackend *self, char **text);

G_END_DECLS
