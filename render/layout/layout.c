#include "render/layout/layout_private.h"

G_DEFINE_QUARK (trc - layout - error - quark, trc_layout_error)

TrcLayout *
trc_layout_alloc (const TrcLayoutInput *in)
{
  TrcLayout *self = g_new0 (TrcLayout, 1);

  self->n_nodes = in->n_nodes;
  self->n_rows = in->n_rows;
  self->n_columns = in->n_columns;
  self->at = g_new0 (TrcPoint, MAX (1, in->n_nodes));
  self->row_y = g_new0 (double, MAX (1, in->n_rows));
  self->row_h = g_new0 (double, MAX (1, in->n_rows));
  self->column_x = g_new0 (double, MAX (1, in->n_columns));
  self->column_w = g_new0 (double, MAX (1, in->n_columns));
  return self;
}

void
trc_layout_free (TrcLayout *self)
{
  if (self == NULL)
    return;
  g_free (self->at);
  g_free (self->row_y);
  g_free (self->row_h);
  g_free (self->column_x);
  g_free (self->column_w);
  g_free (self->message);
  g_free (self);
}

void
trc_layout_bound (TrcLayout *self, const TrcLayoutInput *in)
{
  double x0 = G_MAXDOUBLE, y0 = G_MAXDOUBLE, x1 = -G_MAXDOUBLE, y1 = -G_MAXDOUBLE;

  for (guint i = 0; i < in->n_nodes; i++)
    {
      x0 = MIN (x0, self->at[i].x - in->nodes[i].w / 2);
      x1 = MAX (x1, self->at[i].x + in->nodes[i].w / 2);
      y0 = MIN (y0, self->at[i].y - in->nodes[i].h / 2);
      y1 = MAX (y1, self->at[i].y + in->nodes[i].h / 2);
    }
  if (x0 <= x1)
    self->bounds = (TrcRect){ x0, y0, x1 - x0, y1 - y0 };
}
