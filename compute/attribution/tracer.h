/* compute/attribution/tracer.h - what the parts of a trace share
 *
 * Private to compute/attribution. One TrcTracer lives as long as one call of trc_trace(); all
 * host arrays are float unless they are sums. Tables of a layer are [T][..] in the order of the
 * model's own tensors; a head's index in them is position * n_heads + head, a neuron's position *
 * d_mlp + neuron.
 */
#pragma once

#include "compute/attribution.h"
#include "compute/graph.h"
#include "compute/run.h"

G_BEGIN_DECLS

/* One recorded pass. Device tensors live on the tape; what the host needs is copied. */
typedef struct {
  TrcTape *tape;
  TrcForward *forward;
  float *logits; /* of the last position, [n_vocab] */
  float *embed;  /* [T][d_model] */
  float **z, **act, **pre;
  float **pattern;         /* [n_heads][T][T] */
  float **rstd1, **rstd2;  /* all 1 without norms */
  float rstd_final;        /* of the last position */
  float *g_embed;          /* gradients of the metric, after trc_record_backward() */
  float **g_z, **g_act;    /* NULL layers: nothing flowed there */
  float **g_pre, **g_gate; /* g_gate: gated models */
} TrcRecord;

/* A rule at work: its passes, and the score of every node there could be. */
typedef struct {
  TrcEstimator estimator;
  gboolean live;      /* norms and patterns pass gradients */
  guint n_points;     /* of one group */
  guint n_groups;     /* 1, or one for the embeddings and for each layer's heads and neurons */
  TrcRecord **points; /* [n_groups][n_points] */
  double *embed;      /* [T] */
  double **head, **neuron; /* [L][T * n_heads], [L][T * d_mlp] */
} TrcRule;

/* Heads and neurons that become nodes, and the numbers of all nodes. -1: no node. */
typedef struct {
  gint32 **head, **neuron; /* as in TrcRule */
  gint32 *rest;            /* [L][T] */
  guint32 first_logit, n_nodes;
  guint32 n_heads, n_neurons;
} TrcChosen;

typedef enum {
  TRC_KIND_EMBED,
  TRC_KIND_HEAD,
  TRC_KIND_NEURON,
  TRC_KIND_REST,
  TRC_KIND_LOGIT
} TrcKind;

/* One head, neuron, ... of the model; of a logit node @index is its number. */
typedef struct {
  TrcKind kind;
  guint32 layer, index, position;
} TrcPlace;

typedef struct {
  guint32 source; /* node */
  double weight;
} TrcLink;

/* A target and its row. */
typedef struct {
  TrcPlace place;
  guint32 node;
  double bias, value, sum, size; /* sum and size of its links */
  GArray *links;                 /* of TrcLink */
} TrcTarget;

typedef struct {
  TrcModel *model;
  TrcDevice *device;
  const TrcModelConfig *config;
  const TrcTraceParams *params;
  const TrcProgress *progress;
  TrcTraceReport *report;
  guint n_tokens;
  guint32 *ids, *other_ids; /* other_ids NULL: zero baseline */
  gboolean is_direction;    /* answer minus foil */
  guint n_logits;
  guint32 *logit_token;
  double *logit_prob;
  float *logit_weights; /* [n_logits][n_vocab] */
  float *metric;        /* [n_vocab] */
  TrcRecord *clean, *other;
  float *d_embed; /* clean minus baseline */
  float **d_z, **d_act;
} TrcTracer;

/* --- prompt.c: the passes and the metric ---------------------------------------------------- */

/* Reads the prompts, runs them, chooses the logits. Clear with trc_tracer_clear() either way. */
gboolean trc_tracer_prepare (TrcTracer *self, GError **error);

/* Frees what prepare made. */
void trc_tracer_clear (TrcTracer *self);

/* The metric of a row of logits. */
double trc_tracer_metric (const TrcTracer *self, const float *logits);

/* --- record.c ---------------------------------------------------------------------------------- */

/* Records a pass of @ids, or of the rows @embed where that is set. */
TrcRecord *trc_record_new (TrcTracer *tracer, const guint32 *ids, TrcTensor *embed,
                           TrcLinearise linearise, GError **error);

/* The same with interventions; the numbers of prompts and tokens are filled in. */
TrcRecord *trc_record_run (TrcTracer *tracer, const TrcForwardParams *params, GError **error);

/* The gradients of the metric, copied to the host. */
gboolean trc_record_backward (TrcTracer *tracer, TrcRecord *self, GError **error);

/* The tensor of a site, NULL when the model has none. Borrowed. */
TrcTensor *trc_record_tensor (const TrcRecord *self, TrcSite site, guint layer);

/* A copy of it in host memory. */
float *trc_record_dup (const TrcRecord *self, TrcSite site, guint layer, GError **error);

/* Frees; NULL is fine. */
void trc_record_free (TrcRecord *self, guint n_layers);

/* --- rule.c: scores and choice ---------------------------------------------------------------- */

/* Runs the passes of @estimator (not EXACT) and scores every node. */
TrcRule *trc_rule_new (TrcTracer *tracer, TrcEstimator estimator, GError **error);

/* The part of a rule that the sources of @kind in @layer are scored by: a view that borrows the
 * points. A rule of one group is its own part. */
TrcRule trc_rule_part (const TrcRule *self, TrcKind kind, guint layer);

/* Frees; NULL is fine. */
void trc_rule_free (TrcRule *self, guint n_layers);

/* The score of one node. */
double trc_rule_score (const TrcTracer *tracer, const TrcRule *self, TrcPlace place);

/* Takes the strongest heads and neurons by @rule, and numbers all nodes. */
TrcChosen *trc_chosen_new (const TrcTracer *tracer, const TrcRule *rule);

/* Frees; NULL is fine. */
void trc_chosen_free (TrcChosen *self, guint n_layers);

/* --- block.c: matrix pieces ------------------------------------------------------------------- */

/* out [rows][n_in] := s [rows][columns] times the transpose of columns [first, first + columns)
 * of @w. @s and @out start at the given row of their tensors, whose rows have @ld_s and n_in
 * elements. */
typedef struct {
  TrcTensor *s, *out;
  guint first_row_s, first_row_out, rows, ld_s;
  guint first, columns;
  gboolean accumulate;
} TrcPull;
gboolean trc_block_pull (const TrcWeight *w, const TrcPull *pull, GError **error);

/* The weight, counted in the report as read once; NULL with @error. */
const TrcWeight *
trc_block_weight (TrcTracer *tracer, TrcWeightRole role, guint layer, GError **error);

/* Bias of what @role reads behind a norm: norm bias times the weight, plus its own bias; @dst
 * [n_out], zeros where the model has none. */
gboolean trc_block_bias (TrcTracer *tracer, TrcWeightRole role, TrcWeightRole bias,
                         TrcWeightRole norm_bias, guint layer, double *dst, GError **error);

/* The vector of a bias as doubles, zeros when the model has none. */
double *
trc_block_vector (TrcTracer *tracer, TrcWeightRole role, guint layer, guint n, GError **error);

/* What the nodes at @places write into the stream, times @scale of their difference from the
 * baseline: [n][d_model]. EMBED, HEAD, NEURON only, all of one layer and kind. */
TrcTensor *
trc_block_writes (TrcTracer *tracer, const TrcPlace *places, guint n, GError **error);

/* What a layer's attention (TRC_SITE_ATTN_OUT) or MLP (TRC_SITE_MLP_OUT) adds to the stream, clean
 * minus baseline and without the bias: [T][d_model], free with g_free(). */
float *trc_block_difference (TrcTracer *tracer, TrcSite site, TrcWeightRole bias, guint layer,
                             GError **error);

/* --- sweep.c, exact.c: rows ------------------------------------------------------------------- */

/* Fills the rows of @targets, ordered from the top of the model down. A rule of several groups
 * takes one sweep for each. */
gboolean trc_sweep (TrcTracer *tracer, const TrcRule *rule, const TrcChosen *chosen,
                    TrcTarget *targets, guint n, GError **error);

/* The same by real changes of each target's own input. @rule is the plain gradient's. */
gboolean trc_exact_links (TrcTracer *tracer, const TrcRule *rule, const TrcChosen *chosen,
                          TrcTarget *targets, guint n, GError **error);

/* metric(clean) - metric(with @hooks[i] at its baseline), for each of them. */
gboolean trc_exact_hooks (TrcTracer *tracer, const TrcHook *hooks, guint n, double *effects,
                          GError **error);

/* metric(clean) - metric(with the node at its baseline), for each of @places. */
gboolean trc_exact_scores (TrcTracer *tracer, const TrcPlace *places, guint n, double *scores,
                           GError **error);

/* Adds a link to a row, and to its sums. */
void trc_target_add (TrcTarget *self, guint32 source, double weight);

/* --- trust.c ----------------------------------------------------------------------------------- */

/* A seeded sample of nodes that can reach the metric; free with g_free(). */
TrcPlace *trc_trust_sample (const TrcTracer *tracer, guint wanted, guint *n);

/* Pearson and Spearman of @x and @y with bootstrap intervals, seeded. */
TrcAgreement trc_trust_agreement (const double *x, const double *y, guint n, guint64 seed);

/* Puts @values in a seeded random order. */
void trc_trust_shuffle (double *values, guint n, guint64 seed);

/* --- assemble.c --------------------------------------------------------------------------------- */

/* The graph of the rows; node scores from @scores (n_nodes, NaN: none). */
TrcGraph *trc_assemble (TrcTracer *tracer, const TrcChosen *chosen, const double *scores,
                        TrcTarget *targets, guint n_targets, GError **error);

G_END_DECLS
