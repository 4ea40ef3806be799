#define G_LOG_DOMAIN "tracery-compute"

#include "compute/tokenizer.h"

#include "compute/text/tokenizer_impl.h"

TrcTokenizer *
trc_tokenizer_open (const char *folder, GError **error)
{
  g_autofree char *words = g_build_filename (folder, "vocab.json", NULL);

  if (g_file_test (words, G_FILE_TEST_EXISTS))
    return trc_word_tokenizer_open (words, error);
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "%s holds no tokeniser that Tracery reads (vocab.json with a list of words).",
               folder);
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
