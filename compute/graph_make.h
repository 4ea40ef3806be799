/* compute/graph_make.h - a graph of any size, for measuring and for tests
 *
 * Shaped like a real one: a prompt, an embedding for each token, features and
 * reconstruction errors over layers and tokens, ten logits; links run upwards
 * and never to an earlier token, weights span several powers of ten. The same
 * numbers give the same graph on every machine.
 */
#pragma once

#include "compute/graph.h"

G_BEGIN_DECLS

typedef struct {
  guint32 n_nodes; /* at least 24 */
  guint64 n_edges; /* as many of them as fit */
  gint32 n_layers; /* 0 = 26 */
  gint32 n_tokens; /* 0 = what suits n_nodes, 5 to 64 */
  guint32 seed;
} TrcGraphMakeParams;

/* Makes the graph. NULL when there is no memory for it. */
TrcGraph *
trc_graph_make (const TrcGraphMakeParams *params, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
