#define G_LOG_DOMAIN "tracery-ui"

#include "ui/dialogs/form.h"

#include <glib/gi18n.h>

#include "ui/common/words.h"

#define DIALOG_WIDTH 460

GtkWidget *
trc_form_new (void)
{
  GtkWidget *form = gtk_grid_new ();

  gtk_grid_set_row_spacing (GTK_GRID (form), 8);
  gtk_grid_set_column_spacing (GTK_GRID (form), 12);
  return form;
}

static int
n_rows (GtkWidget *form)
{
  int n = 0;

  while (gtk_grid_get_child_at (GTK_GRID (form), 0, n) != NULL)
    n++;
  return n;
}

void
trc_form_add (GtkWidget *form, const char *name, GtkWidget *control)
{
  GtkWidget *label = trc_label_new (name, "trc-note");
  int row = n_rows (form);

  gtk_widget_set_hexpand (control, TRUE);
  gtk_widget_set_valign (label, GTK_IS_ENTRY (control) ? GTK_ALIGN_CENTER : GTK_ALIGN_BASELINE);
  gtk_grid_attach (GTK_GRID (form), label, 0, row, 1, 1);
  gtk_grid_attach (GTK_GRID (form), control, 1, row, 1, 1);
  trc_name_widget (control, name, FALSE);
  if (GTK_IS_DROP_DOWN (control)) /* the button inside is what takes the focus */
    trc_name_widget (gtk_widget_get_first_child (control), name, FALSE);
}

GtkWidget *
trc_form_choice_new (const char *const *words)
{
  GtkWidget *choice = gtk_drop_down_new_from_strings (words);

  gtk_widget_add_css_class (choice, "trc-drop");
  return choice;
}

GtkWidget *
trc_form_buttons_new (GtkWindow *dialog, const char *verb, const char *name, GtkWidget **go)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *cancel = gtk_button_new_with_label (_ ("Cancel"));

  *go = gtk_button_new_with_label (verb);
  gtk_widget_add_css_class (cancel, "trc-button");
  gtk_widget_add_css_class (*go, "trc-button");
  gtk_widget_add_css_class (*go, "suggested-action");
  trc_name_widget (cancel, _ ("Cancel"), FALSE);
  trc_name_widget (*go, name, FALSE);
  g_signal_connect_swapped (cancel, "clicked", G_CALLBACK (gtk_window_close), dialog);
  gtk_widget_set_halign (box, GTK_ALIGN_END);
  gtk_widget_set_margin_top (box, 8);
  gtk_box_append (GTK_BOX (box), cancel);
  gtk_box_append (GTK_BOX (box), *go);
  return box;
}

static gboolean
on_escape (GtkWidget *widget, GVariant *arguments, gpointer data)
{
  gtk_window_close (GTK_WINDOW (widget));
  return TRUE;
}

void
trc_form_init_window (GtkWindow *dialog, GtkWindow *parent, const char *title, GtkWidget *child)
{
  GtkEventController *keys = gtk_shortcut_controller_new ();
  GtkWidget *bar = gtk_header_bar_new ();

  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys),
      gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                        gtk_callback_action_new (on_escape, NULL, NULL)));
  gtk_widget_add_controller (GTK_WIDGET (dialog), keys);
  gtk_widget_add_css_class (GTK_WIDGET (dialog), "tracery");
  gtk_widget_add_css_class (GTK_WIDGET (dialog), "trc-dialog");
  gtk_widget_add_css_class (bar, "trc-header");
  gtk_window_set_titlebar (dialog, bar);
  gtk_window_set_title (dialog, title);
  gtk_window_set_transient_for (dialog, parent);
  gtk_window_set_hide_on_close (dialog, TRUE); /* it comes back as it was left */
  gtk_window_set_default_size (dialog, DIALOG_WIDTH, -1);
  gtk_widget_set_margin_top (child, 16);
  gtk_widget_set_margin_bottom (child, 16);
  gtk_widget_set_margin_start (child, 16);
  gtk_widget_set_margin_end (child, 16);
  gtk_window_set_child (dialog, child);
}
