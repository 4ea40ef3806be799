/* compute/cpu/cpu_device.h - the device that is the processor
 *
 * Private to compute. Kernels run at once, on the calling thread and the device's pool.
 */
#pragma once

#include "compute/device.h"

G_BEGIN_DECLS

/* A CPU device with @n_threads threads (0: TRACERY_THREADS, else the processors). */
TrcDevice *trc_cpu_device_new (guint n_threads);

/* What trc_device_list() says about it. */
TrcDeviceInfo *trc_cpu_device_info (gboolean is_auto);

G_END_DECLS
