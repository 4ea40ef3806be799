/* Writing safetensors: what is written is read back, and nothing is left half-written. */
#include "compute/safetensors.h"

#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <string.h>

static const float values[] = { 1, -2, 3.5f, 0, 1e-30f, 6 };
static const gint64 state[] = { -1, G_MAXINT64 };

static const TrcFileOutput outputs[] = {
  { "matrix", TRC_FILE_F32, 2, { 2, 3 }, values },
  { "state", TRC_FILE_I64, 1, { 2 }, state },
  { "quote \" and \\", TRC_FILE_U8, 1, { 3 }, "abc" },
};

static void
test_round_trip (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "x.safetensors", NULL);
  const char *const metadata[] = { "made by", "a \"test\"", NULL };
  g_autoptr (GError) error = NULL;
  float back[6];

  g_assert_true (
      trc_safetensors_write (path, outputs, G_N_ELEMENTS (outputs), metadata, &error));
  g_assert_no_error (error);
  g_autoptr (TrcSafetensors) file = trc_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_safetensors_n_tensors (file), ==, 3);
  g_assert_cmpstr (trc_safetensors_metadata (file, "made by"), ==, "a \"test\"");
  g_assert_true (
      trc_file_tensor_to_f32 (trc_safetensors_find (file, "matrix"), 0, 6, back, &error));
  g_assert_cmpmem (back, sizeof back, values, sizeof values);
  g_assert_cmpmem (trc_safetensors_find (file, "state")->data, 16, state, 16);
  g_assert_cmpmem (trc_safetensors_find (file, "quote \" and \\")->data, 3, "abc", 3);
  trc_test_remove_tree (dir);
}

static void
test_same_bytes (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *text[2] = { NULL, NULL };
  gsize n[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%u", dir, i);

      g_assert_true (trc_safetensors_write (path, outputs, 3, NULL, NULL));
      g_assert_true (g_file_get_contents (path, &text[i], &n[i], NULL));
    }
  g_assert_cmpmem (text[0], n[0], text[1], n[1]);
  g_free (text[1]);
  text[1] = NULL;
  trc_test_remove_tree (dir);
}

/* A failed write says so, names the file and leaves what was there. */
static void
test_failure (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "folder", NULL);
  g_autofree char *inside = g_build_filename (path, "missing", "x.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) left = NULL;

  g_assert_cmpint (g_mkdir (path, 0755), ==, 0);
  g_assert_false (trc_safetensors_write (inside, outputs, 3, NULL, &error));
  g_assert_nonnull (strstr (error->message, inside));
  g_clear_error (&error);
  g_assert_false (trc_safetensors_write (path, outputs, 3, NULL, &error));
  g_assert_nonnull (error);
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_DIR));
  left = g_dir_open (dir, 0, NULL);
  g_assert_cmpstr (g_dir_read_name (left), ==, "folder");
  g_assert_null (g_dir_read_name (left));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors-write/round-trip", test_round_trip);
  g_test_add_func ("/safetensors-write/same-bytes", test_same_bytes);
  g_test_add_func ("/safetensors-write/failure", test_failure);
  return g_test_run ();
}
