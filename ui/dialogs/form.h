/* ui/dialogs/form.h - rows of a dialog: a name at the left, a control at the right
 *
 * Private to ui/dialogs.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* An empty form. */
GtkWidget *trc_form_new (void);

/* Adds a row and names @control for assistive technology. */
void trc_form_add (GtkWidget *form, const char *name, GtkWidget *control);

/* A drop-down of NULL-terminated @words. */
GtkWidget *trc_form_choice_new (const char *const *words);

/* A row of buttons at the foot of a dialog: cancel and the one that does it, which
 * is called @name for assistive technology, where "Export" alone is in the header too. */
GtkWidget *
trc_form_buttons_new (GtkWindow *dialog, const char *verb, const char *name, GtkWidget **go);

/* A plain dialog window above @parent with a box to fill; closes on Escape. */
void trc_form_init_window (GtkWindow *dialog, GtkWindow *parent, const char *title,
                           GtkWidget *child);

G_END_DECLS
