/* compute/hierarchy/flow.h - the walk from the logits down that coarsening looks at
 *
 * Private to compute/hierarchy. Links of weight 0, self links and links that run against the
 * order of the graph are left out.
 */
#pragma once

#include "compute/graph.h"

G_BEGIN_DECLS

typedef struct {
  guint32 other; /* the source of an in-link, the target of an out-link */
  float share;   /* P: |weight| as a share of the target's links */
  float weight;  /* |weight| */
} TrcFlowLink;

typedef struct {
  guint32 n;
  guint32 *place;    /* by node: its place in an order with sources before targets */
  guint32 *rank;     /* by node: length of the longest path that ends there */
  gsize *in_offset;  /* n + 1 */
  TrcFlowLink *in;   /* by target */
  gsize *out_offset; /* n + 1 */
  TrcFlowLink *out;  /* by source */
  double *phi;       /* by node: share of visits, sums to 1 where there is a logit */
  double *start;     /* by node: where the walk starts, sums to 1 */
} TrcFlow;

/* The flow of @graph; NULL with @error on no memory. */
TrcFlow *trc_flow_new (const TrcGraph *graph, GError **error);
/* NULL is fine. */
void trc_flow_free (TrcFlow *self);

G_END_DECLS
