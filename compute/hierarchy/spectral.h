/* compute/hierarchy/spectral.h - clusters of a set of nodes by the eigenvectors of their flow
 *
 * Private to compute/hierarchy. The matrix of a rule is never formed: ARPACK asks for products
 * with vectors, which cost one walk over the links of the set.
 */
#pragma once

#include "compute/hierarchy.h"
#include "compute/hierarchy/flow.h"

G_BEGIN_DECLS

/* Scratch of one hierarchy being built: arrays over all nodes. */
typedef struct {
  const TrcFlow *flow;
  guint32 *local; /* by node: its number in the set, or G_MAXUINT32 */
  double *wide;   /* by node: sums of the role rule */
  double *wide2;
} TrcSpectral;

/* Scratch for @flow, which must outlive it. */
void trc_spectral_init (TrcSpectral *self, const TrcFlow *flow);
/* Frees what it holds. */
void trc_spectral_clear (TrcSpectral *self);

/* Groups the @n nodes of @set into at most @k clusters by DIRECTED, ROLE or PAPER; the cluster
 * of each goes to @cluster. FALSE where the set has no structure (no links, or ARPACK does not
 * converge): then @cluster is undefined. */
gboolean trc_spectral_cluster (TrcSpectral *self, TrcCoarsenRule rule, const guint32 *set,
                               guint32 n, guint k, guint64 seed, guint32 *cluster);

/* k-means with k-means++ starts on @n rows of @dim numbers; deterministic for a @seed. */
void
trc_k_means (const double *rows, guint32 n, guint dim, guint k, guint64 seed, guint32 *cluster);

G_END_DECLS
