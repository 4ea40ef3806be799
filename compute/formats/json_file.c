#define G_LOG_DOMAIN "tracery-compute"

#include "compute/formats/json_file.h"

#include "compute/json.h"

#include <math.h>

#define MAX_BYTES ((gsize)256 << 20)

JsonObject *
trc_json_load (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) root = trc_json_read (path, MAX_BYTES, &local);

  if (root == NULL && local->domain == TRC_COMPUTE_ERROR)
    g_propagate_error (error, g_steal_pointer (&local));
  else if (root == NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                 "%s cannot be read: %s.", path, local->message);
  if (root == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s must hold one JSON object.", path);
      return NULL;
    }
  return json_object_ref (json_node_get_object (root));
}

static gboolean
wrong (const char *path, const char *key, const char *want, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s: \"%s\" must be %s.",
               path, key, want);
  return FALSE;
}

/* The member, or NULL when it is missing or null. */
static JsonNode *
member (JsonObject *object, const char *key)
{
  JsonNode *node = json_object_get_member (object, key);

  return node == NULL || JSON_NODE_HOLDS_NULL (node) ? NULL : node;
}

gboolean
trc_json_get_uint (JsonObject *object, const char *path, const char *key, guint max,
                   guint *value, GError **error)
{
  JsonNode *node = member (object, key);
  g_autofree char *want = g_strdup_printf ("a whole number from 1 to %u", max);
  gint64 number;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    return wrong (path, key, want, error);
  number = json_node_get_int (node);
  if (number < 1 || number > max)
    return wrong (path, key, want, error);
  *value = (guint)number;
  return TRUE;
}

gboolean
trc_json_get_float (JsonObject *object, const char *path, const char *key, float *value,
                    GError **error)
{
  JsonNode *node = member (object, key);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node)
      || (json_node_get_value_type (node) != G_TYPE_INT64
          && json_node_get_value_type (node) != G_TYPE_DOUBLE)
      || !isfinite ((float)json_node_get_double (node)))
    return wrong (path, key, "a number", error);
  *value = (float)json_node_get_double (node);
  return TRUE;
}

gboolean
trc_json_get_bool (JsonObject *object, const char *path, const char *key, gboolean *value,
                   GError **error)
{
  JsonNode *node = member (object, key);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return wrong (path, key, "true or false", error);
  *value = json_node_get_boolean (node);
  return TRUE;
}

gboolean
trc_json_get_string (JsonObject *object, const char *path, const char *key, const char **value,
                     GError **error)
{
  JsonNode *node = member (object, key);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return wrong (path, key, "a text", error);
  *value = json_node_get_string (node);
  return TRUE;
}

gboolean
trc_json_get_object (JsonObject *object, const char *path, const char *key, JsonObject **value,
                     GError **error)
{
  JsonNode *node = member (object, key);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (path, key, "an object", error);
  *value = json_node_get_object (node);
  return TRUE;
}
