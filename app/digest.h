/* app/digest.h - what is worth telling about a graph, computed once
 *
 * A TrcDigest holds the graph with its influence, scores and input sums, so
 * that the window can answer "what is this node, what drives it, where does it
 * fire" in microseconds. It never changes once made.
 *
 * Units    a share is signed: a link's weight over the sum of the sizes of all
 *          links into its target. Absent numbers are NAN.
 * Errors   those of compute/prune.h.
 * Threads  made in a worker, read from any thread; only the pruner inside it
 *          belongs to one thread at a time, the one that builds scenes.
 */
#pragma once

#include <glib.h>

#include "app/present.h"

G_BEGIN_DECLS

/* What a box of the drawing, a row of the outline or a link stands for. */
typedef struct {
  TrcRefKind kind;
  guint64 id;
} TrcRef;

/* One strong input or output of a node or group. */
typedef struct {
  TrcRef ref;
  char *label;
  double share;
  double weight;
} TrcLinkFact;

/* One predicted token, or one direction that the graph explains. */
typedef struct {
  gint64 node; /* its node, -1 when it has none */
  char *label;
  double probability;
  gboolean is_target;
} TrcPrediction;

/* Everything the inspector shows about one node or group. */
typedef struct {
  TrcRef ref;
  char *title;
  char *kind_line;
  guint n_members; /* of a group; 1 for a node */
  double activation;
  double influence;   /* share of the whole influence that passes through it */
  double cumulative;  /* at which node share it would be left out */
  double score;       /* signed attribution of its own, when the graph has it */
  double probability; /* logits */
  GArray *inputs;     /* of TrcLinkFact, strongest first */
  GArray *outputs;
  guint n_inputs, n_outputs; /* before the list was cut */
  guint n_tokens;
  char **tokens;
  double *fires; /* one activation a token, NAN where it is silent */
} TrcFacts;

typedef struct _TrcDigest TrcDigest;

/* Computes the digest; keeps a reference to @graph. */
TrcDigest *trc_digest_new (TrcGraph *graph, const TrcProgress *progress,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner; any thread. */
TrcDigest *trc_digest_ref (TrcDigest *self);

/* One owner less; NULL is fine. */
void trc_digest_unref (TrcDigest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcDigest, trc_digest_unref)

/* The graph; borrowed. */
TrcGraph *trc_digest_graph (const TrcDigest *self);

/* The pruner that trc_present_scene() takes; borrowed. See Threads. */
TrcPruner *trc_digest_pruner (const TrcDigest *self);

/* Nodes and links of the graph as it was read. */
void trc_digest_size (const TrcDigest *self, guint *n_nodes, guint64 *n_links);

/* Replacement and completeness of the graph, NAN where it has none. */
void trc_digest_scores (const TrcDigest *self, double *replacement, double *completeness);

/* The prompt, or "" for a graph of a whole data set. */
const char *trc_digest_prompt (const TrcDigest *self);

/* The model as the file calls it, or "". */
const char *trc_digest_model (const TrcDigest *self);

/* The rule of a graph made by Tracery ("relp"), or NULL. */
const char *trc_digest_estimator (const TrcDigest *self);

/* Correlation of the trace with exact patching (95 % interval in @low, @high),
 * or NAN when the graph does not say. */
double trc_digest_trust (const TrcDigest *self, double *low, double *high);

/* What the reader had to mend, one sentence each, NULL-terminated. */
const char *const *trc_digest_warnings (const TrcDigest *self);

/* Predicted tokens, likeliest first. Borrowed array of TrcPrediction. */
const GArray *trc_digest_predictions (const TrcDigest *self);

/* Number of prompt tokens, and the text of one ("" when unknown). */
guint trc_digest_n_tokens (const TrcDigest *self);

/* Text of the prompt token at @position, "" when unknown. */
const char *trc_digest_token (const TrcDigest *self, guint position);

/* Share of the whole influence that passes through node @node. */
double trc_digest_influence (const TrcDigest *self, guint32 node);

/* The supernode of @node, or -1. */
gint64 trc_digest_group_of (const TrcDigest *self, guint32 node);

/* Puts the embedding in place of the token chip in @ref; FALSE when the graph has no
 * such thing. */
gboolean trc_digest_resolve (const TrcDigest *self, TrcRef *ref);

/* Facts about @ref with at most @n_links inputs and outputs. With @by_group,
 * links of a supernode's members are told together. NULL for a ref that names
 * nothing. Free with trc_facts_free(). */
TrcFacts *trc_digest_facts (const TrcDigest *self, TrcRef ref, gboolean by_group,
                            guint n_links) G_GNUC_WARN_UNUSED_RESULT;

/* Frees facts; NULL is fine. */
void trc_facts_free (TrcFacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcFacts, trc_facts_free)

/* 40249 as "40,249". Free it. */
char *trc_count_text (guint64 n) G_GNUC_WARN_UNUSED_RESULT;

/* Nodes whose label, token or id holds every word of @query (case folded), most
 * influential first; of guint32. */
GArray *trc_digest_search (const TrcDigest *self, const char *query) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
