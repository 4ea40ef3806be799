#include "compute/vk/vk_open.h"

#include "compute/error.h"

TrcDevice *
trc_vk_device_open (const char *match, GError **error)
{
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                       "This program was built without Vulkan; use --device cpu.");
  return NULL;
}

void
trc_vk_device_list (GPtrArray *infos)
{
}
