/* The tokeniser of small research models: a list of words. A run of digits is one
 * word, everything else is matched longest first; white space and the words under
 * "skip" mean nothing. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/formats/json_file.h"
#include "compute/text/tokenizer_impl.h"

#include <string.h>

typedef struct {
  TrcTokenizer parent;
  GPtrArray *tokens; /* of char *, by id */
  GPtrArray *skip;
  GHashTable *ids; /* token -> id + 1 */
  gsize longest;   /* bytes */
  gboolean spaced; /* words are separated by spaces when they are written */
} WordTokenizer;

static void
word_free (TrcTokenizer *base)
{
  WordTokenizer *self = (WordTokenizer *)base;

  g_clear_pointer (&self->tokens, g_ptr_array_unref);
  g_clear_pointer (&self->skip, g_ptr_array_unref);
  g_clear_pointer (&self->ids, g_hash_table_unref);
}

static guint
word_n_tokens (const TrcTokenizer *base)
{
  return ((const WordTokenizer *)base)->tokens->len;
}

static const char *
word_text (const TrcTokenizer *base, guint32 id)
{
  const WordTokenizer *self = (const WordTokenizer *)base;

  return id < self->tokens->len ? g_ptr_array_index (self->tokens, id) : NULL;
}

static gboolean
word_find (const TrcTokenizer *base, const char *text, guint32 *id)
{
  guint found =
      GPOINTER_TO_UINT (g_hash_table_lookup (((const WordTokenizer *)base)->ids, text));

  if (found != 0)
    *id = found - 1;
  return found != 0;
}

static char *
word_decode (const TrcTokenizer *base, const guint32 *ids, gsize n)
{
  const WordTokenizer *self = (const WordTokenizer *)base;
  GString *out = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    {
      const char *text = word_text (base, ids[i]);

      if (i > 0 && self->spaced)
        g_string_append_c (out, ' ');
      g_string_append (out, text != NULL ? text : "\xef\xbf\xbd");
    }
  return g_string_free (out, FALSE);
}

/* How many bytes at @text are one token (its id to @id) or, with @id G_MAXUINT32,
 * to be skipped; 0 when nothing fits. */
static gsize
match (const WordTokenizer *self, const char *text, guint32 *id)
{
  gsize digits = strspn (text, "0123456789");
  gsize most = digits > 0 ? digits : MIN (self->longest, strlen (text));
  gsize least = digits > 0 ? digits : 1;

  *id = G_MAXUINT32;
  for (gsize n = most; n >= least; n--)
    {
      g_autofree char *part = g_strndup (text, n);

      if (word_find (&self->parent, part, id))
        return n;
    }
  for (guint i = 0; i < self->skip->len; i++)
    if (g_str_has_prefix (text, g_ptr_array_index (self->skip, i)))
      return strlen (g_ptr_array_index (self->skip, i));
  return 0;
}

static gboolean
word_encode (const TrcTokenizer *base, const char *text, TrcEncodeFlags flags, GArray *ids,
             GArray *spans, GError **error)
{
  const WordTokenizer *self = (const WordTokenizer *)base;

  for (const char *at = text; *at != '\0';)
    {
      guint32 id;
      gsize n = g_ascii_isspace (*at) ? 0 : match (self, at, &id);
      TrcSpan span = { (gsize)(at - text), (gsize)(at - text) + n };

      if (g_ascii_isspace (*at))
        {
          at++;
          continue;
        }
      if (n == 0)
        {
          g_autofree char *word = g_strndup (at, MIN (MAX (strcspn (at, " \t\n"), 1), 40));

          g_set_error (
              error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
              "\"%s\" is not in the vocabulary of this model, which has %u words from \"%s\" "
              "to \"%s\".",
              word, self->tokens->len, word_text (base, 0),
              word_text (base, self->tokens->len - 1));
          return FALSE;
        }
      if (id != G_MAXUINT32)
        {
          g_array_append_val (ids, id);
          if (spans != NULL)
            g_array_append_val (spans, span);
        }
      at += n;
    }
  return TRUE;
}

static const TrcTokenizerKind word_kind = { word_free, word_n_tokens, word_encode,
                                            word_text, word_decode,   word_find };

/* Appends the texts of a JSON list to @words. */
static gboolean
read_words (JsonObject *object, const char *key, GPtrArray *words)
{
  JsonNode *node = json_object_get_member (object, key);
  JsonArray *list;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  list = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonNode *item = json_array_get_element (list, i);

      if (!JSON_NODE_HOLDS_VALUE (item) || json_node_get_value_type (item) != G_TYPE_STRING
          || json_node_get_string (item)[0] == '\0')
        return FALSE;
      g_ptr_array_add (words, g_strdup (json_node_get_string (item)));
    }
  return TRUE;
}

static gboolean
index_words (WordTokenizer *self, const char *path, GError **error)
{
  for (guint i = 0; i < self->tokens->len; i++)
    {
      char *text = g_ptr_array_index (self->tokens, i);

      self->longest = MAX (self->longest, strlen (text));
      self->spaced |= g_utf8_strlen (text, -1) > 1;
      if (!g_hash_table_insert (self->ids, text, GUINT_TO_POINTER (i + 1)))
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                       "%s has the word \"%s\" twice.", path, text);
          return FALSE;
        }
    }
  return TRUE;
}

TrcTokenizer *
trc_word_tokenizer_open (const char *path, GError **error)
{
  g_autoptr (JsonObject) root = trc_json_load (path, error);
  WordTokenizer *self;
  g_autoptr (TrcTokenizer) owner = NULL;

  if (root == NULL)
    return NULL;
  self = g_atomic_rc_box_new0 (WordTokenizer);
  owner = &self->parent;
  owner->kind = &word_kind;
  self->tokens = g_ptr_array_new_with_free_func (g_free);
  self->skip = g_ptr_array_new_with_free_func (g_free);
  self->ids = g_hash_table_new (g_str_hash, g_str_equal);
  if (!read_words (root, "tokens", self->tokens) || !read_words (root, "skip", self->skip)
      || self->tokens->len == 0)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "%s is no word list; Tracery reads {\"tokens\": [words], \"skip\": [words]}.", path);
      return NULL;
    }
  if (!index_words (self, path, error))
    return NULL;
  return g_steal_pointer (&owner);
}
