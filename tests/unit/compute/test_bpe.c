#include "compute/text/bpe.h"

#include <string.h>

#define B(s) ((TrcBytes){ (s), strlen (s) })

static void
check (const TrcBpe *bpe, const char *text, const char *expected)
{
  g_autoptr (GArray) out = g_array_new (FALSE, FALSE, sizeof (TrcBpeToken));
  g_autoptr (GString) got = g_string_new (NULL);
  TrcBpeWork work;
  guint32 at = 0;

  trc_bpe_work_init (&work);
  trc_bpe_encode (bpe, B (text), &work, out);
  for (guint i = 0; i < out->len; i++)
    {
      const TrcBpeToken *t = &g_array_index (out, TrcBpeToken, i);
      g_assert_cmpuint (t->start, ==, at); /* the tokens cover the text without a gap */
      at += t->len;
      g_string_append_printf (got, "%s%d", i == 0 ? "" : " ", (int)t->id);
    }
  g_assert_cmpuint (at, ==, strlen (text));
  g_assert_cmpstr (got->str, ==, expected);
  trc_bpe_work_clear (&work);
}

static TrcBpe *
ranked (TrcBpeUnits units, guint32 unknown, gboolean fuse)
{
  static const char *const tokens[] = { "a", "b", "c", "ab", "bc", "abc", "?" };
  TrcBpe *bpe = trc_bpe_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    trc_bpe_add (bpe, B (tokens[i]), 0, TRUE);
  g_assert_true (trc_bpe_add_merge (bpe, B ("b"), B ("c")));
  g_assert_true (trc_bpe_add_merge (bpe, B ("a"), B ("b")));
  g_assert_true (trc_bpe_add_merge (bpe, B ("a"), B ("bc")));
  g_assert_false (trc_bpe_add_merge (bpe, B ("c"), B ("a")));
  trc_bpe_finish (bpe, units, FALSE, FALSE, unknown, fuse);
  return bpe;
}

static void
test_ranked (void)
{
  TrcBpe *bpe = ranked (TRC_BPE_BYTES, TRC_BPE_NONE, FALSE);

  check (bpe, "", "");
  check (bpe, "a", "0");
  check (bpe, "abc", "5"); /* bc joins before ab */
  check (bpe, "abab", "3 3");
  check (bpe, "aabcb", "0 5 1");
  trc_bpe_free (bpe);
}

static void
test_unknown (void)
{
  TrcBpe *apart = ranked (TRC_BPE_CHARACTERS, 6, FALSE);
  TrcBpe *fused = ranked (TRC_BPE_CHARACTERS, 6, TRUE);

  check (apart,
         "a\xc3\xa4\xc3\xb6"
         "b",
         "0 6 6 1");
  check (fused,
         "a\xc3\xa4\xc3\xb6"
         "b",
         "0 6 1");
  trc_bpe_free (apart);
  trc_bpe_free (fused);
}

static void
test_scored (void)
{
  TrcBpe *bpe = trc_bpe_new ();
  static const struct {
    const char *text;
    float score;
  } tokens[] = { { "a", -9 },  { "b", -9 },     { "ab", -2 },
                 { "ba", -1 }, { "<0xC3>", 0 }, { "<0xA4>", 0 } };

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    trc_bpe_add (bpe, B (tokens[i].text), tokens[i].score, TRUE);
  trc_bpe_finish (bpe, TRC_BPE_BYTE_FALLBACK, TRUE, FALSE, TRC_BPE_NONE, FALSE);
  check (bpe, "aba", "0 3"); /* the better score, not the first pair */
  check (bpe, "\xc3\xa4", "4 5");
  trc_bpe_free (bpe);
}

/* A long run: the heap keeps it far from quadratic, and the result is balanced. */
static void
test_long (void)
{
  TrcBpe *bpe = trc_bpe_new ();
  g_autofree char *text = g_strnfill (1 << 18, 'a');
  g_autoptr (GArray) out = g_array_new (FALSE, FALSE, sizeof (TrcBpeToken));
  TrcBpeWork work;

  for (guint k = 0; k < 5; k++)
    {
      g_autofree char *token = g_strnfill (1u << k, 'a');
      trc_bpe_add (bpe, B (token), 0, TRUE);
    }
  for (guint k = 0; k < 4; k++)
    {
      g_autofree char *half = g_strnfill (1u << k, 'a');
      g_assert_true (trc_bpe_add_merge (bpe, B (half), B (half)));
    }
  trc_bpe_finish (bpe, TRC_BPE_BYTES, FALSE, FALSE, TRC_BPE_NONE, FALSE);
  trc_bpe_work_init (&work);
  trc_bpe_encode (bpe, B (text), &work, out);
  g_assert_cmpuint (out->len, ==, (1 << 18) / 16);
  trc_bpe_work_clear (&work);
  trc_bpe_free (bpe);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bpe/ranked", test_ranked);
  g_test_add_func ("/bpe/unknown", test_unknown);
  g_test_add_func ("/bpe/scored", test_scored);
  g_test_add_func ("/bpe/long", test_long);
  return g_test_run ();
}
