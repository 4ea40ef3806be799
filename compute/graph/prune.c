/* Influence, scores and pruning. A row is a target's links, a column a source's. */

#include "compute/prune.h"

#include "compute/error.h"
#include "compute/graph/share.h"

#include <stdlib.h>
#include <string.h>

#define ROW_FLOOR 1e-10
#define MAX_TERMS 1000 /* of the series, in files whose links run in a circle */

struct _TrcPruner {
  TrcGraph *graph;
  guint32 n;
  gboolean has_logit;
  gboolean cyclic;
  guint32 *order;     /* every node before its sources; unused when cyclic */
  double *p;          /* what each node starts with: probabilities at the logits */
  double *sums;       /* by target: sum of |weight|, at least the floor */
  double *h;          /* influence in the whole graph */
  double *cumulative; /* share at each node's rank */
};

/* ---- what is fixed for a graph ---- */

/* Probability of each logit; where no file says one, all the same. */
static void
set_start (TrcPruner *self)
{
  const TrcNode *nodes = trc_graph_nodes (self->graph);
  guint32 n_logits = 0, n_known = 0;

  for (guint32 i = 0; i < self->n; i++)
    if (nodes[i].kind == TRC_NODE_LOGIT)
      {
        n_logits++;
        n_known += isfinite (nodes[i].token_prob) && nodes[i].token_prob > 0;
      }
  self->has_logit = n_logits > 0;
  for (guint32 i = 0; i < self->n; i++)
    {
      if (nodes[i].kind != TRC_NODE_LOGIT)
        continue;
      if (n_known == 0)
        self->p[i] = 1.0 / n_logits;
      else if (isfinite (nodes[i].token_prob))
        self->p[i] = MAX (0.0, nodes[i].token_prob);
    }
}

/* Kahn's order from the logits down: a node is ready when nothing that it feeds
 * is left. What never gets ready lies on a circle. */
static gboolean
find_order (TrcPruner *self)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);
  guint64 n_edges = trc_graph_n_edges (self->graph);
  g_autofree guint64 *feeds = g_try_new0 (guint64, (gsize)self->n + 1);
  guint32 n_ready = 0;

  if (feeds == NULL)
    return FALSE;
  for (guint64 e = 0; e < n_edges; e++)
    feeds[edges[e].source] += edges[e].weight != 0;
  for (guint32 i = 0; i < self->n; i++)
    if (feeds[i] == 0)
      self->order[n_ready++] = i;
  for (guint32 done = 0; done < n_ready; done++)
    {
      guint32 t = self->order[done];

      for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
        if (edges[e].weight != 0 && --feeds[edges[e].source] == 0)
          self->order[n_ready++] = edges[e].source;
    }
  self->cyclic = n_ready < self->n;
  return TRUE;
}

/* Sum of |weight| over each target's links from nodes in @keep (NULL: all). */
static void
set_sums (const TrcPruner *self, const guint8 *keep, double *sums)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);

  for (guint32 t = 0; t < self->n; t++)
    {
      double sum = 0;

      for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
        if (keep == NULL || keep[edges[e].source])
          sum += fabs (edges[e].weight);
      sums[t] = MAX (sum, ROW_FLOOR);
    }
}

/* ---- influence ---- */

/* Adds to @to what target @t with @mass passes down. Dividing first makes a lone
 * link's share exactly 1, and so ties exact ones. */
static inline void
pass_down (const TrcPruner *self, guint32 t, double mass, double sum, const guint8 *keep,
           double *to)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);

  if (mass == 0)
    return;
  for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
    if (keep == NULL || keep[edges[e].source])
      to[edges[e].source] += mass * (fabs (edges[e].weight) / sum);
}

/* p A^ + p A^^2 + ..., term by term; each term is a sweep over all links. */
static gboolean
sum_series (const TrcPruner *self, const guint8 *keep, const double *sums, double *h,
            const TrcProgress *progress, GError **error)
{
  g_autofree double *term = g_try_new (double, (gsize)self->n + 1);
  g_autofree double *next = g_try_new (double, (gsize)self->n + 1);
  double total = 0;

  if (term == NULL || next == NULL)
    {
      g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                           "There is no memory for the influence of the nodes.");
      return FALSE;
    }
  memcpy (term, self->p, self->n * sizeof term[0]);
  for (guint k = 0; k < MAX_TERMS; k++)
    {
      double left = 0;

      if (trc_progress_cancelled (progress, error))
        return FALSE;
      memset (next, 0, self->n * sizeof next[0]);
      for (guint32 t = 0; t < self->n; t++)
        if (keep == NULL || keep[t])
          pass_down (self, t, term[t], sums[t], keep, next);
      for (guint32 i = 0; i < self->n; i++)
        {
          h[i] += next[i];
          left += next[i];
        }
      total += left;
      if (left <= total * 1e-17)
        break;
      memcpy (term, next, self->n * sizeof term[0]);
    }
  return TRUE;
}

/* Influence over the nodes in @keep (NULL: all) into @h. */
static gboolean
find_influence (const TrcPruner *self, const guint8 *keep, const double *sums, double *h,
                const TrcProgress *progress, GError **error)
{
  memset (h, 0, self->n * sizeof h[0]);
  if (self->cyclic)
    return sum_series (self, keep, sums, h, progress, error);
  for (guint32 i = 0; i < self->n; i++)
    {
      guint32 t = self->order[i];
      if (keep == NULL || keep[t])
        pass_down (self, t, h[t] + self->p[t], sums[t], keep, h);
    }
  return !trc_progress_cancelled (progress, error);
}

typedef struct {
  double h;
  guint32 node;
} Ranked;

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->h != y->h)
    return x->h < y->h ? 1 : -1;
  return (x->node > y->node) - (x->node < y->node);
}

/* The share that has been reached at each node's place in the falling order. */
static gboolean
set_cumulative (TrcPruner *self)
{
  const TrcNode *nodes = trc_graph_nodes (self->graph);
  g_autofree Ranked *ranked = g_try_new (Ranked, (gsize)self->n + 1);
  double total = 0, reached = 0;

  if (ranked == NULL)
    return FALSE;
  for (guint32 i = 0; i < self->n; i++)
    {
      ranked[i] = (Ranked){ self->h[i], i };
      total += self->h[i];
    }
  qsort (ranked, self->n, sizeof ranked[0], compare_ranked);
  for (guint32 i = 0; i < self->n; i++)
    {
      guint32 node = ranked[i].node;

      reached += ranked[i].h;
      self->cumulative[node] =
          nodes[node].kind == TRC_NODE_LOGIT || total <= 0 ? NAN : reached / total;
    }
  return TRUE;
}

static gpointer
no_memory (GError **error)
{
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                       "There is no memory for pruning a graph of this size.");
  return NULL;
}

TrcPruner *
trc_pruner_new (TrcGraph *graph, const TrcProgress *progress, GError **error)
{
  g_autoptr (TrcPruner) self = g_new0 (TrcPruner, 1);
  gsize room = (gsize)trc_graph_n_nodes (graph) + 1;

  self->graph = trc_graph_ref (graph);
  self->n = trc_graph_n_nodes (graph);
  self->order = g_try_new0 (guint32, room);
  self->p = g_try_new0 (double, room);
  self->sums = g_try_new0 (double, room);
  self->h = g_try_new0 (double, room);
  self->cumulative = g_try_new0 (double, room);
  if (self->order == NULL || self->p == NULL || self->sums == NULL || self->h == NULL
      || self->cumulative == NULL || !find_order (self))
    return no_memory (error);
  set_start (self);
  set_sums (self, NULL, self->sums);
  if (!find_influence (self, NULL, self->sums, self->h, progress, error))
    return NULL;
  if (!set_cumulative (self))
    return no_memory (error);
  return g_steal_pointer (&self);
}

void
trc_pruner_free (TrcPruner *self)
{
  if (self == NULL)
    return;
  trc_graph_unref (self->graph);
  g_free (self->order);
  g_free (self->p);
  g_free (self->sums);
  g_free (self->h);
  g_free (self->cumulative);
  g_free (self);
}

const double *
trc_pruner_influence (const TrcPruner *self)
{
  return self->h;
}

const double *
trc_pruner_cumulative (const TrcPruner *self)
{
  return self->cumulative;
}

/* ---- scores ---- */

TrcGraphScores
trc_pruner_scores (const TrcPruner *self)
{
  const TrcNode *nodes = trc_graph_nodes (self->graph);
  double tokens = 0, errors = 0, mass = 0, explained = 0;
  TrcGraphScores scores = { NAN, NAN, 0 };

  for (guint32 t = 0; t < self->n; t++)
    {
      double weight = self->h[t] + self->p[t], from_errors = 0;
      gsize n;
      const TrcEdge *in = trc_graph_in_edges (self->graph, t, &n);

      for (gsize k = 0; k < n; k++)
        if (nodes[in[k].source].kind == TRC_NODE_ERROR)
          from_errors += fabs (in[k].weight);
      explained += (1 - from_errors / self->sums[t]) * weight;
      mass += weight;
      tokens += nodes[t].kind == TRC_NODE_EMBEDDING ? self->h[t] : 0;
      errors += nodes[t].kind == TRC_NODE_ERROR ? self->h[t] : 0;
      if (nodes[t].kind == TRC_NODE_LOGIT && isfinite (nodes[t].token_prob))
        scores.logit_probability += nodes[t].token_prob;
    }
  if (tokens + errors > 0)
    scores.replacement = tokens / (tokens + errors);
  if (mass > 0)
    scores.completeness = explained / mass;
  return scores;
}

/* ---- pruning ---- */

static gboolean
always_stays (TrcNodeKind kind)
{
  return kind == TRC_NODE_EMBEDDING || kind == TRC_NODE_LOGIT;
}

/* Kinds that have inputs of their own, so that one without links in is loose. */
static gboolean
needs_input (TrcNodeKind kind)
{
  return !always_stays (kind) && kind != TRC_NODE_ERROR && kind != TRC_NODE_OTHER;
}

static gboolean
keep_nodes (const TrcPruner *self, double share, guint8 *keep)
{
  const TrcNode *nodes = trc_graph_nodes (self->graph);
  g_autofree double *values = g_try_new (double, (gsize)self->n + 1);
  double least = 0;

  if (values == NULL)
    return FALSE;
  memcpy (values, self->h, self->n * sizeof values[0]);
  if (share < 1)
    least = trc_share_threshold (values, self->n, share);
  for (guint32 i = 0; i < self->n; i++)
    keep[i] = always_stays (nodes[i].kind) || self->h[i] >= least;
  return TRUE;
}

/* Link scores A^ (h + p) among the kept nodes, into @scores by link; 0 elsewhere. */
static void
score_links (const TrcPruner *self, const guint8 *keep, const double *sums, const double *h,
             double *scores)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);

  for (guint32 t = 0; t < self->n; t++)
    {
      double mass = keep[t] ? h[t] + self->p[t] : 0;
      for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
        scores[e] = keep[edges[e].source] ? mass * (fabs (edges[e].weight) / sums[t]) : 0;
    }
}

static void
keep_links (const TrcPruner *self, const guint8 *keep, double least, const double *scores,
            guint8 *links)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);

  for (guint32 t = 0; t < self->n; t++)
    for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
      links[e] = edges[e].weight != 0 && keep[t] && keep[edges[e].source]
                 && (scores == NULL || scores[e] >= least);
}

/* One round: nodes whose links are gone go; TRUE if one went. */
static gboolean
drop_loose_nodes (const TrcPruner *self, guint8 *keep, const guint8 *links, guint8 *has_out)
{
  const TrcNode *nodes = trc_graph_nodes (self->graph);
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);
  gboolean changed = FALSE;

  memset (has_out, 0, self->n);
  for (guint64 e = 0; e < offsets[self->n]; e++)
    if (links[e])
      has_out[edges[e].source] = 1;
  for (guint32 t = 0; t < self->n; t++)
    {
      gboolean has_in = FALSE;

      if (!keep[t] || always_stays (nodes[t].kind))
        continue;
      for (guint64 e = offsets[t]; e < offsets[t + 1] && !has_in; e++)
        has_in = links[e];
      if (has_out[t] && (has_in || !needs_input (nodes[t].kind)))
        continue;
      keep[t] = 0;
      changed = TRUE;
    }
  return changed;
}

static void
drop_their_links (const TrcPruner *self, const guint8 *keep, guint8 *links)
{
  const TrcEdge *edges = trc_graph_edges (self->graph);
  const guint64 *offsets = trc_graph_offsets (self->graph);

  for (guint32 t = 0; t < self->n; t++)
    for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
      links[e] = links[e] && keep[t] && keep[edges[e].source];
}

static gboolean
drop_dangling (const TrcPruner *self, TrcPruned *kept)
{
  g_autofree guint8 *has_out = g_try_malloc ((gsize)self->n + 1);

  if (has_out == NULL)
    return FALSE;
  while (drop_loose_nodes (self, kept->nodes, kept->edges, has_out))
    drop_their_links (self, kept->nodes, kept->edges);
  return TRUE;
}

static void
count_kept (const TrcPruner *self, TrcPruned *kept)
{
  guint64 n_edges = trc_graph_n_edges (self->graph);

  for (guint32 i = 0; i < self->n; i++)
    kept->n_nodes += kept->nodes[i];
  for (guint64 e = 0; e < n_edges; e++)
    kept->n_edges += kept->edges[e];
}

/* The second stage: which links between the kept nodes stay. */
static gboolean
choose_links (const TrcPruner *self, double share, TrcPruned *kept, const TrcProgress *progress,
              GError **error)
{
  guint64 n_edges = trc_graph_n_edges (self->graph);
  g_autofree double *sums = g_try_new (double, (gsize)self->n + 1);
  g_autofree double *h = g_try_new (double, (gsize)self->n + 1);
  g_autofree double *scores = g_try_new (double, n_edges + 1);
  g_autofree double *sorted = g_try_new (double, n_edges + 1);

  if (sums == NULL || h == NULL || scores == NULL || sorted == NULL)
    {
      no_memory (error);
      return FALSE;
    }
  set_sums (self, kept->nodes, sums);
  if (!find_influence (self, kept->nodes, sums, h, progress, error))
    return FALSE;
  score_links (self, kept->nodes, sums, h, scores);
  memcpy (sorted, scores, n_edges * sizeof sorted[0]);
  keep_links (self, kept->nodes, trc_share_threshold (sorted, n_edges, share), scores,
              kept->edges);
  return TRUE;
}

TrcPruned *
trc_pruner_keep (TrcPruner *self, const TrcPruneParams *params, const TrcProgress *progress,
                 GError **error)
{
  g_autoptr (TrcPruned) kept = g_new0 (TrcPruned, 1);
  double node_share = self->has_logit ? CLAMP (params->node_share, 0, 1) : 1;
  double edge_share = self->has_logit ? CLAMP (params->edge_share, 0, 1) : 1;

  kept->nodes = g_try_malloc0 ((gsize)self->n + 1);
  kept->edges = g_try_malloc0 (trc_graph_n_edges (self->graph) + 1);
  if (kept->nodes == NULL || kept->edges == NULL || !keep_nodes (self, node_share, kept->nodes))
    return no_memory (error);
  if (edge_share >= 1)
    keep_links (self, kept->nodes, 0, NULL, kept->edges);
  else if (!choose_links (self, edge_share, kept, progress, error))
    return NULL;
  /* Without a logit nothing leads anywhere, and everything would be loose. */
  if (self->has_logit && !drop_dangling (self, kept))
    return no_memory (error);
  count_kept (self, kept);
  return g_steal_pointer (&kept);
}

void
trc_pruned_free (TrcPruned *self)
{
  if (self == NULL)
    return;
  g_free (self->nodes);
  g_free (self->edges);
  g_free (self);
}

/* ---- in one call ---- */

gboolean
trc_graph_influence (TrcGraph *graph, double *out, GError **error)
{
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, error);

  if (pruner == NULL)
    return FALSE;
  memcpy (out, pruner->h, pruner->n * sizeof out[0]);
  return TRUE;
}

TrcGraph *
trc_graph_prune (TrcGraph *graph, const TrcPruneParams *params, const TrcProgress *progress,
                 GError **error)
{
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, progress, error);
  g_autoptr (TrcPruned) kept = NULL;

  if (pruner == NULL)
    return NULL;
  kept = trc_pruner_keep (pruner, params, progress, error);
  return kept != NULL ? trc_graph_subgraph (graph, kept, pruner, params, error) : NULL;
}

gboolean
trc_graph_scores (TrcGraph *graph, TrcGraphScores *out, GError **error)
{
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, error);

  if (pruner == NULL)
    return FALSE;
  *out = trc_pruner_scores (pruner);
  return TRUE;
}
