/* compute/graph.h - an attribution graph: nodes, weighted links, where it came from
 *
 * A TrcGraph is what a trace makes, what a file holds and what pruning, the
 * hierarchy and the drawing read. A node is one thing of the network at one
 * token (a token's embedding, a head, a neuron, a feature, what a dictionary
 * left unexplained, a logit); a link says how much its source adds to its
 * target. Links are stored by target, in the order they were added:
 *
 *     for (guint32 t = 0; t < trc_graph_n_nodes (g); t++)
 *       {
 *         gsize n;
 *         const TrcEdge *in = trc_graph_in_edges (g, t, &n);
 *         for (gsize k = 0; k < n; k++)
 *           use (in[k].source, t, in[k].weight);
 *       }
 *
 * Shapes    node numbers are 32 bits, link counts 64 bits. Link number e is a
 *           place in trc_graph_edges(); its target owns the range
 *           [offsets[t], offsets[t + 1]).
 * Units     layers and positions count from 0, -1 = none. Absent numbers are NAN.
 * Errors    only trc_graph_builder_finish() can fail, with TRC_COMPUTE_ERROR.
 * Threads   a TrcGraph never changes and may be read from any thread; a builder
 *           belongs to one.
 * Lifetime  every pointer that a getter returns lives as long as the graph.
 */
#pragma once

#include <glib.h>
#include <math.h>

G_BEGIN_DECLS

typedef enum {
  TRC_NODE_EMBEDDING, /* a token of the prompt; index = token id */
  TRC_NODE_HEAD,      /* an attention head; index = head */
  TRC_NODE_NEURON,    /* an MLP neuron; index = neuron */
  TRC_NODE_FEATURE,   /* a dictionary feature, attention features included */
  TRC_NODE_ERROR, /* what the chosen nodes of a layer leave over (rest, reconstruction error) */
  TRC_NODE_MLP,   /* a whole MLP block */
  TRC_NODE_LOGIT, /* an output token or direction; index = token id */
  TRC_NODE_OTHER, /* biases and kinds that only the raw type tells */
  TRC_N_NODE_KINDS
} TrcNodeKind;

/* Which input of a head a link enters; ANY where the graph does not tell them apart. */
typedef enum { TRC_READER_ANY, TRC_READER_Q, TRC_READER_K, TRC_READER_V } TrcReader;

/* Facts about a node that are not numbers. HAS_* say that the file had the
 * member, null included, so that writing it back changes nothing. */
enum {
  TRC_NODE_IS_TARGET = 1 << 0,  /* the logit (or one of them) that the graph explains */
  TRC_NODE_IN_CIRCUIT = 1 << 1, /* marked as a member of the circuit (EAP-IG files) */
  TRC_NODE_HAS_ACTIVATION = 1 << 2,
  TRC_NODE_HAS_INFLUENCE = 1 << 3,
  TRC_NODE_HAS_TOKEN_PROB = 1 << 4,
  TRC_NODE_HAS_IS_TARGET = 1 << 5,
  TRC_NODE_LAYER_IS_NUMBER = 1 << 6, /* "layer": 3 instead of "layer": "3" */
  TRC_NODE_FEATURE_IS_NULL = 1 << 7,
  TRC_NODE_NO_FEATURE = 1 << 8, /* the file had no "feature" member at all */
};

enum {
  TRC_EDGE_IN_CIRCUIT = 1 << 0, /* marked as a member of the circuit (EAP-IG files) */
  TRC_EDGE_NOT_SCORED = 1 << 1, /* the file has null for it; weight is 0 */
};

typedef struct {
  TrcNodeKind kind;
  gint32 layer;       /* -1 embeddings; logits: one above the highest layer */
  gint32 position;    /* token of the prompt, -1 when the graph has no positions */
  guint32 flags;      /* TRC_NODE_* facts */
  gint64 index;       /* head, neuron, feature or token id; -1 none */
  gint64 raw_feature; /* the file's "feature": plain, paired or -1 */
  double activation;
  double influence;       /* as read or set: the cumulative share, small = important */
  double score;           /* signed attribution of the node itself (trace, EAP-IG) */
  double token_prob;      /* logits: probability of the token */
  const char *label;      /* never NULL once in a graph, may be "" */
  const char *id;         /* node_id; made from the other members when NULL on adding */
  const char *js_id;      /* jsNodeId; likewise */
  const char *type;       /* feature_type as written in files; likewise */
  const char *layer_text; /* "layer" as written in files; likewise */
  const char *extra;      /* members we do not model: JSON members without braces, or NULL */
} TrcNode;

/* A node with nothing known: start from this, then set what is known. */
#define TRC_NODE_INIT                                                                          \
  {                                                                                            \
    .kind = TRC_NODE_OTHER, .layer = -1, .position = -1, .index = -1, .raw_feature = -1,       \
    .activation = NAN, .influence = NAN, .score = NAN, .token_prob = NAN                       \
  }

typedef struct {
  guint32 source;
  guint16 reader; /* TrcReader */
  guint16 flags;  /* TRC_EDGE_* facts */
  double weight;  /* finite, signed; 0 and self links occur in files */
} TrcEdge;

/* A link seen from its source: it is trc_graph_in_edges (g, target)[slot]. */
typedef struct {
  guint32 target;
  guint32 slot;
} TrcOutEdge;

/* A named group of nodes that somebody made by hand. */
typedef struct {
  const char *label;
  const guint32 *members;
  gsize n_members;
} TrcSupernode;

/* A label that somebody gave to a node, over the one in TrcNode.label. */
typedef struct {
  guint32 node;
  const char *label;
} TrcNodeLabel;

/* What people marked on the graph (the qParams of graph files), ids resolved. */
typedef struct {
  const guint32 *pins; /* in file order */
  gsize n_pins;
  const guint32 *hidden;
  gsize n_hidden;
  const TrcSupernode *supernodes;
  gsize n_supernodes;
  const TrcNodeLabel *labels;
  gsize n_labels;
  const double *places;  /* x, y in thousandths of the panel, one pair an item: supernodes, then
                            pins that are in none; may lie outside 0-1000 */
  gsize n_places;        /* pairs */
  gint64 clicked;        /* node, -1 none */
  const char *link_type; /* "input", "output", "either", "both"; NULL when not said */
  double pruning_threshold; /* slider values; NAN when not said */
  double density_threshold;
} TrcGraphMarks;

typedef enum {
  TRC_GRAPH_COMMON, /* circuit-tracer, Neuronpedia and relatives */
  TRC_GRAPH_EAP_IG, /* cfg, nodes, edges "a->b<q>" */
} TrcGraphDialect;

typedef struct _TrcGraph TrcGraph;
typedef struct _TrcGraphBuilder TrcGraphBuilder;

/* Name of a kind as shown and as used in by_kind of the JSON output: "feature", … */
const char *trc_node_kind_name (TrcNodeKind kind);

/* One more owner. Any thread. */
TrcGraph *trc_graph_ref (TrcGraph *self);

/* One owner less; the last frees. NULL is fine. */
void trc_graph_unref (TrcGraph *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcGraph, trc_graph_unref)

/* Number of nodes. */
guint32 trc_graph_n_nodes (const TrcGraph *self);

/* Number of links, zero-weight and self links included. */
guint64 trc_graph_n_edges (const TrcGraph *self);

/* All nodes, n_nodes of them. */
const TrcNode *trc_graph_nodes (const TrcGraph *self);

/* One node; @i must be in range. */
const TrcNode *trc_graph_node (const TrcGraph *self, guint32 i);

/* All links by target; n_edges of them. */
const TrcEdge *trc_graph_edges (const TrcGraph *self);

/* n_nodes + 1 offsets into trc_graph_edges(). */
const guint64 *trc_graph_offsets (const TrcGraph *self);

/* The links into @target. */
const TrcEdge *trc_graph_in_edges (const TrcGraph *self, guint32 target, gsize *n);

/* The links out of @source, by rising target. The index is made on the first
 * call, O(links), and kept; NULL with *n = 0 when there is no memory for it. */
const TrcOutEdge *trc_graph_out_edges (const TrcGraph *self, guint32 source, gsize *n);

/* The link that an out-link stands for. */
const TrcEdge *trc_graph_out_edge (const TrcGraph *self, const TrcOutEdge *out);

/* Node called @id: node_id first, then jsNodeId if only one node has it. -1 = none. */
gint64 trc_graph_find (const TrcGraph *self, const char *id);

/* Layers that hold nodes other than embeddings and logits: 1 + the highest. */
gint32 trc_graph_n_layers (const TrcGraph *self);

/* Positions: prompt tokens, or 1 + the highest position of a node if that is more. */
gint32 trc_graph_n_positions (const TrcGraph *self);

/* The dialect that the graph was read from; made graphs are COMMON. */
TrcGraphDialect trc_graph_dialect (const TrcGraph *self);

/* The prompt, "" when unknown. */
const char *trc_graph_prompt (const TrcGraph *self);

/* Text of the prompt token at @position as the model sees it, NULL when unknown. */
const char *trc_graph_token (const TrcGraph *self, gint32 position);

/* Text member of the metadata, NULL when absent or not text. @key may be a path
 * with dots: "slug", "scan", "info.title", "tracery.estimator". */
const char *trc_graph_text (const TrcGraph *self, const char *key);

/* Number of the metadata by key or dotted path, NAN when absent or not a number. */
double trc_graph_number (const TrcGraph *self, const char *key);

/* The whole metadata as JSON text; free with g_free(). */
char *trc_graph_metadata_json (const TrcGraph *self);

/* Pins, supernodes, labels and view settings. */
const TrcGraphMarks *trc_graph_marks (const TrcGraph *self);

/* The label to show: the one somebody gave, else the node's own, else one made
 * from kind, layer and index. Never NULL; free with g_free(). */
char *trc_graph_dup_label (const TrcGraph *self, guint32 node);

/* TRUE if every "influence" reads like a cumulative share. Some tools write
 * plain scores there, which a pruning slider must not be driven by. */
gboolean trc_graph_has_cumulative_influence (const TrcGraph *self);

/* What the reader had to mend or leave out, one sentence each, NULL-terminated. */
const char *const *trc_graph_warnings (const TrcGraph *self);

/* ---- making one ---- */

/* A builder without nodes. */
TrcGraphBuilder *trc_graph_builder_new (void);

/* A builder that starts as a copy of @graph, marks, metadata and numbers included. */
TrcGraphBuilder *trc_graph_builder_new_from (const TrcGraph *graph);

/* Gives up; NULL is fine. trc_graph_builder_finish() frees too. */
void trc_graph_builder_free (TrcGraphBuilder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcGraphBuilder, trc_graph_builder_free)

/* Makes it a graph of another dialect: names of nodes and the form of the file. */
void trc_graph_builder_set_dialect (TrcGraphBuilder *self, TrcGraphDialect dialect);

/* Adds a node and returns its number. Strings are copied; id, js_id, type and
 * layer_text may be NULL and are then made in circuit-tracer's form. */
guint32 trc_graph_builder_add_node (TrcGraphBuilder *self, const TrcNode *node);

/* The node so far, to change before finishing. Valid until the next add_node;
 * new strings have to come from trc_graph_builder_intern(). */
TrcNode *trc_graph_builder_node (TrcGraphBuilder *self, guint32 i);

/* Nodes so far. */
guint32 trc_graph_builder_n_nodes (const TrcGraphBuilder *self);

/* The one copy of @text that lives as long as the graph. NULL gives NULL. */
const char *trc_graph_builder_intern (TrcGraphBuilder *self, const char *text);

/* Adds a link. Numbers are checked by finish(), so links may come before nodes. */
void trc_graph_builder_add_edge (TrcGraphBuilder *self, guint32 source, guint32 target,
                                 double weight);

/* As add_edge, with reader and flags. */
void
trc_graph_builder_add_edge_full (TrcGraphBuilder *self, guint32 target, const TrcEdge *edge);

/* Prompt text and the text of its @n_tokens tokens. */
void trc_graph_builder_set_prompt (TrcGraphBuilder *self, const char *prompt,
                                   const char *const *tokens, gsize n_tokens);

/* Sets a text of the metadata. @key as in trc_graph_text(). */
void trc_graph_builder_set_text (TrcGraphBuilder *self, const char *key, const char *value);

/* Sets a number of the metadata; NAN becomes null. */
void trc_graph_builder_set_number (TrcGraphBuilder *self, const char *key, double value);

/* Sets a truth value of the metadata. */
void trc_graph_builder_set_bool (TrcGraphBuilder *self, const char *key, gboolean value);

/* Pins, hides, groups, labels and settings all at once; contents are copied. */
void trc_graph_builder_set_marks (TrcGraphBuilder *self, const TrcGraphMarks *marks);

/* A sentence for trc_graph_warnings(). */
void trc_graph_builder_warn (TrcGraphBuilder *self, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Makes the graph and frees the builder, also on failure: a link to a node that
 * is not there, a weight that is not finite, no memory. */
TrcGraph *
trc_graph_builder_finish (TrcGraphBuilder *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
