#include "compute/progress.h"

typedef struct {
  guint n_calls;
  double fraction;
  char *text;
} Seen;

static void
note (double fraction, const char *text, gpointer data)
{
  Seen *seen = data;

  seen->n_calls++;
  seen->fraction = fraction;
  g_free (seen->text);
  seen->text = g_strdup (text);
}

static void
test_report (void)
{
  Seen seen = { 0 };
  TrcProgress progress = { .report = note, .data = &seen };

  trc_progress_report (NULL, 0.5, "nobody watches");
  trc_progress_report (&(TrcProgress){ 0 }, 0.5, "nobody watches");
  trc_progress_report (&progress, 0.25, "layer 3 of 12");
  g_assert_cmpuint (seen.n_calls, ==, 1);
  g_assert_cmpfloat (seen.fraction, ==, 0.25);
  g_assert_cmpstr (seen.text, ==, "layer 3 of 12");
  g_free (seen.text);
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TrcProgress progress = { .cancellable = cancellable };

  g_assert_false (trc_progress_cancelled (NULL, NULL));
  g_assert_false (trc_progress_cancelled (&(TrcProgress){ 0 }, NULL));
  g_assert_false (trc_progress_cancelled (&progress, &error));
  g_assert_no_error (error);
  g_cancellable_cancel (cancellable);
  g_assert_true (trc_progress_cancelled (&progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/progress/report", test_report);
  g_test_add_func ("/progress/cancelled", test_cancelled);
  return g_test_run ();
}
