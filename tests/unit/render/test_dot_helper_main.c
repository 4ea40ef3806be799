#include "render/layout.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static TrcLayoutNode nodes[] = {
  { .row = 0, .column = -1, .w = 60, .h = 18 }, { .row = 0, .column = -1, .w = 40, .h = 18 },
  { .row = 1, .column = -1, .w = 8, .h = 8 },   { .row = 2, .column = -1, .w = 8, .h = 8 },
  { .row = 3, .column = -1, .w = 90, .h = 22 },
};
static const TrcLayoutEdge edges[] = { { 0, 2, 0.5 }, { 1, 2, 0.1 }, { 2, 3, 1 }, { 3, 4, 1 } };
static const TrcLayoutInput input = {
  .nodes = nodes, .n_nodes = 5, .edges = edges, .n_edges = 4, .n_rows = 4
};

/* A stand-in for the helper: a shell script with @body. */
static char *
fake_helper (const char *body)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("tracery-fake-XXXXXX", &path, NULL);
  g_autofree char *text = g_strconcat ("#!/bin/sh\n", body, "\n", NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_cmpint (g_chmod (path, 0755), ==, 0);
  return path;
}

static void
expect (const char *body, double deadline_s, TrcLayoutError code)
{
  g_autofree char *path = fake_helper (body);
  g_autoptr (GError) error = NULL;
  TrcDotParams params = { .deadline_s = deadline_s, .helper = path };

  g_assert_null (trc_layout_dot (&input, &params, NULL, &error));
  g_assert_error (error, TRC_LAYOUT_ERROR, (int)code);
  g_assert_true (g_str_has_suffix (error->message, "."));
  g_unlink (path);
}

static void
test_dot (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcLayout) layout = trc_layout_dot (&input, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (layout->at[4].y, <, layout->at[3].y); /* logits on top, y down */
  g_assert_cmpfloat (layout->at[3].y, <, layout->at[2].y);
  g_assert_cmpfloat (layout->at[2].y, <, layout->at[0].y);
  g_assert_cmpfloat_with_epsilon (layout->at[0].y, layout->at[1].y, 1e-6); /* one rank */
  g_assert_cmpfloat (fabs (layout->at[0].x - layout->at[1].x), >=, 50);    /* sizes are kept */

  g_autoptr (TrcLayout) again = trc_layout_dot (&input, NULL, NULL, &error);
  g_assert_cmpmem (layout->at, sizeof (TrcPoint) * 5, again->at, sizeof (TrcPoint) * 5);
}

static void
test_missing (void)
{
  g_autoptr (GError) error = NULL;
  TrcDotParams params = { .helper = "/nowhere/tracery-layout" };

  g_assert_null (trc_layout_dot (&input, &params, NULL, &error));
  g_assert_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_HELPER);
  g_clear_error (&error);

  g_autofree char *old = g_strdup (g_getenv ("TRACERY_LIBEXEC"));
  g_setenv ("TRACERY_LIBEXEC", "/nowhere", TRUE);
  g_assert_null (trc_layout_find_helper (&error));
  g_assert_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_HELPER);
  g_assert_nonnull (strstr (error->message, "/nowhere"));
  if (old != NULL)
    g_setenv ("TRACERY_LIBEXEC", old, TRUE);
  else
    g_unsetenv ("TRACERY_LIBEXEC");
}

static void
test_bad_helpers (void)
{
  expect ("kill -9 $$", 5, TRC_LAYOUT_ERROR_CRASHED);
  expect ("exit 1", 5, TRC_LAYOUT_ERROR_CRASHED);
  expect ("cat > /dev/null; exit 3", 5, TRC_LAYOUT_ERROR_CRASHED);
  expect ("echo hello", 5, TRC_LAYOUT_ERROR_REPLY);
  expect ("true", 5, TRC_LAYOUT_ERROR_REPLY);
  expect ("printf 'layout 1 5\\n1 2\\n1 2\\n1 2\\n1 2\\n'", 5, TRC_LAYOUT_ERROR_REPLY);
  expect ("printf 'layout 1 5\\n1 2\\n1 2\\n1 2\\n1 2\\n1 nan\\nend\\n'", 5,
          TRC_LAYOUT_ERROR_REPLY);
  expect ("printf 'layout 1 5\\n1 2\\n1 2\\n1 2\\n1 2\\n1 2\\nend\\nmore'", 5,
          TRC_LAYOUT_ERROR_REPLY);
  expect ("while :; do echo 1 2 3 4 5 6 7 8 9 10; done", 5, TRC_LAYOUT_ERROR_REPLY);
  expect ("exec sleep 30", 0.3, TRC_LAYOUT_ERROR_TIMEOUT);
  expect ("exec >&-; exec sleep 30", 0.3, TRC_LAYOUT_ERROR_TIMEOUT);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (100000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancel (void)
{
  g_autofree char *path = fake_helper ("exec sleep 30");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcDotParams params = { .deadline_s = 60, .helper = path };
  GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

  g_assert_null (trc_layout_dot_or_layered (&input, &params, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
  g_unlink (path);
}

static void
test_falls_back (void)
{
  TrcDotParams params = { .helper = "/nowhere/tracery-layout" };
  g_autoptr (TrcLayout) layout = trc_layout_dot_or_layered (&input, &params, NULL, NULL);

  g_assert_true (layout->fell_back);
  g_assert_nonnull (strstr (layout->message, "layered layout"));
  g_assert_cmpuint (layout->sweeps, >, 0);
}

static void
test_too_large (void)
{
  g_autofree TrcLayoutNode *many = g_new0 (TrcLayoutNode, 201);
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < 201; i++)
    many[i] = (TrcLayoutNode){ .column = -1, .w = 8, .h = 8, .row = 1, .last_row = 1 };
  TrcLayoutInput in = { .nodes = many, .n_nodes = 201, .n_rows = 3 };
  TrcDotParams force = { .force = TRUE };

  g_assert_null (trc_layout_dot (&in, NULL, NULL, &error));
  g_assert_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_TOO_LARGE);
  g_autoptr (TrcLayout) layout = trc_layout_dot (&in, &force, NULL, NULL);
  g_assert_nonnull (layout);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dot/lays-out", test_dot);
  g_test_add_func ("/dot/missing", test_missing);
  g_test_add_func ("/dot/bad-helpers", test_bad_helpers);
  g_test_add_func ("/dot/cancel", test_cancel);
  g_test_add_func ("/dot/falls-back", test_falls_back);
  g_test_add_func ("/dot/too-large", test_too_large);
  return g_test_run ();
}
