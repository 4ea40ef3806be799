#define G_LOG_DOMAIN "tracery-ui"

#include "ui/inspector/rows.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/common/bar.h"
#include "ui/common/words.h"
#include "ui/common/wrap_layout.h"

#define NAME_CHARS 12
#define LINK_BAR_PX 96
#define TRACK_PX 104

static GtkWidget *
name_label (const char *name, float xalign)
{
  GtkWidget *label = gtk_label_new (name);

  gtk_label_set_xalign (GTK_LABEL (label), xalign);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), NAME_CHARS);
  gtk_label_set_max_width_chars (GTK_LABEL (label), NAME_CHARS);
  return label;
}

/* A row that selects @ref when it is pressed. */
static GtkWidget *
row_button (GtkWidget *child, TrcRef ref, const char *spoken)
{
  GtkWidget *button = gtk_button_new ();
  g_autofree char *target = trc_ref_to_text (ref);

  gtk_button_set_child (GTK_BUTTON (button), child);
  gtk_widget_add_css_class (button, "trc-bar-row");
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), "win.select");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s", target);
  trc_name_widget (button, spoken, FALSE);
  gtk_widget_set_tooltip_text (button, spoken);
  return button;
}

GtkWidget *
trc_link_row_new (const TrcLinkFact *link, double strongest)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  g_autofree char *number = trc_signed_text (link->share);
  g_autofree char *spoken =
      g_strdup_printf (link->share < 0 ? _ ("%s lowers by %s of the input (weight %.4g)")
                                       : _ ("%s raises by %s of the input (weight %.4g)"),
                       link->label, number, link->weight);

  gtk_box_append (GTK_BOX (box), name_label (link->label, 1));
  gtk_box_append (GTK_BOX (box),
                  trc_bar_new (strongest > 0 ? fabs (link->share) / strongest : 0, LINK_BAR_PX,
                               link->share < 0 ? "lowers" : "raises"));
  gtk_box_append (GTK_BOX (box), trc_label_new (number, "trc-number"));
  return row_button (box, link->ref, spoken);
}

GtkWidget *
trc_prediction_row_new (const TrcPrediction *prediction)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *name = name_label (prediction->label, 0);
  GtkWidget *bar =
      trc_bar_new (prediction->probability, TRACK_PX, prediction->is_target ? NULL : "plain");
  g_autofree char *number = trc_percent_text (prediction->probability);
  g_autofree char *spoken = g_strdup_printf (_ ("%s with %s"), prediction->label, number);
  TrcRef ref = { TRC_REF_NODE, (guint64)MAX (prediction->node, 0) };

  gtk_widget_add_css_class (bar, "track");
  if (prediction->is_target)
    gtk_widget_add_css_class (name, "trc-strong");
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (GTK_BOX (box), bar);
  gtk_box_append (GTK_BOX (box), trc_label_new (number, "trc-number"));
  return prediction->node >= 0 ? row_button (box, ref, spoken) : box;
}

GtkWidget *
trc_fact_row_new (const char *name, const char *value)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *label = trc_label_new (name, "trc-note");

  gtk_widget_set_hexpand (label, TRUE);
  gtk_box_append (GTK_BOX (box), label);
  gtk_box_append (GTK_BOX (box), trc_label_new (value, "trc-fact"));
  return box;
}

static const char *
fire_class (double value, double strongest)
{
  static const char *const classes[] = { "fire1", "fire2", "fire3", "fire4" };
  double share = strongest > 0 ? value / strongest : 0;

  if (isnan (value) || value <= 0)
    return "off";
  return classes[CLAMP ((int)(share * 4), 0, 3)];
}

GtkWidget *
trc_fires_new (const TrcFacts *facts)
{
  GtkWidget *box = trc_wrap_box_new (3, 4);
  double strongest = 0;

  for (guint t = 0; t < facts->n_tokens; t++)
    if (!isnan (facts->fires[t]))
      strongest = MAX (strongest, facts->fires[t]);
  for (guint t = 0; t < facts->n_tokens; t++)
    {
      g_autofree char *text = trc_token_text (facts->tokens[t]);
      GtkWidget *token = trc_label_new (text, "trc-token");

      gtk_widget_add_css_class (token, fire_class (facts->fires[t], strongest));
      if (!isnan (facts->fires[t]))
        {
          g_autofree char *tip = g_strdup_printf (_ ("activation %.4g"), facts->fires[t]);

          gtk_widget_set_tooltip_text (token, tip);
        }
      gtk_box_append (GTK_BOX (box), token);
    }
  return box;
}
