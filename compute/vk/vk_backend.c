#include "compute/vk/vk_backend.h"

#include "compute/error.h"

#include <string.h>

typedef struct {
  TrcBuffer base;
  TrcVkRange range;
} Buffer;

static const TrcVkRange *
range_of (TrcBuffer *buffer)
{
  return &((Buffer *)buffer)->range;
}

/* Under TRACERY_VULKAN_VALIDATE results may not be trusted once the layer has spoken. */
static gboolean
layer_is_content (TrcVkBackend *self, GError **error)
{
  g_autofree char *text = NULL;

  if (!self->device.instance.strict || trc_vk_backend_messages (self, NULL) == 0)
    return TRUE;
  trc_vk_backend_messages (self, &text);
  g_autofree char *message =
      g_strdup_printf ("The Vulkan validation layer objects: %s", g_strstrip (text));
  return trc_device_set_lost (&self->base, message, error);
}

/* Every entry ends here: keeps the counters and makes a loss known to the device. */
static gboolean
leave (TrcVkBackend *self, gboolean ok, GError **error)
{
  self->base.counters.submits = self->stream.n_submits;
  if (self->device.lost && self->base.lost == NULL)
    trc_vk_device_ok (&self->device, &self->base.lost);
  return ok && layer_is_content (self, error);
}

static void
enter (TrcVkBackend *self)
{
  trc_vk_stream_set_cancellable (&self->stream, self->base.cancellable);
}

/* --- memory ----------------------------------------------------------------------------------- */

static TrcBuffer *
backend_alloc (TrcDevice *dev, gsize bytes, const char *label, GError **error)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;
  g_autoptr (GError) trouble = NULL;
  TrcVkRange range;

  enter (self);
  gboolean ok = trc_vk_memory_alloc (&self->memory, bytes, label, &range, &trouble);
  if (!ok && self->memory.retired->len > 0
      && g_error_matches (trouble, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY)
      && trc_vk_stream_finish (&self->stream, NULL))
    {
      trc_vk_memory_collect (&self->memory);
      g_clear_error (&trouble);
      ok = trc_vk_memory_alloc (&self->memory, bytes, label, &range, &trouble);
    }
  leave (self, ok, NULL);
  if (!ok)
    {
      g_propagate_error (error, g_steal_pointer (&trouble));
      return NULL;
    }

  Buffer *buffer = g_new0 (Buffer, 1);
  buffer->range = range;
  return &buffer->base;
}

static void
backend_release (TrcDevice *dev, TrcBuffer *buffer)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;
  TrcVkRange range = *range_of (buffer);

  trc_vk_memory_free (&self->memory, &range, trc_vk_stream_next_value (&self->stream));
  g_free (buffer);
}

static gboolean
backend_write (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gconstpointer src, gsize bytes,
               GError **error)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;

  enter (self);
  return leave (
      self,
      trc_vk_transfer_write (&self->transfer, range_of (buffer), offset, src, bytes, error),
      error);
}

static gboolean
backend_read (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gpointer dst, gsize bytes,
              GError **error)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;

  enter (self);
  return leave (
      self,
      trc_vk_transfer_read (&self->transfer, range_of (buffer), offset, dst, bytes, error),
      error);
}

static gboolean
backend_sync (TrcDevice *dev, GError **error)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;

  enter (self);
  return leave (self, trc_vk_stream_finish (&self->stream, error), error);
}

/* --- kernels ---------------------------------------------------------------------------------- */

/* What the shaders want to know beyond the op's params (see their comments). */
static void
tell_shader (TrcVkCall *call, TrcBuffer *const *buffer)
{
  TRC_UINT *off = call->params.off;

  if (call->op == TRC_OP_ACT_VJP)
    {
      off[5] = buffer[3] != NULL;
      off[6] = buffer[4] != NULL;
    }
  else if (call->op == TRC_OP_NORM)
    off[6] = buffer[4] != NULL;
  else if (call->op == TRC_OP_NORM_VJP_GAIN)
    {
      off[6] = buffer[4] != NULL;
      off[7] = buffer[5] != NULL;
    }
}

/* Bytes that @n elements of @dtype take, a block begun counted whole. */
static guint64
bytes_of (TrcDType dtype, guint64 n)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);

  return (n + info->block_elements - 1) / info->block_elements * info->block_bytes;
}

/* Bytes to bind for @extent elements of tensor @i: whole words from an aligned address. @rest is
 * what lies between that and the tensor's first element. */
static guint64
bind_bytes (const TrcVkCall *call, guint i, guint64 extent, guint64 *rest)
{
  *rest = bytes_of (call->dtype[i], call->base[i]) % TRC_VK_ALIGN;
  return (*rest + bytes_of (call->dtype[i], extent) + 3) / 4 * 4;
}

/* The piece of @buffer to bind for tensor @i of @call; where in it the tensor begins goes
 * into @off, in bytes for packed types. The binding reaches to the end of the buffer where
 * that is allowed. */
static TrcVkSpan
span_of (TrcVkBackend *self, const TrcVkCall *call, guint i, TrcBuffer *buffer, guint64 extent,
         TRC_UINT *off)
{
  const gboolean given = buffer != NULL && extent > 0;
  const gboolean packed = call->dtype[i] != TRC_F32 && call->dtype[i] != TRC_I32;
  const TrcVkRange *range = given ? range_of (buffer) : &self->nothing;
  guint64 rest = 0, size = given ? bind_bytes (call, i, extent, &rest) : 0;
  const guint64 start = given ? bytes_of (call->dtype[i], call->base[i]) - rest : 0;
  TrcVkSpan span = {
    .buffer = range->block->buffer,
    .offset = range->offset + start,
    .size = size,
    .bind_size = MIN (range->size - start, self->device.max_bind_bytes),
  };

  *off = (TRC_UINT)(packed ? rest : rest / 4);
  if (given && self->exact_bindings)
    span.bind_size = span.size;
  return span;
}

static gboolean
record (TrcVkBackend *self, const TrcVkCall *call, const TrcDispatch *dispatch,
        const guint64 *extent, const TrcVkGrid *grid, GError **error)
{
  TrcVkSpan spans[TRC_OP_MAX_TENSORS];
  TrcOpParams push = call->params;
  TrcVkCommand command = {
    .push = &push,
    .push_bytes = dispatch->info->params_size,
    .spans = spans,
    .n_spans = dispatch->info->n_tensors,
    .groups = { grid->groups[0], grid->groups[1], grid->groups[2] },
    .work = grid->work,
  };

  for (guint i = 0; i < command.n_spans; i++)
    {
      spans[i] = span_of (self, call, i, dispatch->buffer[i], extent[i], &push.off[i]);
      if (dispatch->info->use[i] & TRC_USE_WRITE)
        command.written |= 1u << i;
    }
  return trc_vk_pipelines_get (&self->pipelines, &grid->key, &command.pipeline, error)
         && trc_vk_stream_dispatch (&self->stream, &command, error);
}

/* The tensor that exceeds what one binding may hold or a shader can count, or -1. */
static int
too_large (TrcVkBackend *self, const TrcVkCall *call, const TrcOpInfo *info,
           const guint64 *extent)
{
  guint64 rest;

  for (guint i = 0; i < info->n_tensors; i++)
    if (extent[i] > 0
        && (bind_bytes (call, i, extent[i], &rest) > self->device.max_bind_bytes
            || extent[i] > G_MAXUINT32)) /* shaders count elements in 32 bits */
      return (int)i;
  return -1;
}

/* Records @call, cut into pieces where one dispatch would not do. */
static gboolean
run (TrcVkBackend *self, const TrcVkCall *call, const TrcDispatch *dispatch, GError **error)
{
  guint64 extent[TRC_OP_MAX_TENSORS] = { 0 };
  TrcVkCall first, second;
  TrcVkGrid grid;

  dispatch->info->extents (&call->params, extent);
  for (guint i = 0; i < TRC_OP_MAX_TENSORS; i++)
    if (dispatch->buffer[i] == NULL)
      extent[i] = 0;
  const int large = too_large (self, call, dispatch->info, extent);
  const gboolean fits =
      trc_vk_kernel_grid (self->device.profile, self->device.subgroup_size, call, &grid);
  if (fits && large < 0 && grid.groups[0] == 0)
    return TRUE;

  const gboolean must = large >= 0 || !fits;
  if ((must || grid.work > self->device.max_work)
      && trc_vk_kernel_split (call, large, &first, &second))
    return run (self, &first, dispatch, error) && run (self, &second, dispatch, error);
  if (!must)
    return record (self, call, dispatch, extent, &grid, error);

  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "The graphics device %s binds at most %" G_GUINT64_FORMAT
               " bytes of memory at once, and the kernel %s needs more in a way that cannot be "
               "split. Use a shorter prompt or the CPU device.",
               self->device.chosen.name, self->device.max_bind_bytes, dispatch->info->name);
  return FALSE;
}

static gboolean
backend_dispatch (TrcDevice *dev, const TrcDispatch *dispatch, GError **error)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;
  TrcVkCall call = { .op = dispatch->op, .params = dispatch->params };

  for (guint i = 0; i < TRC_OP_MAX_TENSORS; i++)
    {
      call.dtype[i] = dispatch->dtype[i];
      call.base[i] = i < dispatch->info->n_tensors ? dispatch->params.off[i] : 0;
      call.params.off[i] = 0;
    }
  tell_shader (&call, dispatch->buffer);
  enter (self);
  return leave (self, run (self, &call, dispatch, error), error);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void
backend_free (TrcDevice *dev)
{
  TrcVkBackend *self = (TrcVkBackend *)dev;

  trc_vk_pipelines_save (&self->pipelines);
  trc_vk_stream_clear (&self->stream); /* waits, so that nothing below is in use */
  trc_vk_pipelines_clear (&self->pipelines);
  trc_vk_transfer_clear (&self->transfer);
  trc_vk_memory_clear (&self->memory);
  trc_vk_device_clear (&self->device);
  g_free (self);
}

static const TrcDeviceClass backend_class = {
  .free = backend_free,
  .alloc = backend_alloc,
  .release = backend_release,
  .write = backend_write,
  .read = backend_read,
  .dispatch = backend_dispatch,
  .sync = backend_sync,
};

TrcVkBackend *
trc_vk_backend_new (const TrcVkParams *params, GError **error)
{
  TrcVkBackend *self = g_new0 (TrcVkBackend, 1);

  if (!trc_vk_device_init (&self->device, params, error))
    {
      g_free (self);
      return NULL;
    }
  const gboolean software = self->device.chosen.type == VK_PHYSICAL_DEVICE_TYPE_CPU;
  g_autofree char *name = g_strdup_printf ("%s (%s, Vulkan)", self->device.chosen.name,
                                           trc_vk_type_name (self->device.chosen.type));
  trc_device_init (&self->base, &backend_class, name,
                   software ? TRC_DEVICE_SOFTWARE_GPU : TRC_DEVICE_GPU);
  self->exact_bindings = params->exact_bindings;

  if (trc_vk_memory_init (&self->memory, &self->device, params->memory_limit,
                          params->force_staging, error)
      && trc_vk_stream_init (&self->stream, &self->device, error)
      && trc_vk_pipelines_init (&self->pipelines, &self->device, self->stream.layout,
                                params->cache_dir, error)
      && trc_vk_memory_alloc (&self->memory, TRC_VK_ALIGN, "an empty tensor", &self->nothing,
                              error))
    {
      trc_vk_transfer_init (&self->transfer, &self->stream, &self->memory);
      return self;
    }
  trc_device_unref (&self->base);
  return NULL;
}

guint
trc_vk_backend_messages (TrcVkBackend *self, char **text)
{
  TrcVkInstance *instance = &self->device.instance;

  g_mutex_lock (&instance->lock);
  if (text != NULL)
    *text = g_strdup (instance->messages->str);
  g_mutex_unlock (&instance->lock);
  return (guint)g_atomic_int_get (&instance->n_messages);
}
