#include "compute/vk/vk_device.h"

#include "compute/error.h"

#include <string.h>

#define WAIT_STEP_NS (100 * 1000 * 1000ull)

gboolean
trc_vk_device_ok (TrcVkDevice *self, GError **error)
{
  if (!self->lost)
    return TRUE;
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST,
               "The graphics device %s stopped answering and its contents are gone. Open it "
               "again, or use the CPU device.",
               self->chosen.name);
  return FALSE;
}

gboolean
trc_vk_device_check (TrcVkDevice *self, VkResult result, const char *doing, GError **error)
{
  if (result == VK_SUCCESS)
    return TRUE;

  if (result == VK_ERROR_DEVICE_LOST)
    {
      self->lost = TRUE;
      return trc_vk_device_ok (self, error);
    }
  if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY || result == VK_ERROR_OUT_OF_HOST_MEMORY
      || result == VK_ERROR_OUT_OF_POOL_MEMORY || result == VK_ERROR_FRAGMENTED_POOL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                 "The graphics device %s could not %s (%s). Use a shorter prompt, a smaller "
                 "model or the CPU device.",
                 self->chosen.name, doing, trc_vk_result_name (result));
  else
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                 "The graphics device %s could not %s (%s, %d). Update its driver, or use the "
                 "CPU device.",
                 self->chosen.name, doing, trc_vk_result_name (result), (int)result);
  return FALSE;
}

gboolean
trc_vk_device_wait (TrcVkDevice *self, guint64 value, GCancellable *cancellable, GError **error)
{
  const VkSemaphoreWaitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
    .semaphoreCount = 1,
    .pSemaphores = &self->clock,
    .pValues = &value,
  };

  if (!trc_vk_device_ok (self, error))
    return FALSE;
  for (;;)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      VkResult result = self->instance.api.WaitSemaphores (self->device, &info, WAIT_STEP_NS);
      if (result != VK_TIMEOUT)
        return trc_vk_device_check (self, result, "finish its work", error);
    }
}

guint64
trc_vk_device_now (TrcVkDevice *self)
{
  guint64 value = 0;

  if (self->lost)
    return self->last_value;
  VkResult result =
      self->instance.api.GetSemaphoreCounterValue (self->device, self->clock, &value);
  if (!trc_vk_device_check (self, result, "read its clock", NULL))
    return self->lost ? self->last_value : 0;
  return value;
}

/* What a slow device of its kind does in some tens of milliseconds with plain kernels. */
static double
max_work_of (VkPhysicalDeviceType type)
{
  switch (type)
    {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return 50e9;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return 0.5e9;
    default:
      return 5e9;
    }
}

static void
read_limits (TrcVkDevice *self, const TrcVkParams *params)
{
  VkPhysicalDeviceSubgroupProperties subgroup = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES
  };
  VkPhysicalDeviceMaintenance3Properties maintenance = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES, .pNext = &subgroup
  };
  VkPhysicalDeviceProperties2 properties = { .sType =
                                                 VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                             .pNext = &maintenance };
  TrcVkApi *api = &self->instance.api;

  api->GetPhysicalDeviceProperties2 (self->chosen.physical, &properties);
  api->GetPhysicalDeviceMemoryProperties (self->chosen.physical, &self->memory);
  self->limits = properties.properties.limits;
  self->driver_version = properties.properties.driverVersion;
  self->vendor_id = properties.properties.vendorID;
  self->device_id = properties.properties.deviceID;
  memcpy (self->cache_uuid, properties.properties.pipelineCacheUUID, VK_UUID_SIZE);
  self->max_allocation = maintenance.maxMemoryAllocationSize;
  self->subgroup_size = MAX (subgroup.subgroupSize, 1);
  self->max_bind_bytes = self->limits.maxStorageBufferRange;
  if (params->max_bind_bytes > 0)
    self->max_bind_bytes = MIN (self->max_bind_bytes, params->max_bind_bytes);
  self->max_bind_bytes &= ~(guint64)255;

  self->max_work = max_work_of (self->chosen.type);
  self->profile = params->profile;
  if (self->profile == TRC_VK_PROFILE_AUTO)
    self->profile = self->chosen.type == VK_PHYSICAL_DEVICE_TYPE_CPU ? TRC_VK_PROFILE_CPU
                                                                     : TRC_VK_PROFILE_GPU;
}

static gboolean
create_device (TrcVkDevice *self, GError **error)
{
  const float priority = 1.0f;
  const VkDeviceQueueCreateInfo queue = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
    .queueFamilyIndex = self->chosen.queue_family,
    .queueCount = 1,
    .pQueuePriorities = &priority,
  };
  const VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
    .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
    .timelineSemaphore = VK_TRUE,
  };
  const VkDeviceCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
    .pNext = &timeline,
    .queueCreateInfoCount = 1,
    .pQueueCreateInfos = &queue,
  };
  VkResult result =
      self->instance.api.CreateDevice (self->chosen.physical, &info, NULL, &self->device);

  if (result != VK_SUCCESS)
    self->device = VK_NULL_HANDLE;
  return trc_vk_device_check (self, result, "be opened", error);
}

static gboolean
create_clock (TrcVkDevice *self, GError **error)
{
  const VkSemaphoreTypeCreateInfo type = {
    .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
    .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
  };
  const VkSemaphoreCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                       .pNext = &type };
  VkResult result =
      self->instance.api.CreateSemaphore (self->device, &info, NULL, &self->clock);

  if (result != VK_SUCCESS)
    self->clock = VK_NULL_HANDLE;
  return trc_vk_device_check (self, result, "make a semaphore", error);
}

gboolean
trc_vk_device_init (TrcVkDevice *self, const TrcVkParams *params, GError **error)
{
  g_autoptr (GArray) candidates = NULL;
  int index;

  *self = (TrcVkDevice){ 0 };
  if (!trc_vk_instance_init (&self->instance, params->library, params->validate, error))
    return FALSE;
  candidates = trc_vk_instance_candidates (&self->instance, error);
  if (candidates == NULL)
    goto fail;
  index = trc_vk_choose ((const TrcVkCandidate *)(void *)candidates->data, candidates->len,
                         params->part, error);
  if (index < 0)
    goto fail;
  self->chosen = g_array_index (candidates, TrcVkCandidate, index);

  read_limits (self, params);
  if (!create_device (self, error)
      || !trc_vk_api_load_device (&self->instance.api, self->device, error))
    goto fail;
  self->instance.api.GetDeviceQueue (self->device, self->chosen.queue_family, 0, &self->queue);
  if (params->patch != NULL)
    params->patch (&self->instance.api, params->patch_data);
  if (!create_clock (self, error))
    goto fail;
  return TRUE;

fail:
  trc_vk_device_clear (self);
  return FALSE;
}

void
trc_vk_device_clear (TrcVkDevice *self)
{
  TrcVkApi *api = &self->instance.api;

  if (self->device != VK_NULL_HANDLE && api->DestroyDevice != NULL)
    {
      if (!self->lost)
        api->DeviceWaitIdle (self->device);
      if (self->clock != VK_NULL_HANDLE)
        api->DestroySemaphore (self->device, self->clock, NULL);
      api->DestroyDevice (self->device, NULL);
    }
  if (self->instance.messages != NULL)
    trc_vk_instance_clear (&self->instance);
  *self = (TrcVkDevice){ 0 };
}
