#define G_LOG_DOMAIN "tracery-ui"

#include <glib/gi18n.h>

#include "ui/common/words.h"
#include "ui/window/window_private.h"

#define SEARCH_CHARS 20

static GtkWidget *
text_button (const char *text, const char *action, const char *tip)
{
  GtkWidget *button = gtk_button_new_with_label (text);

  gtk_widget_add_css_class (button, "trc-button");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_set_tooltip_text (button, tip);
  trc_name_widget (button, text, FALSE);
  return button;
}

static GtkWidget *
icon_button (const char *icon, const char *action, const char *name)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "trc-flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  trc_name_widget (button, name, TRUE);
  return button;
}

static GMenu *
section (GMenu *menu, const char *heading)
{
  GMenu *part = g_menu_new ();

  g_menu_append_section (menu, heading, G_MENU_MODEL (part));
  g_object_unref (part); /* the menu holds it */
  return part;
}

static GMenuModel *
menu_new (void)
{
  GMenu *menu = g_menu_new ();
  GMenu *part = section (menu, NULL);

  g_menu_append (part, _ ("Open the Example"), "win.open-example");
  g_menu_append (part, _ ("Save Graph As…"), "win.save-as");
  part = section (menu, NULL);
  g_menu_append (part, _ ("Undo"), "win.undo");
  g_menu_append (part, _ ("Redo"), "win.redo");
  g_menu_append (part, _ ("Rename the Node"), "win.rename");
  g_menu_append (part, _ ("Pin the Node"), "win.pin");
  part = section (menu, _ ("View"));
  g_menu_append (part, _ ("Blocks as Cards"), "win.blocks");
  g_menu_append (part, _ ("Unexplained Nodes"), "win.errors");
  g_menu_append (part, _ ("Graphviz Layout"), "win.dot");
  g_menu_append (part, _ ("Fit Everything"), "win.zoom-fit");
  g_menu_append (part, _ ("Left Pane"), "win.left-pane");
  g_menu_append (part, _ ("Inspector"), "win.right-pane");
  part = section (menu, _ ("Look"));
  g_menu_append (part, _ ("As the System"), "app.theme::system");
  g_menu_append (part, _ ("Light"), "app.theme::light");
  g_menu_append (part, _ ("Dark"), "app.theme::dark");
  part = section (menu, NULL);
  g_menu_append (part, _ ("New Window"), "app.new-window");
  g_menu_append (part, _ ("Keyboard Shortcuts"), "win.show-help-overlay");
  g_menu_append (part, _ ("About Tracery"), "app.about");
  return G_MENU_MODEL (menu);
}

static GtkWidget *
menu_button (void)
{
  GtkWidget *button = gtk_menu_button_new ();
  g_autoptr (GMenuModel) menu = menu_new ();

  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "open-menu-symbolic");
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (button), menu);
  gtk_menu_button_set_primary (GTK_MENU_BUTTON (button), TRUE);
  gtk_widget_add_css_class (button, "trc-flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  trc_name_widget (button, _ ("Main menu"), TRUE);
  return button;
}

static void
on_search_changed (GtkSearchEntry *entry, TrcWindow *self)
{
  trc_window_search (self, gtk_editable_get_text (GTK_EDITABLE (entry)));
}

static void
on_search_stopped (GtkSearchEntry *entry, TrcWindow *self)
{
  gtk_editable_set_text (GTK_EDITABLE (entry), "");
  gtk_widget_grab_focus (self->canvas);
}

static GtkWidget *
search_entry (TrcWindow *self)
{
  GtkWidget *entry = gtk_search_entry_new ();

  g_object_set (entry, "placeholder-text", _ ("Search nodes, tokens, ids"), NULL);
  gtk_editable_set_width_chars (GTK_EDITABLE (entry), SEARCH_CHARS);
  gtk_widget_set_valign (entry, GTK_ALIGN_CENTER);
  trc_name_widget (entry, _ ("Search nodes, tokens, ids"), FALSE);
  g_signal_connect (entry, "search-changed", G_CALLBACK (on_search_changed), self);
  g_signal_connect (entry, "stop-search", G_CALLBACK (on_search_stopped), self);
  g_signal_connect_swapped (entry, "activate", G_CALLBACK (trc_window_next_hit), self);
  return entry;
}

static GtkWidget *
title_box (TrcWindow *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 1);

  self->title = gtk_label_new ("Tracery");
  self->subtitle = gtk_label_new ("");
  gtk_widget_add_css_class (self->title, "trc-title");
  gtk_widget_add_css_class (self->subtitle, "trc-subtitle");
  gtk_label_set_ellipsize (GTK_LABEL (self->title), PANGO_ELLIPSIZE_END);
  gtk_label_set_ellipsize (GTK_LABEL (self->subtitle), PANGO_ELLIPSIZE_END);
  gtk_widget_set_valign (box, GTK_ALIGN_CENTER);
  gtk_box_append (GTK_BOX (box), self->title);
  gtk_box_append (GTK_BOX (box), self->subtitle);
  return box;
}

GtkWidget *
trc_window_header_new (TrcWindow *self)
{
  GtkWidget *bar = gtk_header_bar_new ();
  GtkWidget *trace = text_button (_ ("Trace…"), "win.trace", _ ("Trace a prompt (Ctrl+T)"));
  GtkWidget *back =
      icon_button ("go-previous-symbolic", "win.back", _ ("Back to the view before"));
  GtkWidget *forward = icon_button ("go-next-symbolic", "win.forward", _ ("Forward"));

  gtk_widget_add_css_class (bar, "trc-header");
  gtk_widget_add_css_class (trace, "suggested-action");
  gtk_widget_set_margin_start (back, 4);
  self->search = search_entry (self);
  gtk_header_bar_pack_start (
      GTK_HEADER_BAR (bar),
      text_button (_ ("Open"), "win.open", _ ("Open a graph file (Ctrl+O)")));
  gtk_header_bar_pack_start (GTK_HEADER_BAR (bar), trace);
  gtk_header_bar_pack_start (GTK_HEADER_BAR (bar), back);
  gtk_header_bar_pack_start (GTK_HEADER_BAR (bar), forward);
  gtk_header_bar_set_title_widget (GTK_HEADER_BAR (bar), title_box (self));
  gtk_header_bar_pack_end (GTK_HEADER_BAR (bar), menu_button ());
  gtk_header_bar_pack_end (
      GTK_HEADER_BAR (bar),
      text_button (_ ("Export"), "win.export", _ ("Export the figure (Ctrl+E)")));
  gtk_header_bar_pack_end (GTK_HEADER_BAR (bar), self->search);
  return bar;
}
