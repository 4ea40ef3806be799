#include "tests/device/vk_fixture.h"

#include <string.h>

const char *
vk_fixture_part (void)
{
  const char *part = g_getenv ("TRACERY_TEST_VULKAN");

  return part != NULL && part[0] != '\0' ? part : "llvmpipe";
}

gboolean
vk_fixture_available (void)
{
  static int known = -1;

  if (known < 0)
    {
      const TrcVkParams params = { .part = vk_fixture_part () };
      TrcVkDevice device;

      known = trc_vk_device_init (&device, &params, NULL);
      if (known)
        trc_vk_device_clear (&device);
    }
  if (!known)
    g_test_skip ("there is no such Vulkan device on this machine");
  return known;
}

/* One folder for the whole run, removed by the system's cleaner if a test dies. */
static const char *
cache_dir (void)
{
  static char *dir = NULL;

  if (dir == NULL)
    dir = g_build_filename (g_get_tmp_dir (), "tracery-test-pipelines", NULL);
  return dir;
}

/* --- what the layer says when the instance goes, objects left behind included ----------------
 */

static TrcVkParams inner; /* the test's own patch */
static TrcVkInstance *watched;
static PFN_vkDestroyInstance real_destroy_instance;

static void
assert_silent (TrcVkInstance *instance)
{
  if (!instance->validating)
    g_test_message ("the validation layer is not installed");
  if (g_atomic_int_get (&instance->n_messages) > 0)
    g_test_message ("%s", instance->messages->str);
  g_assert_cmpint (g_atomic_int_get (&instance->n_messages), ==, 0);
}

static VKAPI_ATTR void VKAPI_CALL
destroy_instance (VkInstance instance, const VkAllocationCallbacks *callbacks)
{
  if (watched != NULL)
    assert_silent (watched);
  watched = NULL;
  real_destroy_instance (instance, callbacks);
}

static void
watch (TrcVkApi *api, gpointer data)
{
  if (inner.patch != NULL)
    inner.patch (api, inner.patch_data);
  real_destroy_instance = api->DestroyInstance;
  api->DestroyInstance = destroy_instance;
}

static TrcVkParams
complete (const TrcVkParams *params)
{
  TrcVkParams full = params != NULL ? *params : (TrcVkParams){ 0 };

  inner = full;
  full.patch = watch;
  full.validate = TRUE;
  if (full.part == NULL)
    full.part = vk_fixture_part ();
  if (full.cache_dir == NULL)
    full.cache_dir = cache_dir ();
  return full;
}

TrcVkBackend *
vk_fixture_open (const TrcVkParams *params)
{
  const TrcVkParams full = complete (params);
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_available ())
    return NULL;
  TrcVkBackend *backend = trc_vk_backend_new (&full, &error);
  g_assert_no_error (error);
  g_assert_nonnull (backend);
  return backend;
}

gboolean
vk_fixture_device (TrcVkDevice *device, const TrcVkParams *params)
{
  const TrcVkParams full = complete (params);
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_available ())
    return FALSE;
  gboolean ok = trc_vk_device_init (device, &full, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  return TRUE;
}

void
vk_fixture_close (TrcVkBackend *backend)
{
  watched = &backend->device.instance;
  assert_silent (watched);
  trc_device_unref (&backend->base);
}

void
vk_fixture_device_close (TrcVkDevice *device)
{
  watched = &device->instance;
  assert_silent (watched);
  trc_vk_device_clear (device);
}

/* --- trouble ----------------------------------------------------------------------------------
 */

static VkTrouble *trouble_now;
static TrcVkApi trouble_real;

static gboolean
strikes (const char *function)
{
  if (strcmp (trouble_now->function, function) != 0)
    return FALSE;
  trouble_now->calls++;
  return trouble_now->armed && trouble_now->calls > trouble_now->after;
}

static VKAPI_ATTR VkResult VKAPI_CALL
queue_submit (VkQueue queue, uint32_t n, const VkSubmitInfo *info, VkFence fence)
{
  return strikes ("QueueSubmit") ? trouble_now->result
                                 : trouble_real.QueueSubmit (queue, n, info, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL
wait_semaphores (VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
  return strikes ("WaitSemaphores") ? trouble_now->result
                                    : trouble_real.WaitSemaphores (device, info, timeout);
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_memory (VkDevice device, const VkMemoryAllocateInfo *info,
                 const VkAllocationCallbacks *callbacks, VkDeviceMemory *memory)
{
  return strikes ("AllocateMemory")
             ? trouble_now->result
             : trouble_real.AllocateMemory (device, info, callbacks, memory);
}

static VKAPI_ATTR VkResult VKAPI_CALL
allocate_sets (VkDevice device, const VkDescriptorSetAllocateInfo *info, VkDescriptorSet *sets)
{
  return strikes ("AllocateDescriptorSets")
             ? trouble_now->result
             : trouble_real.AllocateDescriptorSets (device, info, sets);
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_pipelines (VkDevice device, VkPipelineCache cache, uint32_t n,
                  const VkComputePipelineCreateInfo *info,
                  const VkAllocationCallbacks *callbacks, VkPipeline *pipelines)
{
  return strikes ("CreateComputePipelines") ? trouble_now->result
                                            : trouble_real.CreateComputePipelines (
                                                device, cache, n, info, callbacks, pipelines);
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_command_pool (VkDevice device, const VkCommandPoolCreateInfo *info,
                     const VkAllocationCallbacks *callbacks, VkCommandPool *pool)
{
  return strikes ("CreateCommandPool")
             ? trouble_now->result
             : trouble_real.CreateCommandPool (device, info, callbacks, pool);
}

static void
patch (TrcVkApi *api, gpointer data)
{
  trouble_now = data;
  trouble_real = *api;
  api->QueueSubmit = queue_submit;
  api->WaitSemaphores = wait_semaphores;
  api->AllocateMemory = allocate_memory;
  api->AllocateDescriptorSets = allocate_sets;
  api->CreateComputePipelines = create_pipelines;
  api->CreateCommandPool = create_command_pool;
}

TrcVkParams
vk_fixture_trouble (VkTrouble *trouble)
{
  return (TrcVkParams){ .patch = patch, .patch_data = trouble };
}
