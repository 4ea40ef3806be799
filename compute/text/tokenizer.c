#define G_LOG_DOMAIN "tracery-compute"

#include "compute/tokenizer.h"

#include "compute/text/subword_gguf.h"

#include <string.h>

/* The first file of @folder whose name matches @pattern, or NULL. */
static char *
find_file (const char *folder, const char *pattern)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  char *best = NULL;

  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    if (g_pattern_match_simple (pattern, name) && (best == NULL || strcmp (name, best) < 0))
      {
        g_free (best);
        best = g_strdup (name);
      }
  char *path = best == NULL ? NULL : g_build_filename (folder, best, NULL);
  g_free (best);
  return path;
}

static TrcTokenizer *
open_gguf (const char *path, GError **error)
{
  g_autoptr (TrcGguf) file = trc_gguf_open (path, error);

  return file == NULL ? NULL : trc_subword_from_gguf (file, error);
}

/* Opens one file by what its name says. */
static TrcTokenizer *
open_file (const char *path, GError **error)
{
  if (g_str_has_suffix (path, ".gguf"))
    return open_gguf (path, error);
  if (g_str_has_suffix (path, ".model"))
    return trc_subword_open_model (path, error);
  if (g_str_has_suffix (path, ".bin"))
    return trc_subword_open_bin (path, error);
  if (g_str_has_suffix (path, "vocab.json"))
    return trc_word_tokenizer_open (path, error);
  return trc_subword_open_json (path, error);
}

TrcTokenizer *
trc_tokenizer_open (const char *path, GError **error)
{
  static const char *const patterns[] = { "tokenizer.json", "tokenizer.model", "vocab.json",
                                          "tok*.bin", "*.gguf" };
  g_autofree char *merges = g_build_filename (path, "merges.txt", NULL);

  if (!g_file_test (path, G_FILE_TEST_IS_DIR))
    return open_file (path, error);
  for (guint i = 0; i < G_N_ELEMENTS (patterns); i++)
    {
      g_autofree char *found = find_file (path, patterns[i]);
      if (found == NULL)
        continue;
      if (g_str_equal (patterns[i], "vocab.json") && g_file_test (merges, G_FILE_TEST_EXISTS))
        return trc_subword_open_merges (found, merges, error);
      return open_file (found, error);
    }
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "%s holds no tokeniser that Tracery reads (tokenizer.json, tokenizer.model, "
               "vocab.json, tok*.bin or a GGUF file).",
               path);
  return NULL;
}

TrcTokenizer *
trc_tokenizer_ref (TrcTokenizer *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
tokenizer_clear (gpointer data)
{
  TrcTokenizer *self = data;

  self->kind->free (self);
}

void
trc_tokenizer_unref (TrcTokenizer *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, tokenizer_clear);
}

guint
trc_tokenizer_n_tokens (const TrcTokenizer *self)
{
  return self->kind->n_tokens (self);
}

gboolean
trc_tokenizer_encode (const TrcTokenizer *self, const char *text, TrcEncodeFlags flags,
                      GArray *ids, GArray *spans, GError **error)
{
  guint n_ids = ids->len, n_spans = spans != NULL ? spans->len : 0;

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The text is not valid UTF-8.");
      return FALSE;
    }
  if (self->kind->encode (self, text, flags, ids, spans, error))
    return TRUE;
  g_array_set_size (ids, n_ids);
  if (spans != NULL)
    g_array_set_size (spans, n_spans);
  return FALSE;
}

const char *
trc_tokenizer_text (const TrcTokenizer *self, guint32 id)
{
  return self->kind->text (self, id);
}

char *
trc_tokenizer_decode (const TrcTokenizer *self, const guint32 *ids, gsize n)
{
  return self->kind->decode (self, ids, n);
}

gboolean
trc_tokenizer_find (const TrcTokenizer *self, const char *text, guint32 *id, GError **error)
{
  if (self->kind->find (self, text, id))
    return TRUE;
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "\"%s\" is no single token of this model's vocabulary.", text);
  return FALSE;
}
