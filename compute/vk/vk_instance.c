#include "compute/vk/vk_instance.h"

#include "compute/error.h"

#include <string.h>

#define VALIDATION_LAYER "VK_LAYER_KHRONOS_validation"
#define MAX_MESSAGE_TEXT (16 * 1024)

static VKAPI_ATTR VkBool32 VKAPI_CALL
on_message (VkDebugUtilsMessageSeverityFlagBitsEXT severity,
            VkDebugUtilsMessageTypeFlagsEXT types,
            const VkDebugUtilsMessengerCallbackDataEXT *data, void *user_data)
{
  TrcVkInstance *self = user_data;

  if (!(types & VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT))
    return VK_FALSE; /* loader chatter about other drivers is not ours */

  g_atomic_int_inc (&self->n_messages);
  g_mutex_lock (&self->lock);
  if (self->messages->len < MAX_MESSAGE_TEXT)
    g_string_append_printf (self->messages, "%s\n", data->pMessage);
  g_mutex_unlock (&self->lock);
  return VK_FALSE;
}

static gboolean
has_layer (TrcVkApi *api, const char *name)
{
  guint32 n = 0;

  if (api->EnumerateInstanceLayerProperties (&n, NULL) != VK_SUCCESS || n == 0)
    return FALSE;
  g_autofree VkLayerProperties *list = g_new0 (VkLayerProperties, n);
  api->EnumerateInstanceLayerProperties (&n, list);
  for (guint32 i = 0; i < n; i++)
    if (strcmp (list[i].layerName, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
has_debug_utils (TrcVkApi *api)
{
  guint32 n = 0;

  api->EnumerateInstanceExtensionProperties (VALIDATION_LAYER, &n, NULL);
  g_autofree VkExtensionProperties *list = g_new0 (VkExtensionProperties, n + 1);
  api->EnumerateInstanceExtensionProperties (VALIDATION_LAYER, &n, list);
  for (guint32 i = 0; i < n; i++)
    if (strcmp (list[i].extensionName, VK_EXT_DEBUG_UTILS_EXTENSION_NAME) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
create (TrcVkInstance *self, GError **error)
{
  static const char *const layers[] = { VALIDATION_LAYER };
  static const char *const extensions[] = { VK_EXT_DEBUG_UTILS_EXTENSION_NAME };
  const VkDebugUtilsMessengerCreateInfoEXT messenger = {
    .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
    .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT
                       | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
    .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
    .pfnUserCallback = on_message,
    .pUserData = self,
  };
  const VkApplicationInfo application = {
    .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
    .pApplicationName = "Tracery",
    .apiVersion = VK_API_VERSION_1_2,
  };
  const VkInstanceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
    .pNext = self->validating ? &messenger : NULL,
    .pApplicationInfo = &application,
    .enabledLayerCount = self->validating ? 1 : 0,
    .ppEnabledLayerNames = layers,
    .enabledExtensionCount = self->validating ? 1 : 0,
    .ppEnabledExtensionNames = extensions,
  };
  VkResult result = self->api.CreateInstance (&info, NULL, &self->instance);

  if (result != VK_SUCCESS)
    {
      self->instance = VK_NULL_HANDLE;
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "Vulkan cannot be started on this machine (%s). Install a graphics driver with "
          "Vulkan 1.2, or use the CPU device.",
          trc_vk_result_name (result));
      return FALSE;
    }
  if (!trc_vk_api_load_instance (&self->api, self->instance, self->validating, error))
    return FALSE;
  if (self->validating)
    self->api.CreateDebugUtilsMessengerEXT (self->instance, &messenger, NULL, &self->messenger);
  return TRUE;
}

gboolean
trc_vk_instance_init (TrcVkInstance *self, const char *library, gboolean validate,
                      GError **error)
{
  guint32 version = 0;

  *self = (TrcVkInstance){ 0 };
  g_mutex_init (&self->lock);
  self->messages = g_string_new (NULL);
  if (!trc_vk_api_open (&self->api, library, error))
    goto fail;

  self->api.EnumerateInstanceVersion (&version);
  if (version < VK_API_VERSION_1_2)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "The Vulkan loader is version %u.%u, and Tracery needs 1.2 or newer. Update it, "
          "or use the CPU device.",
          VK_API_VERSION_MAJOR (version), VK_API_VERSION_MINOR (version));
      goto fail;
    }
  self->strict = g_strcmp0 (g_getenv ("TRACERY_VULKAN_VALIDATE"), "1") == 0;
  self->validating = (validate || self->strict) && has_layer (&self->api, VALIDATION_LAYER)
                     && has_debug_utils (&self->api);
  if (self->strict && !self->validating)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "TRACERY_VULKAN_VALIDATE asks for the layer %s, which is not installed. "
                   "Install the Vulkan validation layers or unset it.",
                   VALIDATION_LAYER);
      goto fail;
    }
  if (!create (self, error))
    goto fail;
  return TRUE;

fail:
  trc_vk_instance_clear (self);
  return FALSE;
}

void
trc_vk_instance_clear (TrcVkInstance *self)
{
  if (self->messenger != VK_NULL_HANDLE)
    self->api.DestroyDebugUtilsMessengerEXT (self->instance, self->messenger, NULL);
  if (self->instance != VK_NULL_HANDLE && self->api.DestroyInstance != NULL)
    self->api.DestroyInstance (self->instance, NULL);
  trc_vk_api_close (&self->api);
  if (self->messages != NULL)
    {
      g_string_free (self->messages, TRUE);
      g_mutex_clear (&self->lock);
    }
  *self = (TrcVkInstance){ 0 };
}

static guint64
largest_local_heap (TrcVkApi *api, VkPhysicalDevice physical)
{
  VkPhysicalDeviceMemoryProperties memory;
  guint64 best = 0;

  api->GetPhysicalDeviceMemoryProperties (physical, &memory);
  for (guint32 i = 0; i < memory.memoryHeapCount; i++)
    if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
      best = MAX (best, memory.memoryHeaps[i].size);
  return best;
}

/* A family that computes; one without graphics first, since it does not share its
 * time slices with the desktop. */
static gboolean
find_queue_family (TrcVkApi *api, VkPhysicalDevice physical, guint32 *family)
{
  guint32 n = 0;
  gboolean found = FALSE;

  api->GetPhysicalDeviceQueueFamilyProperties (physical, &n, NULL);
  g_autofree VkQueueFamilyProperties *list = g_new0 (VkQueueFamilyProperties, n + 1);
  api->GetPhysicalDeviceQueueFamilyProperties (physical, &n, list);
  for (guint32 i = 0; i < n; i++)
    {
      if (!(list[i].queueFlags & VK_QUEUE_COMPUTE_BIT) || list[i].queueCount == 0)
        continue;
      if (!found)
        *family = i;
      found = TRUE;
      if (!(list[i].queueFlags & VK_QUEUE_GRAPHICS_BIT))
        {
          *family = i;
          break;
        }
    }
  return found;
}

static void
describe (TrcVkApi *api, VkPhysicalDevice physical, TrcVkCandidate *out)
{
  VkPhysicalDeviceDriverProperties driver = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
  };
  VkPhysicalDeviceProperties2 properties = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
  };
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES
  };
  VkPhysicalDeviceFeatures2 features = { .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                         .pNext = &timeline };

  const VkPhysicalDeviceLimits *limits = &properties.properties.limits;

  *out = (TrcVkCandidate){ .physical = physical };
  api->GetPhysicalDeviceProperties2 (physical, &properties);
  out->api_version = properties.properties.apiVersion;
  out->type = properties.properties.deviceType;
  g_strlcpy (out->name, properties.properties.deviceName, sizeof out->name);
  out->memory_bytes = largest_local_heap (api, physical);

  if (out->api_version < VK_API_VERSION_1_2)
    {
      out->unusable = "its driver is older than Vulkan 1.2";
      return;
    }
  properties.pNext = &driver;
  api->GetPhysicalDeviceProperties2 (physical, &properties);
  g_strlcpy (out->driver, driver.driverName, sizeof out->driver);
  api->GetPhysicalDeviceFeatures2 (physical, &features);
  if (!timeline.timelineSemaphore)
    out->unusable = "its driver has no timeline semaphores";
  else if (!find_queue_family (api, physical, &out->queue_family))
    out->unusable = "it has no compute queue";
  else if (limits->maxComputeWorkGroupInvocations < 256
           || limits->maxComputeWorkGroupSize[0] < 256
           || limits->maxComputeSharedMemorySize < 16384
           || limits->maxPerStageDescriptorStorageBuffers < 8)
    out->unusable = "its compute limits are too small";
}

GArray *
trc_vk_instance_candidates (TrcVkInstance *self, GError **error)
{
  guint32 n = 0;
  VkResult result = self->api.EnumeratePhysicalDevices (self->instance, &n, NULL);

  if (result != VK_SUCCESS)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "The Vulkan devices of this machine cannot be listed (%s). Use the CPU device.",
          trc_vk_result_name (result));
      return NULL;
    }

  g_autofree VkPhysicalDevice *devices = g_new0 (VkPhysicalDevice, n + 1);
  GArray *out = g_array_new (FALSE, TRUE, sizeof (TrcVkCandidate));
  self->api.EnumeratePhysicalDevices (self->instance, &n, devices);
  for (guint32 i = 0; i < n; i++)
    {
      TrcVkCandidate candidate;

      describe (&self->api, devices[i], &candidate);
      g_array_append_val (out, candidate);
    }
  return out;
}

int
trc_vk_rank (VkPhysicalDeviceType type)
{
  switch (type)
    {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 4;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return 3;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return 2;
    case VK_PHYSICAL_DEVICE_TYPE_OTHER:
      return 1;
    default:
      return 0; /* a CPU: only by name */
    }
}

static gboolean
name_has (const char *name, const char *part)
{
  g_autofree char *a = g_ascii_strdown (name, -1);
  g_autofree char *b = g_ascii_strdown (part, -1);

  return strstr (a, b) != NULL;
}

static void
explain_no_match (const TrcVkCandidate *candidates, guint n, const char *part,
                  const TrcVkCandidate *refused, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", candidates[i].name);

  if (n == 0)
    g_set_error (
        error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
        "Vulkan finds no device on this machine. Install a graphics driver, or use the "
        "CPU device.");
  else if (refused != NULL && refused->unusable != NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                 "The Vulkan device %s cannot be used: %s. Use another device of: cpu, %s.",
                 refused->name, refused->unusable, names->str);
  else if (part != NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                 "No Vulkan device has \"%s\" in its name. The devices are: %s.", part,
                 names->str);
  else
    g_set_error (
        error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
        "There is no GPU here: the only Vulkan device is software (%s), which is slower "
        "than the CPU device. Name it, as in vulkan:llvmpipe, to use it all the same.",
        names->str);
}

int
trc_vk_choose (const TrcVkCandidate *candidates, guint n, const char *part, GError **error)
{
  const TrcVkCandidate *refused = NULL;
  int best = -1, best_rank = -1;

  for (guint i = 0; i < n; i++)
    {
      const TrcVkCandidate *c = &candidates[i];

      if (part != NULL ? !name_has (c->name, part) : trc_vk_rank (c->type) == 0)
        continue;
      if (c->unusable != NULL)
        refused = c;
      else if (trc_vk_rank (c->type) > best_rank)
        {
          best = (int)i;
          best_rank = trc_vk_rank (c->type);
        }
    }
  if (best < 0)
    explain_no_match (candidates, n, part, refused, error);
  return best;
}

const char *
trc_vk_type_name (VkPhysicalDeviceType type)
{
  switch (type)
    {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return "discrete GPU";
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return "integrated GPU";
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return "virtual GPU";
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return "software";
    default:
      return "other";
    }
}
