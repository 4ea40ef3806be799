#include "app/session/history.h"

static GVariant *
state (int number)
{
  return g_variant_new_int32 (number);
}

static int
number (GVariant *value)
{
  return value != NULL ? g_variant_get_int32 (value) : -1;
}

static void
test_undo_redo (void)
{
  g_autoptr (TrcHistory) history = trc_history_new (state (0));
  gint64 hour = G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC;

  g_assert_null (trc_history_undo_name (history));
  g_assert_cmpint (number (trc_history_undo (history)), ==, -1);
  g_assert_true (trc_history_push (history, "a", state (1), hour));
  g_assert_false (trc_history_push (history, "a", state (1), 2 * hour)); /* nothing changed */
  g_assert_true (trc_history_push (history, "b", state (2), 3 * hour));
  g_assert_cmpstr (trc_history_undo_name (history), ==, "b");
  g_assert_null (trc_history_redo_name (history));
  g_assert_cmpint (number (trc_history_undo (history)), ==, 1);
  g_assert_cmpstr (trc_history_redo_name (history), ==, "b");
  g_assert_cmpint (number (trc_history_undo (history)), ==, 0);
  g_assert_cmpint (number (trc_history_undo (history)), ==, -1);
  g_assert_cmpint (number (trc_history_redo (history)), ==, 1);
  g_assert_true (trc_history_push (history, "c", state (7), 4 * hour)); /* b is forgotten */
  g_assert_null (trc_history_redo_name (history));
  g_assert_cmpint (number (trc_history_redo (history)), ==, -1);
  g_assert_cmpint (number (trc_history_undo (history)), ==, 1);
}

/* A drag of a slider is one step; two drags with a pause between are two. */
static void
test_merging (void)
{
  g_autoptr (TrcHistory) history = trc_history_new (state (0));
  gint64 now = 100 * G_USEC_PER_SEC;

  for (int i = 1; i <= 50; i++)
    trc_history_push (history, "slider", state (i), now += G_USEC_PER_SEC / 30);
  trc_history_push (history, "slider", state (99), now + 5 * G_USEC_PER_SEC);
  g_assert_cmpint (number (trc_history_undo (history)), ==, 50);
  g_assert_cmpint (number (trc_history_undo (history)), ==, 0);
}

static void
test_depth (void)
{
  g_autoptr (TrcHistory) history = trc_history_new (state (0));
  guint n = 0;

  for (int i = 1; i < 2000; i++)
    trc_history_push (history, "x", state (i), (gint64)i * 10 * G_USEC_PER_SEC);
  while (trc_history_undo (history) != NULL)
    n++;
  g_assert_cmpuint (n, >=, 100);
  g_assert_cmpuint (n, <, 400);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/history/undo-redo", test_undo_redo);
  g_test_add_func ("/history/merging", test_merging);
  g_test_add_func ("/history/depth", test_depth);
  return g_test_run ();
}
