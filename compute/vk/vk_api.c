#include "compute/vk/vk_api.h"

#include "compute/error.h"

#include <dlfcn.h>

static gboolean
missing (const char *name, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "The Vulkan driver lacks the function vk%s. Install a driver for Vulkan 1.2 or "
               "newer, or use the CPU device.",
               name);
  return FALSE;
}

gboolean
trc_vk_api_open (TrcVkApi *self, const char *library, GError **error)
{
  *self = (TrcVkApi){ 0 };
  if (library == NULL)
    library = g_getenv ("TRACERY_VULKAN_LIBRARY");
  if (library == NULL || library[0] == '\0')
    library = "libvulkan.so.1";

  self->library = dlopen (library, RTLD_NOW | RTLD_LOCAL);
  if (self->library == NULL)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
          "There is no Vulkan on this machine: the library %s cannot be opened. Install "
          "the Vulkan loader and a graphics driver, or use the CPU device.",
          library);
      return FALSE;
    }

  self->GetInstanceProcAddr =
      (PFN_vkGetInstanceProcAddr)dlsym (self->library, "vkGetInstanceProcAddr");
  if (self->GetInstanceProcAddr == NULL)
    {
      missing ("GetInstanceProcAddr", error);
      trc_vk_api_close (self);
      return FALSE;
    }

#define LOAD(name)                                                                             \
  self->name = (PFN_vk##name)self->GetInstanceProcAddr (NULL, "vk" #name);                     \
  if (self->name == NULL)                                                                      \
    {                                                                                          \
      trc_vk_api_close (self);                                                                 \
      return missing (#name, error);                                                           \
    }
  TRC_VK_GLOBAL_FUNCTIONS (LOAD)
#undef LOAD
  return TRUE;
}

gboolean
trc_vk_api_load_instance (TrcVkApi *self, VkInstance instance, gboolean debug, GError **error)
{
#define LOAD(name)                                                                             \
  self->name = (PFN_vk##name)self->GetInstanceProcAddr (instance, "vk" #name);                 \
  if (self->name == NULL)                                                                      \
    return missing (#name, error);
  TRC_VK_INSTANCE_FUNCTIONS (LOAD)
  if (debug)
    {
      TRC_VK_DEBUG_FUNCTIONS (LOAD)
    }
#undef LOAD
  return TRUE;
}

gboolean
trc_vk_api_load_device (TrcVkApi *self, VkDevice device, GError **error)
{
#define LOAD(name)                                                                             \
  self->name = (PFN_vk##name)self->GetDeviceProcAddr (device, "vk" #name);                     \
  if (self->name == NULL)                                                                      \
    return missing (#name, error);
  TRC_VK_DEVICE_FUNCTIONS (LOAD)
#undef LOAD
  return TRUE;
}

void
trc_vk_api_close (TrcVkApi *self)
{
  void *library = self->library;

  *self = (TrcVkApi){ 0 };
  if (library != NULL)
    dlclose (library);
}

const char *
trc_vk_result_name (VkResult result)
{
  switch (result)
    {
    case VK_SUCCESS:
      return "success";
    case VK_TIMEOUT:
      return "time-out";
    case VK_ERROR_OUT_OF_HOST_MEMORY:
      return "out of host memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
      return "out of device memory";
    case VK_ERROR_INITIALIZATION_FAILED:
      return "initialisation failed";
    case VK_ERROR_DEVICE_LOST:
      return "device lost";
    case VK_ERROR_MEMORY_MAP_FAILED:
      return "memory cannot be mapped";
    case VK_ERROR_LAYER_NOT_PRESENT:
      return "layer not present";
    case VK_ERROR_EXTENSION_NOT_PRESENT:
      return "extension not present";
    case VK_ERROR_FEATURE_NOT_PRESENT:
      return "feature not present";
    case VK_ERROR_INCOMPATIBLE_DRIVER:
      return "incompatible driver";
    case VK_ERROR_TOO_MANY_OBJECTS:
      return "too many objects";
    case VK_ERROR_FRAGMENTED_POOL:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
      return "out of pool memory";
    default:
      return "unknown error";
    }
}
