/* ui/dialogs/trace_dialog.h - choose model, prompt, target, foil and rule; start a trace
 *
 * Tokens and the likeliest next ones are shown while typing. The trace runs as a
 * job of the session; the dialog closes when it starts.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

#define TRC_TYPE_TRACE_DIALOG (trc_trace_dialog_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcTraceDialog, trc_trace_dialog, TRC, TRACE_DIALOG, GtkWindow)

/* A dialog above @parent for @session, not yet presented. */
GtkWidget *trc_trace_dialog_new (GtkWindow *parent, TrcSession *session);

G_END_DECLS
