#include "compute/device.h"
#include "compute/error.h"
#include "tests/device/vk_fixture.h"

#include <string.h>

static void
test_by_name (void)
{
  g_autofree char *spec = g_strconcat ("vulkan:", vk_fixture_part (), NULL);
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_available ())
    return;
  g_autoptr (TrcDevice) dev = trc_device_open (spec, &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_device_kind (dev), !=, TRC_DEVICE_CPU);
  g_assert_nonnull (strstr (trc_device_name (dev), "Vulkan"));
}

/* Software devices are listed, but "auto" and "vulkan" leave them alone. */
static void
test_software_is_not_taken (void)
{
  g_autoptr (GPtrArray) infos = trc_device_list ();
  g_autoptr (GError) error = NULL;
  const TrcDeviceInfo *chosen = NULL;
  gboolean has_gpu = FALSE, has_software = FALSE;

  for (guint i = 0; i < infos->len; i++)
    {
      const TrcDeviceInfo *info = infos->pdata[i];

      g_assert_nonnull (info->spec);
      g_assert_nonnull (info->name);
      g_assert_true (info->is_auto == (info->note == NULL));
      has_gpu |= info->kind == TRC_DEVICE_GPU;
      has_software |= info->kind == TRC_DEVICE_SOFTWARE_GPU;
      if (info->is_auto)
        {
          g_assert_null (chosen);
          chosen = info;
        }
    }
  g_assert_nonnull (chosen);
  g_assert_cmpint (chosen->kind, ==, has_gpu ? TRC_DEVICE_GPU : TRC_DEVICE_CPU);

  g_autoptr (TrcDevice) automatic = trc_device_open ("auto", &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_device_kind (automatic), ==, chosen->kind);
  if (has_gpu || !has_software)
    return;
  g_assert_null (trc_device_open ("vulkan", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
}

static void
test_listed_specs_open (void)
{
  g_autoptr (GPtrArray) infos = trc_device_list ();

  for (guint i = 0; i < infos->len; i++)
    {
      const TrcDeviceInfo *info = infos->pdata[i];
      g_autoptr (GError) error = NULL;

      if (!info->is_usable)
        continue;
      g_autoptr (TrcDevice) dev = trc_device_open (info->spec, &error);

      g_assert_no_error (error);
      g_assert_cmpint (trc_device_kind (dev), ==, info->kind);
    }
}

static void
test_no_match (void)
{
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_available ())
    return;
  g_assert_null (trc_device_open ("vulkan:GeForce 9999", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "GeForce 9999"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/open/by-name", test_by_name);
  g_test_add_func ("/vk/open/software-is-not-taken", test_software_is_not_taken);
  g_test_add_func ("/vk/open/listed-specs-open", test_listed_specs_open);
  g_test_add_func ("/vk/open/no-match", test_no_match);
  return g_test_run ();
}
