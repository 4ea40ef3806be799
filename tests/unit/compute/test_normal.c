#include "compute/text/normal.h"

#include <string.h>

/* e + combining acute becomes one character that stands for all three bytes. */
static void
test_compose (void)
{
  const char text[] = "xe\xcc\x81y";
  TrcNormal n;

  trc_normal_init (&n, (TrcBytes){ text, sizeof text - 1 }, 10);
  trc_normal_form (&n, G_NORMALIZE_NFC);
  g_assert_cmpstr (n.text->str, ==, "x\xc3\xa9y");
  TrcSpan s = trc_normal_span (&n, 1, 2);
  g_assert_cmpuint (s.first, ==, 11);
  g_assert_cmpuint (s.end, ==, 14);
  s = trc_normal_span (&n, 3, 1);
  g_assert_cmpuint (s.first, ==, 14);
  g_assert_cmpuint (s.end, ==, 15);
  trc_normal_clear (&n);
}

static void
test_replace_and_prepend (void)
{
  TrcNormal n;

  trc_normal_init (&n, (TrcBytes){ "a b", 3 }, 0);
  g_assert_null (n.first); /* nothing rewritten, no table */
  trc_normal_prepend (&n, "_");
  trc_normal_replace (&n, " ", "__");
  g_assert_cmpstr (n.text->str, ==, "_a__b");
  TrcSpan s = trc_normal_span (&n, 0, 1);
  g_assert_cmpuint (s.first, ==, 0);
  g_assert_cmpuint (s.end, ==, 0);
  s = trc_normal_span (&n, 2, 2);
  g_assert_cmpuint (s.first, ==, 1);
  g_assert_cmpuint (s.end, ==, 2);
  s = trc_normal_span (&n, 4, 1);
  g_assert_cmpuint (s.first, ==, 2);
  trc_normal_clear (&n);
}

/* Cluster by cluster gives what normalising the whole gives. */
static void
test_clusters (void)
{
  static const char *const texts[] = {
    "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab\xe1\x84\x80\xe1\x85\xb3\xe1\x86\xaf", /* Hangul jamo */
    "a\xcc\x8a\xcc\x81 o\xcc\x82\xcc\xa3 plain",
    "\xef\xac\x81 \xe2\x84\xab",
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      TrcNormal n;
      g_autofree char *whole = g_utf8_normalize (texts[i], -1, G_NORMALIZE_NFC);
      trc_normal_init (&n, (TrcBytes){ texts[i], strlen (texts[i]) }, 0);
      trc_normal_form (&n, G_NORMALIZE_NFC);
      g_assert_cmpstr (n.text->str, ==, whole);
      g_assert_cmpuint (trc_normal_span (&n, 0, n.text->len).end, ==, strlen (texts[i]));
      trc_normal_clear (&n);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/normal/compose", test_compose);
  g_test_add_func ("/normal/replace-and-prepend", test_replace_and_prepend);
  g_test_add_func ("/normal/clusters", test_clusters);
  return g_test_run ();
}
