/* compute/hierarchy/split.h - cuts one block into parts whose quotient is a DAG
 *
 * Private to compute/hierarchy.
 */
#pragma once

#include "compute/hierarchy/spectral.h"

G_BEGIN_DECLS

/* What building a hierarchy works with. */
typedef struct {
  const TrcGraph *graph;
  const TrcFlow *flow;
  const TrcCoarsenParams *params;
  TrcSpectral spectral;
} TrcCutter;

/* Cuts the @n > 1 nodes of @set, sorts @set by part and writes the parts' sizes to @sizes (room
 * for @n); returns their number, at least 2. Parts come in an order in which links only lead
 * from earlier to later ones. */
guint32 trc_split (TrcCutter *self, guint32 *set, guint32 n, guint64 seed, guint32 *sizes);

/* Refines the clusters of @set so that the graph between them has no cycle: a node goes to a
 * later stage of its cluster when a path from an earlier one re-enters there. @cluster is
 * replaced by parts numbered in the order of the flow; returns their number. @set must be in
 * the order of flow->place. */
guint32 trc_split_repair (const TrcCutter *self, const guint32 *set, guint32 n,
                          guint32 n_clusters, guint32 *cluster);

G_END_DECLS
