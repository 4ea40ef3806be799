/* Every published vector of every kind of tokeniser: subword.c with its readers
 * subword_json.c and subword_pieces.c, through the neutral face. */
#include "compute/json.h"
#include "compute/tokenizer.h"
#include "tests/support/shared_data.h"

#include <string.h>

static char *
ids_text (const GArray *ids)
{
  GString *s = g_string_new (NULL);

  for (guint i = 0; i < ids->len; i++)
    g_string_append_printf (s, "%s%u", i == 0 ? "" : " ", g_array_index (ids, guint32, i));
  return g_string_free (s, FALSE);
}

/* Encodes, compares, and checks that the spans walk through the text in order. */
static void
check (const TrcTokenizer *t, const char *text, TrcEncodeFlags flags, const char *expected)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  g_autoptr (GError) error = NULL;

  g_assert_true (trc_tokenizer_encode (t, text, flags, ids, spans, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, spans->len);
  g_autofree char *got = ids_text (ids);
  if (g_strcmp0 (got, expected) != 0)
    g_test_message ("text: «%s»", text);
  g_assert_cmpstr (got, ==, expected);
  gsize at = 0;
  for (guint i = 0; i < spans->len; i++)
    {
      TrcSpan s = g_array_index (spans, TrcSpan, i);
      g_assert_cmpuint (s.first, >=, i == 0 ? 0 : g_array_index (spans, TrcSpan, i - 1).first);
      g_assert_cmpuint (s.end, >=, s.first);
      at = MAX (at, s.end);
    }
  g_assert_cmpuint (at, <=, strlen (text));
}

static TrcTokenizer *
open_shared (const char *rel)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = trc_test_shared (rel);

  if (path == NULL)
    return NULL;
  TrcTokenizer *t = trc_tokenizer_open (path, &error);
  g_assert_no_error (error);
  return t;
}

/* llama.cpp's vectors: texts between separator lines, ids one text a line. */
static void
check_ggml_vectors (const TrcTokenizer *t, const char *stem)
{
  g_autofree char *in = g_strdup_printf ("data/tokenizers/vectors/%s.inp", stem);
  g_autofree char *out = g_strdup_printf ("data/tokenizers/vectors/%s.out", stem);
  g_autofree char *in_path = trc_test_shared (in);
  g_autofree char *out_path = trc_test_shared (out);
  g_autofree char *texts = NULL, *ids = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (in_path, &texts, NULL, NULL));
  g_assert_true (g_file_get_contents (out_path, &ids, NULL, NULL));
  g_auto (GStrv) text = g_strsplit (texts, "\n__ggml_vocab_test__\n", -1);
  g_auto (GStrv) line = g_strsplit (ids, "\n", -1);
  for (; text[n] != NULL && line[n] != NULL; n++)
    check (t, text[n], TRC_ENCODE_NO_SPECIAL, g_strstrip (line[n]));
  g_assert_cmpuint (n, >=, 46);
}

/* "text => 1,2,3" a line. */
static void
check_prompt_vectors (const TrcTokenizer *t, const char *rel)
{
  g_autofree char *path = trc_test_shared (rel);
  g_autofree char *all = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &all, NULL, NULL));
  g_auto (GStrv) line = g_strsplit (all, "\n", -1);
  for (guint i = 0; line[i] != NULL; i++)
    {
      char *arrow = g_strrstr (line[i], " => ");
      if (arrow == NULL)
        continue;
      *arrow = '\0';
      check (t, line[i], TRC_ENCODE_NO_SPECIAL, g_strdelimit (arrow + 4, ",", ' '));
      n++;
    }
  g_assert_cmpuint (n, ==, 100);
}

/* Hugging Face's own cases for one model. */
static void
check_hf_vectors (const TrcTokenizer *t, const char *model)
{
  g_autofree char *path =
      trc_test_shared ("data/tokenizers/vectors/hf-swift-tokenizer_tests.json");
  g_autoptr (JsonNode) root = trc_json_read (path, 1 << 20, NULL);
  JsonArray *cases = trc_json_array (json_node_get_object (root), model);

  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *c = trc_json_element_object (cases, i);
      JsonArray *ids = trc_json_array (trc_json_object (c, "encoded"), "input_ids");
      g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (guint32));
      for (guint k = 0; k < json_array_get_length (ids); k++)
        g_array_append_val (list, (guint32){ (guint32)json_array_get_int_element (ids, k) });
      g_autofree char *expected = ids_text (list);
      check (t, trc_json_string (c, "input", ""), TRC_ENCODE_DEFAULT, expected);
    }
  g_assert_cmpuint (json_array_get_length (cases), >, 10);
}

static void
check_fixture (const char *file, const char *key)
{
  g_autofree char *rel = g_strconcat ("data/models/hf-tiny-fixtures/", file, NULL);
  g_autofree char *path =
      trc_test_shared ("data/models/hf-tiny-fixtures/hf_tokenizer_cases.json");
  g_autoptr (TrcTokenizer) t = open_shared (rel);

  if (t == NULL)
    return;
  g_autoptr (JsonNode) root = trc_json_read (path, 1 << 20, NULL);
  JsonArray *cases =
      trc_json_array (trc_json_object (json_node_get_object (root), key), "cases");
  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *c = trc_json_element_object (cases, i);
      JsonArray *ids = trc_json_array (c, "ids");
      g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (guint32));
      for (guint k = 0; k < json_array_get_length (ids); k++)
        g_array_append_val (list, (guint32){ (guint32)json_array_get_int_element (ids, k) });
      g_autofree char *expected = ids_text (list);
      check (t, trc_json_string (c, "text", ""), TRC_ENCODE_DEFAULT, expected);
      g_autofree char *decoded =
          trc_tokenizer_decode (t, (const guint32 *)list->data, list->len);
      g_assert_cmpstr (decoded, ==, trc_json_string (c, "decoded", ""));
    }
}

static void
test_gpt2 (void)
{
  g_autoptr (TrcTokenizer) merges = open_shared ("data/tokenizers/gpt2");
  g_autoptr (TrcTokenizer) gguf = open_shared ("data/tokenizers/vectors/ggml-vocab-gpt-2.gguf");

  if (merges == NULL || gguf == NULL)
    return;
  check_ggml_vectors (merges, "ggml-vocab-gpt-2.gguf");
  check_ggml_vectors (gguf, "ggml-vocab-gpt-2.gguf");
  check_prompt_vectors (merges, "data/tokenizers/vectors/ggml-prompts-gpt-2.txt");
  check_hf_vectors (merges, "distilgpt2");
  g_assert_cmpuint (trc_tokenizer_n_tokens (merges), ==, 50257);
  check (merges, "a<|endoftext|>b", TRC_ENCODE_DEFAULT, "64 50256 65");
  g_assert_cmpstr (trc_tokenizer_text (merges, 262), ==, " the");
}

static void
test_neox (void)
{
  g_autoptr (TrcTokenizer) t = open_shared ("data/tokenizers/gpt-neox");

  if (t == NULL)
    return;
  check_prompt_vectors (t, "data/tokenizers/vectors/ggml-prompts-gpt-neox.txt");
  g_assert_cmpuint (trc_tokenizer_n_tokens (t), ==, 50277);
}

static void
test_llama2 (void)
{
  g_autoptr (TrcTokenizer) model = open_shared ("data/tokenizers/llama2");
  g_autoptr (TrcTokenizer) gguf =
      open_shared ("data/tokenizers/vectors/ggml-vocab-llama-spm.gguf");

  if (model == NULL || gguf == NULL)
    return;
  check_ggml_vectors (model, "ggml-vocab-llama-spm.gguf");
  check_ggml_vectors (gguf, "ggml-vocab-llama-spm.gguf");
  check (model, "Hello world", TRC_ENCODE_DEFAULT, "1 15043 3186");
}

static void
test_fixtures (void)
{
  check_fixture ("tiny_bpe_bytelevel_tokenizer.json", "byte_level");
  check_fixture ("tiny_bpe_metaspace_tokenizer.json", "metaspace");
}

/* The prompts of a float64 reference with their ids. */
static void
check_reference (const char *folder, const char *reference)
{
  g_autofree char *path = trc_test_shared (reference);
  g_autoptr (TrcTokenizer) t = open_shared (folder);

  if (path == NULL || t == NULL)
    return;
  g_autoptr (JsonNode) root = trc_json_read (path, 1 << 20, NULL);
  JsonArray *prompts = trc_json_array (json_node_get_object (root), "prompts");
  for (guint i = 0; i < json_array_get_length (prompts); i++)
    {
      JsonObject *c = trc_json_element_object (prompts, i);
      JsonArray *ids = trc_json_array (c, "ids");
      g_autoptr (GArray) list = g_array_new (FALSE, FALSE, sizeof (guint32));
      for (guint k = 0; k < json_array_get_length (ids); k++)
        g_array_append_val (list, (guint32){ (guint32)json_array_get_int_element (ids, k) });
      g_autofree char *expected = ids_text (list);
      check (t, trc_json_string (c, "prompt", ""), TRC_ENCODE_DEFAULT, expected);
    }
  g_assert_cmpuint (json_array_get_length (prompts), >, 0);
}

static void
test_stories (void)
{
  g_autoptr (TrcTokenizer) words = open_shared ("data/models/tinystories-656k");
  g_autoptr (TrcTokenizer) bin = open_shared ("data/models/stories260K");

  if (words == NULL || bin == NULL)
    return;
  check_reference ("data/models/tinystories-656k",
                   "data/reference/tinystories_656k_reference.json");
  check_reference ("data/models/stories260K", "data/reference/stories260K_reference.json");
  g_assert_cmpuint (trc_tokenizer_n_tokens (bin), ==, 512);
  /* what the vocabulary cannot write becomes the unknown token, one for a run */
  check (words, "\xf0\x9f\x98\x80\xf0\x9f\x98\x80", TRC_ENCODE_NO_SPECIAL, "80 0");
}

/* Ten megabytes in one go, each kind; every token's span is where its text is. */
static void
test_long (void)
{
  static const char *const folders[] = { "data/tokenizers/gpt2", "data/tokenizers/llama2",
                                         "data/models/tinystories-656k" };
  g_autoptr (GString) text = g_string_new (NULL);

  while (text->len < (g_test_slow () ? 10u << 20 : 1u << 19))
    g_string_append_printf (text, "Once upon a time, %u foxes\njumped over the lazy dog. ",
                            (guint)text->len);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
      g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
      g_autoptr (TrcTokenizer) t = open_shared (folders[i]);
      g_autoptr (GError) error = NULL;
      gsize at = 0;
      if (t == NULL)
        return;
      gint64 start = g_get_monotonic_time ();
      g_assert_true (
          trc_tokenizer_encode (t, text->str, TRC_ENCODE_NO_SPECIAL, ids, spans, &error));
      g_test_message ("%s: %u tokens, %.1f MB/s", folders[i], ids->len,
                      (double)text->len / (double)(g_get_monotonic_time () - start));
      for (guint k = 0; k < spans->len; k++)
        {
          TrcSpan s = g_array_index (spans, TrcSpan, k);
          g_assert_cmpuint (s.first, ==, at);
          at = s.end;
        }
      g_assert_cmpuint (at, ==, text->len);
    }
}

static void
test_refusals (void)
{
  static const char *const texts[] = {
    "",
    "{}",
    "{\"model\": {}}",
    "[]",
    "{\"model\": {\"type\": \"Unigram\", \"vocab\": {}, \"merges\": []}}",
    "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a\"]}}",
    "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}}",
    "{\"model\": {\"vocab\": {\"a\": -1}, \"merges\": []}}",
    "{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}, \"merges\": []}}",
    "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"normalizer\": {\"type\": \"Odd\"}}",
    "{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, \"added_tokens\": [{\"id\": 9, "
    "\"content\": \"x\"}]}",
  };
  g_autofree char *dir = trc_test_temp_dir ();
  static const char *const names[] = { "tokenizer.json", "tokenizer.model", "tok1.bin",
                                       "t.gguf" };

  for (guint k = 0; k < G_N_ELEMENTS (names); k++)
    for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
      {
        g_autoptr (GError) error = NULL;
        g_autofree char *path = g_build_filename (dir, names[k], NULL);
        g_assert_true (g_file_set_contents (path, texts[i], -1, NULL));
        g_assert_null (trc_tokenizer_open (path, &error));
        g_assert_nonnull (error);
        g_assert_nonnull (strstr (error->message, names[k]));
      }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subword/gpt2", test_gpt2);
  g_test_add_func ("/subword/neox", test_neox);
  g_test_add_func ("/subword/llama2", test_llama2);
  g_test_add_func ("/subword/fixtures", test_fixtures);
  g_test_add_func ("/subword/stories", test_stories);
  g_test_add_func ("/subword/long", test_long);
  g_test_add_func ("/subword/refusals", test_refusals);
  return g_test_run ();
}
