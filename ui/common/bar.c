#define G_LOG_DOMAIN "tracery-ui"

#include "ui/common/bar.h"

#define BAR_HEIGHT_PX 12
#define LEAST_PX 3 /* a share near zero is still a share */
#define CORNER_PX 2

struct _TrcBar {
  GtkWidget parent_instance;
  double fraction;
  int full_px;
};

G_DEFINE_FINAL_TYPE (TrcBar, trc_bar, GTK_TYPE_WIDGET)

static void
trc_bar_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  TrcBar *self = TRC_BAR (widget);
  GtkStyleContext *style = gtk_widget_get_style_context (widget);
  int height = gtk_widget_get_height (widget);
  float length = (float)(self->fraction * self->full_px);
  GskRoundedRect bar;
  GdkRGBA color;

  if (self->fraction <= 0)
    return;
  gtk_style_context_get_color (style, &color);
  if (!gtk_widget_has_css_class (widget, "track"))
    length = MAX (length, LEAST_PX);
  gsk_rounded_rect_init_from_rect (
      &bar, &GRAPHENE_RECT_INIT (0, (float)(height - BAR_HEIGHT_PX) / 2, length, BAR_HEIGHT_PX),
      CORNER_PX);
  gtk_snapshot_push_rounded_clip (snapshot, &bar);
  gtk_snapshot_append_color (snapshot, &color, &bar.bounds);
  gtk_snapshot_pop (snapshot);
}

static void
trc_bar_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                 int *natural, int *minimum_baseline, int *natural_baseline)
{
  TrcBar *self = TRC_BAR (widget);
  int length = gtk_widget_has_css_class (widget, "track")
                   ? self->full_px
                   : MAX ((int)(self->fraction * self->full_px + 0.5), LEAST_PX);

  *minimum = *natural = orientation == GTK_ORIENTATION_VERTICAL ? BAR_HEIGHT_PX : length;
}

static void
trc_bar_class_init (TrcBarClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->snapshot = trc_bar_snapshot;
  widget_class->measure = trc_bar_measure;
  gtk_widget_class_set_css_name (widget_class, "trcbar");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void
trc_bar_init (TrcBar *self)
{
}

GtkWidget *
trc_bar_new (double fraction, int full_px, const char *style_class)
{
  TrcBar *self = g_object_new (TRC_TYPE_BAR, NULL);

  self->fraction = CLAMP (fraction, 0, 1);
  self->full_px = full_px;
  if (style_class != NULL)
    gtk_widget_add_css_class (GTK_WIDGET (self), style_class);
  return GTK_WIDGET (self);
}

double
trc_bar_get_fraction (TrcBar *self)
{
  return self->fraction;
}
