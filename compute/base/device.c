#include "compute/base/device_impl.h"

#include "compute/error.h"

#define BUFFER_STEP 256
#define POOL_LIMIT_DEFAULT ((gsize)1 << 30)

void
trc_device_init (TrcDevice *self, const TrcDeviceClass *klass, const char *name,
                 TrcDeviceKind kind)
{
  self->klass = klass;
  self->name = g_strdup (name);
  self->kind = kind;
  self->pool = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                      (GDestroyNotify)g_ptr_array_unref);
  self->pool_limit = POOL_LIMIT_DEFAULT;
  g_atomic_ref_count_init (&self->refs);
}

TrcDevice *
trc_device_ref (TrcDevice *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
trc_device_unref (TrcDevice *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  trc_device_trim (self);
  g_clear_pointer (&self->pool, g_hash_table_unref);
  g_clear_object (&self->cancellable);
  g_clear_error (&self->lost);
  g_clear_pointer (&self->name, g_free);
  self->klass->free (self);
}

const char *
trc_device_name (const TrcDevice *self)
{
  return self->name;
}

TrcDeviceKind
trc_device_kind (const TrcDevice *self)
{
  return self->kind;
}

TrcDeviceCounters
trc_device_counters (const TrcDevice *self)
{
  return self->counters;
}

void
trc_device_set_cancellable (TrcDevice *self, GCancellable *cancellable)
{
  g_set_object (&self->cancellable, cancellable);
}

gboolean
trc_device_status (const TrcDevice *self, GError **error)
{
  if (self->lost == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (self->lost);
  return FALSE;
}

gboolean
trc_device_set_lost (TrcDevice *self, const char *message, GError **error)
{
  if (self->lost == NULL)
    self->lost =
        g_error_new_literal (TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST, message);
  return trc_device_status (self, error);
}

gboolean
trc_device_sync (TrcDevice *self, GError **error)
{
  return trc_device_status (self, error) && self->klass->sync (self, error);
}

/* --- buffers ------------------------------------------------------------------------------ */

void
trc_device_trim (TrcDevice *self)
{
  GHashTableIter iter;
  gpointer buffers;

  g_hash_table_iter_init (&iter, self->pool);
  while (g_hash_table_iter_next (&iter, NULL, &buffers))
    {
      GPtrArray *list = buffers;
      for (guint i = 0; i < list->len; i++)
        self->klass->release (self, g_ptr_array_index (list, i));
      g_hash_table_iter_remove (&iter);
    }
  self->counters.bytes_pooled = 0;
}

static TrcBuffer *
pool_take (TrcDevice *self, gsize bytes)
{
  gint64 key = (gint64)bytes;
  GPtrArray *list = g_hash_table_lookup (self->pool, &key);

  if (list == NULL || list->len == 0)
    return NULL;
  self->counters.bytes_pooled -= bytes;
  return g_ptr_array_steal_index_fast (list, list->len - 1);
}

static void
pool_put (TrcDevice *self, TrcBuffer *buffer)
{
  gint64 key = (gint64)buffer->bytes;
  GPtrArray *list = g_hash_table_lookup (self->pool, &key);

  if (list == NULL)
    {
      list = g_ptr_array_new ();
      g_hash_table_insert (self->pool, g_memdup2 (&key, sizeof key), list);
    }
  g_ptr_array_add (list, buffer);
  self->counters.bytes_pooled += buffer->bytes;
}

/* A fresh buffer; when memory is short, after giving up the pool. */
static TrcBuffer *
buffer_alloc (TrcDevice *dev, gsize bytes, const char *label, GError **error)
{
  TrcBuffer *self =
      dev->klass->alloc (dev, bytes, label, dev->counters.bytes_pooled > 0 ? NULL : error);

  if (self == NULL && dev->counters.bytes_pooled > 0)
    {
      trc_device_trim (dev);
      self = dev->klass->alloc (dev, bytes, label, error);
    }
  if (self != NULL)
    dev->counters.allocations++;
  return self;
}

TrcBuffer *
trc_buffer_new (TrcDevice *dev, gsize bytes, const char *label, GError **error)
{
  TrcBuffer *self;

  if (!trc_device_status (dev, error))
    return NULL;
  if (bytes > G_MAXINT64 - BUFFER_STEP)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "%s: %" G_GSIZE_FORMAT " bytes are more than any device has.", label, bytes);
      return NULL;
    }
  bytes = MAX (BUFFER_STEP, (bytes + BUFFER_STEP - 1) / BUFFER_STEP * BUFFER_STEP);
  self = pool_take (dev, bytes);
  if (self == NULL)
    self = buffer_alloc (dev, bytes, label, error);
  if (self == NULL)
    return NULL;
  self->dev = dev;
  self->bytes = bytes;
  dev->counters.bytes_live += bytes;
  dev->counters.bytes_peak = MAX (dev->counters.bytes_peak, dev->counters.bytes_live);
  return self;
}

void
trc_buffer_free (TrcBuffer *self)
{
  TrcDevice *dev = self->dev;

  dev->counters.bytes_live -= self->bytes;
  if (dev->lost == NULL && dev->counters.bytes_pooled + self->bytes <= dev->pool_limit)
    pool_put (dev, self);
  else
    dev->klass->release (dev, self);
}

gboolean
trc_buffer_write (TrcBuffer *self, gsize offset, gconstpointer src, gsize bytes, GError **error)
{
  TrcDevice *dev = self->dev;

  g_return_val_if_fail (offset <= self->bytes && bytes <= self->bytes - offset, FALSE);
  if (!trc_device_status (dev, error))
    return FALSE;
  if (bytes > 0 && !dev->klass->write (dev, self, offset, src, bytes, error))
    return FALSE;
  dev->counters.bytes_uploaded += bytes;
  return TRUE;
}

gboolean
trc_buffer_read (TrcBuffer *self, gsize offset, gpointer dst, gsize bytes, GError **error)
{
  TrcDevice *dev = self->dev;

  g_return_val_if_fail (offset <= self->bytes && bytes <= self->bytes - offset, FALSE);
  if (!trc_device_status (dev, error))
    return FALSE;
  if (bytes > 0 && !dev->klass->read (dev, self, offset, dst, bytes, error))
    return FALSE;
  dev->counters.bytes_downloaded += bytes;
  return TRUE;
}
