/* Which device a word opens, and the list of devices. */
#include "compute/device.h"
#include "compute/error.h"

#include <string.h>

static void
test_spec (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) cpu = trc_device_open ("cpu", &error);
  g_autoptr (TrcDevice) any = trc_device_open (NULL, &error);
  static const char *const wrong[] = { "", "gpu", "CPU", "vulkan:", "cpu:2" };

  g_assert_no_error (error);
  g_assert_cmpint (trc_device_kind (cpu), ==, TRC_DEVICE_CPU);
  g_assert_cmpint (trc_device_kind (any), !=, TRC_DEVICE_SOFTWARE_GPU);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_assert_null (trc_device_open (wrong[i], &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
      g_assert_nonnull (strstr (error->message, "auto, cpu, vulkan"));
      g_clear_error (&error);
    }
  g_assert_null (trc_device_open ("vulkan:a device of this name there is not", &error));
  g_assert_nonnull (error);
}

static void
test_list (void)
{
  g_autoptr (GPtrArray) infos = trc_device_list ();
  guint n_auto = 0, n_cpu = 0;

  for (guint i = 0; i < infos->len; i++)
    {
      const TrcDeviceInfo *info = g_ptr_array_index (infos, i);
      g_assert_nonnull (info->spec);
      g_assert_nonnull (info->name);
      n_auto += info->is_auto;
      n_cpu += info->kind == TRC_DEVICE_CPU;
      g_assert_false (info->is_auto && info->kind == TRC_DEVICE_SOFTWARE_GPU);
    }
  g_assert_cmpuint (n_auto, ==, 1);
  g_assert_cmpuint (n_cpu, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/open/spec", test_spec);
  g_test_add_func ("/compute/open/list", test_list);
  return g_test_run ();
}
