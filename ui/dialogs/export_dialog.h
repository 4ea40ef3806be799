/* ui/dialogs/export_dialog.h - format, size, ground and words of a figure, with a preview
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

#define TRC_TYPE_EXPORT_DIALOG (trc_export_dialog_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcExportDialog, trc_export_dialog, TRC, EXPORT_DIALOG, GtkWindow)

/* A dialog above @parent for the drawing of @session, not yet presented. */
GtkWidget *trc_export_dialog_new (GtkWindow *parent, TrcSession *session);

G_END_DECLS
