#include "compute/vk/vk_pipeline.h"

#include <gio/gio.h>
#include <string.h>

#define MAGIC "TRCVKPC1"
#define MAGIC_BYTES 8
#define SUM_BYTES 32
#define VK_HEADER_BYTES 32
#define MAX_CACHE_BYTES (64u << 20)

int
trc_vk_shader_find (const char *name)
{
  for (guint i = 0; i < trc_vk_n_shaders; i++)
    if (strcmp (trc_vk_shaders[i].name, name) == 0)
      return (int)i;
  return -1;
}

static void
sum_of (const guint8 *data, gsize bytes, guint8 sum[SUM_BYTES])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize n = SUM_BYTES;

  g_checksum_update (checksum, data, (gssize)bytes);
  g_checksum_get_digest (checksum, sum, &n);
}

const guint8 *
trc_vk_cache_payload (const guint8 *data, gsize bytes, guint32 vendor_id, guint32 device_id,
                      const guint8 *uuid, gsize *payload_bytes)
{
  guint8 sum[SUM_BYTES];
  guint32 header[4];

  if (bytes < MAGIC_BYTES + SUM_BYTES + VK_HEADER_BYTES || bytes > MAX_CACHE_BYTES
      || memcmp (data, MAGIC, MAGIC_BYTES) != 0)
    return NULL;
  const guint8 *payload = data + MAGIC_BYTES + SUM_BYTES;
  *payload_bytes = bytes - MAGIC_BYTES - SUM_BYTES;
  sum_of (payload, *payload_bytes, sum);
  if (memcmp (sum, data + MAGIC_BYTES, SUM_BYTES) != 0)
    return NULL;

  memcpy (header, payload, sizeof header); /* size, version, vendor, device, then the UUID */
  if (header[0] != VK_HEADER_BYTES || header[1] != VK_PIPELINE_CACHE_HEADER_VERSION_ONE
      || header[2] != vendor_id || header[3] != device_id
      || memcmp (payload + sizeof header, uuid, VK_UUID_SIZE) != 0)
    return NULL;
  return payload;
}

static char *
cache_path (const TrcVkDevice *device, const char *cache_dir)
{
  g_autoptr (GString) name = g_string_new ("vulkan-");
  g_autofree char *dir = cache_dir != NULL
                             ? g_strdup (cache_dir)
                             : g_build_filename (g_get_user_cache_dir (), "tracery", NULL);

  for (guint i = 0; i < VK_UUID_SIZE; i++)
    g_string_append_printf (name, "%02x", device->cache_uuid[i]);
  g_string_append_printf (name, "-%x-%.16s.bin", device->driver_version, trc_vk_shaders_hash);
  return g_build_filename (dir, name->str, NULL);
}

static guint
key_hash (gconstpointer key)
{
  const guint32 *words = key;
  guint hash = 5381;

  for (gsize i = 0; i < sizeof (TrcVkPipelineKey) / sizeof (guint32); i++)
    hash = hash * 33 + words[i];
  return hash;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (TrcVkPipelineKey)) == 0;
}

gboolean
trc_vk_pipelines_init (TrcVkPipelines *self, TrcVkDevice *device, VkPipelineLayout layout,
                       const char *cache_dir, GError **error)
{
  VkPipelineCacheCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO };
  g_autofree char *file = NULL;
  gsize bytes = 0, payload_bytes = 0;

  *self = (TrcVkPipelines){ .device = device, .layout = layout };
  self->cache_path = cache_path (device, cache_dir);
  if (g_file_get_contents (self->cache_path, &file, &bytes, NULL))
    info.pInitialData =
        trc_vk_cache_payload ((const guint8 *)file, bytes, device->vendor_id, device->device_id,
                              device->cache_uuid, &payload_bytes);
  if (info.pInitialData != NULL)
    info.initialDataSize = payload_bytes;
  self->cache_loaded = info.pInitialData != NULL;
  self->pipelines = g_hash_table_new_full (key_hash, key_equal, g_free, g_free);

  VkResult result =
      device->instance.api.CreatePipelineCache (device->device, &info, NULL, &self->cache);
  if (result == VK_SUCCESS)
    return TRUE;
  self->cache = VK_NULL_HANDLE;
  trc_vk_device_check (device, result, "prepare its pipelines", error);
  trc_vk_pipelines_clear (self);
  return FALSE;
}

void
trc_vk_pipelines_save (TrcVkPipelines *self)
{
  TrcVkDevice *d = self->device;
  if (d == NULL || d->lost || !self->changed)
    return;

  g_autofree char *dir = g_path_get_dirname (self->cache_path);
  gsize bytes = 0;

  if (d->instance.api.GetPipelineCacheData (d->device, self->cache, &bytes, NULL) != VK_SUCCESS
      || bytes <= VK_HEADER_BYTES || bytes > MAX_CACHE_BYTES)
    return;
  g_autofree guint8 *data = g_try_malloc (MAGIC_BYTES + SUM_BYTES + bytes);
  if (data == NULL
      || d->instance.api.GetPipelineCacheData (d->device, self->cache, &bytes,
                                               data + MAGIC_BYTES + SUM_BYTES)
             != VK_SUCCESS)
    return;
  memcpy (data, MAGIC, MAGIC_BYTES);
  sum_of (data + MAGIC_BYTES + SUM_BYTES, bytes, data + MAGIC_BYTES);
  g_mkdir_with_parents (dir, 0700);
  g_file_set_contents_full (self->cache_path, (const char *)data,
                            (gssize)(MAGIC_BYTES + SUM_BYTES + bytes),
                            G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
}

void
trc_vk_pipelines_clear (TrcVkPipelines *self)
{
  GHashTableIter iter;
  gpointer value;

  if (self->device == NULL)
    return;
  TrcVkDevice *d = self->device;
  g_hash_table_iter_init (&iter, self->pipelines);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    d->instance.api.DestroyPipeline (d->device, *(VkPipeline *)value, NULL);
  if (self->cache != VK_NULL_HANDLE)
    d->instance.api.DestroyPipelineCache (d->device, self->cache, NULL);
  g_hash_table_unref (self->pipelines);
  g_free (self->cache_path);
  *self = (TrcVkPipelines){ 0 };
}

static VkResult
create (TrcVkPipelines *self, const TrcVkPipelineKey *key, VkPipeline *pipeline)
{
  TrcVkDevice *d = self->device;
  const TrcVkShader *shader = &trc_vk_shaders[key->shader];
  VkSpecializationMapEntry entries[TRC_VK_MAX_CONSTANTS];
  const VkSpecializationInfo constants = {
    .mapEntryCount = key->n_constants,
    .pMapEntries = entries,
    .dataSize = key->n_constants * sizeof (guint32),
    .pData = key->constant,
  };
  const VkShaderModuleCreateInfo module_info = {
    .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
    .codeSize = shader->n_words * sizeof (guint32),
    .pCode = shader->words,
  };
  VkComputePipelineCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
    .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
               .stage = VK_SHADER_STAGE_COMPUTE_BIT,
               .pName = "main",
               .pSpecializationInfo = &constants },
    .layout = self->layout,
  };

  for (guint32 i = 0; i < key->n_constants; i++)
    entries[i] = (VkSpecializationMapEntry){ i, i * sizeof (guint32), sizeof (guint32) };
  VkResult result =
      d->instance.api.CreateShaderModule (d->device, &module_info, NULL, &info.stage.module);
  if (result != VK_SUCCESS)
    return result;
  result =
      d->instance.api.CreateComputePipelines (d->device, self->cache, 1, &info, NULL, pipeline);
  d->instance.api.DestroyShaderModule (d->device, info.stage.module, NULL);
  return result;
}

gboolean
trc_vk_pipelines_get (TrcVkPipelines *self, const TrcVkPipelineKey *key, VkPipeline *pipeline,
                      GError **error)
{
  const VkPipeline *known = g_hash_table_lookup (self->pipelines, key);

  if (known != NULL)
    {
      *pipeline = *known;
      return TRUE;
    }
  if (!trc_vk_device_check (self->device, create (self, key, pipeline), "build a kernel",
                            error))
    return FALSE;
  g_hash_table_insert (self->pipelines, g_memdup2 (key, sizeof *key),
                       g_memdup2 (pipeline, sizeof *pipeline));
  self->changed = TRUE;
  return TRUE;
}
