/* tests/support/attribution_oracle.h - small random transformers and what attribution means
 *
 * A dense float64 definition of everything compute/attribution.h reports, written only from
 * the definitions: sources are pushed forwards through the frozen model (the program pulls
 * targets backwards), and every live derivative is a central difference of a real pass.
 * Slow and plain on purpose.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint n_layers, d_model, n_heads, d_head, d_mlp, n_vocab, n_ctx;
  gboolean norm; /* LayerNorm, else none */
  gboolean bias; /* in attention, MLP */
  gboolean gelu; /* tanh GELU, else ReLU */
} TrcOracleConfig;

typedef enum {
  TRC_ORACLE_EMBED,
  TRC_ORACLE_HEAD,
  TRC_ORACLE_NEURON,
  TRC_ORACLE_LOGIT
} TrcOracleKind;

typedef struct {
  TrcOracleKind kind;
  guint layer, index, position;
} TrcOracleNode;

typedef enum {
  TRC_ORACLE_RELP,
  TRC_ORACLE_GRAD,
  TRC_ORACLE_EAP,
  TRC_ORACLE_EAP_IG,
  TRC_ORACLE_EXACT,
} TrcOracleRule;

typedef struct _TrcOracle TrcOracle;

/* Random weights, rounded to float; the same @seed gives the same model. */
TrcOracle *trc_oracle_new (const TrcOracleConfig *config, guint32 seed);

/* Frees; NULL is fine. */
void trc_oracle_free (TrcOracle *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcOracle, trc_oracle_free)

/* Writes config.json and model.safetensors with GPT-2 names into folder @dir. */
gboolean trc_oracle_save (const TrcOracle *self, const char *dir, GError **error);

/* Chooses the prompt, the counterfactual (NULL: zero baseline), the metric: weights over
 * vocabulary entries, @n_vocab of them (probability-weighted centred logits, or +1 and -1). */
void trc_oracle_prompt (TrcOracle *self, const guint32 *ids, const guint32 *counterfactual,
                        guint n, const double *metric_weights, guint ig_steps);

/* Logits of the last position, n_vocab, borrowed. */
const double *trc_oracle_logits (const TrcOracle *self);

/* The weights of logit node @token: +1 there, minus 1 / n_vocab everywhere. */
void trc_oracle_centred (const TrcOracle *self, guint token, double *weights);

/* The estimate by @rule of metric(clean) - metric(without @node); EXACT: the truth. */
double trc_oracle_score (TrcOracle *self, TrcOracleRule rule, TrcOracleNode node);

/* One link of the graph. A logit target reads @logit_weights (n_vocab). @transparent: head
 * nodes do not exist. */
double trc_oracle_link (TrcOracle *self, TrcOracleRule rule, gboolean transparent,
                        TrcOracleNode target, const double *logit_weights,
                        TrcOracleNode source);

/* The clean value of a target that a frozen row plus its biases adds up to. */
double trc_oracle_pre (const TrcOracle *self, TrcOracleNode neuron);

G_END_DECLS
