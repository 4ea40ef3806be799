#include "compute/prune.h"

#include "compute/error.h"
#include "compute/graph/graph_impl.h"

#define GONE G_MAXUINT32

/* Ids of the kept among @from, renumbered. */
static guint32 *
map_ids (const guint32 *from, gsize n, const guint32 *place, gsize *n_out)
{
  guint32 *out = g_new (guint32, n + 1);

  *n_out = 0;
  for (gsize i = 0; i < n; i++)
    if (place[from[i]] != GONE)
      out[(*n_out)++] = place[from[i]];
  return out;
}

/* The marks that still have something to stand on. Places go: they are one an
 * item, and items may have gone. */
static void
map_marks (const TrcGraph *graph, const guint32 *place, TrcGraphBuilder *builder)
{
  const TrcGraphMarks *from = trc_graph_marks (graph);
  TrcGraphMarks to = *from;
  TrcSupernode *groups = g_new0 (TrcSupernode, from->n_supernodes + 1);
  TrcNodeLabel *labels = g_new0 (TrcNodeLabel, from->n_labels + 1);

  to.pins = map_ids (from->pins, from->n_pins, place, &to.n_pins);
  to.hidden = map_ids (from->hidden, from->n_hidden, place, &to.n_hidden);
  to.supernodes = groups;
  to.n_supernodes = 0;
  for (gsize i = 0; i < from->n_supernodes; i++)
    {
      TrcSupernode *group = &groups[to.n_supernodes];

      group->label = from->supernodes[i].label;
      group->members = map_ids (from->supernodes[i].members, from->supernodes[i].n_members,
                                place, &group->n_members);
      if (group->n_members > 0)
        to.n_supernodes++;
      else
        g_free ((gpointer)group->members);
    }
  to.labels = labels;
  to.n_labels = 0;
  for (gsize i = 0; i < from->n_labels; i++)
    if (place[from->labels[i].node] != GONE)
      labels[to.n_labels++] =
          (TrcNodeLabel){ place[from->labels[i].node], from->labels[i].label };
  if (to.n_pins != from->n_pins || to.n_supernodes != from->n_supernodes)
    to.n_places = 0;
  if (to.clicked >= 0)
    to.clicked = place[from->clicked] != GONE ? (gint64)place[from->clicked] : -1;
  trc_graph_builder_set_marks (builder, &to);
  for (gsize i = 0; i < to.n_supernodes; i++)
    g_free ((gpointer)groups[i].members);
  g_free (groups);
  g_free (labels);
  g_free ((gpointer)to.pins);
  g_free ((gpointer)to.hidden);
}

static void
add_nodes (const TrcGraph *graph, const TrcPruned *kept, const TrcPruner *pruner,
           guint32 *place, TrcGraphBuilder *builder)
{
  for (guint32 i = 0; i < graph->n_nodes; i++)
    {
      TrcNode node = graph->nodes[i];

      place[i] = GONE;
      if (!kept->nodes[i])
        continue;
      if (pruner != NULL)
        {
          node.influence = trc_pruner_cumulative (pruner)[i];
          node.flags |= TRC_NODE_HAS_INFLUENCE;
        }
      place[i] = trc_graph_builder_add_node (builder, &node);
    }
}

static void
add_links (const TrcGraph *graph, const TrcPruned *kept, const guint32 *place,
           TrcGraphBuilder *builder)
{
  gsize next = 0;

  for (guint32 t = 0; t < graph->n_nodes; t++)
    for (guint64 e = graph->offsets[t]; e < graph->offsets[t + 1]; e++)
      {
        TrcEdge edge = graph->edges[e];

        if (!kept->edges[e] || place[t] == GONE || place[edge.source] == GONE)
          continue;
        edge.source = place[edge.source];
        while (next < graph->n_edge_extras && graph->edge_extras[next].edge < e)
          next++;
        if (next < graph->n_edge_extras && graph->edge_extras[next].edge == e)
          {
            TrcEdgeExtra extra = { builder->n_edges,
                                   trc_graph_builder_intern (builder,
                                                             graph->edge_extras[next].json) };
            g_array_append_val (builder->edge_extras, extra);
          }
        trc_graph_builder_add_edge_full (builder, place[t], &edge);
      }
}

TrcGraph *
trc_graph_subgraph (const TrcGraph *graph, const TrcPruned *kept, const TrcPruner *pruner,
                    const TrcPruneParams *params, GError **error)
{
  g_autoptr (TrcGraphBuilder) builder = trc_graph_builder_new_like (graph);
  g_autofree guint32 *place = g_try_new (guint32, (gsize)graph->n_nodes + 1);

  if (place == NULL)
    {
      g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                           "There is no memory for the pruned graph.");
      return NULL;
    }
  add_nodes (graph, kept, pruner, place, builder);
  add_links (graph, kept, place, builder);
  map_marks (graph, place, builder);
  if (params != NULL && graph->dialect == TRC_GRAPH_COMMON)
    {
      trc_graph_builder_set_number (builder, "node_threshold", params->node_share);
      trc_graph_builder_set_number (builder, "pruning_settings.node_threshold",
                                    params->node_share);
      trc_graph_builder_set_number (builder, "pruning_settings.edge_threshold",
                                    params->edge_share);
    }
  return trc_graph_builder_finish (g_steal_pointer (&builder), error);
}
