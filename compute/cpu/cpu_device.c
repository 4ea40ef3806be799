#include "compute/cpu/cpu_device.h"

#include "compute/base/device_impl.h"
#include "compute/cpu/pool.h"
#include "compute/error.h"

#include <cblas.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  TrcDevice base;
  TrcPool *pool;
} CpuDevice;

typedef struct {
  TrcBuffer base;
  char *bytes;
} CpuBuffer;

#define CPU_ALIGN 64

static void
cpu_free (TrcDevice *dev)
{
  CpuDevice *self = (CpuDevice *)dev;

  trc_pool_free (self->pool);
  g_free (self);
}

static TrcBuffer *
cpu_alloc (TrcDevice *dev, gsize bytes, const char *label, GError **error)
{
  CpuBuffer *self = g_new0 (CpuBuffer, 1);
  void *memory = NULL;

  if (posix_memalign (&memory, CPU_ALIGN, bytes) != 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "%s: there are no %.1f MB of memory left.", label, (double)bytes / 1e6);
      g_free (self);
      return NULL;
    }
  self->bytes = memory;
  return &self->base;
}

static void
cpu_release (TrcDevice *dev, TrcBuffer *buffer)
{
  free (((CpuBuffer *)buffer)->bytes);
  g_free (buffer);
}

static gboolean
cpu_write (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gconstpointer src, gsize bytes,
           GError **error)
{
  memcpy (((CpuBuffer *)buffer)->bytes + offset, src, bytes);
  return TRUE;
}

static gboolean
cpu_read (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gpointer dst, gsize bytes,
          GError **error)
{
  memcpy (dst, ((CpuBuffer *)buffer)->bytes + offset, bytes);
  return TRUE;
}

static gboolean
cpu_dispatch (TrcDevice *dev, const TrcDispatch *dispatch, GError **error)
{
  CpuDevice *self = (CpuDevice *)dev;
  TrcKernelArgs args = { .params = &dispatch->params };

  for (guint i = 0; i < dispatch->info->n_tensors; i++)
    if (dispatch->buffer[i] != NULL)
      {
        const TrcDTypeInfo *type = trc_dtype_info (dispatch->dtype[i]);
        gsize block = dispatch->params.off[i] / type->block_elements;
        args.tensor[i] = ((CpuBuffer *)dispatch->buffer[i])->bytes + block * type->block_bytes;
        args.dtype[i] = dispatch->dtype[i];
      }
  dispatch->info->fast (&args, self->pool);
  dev->counters.submits++;
  return TRUE;
}

static gboolean
cpu_sync (TrcDevice *dev, GError **error)
{
  return TRUE;
}

static const TrcDeviceClass cpu_class = {
  .free = cpu_free,
  .alloc = cpu_alloc,
  .release = cpu_release,
  .write = cpu_write,
  .read = cpu_read,
  .dispatch = cpu_dispatch,
  .sync = cpu_sync,
};

TrcDevice *
trc_cpu_device_new (guint n_threads)
{
  CpuDevice *self = g_new0 (CpuDevice, 1);
  g_autofree char *name = NULL;

  /* Our own pool cuts large products into pieces; OpenBLAS threads beside it would only
   * compete with it, and spin while they wait. */
  openblas_set_num_threads (1);
  self->pool = trc_pool_new (n_threads);
  name = g_strdup_printf ("CPU, %u threads", trc_pool_n_threads (self->pool));
  trc_device_init (&self->base, &cpu_class, name, TRC_DEVICE_CPU);
  return &self->base;
}

TrcDeviceInfo *
trc_cpu_device_info (gboolean is_auto)
{
  TrcDeviceInfo *info = g_new0 (TrcDeviceInfo, 1);
  g_autoptr (TrcDevice) dev = trc_cpu_device_new (0);

  info->spec = g_strdup ("cpu");
  info->name = g_strdup (trc_device_name (dev));
  info->kind = TRC_DEVICE_CPU;
  info->memory_bytes = (guint64)sysconf (_SC_PHYS_PAGES) * (guint64)sysconf (_SC_PAGESIZE);
  info->is_auto = is_auto;
  info->is_usable = TRUE;
  info->note = is_auto ? NULL : g_strdup ("there is a GPU");
  return info;
}
