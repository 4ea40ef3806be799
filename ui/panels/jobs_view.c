#define G_LOG_DOMAIN "tracery-ui"

#include "ui/panels/jobs_view.h"

#include <glib/gi18n.h>

#include "ui/common/words.h"

/* "62 % · layer 3 of 12 · about 14 s left" */
static char *
progress_words (TrcJob *job)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  double fraction = trc_job_get_fraction (job);
  char *left = trc_time_left_text (trc_job_get_seconds_left (job));

  if (fraction >= 0)
    g_ptr_array_add (parts, g_strdup_printf ("%.0f %%", 100 * fraction));
  if (trc_job_get_text (job)[0] != '\0')
    g_ptr_array_add (parts, g_strdup (trc_job_get_text (job)));
  if (left != NULL)
    g_ptr_array_add (parts, left);
  if (parts->len == 0)
    return g_strdup (_ ("working …"));
  g_ptr_array_add (parts, NULL);
  return g_strjoinv (" · ", (char **)parts->pdata);
}

static void
on_progress (TrcJob *job, GParamSpec *pspec, GtkWidget *card)
{
  GtkWidget *bar = g_object_get_data (G_OBJECT (card), "bar");
  GtkWidget *words = g_object_get_data (G_OBJECT (card), "words");
  g_autofree char *text = progress_words (job);

  if (trc_job_get_fraction (job) >= 0)
    gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (bar), trc_job_get_fraction (job));
  else
    gtk_progress_bar_pulse (GTK_PROGRESS_BAR (bar));
  gtk_label_set_text (GTK_LABEL (words), text);
}

static GtkWidget *
cancel_button (TrcJob *job)
{
  GtkWidget *button = gtk_button_new_from_icon_name ("window-close-symbolic");
  g_autofree char *name = g_strdup_printf (_ ("Cancel: %s"), trc_job_get_title (job));

  gtk_widget_add_css_class (button, "trc-flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  trc_name_widget (button, name, TRUE);
  g_signal_connect_object (button, "clicked", G_CALLBACK (trc_job_cancel), job,
                           G_CONNECT_SWAPPED);
  return button;
}

static GtkWidget *
job_card (gpointer item, gpointer unused)
{
  TrcJob *job = item;
  GtkWidget *card = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4);
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 4);
  GtkWidget *title = trc_label_new (trc_job_get_title (job), NULL);
  GtkWidget *bar = gtk_progress_bar_new ();
  GtkWidget *words = trc_label_new ("", "trc-note");

  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_label_set_ellipsize (GTK_LABEL (words), PANGO_ELLIPSIZE_END);
  trc_name_widget (bar, trc_job_get_title (job), FALSE);
  gtk_box_append (GTK_BOX (column), title);
  gtk_box_append (GTK_BOX (column), bar);
  gtk_box_append (GTK_BOX (column), words);
  gtk_widget_set_hexpand (column, TRUE);
  gtk_box_append (GTK_BOX (card), column);
  gtk_box_append (GTK_BOX (card), cancel_button (job));
  gtk_widget_add_css_class (card, "trc-card");
  gtk_widget_set_margin_bottom (card, 6);
  g_object_set_data (G_OBJECT (card), "bar", bar);
  g_object_set_data (G_OBJECT (card), "words", words);
  g_signal_connect_object (job, "notify::fraction", G_CALLBACK (on_progress), card, 0);
  g_signal_connect_object (job, "notify::text", G_CALLBACK (on_progress), card, 0);
  on_progress (job, NULL, card);
  return card;
}

static void
on_jobs_changed (GListModel *jobs, guint position, guint removed, guint added,
                 GtkWidget *section)
{
  GtkWidget *list = g_object_get_data (G_OBJECT (section), "list");
  GtkWidget *child = gtk_widget_get_first_child (list);

  for (guint i = 0; i < position; i++)
    child = gtk_widget_get_next_sibling (child);
  while (removed-- > 0)
    {
      GtkWidget *next = gtk_widget_get_next_sibling (child);

      gtk_box_remove (GTK_BOX (list), child);
      child = next;
    }
  for (guint i = added; i > 0; i--)
    {
      g_autoptr (TrcJob) job = g_list_model_get_item (jobs, position + i - 1);
      GtkWidget *card = job_card (job, NULL);
      GtkWidget *before = child != NULL ? gtk_widget_get_prev_sibling (child)
                                        : gtk_widget_get_last_child (list);

      gtk_box_insert_child_after (GTK_BOX (list), card, before);
      child = card;
    }
  gtk_widget_set_visible (section, g_list_model_get_n_items (jobs) > 0);
}

GtkWidget *
trc_jobs_view_new (TrcSession *session)
{
  GtkWidget *section = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *list = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  gtk_box_append (GTK_BOX (section), trc_heading_new (_ ("Jobs"), NULL));
  gtk_box_append (GTK_BOX (section), list);
  g_object_set_data (G_OBJECT (section), "list", list);
  gtk_widget_set_visible (section, FALSE);
  g_signal_connect_object (trc_session_get_jobs (session), "items-changed",
                           G_CALLBACK (on_jobs_changed), section, 0);
  return section;
}
