#define G_LOG_DOMAIN "tracery-ui"

#include "ui/panels/left_pane.h"

#include <glib/gi18n.h>

#include "ui/common/words.h"
#include "ui/panels/jobs_view.h"
#include "ui/panels/outline_view.h"

#define PROMPT_LINES 5
#define PROMPT_CHARS 20

typedef struct {
  TrcSession *session;
  GtkWidget *prompt;
  GtkWidget *answer;
  GtkWidget *card;
} PromptCard;

/* "→ 19  99.8 %" */
static char *
answer_words (TrcDigest *digest)
{
  const GArray *predictions = trc_digest_predictions (digest);
  const TrcPrediction *best = NULL;
  g_autofree char *probability = NULL;

  for (guint i = 0; i < predictions->len; i++)
    {
      const TrcPrediction *item = &g_array_index (predictions, TrcPrediction, i);

      if (best == NULL || (item->is_target && !best->is_target))
        best = item;
    }
  if (best == NULL)
    return g_strdup (_ ("no prediction in this graph"));
  probability = trc_percent_text (best->probability);
  return g_strdup_printf ("→ %s  %s", best->label, probability);
}

static void
on_graph_changed (TrcSession *session, PromptCard *self)
{
  TrcDigest *digest = trc_session_get_digest (session);
  g_autofree char *answer = answer_words (digest);
  g_autofree char *spoken = g_strdup_printf (_ ("Prompt: %s %s. Trace another one."),
                                             trc_session_get_title (session), answer);

  gtk_label_set_text (GTK_LABEL (self->prompt), trc_session_get_title (session));
  gtk_label_set_text (GTK_LABEL (self->answer), answer);
  trc_name_widget (self->card, spoken, FALSE);
  gtk_widget_set_tooltip_text (self->card, _ ("Trace another prompt"));
}

static void
prompt_card_free (gpointer data)
{
  PromptCard *self = data;

  g_signal_handlers_disconnect_by_data (self->session, self);
  g_object_unref (self->session);
  g_free (self);
}

static GtkWidget *
prompt_card_new (TrcSession *session)
{
  PromptCard *self = g_new0 (PromptCard, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  self->session = g_object_ref (session);
  self->prompt = trc_label_new ("", NULL);
  gtk_label_set_wrap (GTK_LABEL (self->prompt), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (self->prompt), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_width_chars (GTK_LABEL (self->prompt), PROMPT_CHARS);
  gtk_label_set_max_width_chars (GTK_LABEL (self->prompt), PROMPT_CHARS);
  gtk_label_set_lines (GTK_LABEL (self->prompt), PROMPT_LINES);
  gtk_label_set_ellipsize (GTK_LABEL (self->prompt), PANGO_ELLIPSIZE_END);
  self->answer = trc_label_new ("", "trc-note");
  gtk_label_set_ellipsize (GTK_LABEL (self->answer), PANGO_ELLIPSIZE_END);
  gtk_box_append (GTK_BOX (box), self->prompt);
  gtk_box_append (GTK_BOX (box), self->answer);

  self->card = gtk_button_new ();
  gtk_button_set_child (GTK_BUTTON (self->card), box);
  gtk_widget_add_css_class (self->card, "trc-card");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->card), "win.trace");
  trc_name_widget (self->card, _ ("Trace a prompt"), FALSE);
  g_signal_connect (session, "graph-changed", G_CALLBACK (on_graph_changed), self);
  g_object_set_data_full (G_OBJECT (self->card), "prompt-card", self, prompt_card_free);
  return self->card;
}

GtkWidget *
trc_left_pane_new (TrcSession *session)
{
  GtkWidget *pane = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *outline = trc_outline_view_new (session);
  GtkWidget *outline_heading = trc_heading_new (_ ("Outline"), _ ("share"));
  GtkWidget *prompt_heading = trc_heading_new (_ ("Prompt"), NULL);
  GtkWidget *card = prompt_card_new (session);
  GtkWidget *jobs = trc_jobs_view_new (session);

  gtk_widget_set_margin_top (prompt_heading, 14);
  gtk_widget_set_margin_top (outline_heading, 12);
  gtk_widget_set_margin_bottom (jobs, 10);
  gtk_widget_set_margin_start (outline, 8);
  gtk_widget_set_margin_end (outline, 8);
  gtk_box_append (GTK_BOX (pane), prompt_heading);
  gtk_box_append (GTK_BOX (pane), card);
  gtk_box_append (GTK_BOX (pane), outline_heading);
  gtk_box_append (GTK_BOX (pane), outline);
  gtk_box_append (GTK_BOX (pane), jobs);
  for (guint i = 0; i < 4; i++)
    {
      GtkWidget *inset[] = { prompt_heading, outline_heading, card, jobs };

      gtk_widget_set_margin_start (inset[i], i < 2 ? 16 : 12);
      gtk_widget_set_margin_end (inset[i], i < 2 ? 16 : 12);
    }
  gtk_widget_add_css_class (pane, "trc-pane");
  gtk_widget_add_css_class (pane, "left");
  return pane;
}
