/* compute/vk/vk_instance.h - a Vulkan instance, and which device to take
 *
 * Private to compute/vk. Ranking: discrete, then integrated, then virtual GPUs.
 * A device of CPU type (llvmpipe) is slower than our own CPU code, so it is
 * taken only when part of its name was asked for.
 *
 * Lifetime  trc_vk_instance_clear() accepts half-built and zeroed instances.
 * Threads   One owner; the message counter may be read anywhere.
 */
#pragma once

#include "compute/vk/vk_api.h"

G_BEGIN_DECLS

typedef struct {
  TrcVkApi api;
  VkInstance instance;
  VkDebugUtilsMessengerEXT messenger;
  gboolean validating; /* the validation layer is loaded */
  gboolean strict;     /* the environment asked for it: what it says is an error */
  gint n_messages;     /* validation messages so far (atomic) */
  GMutex lock;         /* guards `messages` */
  GString *messages;   /* their text, the first 16 KiB */
} TrcVkInstance;

/* What one physical device is, and whether Tracery can run on it. */
typedef struct {
  VkPhysicalDevice physical;
  VkPhysicalDeviceType type;
  char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
  char driver[VK_MAX_DRIVER_NAME_SIZE];
  guint32 api_version;
  guint64 memory_bytes; /* largest device-local heap */
  guint32 queue_family; /* a family with compute */
  const char *unusable; /* NULL, or why it cannot run Tracery */
} TrcVkCandidate;

/* Opens the library and makes an instance. @validate loads the validation layer
 * when it is installed (see `validating`); $TRACERY_VULKAN_VALIDATE=1 does too and
 * insists on it. */
gboolean trc_vk_instance_init (TrcVkInstance *self, const char *library, gboolean validate,
                               GError **error);

/* Destroys what exists of it. */
void trc_vk_instance_clear (TrcVkInstance *self);

/* The devices of this machine, in the driver's order: array of TrcVkCandidate. */
GArray *trc_vk_instance_candidates (TrcVkInstance *self, GError **error);

/* Index of the device to take, or -1 with @error. @part is part of a device
 * name (any case), or NULL for the best real GPU. */
int trc_vk_choose (const TrcVkCandidate *candidates, guint n, const char *part, GError **error);

/* How much a device type is preferred: larger is better, 0 is taken only by name. */
int trc_vk_rank (VkPhysicalDeviceType type);

/* A word for a device type: "discrete GPU", "integrated GPU", ... */
const char *trc_vk_type_name (VkPhysicalDeviceType type);

G_END_DECLS
