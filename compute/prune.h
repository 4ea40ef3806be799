/* compute/prune.h - how much each node matters, and a graph small enough to look at
 *
 * The rules of circuit-tracer, in double precision and over links instead of
 * dense matrices. A^ is |weight| divided by the sum over the target's links
 * (floor 1e-10), p the probability of each logit:
 *   influence   h = p A^ + p A^^2 + ... : one pass from the logits down in the
 *               order of the graph, O(links); where files hold a cycle, the
 *               series itself, at most 1,000 terms.
 *   nodes       largest h first until the share node_share is reached; tokens
 *               and logits always stay.
 *   links       A^ and h again over what is left; link score A^ (h + p) of the
 *               target, largest first until edge_share is reached.
 *   dangling    features, errors and the like without a link out, and features
 *               without a link in, go until nothing changes.
 *   scores      replacement = h(tokens) / (h(tokens) + h(errors)); completeness =
 *               mean over h + p of the share of a node's input that is no error.
 *
 * Errors   TRC_COMPUTE_ERROR_OUT_OF_MEMORY, or cancelled.
 * Threads  a TrcPruner belongs to one thread at a time; its graph to anybody.
 */
#pragma once

#include "compute/graph.h"
#include "compute/progress.h"

G_BEGIN_DECLS

typedef struct {
  double node_share; /* in [0, 1], 1 keeps every node; default 0.8 */
  double edge_share; /* in [0, 1], 1 keeps every link between kept nodes; default 0.98 */
} TrcPruneParams;

#define TRC_PRUNE_DEFAULTS                                                                     \
  {                                                                                            \
    .node_share = 0.8, .edge_share = 0.98                                                      \
  }

typedef struct {
  double replacement;       /* NAN where the graph has no logit or no tokens and errors */
  double completeness;      /* NAN where the graph has no logit */
  double logit_probability; /* sum over the logit nodes */
} TrcGraphScores;

/* What pruning keeps: one byte a node and one a link (number as in
 * trc_graph_edges()), 1 = kept. */
typedef struct {
  guint8 *nodes;
  guint8 *edges;
  guint32 n_nodes; /* kept */
  guint64 n_edges; /* kept */
} TrcPruned;

typedef struct _TrcPruner TrcPruner;

/* Influence, order and sort of @graph, made once so that each further
 * trc_pruner_keep() is cheap: what a slider drives. Holds a reference. */
TrcPruner *trc_pruner_new (TrcGraph *graph, const TrcProgress *progress,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees; NULL is fine. */
void trc_pruner_free (TrcPruner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPruner, trc_pruner_free)

/* h of every node of the whole graph, n_nodes values. */
const double *trc_pruner_influence (const TrcPruner *self);

/* Cumulative share at each node's rank: what files call "influence"; small =
 * important, NAN for logits. */
const double *trc_pruner_cumulative (const TrcPruner *self);

/* Replacement and completeness of the whole graph. */
TrcGraphScores trc_pruner_scores (const TrcPruner *self);

/* Nodes and links that stay. Free with trc_pruned_free(). NULL on no memory or cancel. */
TrcPruned *trc_pruner_keep (TrcPruner *self, const TrcPruneParams *params,
                            const TrcProgress *progress,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees; NULL is fine. */
void trc_pruned_free (TrcPruned *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPruned, trc_pruned_free)

/* The kept part as a graph of its own: marks, metadata and labels go with it,
 * influence becomes the cumulative share in @pruner's graph, the thresholds of
 * @params are noted in the metadata (both may be NULL). */
TrcGraph *trc_graph_subgraph (const TrcGraph *graph, const TrcPruned *kept,
                              const TrcPruner *pruner, const TrcPruneParams *params,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Influence h into @out (n_nodes values) in one call. */
gboolean trc_graph_influence (TrcGraph *graph, double *out, GError **error);

/* The pruned graph in one call. */
TrcGraph *trc_graph_prune (TrcGraph *graph, const TrcPruneParams *params,
                           const TrcProgress *progress,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replacement and completeness in one call. */
gboolean trc_graph_scores (TrcGraph *graph, TrcGraphScores *out, GError **error);

G_END_DECLS
