#define G_LOG_DOMAIN "tracery-ui"

#include "ui/panels/shares_bar.h"

#include <glib/gi18n.h>

#include "ui/common/words.h"

#define SLIDER_PX 130

typedef struct {
  TrcSession *session;
  GtkWidget *node_scale, *edge_scale;
  GtkWidget *node_value, *edge_value;
  gboolean syncing;
} SharesBar;

static void
show_values (SharesBar *self)
{
  const TrcPresentInfo *info = trc_session_get_info (self->session);
  const TrcView *view = trc_session_get_view (self->session);
  g_autofree char *nodes = g_strdup_printf ("%.2f", view->node_share);
  g_autofree char *links = g_strdup_printf ("%.2f", view->edge_share);
  g_autofree char *node_tip =
      g_strdup_printf (_ ("%u of %u nodes are shown"), info->nodes_shown, info->nodes_total);
  g_autofree char *edge_tip =
      g_strdup_printf (_ ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " links are shown"),
                       info->edges_shown, info->edges_total);

  gtk_label_set_text (GTK_LABEL (self->node_value), nodes);
  gtk_label_set_text (GTK_LABEL (self->edge_value), links);
  gtk_widget_set_tooltip_text (self->node_scale, node_tip);
  gtk_widget_set_tooltip_text (self->edge_scale, edge_tip);
}

static void
on_view_changed (TrcSession *session, SharesBar *self)
{
  const TrcView *view = trc_session_get_view (self->session);

  self->syncing = TRUE;
  gtk_range_set_value (GTK_RANGE (self->node_scale), view->node_share);
  gtk_range_set_value (GTK_RANGE (self->edge_scale), view->edge_share);
  self->syncing = FALSE;
  show_values (self);
}

static void
on_moved (GtkRange *range, SharesBar *self)
{
  if (self->syncing)
    return;
  if (GTK_WIDGET (range) == self->node_scale)
    trc_session_set_node_share (self->session, gtk_range_get_value (range));
  else
    trc_session_set_edge_share (self->session, gtk_range_get_value (range));
}

static GtkWidget *
add_slider (SharesBar *self, GtkWidget *box, const char *word, const char *name, double least,
            GtkWidget **value)
{
  GtkWidget *scale = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, least, 1, 0.01);

  gtk_scale_set_draw_value (GTK_SCALE (scale), FALSE);
  gtk_widget_set_size_request (scale, SLIDER_PX, -1);
  trc_name_widget (scale, name, FALSE);
  g_signal_connect (scale, "value-changed", G_CALLBACK (on_moved), self);
  *value = trc_label_new ("", "trc-value");
  gtk_label_set_width_chars (GTK_LABEL (*value), 4);
  gtk_box_append (GTK_BOX (box), trc_label_new (word, NULL));
  gtk_box_append (GTK_BOX (box), scale);
  gtk_box_append (GTK_BOX (box), *value);
  return scale;
}

static void
shares_bar_free (gpointer data)
{
  SharesBar *self = data;

  g_signal_handlers_disconnect_by_data (self->session, self);
  g_object_unref (self->session);
  g_free (self);
}

GtkWidget *
trc_shares_bar_new (TrcSession *session)
{
  SharesBar *self = g_new0 (SharesBar, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);

  self->session = g_object_ref (session);
  self->node_scale =
      add_slider (self, box, _ ("nodes"), _ ("Share of the influence that nodes carry"), 0.1,
                  &self->node_value);
  gtk_widget_set_margin_end (self->node_value, 12);
  self->edge_scale =
      add_slider (self, box, _ ("links"), _ ("Share of the influence that links carry"), 0.1,
                  &self->edge_value);
  g_signal_connect (session, "view-changed", G_CALLBACK (on_view_changed), self);
  g_signal_connect (session, "scene-changed", G_CALLBACK (on_view_changed), self);
  g_object_set_data_full (G_OBJECT (box), "shares-bar", self, shares_bar_free);
  on_view_changed (session, self);
  gtk_widget_add_css_class (box, "trc-chip");
  gtk_widget_add_css_class (box, "pill");
  gtk_widget_set_halign (box, GTK_ALIGN_CENTER);
  gtk_widget_set_valign (box, GTK_ALIGN_END);
  gtk_widget_set_margin_bottom (box, 8);
  return box;
}
