#include "compute/error.h"
#include "compute/vk/vk_instance.h"
#include "tests/device/vk_fixture.h"

#include <string.h>

static const TrcVkCandidate machine[] = {
  { .name = "llvmpipe (LLVM 15.0.6, 256 bits)", .type = VK_PHYSICAL_DEVICE_TYPE_CPU },
  { .name = "Virtio-GPU Venus", .type = VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU },
  { .name = "Intel UHD 620", .type = VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU },
  { .name = "Quadro K600",
    .type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
    .unusable = "its driver is older than Vulkan 1.2" },
  { .name = "Radeon RX 580", .type = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU },
};

static void
test_ranking (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (trc_vk_choose (machine, 5, NULL, &error), ==, 4);
  g_assert_cmpint (trc_vk_choose (machine, 4, NULL, &error), ==, 2);
  g_assert_cmpint (trc_vk_choose (machine, 2, NULL, &error), ==, 1);
  g_assert_no_error (error);
}

static void
test_software_only_by_name (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (trc_vk_choose (machine, 1, NULL, &error), ==, -1);
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "llvmpipe"));
  g_clear_error (&error);
  g_assert_cmpint (trc_vk_choose (machine, 5, "LLVMpipe", &error), ==, 0);
  g_assert_cmpint (trc_vk_choose (machine, 5, "uhd", &error), ==, 2);
  g_assert_no_error (error);
}

static void
test_refusals (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (trc_vk_choose (machine, 5, "K600", &error), ==, -1);
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "older than Vulkan 1.2"));
  g_clear_error (&error);
  g_assert_cmpint (trc_vk_choose (machine, 5, "GeForce", &error), ==, -1);
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "Radeon RX 580"));
  g_clear_error (&error);
  g_assert_cmpint (trc_vk_choose (machine, 0, NULL, &error), ==, -1);
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
}

static void
test_types (void)
{
  g_assert_cmpstr (trc_vk_type_name (VK_PHYSICAL_DEVICE_TYPE_CPU), ==, "software");
  g_assert_cmpint (trc_vk_rank (VK_PHYSICAL_DEVICE_TYPE_CPU), ==, 0);
  g_assert_cmpint (trc_vk_rank (VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU), >,
                   trc_vk_rank (VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU));
}

static void
test_candidates (void)
{
  g_autoptr (GError) error = NULL;
  TrcVkInstance instance;

  if (!vk_fixture_available ())
    return;
  g_assert_true (trc_vk_instance_init (&instance, NULL, TRUE, &error));
  g_autoptr (GArray) found = trc_vk_instance_candidates (&instance, &error);
  g_assert_no_error (error);
  int at = trc_vk_choose ((const TrcVkCandidate *)(void *)found->data, found->len,
                          vk_fixture_part (), &error);
  g_assert_no_error (error);
  const TrcVkCandidate *c = &g_array_index (found, TrcVkCandidate, at);
  g_assert_cmpuint (c->api_version, >=, VK_API_VERSION_1_2);
  g_assert_cmpuint (c->memory_bytes, >, 0);
  g_assert_cmpint (g_atomic_int_get (&instance.n_messages), ==, 0);
  trc_vk_instance_clear (&instance);
  trc_vk_instance_clear (&instance);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/instance/ranking", test_ranking);
  g_test_add_func ("/vk/instance/software-only-by-name", test_software_only_by_name);
  g_test_add_func ("/vk/instance/refusals", test_refusals);
  g_test_add_func ("/vk/instance/types", test_types);
  g_test_add_func ("/vk/instance/candidates", test_candidates);
  return g_test_run ();
}
