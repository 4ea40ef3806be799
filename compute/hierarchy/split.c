#include "compute/hierarchy/split.h"

#include <stdlib.h>
#include <string.h>

/* More parts than this many times the branching, or one part with more than this share of the
 * nodes, are no help to a reader and make deep trees: cut the block into windows of the flow
 * instead, in which clusters tangle less. */
#define MOST_PARTS 2
#define LARGEST_SHARE 0.7

/* --- repair --- */

/* The clusters in the order of their mean place in the flow: position[c]. */
static void
order_clusters (const TrcCutter *self, const guint32 *set, guint32 n, guint32 k,
                const guint32 *cluster, guint32 *position)
{
  g_autofree double *sum = g_new0 (double, k);
  g_autofree guint32 *count = g_new0 (guint32, k);

  for (guint32 i = 0; i < n; i++)
    {
      sum[cluster[i]] += self->flow->rank[set[i]];
      count[cluster[i]]++;
    }
  for (guint32 c = 0; c < k; c++)
    {
      position[c] = 0;
      for (guint32 d = 0; d < k; d++)
        {
          double mine = count[c] > 0 ? sum[c] / count[c] : 0;
          double other = count[d] > 0 ? sum[d] / count[d] : 0;
          position[c] += other < mine || (other == mine && d < c);
        }
    }
}

/* The stage of each node: as early as its sources in the set allow when (stage, position) may
 * only grow along links. */
static guint32
find_stages (const TrcCutter *self, const guint32 *set, guint32 n, const guint32 *cluster,
             const guint32 *position, const guint32 *local, guint32 *stage)
{
  guint32 last = 0;

  for (guint32 i = 0; i < n; i++)
    {
      guint32 v = set[i];
      stage[i] = 0;
      for (gsize k = self->flow->in_offset[v]; k < self->flow->in_offset[v + 1]; k++)
        {
          guint32 j = local[self->flow->in[k].other];
          if (j != G_MAXUINT32)
            stage[i] = MAX (stage[i], stage[j] + (position[cluster[j]] > position[cluster[i]]));
        }
      last = MAX (last, stage[i]);
    }
  return last + 1;
}

guint32
trc_split_repair (const TrcCutter *self, const guint32 *set, guint32 n, guint32 n_clusters,
                  guint32 *cluster)
{
  g_autofree guint32 *position = g_new (guint32, n_clusters);
  g_autofree guint32 *stage = g_new (guint32, n);
  guint32 *local = self->spectral.local, n_parts = 0;

  for (guint32 i = 0; i < n; i++)
    local[set[i]] = i;
  order_clusters (self, set, n, n_clusters, cluster, position);
  gsize n_stages = find_stages (self, set, n, cluster, position, local, stage);
  g_autofree guint32 *number = g_new0 (guint32, n_stages * n_clusters);
  for (guint32 i = 0; i < n; i++)
    number[(gsize)stage[i] * n_clusters + position[cluster[i]]] = 1;
  for (gsize p = 0; p < n_stages * n_clusters; p++)
    number[p] = number[p] != 0 ? n_parts++ : G_MAXUINT32;
  for (guint32 i = 0; i < n; i++)
    {
      cluster[i] = number[(gsize)stage[i] * n_clusters + position[cluster[i]]];
      local[set[i]] = G_MAXUINT32;
    }
  return n_parts;
}

/* --- ways to cut --- */

/* The nodes in @k windows of about equal size by a key that never falls along links; equal keys
 * stay together. Returns the number of windows used. */
static guint32
windows (const guint32 *key, guint32 n, guint32 k, guint32 *cluster)
{
  g_autofree guint32 *count = NULL;
  guint32 highest = 0, before = 0, window = 0;

  for (guint32 i = 0; i < n; i++)
    highest = MAX (highest, key[i]);
  count = g_new0 (guint32, (gsize)highest + 1);
  for (guint32 i = 0; i < n; i++)
    count[key[i]]++;
  for (guint32 v = 0; v <= highest; v++)
    {
      guint32 here = count[v];
      if (here > 0 && before > 0 && window + 1 < k
          && (guint64)before * k >= (guint64)(window + 1) * n)
        window++;
      count[v] = window;
      before += here;
    }
  for (guint32 i = 0; i < n; i++)
    cluster[i] = count[key[i]];
  return window + 1;
}

static guint32
flow_windows (const TrcCutter *self, const guint32 *set, guint32 n, guint32 *cluster)
{
  g_autofree guint32 *key = g_new (guint32, n);
  guint32 lowest = G_MAXUINT32;

  for (guint32 i = 0; i < n; i++)
    lowest = MIN (lowest, self->flow->rank[set[i]]);
  for (guint32 i = 0; i < n; i++)
    key[i] = self->flow->rank[set[i]] - lowest;
  return windows (key, n, self->params->branching, cluster);
}

/* Windows of the flow in place of @n_parts unreadable parts, unless nothing flows inside the set:
 * then the parts stay. */
static guint32
cut_by_flow (const TrcCutter *self, const guint32 *set, guint32 n, guint32 n_parts,
             guint32 *cluster)
{
  g_autofree guint32 *window = g_new (guint32, n);
  guint32 n_windows = flow_windows (self, set, n, window);

  if (n_windows < 2 && n_parts > 1 && n_parts <= n)
    return n_parts;
  memcpy (cluster, window, n * sizeof *cluster);
  return n_windows;
}

/* Where nothing else tells the nodes apart: runs of the set. */
static guint32
runs (guint32 n, guint32 k, guint32 *cluster)
{
  k = MIN (k, n);
  for (guint32 i = 0; i < n; i++)
    cluster[i] = (guint32)((guint64)i * k / n);
  return k;
}

/* Place of a node in the network: token embeddings, then per layer attention and MLP, then
 * logits. */
static guint32
sublayer (const TrcNode *node, gint32 n_layers)
{
  gint32 layer = CLAMP (node->layer, 0, n_layers);

  if (node->kind == TRC_NODE_EMBEDDING)
    return 0;
  if (node->kind == TRC_NODE_LOGIT)
    return 2 * (guint32)n_layers + 3;
  return 1 + 2 * (guint32)layer + (node->kind != TRC_NODE_HEAD);
}

/* Layers while there are several, then attention or MLP, then tokens; 1 when all are equal. */
static guint32
architecture_windows (const TrcCutter *self, const guint32 *set, guint32 n, guint32 *cluster)
{
  g_autofree guint32 *key = g_new (guint32, n);
  gint32 n_layers = trc_graph_n_layers (self->graph);
  guint32 lowest, k;

  for (int what = 0; what < 3; what++)
    {
      lowest = G_MAXUINT32;
      for (guint32 i = 0; i < n; i++)
        {
          const TrcNode *node = trc_graph_node (self->graph, set[i]);
          guint32 place = sublayer (node, n_layers);
          key[i] = what == 0   ? (place + 1) / 2
                   : what == 1 ? place
                               : (guint32)MAX (node->position + 1, 0);
          lowest = MIN (lowest, key[i]);
        }
      for (guint32 i = 0; i < n; i++)
        key[i] -= lowest;
      k = windows (key, n, self->params->branching, cluster);
      if (k > 1)
        return k;
    }
  return 1;
}

static guint32
clusters (TrcCutter *self, const guint32 *set, guint32 n, guint64 seed, guint32 *cluster)
{
  TrcCoarsenRule rule = self->params->rule;
  guint32 k = self->params->branching;

  if (rule == TRC_COARSEN_ARCHITECTURE)
    {
      guint32 found = architecture_windows (self, set, n, cluster);
      if (found > 1)
        return found;
      rule = TRC_COARSEN_ROLE;
    }
  return trc_spectral_cluster (&self->spectral, rule, set, n, k, seed, cluster) ? k : 1;
}

/* --- one block --- */

static int
compare_place (gconstpointer a, gconstpointer b, gpointer place_)
{
  const guint32 *place = place_;
  guint32 x = place[*(const guint32 *)a], y = place[*(const guint32 *)b];

  return x < y ? -1 : x > y;
}

/* Sorts @set by part, keeping the order of the flow inside each. */
static void
sort_by_part (guint32 *set, guint32 n, const guint32 *part, guint32 n_parts, guint32 *sizes)
{
  g_autofree guint32 *next = g_new0 (guint32, n_parts + 1);
  g_autofree guint32 *sorted = g_new (guint32, n);

  memset (sizes, 0, n_parts * sizeof *sizes);
  for (guint32 i = 0; i < n; i++)
    sizes[part[i]]++;
  for (guint32 p = 0; p < n_parts; p++)
    next[p + 1] = next[p] + sizes[p];
  for (guint32 i = 0; i < n; i++)
    sorted[next[part[i]]++] = set[i];
  memcpy (set, sorted, n * sizeof *set);
}

/* TRUE if the parts are few enough and none holds nearly everything. */
static gboolean
is_readable (const guint32 *part, guint32 n, guint32 n_parts, guint32 branching)
{
  g_autofree guint32 *size = g_new0 (guint32, n_parts);
  guint32 largest = 0;

  for (guint32 i = 0; i < n; i++)
    {
      size[part[i]]++;
      largest = MAX (largest, size[part[i]]);
    }
  return n_parts >= 2 && n_parts <= MOST_PARTS * branching && largest <= LARGEST_SHARE * n;
}

guint32
trc_split (TrcCutter *self, guint32 *set, guint32 n, guint64 seed, guint32 *sizes)
{
  g_autofree guint32 *cluster = g_new (guint32, n);
  guint32 branching = self->params->branching, n_parts = n;

  g_qsort_with_data (set, (gint)n, sizeof *set, compare_place, self->flow->place);
  if (n <= branching)
    runs (n, n, cluster);
  else
    {
      n_parts = clusters (self, set, n, seed, cluster);
      if (n_parts > 1)
        n_parts = trc_split_repair (self, set, n, n_parts, cluster);
      if (n_parts < 2 || !is_readable (cluster, n, n_parts, branching))
        n_parts = cut_by_flow (self, set, n, n_parts, cluster);
      if (n_parts < 2)
        n_parts = runs (n, branching, cluster);
    }
  sort_by_part (set, n, cluster, n_parts, sizes);
  return n_parts;
}
