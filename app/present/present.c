#include "app/present/present_private.h"

#include <math.h>
#include <string.h>

#define SMALL_GRAPH 60u /* nodes */

void
trc_view_init (TrcView *self)
{
  *self = (TrcView){ .node_share = 0.8, .edge_share = 0.98 };
}

void
trc_view_init_for (TrcView *self, const TrcGraph *graph)
{
  trc_view_init (self);
  if (trc_graph_n_nodes (graph) <= SMALL_GRAPH)
    self->node_share = self->edge_share = 1;
}

void
trc_present_info_clear (TrcPresentInfo *self)
{
  g_clear_pointer (&self->message, g_free);
}

void
trc_plan_free (TrcPlan *self)
{
  if (self == NULL)
    return;
  trc_painter_free (self->painter);
  g_string_chunk_free (self->strings);
  trc_pruned_free (self->kept);
  g_free (self->group_of);
  g_free (self->item_of);
  g_free (self->mass_of);
  g_array_unref (self->items);
  g_array_unref (self->links);
  g_free (self->row_y);
  g_free (self->column_x);
  g_free (self->column_w);
  g_free (self->message);
  g_free (self);
}

/* Files with a marked circuit say themselves what belongs to it. */
static gboolean
use_marked_circuit (TrcPlan *self)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  gboolean any = FALSE;

  for (guint32 i = 0; i < self->n_nodes; i++)
    any |= (self->nodes[i].flags & TRC_NODE_IN_CIRCUIT) != 0;
  if (!any || self->view->node_share >= 1)
    return FALSE;
  for (guint32 i = 0; i < self->n_nodes; i++)
    self->kept->nodes[i] = (self->nodes[i].flags & TRC_NODE_IN_CIRCUIT) != 0;
  for (guint64 e = 0; e < trc_graph_n_edges (self->graph); e++)
    self->kept->edges[e] = (edges[e].flags & TRC_EDGE_IN_CIRCUIT) != 0;
  return TRUE;
}

/* What somebody pinned or grouped is shown whatever the slider says. */
static void
show_marked (TrcPlan *self)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *first = trc_graph_offsets (self->graph);
  g_autofree guint8 *added = g_malloc0 (MAX (1, self->n_nodes));

  for (gsize k = 0; k < marks->n_pins; k++)
    added[marks->pins[k]] = !self->kept->nodes[marks->pins[k]];
  for (gsize g = 0; g < marks->n_supernodes; g++)
    for (gsize k = 0; k < marks->supernodes[g].n_members; k++)
      {
        guint32 i = marks->supernodes[g].members[k];
        added[i] = !self->kept->nodes[i];
        self->group_of[i] = (gint32)g;
      }
  for (guint32 i = 0; i < self->n_nodes; i++)
    self->kept->nodes[i] |= added[i];
  for (guint32 t = 0; t < self->n_nodes; t++)
    for (guint64 e = first[t]; e < first[t + 1]; e++)
      if ((added[t] || added[edges[e].source]) && self->kept->nodes[t]
          && self->kept->nodes[edges[e].source])
        self->kept->edges[e] = 1;
}

static void
hide_unwanted (TrcPlan *self)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);

  for (gsize k = 0; k < marks->n_hidden; k++)
    self->kept->nodes[marks->hidden[k]] = 0;
  for (guint32 i = 0; i < self->n_nodes; i++)
    {
      if (self->view->hide_errors && self->nodes[i].kind == TRC_NODE_ERROR)
        self->kept->nodes[i] = 0;
      if (!self->kept->nodes[i])
        self->group_of[i] = -1;
      self->nodes_shown += self->kept->nodes[i];
    }
}

/* The marked target; without one the likeliest prediction. */
static void
find_target (TrcPlan *self)
{
  gboolean best_marked = FALSE;

  self->target = -1;
  for (guint32 i = 0; i < self->n_nodes; i++)
    {
      gboolean marked = (self->nodes[i].flags & TRC_NODE_IS_TARGET) != 0;
      if (self->nodes[i].kind != TRC_NODE_LOGIT)
        continue;
      if (self->target < 0 || (marked && !best_marked)
          || (marked == best_marked && self->mass_of[i] > self->mass_of[self->target]))
        {
          self->target = i;
          best_marked = marked;
        }
    }
}

static void
find_masses (TrcPlan *self)
{
  double total = 0;

  for (guint32 i = 0; i < self->n_nodes; i++)
    {
      double p = self->nodes[i].kind == TRC_NODE_LOGIT && isfinite (self->nodes[i].token_prob)
                     ? self->nodes[i].token_prob
                     : 0;
      self->mass_of[i] = MAX (0.0, self->h[i]) + MAX (0.0, p);
      total += self->mass_of[i];
    }
  /* A part of a graph without outputs has no influence: all count alike. */
  if (!(total > 0))
    for (guint32 i = 0; i < self->n_nodes; i++)
      self->mass_of[i] = 1;
}

static void
find_grid (TrcPlan *self)
{
  guint heads = 0, neurons = 0;
  gint64 most_heads = -1;

  for (guint32 i = 0; i < self->n_nodes; i++)
    {
      heads += self->nodes[i].kind == TRC_NODE_HEAD;
      neurons += self->nodes[i].kind == TRC_NODE_NEURON || self->nodes[i].kind == TRC_NODE_MLP;
      if (self->nodes[i].kind == TRC_NODE_HEAD)
        most_heads = MAX (most_heads, self->nodes[i].index);
    }
  gint32 n_positions = trc_graph_n_positions (self->graph);
  guint layers = (guint)MAX (0, trc_graph_n_layers (self->graph));
  self->positions = n_positions > 0 || heads == 0;
  self->split = heads > 0 && neurons > 0;
  self->n_columns =
      self->positions ? (guint)MAX (0, n_positions) : (guint)CLAMP (most_heads, 0, 4095) + 2;
  self->n_rows = layers * (self->split ? 2 : 1) + (self->positions ? 2 : 3);
}

static TrcPlan *
plan_new (TrcGraph *graph, TrcPruner *pruner, const TrcView *view, const TrcProgress *progress,
          GError **error)
{
  g_autoptr (TrcPlan) self = g_new0 (TrcPlan, 1);
  TrcPruneParams params = { view->node_share, view->edge_share };

  self->graph = graph;
  self->view = view;
  self->progress = progress;
  self->strings = g_string_chunk_new (4096);
  self->items = g_array_new (FALSE, TRUE, sizeof (TrcItem));
  self->links = g_array_new (FALSE, TRUE, sizeof (TrcLink));
  self->n_nodes = trc_graph_n_nodes (graph);
  self->nodes = trc_graph_nodes (graph);
  self->h = trc_pruner_influence (pruner);
  self->scores = trc_pruner_scores (pruner);
  self->kept = trc_pruner_keep (pruner, &params, progress, error);
  if (self->kept == NULL)
    return NULL;
  self->painter = trc_painter_new (NULL);
  self->group_of = g_new (gint32, MAX (1, self->n_nodes));
  self->item_of = g_new (gint32, MAX (1, self->n_nodes));
  self->mass_of = g_new0 (double, MAX (1, self->n_nodes));
  memset (self->group_of, 0xff, sizeof (gint32) * self->n_nodes);
  memset (self->item_of, 0xff, sizeof (gint32) * self->n_nodes);
  self->cards = view->groups != TRC_GROUPS_FLAT && trc_graph_marks (graph)->n_supernodes > 0;
  for (guint32 i = 0; i < self->n_nodes && !self->named; i++)
    self->named = self->nodes[i].kind == TRC_NODE_FEATURE && trc_present_has_name (graph, i);
  use_marked_circuit (self);
  if (self->cards)
    show_marked (self);
  hide_unwanted (self);
  find_masses (self);
  find_target (self);
  find_grid (self);
  return g_steal_pointer (&self);
}

static void
tell (const TrcPlan *plan, TrcPresentInfo *info)
{
  if (info == NULL)
    return;
  *info = (TrcPresentInfo){
    .nodes_shown = plan->nodes_shown,
    .nodes_total = plan->n_nodes,
    .edges_shown = plan->edges_shown,
    .edges_total = trc_graph_n_edges (plan->graph),
    .fell_back = plan->fell_back,
    .message = g_strdup (plan->message),
  };
}

TrcScene *
trc_present_scene (TrcGraph *graph, TrcPruner *pruner, const TrcView *view,
                   TrcPresentInfo *info, const TrcProgress *progress, GError **error)
{
  g_autoptr (TrcPruner) own = NULL;

  if (pruner == NULL)
    {
      own = trc_pruner_new (graph, progress, error);
      if (own == NULL)
        return NULL;
      pruner = own;
    }
  g_autoptr (TrcPlan) plan = plan_new (graph, pruner, view, progress, error);
  if (plan == NULL)
    return NULL;
  trc_plan_items (plan);
  trc_plan_links (plan);
  if (!trc_plan_place (plan, error))
    return NULL;
  tell (plan, info);
  return trc_plan_scene (plan);
}
