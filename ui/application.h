/* ui/application.h - the program: its windows, look, global actions and keys
 *
 * Opens the files it is given, or the bundled example.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TRC_TYPE_APPLICATION (trc_application_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcApplication, trc_application, TRC, APPLICATION, GtkApplication)

/* Picks the renderer that suits the machine; call it before GTK is initialised.
 * GSK_RENDERER, when set, wins. */
void trc_application_choose_renderer (void);

/* The application. */
TrcApplication *trc_application_new (void);

/* Whether the dark palette is on; windows follow the signal "dark-changed". */
gboolean trc_application_get_dark (TrcApplication *self);

G_END_DECLS
