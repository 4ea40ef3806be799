#include "compute/vk/vk_transfer.h"

#include <string.h>

#define INLINE_BYTES 65536 /* the most vkCmdUpdateBuffer takes */

void
trc_vk_transfer_init (TrcVkTransfer *self, TrcVkStream *stream, TrcVkMemory *memory)
{
  *self = (TrcVkTransfer){ .stream = stream, .memory = memory };
}

void
trc_vk_transfer_clear (TrcVkTransfer *self)
{
  for (guint i = 0; i < 2; i++)
    if (self->halves[i] != NULL)
      trc_vk_memory_staging_free (self->memory, self->halves[i]);
  *self = (TrcVkTransfer){ 0 };
}

/* The staging half @i, free to be written by the host. */
static TrcVkBlock *
take_half (TrcVkTransfer *self, guint i, GError **error)
{
  if (self->halves[i] == NULL)
    self->halves[i] = trc_vk_memory_staging_new (self->memory, TRC_VK_STAGING_BYTES, error);
  if (self->halves[i] == NULL)
    return NULL;
  if (self->busy[i] > 0
      && !trc_vk_device_wait (self->stream->device, self->busy[i], self->stream->cancellable,
                              error))
    return NULL;
  return self->halves[i];
}

static gboolean
write_staged (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset, const guint8 *data,
              guint64 bytes, GError **error)
{
  guint which = 0;

  for (guint64 done = 0; done < bytes; done += TRC_VK_STAGING_BYTES, which ^= 1)
    {
      const guint64 n = MIN (TRC_VK_STAGING_BYTES, bytes - done);
      TrcVkBlock *half = take_half (self, which, error);
      if (half == NULL)
        return FALSE;

      const TrcVkSpan from = { half->buffer, 0, n, n };
      const TrcVkSpan to = { range->block->buffer, range->offset + offset + done, n, n };
      memcpy (half->mapped, data + done, n);
      if (!trc_vk_stream_copy (self->stream, &from, &to, error)
          || !trc_vk_stream_submit (self->stream, error))
        return FALSE;
      self->busy[which] = self->stream->device->last_value;
    }
  return TRUE;
}

gboolean
trc_vk_transfer_write (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset,
                       const void *data, guint64 bytes, GError **error)
{
  const gboolean mapped = range->block->mapped != NULL;
  const TrcVkSpan to = { range->block->buffer, range->offset + offset, bytes, bytes };

  if (!trc_vk_device_ok (self->stream->device, error))
    return FALSE;
  if (bytes == 0)
    return TRUE;
  if (!mapped || !trc_vk_stream_idle (self->stream))
    {
      if (bytes <= INLINE_BYTES && bytes % 4 == 0 && offset % 4 == 0)
        return trc_vk_stream_update (self->stream, &to, data, error);
      if (!mapped)
        return write_staged (self, range, offset, data, bytes, error);
      if (!trc_vk_stream_finish (self->stream, error))
        return FALSE;
    }
  memcpy (range->block->mapped + range->offset + offset, data, bytes);
  return TRUE;
}

static gboolean
read_staged (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset, guint8 *data,
             guint64 bytes, GError **error)
{
  for (guint64 done = 0; done < bytes; done += TRC_VK_STAGING_BYTES)
    {
      const guint64 n = MIN (TRC_VK_STAGING_BYTES, bytes - done);
      TrcVkBlock *half = take_half (self, 0, error);
      if (half == NULL)
        return FALSE;

      const TrcVkSpan from = { range->block->buffer, range->offset + offset + done, n, n };
      const TrcVkSpan to = { half->buffer, 0, n, n };
      if (!trc_vk_stream_copy (self->stream, &from, &to, error)
          || !trc_vk_stream_submit (self->stream, error))
        return FALSE;
      self->busy[0] = self->stream->device->last_value;
      if (!trc_vk_stream_finish (self->stream, error))
        return FALSE;
      memcpy (data + done, half->mapped, n);
    }
  return TRUE;
}

gboolean
trc_vk_transfer_read (TrcVkTransfer *self, const TrcVkRange *range, guint64 offset, void *data,
                      guint64 bytes, GError **error)
{
  if (!trc_vk_stream_finish (self->stream, error))
    return FALSE;
  if (bytes == 0)
    return TRUE;
  if (!self->memory->host_cached)
    return read_staged (self, range, offset, data, bytes, error);
  memcpy (data, range->block->mapped + range->offset + offset, bytes);
  return TRUE;
}
