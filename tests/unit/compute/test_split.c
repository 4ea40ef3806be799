#include "compute/text/split.h"

#include <string.h>

static void
check (const TrcSplitter *splitter, const char *text, const char *expected)
{
  g_autoptr (GArray) out = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  g_autoptr (GString) got = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (trc_splitter_run (splitter, text, strlen (text), out, &error));
  for (guint i = 0; i < out->len; i++)
    {
      TrcSpan s = g_array_index (out, TrcSpan, i);
      g_string_append_printf (got, "[%.*s]", (int)(s.end - s.first), text + s.first);
    }
  g_assert_cmpstr (got->str, ==, expected);
}

static void
test_kinds (void)
{
  static const struct {
    TrcSplitKind kind;
    gboolean invert;
    const char *expected;
  } cases[] = {
    { TRC_SPLIT_ISOLATED, FALSE, "[ab][-][-][c]" },
    { TRC_SPLIT_REMOVED, FALSE, "[ab][c]" },
    { TRC_SPLIT_REMOVED, TRUE, "[-][-]" },
    { TRC_SPLIT_WITH_PREVIOUS, FALSE, "[ab-][-][c]" },
    { TRC_SPLIT_WITH_NEXT, FALSE, "[ab][-][-c]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TrcSplitter *s = trc_splitter_new ();
      g_assert_true (trc_splitter_add (s, "-", cases[i].kind, cases[i].invert, "t", &error));
      check (s, "ab--c", cases[i].expected);
      check (s, "", "");
      trc_splitter_free (s);
    }
}

static void
test_gpt2 (void)
{
  TrcSplitter *s = trc_splitter_new ();

  g_assert_true (trc_splitter_add (s, trc_split_gpt2, TRC_SPLIT_ISOLATED, FALSE, "t", NULL));
  check (s,
         "It's  12 \xc3\xa4"
         "b!",
         "[It]['s][ ][ 12][ \xc3\xa4"
         "b][!]");
  trc_splitter_free (s);
}

static void
test_steps (void)
{
  TrcSplitter *s = trc_splitter_new ();
  const char *const *patterns = trc_split_gguf ("smollm");

  for (guint i = 0; patterns[i] != NULL; i++)
    g_assert_true (trc_splitter_add (s, patterns[i], TRC_SPLIT_ISOLATED, FALSE, "t", NULL));
  check (s, "a 123", "[a][ ][1][2][3]");
  trc_splitter_free (s);
  g_assert_null (trc_split_gguf ("nobody knows"));
}

static void
test_bad_pattern (void)
{
  g_autoptr (GError) error = NULL;
  TrcSplitter *s = trc_splitter_new ();

  g_assert_false (trc_splitter_add (s, "(", TRC_SPLIT_ISOLATED, FALSE, "x.json", &error));
  g_assert_nonnull (strstr (error->message, "x.json"));
  trc_splitter_free (s);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/split/kinds", test_kinds);
  g_test_add_func ("/split/gpt2", test_gpt2);
  g_test_add_func ("/split/steps", test_steps);
  g_test_add_func ("/split/bad-pattern", test_bad_pattern);
  return g_test_run ();
}
