#include "compute/json.h"

#include "compute/error.h"

static void
test_members (void)
{
  g_autoptr (GError) error = NULL;
  const char text[] = "{\"a\": 1, \"b\": \"x\", \"c\": [true, {\"d\": 2.5}], \"n\": null}";
  g_autoptr (JsonNode) root = trc_json_parse (text, sizeof text - 1, "t.json", &error);

  g_assert_no_error (error);
  JsonObject *o = json_node_get_object (root);
  g_assert_cmpint (trc_json_int (o, "a", -1), ==, 1);
  g_assert_cmpfloat (trc_json_double (o, "a", -1), ==, 1);
  g_assert_cmpint (trc_json_int (o, "b", -1), ==, -1);
  g_assert_cmpstr (trc_json_string (o, "b", NULL), ==, "x");
  g_assert_cmpstr (trc_json_string (o, "n", "none"), ==, "none");
  g_assert_null (trc_json_object (o, "c"));
  JsonArray *c = trc_json_array (o, "c");
  g_assert_null (trc_json_element_object (c, 0));
  g_assert_null (trc_json_element_string (c, 0));
  g_assert_cmpfloat (trc_json_double (trc_json_element_object (c, 1), "d", 0), ==, 2.5);
  g_assert_true (trc_json_bool (NULL, "z", TRUE));
}

static void
test_hostile (void)
{
  g_autofree char *deep = g_strnfill (5 << 20, '[');
  const char *texts[] = { deep, "", "{", "{\"a\": }", "[1, 2" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) root =
          trc_json_parse (texts[i], strlen (texts[i]), "bad.json", &error);
      g_assert_null (root);
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "bad.json"));
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (trc_json_read ("/nonexistent/x.json", 100, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/members", test_members);
  g_test_add_func ("/json/hostile", test_hostile);
  return g_test_run ();
}
