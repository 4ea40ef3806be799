/* ui/panels/outline_view.h - the drawing as a tree: the keyboard and screen-reader road
 *
 * Follows the session's outline and selection, and selects what is chosen.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

#define TRC_TYPE_OUTLINE_VIEW (trc_outline_view_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcOutlineView, trc_outline_view, TRC, OUTLINE_VIEW, GtkWidget)

/* A tree that follows @session. */
GtkWidget *trc_outline_view_new (TrcSession *session);

G_END_DECLS
