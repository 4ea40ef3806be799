#include "app/present/present_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_PAD 14.0
#define FRAME_TITLE 30.0
#define PILL_GAP 6.0
/* A graph of a few nodes is given the room of a page, not of its shapes. */
#define ROOMY_W 560.0
#define ROOMY_H 330.0
#define ROOMY_GAP 26.0
#define FEW_ROWS 8u
#define WIDE_ASPECT 2.0
#define ASPECT 1.4
#define MOST_EDGES 100000u /* that pull on the layout: the strongest */
#define END_GAP 16.0
#define ROOM_W 460.0 /* points: a small graph is spread over as much as a window shows */
#define ROOM_H 440.0
#define ROOM_ASPECT 1.2
#define SPREAD_X 2.2
#define SPREAD_Y 2.6
#define READABLE_W 760.0 /* wider scenes are seen from far: chips and pills grow with them */
#define GROW 1.3
#define LEGEND_SHARE 0.3 /* of the width, kept free of pills: the legend floats there */

static TrcItem *
item_at (const TrcPlan *self, guint i)
{
  return &g_array_index (self->items, TrcItem, i);
}

/* The box of a small shape in the layout is the shape and its label; the shape
 * stands at its left end. */
static TrcLayoutNode
layout_node (const TrcItem *item)
{
  return (TrcLayoutNode){ .row = item->row,
                          .last_row = item->last_row,
                          .column = item->column,
                          .w = item->w + item->label_w,
                          .h = item->h,
                          .anchored = item->anchored,
                          .anchor = item->anchor,
                          .centred = item->shape == TRC_BOX_CHIP,
                          .pull = item->background ? 0.1 : 1 };
}

static TrcPoint
shape_place (const TrcItem *item, TrcPoint at)
{
  return (TrcPoint){ at.x - item->label_w / 2, at.y };
}

static GCancellable *
cancellable_of (const TrcPlan *self)
{
  return self->progress != NULL ? self->progress->cancellable : NULL;
}

/* ---- members of an opened block, relative to the middle of its frame ---- */

static int
by_number (gconstpointer a, gconstpointer b)
{
  return *(const gint32 *)a - *(const gint32 *)b;
}

/* Only rows that hold a member count inside a frame. */
static guint
compress_rows (TrcLayoutNode *node, guint n)
{
  g_autofree gint32 *row = g_new (gint32, MAX (1, n));
  guint n_rows = 0;

  for (guint i = 0; i < n; i++)
    row[i] = node[i].row;
  qsort (row, n, sizeof (gint32), by_number);
  for (guint i = 0; i < n; i++)
    if (n_rows == 0 || row[n_rows - 1] != row[i])
      row[n_rows++] = row[i];
  for (guint i = 0; i < n; i++)
    {
      guint r = 0;
      while (row[r] != node[i].row)
        r++;
      node[i].row = node[i].last_row = (gint32)r;
    }
  return n_rows;
}

static GArray *
inner_edges (const TrcPlan *self, const gint32 *local)
{
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (TrcLayoutEdge));

  for (guint i = 0; i < self->links->len; i++)
    {
      const TrcLink *link = &g_array_index (self->links, TrcLink, i);
      if (local[link->from] < 0 || local[link->to] < 0)
        continue;
      TrcLayoutEdge edge = { (guint32)local[link->from], (guint32)local[link->to],
                             link->share };
      g_array_append_val (edges, edge);
    }
  return edges;
}

static gboolean
place_members (TrcPlan *self, guint frame, GError **error)
{
  g_autoptr (GArray) nodes = g_array_new (FALSE, TRUE, sizeof (TrcLayoutNode));
  g_autofree gint32 *local = g_new (gint32, self->items->len);

  for (guint i = 0; i < self->items->len; i++)
    {
      local[i] = -1;
      if (item_at (self, i)->parent != (gint32)frame)
        continue;
      TrcLayoutNode node = layout_node (item_at (self, i));
      node.column = -1;
      local[i] = (gint32)nodes->len;
      g_array_append_val (nodes, node);
    }

  g_autoptr (GArray) edges = inner_edges (self, local);
  guint n_rows = compress_rows ((TrcLayoutNode *)nodes->data, nodes->len);
  TrcLayoutInput in = {
    .nodes = (const TrcLayoutNode *)nodes->data,
    .n_nodes = nodes->len,
    .edges = (const TrcLayoutEdge *)edges->data,
    .n_edges = edges->len,
    .n_rows = n_rows,
    .gap_x = 14,
    .row_h = n_rows > 8 ? 24 : 28,
  };
  g_autoptr (TrcLayout) layout = trc_layout_layered (&in, cancellable_of (self), error);
  if (layout == NULL)
    return FALSE;

  TrcItem *item = item_at (self, frame);
  double title = 60 + 6.5 * (strlen (item->label) + strlen (item->sublabel));
  item->w = MAX (layout->bounds.w + 2 * FRAME_PAD, MIN (title, 320));
  item->h = layout->bounds.h + FRAME_TITLE + FRAME_PAD;
  double x = layout->bounds.x + layout->bounds.w / 2;
  double y = layout->bounds.y + layout->bounds.h / 2 - (FRAME_TITLE - FRAME_PAD) / 2;
  for (guint i = 0; i < self->items->len; i++)
    if (local[i] >= 0)
      {
        TrcPoint at = shape_place (item_at (self, i), layout->at[local[i]]);
        item_at (self, i)->at = (TrcPoint){ at.x - x, at.y - y };
      }
  return TRUE;
}

static void
shift_members (TrcPlan *self)
{
  for (guint i = 0; i < self->items->len; i++)
    {
      TrcItem *item = item_at (self, i);
      if (item->parent < 0)
        continue;
      item->at.x += item_at (self, (guint)item->parent)->at.x;
      item->at.y += item_at (self, (guint)item->parent)->at.y;
    }
}

/* ---- the whole ---- */

/* The item that stands for @i in the outer layout: its frame if it has one. */
static guint
outer (const TrcPlan *self, guint i)
{
  return item_at (self, i)->parent >= 0 ? (guint)item_at (self, i)->parent : i;
}

static GArray *
outer_edges (const TrcPlan *self, const gint32 *local, gboolean strong_only)
{
  GArray *edges = g_array_new (FALSE, FALSE, sizeof (TrcLayoutEdge));

  for (guint i = self->links->len - MIN (self->links->len, MOST_EDGES); i < self->links->len;
       i++)
    {
      const TrcLink *link = &g_array_index (self->links, TrcLink, i);
      gint32 from = local[outer (self, link->from)], to = local[outer (self, link->to)];
      if (from < 0 || to < 0 || from == to || (strong_only && !link->strong))
        continue;
      TrcLayoutEdge edge = { (guint32)from, (guint32)to, link->share };
      g_array_append_val (edges, edge);
    }
  return edges;
}

/* A prediction, or a card that holds nothing but predictions. */
static gboolean
is_output (const TrcPlan *self, const TrcItem *item)
{
  return item->parent < 0
         && (item->shape == TRC_BOX_PILL
             || (item->kind == TRC_ITEM_CARD && item->row == (gint32)self->n_rows - 1));
}

static int
by_probability (gconstpointer pa, gconstpointer pb, gpointer data)
{
  const TrcPlan *self = data;
  const TrcItem *a = item_at (self, *(const guint32 *)pa),
                *b = item_at (self, *(const guint32 *)pb);
  gboolean ta = a->style == TRC_STYLE_TARGET, tb = b->style == TRC_STYLE_TARGET;

  if (ta != tb)
    return ta ? -1 : 1;
  if (a->mass != b->mass)
    return a->mass > b->mass ? -1 : 1;
  return (a->ref > b->ref) - (a->ref < b->ref);
}

/* Predictions stand in one row from right to left by probability, the target
 * where most of the graph is: above the last token. */
static void
place_logits (TrcPlan *self, double left, double right, double y)
{
  g_autoptr (GArray) pills = g_array_new (FALSE, FALSE, sizeof (guint32));
  double x = right, total = 0;

  for (guint i = 0; i < self->items->len; i++)
    if (is_output (self, item_at (self, i)))
      {
        g_array_append_val (pills, i);
        total += item_at (self, i)->w + PILL_GAP;
      }
  g_array_sort_with_data (pills, by_probability, self);
  total = MAX (0.0, total - PILL_GAP);
  double room = CLAMP (total, (right - left) * (1 - LEGEND_SHARE), right - left);
  if (total > room) /* several lines of about the same length */
    room = 1.08 * total / ceil (total / room);
  left = right - room - 1e-6;
  double start = x;
  for (guint k = 0; k < pills->len; k++)
    {
      TrcItem *item = item_at (self, g_array_index (pills, guint32, k));
      if (x - item->w < left && x < start)
        {
          x = start;
          y -= item->h + PILL_GAP;
        }
      item->at = (TrcPoint){ x - item->w / 2, y };
      x -= item->w + PILL_GAP;
    }
}

static void
take_grid (TrcPlan *self, const TrcLayout *layout)
{
  self->row_y = g_memdup2 (layout->row_y, sizeof (double) * MAX (1, layout->n_rows));
  self->column_x = g_memdup2 (layout->column_x, sizeof (double) * MAX (1, layout->n_columns));
  self->column_w = g_memdup2 (layout->column_w, sizeof (double) * MAX (1, layout->n_columns));
}

static void
take_places (TrcPlan *self, const TrcLayout *layout, const gint32 *local)
{
  for (guint i = 0; i < self->items->len; i++)
    if (local[i] >= 0)
      item_at (self, i)->at = shape_place (item_at (self, i), layout->at[local[i]]);
}

/* Edges fan out over tokens and predictions: both get more room to the layers. */
static void
widen_ends (TrcPlan *self)
{
  self->row_y[0] += END_GAP;
  self->row_y[self->n_rows - 1] -= END_GAP / 2;
  for (guint i = 0; i < self->items->len; i++)
    if (item_at (self, i)->row == 0)
      item_at (self, i)->at.y += END_GAP;
}

/* Chips and pills carry their words inside; in a wide scene, which is seen from far, they
 * need a larger box to be read in. */
static void
grow_ends (TrcPlan *self, double scene_w)
{
  double grow = CLAMP (scene_w / READABLE_W, 1, GROW), pills = 1;

  for (guint i = 0; i < self->items->len; i++)
    if (is_output (self, item_at (self, i)))
      pills += item_at (self, i)->w + PILL_GAP;
  double grow_pills = CLAMP ((1 - LEGEND_SHARE) * scene_w / pills, 1, grow);
  for (guint i = 0; i < self->items->len; i++)
    {
      TrcItem *item = item_at (self, i);
      if (item->parent >= 0 || (item->shape != TRC_BOX_CHIP && item->shape != TRC_BOX_PILL))
        continue;
      item->h *= item->shape == TRC_BOX_PILL ? grow_pills : grow;
      if (item->shape == TRC_BOX_PILL)
        item->w *= grow_pills;
      else if (item->column >= 0)
        item->w = MAX (item->w, MIN (item->w * grow, self->column_w[item->column] - 4));
    }
}

/* The places of all items moved apart, so that a small graph fills a window and a wide one
 * is not a flat band. Sizes stay. */
static void
spread (TrcPlan *self)
{
  double left = G_MAXDOUBLE, right = -G_MAXDOUBLE, top = G_MAXDOUBLE, bottom = -G_MAXDOUBLE;
  double sx, sy, w, h;

  for (guint i = 0; i < self->items->len; i++)
    {
      const TrcItem *item = item_at (self, i);
      if (item->parent >= 0)
        continue;
      left = MIN (left, item->at.x - item->w / 2);
      right = MAX (right, item->at.x + item->w / 2 + item->label_w);
      top = MIN (top, item->at.y - item->h / 2);
      bottom = MAX (bottom, item->at.y + item->h / 2);
    }
  w = right - left;
  h = bottom - top;
  if (w <= 0 || h <= 0)
    return;
  sx = CLAMP (ROOM_W / w, 1, SPREAD_X);
  sy = CLAMP (MAX (ROOM_H, sx * w / ROOM_ASPECT) / h, 1, SPREAD_Y);
  for (guint i = 0; i < self->items->len; i++)
    if (item_at (self, i)->parent < 0)
      {
        item_at (self, i)->at.x *= sx;
        item_at (self, i)->at.y *= sy;
      }
  for (guint r = 0; self->row_y != NULL && r < self->n_rows; r++)
    self->row_y[r] *= sy;
  for (guint c = 0; self->column_x != NULL && c < self->n_columns; c++)
    {
      self->column_x[c] *= sx;
      self->column_w[c] *= sx;
    }
}

static TrcLayout *
run_layout (TrcPlan *self, const TrcLayoutInput *in, GError **error)
{
  if (self->view->layout != TRC_VIEW_DOT)
    return trc_layout_layered (in, cancellable_of (self), error);

  TrcDotParams params = { .force = self->view->force_dot };
  TrcLayout *layout = trc_layout_dot_or_layered (in, &params, cancellable_of (self), error);
  if (layout != NULL && layout->fell_back)
    {
      self->fell_back = TRUE;
      self->message = g_strdup (layout->message);
    }
  return layout;
}

static gboolean
place_outer (TrcPlan *self, GError **error)
{
  gboolean dot = self->view->layout == TRC_VIEW_DOT;
  double roomy_w = self->items->len < 60 ? MIN (150.0, ROOMY_W / MAX (1, self->n_columns)) : 0;
  g_autofree gint32 *local = g_new (gint32, MAX (1, self->items->len));
  g_autofree double *column_w = g_new0 (double, MAX (1, self->n_columns));
  g_autoptr (GArray) nodes = g_array_new (FALSE, TRUE, sizeof (TrcLayoutNode));

  for (guint i = 0; i < self->items->len; i++)
    {
      const TrcItem *item = item_at (self, i);
      gboolean mine = item->parent < 0 && (!is_output (self, item) || dot)
                      && !(dot && item->kind == TRC_ITEM_HEADER);
      local[i] = -1;
      if (item->shape == TRC_BOX_CHIP && item->column >= 0)
        column_w[item->column] = MAX (column_w[item->column], MAX (item->w + 10, roomy_w));
      if (!mine)
        continue;
      TrcLayoutNode node = layout_node (item);
      local[i] = (gint32)nodes->len;
      g_array_append_val (nodes, node);
    }

  g_autoptr (GArray) edges = outer_edges (self, local, dot);
  TrcLayoutInput in = {
    .nodes = (const TrcLayoutNode *)nodes->data,
    .n_nodes = nodes->len,
    .edges = (const TrcLayoutEdge *)edges->data,
    .n_edges = edges->len,
    .n_rows = self->n_rows,
    .n_columns = self->n_columns,
    .column_w = column_w,
    .gap_x = CLAMP (ROOMY_GAP * 12 / MAX (1, self->items->len), 7, ROOMY_GAP),
    .row_h = CLAMP (ROOMY_H / self->n_rows, 22, 70),
    .aspect = roomy_w > 0 && self->n_rows <= FEW_ROWS ? WIDE_ASPECT : ASPECT,
  };
  g_autoptr (TrcLayout) layout = run_layout (self, &in, error);
  if (layout == NULL)
    return FALSE;
  take_places (self, layout, local);
  if (dot && !layout->fell_back)
    return TRUE;
  take_grid (self, layout);
  widen_ends (self);
  double right = layout->bounds.x + layout->bounds.w;
  for (guint c = 0; c < self->n_columns; c++)
    right = MAX (right, self->column_x[c] + self->column_w[c] / 2);
  grow_ends (self, right - MIN (0.0, layout->bounds.x));
  place_logits (self, MIN (0.0, layout->bounds.x), right - 6, self->row_y[self->n_rows - 1]);
  return TRUE;
}

double
trc_plan_layer_y (const TrcPlan *self, gint32 layer)
{
  gint32 first = self->positions ? 1 : 2;

  if (!self->split)
    return self->row_y[first + layer];
  return (self->row_y[first + 2 * layer] + self->row_y[first + 2 * layer + 1]) / 2;
}

gboolean
trc_plan_place (TrcPlan *self, GError **error)
{
  for (guint i = 0; i < self->items->len; i++)
    if (item_at (self, i)->kind == TRC_ITEM_FRAME && !place_members (self, i, error))
      return FALSE;
  if (!place_outer (self, error))
    return FALSE;
  spread (self);
  shift_members (self);
  return TRUE;
}
