#include <glib/gstdio.h>

#include "app/outline.h"
#include "app/session.h"
#include "compute/graph_file.h"
#include "small_graph.h"
#include "tests/support/shared_data.h"

#define PATIENCE_S 60

typedef struct {
  TrcSession *session;
  char *folder;
  char *path;
  char *said;
  gboolean said_error;
} Fixture;

static void
on_message (TrcSession *session, const char *sentence, gboolean is_error, Fixture *self)
{
  g_free (self->said);
  self->said = g_strdup (sentence);
  self->said_error = is_error;
}

static void
set_up (Fixture *self, gconstpointer unused)
{
  g_autoptr (TrcGraph) graph = small_graph_new ();
  GError *error = NULL;

  self->session = trc_session_new ();
  self->folder = trc_test_temp_dir ();
  self->path = g_build_filename (self->folder, "small.json", NULL);
  trc_graph_write (graph, self->path, &error);
  g_assert_no_error (error);
  g_signal_connect (self->session, "message", G_CALLBACK (on_message), self);
}

static void
tear_down (Fixture *self, gconstpointer unused)
{
  trc_session_close (self->session);
  while (g_main_context_iteration (NULL, FALSE)) /* answers on their way hold the session */
    ;
  g_assert_finalize_object (self->session);
  trc_test_remove_tree (self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->said);
}

/* Runs the main loop until @done says so; a test that waits for ever fails. */
static void
turn_until (gboolean (*done) (Fixture *self), Fixture *self)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;

  while (!done (self))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
    }
}

static gboolean
is_idle (Fixture *self)
{
  return !trc_session_get_busy (self->session);
}

static gboolean
has_scene (Fixture *self)
{
  return trc_session_get_scene (self->session) != NULL;
}

static guint scenes_before;

static gboolean
has_new_scene (Fixture *self)
{
  return trc_session_get_n_scenes (self->session) > scenes_before;
}

static void
open_small (Fixture *self)
{
  trc_session_open (self->session, self->path);
  turn_until (has_scene, self);
}

static void
test_opens (Fixture *self, gconstpointer unused)
{
  g_autoptr (TrcOutlineItem) root = NULL;

  g_assert_cmpstr (trc_session_get_title (self->session), ==, "");
  g_assert_null (trc_session_get_digest (self->session));
  open_small (self);
  g_assert_cmpstr (trc_session_get_title (self->session), ==, "one two");
  g_assert_cmpstr (trc_session_get_subtitle (self->session), ==, "tiny · 8 nodes, 9 links");
  g_assert_cmpstr (trc_session_get_path (self->session), ==, self->path);
  g_assert_cmpfloat (trc_session_get_view (self->session)->node_share, ==, 1); /* small: all */
  g_assert_cmpuint (trc_session_get_info (self->session)->nodes_shown, ==, 8);
  root = g_list_model_get_item (trc_session_get_outline (self->session), 0);
  g_assert_nonnull (root);
}

static void
test_missing_file (Fixture *self, gconstpointer unused)
{
  open_small (self);
  trc_session_open (self->session, "/no/such/graph.json");
  turn_until (is_idle, self);
  g_assert_true (self->said_error);
  g_assert_nonnull (strstr (self->said, "graph.json"));
  g_assert_cmpstr (trc_session_get_title (self->session), ==, "one two"); /* still there */
}

/* Only what was asked for last becomes the document. */
static void
test_late_answers_are_dropped (Fixture *self, gconstpointer unused)
{
  g_autofree char *other = g_build_filename (self->folder, "other.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GString) changed = NULL;

  g_assert_true (g_file_get_contents (self->path, &text, NULL, NULL));
  changed = g_string_new (text);
  g_string_replace (changed, "one two", "three four", 0);
  g_assert_true (g_file_set_contents (other, changed->str, -1, NULL));
  trc_session_open (self->session, self->path);
  trc_session_open (self->session, other);
  turn_until (is_idle, self);
  g_assert_cmpstr (trc_session_get_title (self->session), ==, "three four");
  g_assert_cmpstr (trc_session_get_path (self->session), ==, other);
}

static void
test_cancelled_open (Fixture *self, gconstpointer unused)
{
  trc_session_open (self->session, self->path);
  trc_session_cancel_all (self->session);
  turn_until (is_idle, self);
  g_assert_null (trc_session_get_digest (self->session));
  g_assert_false (self->said_error);
  g_assert_true (g_str_has_prefix (self->said, "Cancelled"));
}

/* Twenty moves of a slider while one scene is being built cost two scenes, not twenty. */
static void
test_slider_work (Fixture *self, gconstpointer unused)
{
  open_small (self);
  scenes_before = trc_session_get_n_scenes (self->session);
  for (guint i = 1; i <= 20; i++)
    trc_session_set_node_share (self->session, 1 - i * 0.02);
  turn_until (has_new_scene, self);
  scenes_before++;
  turn_until (has_new_scene, self);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (trc_session_get_n_scenes (self->session), ==, scenes_before + 1);
  g_assert_cmpuint (trc_session_get_info (self->session)->nodes_shown, <, 8);
}

static void
test_undo (Fixture *self, gconstpointer unused)
{
  open_small (self);
  g_assert_null (trc_session_can_undo (self->session));
  trc_session_set_hide_errors (self->session, TRUE);
  trc_session_toggle_group (self->session, 1);
  g_assert_true (trc_session_is_opened (self->session, 1));
  g_assert_cmpstr (trc_session_can_undo (self->session), ==, "opening a block");
  trc_session_undo (self->session);
  g_assert_false (trc_session_is_opened (self->session, 1));
  trc_session_undo (self->session);
  g_assert_false (trc_session_get_view (self->session)->hide_errors);
  g_assert_null (trc_session_can_undo (self->session));
  trc_session_redo (self->session);
  trc_session_redo (self->session);
  g_assert_true (trc_session_is_opened (self->session, 1));
  g_assert_cmpuint (trc_session_get_view (self->session)->n_opened, ==, 1);
  trc_session_set_layout (self->session, TRC_VIEW_OWN); /* no change, no step */
  g_assert_cmpstr (trc_session_can_undo (self->session), ==, "opening a block");
}

static void
count (TrcSession *session, guint *n)
{
  (*n)++;
}

static void
test_selection (Fixture *self, gconstpointer unused)
{
  const TrcRef refs[] = { { TRC_REF_NODE, SMALL_B }, { TRC_REF_GROUP, 0 } };
  g_autoptr (TrcFacts) facts = NULL;
  guint n = 0, n_selected;

  open_small (self);
  g_signal_connect (self->session, "selection-changed", G_CALLBACK (count), &n);
  g_assert_null (trc_session_dup_facts (self->session, 5));
  trc_session_select (self->session, refs, 2);
  trc_session_select (self->session, refs, 2);
  g_assert_cmpuint (n, ==, 1);
  trc_session_get_selection (self->session, &n_selected);
  g_assert_cmpuint (n_selected, ==, 2);
  facts = trc_session_dup_facts (self->session, 5);
  g_assert_cmpstr (facts->title, ==, "b");
  trc_session_select (self->session, NULL, 0);
  g_assert_cmpuint (n, ==, 2);
}

/* Closed with work under way: no answer comes, nothing is left running. */
static void
test_close_in_flight (Fixture *self, gconstpointer unused)
{
  trc_session_open (self->session, self->path);
  trc_session_close (self->session);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_null (trc_session_get_digest (self->session));
  trc_session_close (self->session); /* twice is fine */
}

static void
test_export (Fixture *self, gconstpointer unused)
{
  g_autofree char *svg = g_build_filename (self->folder, "figure.svg", NULL);
  g_autofree char *json = g_build_filename (self->folder, "copy.json", NULL);
  g_autofree char *text = NULL;
  g_autoptr (TrcGraph) copy = NULL;
  TrcExportOptions options;

  open_small (self);
  trc_export_options_init (&options);
  trc_session_export (self->session, svg, &options);
  trc_session_export (self->session, json, &options);
  turn_until (is_idle, self);
  g_assert_true (g_file_get_contents (svg, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "</svg>"));
  copy = trc_graph_read (json, NULL, NULL);
  g_assert_nonnull (copy);
  g_assert_cmpuint (trc_graph_n_nodes (copy), ==, SMALL_N);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/session/opens", test_opens },
    { "/session/missing-file", test_missing_file },
    { "/session/late-answers", test_late_answers_are_dropped },
    { "/session/cancelled-open", test_cancelled_open },
    { "/session/slider-work", test_slider_work },
    { "/session/undo", test_undo },
    { "/session/selection", test_selection },
    { "/session/close-in-flight", test_close_in_flight },
    { "/session/export", test_export },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
