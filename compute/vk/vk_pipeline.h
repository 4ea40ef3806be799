/* compute/vk/vk_pipeline.h - compute pipelines, made when first used, and their cache file
 *
 * A pipeline is a shader with up to four specialisation constants. The driver's
 * cache is kept in one file a device, driver version and set of shaders:
 *
 *   bytes 0-7    "TRCVKPC1"
 *   bytes 8-39   SHA-256 of what follows
 *   bytes 40-    what vkGetPipelineCacheData returned
 *
 * A file that is damaged or belongs to another driver is ignored and replaced.
 *
 * Threads   The caller serialises. Two processes may use the same file: it is
 *           replaced in one step.
 */
#pragma once

#include "compute/vk/vk_device.h"

G_BEGIN_DECLS

#define TRC_VK_MAX_CONSTANTS 4

/* One shader as built into the program (shaders/tools/embed.py writes the table). */
typedef struct {
  const char *name; /* "matmul_tile64" */
  const guint32 *words;
  guint32 n_words;
} TrcVkShader;

extern const TrcVkShader trc_vk_shaders[];
extern const guint trc_vk_n_shaders;
extern const char trc_vk_shaders_hash[]; /* over all of them, hexadecimal */

/* Which pipeline: constant i has constant_id i. */
typedef struct {
  guint32 shader; /* index into trc_vk_shaders */
  guint32 n_constants;
  guint32 constant[TRC_VK_MAX_CONSTANTS];
} TrcVkPipelineKey;

typedef struct {
  TrcVkDevice *device;
  VkPipelineLayout layout; /* borrowed */
  VkPipelineCache cache;
  char *cache_path;      /* NULL: not kept */
  gboolean cache_loaded; /* the file was there and good */
  gboolean changed;      /* pipelines were made since */
  GHashTable *pipelines; /* TrcVkPipelineKey -> VkPipeline */
} TrcVkPipelines;

/* Index of the shader called @name, or -1. */
int trc_vk_shader_find (const char *name);

/* Reads the cache file of @cache_dir (NULL: the user's cache folder). */
gboolean trc_vk_pipelines_init (TrcVkPipelines *self, TrcVkDevice *device,
                                VkPipelineLayout layout, const char *cache_dir, GError **error);

/* Writes the cache file if pipelines were made since it was read. A file that cannot be
 * written costs time at the next start, nothing else. Zeroed is fine. */
void trc_vk_pipelines_save (TrcVkPipelines *self);

/* Destroys the pipelines; nothing recorded with them may be running. Zeroed is fine. */
void trc_vk_pipelines_clear (TrcVkPipelines *self);

/* The pipeline for @key, made if need be. */
gboolean trc_vk_pipelines_get (TrcVkPipelines *self, const TrcVkPipelineKey *key,
                               VkPipeline *pipeline, GError **error);

/* The payload of a cache file that may be used on a device, or NULL. Checks magic,
 * sum and the header Vulkan defines. @data is the whole file; the result lies in it. */
const guint8 *trc_vk_cache_payload (const guint8 *data, gsize bytes, guint32 vendor_id,
                                    guint32 device_id, const guint8 *uuid,
                                    gsize *payload_bytes);

G_END_DECLS
