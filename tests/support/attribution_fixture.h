/* tests/support/attribution_fixture.h - a random model on disk, opened, beside its float64 oracle
 *
 *   g_auto (TrcFixture) f = { 0 };
 *   trc_fixture_open (&f, &config, 7);
 *   TrcGraph *graph = trc_fixture_trace (&f, &params, &report);
 *   trc_fixture_check_rows (&f, graph, TRC_ORACLE_RELP, FALSE, 1e-4);
 */
#pragma once

#include "compute/attribution.h"
#include "tests/support/attribution_oracle.h"

G_BEGIN_DECLS

typedef struct {
  TrcOracleConfig config;
  TrcOracle *oracle;
  TrcModel *model;
  TrcDevice *device;
  char *dir;
  guint n_tokens;
  gint32 ids[8], other[8];
} TrcFixture;

/* Two layers of LayerNorm, biases and GELU; two ReLU layers with neither. */
extern const TrcOracleConfig trc_fixture_full, trc_fixture_bare;

/* Makes the model, opens it on the CPU, picks a prompt of five tokens. */
void trc_fixture_open (TrcFixture *self, const TrcOracleConfig *config, guint32 seed);

/* Frees everything and removes the folder. */
void trc_fixture_clear (TrcFixture *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TrcFixture, trc_fixture_clear)

/* Parameters of a whole, unpruned trace of the prompt with the metric ids 1 - ids 2. */
TrcTraceParams
trc_fixture_params (const TrcFixture *self, TrcEstimator estimator, gboolean contrast);

/* Traces, and gives the oracle the same prompt and metric. */
TrcGraph *
trc_fixture_trace (TrcFixture *self, const TrcTraceParams *params, TrcTraceReport *report);

/* Every link between every two nodes of @graph against the oracle, within @limit times the
 * largest of its row. Returns the worst share of that seen. */
double trc_fixture_check_rows (TrcFixture *self, const TrcGraph *graph, TrcOracleRule rule,
                               gboolean transparent, double limit);

/* The scores of all nodes, likewise. */
double trc_fixture_check_scores (TrcFixture *self, const TrcGraph *graph, TrcOracleRule rule,
                                 double limit);

/* The oracle's name for a node of a graph; FALSE for rest nodes. */
gboolean trc_fixture_place (const TrcNode *node, TrcOracleNode *out);

G_END_DECLS
