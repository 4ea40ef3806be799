/* tokenizer.json of the Hugging Face library, and GPT-2's vocab.json + merges.txt. */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/text/subword.h"

#include "compute/json.h"

#include <string.h>

enum { MAX_JSON_BYTES = 256 << 20, MAX_TOKENS = 4 << 20 };

/* One file being read. `json` members are borrowed from the document. */
typedef struct {
  TrcSubword *out;
  gboolean byte_level;
  gboolean metaspace; /* the pre-tokeniser, not the normaliser, writes U+2581 */
  GError **error;
} Reader;

static gboolean
fail (Reader *r, TrcComputeError code, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (r->error, TRC_COMPUTE_ERROR, code, "%s: %s", r->out->name, what);
  return FALSE;
}

static TrcBytes
bytes_of (GBytes *bytes)
{
  TrcBytes b;

  b.data = g_bytes_get_data (bytes, &b.len);
  return b;
}

/* The bytes a vocabulary entry or half of a merge stands for. */
static GBytes *
entry_bytes (Reader *r, const char *text, gsize len)
{
  return r->byte_level ? trc_subword_byte_level (text, len) : g_bytes_new (text, len);
}

/* --- vocabulary and merges --- */

/* Fills the vocabulary from {"text": id}; ids must be 0..n-1 but for gaps that
 * added tokens fill. */
static gboolean
read_vocab (Reader *r, JsonObject *vocab, JsonArray *added)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GHashTable) special = g_hash_table_new (NULL, NULL);
  JsonObjectIter iter;
  const char *text;

  if (json_object_get_size (vocab) > MAX_TOKENS)
    return fail (r, TRC_COMPUTE_ERROR_INVALID, "the vocabulary is impossibly large.");
  json_object_iter_init_ordered (&iter, vocab);
  while (json_object_iter_next_ordered (&iter, &text, NULL))
    {
      gint64 id = trc_json_int (vocab, text, -1);
      if (id < 0 || id >= MAX_TOKENS)
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "token \"%s\" has no valid id.", text);
      if (texts->len <= id)
        g_ptr_array_set_size (texts, (gint)id + 1);
      if (g_ptr_array_index (texts, id) != NULL)
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "id %d names both \"%s\" and \"%s\".",
                     (int)id, (char *)g_ptr_array_index (texts, id), text);
      g_ptr_array_index (texts, id) = (gpointer)text;
    }
  for (guint i = 0; added != NULL && i < json_array_get_length (added); i++)
    {
      JsonObject *token = trc_json_element_object (added, i);
      if (trc_json_bool (token, "special", FALSE))
        g_hash_table_add (special, GUINT_TO_POINTER (trc_json_int (token, "id", -1)));
    }
  for (guint id = 0; id < texts->len; id++)
    {
      const char *t = g_ptr_array_index (texts, id);
      gboolean plain = t != NULL && !g_hash_table_contains (special, GUINT_TO_POINTER (id));
      g_autoptr (GBytes) bytes =
          plain ? entry_bytes (r, t, strlen (t)) : g_bytes_new (t, t == NULL ? 0 : strlen (t));
      trc_bpe_add (r->out->bpe, bytes_of (bytes), 0, plain);
    }
  return TRUE;
}

static gboolean
add_merge (Reader *r, const char *left, gsize n_left, const char *right, gsize n_right)
{
  g_autoptr (GBytes) a = entry_bytes (r, left, n_left);
  g_autoptr (GBytes) b = entry_bytes (r, right, n_right);

  if (!trc_bpe_add_merge (r->out->bpe, bytes_of (a), bytes_of (b)))
    return fail (r, TRC_COMPUTE_ERROR_INVALID,
                 "the merge of \"%.*s\" and \"%.*s\" does not lead to a token.", (int)n_left,
                 left, (int)n_right, right);
  return TRUE;
}

/* "left right", cut at its only space. */
static gboolean
add_merge_text (Reader *r, const char *text, gsize len)
{
  const char *space = memchr (text, ' ', len);

  if (space == NULL || space == text || space + 1 == text + len)
    return fail (r, TRC_COMPUTE_ERROR_INVALID, "\"%.*s\" is no merge.", (int)MIN (len, 60),
                 text);
  return add_merge (r, text, space - text, space + 1, text + len - space - 1);
}

static gboolean
read_merges (Reader *r, JsonArray *merges)
{
  for (guint i = 0; i < json_array_get_length (merges); i++)
    {
      JsonNode *node = json_array_get_element (merges, i);
      JsonArray *pair = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
      const char *text = pair == NULL ? trc_json_element_string (merges, i) : NULL;
      const char *left = NULL, *right = NULL;
      if (pair != NULL && json_array_get_length (pair) == 2)
        {
          left = trc_json_element_string (pair, 0);
          right = trc_json_element_string (pair, 1);
        }
      if (text == NULL && (left == NULL || right == NULL))
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "merge %u is neither text nor a pair.", i);
      if (!(text != NULL ? add_merge_text (r, text, strlen (text))
                         : add_merge (r, left, strlen (left), right, strlen (right))))
        return FALSE;
    }
  return TRUE;
}

/* --- normaliser --- */

static gboolean
read_normalizer (Reader *r, JsonObject *step)
{
  const char *type = trc_json_string (step, "type", "");

  if (g_str_equal (type, "Sequence"))
    {
      JsonArray *steps = trc_json_array (step, "normalizers");
      for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
        if (!read_normalizer (r, trc_json_element_object (steps, i)))
          return FALSE;
      return TRUE;
    }
  static const struct {
    const char *name;
    TrcNormalStepKind kind;
  } forms[] = { { "NFC", TRC_NORMAL_NFC },
                { "NFD", TRC_NORMAL_NFD },
                { "NFKC", TRC_NORMAL_NFKC },
                { "NFKD", TRC_NORMAL_NFKD } };
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    if (g_str_equal (forms[i].name, type))
      {
        trc_subword_add_normal (r->out, forms[i].kind, NULL, NULL);
        return TRUE;
      }
  if (g_str_equal (type, "Prepend"))
    {
      trc_subword_add_normal (r->out, TRC_NORMAL_PREPEND, NULL,
                              trc_json_string (step, "prepend", ""));
      return TRUE;
    }
  const char *from = trc_json_string (trc_json_object (step, "pattern"), "String", NULL);
  if (g_str_equal (type, "Replace") && from != NULL && from[0] != '\0')
    {
      trc_subword_add_normal (r->out, TRC_NORMAL_REPLACE, from,
                              trc_json_string (step, "content", ""));
      return TRUE;
    }
  return fail (r, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "the normaliser \"%s\" is not known to Tracery.", type);
}

/* --- pre-tokeniser --- */

static gboolean
read_split (Reader *r, JsonObject *step)
{
  static const char *const behaviors[] = { "Isolated", "Removed", "MergedWithPrevious",
                                           "MergedWithNext" };
  JsonObject *pattern = trc_json_object (step, "pattern");
  const char *behavior = trc_json_string (step, "behavior", "Isolated");
  const char *literal = trc_json_string (pattern, "String", NULL);
  g_autofree char *escaped = literal == NULL ? NULL : g_regex_escape_string (literal, -1);
  const char *regex = trc_json_string (pattern, "Regex", escaped);

  for (guint kind = 0; kind < G_N_ELEMENTS (behaviors); kind++)
    if (g_str_equal (behaviors[kind], behavior) && regex != NULL)
      return trc_splitter_add (r->out->splitter, regex, (TrcSplitKind)kind,
                               trc_json_bool (step, "invert", FALSE), r->out->name, r->error);
  return fail (r, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "a Split pre-tokeniser with behaviour \"%s\" is not known to Tracery.",
               behavior);
}

static gboolean
read_metaspace (Reader *r, JsonObject *step)
{
  const char *mark = trc_json_string (step, "replacement", "\xe2\x96\x81");
  const char *scheme =
      trc_json_string (step, "prepend_scheme",
                       trc_json_bool (step, "add_prefix_space", TRUE) ? "always" : "never");
  g_autofree char *escaped = g_regex_escape_string (mark, -1);

  trc_subword_add_normal (r->out, TRC_NORMAL_REPLACE, " ", mark);
  if (!g_str_equal (scheme, "never"))
    trc_subword_add_normal (r->out, TRC_NORMAL_PREPEND_MARK, NULL, mark);
  r->metaspace = TRUE;
  return !trc_json_bool (step, "split", TRUE)
         || trc_splitter_add (r->out->splitter, escaped, TRC_SPLIT_WITH_NEXT, FALSE,
                              r->out->name, r->error);
}

static gboolean
read_pre_tokenizer (Reader *r, JsonObject *step)
{
  const char *type = trc_json_string (step, "type", "");

  if (g_str_equal (type, "Sequence"))
    {
      JsonArray *steps = trc_json_array (step, "pretokenizers");
      for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
        if (!read_pre_tokenizer (r, trc_json_element_object (steps, i)))
          return FALSE;
      return TRUE;
    }
  if (g_str_equal (type, "ByteLevel"))
    {
      r->byte_level = TRUE;
      if (trc_json_bool (step, "add_prefix_space", FALSE))
        trc_subword_add_normal (r->out, TRC_NORMAL_PREPEND_SPACE, NULL, " ");
      return !trc_json_bool (step, "use_regex", TRUE)
             || trc_splitter_add (r->out->splitter, trc_split_gpt2, TRC_SPLIT_ISOLATED, FALSE,
                                  r->out->name, r->error);
    }
  if (g_str_equal (type, "Digits"))
    return trc_splitter_add (r->out->splitter,
                             trc_json_bool (step, "individual_digits", FALSE) ? "\\p{N}"
                                                                              : "\\p{N}+",
                             TRC_SPLIT_ISOLATED, FALSE, r->out->name, r->error);
  if (g_str_equal (type, "Split"))
    return read_split (r, step);
  if (g_str_equal (type, "Metaspace"))
    return read_metaspace (r, step);
  return fail (r, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "the pre-tokeniser \"%s\" is not known to Tracery.", type);
}

/* --- added tokens and the template --- */

static gboolean
read_added (Reader *r, JsonArray *added)
{
  for (guint i = 0; added != NULL && i < json_array_get_length (added); i++)
    {
      JsonObject *token = trc_json_element_object (added, i);
      gint64 id = trc_json_int (token, "id", -1);
      gboolean special = trc_json_bool (token, "special", FALSE);
      TrcAddedToken t = { (char *)trc_json_string (token, "content", ""),
                          (guint32)id,
                          trc_json_bool (token, "lstrip", FALSE),
                          trc_json_bool (token, "rstrip", FALSE),
                          trc_json_bool (token, "single_word", FALSE),
                          trc_json_bool (token, "normalized", !special) };
      if (id < 0 || id >= MAX_TOKENS)
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "added token %u has no valid id.", i);
      if (!trc_subword_add_token (r->out, t, r->error))
        return FALSE;
      if (special)
        g_hash_table_add (r->out->hidden, GUINT_TO_POINTER (t.id));
    }
  return TRUE;
}

/* The ids of one special token of the template, to the side it stands on. */
static gboolean
read_template_token (Reader *r, JsonObject *tokens, const char *name, GArray *side)
{
  JsonArray *ids = trc_json_array (trc_json_object (tokens, name), "ids");

  if (ids == NULL)
    return fail (r, TRC_COMPUTE_ERROR_INVALID, "the template names %s, which has no ids.",
                 name);
  for (guint i = 0; i < json_array_get_length (ids); i++)
    {
      guint32 id = (guint32)json_array_get_int_element (ids, i);
      if (id >= trc_bpe_n_tokens (r->out->bpe))
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "the template's %s is no token.", name);
      g_array_append_val (side, id);
    }
  return TRUE;
}

static gboolean
read_template (Reader *r, JsonObject *post)
{
  const char *type = trc_json_string (post, "type", "");

  if (post == NULL || g_str_equal (type, "ByteLevel"))
    return TRUE;
  if (g_str_equal (type, "Sequence"))
    {
      JsonArray *steps = trc_json_array (post, "processors");
      for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
        if (!read_template (r, trc_json_element_object (steps, i)))
          return FALSE;
      return TRUE;
    }
  if (!g_str_equal (type, "TemplateProcessing"))
    return fail (r, TRC_COMPUTE_ERROR_UNSUPPORTED,
                 "the post-processor \"%s\" is not known to Tracery.", type);
  JsonArray *single = trc_json_array (post, "single");
  GArray *side = r->out->before;
  for (guint i = 0; single != NULL && i < json_array_get_length (single); i++)
    {
      JsonObject *part = trc_json_element_object (single, i);
      JsonObject *token = trc_json_object (part, "SpecialToken");
      if (trc_json_object (part, "Sequence") != NULL)
        side = r->out->after;
      else if (token != NULL
               && !read_template_token (r, trc_json_object (post, "special_tokens"),
                                        trc_json_string (token, "id", ""), side))
        return FALSE;
    }
  return TRUE;
}

/* --- whole files --- */

/* TRUE if a decoder of the wanted type is @decoder or stands in its sequence. */
static gboolean
has_decoder (JsonObject *decoder, const char *type)
{
  JsonArray *steps = trc_json_array (decoder, "decoders");

  if (g_str_equal (trc_json_string (decoder, "type", ""), type))
    return TRUE;
  for (guint i = 0; steps != NULL && i < json_array_get_length (steps); i++)
    if (has_decoder (trc_json_element_object (steps, i), type))
      return TRUE;
  return FALSE;
}

static gboolean
read_model (Reader *r, JsonObject *model, JsonArray *added)
{
  JsonObject *vocab = trc_json_object (model, "vocab");
  JsonArray *merges = trc_json_array (model, "merges");
  const char *type = trc_json_string (model, "type", "BPE");
  const char *unknown = trc_json_string (model, "unk_token", NULL);
  guint32 unknown_id = TRC_BPE_NONE;

  if (!g_str_equal (type, "BPE"))
    return fail (r, TRC_COMPUTE_ERROR_UNSUPPORTED,
                 "this is a %s tokeniser; Tracery reads byte-pair encoding (BPE).", type);
  if (vocab == NULL || merges == NULL)
    return fail (r, TRC_COMPUTE_ERROR_INVALID, "model.vocab or model.merges is missing.");
  if (!read_vocab (r, vocab, added) || !read_merges (r, merges))
    return FALSE;
  if (unknown != NULL)
    {
      gint64 id = trc_json_int (vocab, unknown, -1);
      if (id < 0)
        return fail (r, TRC_COMPUTE_ERROR_INVALID, "unk_token \"%s\" is no token.", unknown);
      unknown_id = (guint32)id;
    }
  trc_bpe_finish (r->out->bpe,
                  r->byte_level                                   ? TRC_BPE_BYTES
                  : trc_json_bool (model, "byte_fallback", FALSE) ? TRC_BPE_BYTE_FALLBACK
                                                                  : TRC_BPE_CHARACTERS,
                  FALSE, trc_json_bool (model, "ignore_merges", FALSE), unknown_id,
                  trc_json_bool (model, "fuse_unk", FALSE));
  return TRUE;
}

static gboolean
read_document (Reader *r, JsonObject *root)
{
  JsonObject *normalizer = trc_json_object (root, "normalizer");
  JsonObject *pre = trc_json_object (root, "pre_tokenizer");
  JsonObject *model = trc_json_object (root, "model");
  JsonObject *decoder = trc_json_object (root, "decoder");
  JsonArray *added = trc_json_array (root, "added_tokens");

  if (model == NULL)
    return fail (r, TRC_COMPUTE_ERROR_INVALID,
                 "there is no \"model\"; this is no tokenizer.json.");
  if ((normalizer != NULL && !read_normalizer (r, normalizer))
      || (pre != NULL && !read_pre_tokenizer (r, pre)) || !read_model (r, model, added)
      || !read_added (r, added) || !read_template (r, trc_json_object (root, "post_processor")))
    return FALSE;
  r->out->decode = r->byte_level ? TRC_DECODE_BYTES : TRC_DECODE_SPACES;
  r->out->strip_first_space = r->metaspace || has_decoder (decoder, "Strip");
  return TRUE;
}

TrcTokenizer *
trc_subword_open_json (const char *path, GError **error)
{
  g_autoptr (JsonNode) root = trc_json_read (path, MAX_JSON_BYTES, error);

  if (root == NULL)
    return NULL;
  Reader r = { trc_subword_new (path), FALSE, FALSE, error };
  gboolean ok = JSON_NODE_HOLDS_OBJECT (root)
                    ? read_document (&r, json_node_get_object (root))
                    : fail (&r, TRC_COMPUTE_ERROR_INVALID, "this is no tokenizer.json.");
  TrcTokenizer *self = trc_subword_finish (r.out);
  if (!ok)
    g_clear_pointer (&self, trc_tokenizer_unref);
  return self;
}

static gboolean
read_merge_lines (Reader *r, const char *path)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, r->error);

  if (file == NULL)
    return FALSE;
  const char *p = g_mapped_file_get_contents (file);
  const char *end = p == NULL ? NULL : p + g_mapped_file_get_length (file);
  for (const char *line_end; p < end; p = line_end + 1)
    {
      line_end = memchr (p, '\n', end - p);
      if (line_end == NULL)
        line_end = end;
      gsize len = line_end - p;
      if (len > 0 && p[len - 1] == '\r')
        len--;
      if (len > 0 && !(len > 9 && memcmp (p, "#version:", 9) == 0)
          && !add_merge_text (r, p, len))
        return FALSE;
    }
  return TRUE;
}

TrcTokenizer *
trc_subword_open_merges (const char *vocab, const char *merges, GError **error)
{
  static const char end_of_text[] = "<|endoftext|>";
  g_autoptr (JsonNode) root = trc_json_read (vocab, MAX_JSON_BYTES, error);

  if (root == NULL)
    return NULL;
  Reader r = { trc_subword_new (vocab), TRUE, FALSE, error };
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  gint64 end_id = trc_json_int (object, end_of_text, -1);
  gboolean ok = object != NULL ? read_vocab (&r, object, NULL)
                               : fail (&r, TRC_COMPUTE_ERROR_INVALID, "this is no vocabulary.");
  ok = ok && read_merge_lines (&r, merges)
       && trc_splitter_add (r.out->splitter, trc_split_gpt2, TRC_SPLIT_ISOLATED, FALSE, vocab,
                            error);
  trc_bpe_finish (r.out->bpe, TRC_BPE_BYTES, FALSE, FALSE, TRC_BPE_NONE, FALSE);
  if (ok && end_id >= 0)
    {
      TrcAddedToken t = { (char *)end_of_text, (guint32)end_id, FALSE, FALSE, FALSE, FALSE };
      ok = trc_subword_add_token (r.out, t, error);
      g_hash_table_add (r.out->hidden, GUINT_TO_POINTER (t.id));
    }
  r.out->decode = TRC_DECODE_BYTES;
  TrcTokenizer *self = trc_subword_finish (r.out);
  if (!ok)
    g_clear_pointer (&self, trc_tokenizer_unref);
  return self;
}
