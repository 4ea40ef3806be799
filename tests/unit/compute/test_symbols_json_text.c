#include "compute/graph/json_text.h"
#include "compute/graph/symbols.h"

#include <math.h>
#include <string.h>

static void
test_symbols (void)
{
  g_autoptr (TrcSymbols) symbols = trc_symbols_new ();

  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < 20000; i++)
      {
        g_autofree char *text = g_strdup_printf ("%u_%u_%u and more", i % 7, i, i % 3);
        gsize len = strcspn (text, " ");

        g_assert_cmpuint (trc_symbols_add (symbols, text, len), ==, i);
        text[len] = '\0';
        g_assert_cmpstr (trc_symbols_text (symbols, i), ==, text);
      }
  g_assert_cmpuint (trc_symbols_count (symbols), ==, 20000);
  g_assert_cmpuint (trc_symbols_add (symbols, "", 0), ==, 20000);
  g_assert_cmpuint (trc_symbols_add (symbols, "x", 0), ==, 20000);
}

static void
test_strings (void)
{
  g_autoptr (GString) out = g_string_new (NULL);

  trc_json_append_string (out, "a\"\\\n\t\x01\xc3\xbc", 8);
  g_assert_cmpstr (out->str, ==, "\"a\\\"\\\\\\n\\t\\u0001\xc3\xbc\"");
  g_string_truncate (out, 0);
  trc_json_append_string (out, "a\0b", 3);
  g_assert_cmpstr (out->str, ==, "\"a\\u0000b\"");
}

/* Every double comes back as itself, whatever the locale's decimal point. */
static void
test_numbers (void)
{
  static const double values[] = { 0,
                                   -0.5,
                                   0.1,
                                   1e300,
                                   5e-324,
                                   0.1 + 0.2,
                                   1e15,
                                   123456789,
                                   2.0 / 3,
                                   1e-7,
                                   -1e22,
                                   0.8970111012458801,
                                   4503599627370497.5 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  double back;

  for (guint i = 0; i < 5000; i++)
    {
      double value = i < G_N_ELEMENTS (values) ? values[i]
                                               : ldexp (g_rand_double_range (rand, -1, 1),
                                                        g_rand_int_range (rand, -300, 300));
      g_autoptr (GString) out = g_string_new (NULL);

      if (i % 3 == 0)
        value = (float)value;
      if (!isfinite (value))
        continue;
      trc_json_append_number (out, value);
      g_assert_true (trc_json_parse_number (out->str, out->len, &back));
      g_assert_cmpfloat (back, ==, value);
    }
  g_autoptr (GString) nan = g_string_new (NULL);
  trc_json_append_number (nan, NAN);
  g_assert_cmpstr (nan->str, ==, "null");
}

/* What is read is what strtod() reads, for texts of every length and near the middle of
 * two doubles. */
static void
test_exact (void)
{
  static const char *const hard[] = {
    "9007199254740993",     "9007199254740992.5",  "0.1",  "-0",
    "4503599627370496.5",   "4503599627370497.5",  "1.",   "0.000000000000000000000000001",
    "18446744073709551615", "9999999999999999999", "00.5", "-.5"
  };
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);

  for (guint i = 0; i < 200000; i++)
    {
      g_autoptr (GString) text = g_string_new (i % 2 == 0 ? "" : "-");
      double value;
      guint n = (guint)g_rand_int_range (rand, 1, 22);
      guint point = (guint)g_rand_int_range (rand, 0, 24);

      if (i < G_N_ELEMENTS (hard))
        g_string_assign (text, hard[i]);
      else if (i % 5 == 0)
        g_string_append_printf (text, "%.17g", fabs (g_rand_double (rand) - 0.5));
      else
        for (guint k = 0; k < n; k++)
          g_string_append_printf (text, k == point ? ".%d" : "%d",
                                  g_rand_int_range (rand, k == 0 ? 1 : 0, 10));
      g_assert_true (trc_json_parse_number (text->str, text->len, &value));
      g_assert_cmpfloat (value, ==, g_ascii_strtod (text->str, NULL));
    }
}

static void
test_parse (void)
{
  g_autofree char *digits = g_strnfill (5000, '1');
  double number;
  gint64 integer;

  g_assert_true (trc_json_parse_number ("1e2,", 3, &number));
  g_assert_cmpfloat (number, ==, 100);
  g_assert_false (trc_json_parse_number ("1e999", 5, &number));
  g_assert_false (trc_json_parse_number ("", 0, &number));
  g_assert_false (trc_json_parse_number ("12x", 3, &number));
  g_assert_false (trc_json_parse_number (digits, 5000, &number));
  g_assert_true (trc_json_parse_integer ("-9223372036854775808", 20, &integer));
  g_assert_cmpint (integer, ==, G_MININT64);
  g_assert_true (trc_json_parse_integer ("12.0", 4, &integer));
  g_assert_cmpint (integer, ==, 12);
  g_assert_true (trc_json_parse_integer ("1e3", 3, &integer));
  g_assert_cmpint (integer, ==, 1000);
  g_assert_false (trc_json_parse_integer ("9223372036854775808", 19, &integer));
  g_assert_false (trc_json_parse_integer ("1.5", 3, &integer));
  g_assert_false (trc_json_parse_integer (" 3", 2, &integer));
  g_assert_false (trc_json_parse_integer ("", 0, &integer));
  g_assert_false (trc_json_parse_integer ("E", 1, &integer));
}

static void
test_short (void)
{
  g_autofree char *dirty = trc_json_dup_short ("a\nb\xff");
  g_autofree char *ascii = g_strnfill (300, 'x');
  g_autofree char *cut = trc_json_dup_short (ascii);

  g_assert_cmpstr (dirty, ==, "a b\xef\xbf\xbd");
  g_assert_cmpuint (strlen (cut), ==, 43);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/symbols/many", test_symbols);
  g_test_add_func ("/json-text/strings", test_strings);
  g_test_add_func ("/json-text/numbers", test_numbers);
  g_test_add_func ("/json-text/exact", test_exact);
  g_test_add_func ("/json-text/parse", test_parse);
  g_test_add_func ("/json-text/short", test_short);
  return g_test_run ();
}
