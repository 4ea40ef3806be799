/* compute/graph/graph_impl.h - what a graph is made of
 *
 * Private to compute/graph: the builder, the reader and the writer share it.
 */
#pragma once

#include "compute/graph.h"
#include "compute/graph/members.h"

G_BEGIN_DECLS

/* Members of a link that we do not model, for the few links that have some. */
typedef struct {
  guint64 edge;     /* in a builder: the link's place so far */
  const char *json; /* members without braces */
} TrcEdgeExtra;

struct _TrcGraph {
  TrcNode *nodes;
  guint32 n_nodes;
  TrcEdge *edges;
  guint64 *offsets; /* n_nodes + 1 */

  GMutex out_lock;      /* guards making the two below */
  TrcOutEdge *out;      /* by source, NULL until asked for */
  guint64 *out_offsets; /* n_nodes + 1 */

  GStringChunk *strings; /* every text of the graph */
  GHashTable *by_id;     /* node_id -> node number + 1, the first of its name */
  GHashTable *by_js_id;  /* jsNodeId -> node number + 1, or 0 when several have it */

  TrcMembers *metadata; /* "cfg" in the EAP-IG dialect */
  TrcMembers *params;   /* qParams as in the file */
  TrcMembers *others;   /* further top-level members */
  TrcEdgeExtra *edge_extras;
  gsize n_edge_extras; /* by rising edge */

  TrcGraphMarks marks;
  const char *prompt;
  const char **tokens;
  gsize n_tokens;
  gint32 n_layers;
  gint32 n_positions;
  TrcGraphDialect dialect;
  char **warnings;
};

struct _TrcGraphBuilder {
  TrcNode *nodes;
  gsize n_nodes, room_nodes;
  TrcEdge *edges;
  guint32 *targets;
  gsize n_edges, room_edges;
  GArray *edge_extras; /* TrcEdgeExtra */
  GStringChunk *strings;
  TrcMembers *metadata, *params, *others;
  TrcGraphMarks *new_marks; /* set_marks was called: they replace those of params */
  GPtrArray *warnings;
  TrcGraphDialect dialect;
  gboolean from_file;
  gboolean no_memory; /* sticky, told by finish() */
};

/* Makes room for one more element of @size bytes; FALSE when there is no memory. */
gboolean trc_grow (gpointer *array, gsize n, gsize *room, gsize size);

/* A builder with the metadata, view state and dialect of @graph, but no nodes. */
TrcGraphBuilder *trc_graph_builder_new_like (const TrcGraph *graph);

/* TRUE if the nodes' "influence" reads like cumulative shares, not plain scores. */
gboolean trc_influence_is_cumulative (const TrcNode *nodes, gsize n_nodes);

/* Turns the view state of @params into @graph's marks, ids resolved; sentences
 * about what names nothing go to @warnings. */
void trc_marks_parse (TrcGraph *graph, GPtrArray *warnings);

/* Copies @marks into @graph and writes them into its params. */
void trc_marks_store (TrcGraph *graph, const TrcGraphMarks *marks);

/* A copy with arrays of its own and its texts in @strings; trc_marks_clear() it,
 * then g_free() it. */
TrcGraphMarks *trc_marks_copy (const TrcGraphMarks *marks, GStringChunk *strings);

/* Frees the arrays in @marks. */
void trc_marks_clear (TrcGraphMarks *marks);

G_END_DECLS
