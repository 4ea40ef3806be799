/* The graph between the blocks of a level: its links and how faithful it is. */
#include "compute/hierarchy/hierarchy_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int
compare_meta (gconstpointer a, gconstpointer b)
{
  const TrcMetaEdge *x = a, *y = b;

  if (x->target != y->target)
    return x->target < y->target ? -1 : 1;
  return x->source < y->source ? -1 : x->source > y->source;
}

static void
add_edge (TrcMetaEdge *meta, const TrcGraph *graph, guint64 e)
{
  const TrcEdge *edges = trc_graph_edges (graph);
  double size = fabs (edges[e].weight);

  if (meta->count == 0 || size > fabs (edges[meta->strongest].weight))
    meta->strongest = e;
  meta->count++;
  meta->sum += edges[e].weight;
  meta->total += size;
}

/* Walks the links target block by target block, with one slot per source block. */
static GArray *
gather (const TrcHierarchy *self, guint level)
{
  const guint64 *offsets = trc_graph_offsets (self->graph);
  const TrcEdge *edges = trc_graph_edges (self->graph);
  g_autofree guint32 *block = trc_hierarchy_partition (self, level);
  g_autofree guint32 *slot = g_new0 (guint32, self->blocks->len); /* index + 1 */
  GArray *out = g_array_new (FALSE, FALSE, sizeof (TrcMetaEdge));
  guint32 n = trc_graph_n_nodes (self->graph);

  for (guint32 i = 0, begin = 0; i < n; i++)
    {
      guint32 t = self->members[i];
      if (i > 0 && block[self->members[i - 1]] != block[t])
        {
          for (guint k = begin; k < out->len; k++)
            slot[g_array_index (out, TrcMetaEdge, k).source] = 0;
          begin = out->len;
        }
      for (guint64 e = offsets[t]; e < offsets[t + 1]; e++)
        {
          guint32 from = block[edges[e].source];
          if (from == block[t] || edges[e].weight == 0
              || self->flow->place[edges[e].source] >= self->flow->place[t])
            continue;
          if (slot[from] == 0)
            {
              TrcMetaEdge fresh = { .source = from, .target = block[t] };
              g_array_append_val (out, fresh);
              slot[from] = out->len;
            }
          add_edge (&g_array_index (out, TrcMetaEdge, slot[from] - 1), self->graph, e);
        }
    }
  g_array_sort (out, compare_meta);
  return out;
}

const TrcMetaEdge *
trc_hierarchy_meta_edges (TrcHierarchy *self, guint level, gsize *n)
{
  GArray *edges;

  g_return_val_if_fail (level < self->n_levels, NULL);
  g_mutex_lock (&self->lock);
  if (g_ptr_array_index (self->meta, level) == NULL)
    g_ptr_array_index (self->meta, level) = gather (self, level);
  edges = g_ptr_array_index (self->meta, level);
  g_mutex_unlock (&self->lock);
  *n = edges->len;
  return (const TrcMetaEdge *)(const void *)edges->data;
}

/* --- the defect --- */

/* Row t of P Pi: what of target t comes from each block, into @row; the blocks it touches go to
 * @touched. */
static guint32
block_row (const TrcHierarchy *self, const guint32 *block, guint32 t, double *row,
           guint32 *touched)
{
  const TrcFlow *flow = self->flow;
  guint32 n = 0;

  for (gsize k = flow->in_offset[t]; k < flow->in_offset[t + 1]; k++)
    {
      guint32 from = block[flow->in[k].other];
      if (row[from] == 0)
        touched[n++] = from;
      row[from] += flow->in[k].share;
    }
  return n;
}

/* Adds |row|^2 of the targets @first..@last of one block to @whole and, after the mean of the
 * block is known, |row - mean|^2 to @missed. */
static void
measure_block (const TrcHierarchy *self, const guint32 *block, guint32 first, guint32 last,
               double *row, double *mean, guint32 *touched, guint32 *in_mean, double *whole,
               double *missed)
{
  double weight = 0, mean_square = 0;
  guint32 n_mean = 0;

  for (guint32 i = first; i < last; i++)
    weight += self->flow->phi[self->members[i]];
  for (int pass = 0; pass < 2; pass++)
    {
      for (guint32 i = first; i < last; i++)
        {
          guint32 t = self->members[i], n = block_row (self, block, t, row, touched);
          double phi = weight > 0 ? self->flow->phi[t] / weight : 1.0 / (last - first);
          double square = 0, cross = 0;
          for (guint32 k = 0; k < n; k++)
            {
              guint32 b = touched[k];
              square += row[b] * row[b];
              cross += row[b] * mean[b];
              if (pass == 0 && mean[b] == 0 && phi > 0)
                in_mean[n_mean++] = b;
              if (pass == 0)
                mean[b] += phi * row[b];
              row[b] = 0;
            }
          if (pass == 1)
            {
              *whole += square;
              *missed += square - 2 * cross + mean_square;
            }
        }
      for (guint32 k = 0; pass == 0 && k < n_mean; k++)
        mean_square += mean[in_mean[k]] * mean[in_mean[k]];
    }
  for (guint32 k = 0; k < n_mean; k++)
    mean[in_mean[k]] = 0;
}

double
trc_hierarchy_defect (const TrcHierarchy *self, guint level)
{
  guint32 n = trc_graph_n_nodes (self->graph), n_blocks = self->blocks->len;
  g_autofree guint32 *block = trc_hierarchy_partition (self, level);
  g_autofree double *row = g_new0 (double, n_blocks), *mean = g_new0 (double, n_blocks);
  g_autofree guint32 *touched = g_new (guint32, n_blocks), *in_mean = g_new (guint32, n_blocks);
  double whole = 0, missed = 0;

  for (guint32 first = 0, last; first < n; first = last)
    {
      for (last = first + 1;
           last < n && block[self->members[last]] == block[self->members[first]];)
        last++;
      measure_block (self, block, first, last, row, mean, touched, in_mean, &whole, &missed);
    }
  return whole > 0 ? sqrt (MAX (missed, 0) / whole) : NAN;
}
