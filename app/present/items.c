#include "app/present/present_private.h"

#include <math.h>
#include <string.h>

#define CHIP_H 18.0
#define PILL_H 22.0
#define SMALL_PILL_H 17.0 /* predictions that are not the target */
#define CARD_H 36.0
#define TOKEN_PT 9.5
#define NAME_PT 10.5
#define FACT_PT 9.0
#define MOST_LABEL_W 112.0 /* points: a longer label is cut */
#define LABELLED 70        /* so many small shapes get room for their label */

gint32
trc_plan_row (const TrcPlan *self, const TrcNode *node)
{
  gint32 layers = MAX (0, trc_graph_n_layers (self->graph));
  gint32 first = self->positions ? 1 : 2; /* components have headers under the input */
  gint32 layer = CLAMP (node->layer, 0, MAX (0, layers - 1));

  if (node->kind == TRC_NODE_LOGIT)
    return (gint32)self->n_rows - 1;
  if (node->kind == TRC_NODE_EMBEDDING || node->layer < 0)
    return first - 1;
  if (!self->split)
    return first + layer;
  return first + 2 * layer + (node->kind == TRC_NODE_HEAD ? 0 : 1);
}

/* Components without positions: heads stand in the column of their number. */
static gint32
column_of (const TrcPlan *self, const TrcNode *node)
{
  if (node->kind == TRC_NODE_LOGIT)
    return -1;
  if (self->positions)
    return node->position >= 0 && node->position < (gint32)self->n_columns ? node->position
                                                                           : -1;
  if (node->kind == TRC_NODE_HEAD && node->index >= 0 && node->index < self->n_columns)
    return (gint32)node->index;
  if (node->kind == TRC_NODE_MLP)
    return (gint32)self->n_columns - 1;
  return -1;
}

static const char *
keep (TrcPlan *self, char *text)
{
  const char *kept = text != NULL ? g_string_chunk_insert (self->strings, text) : NULL;

  g_free (text);
  return kept;
}

static TrcBoxShape
shape_of (TrcNodeKind kind)
{
  static const TrcBoxShape shapes[TRC_N_NODE_KINDS] = {
    [TRC_NODE_EMBEDDING] = TRC_BOX_CHIP,  [TRC_NODE_HEAD] = TRC_BOX_SQUARE,
    [TRC_NODE_NEURON] = TRC_BOX_TRIANGLE, [TRC_NODE_FEATURE] = TRC_BOX_CIRCLE,
    [TRC_NODE_ERROR] = TRC_BOX_DIAMOND,   [TRC_NODE_MLP] = TRC_BOX_HEXAGON,
    [TRC_NODE_LOGIT] = TRC_BOX_PILL,      [TRC_NODE_OTHER] = TRC_BOX_HEXAGON,
  };
  return shapes[kind];
}

static double
text_width (TrcPlan *self, const char *text, double points, gboolean bold)
{
  return text != NULL ? trc_painter_text_width (self->painter, text, points, bold) : 0;
}

/* Small shapes shrink a little where there are many. */
static double
small_size (const TrcPlan *self)
{
  return self->nodes_shown > 1500 ? 5.5 : self->nodes_shown > 400 ? 7.0 : 8.0;
}

static void
size_node (TrcPlan *self, TrcItem *item, TrcNodeKind kind)
{
  static const double factor[TRC_N_BOX_SHAPES] = {
    [TRC_BOX_CIRCLE] = 1.0,    [TRC_BOX_DIAMOND] = 1.0,  [TRC_BOX_SQUARE] = 0.95,
    [TRC_BOX_TRIANGLE] = 1.05, [TRC_BOX_HEXAGON] = 1.25,
  };

  if (item->shape == TRC_BOX_CHIP)
    {
      item->h = CHIP_H;
      item->w =
          MAX (26.0, MIN (text_width (self, item->label, TOKEN_PT, TRUE), MOST_LABEL_W) + 16);
    }
  else if (item->shape == TRC_BOX_PILL)
    {
      gboolean target = item->style == TRC_STYLE_TARGET;
      item->h = target ? PILL_H : SMALL_PILL_H;
      item->w =
          MIN (text_width (self, item->label, target ? NAME_PT : FACT_PT, target), MOST_LABEL_W)
          + (target ? 22 : 15);
    }
  else
    item->w = item->h = small_size (self) * factor[item->shape];
}

static const char *
node_tooltip (TrcPlan *self, guint32 i, const char *label)
{
  g_autofree char *facts = trc_present_node_facts (self->graph, i);
  const char *name = label != NULL ? label : "";

  if (self->h[i] > 0)
    return keep (self, g_strdup_printf ("%s\n%s\ninfluence %.2g\342\200\257%%", name, facts,
                                        100 * self->h[i]));
  return keep (self, g_strdup_printf ("%s\n%s", name, facts));
}

static TrcBoxStyle
node_style (const TrcPlan *self, guint32 i)
{
  const TrcNode *node = &self->nodes[i];

  if (node->kind == TRC_NODE_ERROR)
    return TRC_STYLE_FAINT;
  if (node->kind == TRC_NODE_LOGIT && (i == self->target || (node->flags & TRC_NODE_IS_TARGET)))
    return TRC_STYLE_TARGET;
  return TRC_STYLE_PLAIN;
}

/* With groups or pins somebody has said what matters: the rest steps back. */
static gboolean
in_background (const TrcPlan *self, guint32 i)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);
  TrcNodeKind kind = self->nodes[i].kind;

  if (!self->cards || self->group_of[i] >= 0 || kind == TRC_NODE_EMBEDDING
      || kind == TRC_NODE_LOGIT)
    return FALSE;
  for (gsize k = 0; k < marks->n_pins; k++)
    if (marks->pins[k] == i)
      return FALSE;
  return TRUE;
}

static gint32
add_node (TrcPlan *self, guint32 i, gint32 parent)
{
  const TrcNode *node = &self->nodes[i];
  TrcItem item = {
    .kind = TRC_ITEM_NODE,
    .ref = i,
    .parent = parent,
    .row = trc_plan_row (self, node),
    .column = column_of (self, node),
    .shape = shape_of (node->kind),
    .style = node_style (self, i),
    .label_place = TRC_LABEL_AROUND,
    .label = keep (self, trc_present_node_label (self->graph, i)),
    .mass = self->mass_of[i],
    .box = -1,
  };

  item.last_row = item.row;
  item.background = in_background (self, i);
  if (item.background)
    item.style = TRC_STYLE_FAINT;
  if (item.shape == TRC_BOX_CHIP || item.shape == TRC_BOX_PILL)
    item.label_place = TRC_LABEL_INSIDE;
  else if (node->kind == TRC_NODE_ERROR)
    item.label_place = TRC_LABEL_NEVER;
  item.tooltip = node_tooltip (self, i, item.label);
  size_node (self, &item, node->kind);
  self->item_of[i] = (gint32)self->items->len;
  g_array_append_val (self->items, item);
  return self->item_of[i];
}

static gboolean
is_opened (const TrcPlan *self, guint32 group)
{
  for (guint k = 0; k < self->view->n_opened; k++)
    if (self->view->opened[k] == group)
      return TRUE;
  return FALSE;
}

static char *
group_facts (const TrcPlan *self, const TrcSupernode *group, gint32 lo, gint32 hi,
             gboolean opened)
{
  guint kinds[TRC_N_NODE_KINDS] = { 0 }, n = 0;
  const char *word = "nodes";

  for (gsize k = 0; k < group->n_members; k++)
    if (self->group_of[group->members[k]] >= 0)
      {
        kinds[self->nodes[group->members[k]].kind]++;
        n++;
      }
  if (n > 0 && kinds[TRC_NODE_FEATURE] == n)
    word = n == 1 ? "feature" : "features";
  else if (n > 0 && kinds[TRC_NODE_LOGIT] == n)
    word = n == 1 ? "output" : "outputs";
  if (opened || lo < 0 || kinds[TRC_NODE_LOGIT] == n)
    return g_strdup_printf ("%u %s", n, word);
  if (lo == hi)
    return g_strdup_printf ("%u %s \302\267 L%d", n, word, lo);
  return g_strdup_printf ("%u %s \302\267 L%d\342\200\223%d", n, word, lo, hi);
}

static void
add_group (TrcPlan *self, guint32 index)
{
  const TrcSupernode *group = &trc_graph_marks (self->graph)->supernodes[index];
  gboolean opened = is_opened (self, index);
  gint32 lo = G_MAXINT32, hi = -1, row_lo = G_MAXINT32, row_hi = -1;
  gboolean target = FALSE;
  double mass = 0, columns = 0;
  guint n = 0, placed = 0;

  for (gsize k = 0; k < group->n_members; k++)
    {
      guint32 i = group->members[k];
      if (self->group_of[i] != (gint32)index)
        continue;
      lo = MIN (lo, self->nodes[i].layer);
      hi = MAX (hi, self->nodes[i].layer);
      row_lo = MIN (row_lo, trc_plan_row (self, &self->nodes[i]));
      row_hi = MAX (row_hi, trc_plan_row (self, &self->nodes[i]));
      target |= i == self->target || (self->nodes[i].flags & TRC_NODE_IS_TARGET) != 0;
      mass += self->mass_of[i];
      n++;
      if (column_of (self, &self->nodes[i]) >= 0)
        {
          columns += column_of (self, &self->nodes[i]);
          placed++;
        }
    }
  if (n == 0)
    return;

  TrcItem item = {
    .kind = opened ? TRC_ITEM_FRAME : TRC_ITEM_CARD,
    .ref = index,
    .parent = -1,
    .row = row_lo,
    .last_row = row_hi,
    .column = -1,
    .anchored = placed > 0,
    .anchor = placed > 0 ? columns / placed : 0,
    .shape = opened ? TRC_BOX_GROUP : TRC_BOX_CARD,
    .style = target ? TRC_STYLE_TARGET : TRC_STYLE_PLAIN,
    .label = keep (self, g_strdup (group->label)),
    .sublabel = keep (self, group_facts (self, group, lo, hi, opened)),
    .mass = mass,
    .box = -1,
  };
  item.tooltip = keep (self, g_strdup_printf ("%s\n%s\ninfluence %.2g\342\200\257%%",
                                              item.label, item.sublabel, 100 * mass));
  item.h = CARD_H;
  item.w = MIN (180.0, MAX (text_width (self, item.label, NAME_PT, TRUE),
                            text_width (self, item.sublabel, FACT_PT, FALSE)))
           + 26;
  gint32 frame = (gint32)self->items->len;
  g_array_append_val (self->items, item);
  for (gsize k = 0; k < group->n_members; k++)
    {
      guint32 i = group->members[k];
      if (self->group_of[i] != (gint32)index)
        continue;
      if (opened)
        add_node (self, i, frame);
      else
        self->item_of[i] = frame;
    }
}

/* Columns whose token has no node still show their token. */
static void
add_headers (TrcPlan *self)
{
  g_autofree guint8 *has = g_malloc0 (MAX (1, self->n_columns));

  for (guint i = 0; i < self->items->len; i++)
    {
      const TrcItem *item = &g_array_index (self->items, TrcItem, i);
      if (item->shape == TRC_BOX_CHIP && item->column >= 0 && self->positions)
        has[item->column] = 1;
    }
  for (guint c = 0; c < self->n_columns; c++)
    {
      if (has[c])
        continue;
      TrcItem item = { .kind = TRC_ITEM_HEADER,
                       .ref = c,
                       .parent = -1,
                       .column = (gint32)c,
                       .shape = TRC_BOX_CHIP,
                       .style = TRC_STYLE_FAINT,
                       .box = -1 };
      const char *token = self->positions ? trc_graph_token (self->graph, (gint32)c) : NULL;
      if (self->positions && token == NULL)
        item.label = keep (self, g_strdup_printf ("%u", c));
      else if (self->positions)
        item.label = keep (self, trc_present_token_text (token));
      else if (c + 1 == self->n_columns)
        item.label = keep (self, g_strdup ("MLP"));
      else
        item.label = keep (self, g_strdup_printf ("H%u", c));
      size_node (self, &item, TRC_NODE_EMBEDDING);
      g_array_append_val (self->items, item);
    }
}

static int
by_mass (gconstpointer pa, gconstpointer pb, gpointer data)
{
  const guint32 a = *(const guint32 *)pa, b = *(const guint32 *)pb;
  const TrcItem *item = data;

  if (item[a].mass != item[b].mass)
    return item[a].mass > item[b].mass ? -1 : 1;
  return (a > b) - (a < b);
}

/* Ink and labels go by rank: influence itself spans decades. */
static void
weigh (TrcPlan *self)
{
  TrcItem *item = (TrcItem *)self->items->data;
  guint n = self->items->len, labelled = 0, small = 0;
  g_autofree guint32 *order = g_new (guint32, MAX (1, n));

  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint)n, sizeof (guint32), by_mass, item);
  for (guint i = 0; i < n; i++)
    small += item[i].label_place == TRC_LABEL_AROUND && item[i].kind == TRC_ITEM_NODE;
  for (guint r = 0, seen = 0; r < n; r++)
    {
      TrcItem *it = &item[order[r]];
      gboolean labels = it->kind == TRC_ITEM_NODE && it->label_place == TRC_LABEL_AROUND;
      double part = small > 0 ? seen / (double)small : 0;
      it->weight = labels ? pow (1 - part, 1.5) : 1;
      seen += labels;
      if (!labels || it->label == NULL || (labelled >= LABELLED && it->parent < 0))
        continue;
      if (it->background)
        continue;
      if (self->nodes[it->ref].kind == TRC_NODE_FEATURE
          && !trc_present_has_name (self->graph, it->ref)
          && (self->named || labelled >= LABELLED / 3))
        {
          if (self->named && it->style != TRC_STYLE_STRONG)
            it->label_place = TRC_LABEL_NEVER;
          continue;
        }
      it->label_w = MIN (MOST_LABEL_W, text_width (self, it->label, FACT_PT, FALSE)) + 5;
      labelled++;
    }
}

void
trc_plan_items (TrcPlan *self)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);

  if (self->cards)
    for (gsize g = 0; g < marks->n_supernodes; g++)
      add_group (self, (guint32)g);
  for (guint32 i = 0; i < self->n_nodes; i++)
    if (self->kept->nodes[i] && self->group_of[i] < 0)
      add_node (self, i, -1);
  if (self->items->len > 0)
    add_headers (self);
  weigh (self);
}
