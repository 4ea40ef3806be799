#include "tests/support/nano_sort.h"

#include "tests/support/shared_data.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

/* Columns of rows, as Conv1D files hold a matrix: [out][in] becomes [in][out]. */
static void
transpose (float *values, gsize rows, gsize columns)
{
  g_autofree float *copy = g_memdup2 (values, rows * columns * sizeof *values);
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      values[j * rows + i] = copy[i * columns + j];
}

static gboolean
is_conv1d (const char *name)
{
  return g_str_has_suffix (name, "c_attn.weight") || g_str_has_suffix (name, "c_proj.weight")
         || g_str_has_suffix (name, "c_fc.weight");
}

static void
add_tensor (GString *header, GByteArray *data, const char *name, JsonObject *object)
{
  JsonArray *shape = json_object_get_array_member (object, "shape");
  gint64 rows = json_array_get_int_element (shape, 0), columns = 1;
  gsize bytes;
  g_autofree guchar *raw =
      g_base64_decode (json_object_get_string_member (object, "data"), &bytes);

  if (json_array_get_length (shape) == 2)
    columns = json_array_get_int_element (shape, 1);
  g_assert_cmpuint (bytes, ==, (gsize)rows * columns * sizeof (float));
  if (is_conv1d (name))
    {
      transpose ((float *)raw, rows, columns);
      gint64 swap = rows;
      rows = columns;
      columns = swap;
    }
  g_string_append_printf (header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%" G_GINT64_FORMAT,
                          header->len > 1 ? "," : "", name, rows);
  if (json_array_get_length (shape) == 2)
    g_string_append_printf (header, ",%" G_GINT64_FORMAT, columns);
  g_string_append_printf (header, "],\"data_offsets\":[%u,%u]}", data->len,
                          data->len + (guint)bytes);
  g_byte_array_append (data, raw, bytes);
}

static void
write_weights (JsonObject *root, const char *path)
{
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) data = g_byte_array_new (), file = g_byte_array_new ();
  g_autoptr (GList) names = json_object_get_members (root);
  g_autoptr (GError) error = NULL;

  for (GList *l = names; l != NULL; l = l->next)
    if (strcmp (l->data, "config") != 0 && !g_str_has_suffix (l->data, ".attn.bias"))
      add_tensor (header, data, l->data, json_object_get_object_member (root, l->data));
  g_string_append_c (header, '}');
  while (header->len % 8 != 0)
    g_string_append_c (header, ' ');
  guint64 length = GUINT64_TO_LE (header->len);
  g_byte_array_append (file, (const guint8 *)&length, sizeof length);
  g_byte_array_append (file, (const guint8 *)header->str, header->len);
  g_byte_array_append (file, data->data, data->len);
  g_file_set_contents (path, (const char *)file->data, file->len, &error);
  g_assert_no_error (error);
}

static void
copy_file (const char *folder, const char *name, const char *to)
{
  g_autofree char *source = g_build_filename (folder, name, NULL);
  g_autofree char *target = g_build_filename (to, name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize n;

  g_file_get_contents (source, &text, &n, &error);
  g_assert_no_error (error);
  g_file_set_contents (target, text, n, &error);
  g_assert_no_error (error);
}

char *
trc_test_nano_sort (void)
{
  g_autofree char *folder = trc_test_shared ("data/models/gpt-nano-sort");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  if (folder == NULL)
    return NULL;
  char *dir = trc_test_temp_dir ();
  g_autofree char *published = g_build_filename (folder, "gpt-nano-sort-model.json", NULL);
  g_autofree char *weights = g_build_filename (dir, "model.safetensors", NULL);
  json_parser_load_from_file (parser, published, &error);
  g_assert_no_error (error);
  write_weights (json_node_get_object (json_parser_get_root (parser)), weights);
  copy_file (folder, "config.json", dir);
  copy_file (folder, "vocab.json", dir);
  return dir;
}
