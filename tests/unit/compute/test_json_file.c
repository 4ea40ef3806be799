/* Typed members: absent keeps the default, wrong is an error that names file and key. */
#include "compute/formats/json_file.h"

#include "tests/support/shared_data.h"

#include <string.h>

static JsonObject *
load (const char *dir, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (dir, "x.json", NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return trc_json_load (path, error);
}

static void
test_values (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) json = load (
      dir, "{\"n\":5,\"x\":0.5,\"i\":2,\"b\":true,\"s\":\"t\",\"o\":{},\"null\":null}", &error);
  guint n = 1;
  float x = 1;
  gboolean b = FALSE;
  const char *s = NULL;
  JsonObject *o = NULL;

  g_assert_no_error (error);
  g_assert_true (trc_json_get_uint (json, "p", "n", 10, &n, &error) && n == 5);
  g_assert_true (trc_json_get_uint (json, "p", "null", 10, &n, &error) && n == 5);
  g_assert_true (trc_json_get_uint (json, "p", "absent", 10, &n, &error) && n == 5);
  g_assert_true (trc_json_get_float (json, "p", "x", &x, &error) && x == 0.5f);
  g_assert_true (trc_json_get_float (json, "p", "i", &x, &error) && x == 2.0f);
  g_assert_true (trc_json_get_bool (json, "p", "b", &b, &error) && b);
  g_assert_true (trc_json_get_string (json, "p", "s", &s, &error) && strcmp (s, "t") == 0);
  g_assert_true (trc_json_get_object (json, "p", "o", &o, &error) && o != NULL);
  trc_test_remove_tree (dir);
}

static void
test_wrong_types (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (JsonObject) json = load (
      dir, "{\"a\":\"5\",\"b\":-1,\"c\":0,\"d\":11,\"e\":1.5,\"f\":[1],\"g\":1e300}", NULL);
  const char *const keys[] = { "a", "b", "c", "d", "e", "f" };
  g_autoptr (GError) error = NULL;
  guint n = 7;
  float x = 7;
  gboolean b = TRUE;
  const char *s = "kept";
  JsonObject *o = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_assert_false (trc_json_get_uint (json, "cfg", keys[i], 10, &n, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, keys[i]));
      g_assert_nonnull (strstr (error->message, "cfg"));
      g_assert_cmpuint (n, ==, 7);
      g_clear_error (&error);
    }
  g_assert_false (trc_json_get_float (json, "cfg", "a", &x, NULL));
  g_assert_false (trc_json_get_float (json, "cfg", "g", &x, NULL));
  g_assert_false (trc_json_get_bool (json, "cfg", "b", &b, NULL));
  g_assert_false (trc_json_get_string (json, "cfg", "b", &s, NULL));
  g_assert_false (trc_json_get_object (json, "cfg", "f", &o, NULL));
  g_assert_cmpfloat (x, ==, 7);
  g_assert_cmpstr (s, ==, "kept");
  trc_test_remove_tree (dir);
}

static void
test_bad_files (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  const char *const texts[] = { "", "[1]", "{", "\"x\"", "{\"a\":}", "\xff\xfe" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (load (dir, texts[i], &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, "x.json"));
    }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-file/values", test_values);
  g_test_add_func ("/json-file/wrong-types", test_wrong_types);
  g_test_add_func ("/json-file/bad-files", test_bad_files);
  return g_test_run ();
}
