/* compute/base/device_impl.h - what a kind of device fills in
 *
 * Private to compute. A device embeds TrcDevice as its first member, a buffer embeds
 * TrcBuffer; trc_device_init() and the code in base/device.c do reference counts, counters,
 * the pool of free buffers, the cancellable and the sticky loss, so that an implementation only
 * moves bytes and runs kernels.
 *
 * Threads  All entries are called on the thread that uses the device, except where a tensor is
 *          unreferenced elsewhere: give a buffer back only on the device's thread.
 * Order    write, read and dispatch behave as if done one after the other in the order of the
 *          calls. A buffer from the pool may still be in use by queued kernels, so a host write
 *          has to be ordered after them.
 */
#pragma once

#include "compute/device.h"
#include "compute/ops.h"

G_BEGIN_DECLS

typedef struct _TrcDeviceClass TrcDeviceClass;

typedef struct {
  TrcDevice *dev; /* borrowed by pooled buffers, held by the tensors of live ones */
  gsize bytes;    /* a multiple of 256, at least 256 */
} TrcBuffer;

struct _TrcDevice {
  const TrcDeviceClass *klass;
  char *name;
  TrcDeviceKind kind;
  GCancellable *cancellable;
  GError *lost; /* sticky */
  TrcDeviceCounters counters;
  GHashTable *pool; /* gsize bytes -> GPtrArray of TrcBuffer */
  gsize pool_limit; /* bytes; more than that is freed at once */
  gatomicrefcount refs;
};

/* One kernel, checked: extents lie within the buffers, off[] count from the start of the
 * buffer. */
typedef struct {
  TrcOpId op;
  const TrcOpInfo *info;
  TrcBuffer *buffer[TRC_OP_MAX_TENSORS]; /* NULL for an optional tensor not given */
  guint64 extent[TRC_OP_MAX_TENSORS];    /* elements touched from off[i] on */
  TrcDType dtype[TRC_OP_MAX_TENSORS];    /* off[i] is a whole number of its blocks */
  TrcOpParams params;
} TrcDispatch;

struct _TrcDeviceClass {
  /* Frees what the implementation holds and the device itself; the pool is empty by then. */
  void (*free) (TrcDevice *self);
  /* A buffer of at least @bytes (a multiple of 256), contents undefined. */
  TrcBuffer *(*alloc) (TrcDevice *self, gsize bytes, const char *label, GError **error);
  /* Frees @buffer once queued kernels are done with it. */
  void (*release) (TrcDevice *self, TrcBuffer *buffer);
  /* Copies from the host; @src may be reused on return. */
  gboolean (*write) (TrcDevice *self, TrcBuffer *buffer, gsize offset, gconstpointer src,
                     gsize bytes, GError **error);
  /* Waits for what is queued, then copies to the host. */
  gboolean (*read) (TrcDevice *self, TrcBuffer *buffer, gsize offset, gpointer dst, gsize bytes,
                    GError **error);
  /* Queues a kernel. Counts its own submits; dispatches are counted by the caller. */
  gboolean (*dispatch) (TrcDevice *self, const TrcDispatch *dispatch, GError **error);
  /* Hands over what is queued and waits for it. */
  gboolean (*sync) (TrcDevice *self, GError **error);
};

/* Fills the common part of a device made with g_new0; one reference, owned by the caller. */
void trc_device_init (TrcDevice *self, const TrcDeviceClass *klass, const char *name,
                      TrcDeviceKind kind);

/* Marks the device lost for good; the first message stays. Sets @error as well. Returns FALSE.
 */
gboolean trc_device_set_lost (TrcDevice *self, const char *message, GError **error);

/* A buffer for @bytes, from the pool or fresh; contents undefined. */
TrcBuffer *trc_buffer_new (TrcDevice *dev, gsize bytes, const char *label, GError **error);

/* Gives a buffer back to the pool. */
void trc_buffer_free (TrcBuffer *self);

/* Counted host copies; the range is checked by the caller. */
gboolean trc_buffer_write (TrcBuffer *self, gsize offset, gconstpointer src, gsize bytes,
                           GError **error);

/* The other way. */
gboolean
trc_buffer_read (TrcBuffer *self, gsize offset, gpointer dst, gsize bytes, GError **error);

/* The buffer of a tensor (borrowed) and the byte at which the tensor starts in it. */
TrcBuffer *trc_tensor_buffer (const TrcTensor *self, gsize *offset_bytes);

G_END_DECLS
