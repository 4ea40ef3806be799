/* compute/vk/vk_transfer.h - bytes between the host and ranges of device memory
 *
 * Small writes travel inside the command buffer and wait for nothing. Where the
 * device shares memory with the host, large ones are copied in place once the
 * device is idle; elsewhere they go through two staging halves in turn, so that
 * the host fills one while the device empties the other.
 *
 * Threads   The caller serialises.
 */
#pragma once

#include "compute/vk/vk_stream.h"

G_BEGIN_DECLS

#define TRC_VK_STAGING_BYTES (8ull << 20) /* one half */

typedef struct {
  TrcVkStream *stream;
  TrcVkMemory *memory;
  TrcVkBlock *halves[2]; /* made on first use */
  guint64 busy[2];       /* clock value after which a half is free */
} TrcVkTransfer;

/* Borrows both; makes nothing yet. */
void trc_vk_transfer_init (TrcVkTransfer *self, TrcVkStream *stream, TrcVkMemory *memory);

/* Destroys the staging halves; the device must be idle or lost. Zeroed is fine. */
void trc_vk_transfer_clear (TrcVkTransfer *self);

/* Queues writing @bytes at @offset of @range. @data may be freed on return. */
gboolean trc_vk_transfer_write (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset,
                                const void *data, guint64 bytes, GError **error);

/* Finishes all queued work and copies @bytes at @offset of @range to @data. */
gboolean trc_vk_transfer_read (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset,
                               void *data, guint64 bytes, GError **error);

G_END_DECLS
