#include <math.h>

#include "ui/common/words.h"

static void
test_refs (void)
{
  TrcRef ref;
  g_autofree char *text = trc_ref_to_text ((TrcRef){ TRC_REF_GROUP, 12 });

  g_assert_cmpstr (text, ==, "group:12");
  g_assert_true (trc_ref_from_text ("node:18446744073709551615", &ref));
  g_assert_cmpint (ref.kind, ==, TRC_REF_NODE);
  g_assert_true (ref.id == G_MAXUINT64);
  g_assert_true (trc_ref_from_text (text, &ref));
  g_assert_cmpint (ref.kind, ==, TRC_REF_GROUP);
  g_assert_false (trc_ref_from_text ("", &ref));
  g_assert_false (trc_ref_from_text ("node", &ref));
  g_assert_false (trc_ref_from_text ("node:", &ref));
  g_assert_false (trc_ref_from_text ("node:1x", &ref));
  g_assert_false (trc_ref_from_text ("nodes:1", &ref));
}

static void
assert_text (char *text, const char *wanted)
{
  g_assert_cmpstr (text, ==, wanted);
  g_free (text);
}

static void
test_numbers (void)
{
  assert_text (trc_signed_text (0.416), "+0.42");
  assert_text (trc_signed_text (-0.03), "−0.03");
  assert_text (trc_signed_text (NAN), "–");
  assert_text (trc_percent_text (0.984), "98.4 %");
  assert_text (trc_percent_text (0.00025), "0.03 %");
  assert_text (trc_percent_text (1e-9), "< 0.01 %");
  assert_text (trc_percent_text (0), "0.0 %");
  g_assert_null (trc_time_left_text (-1));
  assert_text (trc_time_left_text (14.2), "about 14 s left");
  assert_text (trc_time_left_text (240), "about 4 min left");
}

static void
test_tokens (void)
{
  assert_text (trc_token_text (" Texas"), "Texas");
  assert_text (trc_token_text ("\n"), "⏎");
  assert_text (trc_token_text ("  "), "␣␣");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/refs", test_refs);
  g_test_add_func ("/words/numbers", test_numbers);
  g_test_add_func ("/words/tokens", test_tokens);
  return g_test_run ();
}
