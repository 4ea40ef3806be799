/* compute/hierarchy/hierarchy_impl.h - what a hierarchy holds
 *
 * Private to compute/hierarchy.
 */
#pragma once

#include "compute/hierarchy.h"
#include "compute/hierarchy/flow.h"

G_BEGIN_DECLS

struct _TrcHierarchy {
  TrcGraph *graph;
  TrcCoarsenParams params;
  TrcFlow *flow;
  GArray *blocks;   /* TrcBlock */
  guint32 *members; /* nodes in the order of the tree */
  guint32 *leaf;    /* by node */
  guint n_levels;
  GMutex lock;
  GPtrArray *meta; /* by level: GArray of TrcMetaEdge, or NULL until asked for */
};

/* By node: its block at @level, numbered as blocks are. Free with g_free(). */
guint32 *trc_hierarchy_partition (const TrcHierarchy *self, guint level);

G_END_DECLS
