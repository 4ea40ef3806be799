/* Names and pins given in a session: undone, done again, saved and read back. */
#include "app/session.h"
#include "compute/graph_file.h"
#include "small_graph.h"
#include "tests/support/shared_data.h"

#define PATIENCE_S 60

typedef struct {
  TrcSession *session;
  char *folder, *path, *copy;
} Fixture;

static void
turn_until_idle (Fixture *self)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;

  while (trc_session_get_busy (self->session) || trc_session_get_scene (self->session) == NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
    }
}

static void
turn_until_marked (Fixture *self, guint n_labels, guint n_pins)
{
  gint64 end = g_get_monotonic_time () + PATIENCE_S * G_USEC_PER_SEC;
  const TrcGraphMarks *marks;

  do
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (500);
      marks = trc_graph_marks (trc_digest_graph (trc_session_get_digest (self->session)));
  } while (marks->n_labels != n_labels || marks->n_pins != n_pins);
}

static void
set_up (Fixture *self, gconstpointer unused)
{
  g_autoptr (TrcGraph) graph = small_graph_new ();
  GError *error = NULL;

  self->session = trc_session_new ();
  self->folder = trc_test_temp_dir ();
  self->path = g_build_filename (self->folder, "small.json", NULL);
  self->copy = g_build_filename (self->folder, "copy.json", NULL);
  trc_graph_write (graph, self->path, &error);
  g_assert_no_error (error);
  trc_session_open (self->session, self->path);
  turn_until_idle (self);
}

static void
tear_down (Fixture *self, gconstpointer unused)
{
  trc_session_close (self->session);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (self->session);
  trc_test_remove_tree (self->folder);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->copy);
}

static TrcGraph *
saved (Fixture *self)
{
  TrcExportOptions options;
  GError *error = NULL;
  TrcGraph *graph;

  trc_export_options_init (&options);
  trc_session_export (self->session, self->copy, &options);
  turn_until_idle (self);
  graph = trc_graph_read (self->copy, NULL, &error);
  g_assert_no_error (error);
  return graph;
}

static void
assert_same_marks (const TrcGraph *a, const TrcGraph *b)
{
  const TrcGraphMarks *ma = trc_graph_marks (a), *mb = trc_graph_marks (b);

  g_assert_cmpmem (ma->pins, ma->n_pins * sizeof *ma->pins, mb->pins,
                   mb->n_pins * sizeof *mb->pins);
  g_assert_cmpuint (ma->n_supernodes, ==, mb->n_supernodes);
  g_assert_cmpuint (ma->n_labels, ==, mb->n_labels);
  for (gsize i = 0; i < ma->n_labels; i++)
    {
      g_assert_cmpuint (ma->labels[i].node, ==, mb->labels[i].node);
      g_assert_cmpstr (ma->labels[i].label, ==, mb->labels[i].label);
    }
}

static void
assert_name (Fixture *self, guint32 node, const char *wanted)
{
  g_autofree char *name = trc_session_dup_name (self->session, node);

  g_assert_cmpstr (name, ==, wanted);
}

static void
test_round_trip (Fixture *self, gconstpointer unused)
{
  const TrcRef ref = { TRC_REF_NODE, SMALL_B };
  g_autoptr (TrcFacts) facts = NULL;
  g_autoptr (TrcGraph) read = NULL;
  g_autoptr (TrcGraph) again = NULL;

  trc_session_rename (self->session, SMALL_B, "  says \"b\" ");
  trc_session_rename (self->session, SMALL_A, "ä");
  trc_session_set_pinned (self->session, SMALL_REST, TRUE);
  read = saved (self); /* does not wait for the scene */
  turn_until_marked (self, 2, 1);
  assert_same_marks (trc_digest_graph (trc_session_get_digest (self->session)), read);
  g_assert_cmpstr (trc_graph_marks (read)->labels[0].label, ==, "says \"b\"");
  g_assert_cmpuint (trc_graph_marks (read)->pins[0], ==, SMALL_REST);
  g_assert_cmpuint (trc_graph_n_edges (read), ==, 9);
  trc_session_select (self->session, &ref, 1);
  facts = trc_session_dup_facts (self->session, 5);
  g_assert_cmpstr (facts->title, ==, "says \"b\"");

  trc_session_open (self->session, self->copy);
  turn_until_idle (self);
  g_assert_cmpstr (trc_session_get_path (self->session), ==, self->copy);
  g_assert_null (trc_session_can_undo (self->session));
  assert_name (self, SMALL_A, "ä");
  g_assert_true (trc_session_is_pinned (self->session, SMALL_REST));
  again = saved (self);
  assert_same_marks (read, again);
}

static void
test_undo (Fixture *self, gconstpointer unused)
{
  g_autoptr (TrcGraph) before = NULL;
  g_autoptr (TrcGraph) undone = NULL;
  g_autoptr (TrcGraph) redone = NULL;

  before = trc_graph_read (self->path, NULL, NULL);
  trc_session_rename (self->session, SMALL_B, "new");
  trc_session_rename (self->session, SMALL_A, "new"); /* two steps, however fast */
  trc_session_set_pinned (self->session, SMALL_REST, TRUE);
  turn_until_marked (self, 2, 1);
  g_assert_cmpstr (trc_session_can_undo (self->session), ==, "pinning");
  trc_session_undo (self->session);
  g_assert_false (trc_session_is_pinned (self->session, SMALL_REST));
  trc_session_undo (self->session);
  assert_name (self, SMALL_A, "a");
  assert_name (self, SMALL_B, "new");
  trc_session_undo (self->session);
  assert_name (self, SMALL_B, "b");
  g_assert_null (trc_session_can_undo (self->session));
  turn_until_marked (self, 0, 0);
  undone = saved (self);
  assert_same_marks (before, undone);
  for (guint i = 0; i < 3; i++)
    trc_session_redo (self->session);
  turn_until_marked (self, 2, 1);
  redone = saved (self);
  g_assert_cmpuint (trc_graph_marks (redone)->n_labels, ==, 2);
  g_assert_true (trc_session_is_pinned (self->session, SMALL_REST));
}

/* A given name wins over what heads, neurons and tokens are called by themselves. */
static void
test_shown (Fixture *self, gconstpointer unused)
{
  g_autofree char *shown = NULL;

  trc_session_rename (self->session, SMALL_TOKEN_0, "the first");
  turn_until_marked (self, 1, 0);
  shown = trc_present_node_label (trc_digest_graph (trc_session_get_digest (self->session)),
                                  SMALL_TOKEN_0);
  g_assert_cmpstr (shown, ==, "the first");
}

static void
test_no_step (Fixture *self, gconstpointer unused)
{
  trc_session_rename (self->session, SMALL_B, "b ");
  trc_session_rename (self->session, SMALL_N, "nobody");
  trc_session_set_pinned (self->session, SMALL_B, FALSE);
  trc_session_set_pinned (self->session, SMALL_N, TRUE);
  g_assert_null (trc_session_can_undo (self->session));
  trc_session_rename (self->session, SMALL_B, "other");
  trc_session_rename (self->session, SMALL_B, "");
  assert_name (self, SMALL_B, "b");
}

/* A place follows its pin: the one of a pin that goes, goes with it. */
static void
test_places (Fixture *self, gconstpointer unused)
{
  static const guint32 pins[] = { SMALL_A, SMALL_REST, SMALL_LOGIT };
  static const double places[] = { 1, 1, 2, 2, 3, 3, 4, 4 }; /* two groups, REST, LOGIT */
  g_autoptr (TrcGraph) plain = small_graph_new ();
  TrcGraphMarks marks = *trc_graph_marks (plain);
  TrcGraphBuilder *builder = trc_graph_builder_new_from (plain);
  g_autoptr (TrcGraph) graph = NULL;
  g_autoptr (TrcGraph) read = NULL;

  marks.pins = pins;
  marks.n_pins = G_N_ELEMENTS (pins);
  marks.places = places;
  marks.n_places = G_N_ELEMENTS (places) / 2;
  trc_graph_builder_set_marks (builder, &marks);
  graph = trc_graph_builder_finish (builder, NULL);
  g_assert_true (trc_graph_write (graph, self->copy, NULL));
  trc_session_open (self->session, self->copy);
  turn_until_idle (self);
  trc_session_set_pinned (self->session, SMALL_A, FALSE); /* in a group: no place of its own */
  trc_session_set_pinned (self->session, SMALL_REST, FALSE);
  read = saved (self);
  g_assert_cmpuint (trc_graph_marks (read)->n_pins, ==, 1);
  g_assert_cmpuint (trc_graph_marks (read)->n_places, ==, 3);
  g_assert_cmpfloat (trc_graph_marks (read)->places[4], ==, 4);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run) (Fixture *, gconstpointer);
  } tests[] = {
    { "/session-marks/round-trip", test_round_trip },
    { "/session-marks/undo", test_undo },
    { "/session-marks/shown", test_shown },
    { "/session-marks/no-step", test_no_step },
    { "/session-marks/places", test_places },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
  return g_test_run ();
}
