/* tests/support/shared_data.h - finds the reference data that lies beside the source tree
 *
 * The folder is named by the environment variable TRACERY_SHARED, else it is "shared" next to
 * the source tree. It is not part of the repository, so a test that needs it skips itself
 * where it is absent:
 *
 *   g_autofree char *path = trc_test_shared ("graphs/gemma2-clt-bee.json");
 *   if (path == NULL)
 *     return; // already marked as skipped
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Path of a file or folder of the reference data, or NULL after g_test_skip() when it is not
 * there. Owned by the caller. */
char *trc_test_shared (const char *rel) G_GNUC_WARN_UNUSED_RESULT;

/* Path of a file of the source tree, "data/models/modadd-113". Owned by the caller. */
char *trc_test_source (const char *rel) G_GNUC_WARN_UNUSED_RESULT;

/* Path of a fresh empty folder below the temporary one; trc_test_remove_tree() takes it away.
 * Owned by the caller. */
char *trc_test_temp_dir (void) G_GNUC_WARN_UNUSED_RESULT;

/* Removes a folder with everything in it; links are removed, not followed. */
void trc_test_remove_tree (const char *path);

G_END_DECLS
