/* Word lists: numbers are whole, other words are matched longest first, spans are exact. */
#include "compute/tokenizer.h"

#include "tests/support/shared_data.h"

#include <string.h>

static TrcTokenizer *
make (const char *dir, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "vocab.json", NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return trc_tokenizer_open (dir, error);
}

static const char sums[] =
    "{\"tokens\":[\"0\",\"1\",\"12\",\"=\",\"==\",\"é\"],\"skip\":[\"+\"]}";

static void
test_encode (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcTokenizer) t = make (dir, sums, &error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  static const guint32 want[] = { 2, 1, 4, 3, 5 };
  static const TrcSpan where[] = { { 0, 2 }, { 4, 5 }, { 6, 8 }, { 8, 9 }, { 9, 11 } };

  g_assert_no_error (error);
  g_assert_cmpuint (trc_tokenizer_n_tokens (t), ==, 6);
  g_assert_true (trc_tokenizer_encode (t, "12 +1 ===é", 0, ids, spans, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (ids->data, ids->len * 4, want, sizeof want);
  g_assert_cmpmem (spans->data, spans->len * sizeof (TrcSpan), where, sizeof where);
  g_autofree char *text = trc_tokenizer_decode (t, want, 5);
  g_assert_cmpstr (text, ==, "12 1 == = é");
  g_assert_cmpstr (trc_tokenizer_text (t, 2), ==, "12");
  g_assert_null (trc_tokenizer_text (t, 6));
  trc_test_remove_tree (dir);
}

static void
test_refuse (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (TrcTokenizer) t = make (dir, sums, NULL);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  static const char *const texts[] = { "13", "121", "1 - 1", "x", "1 \xff" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (trc_tokenizer_encode (t, texts[i], 0, ids, NULL, &error));
      g_assert_nonnull (error);
      g_assert_cmpuint (ids->len, ==, 0);
    }
  trc_test_remove_tree (dir);
}

static void
test_find (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (TrcTokenizer) t = make (dir, "{\"tokens\":[\"A\",\"B\",\"C\"]}", NULL);
  g_autoptr (GError) error = NULL;
  guint32 id = 9;

  g_assert_true (trc_tokenizer_find (t, "C", &id, &error));
  g_assert_cmpuint (id, ==, 2);
  g_assert_false (trc_tokenizer_find (t, "D", &id, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_autofree char *text = trc_tokenizer_decode (t, (const guint32[]){ 2, 0, 1 }, 3);
  g_assert_cmpstr (text, ==, "CAB");
  trc_test_remove_tree (dir);
}

static void
test_bad_lists (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  static const char *const texts[] = { "{}",
                                       "{\"tokens\":[]}",
                                       "{\"tokens\":[1]}",
                                       "{\"tokens\":[\"\"]}",
                                       "{\"tokens\":{\"a\":1}}",
                                       "{\"tokens\":[\"a\",\"a\"]}",
                                       "{\"tokens\":[\"a\"],\"skip\":3}" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (make (dir, texts[i], &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, "vocab.json"));
    }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/word-tokenizer/encode", test_encode);
  g_test_add_func ("/word-tokenizer/refuse", test_refuse);
  g_test_add_func ("/word-tokenizer/find", test_find);
  g_test_add_func ("/word-tokenizer/bad-lists", test_bad_lists);
  return g_test_run ();
}
