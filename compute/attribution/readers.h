/* compute/attribution/readers.h - what targets read from the residual stream
 *
 * Private to compute/attribution. Writes rows of the sweep's block: the gradient of a target with
 * respect to the stream at the place where the target reads. Frozen rules leave the norm's
 * 1/std out of the row, because one row of a head serves all its key positions; the caller
 * multiplies by it. Live rules put everything in, averaged over the points of the rule.
 */
#pragma once

#include "compute/attribution/tracer.h"

G_BEGIN_DECLS

/* Neurons: up, and gate when gated. Logits: the unembedding. Heads: values, and keys and queries
 * for a live rule. */
typedef struct {
  const TrcWeight *first, *second, *third;
} TrcReaderWeights;

/* One row each for neurons of one layer, or for logits. */
gboolean trc_readers_single (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets,
                             guint n, const TrcReaderWeights *weights, TrcTensor *out,
                             guint first_out, GError **error);

/* Targets of one head of one layer. Frozen: one row each; live: one row for every position up
 * to the target's own, target by target. */
gboolean trc_readers_heads (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets,
                            guint n, const TrcReaderWeights *weights, TrcTensor *out,
                            guint first_out, GError **error);

/* The stream that targets of @kind read in a pass, [T][d_model]. Borrowed. */
TrcTensor *
trc_readers_input (const TrcTracer *tracer, const TrcRecord *pass, TrcKind kind, guint layer);

/* Whole components, for a live rule: what the query, key and value readers of all heads of a
 * layer read of the metric, [3 * n_heads][T * d_model], averaged over the rule's points. */
TrcTensor *
trc_readers_components (TrcTracer *tracer, const TrcRule *rule, guint layer, GError **error);

/* The same of a whole MLP (TRC_KIND_NEURON) or of the metric (TRC_KIND_LOGIT): [1][T * d_model]. */
TrcTensor *trc_readers_block (TrcTracer *tracer, const TrcRule *rule, TrcKind kind, guint layer,
                              GError **error);

G_END_DECLS
