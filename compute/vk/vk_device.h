/* compute/vk/vk_device.h - one VkDevice with one compute queue and one clock
 *
 * Private to compute/vk. The clock is a timeline semaphore: every submission
 * gets the next value, and waiting, progress and reclaiming memory all ask it.
 *
 * Failure   The first VK_ERROR_DEVICE_LOST sets `lost`; from then on each call
 *           fails at once with TRC_COMPUTE_ERROR_DEVICE_LOST.
 * Threads   The caller serialises (the backend holds one lock).
 * Lifetime  Freed after every object made from it; half-built is fine.
 */
#pragma once

#include "compute/vk/vk_instance.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* How kernels are shaped: by what the device is, unless a test says otherwise. */
typedef enum {
  TRC_VK_PROFILE_AUTO,
  TRC_VK_PROFILE_CPU, /* one subgroup a workgroup, registers only: software devices */
  TRC_VK_PROFILE_GPU, /* wide workgroups, shared memory */
} TrcVkProfile;

typedef struct {
  const char *library;   /* the loader library, NULL: the usual one */
  const char *part;      /* part of the device name, NULL: best real GPU */
  const char *cache_dir; /* where pipelines are kept, NULL: the user's cache folder */
  TrcVkProfile profile;
  gboolean validate;       /* load the validation layer when it is installed */
  gboolean force_staging;  /* copy through staging buffers even where memory is shared */
  guint64 memory_limit;    /* bytes of device memory to use at most, 0: no limit */
  guint32 max_bind_bytes;  /* lowers maxStorageBufferRange, 0: as the device says */
  gboolean exact_bindings; /* bind what a kernel may touch and not a word more */
  /* Called once the function table is complete; a test replaces entries here. */
  void (*patch) (TrcVkApi *api, gpointer data);
  gpointer patch_data;
} TrcVkParams;

typedef struct {
  TrcVkInstance instance;
  TrcVkCandidate chosen;
  VkDevice device;
  VkQueue queue;
  VkSemaphore clock;
  guint64 last_value; /* value that the newest submission will signal */
  gboolean lost;
  VkPhysicalDeviceLimits limits;
  VkPhysicalDeviceMemoryProperties memory;
  guint64 max_allocation; /* bytes of one VkDeviceMemory */
  guint64 max_bind_bytes; /* bytes of one binding, a multiple of 256 */
  guint32 subgroup_size;
  double max_work; /* floating-point operations of one dispatch, so that a cancel is felt, a
                      desktop stays usable and no driver takes the work for a hang */
  TrcVkProfile profile; /* never AUTO */
  guint8 cache_uuid[VK_UUID_SIZE];
  guint32 driver_version, vendor_id, device_id;
} TrcVkDevice;

/* Opens the device that @params name. @self need not be cleared when FALSE. */
gboolean trc_vk_device_init (TrcVkDevice *self, const TrcVkParams *params, GError **error);

/* Waits for running work (unless lost), then destroys everything. */
void trc_vk_device_clear (TrcVkDevice *self);

/* FALSE with @error set once the device is lost. Call it first everywhere. */
gboolean trc_vk_device_ok (TrcVkDevice *self, GError **error);

/* Turns a VkResult into an error sentence that says @doing ("allocate memory").
 * TRUE for success. */
gboolean
trc_vk_device_check (TrcVkDevice *self, VkResult result, const char *doing, GError **error);

/* Waits until the clock has reached @value, looking at @cancellable every 100 ms.
 * A cancelled wait leaves the work running and the device usable. */
gboolean trc_vk_device_wait (TrcVkDevice *self, guint64 value, GCancellable *cancellable,
                             GError **error);

/* The value the clock has reached; `last_value` when the device is lost. */
guint64 trc_vk_device_now (TrcVkDevice *self);

G_END_DECLS
