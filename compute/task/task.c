#include "compute/task.h"

#include "compute/json.h"

#include <string.h>

struct _TrcTask {
  char *name;
  GArray *pairs; /* of TrcTaskPair */
};

static void
clear_pair (gpointer data)
{
  TrcTaskPair *pair = data;
  g_free (pair->clean);
  g_free (pair->corrupted);
}

void
trc_task_free (TrcTask *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->pairs);
  g_free (self->name);
  g_free (self);
}

static gboolean bad (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
bad (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, text);
  return FALSE;
}

static gboolean
take_number (TrcModel *model, JsonNode *node, const char *key, gint32 *out, GError **error)
{
  gint64 id = json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : -1;
  if (id < 0 || id >= trc_model_config (model)->n_vocab)
    return bad (error, "\"%s\" holds an id that is none of the %u of this model.", key,
                trc_model_config (model)->n_vocab);
  *out = id;
  return TRUE;
}

/* Text or ids of member @key. */
static gint32 *
read_prompt (TrcModel *model, JsonObject *object, const char *key, guint *n, GError **error)
{
  JsonNode *node = json_object_get_member (object, key);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *array = json_node_get_array (node);
      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          gint32 id;
          if (!take_number (model, json_array_get_element (array, i), key, &id, error))
            return NULL;
          g_array_append_val (ids, id);
        }
    }
  else if (node != NULL && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      if (!trc_model_tokenize (model, json_node_get_string (node), ids, NULL, error))
        return NULL;
    }
  else
    {
      bad (error, "\"%s\" is missing; it is a text or a list of token ids.", key);
      return NULL;
    }
  if (ids->len == 0)
    {
      bad (error, "\"%s\" is empty.", key);
      return NULL;
    }
  *n = ids->len;
  return (gint32 *)g_array_free (g_steal_pointer (&ids), FALSE);
}

static gboolean
read_token (TrcModel *model, JsonObject *object, const char *key, gint32 *out, GError **error)
{
  JsonNode *node = json_object_get_member (object, key);
  guint32 id;

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64)
    return take_number (model, node, key, out, error);
  if (node == NULL || json_node_get_value_type (node) != G_TYPE_STRING)
    return bad (error, "\"%s\" is missing; it is a token or its id.", key);
  if (!trc_model_parse_token (model, json_node_get_string (node), &id, error))
    return FALSE;
  *out = id;
  return TRUE;
}

static gboolean
read_pair (TrcTask *self, TrcModel *model, JsonObject *object, GError **error)
{
  TrcTaskPair pair = { NULL };
  guint n = 0;
  gboolean ok =
      (pair.clean = read_prompt (model, object, "clean", &pair.n_tokens, error)) != NULL
      && (pair.corrupted = read_prompt (model, object, "corrupted", &n, error)) != NULL
      && read_token (model, object, "answer", &pair.answer, error)
      && read_token (model, object, "foil", &pair.foil, error);

  if (ok && n != pair.n_tokens)
    ok = bad (error,
              "the clean prompt has %u tokens and the corrupted one %u; they must be of "
              "the same length.",
              pair.n_tokens, n);
  if (ok && pair.answer == pair.foil)
    ok = bad (error, "answer and foil are the same token.");
  if (ok)
    g_array_append_val (self->pairs, pair);
  else
    clear_pair (&pair);
  return ok;
}

static gboolean
read_line (TrcTask *self, TrcModel *model, const char *line, gsize length, GError **error)
{
  g_autoptr (JsonNode) root = NULL;

  if (!g_utf8_validate (line, length, NULL))
    return bad (error, "it is no UTF-8 text.");
  root = trc_json_parse (line, length, "the line", NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return bad (error, "it is no JSON object.");
  return read_pair (self, model, json_node_get_object (root), error);
}

TrcTask *
trc_task_parse (TrcModel *model, const char *text, gsize length, const char *name,
                GError **error)
{
  g_autoptr (TrcTask) self = g_new0 (TrcTask, 1);
  g_autofree char *base = g_path_get_basename (name);
  guint number = 1;

  self->pairs = g_array_new (FALSE, FALSE, sizeof (TrcTaskPair));
  g_array_set_clear_func (self->pairs, clear_pair);
  if (strrchr (base, '.') > base)
    *strrchr (base, '.') = '\0';
  self->name = g_steal_pointer (&base);
  for (gsize at = 0; at < length; number++)
    {
      const char *line = text + at, *end = memchr (line, '\n', length - at);
      gsize n = end != NULL ? (gsize)(end - line) : length - at, blank = 0;

      at += n + 1;
      while (blank < n && g_ascii_isspace (line[blank]))
        blank++;
      if (blank < n && !read_line (self, model, line, n, error))
        {
          g_prefix_error (error, "%s, line %u: ", name, number);
          return NULL;
        }
    }
  if (self->pairs->len == 0)
    {
      bad (error, "%s holds no pairs of prompts.", name);
      return NULL;
    }
  return g_steal_pointer (&self);
}

TrcTask *
trc_task_read (TrcModel *model, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  return trc_task_parse (model, text, length, path, error);
}

const TrcTaskPair *
trc_task_pairs (const TrcTask *self, guint *n)
{
  *n = self->pairs->len;
  return (const TrcTaskPair *)self->pairs->data;
}

const char *
trc_task_name (const TrcTask *self)
{
  return self->name;
}
