#include "compute/error.h"
#include "compute/vk/vk_api.h"
#include "compute/vk/vk_instance.h"
#include "compute/vk/vk_open.h"

#include <string.h>

static void
test_missing_library (void)
{
  g_autoptr (GError) error = NULL;
  TrcVkApi api;

  g_assert_false (trc_vk_api_open (&api, "libno-such-vulkan.so.9", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "libno-such-vulkan.so.9"));
  g_assert_null (api.library);
  trc_vk_api_close (&api);
}

static void
test_wrong_library (void)
{
  g_autoptr (GError) error = NULL;
  TrcVkApi api;

  g_assert_false (trc_vk_api_open (&api, "libm.so.6", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
  g_assert_null (api.library);
}

/* The whole way down from trc_device_open(): a sentence, no crash, no device. */
static void
test_missing_from_above (void)
{
  g_autoptr (GPtrArray) infos = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  g_setenv ("TRACERY_VULKAN_LIBRARY", "/nonexistent/libvulkan.so", TRUE);
  g_assert_null (trc_vk_device_open (NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "/nonexistent/libvulkan.so"));
  trc_vk_device_list (infos);
  g_assert_cmpuint (infos->len, ==, 0);
  g_unsetenv ("TRACERY_VULKAN_LIBRARY");
}

static void
test_result_names (void)
{
  g_assert_cmpstr (trc_vk_result_name (VK_ERROR_DEVICE_LOST), ==, "device lost");
  g_assert_cmpstr (trc_vk_result_name (VK_ERROR_OUT_OF_DEVICE_MEMORY), ==,
                   "out of device memory");
  g_assert_cmpstr (trc_vk_result_name ((VkResult)-123456), ==, "unknown error");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/api/missing-library", test_missing_library);
  g_test_add_func ("/vk/api/wrong-library", test_wrong_library);
  g_test_add_func ("/vk/api/missing-from-above", test_missing_from_above);
  g_test_add_func ("/vk/api/result-names", test_result_names);
  return g_test_run ();
}
