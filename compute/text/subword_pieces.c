/* Scored pieces: SentencePiece's tokenizer.model, llama2.c's tok*.bin, and the
 * tokenisers inside GGUF files. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/text/subword_gguf.h"

#include <math.h>
#include <string.h>

static const char low_line[] = "\xe2\x96\x81";

/* What SentencePiece and GGUF call the type of a token. */
enum { NORMAL = 1, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE };

static gboolean
fail (TrcSubword *self, TrcComputeError code, GError **error, const char *what)
{
  g_set_error (error, TRC_COMPUTE_ERROR, code, "%s: %s", self->name, what);
  return FALSE;
}

/* Adds a piece and what follows from its type. */
static gboolean
add_piece (TrcSubword *self, TrcBytes text, float score, int type, GError **error)
{
  guint32 id = trc_bpe_n_tokens (self->bpe);

  if (!isfinite (score) || !g_utf8_validate (text.data, (gssize)text.len, NULL))
    return fail (self, TRC_COMPUTE_ERROR_INVALID, error,
                 "a token is not UTF-8 or its score is not finite.");
  trc_bpe_add (self->bpe, text, score, type != CONTROL && type != UNKNOWN && type != UNUSED);
  if (type == CONTROL)
    g_hash_table_add (self->hidden, GUINT_TO_POINTER (id));
  if (type != USER_DEFINED || text.len == 0)
    return TRUE;
  g_autofree char *copy = g_strndup (text.data, text.len);
  return trc_subword_add_token (self, (TrcAddedToken){ .text = copy, .id = id }, error);
}

/* What every scored vocabulary does once its pieces are there. */
static gboolean
finish_pieces (TrcSubword *self, gboolean prefix, guint32 unknown, gint64 begin, GError **error)
{
  guint32 first = (guint32)begin;

  if (trc_bpe_n_tokens (self->bpe) == 0)
    return fail (self, TRC_COMPUTE_ERROR_INVALID, error, "there are no tokens in it.");
  if (unknown != TRC_BPE_NONE && unknown >= trc_bpe_n_tokens (self->bpe))
    unknown = TRC_BPE_NONE;
  trc_bpe_finish (self->bpe, TRC_BPE_BYTE_FALLBACK, TRUE, FALSE, unknown, FALSE);
  if (begin >= 0 && begin < trc_bpe_n_tokens (self->bpe))
    g_array_append_val (self->before, first);
  if (prefix)
    trc_subword_add_normal (self, TRC_NORMAL_PREPEND, NULL, " ");
  trc_subword_add_normal (self, TRC_NORMAL_REPLACE, " ", low_line);
  self->decode = TRC_DECODE_SPACES;
  self->strip_first_space = prefix;
  /* cut at words where that changes nothing: it keeps the heap small on long texts */
  return !trc_bpe_words_are_separate (self->bpe)
         || trc_splitter_add (self->splitter, "\xe2\x96\x81*[^\xe2\x96\x81]+|\xe2\x96\x81+",
                              TRC_SPLIT_ISOLATED, FALSE, self->name, error);
}

static TrcTokenizer *
settle (TrcSubword *self, gboolean ok)
{
  TrcTokenizer *tokenizer = trc_subword_finish (self);

  if (!ok)
    g_clear_pointer (&tokenizer, trc_tokenizer_unref);
  return tokenizer;
}

/* --- protocol buffers --- */

typedef struct {
  const guint8 *at, *end;
} Wire;

/* One field of a message. */
typedef struct {
  guint number;
  guint64 value; /* of a varint or fixed number */
  Wire body;     /* of a string or message */
} Field;

static gboolean
take_varint (Wire *w, guint64 *out)
{
  *out = 0;
  for (guint shift = 0; shift < 64 && w->at < w->end; shift += 7)
    {
      guint8 byte = *w->at++;
      *out |= (guint64)(byte & 127) << shift;
      if (byte < 128)
        return TRUE;
    }
  return FALSE;
}

static gboolean
take_fixed (Wire *w, guint n, guint64 *out)
{
  if ((gsize)(w->end - w->at) < n)
    return FALSE;
  *out = 0;
  for (guint i = 0; i < n; i++)
    *out |= (guint64)w->at[i] << (8 * i);
  w->at += n;
  return TRUE;
}

static gboolean
take_field (Wire *w, Field *f)
{
  guint64 key, n;

  *f = (Field){ 0 };
  if (!take_varint (w, &key))
    return FALSE;
  f->number = (guint)(key >> 3);
  switch (key & 7)
    {
    case 0:
      return take_varint (w, &f->value);
    case 1:
      return take_fixed (w, 8, &f->value);
    case 5:
      return take_fixed (w, 4, &f->value);
    case 2:
      if (!take_varint (w, &n) || n > (guint64)(w->end - w->at))
        return FALSE;
      f->body = (Wire){ w->at, w->at + n };
      w->at += n;
      return TRUE;
    default:
      return FALSE;
    }
}

/* What tokenizer.model says beside its pieces; SentencePiece's defaults. */
typedef struct {
  guint64 model_type, unknown, begin;
  gboolean prefix, squeeze, charsmap;
} ModelSpec;

static gboolean
read_piece (TrcSubword *self, Wire w, GError **error)
{
  TrcBytes text = { "", 0 };
  float score = 0;
  int type = NORMAL;
  Field f;

  while (w.at < w.end)
    {
      if (!take_field (&w, &f))
        return fail (self, TRC_COMPUTE_ERROR_INVALID, error, "a piece is truncated.");
      if (f.number == 1)
        text = (TrcBytes){ (const char *)f.body.at, f.body.end - f.body.at };
      else if (f.number == 2)
        memcpy (&score, &(guint32){ (guint32)f.value }, 4);
      else if (f.number == 3)
        type = (int)f.value;
    }
  return add_piece (self, text, score, type, error);
}

static gboolean
read_spec (Wire w, gboolean trainer, ModelSpec *spec)
{
  Field f;

  while (w.at < w.end)
    {
      if (!take_field (&w, &f))
        return FALSE;
      if (trainer && f.number == 3)
        spec->model_type = f.value;
      else if (trainer && f.number == 40)
        spec->unknown = f.value;
      else if (trainer && f.number == 41)
        spec->begin = f.value;
      else if (!trainer && f.number == 2)
        spec->charsmap = f.body.at != f.body.end;
      else if (!trainer && f.number == 3)
        spec->prefix = f.value != 0;
      else if (!trainer && f.number == 4)
        spec->squeeze = f.value != 0;
    }
  return TRUE;
}

static gboolean
read_model (TrcSubword *self, Wire w, GError **error)
{
  ModelSpec spec = { 1, 0, 1, TRUE, TRUE, FALSE };
  Field f;

  while (w.at < w.end)
    {
      if (!take_field (&w, &f))
        return fail (self, TRC_COMPUTE_ERROR_INVALID, error,
                     "the file is truncated or no SentencePiece model.");
      if (f.number == 1 && !read_piece (self, f.body, error))
        return FALSE;
      if ((f.number == 2 || f.number == 3) && !read_spec (f.body, f.number == 2, &spec))
        return fail (self, TRC_COMPUTE_ERROR_INVALID, error, "its settings are truncated.");
    }
  if (spec.model_type != 2)
    return fail (self, TRC_COMPUTE_ERROR_UNSUPPORTED, error,
                 "this SentencePiece model is no BPE model; Tracery reads BPE only.");
  if (spec.charsmap || spec.squeeze)
    return fail (self, TRC_COMPUTE_ERROR_UNSUPPORTED, error,
                 "this SentencePiece model rewrites its text; Tracery reads models with the "
                 "identity normaliser.");
  return finish_pieces (self, spec.prefix, (guint32)spec.unknown, (gint64)spec.begin, error);
}

TrcTokenizer *
trc_subword_open_model (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);

  if (file == NULL)
    return NULL;
  TrcSubword *self = trc_subword_new (path);
  const guint8 *data = (const guint8 *)g_mapped_file_get_contents (file);
  gsize len = g_mapped_file_get_length (file);
  Wire w = { data, data == NULL ? NULL : data + len };
  return settle (self, read_model (self, w, error));
}

/* --- llama2.c: i32 longest, then per token f32 score, i32 length, bytes --- */

static gboolean
read_bin (TrcSubword *self, Wire w, GError **error)
{
  guint64 longest, bits, len;

  if (!take_fixed (&w, 4, &longest))
    return fail (self, TRC_COMPUTE_ERROR_INVALID, error, "the file is truncated.");
  for (guint32 id = 0; w.at < w.end; id++)
    {
      float score;
      if (!take_fixed (&w, 4, &bits) || !take_fixed (&w, 4, &len)
          || len > (guint64)(w.end - w.at) || len > longest)
        return fail (self, TRC_COMPUTE_ERROR_INVALID, error,
                     "the file is truncated or no llama2.c tokeniser.");
      memcpy (&score, &(guint32){ (guint32)bits }, 4);
      g_autoptr (GString) text = g_string_new_len ((const char *)w.at, (gssize)len);
      g_string_replace (text, " ", low_line, 0);
      w.at += len;
      int type = id == 0 ? UNKNOWN : id <= 2 ? CONTROL : NORMAL;
      if (!add_piece (self, (TrcBytes){ text->str, text->len }, score, type, error))
        return FALSE;
    }
  return finish_pieces (self, TRUE, 0, 1, error);
}

TrcTokenizer *
trc_subword_open_bin (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);

  if (file == NULL)
    return NULL;
  TrcSubword *self = trc_subword_new (path);
  const guint8 *data = (const guint8 *)g_mapped_file_get_contents (file);
  gsize len = g_mapped_file_get_length (file);
  Wire w = { data, data == NULL ? NULL : data + len };
  return settle (self, read_bin (self, w, error));
}

/* --- GGUF --- */

/* The tokens of a GGUF file with their scores and types. */
typedef struct {
  const TrcGguf *file;
  guint64 n, n_scores, n_types;
  TrcGgufString *texts;
  const guint8 *scores, *types;
} GgufTokens;

static float
gguf_score (const GgufTokens *t, guint64 i)
{
  float score = 0;

  if (i < t->n_scores)
    memcpy (&score, t->scores + 4 * i, 4);
  return score;
}

static int
gguf_type (const GgufTokens *t, guint64 i)
{
  gint32 type = NORMAL;

  if (i < t->n_types)
    memcpy (&type, t->types + 4 * i, 4);
  return type;
}

static gboolean
gguf_scored (TrcSubword *self, const GgufTokens *t, GError **error)
{
  for (guint64 i = 0; i < t->n; i++)
    if (!add_piece (self, (TrcBytes){ t->texts[i].data, t->texts[i].len }, gguf_score (t, i),
                    gguf_type (t, i), error))
      return FALSE;
  gboolean begin = trc_gguf_bool (t->file, "tokenizer.ggml.add_bos_token", TRUE);
  return finish_pieces (
      self, trc_gguf_bool (t->file, "tokenizer.ggml.add_space_prefix", TRUE),
      (guint32)trc_gguf_int (t->file, "tokenizer.ggml.unknown_token_id", TRC_BPE_NONE),
      begin ? trc_gguf_int (t->file, "tokenizer.ggml.bos_token_id", 1) : -1, error);
}

static gboolean
gguf_merge (TrcSubword *self, TrcGgufString merge, GError **error)
{
  const char *space = memchr (merge.data, ' ', merge.len);

  if (space == NULL)
    return fail (self, TRC_COMPUTE_ERROR_INVALID, error, "a merge is no pair.");
  g_autoptr (GBytes) a = trc_subword_byte_level (merge.data, space - merge.data);
  g_autoptr (GBytes) b = trc_subword_byte_level (space + 1, merge.data + merge.len - space - 1);
  TrcBytes left, right;
  left.data = g_bytes_get_data (a, &left.len);
  right.data = g_bytes_get_data (b, &right.len);
  return trc_bpe_add_merge (self->bpe, left, right)
         || fail (self, TRC_COMPUTE_ERROR_INVALID, error, "a merge does not lead to a token.");
}

static gboolean
gguf_tokens (TrcSubword *self, const GgufTokens *t, GError **error)
{
  for (guint64 i = 0; i < t->n; i++)
    {
      int type = gguf_type (t, i);
      gboolean plain = type == NORMAL;
      g_autoptr (GBytes) bytes =
          plain ? trc_subword_byte_level (t->texts[i].data, t->texts[i].len)
                : g_bytes_new (t->texts[i].data, t->texts[i].len);
      TrcBytes text;
      text.data = g_bytes_get_data (bytes, &text.len);
      trc_bpe_add (self->bpe, text, 0, plain);
      if (type == CONTROL)
        g_hash_table_add (self->hidden, GUINT_TO_POINTER ((guint)i));
    }
  for (guint64 i = 0; i < t->n; i++)
    {
      int type = gguf_type (t, i);
      if ((type != CONTROL && type != USER_DEFINED) || t->texts[i].len == 0)
        continue;
      g_autofree char *text = g_strndup (t->texts[i].data, t->texts[i].len);
      if (text[0] != '\0'
          && !trc_subword_add_token (self, (TrcAddedToken){ .text = text, .id = (guint32)i },
                                     error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
gguf_ranked (TrcSubword *self, const GgufTokens *t, GError **error)
{
  const char *pre = trc_gguf_string (t->file, "tokenizer.ggml.pre", "gpt-2");
  const char *const *patterns = trc_split_gguf (pre);
  guint64 n_merges;
  g_autofree TrcGgufString *merges =
      trc_gguf_strings (t->file, "tokenizer.ggml.merges", &n_merges);

  if (patterns == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s: its pre-tokeniser \"%s\" is not known to Tracery.", self->name, pre);
      return FALSE;
    }
  if (!gguf_tokens (self, t, error))
    return FALSE;
  for (guint64 i = 0; i < n_merges; i++)
    if (!gguf_merge (self, merges[i], error))
      return FALSE;
  for (guint i = 0; patterns[i] != NULL; i++)
    if (!trc_splitter_add (self->splitter, patterns[i], TRC_SPLIT_ISOLATED, FALSE, self->name,
                           error))
      return FALSE;
  gboolean llama3 = g_str_has_prefix (pre, "llama");
  gint64 begin = trc_gguf_bool (t->file, "tokenizer.ggml.add_bos_token", llama3)
                     ? trc_gguf_int (t->file, "tokenizer.ggml.bos_token_id", -1)
                     : -1;
  guint32 first = (guint32)begin;
  if (begin >= 0 && (guint64)begin < t->n)
    g_array_append_val (self->before, first);
  trc_bpe_finish (self->bpe, TRC_BPE_BYTES, FALSE, llama3, TRC_BPE_NONE, FALSE);
  self->decode = TRC_DECODE_BYTES;
  return TRUE;
}

TrcTokenizer *
trc_subword_from_gguf (const TrcGguf *file, GError **error)
{
  const char *model = trc_gguf_string (file, "tokenizer.ggml.model", NULL);
  GgufTokens t = { .file = file };
  g_autofree TrcGgufString *texts = trc_gguf_strings (file, "tokenizer.ggml.tokens", &t.n);
  gboolean scored = g_strcmp0 (model, "llama") == 0;

  if (texts == NULL || t.n > G_MAXINT32 || (!scored && g_strcmp0 (model, "gpt2") != 0))
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "%s holds no tokeniser that Tracery reads (tokenizer.ggml.model is %s; gpt2 and "
          "llama are known).",
          trc_gguf_path (file), model == NULL ? "missing" : model);
      return NULL;
    }
  t.texts = texts;
  t.scores = trc_gguf_numbers (file, "tokenizer.ggml.scores", TRC_GGUF_F32, &t.n_scores);
  t.types = trc_gguf_numbers (file, "tokenizer.ggml.token_type", TRC_GGUF_I32, &t.n_types);
  TrcSubword *self = trc_subword_new (trc_gguf_path (file));
  return settle (self, scored ? gguf_scored (self, &t, error) : gguf_ranked (self, &t, error));
}
