#define G_LOG_DOMAIN "tracery-ui"

#include "ui/dialogs/trace_dialog.h"

#include <glib/gi18n.h>

#include "ui/common/words.h"
#include "ui/common/wrap_layout.h"
#include "ui/dialogs/form.h"
#include "ui/inspector/rows.h"

#define TYPING_MS 150 /* wait this long after a key before the model is asked */
#define NOTE_CHARS 48
#define FIRST_PROMPT "37 + 95 ="

struct _TrcTraceDialog {
  GtkWindow parent_instance;
  TrcSession *session;
  char **models;
  GtkWidget *model, *prompt, *target, *foil, *estimator;
  GtkWidget *tokens, *guesses, *note, *go;
  GCancellable *asking; /* the guess under way */
  guint typing_id;
};

G_DEFINE_FINAL_TYPE (TrcTraceDialog, trc_trace_dialog, GTK_TYPE_WINDOW)

static const char *
chosen_model (TrcTraceDialog *self)
{
  guint at = gtk_drop_down_get_selected (GTK_DROP_DOWN (self->model));

  return at < g_strv_length (self->models) ? self->models[at] : NULL;
}

/* ---- live tokens and predictions ---- */

static void
show_guess (TrcTraceDialog *self, const TrcGuess *guess)
{
  g_autofree char *words = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u token", "%u tokens", guess->n_tokens), guess->n_tokens);
  GtkWidget *child;

  trc_wrap_box_clear (self->tokens);
  for (guint i = 0; i < guess->n_tokens; i++)
    {
      g_autofree char *text = trc_token_text (guess->tokens[i]);

      gtk_box_append (GTK_BOX (self->tokens), trc_label_new (text, "trc-token"));
    }
  while ((child = gtk_widget_get_first_child (self->guesses)) != NULL)
    gtk_box_remove (GTK_BOX (self->guesses), child);
  for (guint i = 0; i < guess->top->len; i++)
    gtk_box_append (GTK_BOX (self->guesses),
                    trc_prediction_row_new (&g_array_index (guess->top, TrcPrediction, i)));
  gtk_label_set_text (GTK_LABEL (self->note), words);
  gtk_widget_set_sensitive (self->go, guess->n_tokens > 0);
}

static void
on_guess (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGuess) guess = trc_session_guess_finish (TRC_SESSION (source), result, &error);
  TrcTraceDialog *self = data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return; /* the dialog has gone on typing, or is gone */
  g_clear_object (&self->asking);
  if (guess != NULL)
    show_guess (self, guess);
  else
    {
      gtk_label_set_text (GTK_LABEL (self->note), error->message);
      gtk_widget_set_sensitive (self->go, FALSE);
    }
}

static void
stop_asking (TrcTraceDialog *self)
{
  g_clear_handle_id (&self->typing_id, g_source_remove);
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
}

static gboolean
ask (gpointer data)
{
  TrcTraceDialog *self = data;
  const char *prompt = gtk_editable_get_text (GTK_EDITABLE (self->prompt));

  self->typing_id = 0;
  if (chosen_model (self) == NULL)
    return G_SOURCE_REMOVE;
  self->asking = g_cancellable_new ();
  trc_session_guess_async (self->session, chosen_model (self), prompt, self->asking, on_guess,
                           self);
  return G_SOURCE_REMOVE;
}

static void
on_typed (TrcTraceDialog *self)
{
  stop_asking (self);
  self->typing_id = g_timeout_add (TYPING_MS, ask, self);
}

/* ---- start ---- */

static void
on_go (TrcTraceDialog *self)
{
  TrcTraceRequest request = {
    .model = chosen_model (self),
    .prompt = gtk_editable_get_text (GTK_EDITABLE (self->prompt)),
    .target = gtk_editable_get_text (GTK_EDITABLE (self->target)),
    .foil = gtk_editable_get_text (GTK_EDITABLE (self->foil)),
    .estimator = trc_session_list_estimators ()[gtk_drop_down_get_selected (
        GTK_DROP_DOWN (self->estimator))],
  };

  if (request.model == NULL || !gtk_widget_get_sensitive (self->go))
    return;
  trc_session_trace (self->session, &request);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

static void
trc_trace_dialog_dispose (GObject *object)
{
  TrcTraceDialog *self = TRC_TRACE_DIALOG (object);

  stop_asking (self);
  g_clear_object (&self->session);
  g_clear_pointer (&self->models, g_strfreev);
  G_OBJECT_CLASS (trc_trace_dialog_parent_class)->dispose (object);
}

static void
trc_trace_dialog_class_init (TrcTraceDialogClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = trc_trace_dialog_dispose;
}

static void
trc_trace_dialog_init (TrcTraceDialog *self)
{
}

static GtkWidget *
entry_new (TrcTraceDialog *self, const char *hint)
{
  GtkWidget *entry = gtk_entry_new ();

  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), hint);
  g_signal_connect_swapped (entry, "activate", G_CALLBACK (on_go), self);
  return entry;
}

static void
fill (TrcTraceDialog *self, GtkWindow *parent)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 8);
  GtkWidget *form = trc_form_new ();
  GtkWidget *extra = trc_form_new ();

  self->model = trc_form_choice_new ((const char *const *)self->models);
  self->prompt = entry_new (self, FIRST_PROMPT);
  self->target = entry_new (self, _ ("the likeliest tokens"));
  self->foil = entry_new (self, _ ("none"));
  self->estimator = trc_form_choice_new (trc_session_list_estimators ());
  self->tokens = trc_wrap_box_new (4, 4);
  self->guesses = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  self->note = trc_label_new ("", "trc-faint");
  gtk_label_set_wrap (GTK_LABEL (self->note), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (self->note), NOTE_CHARS);
  gtk_label_set_max_width_chars (GTK_LABEL (self->note), NOTE_CHARS);

  trc_form_add (form, _ ("Model"), self->model);
  trc_form_add (form, _ ("Prompt"), self->prompt);
  trc_form_add (extra, _ ("Target token"), self->target);
  trc_form_add (extra, _ ("Foil token"), self->foil);
  trc_form_add (extra, _ ("Rule"), self->estimator);
  gtk_box_append (GTK_BOX (box), form);
  gtk_box_append (GTK_BOX (box), self->note);
  gtk_box_append (GTK_BOX (box), self->tokens);
  gtk_box_append (GTK_BOX (box), trc_heading_new (_ ("Next token"), _ ("probability")));
  gtk_box_append (GTK_BOX (box), self->guesses);
  gtk_box_append (GTK_BOX (box), extra);
  gtk_box_append (GTK_BOX (box), trc_form_buttons_new (GTK_WINDOW (self), _ ("Trace"),
                                                       _ ("Start the trace"), &self->go));
  trc_form_init_window (GTK_WINDOW (self), parent, _ ("Trace a prompt"), box);
}

GtkWidget *
trc_trace_dialog_new (GtkWindow *parent, TrcSession *session)
{
  TrcTraceDialog *self = g_object_new (TRC_TYPE_TRACE_DIALOG, NULL);
  TrcDigest *digest = trc_session_get_digest (session);

  self->session = g_object_ref (session);
  self->models = trc_session_list_models ();
  fill (self, parent);
  gtk_widget_set_sensitive (self->go, FALSE);
  g_signal_connect_swapped (self->go, "clicked", G_CALLBACK (on_go), self);
  g_signal_connect_swapped (self->prompt, "changed", G_CALLBACK (on_typed), self);
  g_signal_connect_swapped (self->model, "notify::selected", G_CALLBACK (on_typed), self);
  if (self->models[0] == NULL)
    gtk_label_set_text (GTK_LABEL (self->note),
                        _ ("No bundled model was found; install Tracery's data files."));
  else
    gtk_editable_set_text (GTK_EDITABLE (self->prompt),
                           digest != NULL && trc_digest_estimator (digest) != NULL
                               ? trc_session_get_title (session)
                               : FIRST_PROMPT);
  return GTK_WIDGET (self);
}
