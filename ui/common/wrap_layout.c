#define G_LOG_DOMAIN "tracery-ui"

#include "ui/common/wrap_layout.h"

struct _TrcWrapLayout {
  GtkLayoutManager parent_instance;
  int gap_px;
  int line_gap_px;
};

G_DEFINE_FINAL_TYPE (TrcWrapLayout, trc_wrap_layout, GTK_TYPE_LAYOUT_MANAGER)

/* Walks the lines for @width; allocates when @place is set. Returns the height. */
static int
walk_lines (TrcWrapLayout *self, GtkWidget *widget, int width, gboolean place)
{
  int x = 0, y = 0, line_height = 0;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkRequisition size;

      if (!gtk_widget_should_layout (child))
        continue;
      gtk_widget_get_preferred_size (child, NULL, &size);
      if (x > 0 && x + size.width > width)
        {
          y += line_height + self->line_gap_px;
          x = 0;
          line_height = 0;
        }
      if (place)
        gtk_widget_size_allocate (
            child, &(GtkAllocation){ x, y, MIN (size.width, MAX (width, 1)), size.height }, -1);
      x += size.width + self->gap_px;
      line_height = MAX (line_height, size.height);
    }
  return y + line_height;
}

static void
widest_and_total (TrcWrapLayout *self, GtkWidget *widget, int *widest, int *total)
{
  *widest = *total = 0;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkRequisition size;

      if (!gtk_widget_should_layout (child))
        continue;
      gtk_widget_get_preferred_size (child, NULL, &size);
      *widest = MAX (*widest, size.width);
      *total += size.width + (*total > 0 ? self->gap_px : 0);
    }
}

static void
trc_wrap_layout_measure (GtkLayoutManager *manager, GtkWidget *widget,
                         GtkOrientation orientation, int for_size, int *minimum, int *natural,
                         int *minimum_baseline, int *natural_baseline)
{
  TrcWrapLayout *self = TRC_WRAP_LAYOUT (manager);
  int widest, total;

  widest_and_total (self, widget, &widest, &total);
  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = widest;
      *natural = total;
    }
  else
    *minimum = *natural = walk_lines (self, widget, for_size < 0 ? total : for_size, FALSE);
}

static void
trc_wrap_layout_allocate (GtkLayoutManager *manager, GtkWidget *widget, int width, int height,
                          int baseline)
{
  walk_lines (TRC_WRAP_LAYOUT (manager), widget, width, TRUE);
}

static GtkSizeRequestMode
trc_wrap_layout_get_request_mode (GtkLayoutManager *manager, GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
trc_wrap_layout_class_init (TrcWrapLayoutClass *klass)
{
  GtkLayoutManagerClass *layout_class = GTK_LAYOUT_MANAGER_CLASS (klass);

  layout_class->measure = trc_wrap_layout_measure;
  layout_class->allocate = trc_wrap_layout_allocate;
  layout_class->get_request_mode = trc_wrap_layout_get_request_mode;
}

static void
trc_wrap_layout_init (TrcWrapLayout *self)
{
}

GtkLayoutManager *
trc_wrap_layout_new (int gap_px, int line_gap_px)
{
  TrcWrapLayout *self = g_object_new (TRC_TYPE_WRAP_LAYOUT, NULL);

  self->gap_px = gap_px;
  self->line_gap_px = line_gap_px;
  return GTK_LAYOUT_MANAGER (self);
}

GtkWidget *
trc_wrap_box_new (int gap_px, int line_gap_px)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);

  gtk_widget_set_layout_manager (box, trc_wrap_layout_new (gap_px, line_gap_px));
  return box;
}

void
trc_wrap_box_clear (GtkWidget *box)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (box)) != NULL)
    gtk_box_remove (GTK_BOX (box), child);
}
