/* compute/vk/vk_api.h - the Vulkan entry points, loaded by hand
 *
 * Tracery does not link libvulkan: the table below is filled with dlopen, so a
 * machine without Vulkan gives a sentence instead of a program that does not
 * start, and a test can put its own function in a slot (device loss, no memory).
 *
 * Lifetime  The table keeps its library open until trc_vk_api_close().
 * Threads   Read-only once filled.
 */
#pragma once

#include <glib.h>

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

G_BEGIN_DECLS

#define TRC_VK_GLOBAL_FUNCTIONS(X)                                                             \
  X (EnumerateInstanceVersion)                                                                 \
  X (EnumerateInstanceLayerProperties)                                                         \
  X (EnumerateInstanceExtensionProperties)                                                     \
  X (CreateInstance)

#define TRC_VK_INSTANCE_FUNCTIONS(X)                                                           \
  X (DestroyInstance)                                                                          \
  X (EnumeratePhysicalDevices)                                                                 \
  X (GetPhysicalDeviceProperties2)                                                             \
  X (GetPhysicalDeviceFeatures2)                                                               \
  X (GetPhysicalDeviceMemoryProperties)                                                        \
  X (GetPhysicalDeviceQueueFamilyProperties)                                                   \
  X (EnumerateDeviceExtensionProperties)                                                       \
  X (CreateDevice)                                                                             \
  X (GetDeviceProcAddr)

/* Present only when VK_EXT_debug_utils was enabled. */
#define TRC_VK_DEBUG_FUNCTIONS(X)                                                              \
  X (CreateDebugUtilsMessengerEXT)                                                             \
  X (DestroyDebugUtilsMessengerEXT)

#define TRC_VK_DEVICE_FUNCTIONS(X)                                                             \
  X (DestroyDevice)                                                                            \
  X (GetDeviceQueue)                                                                           \
  X (DeviceWaitIdle)                                                                           \
  X (AllocateMemory)                                                                           \
  X (FreeMemory)                                                                               \
  X (MapMemory)                                                                                \
  X (CreateBuffer)                                                                             \
  X (DestroyBuffer)                                                                            \
  X (GetBufferMemoryRequirements)                                                              \
  X (BindBufferMemory)                                                                         \
  X (CreateDescriptorSetLayout)                                                                \
  X (DestroyDescriptorSetLayout)                                                               \
  X (CreatePipelineLayout)                                                                     \
  X (DestroyPipelineLayout)                                                                    \
  X (CreateShaderModule)                                                                       \
  X (DestroyShaderModule)                                                                      \
  X (CreateComputePipelines)                                                                   \
  X (DestroyPipeline)                                                                          \
  X (CreatePipelineCache)                                                                      \
  X (DestroyPipelineCache)                                                                     \
  X (GetPipelineCacheData)                                                                     \
  X (CreateDescriptorPool)                                                                     \
  X (DestroyDescriptorPool)                                                                    \
  X (ResetDescriptorPool)                                                                      \
  X (AllocateDescriptorSets)                                                                   \
  X (UpdateDescriptorSets)                                                                     \
  X (CreateCommandPool)                                                                        \
  X (DestroyCommandPool)                                                                       \
  X (ResetCommandPool)                                                                         \
  X (AllocateCommandBuffers)                                                                   \
  X (BeginCommandBuffer)                                                                       \
  X (EndCommandBuffer)                                                                         \
  X (CmdBindPipeline)                                                                          \
  X (CmdBindDescriptorSets)                                                                    \
  X (CmdPushConstants)                                                                         \
  X (CmdDispatch)                                                                              \
  X (CmdPipelineBarrier)                                                                       \
  X (CmdCopyBuffer)                                                                            \
  X (CmdFillBuffer)                                                                            \
  X (CmdUpdateBuffer)                                                                          \
  X (QueueSubmit)                                                                              \
  X (CreateSemaphore)                                                                          \
  X (DestroySemaphore)                                                                         \
  X (WaitSemaphores)                                                                           \
  X (GetSemaphoreCounterValue)

#define TRC_VK_SLOT(name) PFN_vk##name name;

typedef struct {
  void *library; /* dlopen handle */
  PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
  TRC_VK_GLOBAL_FUNCTIONS (TRC_VK_SLOT)
  TRC_VK_INSTANCE_FUNCTIONS (TRC_VK_SLOT)
  TRC_VK_DEBUG_FUNCTIONS (TRC_VK_SLOT)
  TRC_VK_DEVICE_FUNCTIONS (TRC_VK_SLOT)
} TrcVkApi;

#undef TRC_VK_SLOT

/* Opens the loader library and fills the global slots. @library NULL means
 * $TRACERY_VULKAN_LIBRARY, else libvulkan.so.1. */
gboolean trc_vk_api_open (TrcVkApi *self, const char *library, GError **error);

/* Fills the slots that belong to @instance; @debug asks for those of
 * VK_EXT_debug_utils too. */
gboolean
trc_vk_api_load_instance (TrcVkApi *self, VkInstance instance, gboolean debug, GError **error);

/* Fills the slots that belong to @device. */
gboolean trc_vk_api_load_device (TrcVkApi *self, VkDevice device, GError **error);

/* Closes the library and empties the table. A zeroed table is fine. */
void trc_vk_api_close (TrcVkApi *self);

/* A short name for a VkResult, for messages. */
const char *trc_vk_result_name (VkResult result);

G_END_DECLS
