#include "compute/hierarchy/flow.h"

#include "compute/error.h"

#include <math.h>
#include <stdlib.h>

/* Kahn's algorithm with a twist for files whose links run in a circle: when nothing is ready,
 * the waiting node that stands lowest in the network is taken, and the links into it that are
 * still open are left out later because they run against the order. */
typedef struct {
  const TrcGraph *graph;
  guint32 *waiting; /* by node: links in that are still open */
  guint32 *by_place_in_network;
  guint32 next_forced;
  guint32 *ready;
  guint32 n_ready;
} Order;

static gboolean
counts (const TrcEdge *edge, guint32 target)
{
  return edge->weight != 0 && edge->source != target;
}

static int
compare_network (gconstpointer a, gconstpointer b, gpointer nodes_)
{
  const TrcNode *nodes = nodes_;
  const TrcNode *x = &nodes[*(const guint32 *)a], *y = &nodes[*(const guint32 *)b];

  if (x->layer != y->layer)
    return x->layer < y->layer ? -1 : 1;
  if (x->kind != y->kind)
    return x->kind < y->kind ? -1 : 1;
  if (x->position != y->position)
    return x->position < y->position ? -1 : 1;
  return x < y ? -1 : x > y;
}

static guint32
next_node (Order *o, const guint8 *done)
{
  if (o->n_ready > 0)
    return o->ready[--o->n_ready];
  while (done[o->by_place_in_network[o->next_forced]])
    o->next_forced++;
  return o->by_place_in_network[o->next_forced];
}

static void
set_order (TrcFlow *self, const TrcGraph *graph)
{
  guint32 n = self->n;
  g_autofree guint32 *waiting = g_new0 (guint32, n + 1), *ready = g_new (guint32, n + 1);
  g_autofree guint32 *network = g_new (guint32, n + 1);
  g_autofree guint8 *done = g_new0 (guint8, n + 1);
  Order o = { graph, waiting, network, 0, ready, 0 };

  for (guint32 t = 0; t < n; t++)
    {
      gsize n_in;
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n_in);
      for (gsize k = 0; k < n_in; k++)
        waiting[t] += counts (&in[k], t);
      network[t] = t;
    }
  g_qsort_with_data (network, (gint)n, sizeof *network, compare_network,
                     (gpointer)trc_graph_nodes (graph));
  for (guint32 i = n; i > 0; i--)
    if (waiting[network[i - 1]] == 0)
      ready[o.n_ready++] = network[i - 1];
  for (guint32 place = 0; place < n; place++)
    {
      guint32 v = next_node (&o, done);
      gsize n_out;
      const TrcOutEdge *out = trc_graph_out_edges (graph, v, &n_out);
      done[v] = 1;
      self->place[v] = place;
      for (gsize k = 0; k < n_out; k++)
        if (counts (trc_graph_out_edge (graph, &out[k]), out[k].target)
            && --waiting[out[k].target] == 0 && !done[out[k].target])
          ready[o.n_ready++] = out[k].target;
    }
}

/* Copies the links that count, by target, with their shares. */
static gboolean
copy_links (TrcFlow *self, const TrcGraph *graph)
{
  gsize n_links = 0;

  self->in = g_try_new (TrcFlowLink, trc_graph_n_edges (graph) + 1);
  self->out = g_try_new (TrcFlowLink, trc_graph_n_edges (graph) + 1);
  if (self->in == NULL || self->out == NULL)
    return FALSE;
  for (guint32 t = 0; t < self->n; t++)
    {
      gsize n_in, first = n_links;
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n_in);
      double sum = 0;
      self->in_offset[t] = n_links;
      for (gsize k = 0; k < n_in; k++)
        if (counts (&in[k], t) && self->place[in[k].source] < self->place[t])
          {
            sum += fabs (in[k].weight);
            self->in[n_links++] = (TrcFlowLink){ in[k].source, 0, (float)fabs (in[k].weight) };
          }
      for (gsize k = first; k < n_links; k++)
        self->in[k].share = sum > 0 ? (float)(self->in[k].weight / sum) : 0;
    }
  self->in_offset[self->n] = n_links;
  return TRUE;
}

static void
turn_links (TrcFlow *self)
{
  gsize n_links = self->in_offset[self->n];
  g_autofree gsize *next = g_new (gsize, self->n + 1);

  for (gsize k = 0; k < n_links; k++)
    self->out_offset[self->in[k].other + 1]++;
  for (guint32 v = 0; v < self->n; v++)
    {
      self->out_offset[v + 1] += self->out_offset[v];
      next[v] = self->out_offset[v];
    }
  for (guint32 t = 0; t < self->n; t++)
    for (gsize k = self->in_offset[t]; k < self->in_offset[t + 1]; k++)
      self->out[next[self->in[k].other]++] =
          (TrcFlowLink){ t, self->in[k].share, self->in[k].weight };
}

/* Ranks from the sources up, visits from the logits down. */
static void
walk (TrcFlow *self, const TrcGraph *graph)
{
  g_autofree guint32 *node_at = g_new (guint32, self->n + 1);
  double sum = 0;

  for (guint32 v = 0; v < self->n; v++)
    {
      const TrcNode *node = trc_graph_node (graph, v);
      gboolean logit = node->kind == TRC_NODE_LOGIT;
      node_at[self->place[v]] = v;
      self->start[v] = !logit ? 0 : isfinite (node->token_prob) ? MAX (node->token_prob, 0) : 1;
      sum += self->start[v];
    }
  for (guint32 v = 0; v < self->n; v++)
    self->start[v] = sum > 0 ? self->start[v] / sum : 1.0 / self->n;
  for (guint32 i = 0; i < self->n; i++)
    {
      guint32 t = node_at[i];
      for (gsize k = self->in_offset[t]; k < self->in_offset[t + 1]; k++)
        self->rank[t] = MAX (self->rank[t], self->rank[self->in[k].other] + 1);
    }
  for (guint32 i = self->n; i > 0; i--)
    {
      guint32 t = node_at[i - 1];
      self->phi[t] += self->start[t];
      for (gsize k = self->in_offset[t]; k < self->in_offset[t + 1]; k++)
        self->phi[self->in[k].other] += self->phi[t] * self->in[k].share;
    }
  sum = 0;
  for (guint32 v = 0; v < self->n; v++)
    sum += self->phi[v];
  for (guint32 v = 0; v < self->n && sum > 0; v++)
    self->phi[v] /= sum;
}

/* Makes the graph's index of out-links, which everything below walks along. */
static gboolean
has_index (const TrcGraph *graph)
{
  gsize n;

  return trc_graph_n_edges (graph) == 0 || trc_graph_out_edges (graph, 0, &n) != NULL;
}

TrcFlow *
trc_flow_new (const TrcGraph *graph, GError **error)
{
  TrcFlow *self = g_new0 (TrcFlow, 1);
  gboolean ok = has_index (graph);

  self->n = trc_graph_n_nodes (graph);
  self->place = g_new0 (guint32, self->n + 1);
  self->rank = g_new0 (guint32, self->n + 1);
  self->in_offset = g_new0 (gsize, self->n + 2);
  self->out_offset = g_new0 (gsize, self->n + 2);
  self->phi = g_new0 (double, self->n + 1);
  self->start = g_new0 (double, self->n + 1);
  if (ok)
    set_order (self, graph);
  if (!ok || !copy_links (self, graph))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for the %" G_GUINT64_FORMAT " links of the graph.",
                   trc_graph_n_edges (graph));
      trc_flow_free (self);
      return NULL;
    }
  turn_links (self);
  walk (self, graph);
  return self;
}

void
trc_flow_free (TrcFlow *self)
{
  if (self == NULL)
    return;
  g_free (self->place);
  g_free (self->rank);
  g_free (self->in_offset);
  g_free (self->in);
  g_free (self->out_offset);
  g_free (self->out);
  g_free (self->phi);
  g_free (self->start);
  g_free (self);
}
