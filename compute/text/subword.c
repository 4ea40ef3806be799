#define G_LOG_DOMAIN "tracery-compute"

#include "compute/text/subword.h"

#include "compute/text/normal.h"

#include <string.h>

static const char low_line[] = "\xe2\x96\x81"; /* U+2581, the visible space */

static void
normal_step_clear (gpointer data)
{
  TrcNormalStep *step = data;

  g_free (step->from);
  g_free (step->to);
}

static void
added_clear (gpointer data)
{
  g_free (((TrcAddedToken *)data)->text);
}

static const TrcTokenizerKind subword_kind;

TrcSubword *
trc_subword_new (const char *name)
{
  TrcSubword *self = g_atomic_rc_box_new0 (TrcSubword);

  self->parent.kind = &subword_kind;
  self->name = g_strdup (name);
  self->bpe = trc_bpe_new ();
  self->splitter = trc_splitter_new ();
  self->normal = g_array_new (FALSE, FALSE, sizeof (TrcNormalStep));
  g_array_set_clear_func (self->normal, normal_step_clear);
  self->added = g_array_new (FALSE, FALSE, sizeof (TrcAddedToken));
  g_array_set_clear_func (self->added, added_clear);
  self->before = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->after = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->hidden = g_hash_table_new (NULL, NULL);
  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->raw = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  self->by_text = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

static void
subword_free (TrcTokenizer *base)
{
  TrcSubword *self = (TrcSubword *)base;

  g_free (self->name);
  trc_bpe_free (self->bpe);
  trc_splitter_free (self->splitter);
  g_array_unref (self->normal);
  g_array_unref (self->added);
  g_clear_pointer (&self->starts, g_array_unref);
  g_array_unref (self->before);
  g_array_unref (self->after);
  g_hash_table_unref (self->hidden);
  g_hash_table_unref (self->by_text);
  g_ptr_array_unref (self->texts);
  g_ptr_array_unref (self->raw);
}

void
trc_subword_add_normal (TrcSubword *self, TrcNormalStepKind kind, const char *from,
                        const char *to)
{
  TrcNormalStep step = { kind, g_strdup (from), g_strdup (to) };

  g_array_append_val (self->normal, step);
}

gboolean
trc_subword_add_token (TrcSubword *self, TrcAddedToken token, GError **error)
{
  guint n = trc_bpe_n_tokens (self->bpe);

  if (token.id > n || token.text[0] == '\0')
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: the added token \"%s\" has id %u, but the vocabulary ends at %u.",
                   self->name, token.text, token.id, n);
      return FALSE;
    }
  if (token.id == n)
    trc_bpe_add (self->bpe, (TrcBytes){ token.text, strlen (token.text) }, 0, FALSE);
  token.text = g_strdup (token.text);
  g_array_append_val (self->added, token);
  return TRUE;
}

/* --- normalising --- */

static void
normalise (const TrcSubword *self, TrcNormal *text)
{
  static const GNormalizeMode forms[] = { G_NORMALIZE_NFC, G_NORMALIZE_NFD, G_NORMALIZE_NFKC,
                                          G_NORMALIZE_NFKD };

  for (guint i = 0; i < self->normal->len && text->text->len > 0; i++)
    {
      const TrcNormalStep *step = &g_array_index (self->normal, TrcNormalStep, i);
      if (step->kind == TRC_NORMAL_PREPEND)
        trc_normal_prepend (text, step->to);
      else if (step->kind == TRC_NORMAL_PREPEND_SPACE)
        {
          if (!g_unichar_isspace (g_utf8_get_char (text->text->str)))
            trc_normal_prepend (text, step->to);
        }
      else if (step->kind == TRC_NORMAL_PREPEND_MARK)
        {
          if (!g_str_has_prefix (text->text->str, step->to))
            trc_normal_prepend (text, step->to);
        }
      else if (step->kind == TRC_NORMAL_REPLACE)
        trc_normal_replace (text, step->from, step->to);
      else
        trc_normal_form (text, forms[step->kind - TRC_NORMAL_NFC]);
    }
}

/* --- added tokens --- */

static gint
added_compare (gconstpointer a, gconstpointer b)
{
  const TrcAddedToken *x = a, *y = b;
  int first = (guint8)x->text[0] - (guint8)y->text[0];

  return first != 0 ? first : (int)strlen (y->text) - (int)strlen (x->text);
}

/* Sorts the added tokens by first byte, longer ones first, and notes where each
 * byte's run begins. */
static void
index_added (TrcSubword *self)
{
  guint k = 0;

  for (guint i = 0; i < self->added->len; i++)
    {
      TrcAddedToken *token = &g_array_index (self->added, TrcAddedToken, i);
      TrcNormal normal;
      if (!token->normalized)
        continue;
      trc_normal_init (&normal, (TrcBytes){ token->text, strlen (token->text) }, 0);
      normalise (self, &normal);
      g_free (token->text);
      token->text = g_strdup (normal.text->str);
      trc_normal_clear (&normal);
    }
  g_array_sort (self->added, added_compare);
  self->starts = g_array_new (FALSE, TRUE, sizeof (guint32));
  for (guint byte = 0; byte <= 256; byte++)
    {
      while (k < self->added->len
             && (guint8)g_array_index (self->added, TrcAddedToken, k).text[0] < byte)
        k++;
      g_array_append_val (self->starts, k);
    }
}

static gboolean
is_word_at (const char *p)
{
  gunichar c = g_utf8_get_char (p);

  return g_unichar_isalnum (c) || c == '_';
}

static gboolean
added_fits (const TrcAddedToken *token, const char *text, gsize at, gsize len)
{
  gsize n = strlen (token->text);

  if (n > len - at || memcmp (token->text, text + at, n) != 0)
    return FALSE;
  if (!token->single_word)
    return TRUE;
  return !(at > 0 && is_word_at (g_utf8_prev_char (text + at)))
         && !(at + n < len && is_word_at (text + at + n));
}

/* The first added token at or after @at; its place goes to @span. */
static const TrcAddedToken *
next_added (const TrcSubword *self, gboolean normalized, const char *text, gsize len, gsize at,
            TrcSpan *span)
{
  const guint32 *starts = (const guint32 *)self->starts->data;

  for (; at < len; at++)
    for (guint32 k = starts[(guint8)text[at]]; k < starts[(guint8)text[at] + 1]; k++)
      {
        const TrcAddedToken *token = &g_array_index (self->added, TrcAddedToken, k);
        if (token->normalized != normalized || !added_fits (token, text, at, len))
          continue;
        *span = (TrcSpan){ at, at + strlen (token->text) };
        return token;
      }
  return NULL;
}

static void
swallow_space (const TrcAddedToken *token, const char *text, gsize from, gsize len,
               TrcSpan *span)
{
  while (token->left_strip && span->first > from
         && g_unichar_isspace (g_utf8_get_char (g_utf8_prev_char (text + span->first))))
    span->first = g_utf8_prev_char (text + span->first) - text;
  while (token->right_strip && span->end < len
         && g_unichar_isspace (g_utf8_get_char (text + span->end)))
    span->end = g_utf8_next_char (text + span->end) - text;
}

/* --- encoding --- */

typedef struct {
  const TrcSubword *self;
  TrcBpeWork work;
  GArray *pieces, *tokens; /* scratch */
  GArray *ids, *spans;     /* results; spans may be NULL */
  GError **error;
} Encoder;

static void
emit (Encoder *e, guint32 id, TrcSpan span)
{
  g_array_append_val (e->ids, id);
  if (e->spans != NULL)
    g_array_append_val (e->spans, span);
}

static gboolean
encode_piece (Encoder *e, const TrcNormal *text, TrcSpan piece)
{
  TrcBytes bytes = { text->text->str + piece.first, piece.end - piece.first };

  g_array_set_size (e->tokens, 0);
  trc_bpe_encode (e->self->bpe, bytes, &e->work, e->tokens);
  for (guint i = 0; i < e->tokens->len; i++)
    {
      const TrcBpeToken *t = &g_array_index (e->tokens, TrcBpeToken, i);
      if (t->id == TRC_BPE_NONE)
        {
          g_set_error (e->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                       "\"%.*s\" cannot be written in the vocabulary of %s, which has no "
                       "token for the unknown.",
                       (int)t->len, bytes.data + t->start, e->self->name);
          return FALSE;
        }
      emit (e, t->id, trc_normal_span (text, piece.first + t->start, t->len));
    }
  return TRUE;
}

/* Encodes bytes [first, end) of normalised text, which hold no added token. */
static gboolean
encode_plain (Encoder *e, const TrcNormal *text, gsize first, gsize end)
{
  g_array_set_size (e->pieces, 0);
  if (!trc_splitter_run (e->self->splitter, text->text->str + first, end - first, e->pieces,
                         e->error))
    return FALSE;
  for (guint i = 0; i < e->pieces->len; i++)
    {
      TrcSpan piece = g_array_index (e->pieces, TrcSpan, i);
      if (!encode_piece (e, text, (TrcSpan){ piece.first + first, piece.end + first }))
        return FALSE;
    }
  return TRUE;
}

/* Encodes a stretch of the original that holds no token looked for in the raw text. */
static gboolean
encode_segment (Encoder *e, const char *original, gsize first, gsize end)
{
  const TrcAddedToken *token;
  TrcNormal text;
  TrcSpan span;
  gboolean ok = TRUE;
  gsize at = 0;

  if (end == first)
    return TRUE;
  trc_normal_init (&text, (TrcBytes){ original + first, end - first }, first);
  normalise (e->self, &text);
  while (ok
         && (token = next_added (e->self, TRUE, text.text->str, text.text->len, at, &span))
                != NULL)
    {
      swallow_space (token, text.text->str, at, text.text->len, &span);
      ok = encode_plain (e, &text, at, span.first);
      emit (e, token->id, trc_normal_span (&text, span.first, span.end - span.first));
      at = span.end;
    }
  ok = ok && encode_plain (e, &text, at, text.text->len);
  trc_normal_clear (&text);
  return ok;
}

static gboolean
encode_text (Encoder *e, const char *text, gsize len)
{
  const TrcAddedToken *token;
  TrcSpan span;
  gsize at = 0;

  while ((token = next_added (e->self, FALSE, text, len, at, &span)) != NULL)
    {
      swallow_space (token, text, at, len, &span);
      if (!encode_segment (e, text, at, span.first))
        return FALSE;
      emit (e, token->id, span);
      at = span.end;
    }
  return encode_segment (e, text, at, len);
}

static gboolean
subword_encode (const TrcTokenizer *base, const char *text, TrcEncodeFlags flags, GArray *ids,
                GArray *spans, GError **error)
{
  const TrcSubword *self = (const TrcSubword *)base;
  gsize len = strlen (text);
  gboolean special = (flags & TRC_ENCODE_NO_SPECIAL) == 0;

  if (len > G_MAXINT32)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The text is longer than 2 GiB; split it.");
      return FALSE;
    }
  Encoder e = { self, { 0 }, NULL, NULL, ids, spans, error };
  trc_bpe_work_init (&e.work);
  e.pieces = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  e.tokens = g_array_new (FALSE, FALSE, sizeof (TrcBpeToken));
  for (guint i = 0; special && i < self->before->len; i++)
    emit (&e, g_array_index (self->before, guint32, i), (TrcSpan){ 0, 0 });
  gboolean ok = encode_text (&e, text, len);
  for (guint i = 0; special && i < self->after->len; i++)
    emit (&e, g_array_index (self->after, guint32, i), (TrcSpan){ len, len });
  trc_bpe_work_clear (&e.work);
  g_array_unref (e.pieces);
  g_array_unref (e.tokens);
  return ok;
}

/* --- decoding and looking up --- */

/* GPT-2's printable alphabet: bytes that are printable Latin-1 stand for themselves,
 * the others for U+0100 and on, in order. */
static int
byte_of_char (gunichar c)
{
  static gint16 table[512];
  static gsize ready;

  if (g_once_init_enter (&ready))
    {
      int next = 256;
      memset (table, 0xff, sizeof table);
      for (int b = 0; b < 256; b++)
        table[(b >= 33 && b <= 126) || (b >= 161 && b != 173) ? b : next++] = (gint16)b;
      g_once_init_leave (&ready, 1);
    }
  return c < G_N_ELEMENTS (table) ? table[c] : -1;
}

GBytes *
trc_subword_byte_level (const char *text, gsize len)
{
  g_autoptr (GByteArray) bytes = g_byte_array_sized_new ((guint)len);

  if (!g_utf8_validate (text, (gssize)len, NULL))
    return g_bytes_new (text, len);
  for (const char *p = text; p < text + len; p = g_utf8_next_char (p))
    {
      int b = byte_of_char (g_utf8_get_char (p));
      if (b < 0)
        return g_bytes_new (text, len);
      g_byte_array_append (bytes, &(guint8){ (guint8)b }, 1);
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static int
hex_digit (char c)
{
  return g_ascii_isxdigit (c) ? g_ascii_xdigit_value (c) : -1;
}

/* The bytes a token stands for in text. */
static GBytes *
token_bytes (const TrcSubword *self, guint32 id)
{
  TrcBytes t = trc_bpe_token (self->bpe, id);

  if (self->decode == TRC_DECODE_BYTES)
    return g_bytes_new (t.data, t.len);
  if (t.len == 6 && memcmp (t.data, "<0x", 3) == 0 && t.data[5] == '>'
      && hex_digit (t.data[3]) >= 0 && hex_digit (t.data[4]) >= 0)
    return g_bytes_new (
        &(guint8){ (guint8)(hex_digit (t.data[3]) * 16 + hex_digit (t.data[4])) }, 1);
  g_autoptr (GString) out = g_string_new_len (t.data, (gssize)t.len);
  g_string_replace (out, low_line, " ", 0);
  return g_string_free_to_bytes (g_steal_pointer (&out));
}

/* Bytes as text for people: what is no UTF-8 is written \xNN. */
static char *
visible (GBytes *bytes)
{
  gsize len;
  const char *p = g_bytes_get_data (bytes, &len), *end = p + len, *bad;
  GString *out = g_string_new (NULL);

  while (p < end && !g_utf8_validate (p, end - p, &bad))
    {
      g_string_append_len (out, p, bad - p);
      g_string_append_printf (out, "\\x%02X", (guint8)*bad);
      p = bad + 1;
    }
  g_string_append_len (out, p, end - p);
  return g_string_free (out, FALSE);
}

TrcTokenizer *
trc_subword_finish (TrcSubword *self)
{
  for (guint32 id = 0; id < trc_bpe_n_tokens (self->bpe); id++)
    {
      GBytes *bytes = token_bytes (self, id);
      g_ptr_array_add (self->raw, bytes);
      g_ptr_array_add (self->texts, visible (bytes));
      char *text = g_ptr_array_index (self->texts, id);
      if (!g_hash_table_contains (self->by_text, text))
        g_hash_table_insert (self->by_text, text, GUINT_TO_POINTER (id + 1));
    }
  index_added (self);
  return &self->parent;
}

static guint
subword_n_tokens (const TrcTokenizer *base)
{
  return ((const TrcSubword *)base)->texts->len;
}

static const char *
subword_text (const TrcTokenizer *base, guint32 id)
{
  const TrcSubword *self = (const TrcSubword *)base;

  return id < self->texts->len ? g_ptr_array_index (self->texts, id) : NULL;
}

static gboolean
subword_find (const TrcTokenizer *base, const char *text, guint32 *id)
{
  guint hit =
      GPOINTER_TO_UINT (g_hash_table_lookup (((const TrcSubword *)base)->by_text, text));

  if (hit != 0)
    *id = hit - 1;
  return hit != 0;
}

static char *
subword_decode (const TrcTokenizer *base, const guint32 *ids, gsize n)
{
  const TrcSubword *self = (const TrcSubword *)base;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (gsize i = 0; i < n; i++)
    if (ids[i] < self->raw->len
        && !g_hash_table_contains (self->hidden, GUINT_TO_POINTER (ids[i])))
      {
        gsize len;
        const guint8 *data = g_bytes_get_data (g_ptr_array_index (self->raw, ids[i]), &len);
        g_byte_array_append (bytes, data, (guint)len);
      }
  if (bytes->len == 0)
    return g_strdup ("");
  gsize skip = self->strip_first_space && bytes->len > 0 && bytes->data[0] == ' ' ? 1 : 0;
  return g_utf8_make_valid ((const char *)bytes->data + skip, (gssize)(bytes->len - skip));
}

static const TrcTokenizerKind subword_kind = {
  subword_free, subword_n_tokens, subword_encode, subword_text, subword_decode, subword_find,
};
