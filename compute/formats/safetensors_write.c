#define G_LOG_DOMAIN "tracery-compute"

#include "compute/safetensors.h"

#include <errno.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const struct {
  TrcFileType type;
  const char *name;
  guint bytes;
} output_types[] = {
  { TRC_FILE_F32, "F32", 4 },
  { TRC_FILE_I64, "I64", 8 },
  { TRC_FILE_U8, "U8", 1 },
};

static guint
output_type (TrcFileType type)
{
  for (guint i = 0; i < G_N_ELEMENTS (output_types); i++)
    if (output_types[i].type == type)
      return i;
  g_assert_not_reached ();
}

static gsize
output_bytes (const TrcFileOutput *tensor)
{
  gsize bytes = output_types[output_type (tensor->type)].bytes;

  for (guint a = 0; a < tensor->n_axes; a++)
    bytes *= tensor->shape[a];
  return bytes;
}

static void
add_tensor (JsonBuilder *b, const TrcFileOutput *tensor, gsize at)
{
  json_builder_set_member_name (b, tensor->name);
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "dtype");
  json_builder_add_string_value (b, output_types[output_type (tensor->type)].name);
  json_builder_set_member_name (b, "shape");
  json_builder_begin_array (b);
  for (guint a = 0; a < tensor->n_axes; a++)
    json_builder_add_int_value (b, (gint64)tensor->shape[a]);
  json_builder_end_array (b);
  json_builder_set_member_name (b, "data_offsets");
  json_builder_begin_array (b);
  json_builder_add_int_value (b, (gint64)at);
  json_builder_add_int_value (b, (gint64)(at + output_bytes (tensor)));
  json_builder_end_array (b);
  json_builder_end_object (b);
}

/* The header, padded with spaces so that the data begins at a multiple of 8. */
static GString *
make_header (const TrcFileOutput *tensors, gsize n_tensors, const char *const *metadata)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  gsize at = 0;

  json_builder_begin_object (b);
  if (metadata != NULL && metadata[0] != NULL)
    {
      json_builder_set_member_name (b, "__metadata__");
      json_builder_begin_object (b);
      for (gsize i = 0; metadata[i] != NULL; i += 2)
        {
          json_builder_set_member_name (b, metadata[i]);
          json_builder_add_string_value (b, metadata[i + 1]);
        }
      json_builder_end_object (b);
    }
  for (gsize i = 0; i < n_tensors; i++)
    {
      add_tensor (b, &tensors[i], at);
      at += output_bytes (&tensors[i]);
    }
  json_builder_end_object (b);
  root = json_builder_get_root (b);
  g_autofree char *text = json_to_string (root, FALSE);
  GString *header = g_string_new (text);
  while (header->len % 8 != 0)
    g_string_append_c (header, ' ');
  return header;
}

gboolean
trc_safetensors_write (const char *path, const TrcFileOutput *tensors, gsize n_tensors,
                       const char *const *metadata, GError **error)
{
  GString *header = make_header (tensors, n_tensors, metadata);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64)header->len);
  g_autoptr (GError) local = NULL;

  g_byte_array_append (out, (const guint8 *)&length, 8);
  g_byte_array_append (out, (const guint8 *)header->str, (guint)header->len);
  g_string_free (header, TRUE);
  for (gsize i = 0; i < n_tensors; i++)
    {
      gsize bytes = output_bytes (&tensors[i]);

      if (bytes > G_MAXUINT - out->len)
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                       "%s would be larger than 4 GiB, which Tracery does not write.", path);
          return FALSE;
        }
      g_byte_array_append (out, tensors[i].data, (guint)bytes);
    }
  if (!g_file_set_contents_full (path, (const char *)out->data, out->len,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                 0644, &local))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s cannot be written: %s.", path, local->message);
      return FALSE;
    }
  return TRUE;
}
