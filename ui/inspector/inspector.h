/* ui/inspector/inspector.h - the right pane: what is selected, or the whole graph
 *
 * The title of a node can be edited. Rows that name a node or block are buttons with the action "win.select".
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

#define TRC_TYPE_INSPECTOR (trc_inspector_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcInspector, trc_inspector, TRC, INSPECTOR, GtkWidget)

/* An inspector that follows @session. */
GtkWidget *trc_inspector_new (TrcSession *session);

/* Lets the name of the selected node be typed; nothing when no node is selected. */
void trc_inspector_begin_rename (TrcInspector *self);

G_END_DECLS
