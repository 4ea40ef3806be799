#include "compute/graph/members.h"

#include "compute/graph/json_text.h"
#include "compute/json.h"

#include <string.h>

TrcMembers *
trc_members_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (TrcMember));
}

TrcMembers *
trc_members_copy (const TrcMembers *self, GStringChunk *strings)
{
  TrcMembers *copy = trc_members_new ();

  for (guint i = 0; i < self->len; i++)
    {
      const TrcMember *m = &g_array_index (self, TrcMember, i);
      trc_members_set (copy, strings, m->key, m->json);
    }
  return copy;
}

static TrcMember *
find (const TrcMembers *self, const char *key)
{
  for (guint i = 0; i < self->len; i++)
    {
      TrcMember *m = &g_array_index (self, TrcMember, i);
      if (strcmp (m->key, key) == 0)
        return m;
    }
  return NULL;
}

const char *
trc_members_get (const TrcMembers *self, const char *key)
{
  const TrcMember *m = find (self, key);

  return m != NULL ? m->json : NULL;
}

void
trc_members_set (TrcMembers *self, GStringChunk *strings, const char *key, const char *json)
{
  TrcMember *old = find (self, key);
  TrcMember m = { g_string_chunk_insert_const (strings, key),
                  g_string_chunk_insert (strings, json) };

  if (old != NULL)
    *old = m;
  else
    g_array_append_val (self, m);
}

void
trc_members_remove (TrcMembers *self, const char *key)
{
  const TrcMember *m = find (self, key);

  if (m != NULL)
    g_array_remove_index (self, (guint)(m - (const TrcMember *)(void *)self->data));
}

JsonNode *
trc_json_parse_value (const char *json)
{
  return json == NULL ? NULL : trc_json_parse (json, strlen (json), "a value", NULL);
}

JsonNode *
trc_members_lookup (const TrcMembers *self, const char *path)
{
  const char *whole = trc_members_get (self, path);
  const char *dot = strchr (path, '.');

  if (whole != NULL || dot == NULL)
    return trc_json_parse_value (whole);

  g_autofree char *key = g_strndup (path, (gsize)(dot - path));
  g_autoptr (JsonNode) node = trc_json_parse_value (trc_members_get (self, key));
  JsonNode *at = node;
  const char *rest = dot + 1;

  /* Keys may hold dots themselves, as trc_members_store() makes them. */
  while (at != NULL && rest != NULL)
    {
      JsonObject *object = JSON_NODE_HOLDS_OBJECT (at) ? json_node_get_object (at) : NULL;
      const char *next = strchr (rest, '.');

      if (object == NULL || json_object_has_member (object, rest) || next == NULL)
        {
          at = object != NULL ? json_object_get_member (object, rest) : NULL;
          break;
        }
      g_autofree char *step = g_strndup (rest, (gsize)(next - rest));
      at = json_object_get_member (object, step);
      rest = next + 1;
    }
  return at != NULL ? json_node_copy (at) : NULL;
}

/* As json-glib prints it, but with numbers as short as they can be. */
static void
append_node (GString *out, JsonNode *node)
{
  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *value;
      gboolean comma = FALSE;

      g_string_append_c (out, '{');
      json_object_iter_init_ordered (&iter, json_node_get_object (node));
      while (json_object_iter_next_ordered (&iter, &name, &value))
        {
          g_string_append (out, comma ? ", " : "");
          trc_json_append_string (out, name, strlen (name));
          g_string_append (out, ": ");
          append_node (out, value);
          comma = TRUE;
        }
      g_string_append_c (out, '}');
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);

      g_string_append_c (out, '[');
      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          g_string_append (out, i > 0 ? ", " : "");
          append_node (out, json_array_get_element (array, i));
        }
      g_string_append_c (out, ']');
    }
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_DOUBLE)
    trc_json_append_number (out, json_node_get_double (node));
  else
    {
      g_autofree char *printed = json_to_string (node, FALSE);
      g_string_append (out, printed);
    }
}

void
trc_members_store (TrcMembers *self, GStringChunk *strings, const char *path, const char *json)
{
  const char *dot = strchr (path, '.');

  if (dot == NULL)
    {
      trc_members_set (self, strings, path, json);
      return;
    }

  g_autofree char *key = g_strndup (path, (gsize)(dot - path));
  g_autoptr (JsonNode) old = trc_json_parse_value (trc_members_get (self, key));
  g_autoptr (GString) text = g_string_new ("{");

  /* The object is small: write its other members again and the new one last. */
  if (old != NULL && JSON_NODE_HOLDS_OBJECT (old))
    {
      JsonObjectIter iter;
      const char *name;
      JsonNode *value;

      json_object_iter_init_ordered (&iter, json_node_get_object (old));
      while (json_object_iter_next_ordered (&iter, &name, &value))
        {
          if (strcmp (name, dot + 1) == 0)
            continue;
          trc_json_append_string (text, name, strlen (name));
          g_string_append (text, ": ");
          append_node (text, value);
          g_string_append (text, ", ");
        }
    }
  trc_json_append_string (text, dot + 1, strlen (dot + 1));
  g_string_append_printf (text, ": %s}", json);
  trc_members_set (self, strings, key, text->str);
}

void
trc_members_append (const TrcMembers *self, GString *out)
{
  g_string_append_c (out, '{');
  for (guint i = 0; i < self->len; i++)
    {
      const TrcMember *m = &g_array_index (self, TrcMember, i);

      g_string_append (out, i > 0 ? ",\n  " : "\n  ");
      trc_json_append_string (out, m->key, strlen (m->key));
      g_string_append (out, ": ");
      g_string_append (out, m->json);
    }
  g_string_append (out, self->len > 0 ? "\n}" : "}");
}
