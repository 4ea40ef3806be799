/* Task files: both forms of prompts and tokens, and one sentence for each wrong line. */
#include "compute/task.h"
#include "tests/support/attribution_fixture.h"

#include <string.h>

static void
test_read (void)
{
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;
  static const char text[] =
      "{\"clean\": [1, 2, 3], \"corrupted\": [1, 2, 4], \"answer\": 5, \"foil\": \"#6\"}\n"
      "  \n"
      "{\"clean\": [0], \"corrupted\": [8], \"answer\": \"#0\", \"foil\": 1, \"note\": []}";
  guint n;

  trc_fixture_open (&f, &trc_fixture_full, 1);
  g_autofree char *path = g_build_filename (f.dir, "my.task.jsonl", NULL);
  g_assert_true (g_file_set_contents (path, text, -1, &error));
  g_autoptr (TrcTask) task = trc_task_read (f.model, path, &error);
  g_assert_no_error (error);
  const TrcTaskPair *pairs = trc_task_pairs (task, &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (trc_task_name (task), ==, "my.task");
  g_assert_cmpuint (pairs[0].n_tokens, ==, 3);
  g_assert_cmpint (pairs[0].corrupted[2], ==, 4);
  g_assert_cmpint (pairs[0].answer, ==, 5);
  g_assert_cmpint (pairs[0].foil, ==, 6);
  g_assert_cmpint (pairs[1].clean[0], ==, 0);
}

static void
test_refused (void)
{
  static const struct {
    const char *line, *words;
  } rows[] = {
    { "", "no pairs" },
    { "[1, 2]", "no JSON object" },
    { "{\"clean\": [1]", "no JSON object" },
    { "{\"clean\": [1], \"answer\": 1, \"foil\": 2}", "\"corrupted\" is missing" },
    { "{\"clean\": [], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "is empty" },
    { "{\"clean\": [1, 2], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "same length" },
    { "{\"clean\": [99], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "none of the 9" },
    { "{\"clean\": [-1], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "none of the 9" },
    { "{\"clean\": [1.5], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "none of the 9" },
    { "{\"clean\": [\"x\"], \"corrupted\": [1], \"answer\": 1, \"foil\": 2}", "none of the 9" },
    { "{\"clean\": [1], \"corrupted\": [2], \"answer\": 1, \"foil\": 1}", "same token" },
    { "{\"clean\": [1], \"corrupted\": [2], \"answer\": 1}", "\"foil\" is missing" },
    { "{\"clean\": [1], \"corrupted\": [2], \"answer\": true, \"foil\": 1}",
      "\"answer\" is missing" },
    { "{\"clean\": \"\xff\"}", "UTF-8" },
  };
  g_auto (TrcFixture) f = { 0 };

  trc_fixture_open (&f, &trc_fixture_full, 2);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcTask) task =
          trc_task_parse (f.model, rows[i].line, strlen (rows[i].line), "x.jsonl", &error);
      g_assert_null (task);
      g_assert_nonnull (error);
      if (strstr (error->message, rows[i].words) == NULL)
        g_error ("“%s” says nothing of “%s”", error->message, rows[i].words);
      g_assert_true (g_str_has_prefix (error->message, "x.jsonl"));
    }
}

/* Brackets without end are a line that is no object, not the end of the program. */
static void
test_deep (void)
{
  g_autofree char *line = g_strnfill (1 << 20, '[');
  g_auto (TrcFixture) f = { 0 };
  g_autoptr (GError) error = NULL;

  trc_fixture_open (&f, &trc_fixture_full, 2);
  g_assert_null (trc_task_parse (f.model, line, strlen (line), "x.jsonl", &error));
  g_assert_nonnull (strstr (error->message, "no JSON object"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/task/read", test_read);
  g_test_add_func ("/task/refused", test_refused);
  g_test_add_func ("/task/deep", test_deep);
  return g_test_run ();
}
