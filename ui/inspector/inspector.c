#define G_LOG_DOMAIN "tracery-ui"

#include "ui/inspector/inspector.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/common/words.h"
#include "ui/inspector/rows.h"

#define LINE_CHARS 24
#define N_LINKS 8
#define N_PREDICTIONS 8
#define N_WARNINGS 4

struct _TrcInspector {
  GtkWidget parent_instance;
  TrcSession *session;
  GtkWidget *scroller;
  GtkWidget *box;
  GtkWidget *title; /* stack of the title and its entry; NULL unless a node is shown */
  GtkWidget *entry;
};

G_DEFINE_FINAL_TYPE (TrcInspector, trc_inspector, GTK_TYPE_WIDGET)

static GtkWidget *
wrapped (const char *text, const char *style_class)
{
  GtkWidget *label = trc_label_new (text, style_class);

  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (label), LINE_CHARS);
  gtk_label_set_max_width_chars (GTK_LABEL (label), LINE_CHARS);
  return label;
}

static void
add (TrcInspector *self, GtkWidget *child, int gap_above)
{
  gtk_widget_set_margin_top (child, gap_above);
  gtk_box_append (GTK_BOX (self->box), child);
}

static void
add_title (TrcInspector *self, const char *title, const char *kind)
{
  add (self, wrapped (title, "trc-pane-title"), 0);
  if (kind != NULL && kind[0] != '\0')
    add (self, wrapped (kind, "trc-note"), 2);
}

/* ---- the name of a node ---- */

static void
end_rename (TrcInspector *self)
{
  gtk_stack_set_visible_child_name (GTK_STACK (self->title), "title");
  gtk_widget_activate_action (GTK_WIDGET (self), "win.focus-canvas", NULL);
}

static void
on_name_typed (TrcInspector *self)
{
  g_autofree char *name = g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->entry)));
  guint32 node;

  end_rename (self);
  if (trc_session_get_node (self->session, &node))
    trc_session_rename (self->session, node, name);
}

static gboolean
on_entry_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
              TrcInspector *self)
{
  if (key != GDK_KEY_Escape)
    return GDK_EVENT_PROPAGATE;
  end_rename (self);
  return GDK_EVENT_STOP;
}

static void
on_title_pressed (TrcInspector *self)
{
  trc_inspector_begin_rename (self);
}

static GtkWidget *
name_entry_new (TrcInspector *self)
{
  GtkWidget *entry = gtk_entry_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_editable_set_width_chars (GTK_EDITABLE (entry), 1);
  g_object_set (entry, "placeholder-text", _ ("Its own name"), NULL);
  trc_name_widget (entry, _ ("Name of the node"), FALSE);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_entry_key), self);
  gtk_widget_add_controller (entry, keys);
  g_signal_connect_swapped (entry, "activate", G_CALLBACK (on_name_typed), self);
  return entry;
}

static GtkWidget *
mark_button (GtkWidget *button, const char *text, const char *action, const char *name)
{
  gtk_button_set_label (GTK_BUTTON (button), text);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_add_css_class (button, "trc-button");
  trc_name_widget (button, name, TRUE);
  return button;
}

/* The title, which becomes an entry at a click, and what can be done to the node. */
static void
add_node_title (TrcInspector *self, const TrcFacts *facts)
{
  GtkWidget *title = wrapped (facts->title, "trc-pane-title");
  GtkGesture *click = gtk_gesture_click_new ();
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  self->title = gtk_stack_new ();
  self->entry = name_entry_new (self);
  gtk_stack_set_vhomogeneous (GTK_STACK (self->title), FALSE);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (on_title_pressed), self);
  gtk_widget_add_controller (title, GTK_EVENT_CONTROLLER (click));
  gtk_stack_add_named (GTK_STACK (self->title), title, "title");
  gtk_stack_add_named (GTK_STACK (self->title), self->entry, "entry");
  add (self, self->title, 0);
  if (facts->kind_line != NULL && facts->kind_line[0] != '\0')
    add (self, wrapped (facts->kind_line, "trc-note"), 2);
  gtk_box_append (GTK_BOX (buttons), mark_button (gtk_button_new (), _ ("Rename"), "win.rename",
                                                  _ ("Rename the node (F2)")));
  gtk_box_append (GTK_BOX (buttons),
                  mark_button (gtk_toggle_button_new (), _ ("Pinned"), "win.pin",
                               _ ("Pin the node: always shown (P on the canvas)")));
  add (self, buttons, 8);
}

void
trc_inspector_begin_rename (TrcInspector *self)
{
  g_autofree char *name = NULL;
  guint32 node;

  if (self->title == NULL || !trc_session_get_node (self->session, &node))
    return;
  name = trc_session_dup_name (self->session, node);
  gtk_editable_set_text (GTK_EDITABLE (self->entry), name);
  gtk_stack_set_visible_child_name (GTK_STACK (self->title), "entry");
  gtk_widget_grab_focus (self->entry); /* which also selects the text */
}

static void
add_links (TrcInspector *self, const char *heading, const char *note, const GArray *links,
           guint n_all)
{
  g_autofree char *more = NULL;

  if (links->len == 0)
    return;
  add (self, trc_heading_new (heading, note), 16);
  for (guint i = 0; i < links->len; i++)
    add (self,
         trc_link_row_new (&g_array_index (links, TrcLinkFact, i),
                           fabs (g_array_index (links, TrcLinkFact, 0).share)),
         i == 0 ? 4 : 0);
  if (n_all <= links->len)
    return;
  more = g_strdup_printf (_ ("%u more"), n_all - links->len);
  add (self, trc_label_new (more, "trc-faint"), 2);
}

static void
add_number (TrcInspector *self, const char *name, double value, const char *format)
{
  char text[64];

  if (isnan (value))
    return;
  g_snprintf (text, sizeof text, "%.4g", value);
  if (g_str_equal (format, "%"))
    {
      g_autofree char *percent = trc_percent_text (value);

      g_strlcpy (text, percent, sizeof text);
    }
  else if (g_str_equal (format, ".2"))
    g_snprintf (text, sizeof text, "%.2f", value);
  add (self, trc_fact_row_new (name, text), 2);
}

static void
add_node_figures (TrcInspector *self, const TrcFacts *facts)
{
  add (self, trc_heading_new (_ ("Figures"), NULL), 16);
  add_number (self, _ ("probability"), facts->probability, "%");
  add_number (self, _ ("activation"), facts->activation, "");
  add_number (self, _ ("share of the influence"), facts->influence, "%");
  add_number (self, _ ("shown from a node share of"), facts->cumulative, ".2");
  add_number (self, _ ("effect on the answer"), facts->score, "");
}

static gboolean
fires_anywhere (const TrcFacts *facts)
{
  for (guint t = 0; t < facts->n_tokens; t++)
    if (!isnan (facts->fires[t]))
      return TRUE;
  return FALSE;
}

static void
show_facts (TrcInspector *self, const TrcFacts *facts)
{
  if (facts->ref.kind == TRC_REF_NODE)
    add_node_title (self, facts);
  else
    add_title (self, facts->title, facts->kind_line);
  add_links (self, _ ("Strongest inputs"), _ ("share of input"), facts->inputs,
             facts->n_inputs);
  add_links (self, _ ("Strongest outputs"), _ ("share of theirs"), facts->outputs,
             facts->n_outputs);
  if (fires_anywhere (facts))
    {
      add (self, trc_heading_new (_ ("Where it fires"), NULL), 16);
      add (self, trc_fires_new (facts), 6);
    }
  add_node_figures (self, facts);
}

static void
add_scores (TrcInspector *self, TrcDigest *digest)
{
  double replacement, completeness, low, high;
  double trust = trc_digest_trust (digest, &low, &high);
  const char *rule = trc_digest_estimator (digest);

  trc_digest_scores (digest, &replacement, &completeness);
  if (isnan (replacement) && isnan (completeness) && isnan (trust))
    return;
  add (self, trc_heading_new (_ ("How far to believe it"), NULL), 16);
  add_number (self, _ ("replacement"), replacement, ".2");
  add_number (self, _ ("completeness"), completeness, ".2");
  if (rule != NULL)
    add (self, trc_fact_row_new (_ ("rule"), rule), 2);
  if (!isnan (trust))
    {
      g_autofree char *text = isnan (low)
                                  ? g_strdup_printf ("%.2f", trust)
                                  : g_strdup_printf ("%.2f [%.2f, %.2f]", trust, low, high);

      add (self, trc_fact_row_new (_ ("agrees with exact patching"), text), 2);
    }
}

static char *
of_text (guint64 part, guint64 whole)
{
  g_autofree char *part_text = trc_count_text (part);
  g_autofree char *whole_text = trc_count_text (whole);

  return g_strdup_printf (_ ("%s of %s"), part_text, whole_text);
}

static void
add_shown (TrcInspector *self)
{
  const TrcPresentInfo *info = trc_session_get_info (self->session);
  g_autofree char *nodes = of_text (info->nodes_shown, info->nodes_total);
  g_autofree char *links = of_text (info->edges_shown, info->edges_total);

  add (self, trc_heading_new (_ ("Shown"), NULL), 16);
  add (self, trc_fact_row_new (_ ("nodes"), nodes), 2);
  add (self, trc_fact_row_new (_ ("links"), links), 2);
}

static void
add_warnings (TrcInspector *self, TrcDigest *digest)
{
  const char *const *warnings = trc_digest_warnings (digest);

  if (warnings == NULL || warnings[0] == NULL)
    return;
  add (self, trc_heading_new (_ ("About the file"), NULL), 16);
  for (guint i = 0; warnings[i] != NULL && i < N_WARNINGS; i++)
    add (self, wrapped (warnings[i], "trc-note"), 4);
}

static void
show_whole (TrcInspector *self)
{
  TrcDigest *digest = trc_session_get_digest (self->session);
  const GArray *predictions = trc_digest_predictions (digest);

  add_title (self, _ ("Whole prompt"), trc_session_get_subtitle (self->session));
  if (predictions->len > 0)
    add (self, trc_heading_new (_ ("Next token"), _ ("probability")), 16);
  for (guint i = 0; i < MIN (predictions->len, N_PREDICTIONS); i++)
    add (self, trc_prediction_row_new (&g_array_index (predictions, TrcPrediction, i)),
         i == 0 ? 4 : 0);
  add_scores (self, digest);
  add_shown (self);
  add_warnings (self, digest);
  add (self,
       wrapped (_ ("Click a node to see what drives it and what it drives."), "trc-faint"), 16);
}

static void
rebuild (TrcInspector *self)
{
  g_autoptr (TrcFacts) facts = trc_session_dup_facts (self->session, N_LINKS);
  GtkWidget *child;

  self->title = self->entry = NULL;
  while ((child = gtk_widget_get_first_child (self->box)) != NULL)
    gtk_box_remove (GTK_BOX (self->box), child);
  if (facts != NULL)
    show_facts (self, facts);
  else if (trc_session_get_digest (self->session) != NULL)
    show_whole (self);
  gtk_adjustment_set_value (
      gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (self->scroller)), 0);
}

static void
on_scene_changed (TrcInspector *self)
{
  guint n;

  trc_session_get_selection (self->session, &n);
  if (n == 0)
    rebuild (self);
}

static void
trc_inspector_dispose (GObject *object)
{
  TrcInspector *self = TRC_INSPECTOR (object);

  g_clear_object (&self->session);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  G_OBJECT_CLASS (trc_inspector_parent_class)->dispose (object);
}

static void
trc_inspector_class_init (TrcInspectorClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = trc_inspector_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
trc_inspector_init (TrcInspector *self)
{
  self->box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  gtk_widget_set_margin_top (self->box, 14);
  gtk_widget_set_margin_bottom (self->box, 16);
  gtk_widget_set_margin_start (self->box, 16);
  gtk_widget_set_margin_end (self->box, 14);
  self->scroller = gtk_scrolled_window_new ();
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (self->scroller), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (self->scroller), self->box);
  trc_name_widget (self->scroller, _ ("Inspector"), FALSE);
  gtk_widget_set_parent (self->scroller, GTK_WIDGET (self));
  gtk_widget_add_css_class (GTK_WIDGET (self), "trc-pane");
  gtk_widget_add_css_class (GTK_WIDGET (self), "right");
}

GtkWidget *
trc_inspector_new (TrcSession *session)
{
  TrcInspector *self = g_object_new (TRC_TYPE_INSPECTOR, NULL);

  self->session = g_object_ref (session);
  g_signal_connect_object (session, "selection-changed", G_CALLBACK (rebuild), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "marks-changed", G_CALLBACK (rebuild), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (session, "scene-changed", G_CALLBACK (on_scene_changed), self,
                           G_CONNECT_SWAPPED);
  return GTK_WIDGET (self);
}
