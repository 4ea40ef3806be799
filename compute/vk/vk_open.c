#include "compute/vk/vk_open.h"

#include "compute/vk/vk_backend.h"

TrcDevice *
trc_vk_device_open (const char *match, GError **error)
{
  const TrcVkParams params = { .part = match };
  TrcVkBackend *backend = trc_vk_backend_new (&params, error);

  return backend != NULL ? &backend->base : NULL;
}

static int
best_first (gconstpointer a, gconstpointer b)
{
  return trc_vk_rank (((const TrcVkCandidate *)b)->type)
         - trc_vk_rank (((const TrcVkCandidate *)a)->type);
}

void
trc_vk_device_list (GPtrArray *infos)
{
  TrcVkInstance instance;

  if (!trc_vk_instance_init (&instance, NULL, FALSE, NULL))
    return;
  g_autoptr (GArray) found = trc_vk_instance_candidates (&instance, NULL);
  if (found != NULL)
    g_array_sort (found, best_first);
  for (guint i = 0; found != NULL && i < found->len; i++)
    {
      const TrcVkCandidate *c = &g_array_index (found, TrcVkCandidate, i);

      TrcDeviceInfo *info = g_new0 (TrcDeviceInfo, 1);
      info->spec = g_strconcat ("vulkan:", c->name, NULL);
      info->name = g_strdup_printf (
          "%s (%s, Vulkan %u.%u)", c->name, trc_vk_type_name (c->type),
          VK_API_VERSION_MAJOR (c->api_version), VK_API_VERSION_MINOR (c->api_version));
      info->kind =
          c->type == VK_PHYSICAL_DEVICE_TYPE_CPU ? TRC_DEVICE_SOFTWARE_GPU : TRC_DEVICE_GPU;
      info->memory_bytes = c->memory_bytes;
      info->is_usable = c->unusable == NULL;
      if (c->unusable != NULL)
        info->note = g_strdup (c->unusable);
      else if (info->kind == TRC_DEVICE_SOFTWARE_GPU)
        info->note = g_strdup ("it is software, slower than the CPU device");
      g_ptr_array_add (infos, info);
    }
  trc_vk_instance_clear (&instance);
}
