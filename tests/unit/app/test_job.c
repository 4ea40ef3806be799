#include <gio/gio.h>

#include "app/job.h"

static void
turn_main_loop (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *)data)++;
}

static gpointer
report_many (gpointer job)
{
  for (int i = 1; i <= 500; i++)
    trc_job_report (i / 1000.0, "half of it", job);
  return NULL;
}

static void
test_reports_are_coalesced (void)
{
  g_autoptr (TrcJob) job = trc_job_new ("count");
  guint n = 0;

  g_signal_connect (job, "notify::fraction", G_CALLBACK (count_notify), &n);
  g_thread_join (g_thread_new ("worker", report_many, job));
  g_assert_cmpfloat (trc_job_get_fraction (job), ==, -1);
  turn_main_loop ();
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpfloat (trc_job_get_fraction (job), ==, 0.5);
  g_assert_cmpstr (trc_job_get_text (job), ==, "half of it");
}

static void
test_ends (void)
{
  g_autoptr (GError) wrong =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "The disk is full.");
  g_autoptr (GError) stopped =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped");
  g_autoptr (TrcJob) done = trc_job_new ("a");
  g_autoptr (TrcJob) failed = trc_job_new ("b");
  g_autoptr (TrcJob) cancelled = trc_job_new ("c");

  trc_job_finish (done, NULL);
  g_assert_cmpint (trc_job_get_state (done), ==, TRC_JOB_DONE);
  g_assert_cmpfloat (trc_job_get_fraction (done), ==, 1);

  trc_job_finish (failed, wrong);
  g_assert_cmpint (trc_job_get_state (failed), ==, TRC_JOB_FAILED);
  g_assert_cmpstr (trc_job_get_error (failed), ==, "The disk is full.");
  trc_job_finish (failed, NULL); /* an ended job stays as it is */
  g_assert_cmpint (trc_job_get_state (failed), ==, TRC_JOB_FAILED);

  trc_job_cancel (cancelled);
  g_assert_true (g_cancellable_is_cancelled (trc_job_get_cancellable (cancelled)));
  g_assert_cmpint (trc_job_get_state (cancelled), ==, TRC_JOB_RUNNING);
  trc_job_finish (cancelled, stopped);
  g_assert_cmpint (trc_job_get_state (cancelled), ==, TRC_JOB_CANCELLED);
  g_assert_null (trc_job_get_error (cancelled));
}

static void
test_late_report_is_dropped (void)
{
  g_autoptr (TrcJob) job = trc_job_new ("late");

  trc_job_report (0.3, "on the way", job);
  trc_job_finish (job, NULL);
  turn_main_loop ();
  g_assert_cmpfloat (trc_job_get_fraction (job), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/job/coalesced", test_reports_are_coalesced);
  g_test_add_func ("/job/ends", test_ends);
  g_test_add_func ("/job/late", test_late_report_is_dropped);
  return g_test_run ();
}
