#define G_LOG_DOMAIN "tracery-ui"

#include "ui/common/messages.h"

#include <glib/gi18n.h>

#define NOTE_SECONDS 6
#define LINE_CHARS 72

struct _TrcMessages {
  GtkWidget parent_instance;
  GtkWidget *revealer;
  GtkWidget *frame;
  GtkWidget *label;
  guint timeout_id;
};

enum { PROP_0, PROP_TEXT, N_PROPS };

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (TrcMessages, trc_messages, GTK_TYPE_WIDGET)

static void
trc_messages_hide (TrcMessages *self)
{
  g_clear_handle_id (&self->timeout_id, g_source_remove);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), FALSE);
  gtk_label_set_text (GTK_LABEL (self->label), "");
  gtk_widget_set_can_target (GTK_WIDGET (self), FALSE);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXT]);
}

static gboolean
on_timeout (gpointer data)
{
  TrcMessages *self = data;

  self->timeout_id = 0;
  trc_messages_hide (self);
  return G_SOURCE_REMOVE;
}

static void
trc_messages_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_TEXT)
    g_value_set_string (value, trc_messages_get_text (TRC_MESSAGES (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
trc_messages_dispose (GObject *object)
{
  TrcMessages *self = TRC_MESSAGES (object);

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  g_clear_pointer (&self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (trc_messages_parent_class)->dispose (object);
}

static void
trc_messages_class_init (TrcMessagesClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = trc_messages_dispose;
  object_class->get_property = trc_messages_get_property;
  props[PROP_TEXT] =
      g_param_spec_string ("text", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
trc_messages_init (TrcMessages *self)
{
  GtkWidget *close = gtk_button_new_from_icon_name ("window-close-symbolic");

  self->label = gtk_label_new ("");
  gtk_label_set_wrap (GTK_LABEL (self->label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (self->label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (self->label), LINE_CHARS);
  gtk_label_set_xalign (GTK_LABEL (self->label), 0);
  gtk_label_set_selectable (GTK_LABEL (self->label), FALSE);

  gtk_widget_add_css_class (close, "trc-flat");
  gtk_widget_set_valign (close, GTK_ALIGN_CENTER);
  gtk_widget_set_tooltip_text (close, _ ("Close this message"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (close), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Close this message"), -1);
  g_signal_connect_swapped (close, "clicked", G_CALLBACK (trc_messages_hide), self);

  self->frame = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  gtk_widget_add_css_class (self->frame, "trc-message");
  gtk_box_append (GTK_BOX (self->frame), self->label);
  gtk_box_append (GTK_BOX (self->frame), close);

  self->revealer = gtk_revealer_new ();
  gtk_revealer_set_transition_type (GTK_REVEALER (self->revealer),
                                    GTK_REVEALER_TRANSITION_TYPE_SLIDE_UP);
  gtk_revealer_set_child (GTK_REVEALER (self->revealer), self->frame);
  gtk_widget_set_parent (self->revealer, GTK_WIDGET (self));
  gtk_widget_set_halign (GTK_WIDGET (self), GTK_ALIGN_CENTER);
  gtk_widget_set_valign (GTK_WIDGET (self), GTK_ALIGN_END);
  gtk_widget_set_margin_bottom (GTK_WIDGET (self), 56);
  gtk_widget_set_can_target (GTK_WIDGET (self), FALSE);
}

GtkWidget *
trc_messages_new (void)
{
  return g_object_new (TRC_TYPE_MESSAGES, NULL);
}

void
trc_messages_show (TrcMessages *self, const char *sentence, gboolean is_error)
{
  g_return_if_fail (TRC_IS_MESSAGES (self) && sentence != NULL);

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  gtk_label_set_text (GTK_LABEL (self->label), sentence);
  if (is_error)
    gtk_widget_add_css_class (self->frame, "error");
  else
    {
      gtk_widget_remove_css_class (self->frame, "error");
      self->timeout_id = g_timeout_add_seconds (NOTE_SECONDS, on_timeout, self);
    }
  gtk_widget_set_can_target (GTK_WIDGET (self), TRUE);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), TRUE);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXT]);
}

const char *
trc_messages_get_text (TrcMessages *self)
{
  return gtk_label_get_text (GTK_LABEL (self->label));
}
