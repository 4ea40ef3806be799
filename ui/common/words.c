#define G_LOG_DOMAIN "tracery-ui"

#include "ui/common/words.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

static const char *const kind_names[] = { "node", "group", "token" };

char *
trc_ref_to_text (TrcRef ref)
{
  return g_strdup_printf ("%s:%" G_GUINT64_FORMAT, kind_names[ref.kind], ref.id);
}

gboolean
trc_ref_from_text (const char *text, TrcRef *ref)
{
  const char *colon = strchr (text, ':');

  if (colon == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (kind_names); i++)
    if (strlen (kind_names[i]) == (gsize)(colon - text)
        && g_str_has_prefix (text, kind_names[i]))
      {
        ref->kind = (TrcRefKind)i;
        return g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT64, &ref->id, NULL);
      }
  return FALSE;
}

char *
trc_signed_text (double value)
{
  if (isnan (value))
    return g_strdup ("–");
  return g_strdup_printf ("%s%.2f", value < 0 ? "−" : "+", fabs (value));
}

char *
trc_percent_text (double fraction)
{
  double percent = 100 * fraction;

  if (isnan (fraction))
    return g_strdup ("–");
  if (percent > 0 && percent < 0.01)
    return g_strdup ("< 0.01 %");
  return g_strdup_printf (percent >= 1 || percent == 0 ? "%.1f %%" : "%.2f %%", percent);
}

char *
trc_time_left_text (double seconds)
{
  if (seconds < 0)
    return NULL;
  if (seconds < 90)
    return g_strdup_printf (_ ("about %.0f s left"), MAX (seconds, 1));
  return g_strdup_printf (_ ("about %.0f min left"), seconds / 60);
}

char *
trc_token_text (const char *token)
{
  g_autoptr (GString) text = g_string_new (token);

  g_string_replace (text, "\n", "⏎", 0);
  g_string_replace (text, "\t", "⇥", 0);
  if (strspn (text->str, " ") == text->len)
    g_string_replace (text, " ", "␣", 0);
  return g_strdup (g_strstrip (text->str));
}

GtkWidget *
trc_label_new (const char *text, const char *style_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (style_class != NULL)
    gtk_widget_add_css_class (label, style_class);
  return label;
}

GtkWidget *
trc_heading_new (const char *text, const char *note)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *label = trc_label_new (text, "trc-heading");

  gtk_widget_set_hexpand (label, TRUE);
  gtk_box_append (GTK_BOX (box), label);
  if (note != NULL)
    gtk_box_append (GTK_BOX (box), trc_label_new (note, "trc-faint"));
  return box;
}

void
trc_name_widget (GtkWidget *widget, const char *name, gboolean tip)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                  -1);
  if (tip)
    gtk_widget_set_tooltip_text (widget, name);
}
