/* ui/window.h - one window on one document
 *
 * Header, left pane (F9), canvas, inspector (Shift+F9). Everything a person can
 * do is an action "win.NAME"; what tests and scripts want to know is the state
 * of an action (read over D-Bus): selection, zoom, camera, job (the title of the
 * running one), jobs (begun so far), message, graph, hits, shown (nodes, links,
 * scenes built), pictures (painted).
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"
#include "ui/canvas/canvas.h"

G_BEGIN_DECLS

#define TRC_TYPE_WINDOW (trc_window_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcWindow, trc_window, TRC, WINDOW, GtkApplicationWindow)

/* An empty window of @application, not yet presented. */
TrcWindow *trc_window_new (GtkApplication *application);

/* Opens the bundled example. */
void trc_window_open_example (TrcWindow *self);

/* Opens a graph file. */
void trc_window_open_path (TrcWindow *self, const char *path);

/* The document; borrowed. */
TrcSession *trc_window_get_session (TrcWindow *self);

/* The canvas; borrowed. */
TrcCanvas *trc_window_get_canvas (TrcWindow *self);

/* Says one sentence in the message bar. */
void trc_window_say (TrcWindow *self, const char *sentence, gboolean is_error);

G_END_DECLS
