#include "compute/json.h"

#include "compute/error.h"

enum { MAX_DEPTH = 128 };

/* The line on which the nesting first exceeds MAX_DEPTH, or 0. */
static guint
too_deep_at (const char *data, gsize len)
{
  guint depth = 0, line = 1;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < len; i++)
    {
      char c = data[i];
      if (c == '\n')
        line++;
      if (in_string)
        {
          if (c == '\\')
            i++;
          else if (c == '"')
            in_string = FALSE;
        }
      else if (c == '"')
        in_string = TRUE;
      else if ((c == '[' || c == '{') && ++depth > MAX_DEPTH)
        return line;
      else if ((c == ']' || c == '}') && depth > 0)
        depth--;
    }
  return 0;
}

JsonNode *
trc_json_parse (const char *data, gsize len, const char *name, GError **error)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) cause = NULL;
  guint line;

  if (len > G_MAXSSIZE || (line = too_deep_at (data, len)) != 0)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
          "%s: line %u nests deeper than %d levels; this is no file of the expected kind.",
          name, len > G_MAXSSIZE ? 0 : line, MAX_DEPTH);
      return NULL;
    }
  if (!json_parser_load_from_data (parser, data, (gssize)len, &cause))
    {
      g_autofree char *why = trc_error_quotable (cause->message);

      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s is not valid JSON (%s).", name, why);
      return NULL;
    }
  JsonNode *root = json_parser_steal_root (parser);
  if (root == NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                 "%s is empty; JSON was expected.", name);
  return root;
}

JsonNode *
trc_json_read (const char *path, gsize max_bytes, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);

  if (file == NULL)
    return NULL;
  if (g_mapped_file_get_length (file) > max_bytes)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s is %" G_GSIZE_FORMAT " bytes long; at most %" G_GSIZE_FORMAT
                   " are expected of such a file.",
                   path, g_mapped_file_get_length (file), max_bytes);
      return NULL;
    }
  const char *data = g_mapped_file_get_contents (file);
  return trc_json_parse (data == NULL ? "" : data, g_mapped_file_get_length (file), path,
                         error);
}

/* The member as a node of a simple or container type, or NULL. */
static JsonNode *
member_node (JsonObject *object, const char *member)
{
  return object == NULL ? NULL : json_object_get_member (object, member);
}

static gboolean
is_value (JsonNode *node, GType type)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == type;
}

const char *
trc_json_string (JsonObject *object, const char *member, const char *fallback)
{
  JsonNode *node = member_node (object, member);

  return is_value (node, G_TYPE_STRING) ? json_node_get_string (node) : fallback;
}

gint64
trc_json_int (JsonObject *object, const char *member, gint64 fallback)
{
  JsonNode *node = member_node (object, member);

  return is_value (node, G_TYPE_INT64) ? json_node_get_int (node) : fallback;
}

double
trc_json_double (JsonObject *object, const char *member, double fallback)
{
  JsonNode *node = member_node (object, member);

  if (is_value (node, G_TYPE_INT64))
    return (double)json_node_get_int (node);
  return is_value (node, G_TYPE_DOUBLE) ? json_node_get_double (node) : fallback;
}

gboolean
trc_json_bool (JsonObject *object, const char *member, gboolean fallback)
{
  JsonNode *node = member_node (object, member);

  return is_value (node, G_TYPE_BOOLEAN) ? json_node_get_boolean (node) : fallback;
}

JsonObject *
trc_json_object (JsonObject *object, const char *member)
{
  JsonNode *node = member_node (object, member);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

JsonArray *
trc_json_array (JsonObject *object, const char *member)
{
  JsonNode *node = member_node (object, member);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

JsonObject *
trc_json_element_object (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

const char *
trc_json_element_string (JsonArray *array, guint i)
{
  JsonNode *node = json_array_get_element (array, i);

  return is_value (node, G_TYPE_STRING) ? json_node_get_string (node) : NULL;
}
