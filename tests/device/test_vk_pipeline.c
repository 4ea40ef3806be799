#include "compute/error.h"
#include "tests/device/vk_fixture.h"
#include "tests/support/shared_data.h"

#include <gio/gio.h>
#include <string.h>

#define VK_HEADER_BYTES 32

static const guint8 uuid[VK_UUID_SIZE] = {
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
};

/* A well-formed cache file for vendor 0x10de, device 7, @uuid. */
static GByteArray *
cache_file (void)
{
  const guint32 header[4] = { 32, VK_PIPELINE_CACHE_HEADER_VERSION_ONE, 0x10de, 7 };
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  GByteArray *payload = g_byte_array_new ();
  GByteArray *file = g_byte_array_new ();
  guint8 sum[32];
  gsize n = sizeof sum;

  g_byte_array_append (payload, (const guint8 *)header, sizeof header);
  g_byte_array_append (payload, uuid, sizeof uuid);
  g_byte_array_append (payload, (const guint8 *)"compiled kernels", 16);
  g_checksum_update (checksum, payload->data, payload->len);
  g_checksum_get_digest (checksum, sum, &n);
  g_byte_array_append (file, (const guint8 *)"TRCVKPC1", 8);
  g_byte_array_append (file, sum, sizeof sum);
  g_byte_array_append (file, payload->data, payload->len);
  g_byte_array_unref (payload);
  return file;
}

static void
test_cache_file (void)
{
  g_autoptr (GByteArray) file = cache_file ();
  guint8 other[VK_UUID_SIZE] = { 0 };
  gsize bytes = 0;

  g_assert_true (trc_vk_cache_payload (file->data, file->len, 0x10de, 7, uuid, &bytes)
                 == file->data + 40);
  g_assert_cmpuint (bytes, ==, 48);
  g_assert_null (trc_vk_cache_payload (file->data, file->len, 0x10de, 8, uuid, &bytes));
  g_assert_null (trc_vk_cache_payload (file->data, file->len, 0x1002, 7, uuid, &bytes));
  g_assert_null (trc_vk_cache_payload (file->data, file->len, 0x10de, 7, other, &bytes));
  for (guint n = 0; n < file->len; n++) /* cut off anywhere */
    g_assert_null (trc_vk_cache_payload (file->data, n, 0x10de, 7, uuid, &bytes));
  for (guint i = 0; i < file->len; i++) /* damaged anywhere */
    {
      file->data[i] ^= 0x40;
      g_assert_null (trc_vk_cache_payload (file->data, file->len, 0x10de, 7, uuid, &bytes));
      file->data[i] ^= 0x40;
    }
}

static void
test_table (void)
{
  g_assert_cmpuint (trc_vk_n_shaders, >=, 20);
  g_assert_cmpuint (strlen (trc_vk_shaders_hash), ==, 64);
  g_assert_cmpint (trc_vk_shader_find ("no_such_kernel"), ==, -1);
  for (guint i = 0; i < trc_vk_n_shaders; i++)
    {
      g_assert_cmpint (trc_vk_shader_find (trc_vk_shaders[i].name), ==, i);
      g_assert_cmphex (trc_vk_shaders[i].words[0], ==, 0x07230203);
    }
}

static void
test_get (void)
{
  TrcVkPipelineKey key = { (guint32)trc_vk_shader_find ("fill"), 1, { 8 } };
  TrcVkBackend *b = vk_fixture_open (NULL);
  VkPipeline first, again, wider;

  if (b == NULL)
    return;
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &first, NULL));
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &again, NULL));
  g_assert_true (first == again);
  key.constant[0] = 16;
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &wider, NULL));
  g_assert_true (first != wider);
  g_assert_cmpuint (g_hash_table_size (b->pipelines.pipelines), ==, 2);
  vk_fixture_close (b);
}

static void
test_refused (void)
{
  const TrcVkPipelineKey key = { (guint32)trc_vk_shader_find ("fill"), 1, { 8 } };
  VkTrouble trouble = { "CreateComputePipelines", VK_ERROR_OUT_OF_HOST_MEMORY, .armed = TRUE };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;
  VkPipeline pipeline;

  if (b == NULL)
    return;
  g_assert_false (trc_vk_pipelines_get (&b->pipelines, &key, &pipeline, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  trouble.armed = FALSE;
  g_clear_error (&error);
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &pipeline, &error));
  vk_fixture_close (b);
}

/* A cache folder that cannot be used, or holds rubbish, changes nothing but time. */
static void
test_bad_folder (void)
{
  const TrcVkPipelineKey key = { (guint32)trc_vk_shader_find ("fill"), 1, { 8 } };
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = NULL;
  TrcVkParams params = { .cache_dir = dir };
  TrcVkBackend *b = vk_fixture_open (&params);
  VkPipeline pipeline;

  if (b == NULL)
    return;
  path = g_strdup (b->pipelines.cache_path);
  g_assert_true (g_str_has_prefix (path, dir));
  vk_fixture_close (b);

  g_assert_true (g_file_set_contents (path, "TRCVKPC1 and then rubbish", -1, NULL));
  b = vk_fixture_open (&params);
  g_assert_false (b->pipelines.cache_loaded);
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &pipeline, NULL));
  vk_fixture_close (b);

  params.cache_dir = "/proc/nobody/may/write/here";
  b = vk_fixture_open (&params);
  g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &pipeline, NULL));
  vk_fixture_close (b);
  trc_test_remove_tree (dir);
}

/* llvmpipe keeps nothing in a pipeline cache, so a driver that does is played here. */
static guint8 driver_data[VK_HEADER_BYTES + 100];
static int n_caches_seeded;
static PFN_vkCreatePipelineCache real_create_cache;

static VKAPI_ATTR VkResult VKAPI_CALL
get_cache_data (VkDevice device, VkPipelineCache cache, size_t *bytes, void *data)
{
  if (data != NULL)
    memcpy (data, driver_data, MIN (*bytes, sizeof driver_data));
  *bytes = sizeof driver_data;
  return VK_SUCCESS;
}

static VKAPI_ATTR VkResult VKAPI_CALL
create_cache (VkDevice device, const VkPipelineCacheCreateInfo *info,
              const VkAllocationCallbacks *callbacks, VkPipelineCache *cache)
{
  const VkPipelineCacheCreateInfo empty = { .sType = info->sType };

  if (info->initialDataSize == sizeof driver_data
      && memcmp (info->pInitialData, driver_data, sizeof driver_data) == 0)
    n_caches_seeded++;
  return real_create_cache (device, &empty, callbacks, cache);
}

static void
play_driver (TrcVkApi *api, gpointer data)
{
  real_create_cache = api->CreatePipelineCache;
  api->CreatePipelineCache = create_cache;
  api->GetPipelineCacheData = get_cache_data;
}

static void
fill_driver_data (const TrcVkDevice *device)
{
  const guint32 header[4] = { VK_HEADER_BYTES, VK_PIPELINE_CACHE_HEADER_VERSION_ONE,
                              device->vendor_id, device->device_id };

  memset (driver_data, 0x5a, sizeof driver_data);
  memcpy (driver_data, header, sizeof header);
  memcpy (driver_data + sizeof header, device->cache_uuid, VK_UUID_SIZE);
}

/* What the driver has compiled is there again the next time. */
static void
test_kept (void)
{
  const TrcVkPipelineKey key = { (guint32)trc_vk_shader_find ("fill"), 1, { 8 } };
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *inner = g_build_filename (dir, "made", "by", "us", NULL);
  const TrcVkParams params = { .cache_dir = inner, .patch = play_driver };
  VkPipeline pipeline;

  n_caches_seeded = 0;
  for (int round = 0; round < 3; round++)
    {
      TrcVkBackend *b = vk_fixture_open (&params);

      if (b == NULL)
        break;
      g_assert_cmpint (b->pipelines.cache_loaded, ==, round > 0);
      g_assert_cmpint (n_caches_seeded, ==, round);
      fill_driver_data (&b->device);
      if (round == 0) /* the last round writes nothing: nothing was made */
        g_assert_true (trc_vk_pipelines_get (&b->pipelines, &key, &pipeline, NULL));
      vk_fixture_close (b);
    }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/pipeline/cache-file", test_cache_file);
  g_test_add_func ("/vk/pipeline/table", test_table);
  g_test_add_func ("/vk/pipeline/get", test_get);
  g_test_add_func ("/vk/pipeline/refused", test_refused);
  g_test_add_func ("/vk/pipeline/kept", test_kept);
  g_test_add_func ("/vk/pipeline/bad-folder", test_bad_folder);
  return g_test_run ();
}
