/* compute/progress.h - how a long call is watched and stopped
 *
 * Every long call takes a `const TrcProgress *`; NULL means nobody watches.
 *
 * Threads  report() is called on the thread that does the work; a window must
 *          hand the figures over to its main loop itself, coalesced.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  GCancellable *cancellable; /* borrowed, may be NULL */
  /* @fraction in [0, 1], or negative when the end is not known; @text is one
   * short line such as "layer 3 of 12". May be NULL. */
  void (*report) (double fraction, const char *text, gpointer data);
  gpointer data;
} TrcProgress;

/* Tells the watcher how far the work is. Accepts NULL. */
void trc_progress_report (const TrcProgress *self, double fraction, const char *text);

/* TRUE, with @error set to G_IO_ERROR_CANCELLED, when the work must stop.
 * Cheap enough for every batch of a loop. Accepts NULL. */
gboolean trc_progress_cancelled (const TrcProgress *self, GError **error);

G_END_DECLS
