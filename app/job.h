/* app/job.h - one long piece of work as a person sees it
 *
 * A TrcJob has a title, a fraction, a line of text and an end. The worker
 * reports into it from its own thread; properties change on the main loop
 * only, and at most one notification is pending at a time.
 *
 * Errors   a failed job keeps one whole sentence in `error`.
 * Threads  main thread, except trc_job_report(), which is for the worker.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  TRC_JOB_RUNNING,
  TRC_JOB_DONE,
  TRC_JOB_FAILED,
  TRC_JOB_CANCELLED,
} TrcJobState;

#define TRC_TYPE_JOB (trc_job_get_type ())

/* The GObject type, with properties title, text, fraction, seconds-left, state and error. */
G_DECLARE_FINAL_TYPE (TrcJob, trc_job, TRC, JOB, GObject)

/* A running job. @title is what is being done, in a few words. */
TrcJob *trc_job_new (const char *title);

/* What is being done; borrowed. */
const char *trc_job_get_title (TrcJob *self);

/* The last line the worker reported, or ""; borrowed. */
const char *trc_job_get_text (TrcJob *self);

/* Share of the work done in [0, 1], or -1 when the end is not known. */
double trc_job_get_fraction (TrcJob *self);

/* Seconds until the end at the present pace, or -1 while nobody can tell. */
double trc_job_get_seconds_left (TrcJob *self);

/* How the job stands. */
TrcJobState trc_job_get_state (TrcJob *self);

/* Why the job failed, as one sentence; NULL otherwise. Borrowed. */
const char *trc_job_get_error (TrcJob *self);

/* What the worker must look at; borrowed. */
GCancellable *trc_job_get_cancellable (TrcJob *self);

/* Asks the worker to stop. The job ends when the worker has noticed. */
void trc_job_cancel (TrcJob *self);

/* Any thread: how far the work is. @fraction < 0 means unknown; @text may be NULL.
 * Has the shape of TrcProgress.report, with the job as @data. */
void trc_job_report (double fraction, const char *text, gpointer data);

/* Ends the job: done without @error, cancelled or failed with it. */
void trc_job_finish (TrcJob *self, const GError *error);

G_END_DECLS
