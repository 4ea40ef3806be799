/* compute/device.h - where tensors live and kernels run
 *
 * A device is a GPU reached through Vulkan, or the processor. Work is queued in the order
 * of the calls; reading a tensor waits for what was queued before.
 *
 * Errors   TRC_COMPUTE_ERROR; G_IO_ERROR_CANCELLED when the device's cancellable was
 *          triggered. Device loss is sticky: every later call fails with the same message.
 * Threads  A device, its tensors and tapes are used by one thread at a time.
 *          trc_device_list() and the reference counts: any thread.
 * Lifetime Tensors hold a reference to their device.
 * Environment  TRACERY_THREADS: threads of the CPU device (default and most: the processors);
 *          TRACERY_CPU=base|v3: no newer variant of its fast paths than this.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TrcDevice TrcDevice;

typedef enum {
  TRC_DEVICE_CPU,
  TRC_DEVICE_GPU,
  TRC_DEVICE_SOFTWARE_GPU, /* Vulkan on the processor: slow, only on request */
} TrcDeviceKind;

typedef struct {
  char *spec; /* what trc_device_open() takes to get this one */
  char *name; /* for people, e.g. "CPU, 2 threads" */
  TrcDeviceKind kind;
  guint64 memory_bytes; /* 0: not known */
  gboolean is_auto;     /* the one that "auto" takes */
  gboolean is_usable;   /* FALSE: listed only to say in the note why not */
  char *note;           /* why "auto" does not take it; NULL for the one it takes */
} TrcDeviceInfo;

typedef struct {
  guint64 dispatches;       /* kernels queued */
  guint64 submits;          /* batches handed to the hardware; the CPU counts one a kernel */
  guint64 allocations;      /* fresh buffers; one taken from the pool is not counted */
  guint64 bytes_uploaded;   /* by trc_tensor_write() and trc_tensor_from_data() */
  guint64 bytes_downloaded; /* by trc_tensor_read() */
  guint64 bytes_live;       /* held by tensors now */
  guint64 bytes_peak;       /* the most that bytes_live has been */
  guint64 bytes_pooled;     /* kept for reuse now */
} TrcDeviceCounters;

/* Opens "auto" (or NULL: the best GPU that is no software, else the CPU), "cpu", "vulkan"
 * (best GPU or an error) or "vulkan:PART-OF-NAME" (any, software included). Owned by the
 * caller. */
TrcDevice *trc_device_open (const char *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The CPU device with an own number of threads; 0 takes the default. Never fails. */
TrcDevice *trc_device_open_cpu (guint n_threads) G_GNUC_WARN_UNUSED_RESULT;

/* What there is here, best first: an array of TrcDeviceInfo that frees its elements. */
GPtrArray *trc_device_list (void) G_GNUC_WARN_UNUSED_RESULT;

/* One more reference. Any thread. */
TrcDevice *trc_device_ref (TrcDevice *self);

/* Gives a reference back. NULL is fine. */
void trc_device_unref (TrcDevice *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcDevice, trc_device_unref)

/* Name for people; borrowed. */
const char *trc_device_name (const TrcDevice *self);

/* CPU, GPU or software GPU. */
TrcDeviceKind trc_device_kind (const TrcDevice *self);

/* Figures since the device was opened; exact. */
TrcDeviceCounters trc_device_counters (const TrcDevice *self);

/* Every later kernel first looks at @cancellable (NULL: nobody stops it) and fails with
 * G_IO_ERROR_CANCELLED once it is triggered. Keeps a reference. */
void trc_device_set_cancellable (TrcDevice *self, GCancellable *cancellable);

/* Waits until everything queued is done. */
gboolean trc_device_sync (TrcDevice *self, GError **error);

/* FALSE with @error when the device is lost. */
gboolean trc_device_status (const TrcDevice *self, GError **error);

/* Frees the buffers kept for reuse. */
void trc_device_trim (TrcDevice *self);

G_END_DECLS
