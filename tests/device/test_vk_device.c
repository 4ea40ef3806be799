#include "compute/error.h"
#include "tests/device/vk_fixture.h"

#include <string.h>

static void
test_open (void)
{
  TrcVkDevice device;

  if (!vk_fixture_device (&device, NULL))
    return;
  g_assert_cmpuint (device.subgroup_size, >=, 1);
  g_assert_cmpuint (device.max_bind_bytes % 256, ==, 0);
  g_assert_cmpuint (device.max_bind_bytes, >=, 1u << 20);
  g_assert_cmpint (device.profile, !=, TRC_VK_PROFILE_AUTO);
  g_assert_cmpuint (trc_vk_device_now (&device), ==, 0);
  g_assert_true (trc_vk_device_wait (&device, 0, NULL, NULL));
  vk_fixture_device_close (&device);
}

/* LP_NATIVE_VECTOR_WIDTH in the environment of this run, in lanes of 32 bits. */
static void
test_subgroup_width (void)
{
  const char *bits = g_getenv ("LP_NATIVE_VECTOR_WIDTH");
  TrcVkDevice device;

  if (bits == NULL || strcmp (vk_fixture_part (), "llvmpipe") != 0)
    {
      g_test_skip ("LP_NATIVE_VECTOR_WIDTH is not set");
      return;
    }
  if (!vk_fixture_device (&device, NULL))
    return;
  g_assert_cmpuint (device.subgroup_size, ==, atoi (bits) / 32);
  vk_fixture_device_close (&device);
}

static void
test_profile (void)
{
  const TrcVkParams params = { .profile = TRC_VK_PROFILE_GPU, .max_bind_bytes = 1000 };
  TrcVkDevice device;

  if (!vk_fixture_device (&device, &params))
    return;
  g_assert_cmpint (device.profile, ==, TRC_VK_PROFILE_GPU);
  g_assert_cmpuint (device.max_bind_bytes, ==, 768);
  vk_fixture_device_close (&device);
}

static void
test_check (void)
{
  g_autoptr (GError) error = NULL;
  TrcVkDevice device;

  if (!vk_fixture_device (&device, NULL))
    return;
  g_assert_true (trc_vk_device_check (&device, VK_SUCCESS, "work", &error));
  g_assert_false (
      trc_vk_device_check (&device, VK_ERROR_OUT_OF_DEVICE_MEMORY, "hold it all", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "hold it all"));
  g_clear_error (&error);
  g_assert_true (trc_vk_device_ok (&device, &error)); /* short of memory is not lost */

  g_assert_false (trc_vk_device_check (&device, VK_ERROR_DEVICE_LOST, "work", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  g_clear_error (&error);
  g_assert_false (trc_vk_device_ok (&device, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  g_clear_error (&error);
  g_assert_false (trc_vk_device_wait (&device, 1, NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  device.lost = FALSE; /* nothing was really lost: close it in order */
  vk_fixture_device_close (&device);
}

/* A wait for work that never comes ends when somebody cancels. */
static void
test_cancelled_wait (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcVkDevice device;

  if (!vk_fixture_device (&device, NULL))
    return;
  g_cancellable_cancel (cancellable);
  g_assert_false (trc_vk_device_wait (&device, 1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (trc_vk_device_ok (&device, NULL));
  vk_fixture_device_close (&device);
}

static void
test_no_such_device (void)
{
  const TrcVkParams params = { .part = "no such accelerator" };
  g_autoptr (GError) error = NULL;
  TrcVkDevice device;

  if (!vk_fixture_available ())
    return;
  g_assert_false (trc_vk_device_init (&device, &params, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
}

/* The layer is awake: wrong usage and forgotten objects are counted, so that silence elsewhere means something. */
static void
test_layer_speaks (void)
{
  VkBufferCreateInfo info = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                              .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT };
  VkBuffer empty = VK_NULL_HANDLE, forgotten = VK_NULL_HANDLE;
  TrcVkDevice device;

  if (!vk_fixture_device (&device, NULL))
    return;
  TrcVkApi *api = &device.instance.api;
  if (!device.instance.validating)
    {
      g_test_skip ("the validation layer is not installed");
      vk_fixture_device_close (&device);
      return;
    }
  api->CreateBuffer (device.device, &info, NULL, &empty); /* of size 0 */
  int wrong = g_atomic_int_get (&device.instance.n_messages);
  g_assert_cmpint (wrong, >, 0);
  g_assert_nonnull (strstr (device.instance.messages->str, "VkBufferCreateInfo"));
  if (empty != VK_NULL_HANDLE)
    api->DestroyBuffer (device.device, empty, NULL);

  info.size = 256;
  g_assert_cmpint (api->CreateBuffer (device.device, &info, NULL, &forgotten), ==, VK_SUCCESS);
  api->DestroySemaphore (device.device, device.clock, NULL);
  api->DestroyDevice (device.device, NULL);
  g_assert_cmpint (g_atomic_int_get (&device.instance.n_messages), >, wrong);
  device.clock = VK_NULL_HANDLE;
  device.device = VK_NULL_HANDLE;
  trc_vk_device_clear (&device);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/device/open", test_open);
  g_test_add_func ("/vk/device/subgroup-width", test_subgroup_width);
  g_test_add_func ("/vk/device/profile", test_profile);
  g_test_add_func ("/vk/device/check", test_check);
  g_test_add_func ("/vk/device/cancelled-wait", test_cancelled_wait);
  g_test_add_func ("/vk/device/layer-speaks", test_layer_speaks);
  g_test_add_func ("/vk/device/no-such-device", test_no_such_device);
  return g_test_run ();
}
