#include "compute/error.h"
#include "compute/graph/json_stream.h"

#include <string.h>

/* Descends into what is called "in" and into the document, takes the rest whole, and
 * writes down what it sees. */
static gboolean
on_enter (gpointer data, const char *key, gboolean is_array, gboolean *descend, GError **error)
{
  GString *seen = data;

  *descend = *key == '\0' || strcmp (key, "in") == 0;
  if (*descend)
    g_string_append_printf (seen, "%s%c ", key, is_array ? '[' : '{');
  return TRUE;
}

static gboolean
on_leave (gpointer data, GError **error)
{
  g_string_append (data, "} ");
  return TRUE;
}

static gboolean
on_value (gpointer data, const char *key, const TrcJsonValue *value, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (trc_json_value_is (value, "refuse"))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "refused");
      return FALSE;
    }
  trc_json_append_member (text, key, value);
  g_string_append_printf (data, "%s ", text->str);
  return TRUE;
}

static char *
read_all (const char *text, GError **error)
{
  static const TrcJsonHandler handler = { on_enter, on_leave, on_value };
  g_autoptr (GInputStream) stream =
      g_memory_input_stream_new_from_data (text, (gssize)strlen (text), NULL);
  g_autoptr (GString) seen = g_string_new (NULL);

  if (!trc_json_stream_read (stream, -1, "f", &handler, seen, NULL, error))
    return NULL;
  return g_strdup (seen->str);
}

static void
test_pieces (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *seen =
      read_all ("{\"a\": 1.50, \"in\": [null, true, \"x\\\"\", [1, [2, {\"k\": []}]]],"
                " \"o\": {\"p\": {}, \"q\": [false, \"\\u00e9\"]}, \"z\": -3e-2}",
                &error);

  g_assert_no_error (error);
  g_assert_cmpstr (seen, ==,
                   "{ \"a\":1.50 in[ \"\":null \"\":true \"\":\"x\\\"\" [ \"\":1 [ \"\":2 { "
                   "\"k\":[] } } } } "
                   "\"o\":{\"p\":{},\"q\":[false,\"\xc3\xa9\"]} \"z\":-3e-2 } ");
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_all ("{\"a\": 1,\n\n \"b\": \"refuse\",\n\"c\": 2}", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "f, line 3: refused.");
}

/* The line of a defect behind any number of lines of any length. */
static void
test_lines (void)
{
  g_autoptr (GString) text = g_string_new ("[");

  for (guint line = 1; line < 200; line++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *broken = g_strconcat (text->str, "\"refuse\"]", NULL);
      g_autofree char *want = g_strdup_printf ("f, line %u: refused.", line);

      g_assert_null (read_all (broken, &error));
      g_assert_cmpstr (error->message, ==, want);
      g_string_append_printf (text, "%*d,\n", (int)(line * 7 % 31), 1);
    }
}

static void
test_broken (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_all ("{\"a\": [1, 2", &error));
  g_assert_nonnull (strstr (error->message, "cut off"));
  g_clear_error (&error);
  g_assert_null (read_all ("{\"a\": [1, 2]]", &error));
  g_assert_nonnull (strstr (error->message, "not valid JSON"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-stream/pieces", test_pieces);
  g_test_add_func ("/json-stream/refused", test_refused);
  g_test_add_func ("/json-stream/lines", test_lines);
  g_test_add_func ("/json-stream/broken", test_broken);
  return g_test_run ();
}
