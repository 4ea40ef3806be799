#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/sources.h"

#include "compute/base/packed.h"
#include "compute/formats/json_file.h"

#include <string.h>

typedef struct {
  gpointer owner;
  GDestroyNotify free_owner;
} Owned;

struct _TrcSources {
  GArray *owned; /* of Owned */
  GStringChunk *names;
  GHashTable *by_name; /* name -> TrcSource, owned */
};

TrcSources *
trc_sources_new (void)
{
  TrcSources *self = g_new0 (TrcSources, 1);

  self->owned = g_array_new (FALSE, FALSE, sizeof (Owned));
  self->names = g_string_chunk_new (4096);
  self->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  return self;
}

void
trc_sources_free (TrcSources *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->owned->len; i++)
    {
      Owned *owned = &g_array_index (self->owned, Owned, i);

      owned->free_owner (owned->owner);
    }
  g_array_unref (self->owned);
  g_hash_table_unref (self->by_name);
  g_string_chunk_free (self->names);
  g_free (self);
}

void
trc_sources_take (TrcSources *self, gpointer owner, GDestroyNotify free_owner)
{
  Owned owned = { owner, free_owner };

  g_array_append_val (self->owned, owned);
}

void
trc_sources_add (TrcSources *self, const TrcSource *source)
{
  TrcSource *copy = g_memdup2 (source, sizeof *source);

  copy->name = g_string_chunk_insert (self->names, source->name);
  g_hash_table_replace (self->by_name, (gpointer)copy->name, copy);
}

const TrcSource *
trc_sources_find (const TrcSources *self, const char *name)
{
  return g_hash_table_lookup (self->by_name, name);
}

gboolean
trc_source_to_f32 (const TrcSource *self, guint64 first, guint64 n, float *dst)
{
  const TrcDTypeInfo *info = trc_dtype_info (self->dtype);

  g_return_val_if_fail (first <= self->n_elements && n <= self->n_elements - first, FALSE);
  if (self->is_f64)
    {
      for (guint64 i = 0; i < n; i++)
        {
          double value;

          memcpy (&value, self->data + 8 * (first + i), 8);
          dst[i] = (float)value;
        }
      return TRUE;
    }
  g_return_val_if_fail (first % info->block_elements == 0 && n % info->block_elements == 0,
                        FALSE);
  trc_packed_expand (self->dtype, self->data + first / info->block_elements * info->block_bytes,
                     n, dst);
  return TRUE;
}

/* --- safetensors --- */

static void
add_tensor (TrcSources *self, const TrcFileTensor *t)
{
  TrcSource source = { .name = t->name,
                       .n_axes = t->n_axes,
                       .n_elements = t->n_elements,
                       .data = t->data,
                       .n_bytes = t->n_bytes,
                       .is_f64 = t->type == TRC_FILE_F64 };

  switch (t->type)
    {
    case TRC_FILE_F32:
    case TRC_FILE_F64:
      source.dtype = TRC_F32;
      break;
    case TRC_FILE_F16:
      source.dtype = TRC_F16;
      break;
    case TRC_FILE_BF16:
      source.dtype = TRC_BF16;
      break;
    default:
      source.unread = t->type_name; /* masks and counters; refused only as a weight */
      break;
    }
  memcpy (source.shape, t->shape, sizeof source.shape);
  trc_sources_add (self, &source);
}

static gboolean
add_file (TrcSources *self, const char *folder, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  TrcSafetensors *file = trc_safetensors_open (path, error);

  if (file == NULL)
    return FALSE;
  trc_sources_take (self, file, (GDestroyNotify)trc_safetensors_unref);
  for (gsize i = 0; i < trc_safetensors_n_tensors (file); i++)
    add_tensor (self, trc_safetensors_get (file, i));
  return TRUE;
}

static gboolean
add_shards (TrcSources *self, const char *folder, const char *index_path, GError **error)
{
  g_autoptr (JsonObject) json = trc_json_load (index_path, error);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonObject *map = NULL;
  JsonObjectIter iter;
  JsonNode *node;

  if (json == NULL || !trc_json_get_object (json, index_path, "weight_map", &map, error))
    return FALSE;
  if (map == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s has no \"weight_map\".", index_path);
      return FALSE;
    }
  json_object_iter_init (&iter, map);
  while (json_object_iter_next (&iter, NULL, &node))
    {
      const char *name = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;

      if (name == NULL || strchr (name, '/') != NULL
          || !g_str_has_suffix (name, ".safetensors"))
        {
          g_set_error (
              error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
              "%s: \"weight_map\" names a file that is no .safetensors file beside it.",
              index_path);
          return FALSE;
        }
      if (g_hash_table_add (seen, (gpointer)name) && !add_file (self, folder, name, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
trc_sources_add_folder (TrcSources *self, const char *folder, GError **error)
{
  g_autofree char *index = g_build_filename (folder, "model.safetensors.index.json", NULL);

  if (g_file_test (index, G_FILE_TEST_EXISTS))
    return add_shards (self, folder, index, error);
  return add_file (self, folder, "model.safetensors", error);
}
