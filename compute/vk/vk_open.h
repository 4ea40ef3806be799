/* compute/vk/vk_open.h - the way from trc_device_open() to Vulkan
 *
 * Private to compute.
 */
#pragma once

#include "compute/device.h"

G_BEGIN_DECLS

/* Opens the best GPU, or the one whose name contains @match (without regard to case). With
 * @match NULL software devices are not taken. NULL with @error when there is none. */
TrcDevice *trc_vk_device_open (const char *match, GError **error);

/* Appends a TrcDeviceInfo for every Vulkan device, best first; is_auto is left FALSE, and the note
 * is written only where the device itself is the reason. */
void trc_vk_device_list (GPtrArray *infos);

G_END_DECLS
