/* compute/hierarchy.h - an attribution graph at every resolution
 *
 * A tree of blocks over the nodes of a graph: the root holds everything, each block is cut into
 * smaller ones, the leaves are single nodes. Level d is the partition into the blocks at depth
 * d (and the leaves above it). At every level the graph between the blocks is a DAG again: no
 * path leaves a block and comes back, so "what feeds what" keeps its meaning at any resolution.
 *
 * Rules, all on the flow that starts at the logits: P = |weight| normalised over each target's
 * links, phi the share of visits of a walk that follows P down and starts again at a logit.
 *   directed      the smallest eigenvectors of Chung's Laplacian of a directed graph (2005),
 *                 L = I - (Phi^1/2 P Phi^-1/2 + its transpose) / 2, rows normalised, k-means
 *   role          the same on S = P_in P_in^T + P_out^T P_out: same sources, same targets
 *   architecture  layers, then attention and MLP, then tokens, then clusters of one role
 *   paper         the normalised Laplacian of (|A| + |A|^T) / 2, as HAGD's authors give it
 *
 * Each part that a path would re-enter is cut along the flow until none is. Weights of 0 and
 * the few links that run against the order of the graph (some files have them) are left out.
 *
 * Errors   TRC_COMPUTE_ERROR_OUT_OF_MEMORY, or cancelled.
 * Threads  immutable once made; meta-links of a level are made on the first call (any thread).
 */
#pragma once

#include "compute/graph.h"
#include "compute/progress.h"

G_BEGIN_DECLS

typedef enum {
  TRC_COARSEN_DIRECTED,
  TRC_COARSEN_ROLE,
  TRC_COARSEN_ARCHITECTURE,
  TRC_COARSEN_PAPER,
  TRC_N_COARSEN_RULES
} TrcCoarsenRule;

typedef struct {
  TrcCoarsenRule rule;
  guint branching; /* parts that a block is cut into, 2 to 32; repair may make some more */
  guint64 seed;    /* of k-means */
} TrcCoarsenParams;

#define TRC_COARSEN_DEFAULTS                                                                   \
  {                                                                                            \
    .rule = TRC_COARSEN_DIRECTED, .branching = 4, .seed = 1                                    \
  }

typedef struct {
  guint32 parent; /* of the root: itself */
  guint32 first_child, n_children;
  guint32 first, n; /* its nodes: a range of trc_hierarchy_members() */
  guint32 depth;
  gint32 layers[2], positions[2]; /* lowest and highest; -1 where a node has none */
  double influence;               /* sum of phi */
} TrcBlock;

/* All links between two blocks of a level as one. */
typedef struct {
  guint32 source, target; /* blocks */
  guint32 count;
  double sum;        /* signed */
  double total;      /* of absolute weights */
  guint64 strongest; /* link number of the graph */
} TrcMetaEdge;

typedef struct _TrcHierarchy TrcHierarchy;

/* Name of a rule, as on the command line: "directed", ... */
const char *trc_coarsen_rule_name (TrcCoarsenRule rule);
/* The rule called @name; FALSE when there is none. */
gboolean trc_coarsen_rule_parse (const char *name, TrcCoarsenRule *rule);

/* Cuts @graph, which is kept alive, by @params. */
TrcHierarchy *trc_hierarchy_new (TrcGraph *graph, const TrcCoarsenParams *params,
                                 const TrcProgress *progress,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The hierarchy of @part, a subgraph of this one's graph: the same tree without the nodes that
 * are gone (matched by id) and without blocks that only repeat their child. O(nodes). */
TrcHierarchy *trc_hierarchy_restrict (const TrcHierarchy *self, TrcGraph *part,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. */
TrcHierarchy *trc_hierarchy_ref (TrcHierarchy *self);
/* One owner less; NULL is fine. */
void trc_hierarchy_unref (TrcHierarchy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcHierarchy, trc_hierarchy_unref)

/* The graph. Borrowed. */
TrcGraph *trc_hierarchy_graph (const TrcHierarchy *self);
/* How it was cut. */
const TrcCoarsenParams *trc_hierarchy_params (const TrcHierarchy *self);

/* All blocks, parents before children, siblings side by side; number 0 is the root. */
const TrcBlock *trc_hierarchy_blocks (const TrcHierarchy *self, guint32 *n);
/* The nodes in the order of the tree: a block's are trc_hierarchy_members()[first .. first+n). */
const guint32 *trc_hierarchy_members (const TrcHierarchy *self);
/* The leaf that holds @node. */
guint32 trc_hierarchy_leaf (const TrcHierarchy *self, guint32 node);

/* Levels: 1 + the depth of the deepest leaf; level 0 is the root alone. */
guint trc_hierarchy_n_levels (const TrcHierarchy *self);
/* The block of @level that holds @node. O(depth). */
guint32 trc_hierarchy_block_at (const TrcHierarchy *self, guint level, guint32 node);
/* Number of blocks of a level. */
guint32 trc_hierarchy_level_size (const TrcHierarchy *self, guint level);

/* The links between the blocks of a level, by target, then source; none inside a block. */
const TrcMetaEdge *trc_hierarchy_meta_edges (TrcHierarchy *self, guint level, gsize *n);

/* Lumpability defect of a level: || P Pi - Pi P_pi || / || P Pi || (Frobenius), with Pi the
 * membership and P_pi the averages over blocks weighted by phi. 0: the coarse graph gives
 * exactly the fine graph's influences; NAN where there are no links. */
double trc_hierarchy_defect (const TrcHierarchy *self, guint level);

/* A name for a block, made of what its members share: their common label, token, layers and
 * kind. Free with g_free(). */
char *trc_hierarchy_dup_label (const TrcHierarchy *self, guint32 block);

G_END_DECLS
