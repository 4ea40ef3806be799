#include "compute/base/device_impl.h"

#include "compute/cpu/cpu_device.h"
#include "compute/error.h"
#include "compute/vk/vk_open.h"

#include <string.h>

TrcDevice *
trc_device_open_cpu (guint n_threads)
{
  return trc_cpu_device_new (n_threads);
}

TrcDevice *
trc_device_open (const char *spec, GError **error)
{
  if (spec == NULL || strcmp (spec, "auto") == 0)
    {
      TrcDevice *gpu = trc_vk_device_open (NULL, NULL);
      return gpu != NULL ? gpu : trc_cpu_device_new (0);
    }
  if (strcmp (spec, "cpu") == 0)
    return trc_cpu_device_new (0);
  if (strcmp (spec, "vulkan") == 0)
    return trc_vk_device_open (NULL, error);
  if (g_str_has_prefix (spec, "vulkan:") && spec[strlen ("vulkan:")] != '\0')
    return trc_vk_device_open (spec + strlen ("vulkan:"), error);

  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "“%s” names no device: say auto, cpu, vulkan or vulkan:PART-OF-NAME.", spec);
  return NULL;
}

static void
info_free (gpointer data)
{
  TrcDeviceInfo *info = data;

  g_free (info->spec);
  g_free (info->name);
  g_free (info->note);
  g_free (info);
}

GPtrArray *
trc_device_list (void)
{
  GPtrArray *infos = g_ptr_array_new_with_free_func (info_free);
  gboolean has_gpu = FALSE;

  trc_vk_device_list (infos);
  for (guint i = 0; i < infos->len; i++)
    {
      TrcDeviceInfo *info = g_ptr_array_index (infos, i);
      info->is_auto = !has_gpu && info->kind == TRC_DEVICE_GPU && info->is_usable;
      if (!info->is_auto && info->note == NULL)
        info->note = g_strdup ("another GPU comes first");
      has_gpu |= info->is_auto;
    }
  g_ptr_array_add (infos, trc_cpu_device_info (!has_gpu));
  return infos;
}
