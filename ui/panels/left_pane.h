/* ui/panels/left_pane.h - prompt and prediction, outline, jobs
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

/* The left pane of a window on @session. */
GtkWidget *trc_left_pane_new (TrcSession *session);

G_END_DECLS
