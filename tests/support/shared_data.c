#include "tests/support/shared_data.h"

#include <gio/gio.h>

char *
trc_test_source (const char *rel)
{
  return g_build_filename (TRC_TEST_SOURCE_ROOT, rel, NULL);
}

char *
trc_test_shared (const char *rel)
{
  const char *named = g_getenv ("TRACERY_SHARED");
  g_autofree char *root = named != NULL
                              ? g_strdup (named)
                              : g_build_filename (TRC_TEST_SOURCE_ROOT, "..", "shared", NULL);
  g_autofree char *path = g_build_filename (root, rel, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_test_skip ("reference data absent; TRACERY_SHARED names its folder");
  return NULL;
}

char *
trc_test_temp_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *path = g_dir_make_tmp ("tracery-test-XXXXXX", &error);

  g_assert_no_error (error);
  return path;
}

void
trc_test_remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);
      trc_test_remove_tree (child);
    }
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_file_delete (file, NULL, NULL);
}
