/* compute/attribution.h - from one prompt to a graph of what caused what
 *
 * trc_trace() runs the model once, freezes what the chosen rule freezes, and
 * writes down for every chosen target (a head, a neuron, a logit) how much
 * each earlier source adds to it. What a node, a row and each rule mean to the
 * last sign is written in compute/attribution/README.md.
 *
 * Baseline  Zero, unless a counterfactual prompt is given: then every value is
 *           the difference clean minus counterfactual.
 * Sign      A positive score or link helps the target; removing it lowers it.
 * Units     A neuron's row is in units of its pre-activation, a logit's in
 *           logits above the vocabulary's mean, a head's in the metric's units.
 * Threads   Blocking; call it on the thread that owns the device.
 * Errors    TRC_COMPUTE_ERROR, G_IO_ERROR_CANCELLED.
 */
#pragma once

#include "compute/graph.h"
#include "compute/hook.h"
#include "compute/model.h"
#include "compute/progress.h"
#include "compute/task.h"

G_BEGIN_DECLS

typedef enum {
  TRC_ESTIMATOR_AUTO,       /* the best of the others on a sample, against exact patching */
  TRC_ESTIMATOR_RELP,       /* frozen scale and pattern, activation slope f(x)/x */
  TRC_ESTIMATOR_GRAD_ACT,   /* frozen scale and pattern, activation slope f'(x) */
  TRC_ESTIMATOR_EAP,        /* the plain gradient, query and key readers live */
  TRC_ESTIMATOR_EAP_IG,     /* the same, averaged between baseline and clean embeddings */
  TRC_ESTIMATOR_EAP_IG_ACT, /* averaged between clean and baseline of one layer's heads or MLP */
  TRC_ESTIMATOR_EXACT,      /* real patched passes of the model */
  TRC_N_ESTIMATORS,
} TrcEstimator;

typedef enum {
  TRC_HEADS_NODES,       /* every path through attention passes a head node */
  TRC_HEADS_TRANSPARENT, /* effects flow through frozen patterns; no head nodes */
} TrcHeadForm;

#define TRC_TARGETS_AUTO 0u         /* all in a small model, else the 2,000 strongest */
#define TRC_TARGETS_ALL G_MAXUINT32 /* every head and every neuron that is not silent */

typedef struct {
  const char *prompt; /* tokenised by the model, unless ids are given */
  const gint32 *ids;
  guint n_ids;
  const char *counterfactual; /* same number of tokens; NULL and 0 ids: zero baseline */
  const gint32 *counterfactual_ids;
  guint n_counterfactual_ids;

  gint32 target; /* token id, or -1: the likeliest tokens */
  gint32 foil;   /* token id, or -1; with it the metric is logit(target) - logit(foil) */

  TrcEstimator estimator;
  TrcHeadForm heads;
  guint n_targets; /* heads and neurons that become nodes, by influence */
  guint max_logits;
  double logit_mass; /* without a target: the fewest tokens that reach this probability */

  gboolean prune;
  double node_share, edge_share;

  guint ig_steps;
  guint trust_sample; /* heads and neurons patched for the trust figure; 0: no figure */
  guint64 seed;
  gsize memory_budget; /* bytes for the block of targets and the tiles beside it */
} TrcTraceParams;

/* The defaults of the command line: relative thresholds 0.8 and 0.98, ten
 * logits or 0.95 of the probability, 256 sampled nodes, 5 steps, 512 MiB. */
#define TRC_TRACE_PARAMS_INIT                                                                  \
  {                                                                                            \
    .target = -1, .foil = -1, .estimator = TRC_ESTIMATOR_AUTO, .heads = TRC_HEADS_NODES,       \
    .n_targets = TRC_TARGETS_AUTO, .max_logits = 10, .logit_mass = 0.95, .prune = TRUE,        \
    .node_share = 0.8, .edge_share = 0.98, .ig_steps = 5, .trust_sample = 256, .seed = 1,      \
    .memory_budget = (gsize)512 << 20                                                          \
  }

/* How well one rule's node scores agree with exact patching. */
typedef struct {
  gboolean tried;
  double pearson, pearson_low, pearson_high;    /* 95 % interval, bootstrap */
  double spearman, spearman_low, spearman_high; /* NaN where undefined */
} TrcAgreement;

/* What a trace did and how far it can be believed. */
typedef struct {
  TrcEstimator estimator;                   /* the rule that was used; never AUTO */
  TrcAgreement agreement[TRC_N_ESTIMATORS]; /* rows not tried have .tried FALSE */
  TrcAgreement heads[TRC_N_ESTIMATORS];     /* the same over the sampled heads alone */
  TrcAgreement neurons[TRC_N_ESTIMATORS];   /* and over the neurons */
  TrcAgreement control_norm;     /* exact patching against the size of what a node writes */
  TrcAgreement control_shuffled; /* exact patching against the scores in random order */
  guint n_sample;
  double linear_check; /* worst |links + bias - value| / sum of sizes; NaN for EXACT */
  double metric;       /* the metric of the prompt itself */
  double replacement, completeness;               /* of the graph before pruning */
  double pruned_replacement, pruned_completeness; /* NaN when nothing was pruned */
  guint n_nodes_before, n_links_before;
  guint64 forwards, backwards, patches; /* whole passes; patched prompts */
  guint64 sweeps;                       /* walks over the layers for the rows */
  guint64 weight_reads;                 /* times a weight matrix was read by the sweeps */
  guint64 bytes_read;                   /* of weights, by the sweeps */
  double operations; /* multiplications and additions of the sweeps' products */
} TrcTraceReport;

/* The name of a rule as on the command line ("relp", "eap-ig" ...); static. */
const char *trc_estimator_name (TrcEstimator estimator);

/* The reverse. FALSE, leaving @out alone, when @name is none of them. */
gboolean trc_estimator_from_name (const char *name, TrcEstimator *out);

/* Traces one prompt. The graph carries the figures of the report in its
 * metadata. NULL with @error set. */
TrcGraph *trc_trace (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
                     const TrcProgress *progress, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As trc_trace(), and fills @report, which may be NULL. */
TrcGraph *trc_trace_report (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
                            TrcTraceReport *report, const TrcProgress *progress,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Real patched passes: by how much the metric of @params falls when @hooks[i] is set to its
 * baseline (zero, or the counterfactual's value at the same positions), each alone; @effects has
 * @n places. @metric, which may be NULL, becomes the metric of the prompt itself. */
gboolean trc_patch_effects (TrcModel *model, TrcDevice *device, const TrcTraceParams *params,
                            const TrcHook *hooks, guint n, double *effects, double *metric,
                            const TrcProgress *progress, GError **error);

/* --- a whole task: components instead of neurons --------------------------------------------- */

typedef enum {
  TRC_COMPONENT_HEADS, /* one head, at all positions */
  TRC_COMPONENT_MLPS,  /* one MLP, at all positions */
  TRC_COMPONENT_NEURONS,
  TRC_N_COMPONENTS,
} TrcComponent;

typedef struct {
  TrcEstimator
      estimator; /* EAP, EAP_IG or EAP_IG_ACT; AUTO: what agrees best on heads and MLPs */
  guint ig_steps;
  guint n_pairs;      /* at most so many pairs of the task; 0: all */
  guint trust_pairs;  /* pairs on which every rule is compared with exact patching; 0: none */
  guint trust_sample; /* neurons patched in each of them, at one position each */
  guint64 seed;
  gsize memory_budget;
} TrcComponentParams;

#define TRC_COMPONENT_PARAMS_INIT                                                              \
  {                                                                                            \
    .estimator = TRC_ESTIMATOR_AUTO, .ig_steps = 5, .trust_pairs = 40, .trust_sample = 32,     \
    .seed = 1, .memory_budget = (gsize)512 << 20                                               \
  }

typedef struct {
  TrcEstimator estimator; /* the rule of the links; never AUTO */
  guint n_pairs, n_trust_pairs;
  double metric_clean, metric_corrupted; /* means over the pairs */
  TrcAgreement agreement[TRC_N_ESTIMATORS]
                        [TRC_N_COMPONENTS]; /* over all nodes and pairs at once */
  guint n_points[TRC_N_COMPONENTS];         /* nodes times pairs */
  guint64 forwards, backwards, patches;
} TrcComponentReport;

/* Name of a kind of component: "heads", "mlps", "neurons"; static. */
const char *trc_component_name (TrcComponent part);

/* The graph of a model's components over a task, as EAP-IG draws it: nodes input, heads, MLPs
 * and logits, links into the query, key and value reader of each head apart. A link is the mean
 * over the pairs of (what the source writes, clean minus corrupted) times (the gradient of the
 * metric at the reader, averaged over the points of the rule); positive helps. Written by
 * trc_graph_write() in the form that EAP-IG reads. @report may be NULL. */
TrcGraph *trc_trace_components (TrcModel *model, TrcDevice *device, const TrcTask *task,
                                const TrcComponentParams *params, TrcComponentReport *report,
                                const TrcProgress *progress,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
