/* compute/vk/vk_memory.h - device memory in large blocks, handed out in ranges
 *
 * A block is one VkDeviceMemory with one VkBuffer over all of it. Ranges are
 * aligned to 256 bytes. Where the device shares memory with the host, blocks are
 * mapped and can be written in place.
 *
 * All GPU work runs in order on one queue, so a freed range may be given out
 * again at once: whatever is recorded later runs later. Only the host must wait
 * before it touches mapped memory, and a block is destroyed only when the clock
 * has passed everything recorded before.
 *
 * Errors    TRC_COMPUTE_ERROR_OUT_OF_MEMORY with the size and the label.
 * Threads   The caller serialises.
 */
#pragma once

#include "compute/vk/vk_device.h"

G_BEGIN_DECLS

#define TRC_VK_ALIGN 256

typedef struct {
  VkDeviceMemory memory;
  VkBuffer buffer;
  guint64 size;
  guint64 used;
  guint8 *mapped;  /* NULL when the host cannot see it */
  GArray *holes;   /* TrcVkHole, by offset, never touching each other */
  guint64 retired; /* clock value after which it may be destroyed */
} TrcVkBlock;

typedef struct {
  TrcVkBlock *block;
  guint64 offset;
  guint64 size; /* a multiple of TRC_VK_ALIGN */
} TrcVkRange;

typedef struct {
  TrcVkDevice *device;
  guint32 local_type;    /* memory type of tensors */
  guint32 staging_type;  /* memory type of staging buffers */
  gboolean host_visible; /* tensors are mapped */
  gboolean host_cached;  /* and cheap to read through the mapping */
  guint64 limit;         /* bytes of blocks at most */
  guint64 total;         /* bytes of blocks now */
  GPtrArray *blocks;     /* owned TrcVkBlock */
  GPtrArray *retired;    /* owned, waiting for the clock */
} TrcVkMemory;

/* Chooses memory types. @force_staging pretends that the host sees nothing. */
gboolean trc_vk_memory_init (TrcVkMemory *self, TrcVkDevice *device, guint64 limit,
                             gboolean force_staging, GError **error);

/* Destroys every block; ranges still out become invalid. Zeroed is fine. */
void trc_vk_memory_clear (TrcVkMemory *self);

/* A range of at least @bytes (0 is fine), contents undefined. Retired blocks still
 * count: on OUT_OF_MEMORY finish all work, collect and try once more. */
gboolean trc_vk_memory_alloc (TrcVkMemory *self, guint64 bytes, const char *label,
                              TrcVkRange *range, GError **error);

/* Gives a range back. @value is the clock value that covers all work recorded so
 * far (see trc_vk_stream_next_value). */
void trc_vk_memory_free (TrcVkMemory *self, TrcVkRange *range, guint64 value);

/* Destroys the retired blocks that the clock has passed. */
void trc_vk_memory_collect (TrcVkMemory *self);

/* One mapped block of its own for staging, of @bytes. */
TrcVkBlock *trc_vk_memory_staging_new (TrcVkMemory *self, guint64 bytes, GError **error);

/* Destroys a staging block at once. NULL is fine. */
void trc_vk_memory_staging_free (TrcVkMemory *self, TrcVkBlock *block);

G_END_DECLS
