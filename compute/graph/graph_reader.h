/* compute/graph/graph_reader.h - the state of one reading
 *
 * Private to compute/graph: graph_open.c finds out what a
 * file is, graph_read.c takes it apart, graph_settle.c
 * turns ids into nodes once all of it is there.
 */
#pragma once

#include "compute/graph/graph_impl.h"
#include "compute/graph/json_stream.h"
#include "compute/graph/symbols.h"

G_BEGIN_DECLS

/* An element stands right behind its list. */
typedef enum {
  TRC_AT_START,
  TRC_AT_TOP,
  TRC_AT_METADATA,
  TRC_AT_PARAMS,
  TRC_AT_NODES,
  TRC_AT_NODE,
  TRC_AT_LINKS,
  TRC_AT_LINK,
  TRC_AT_EAP_NODES,
  TRC_AT_EAP_NODE,
  TRC_AT_EAP_EDGES,
  TRC_AT_EAP_EDGE,
} TrcReadPlace;

typedef struct {
  TrcGraphBuilder *builder; /* its links hold symbols until they are settled */
  TrcSymbols *symbols;
  TrcReadPlace place;
  guint32 seen; /* bit for each place that was entered */
  guint32 n_nodes;
  guint32 n_untyped;  /* nodes without feature_type */
  guint32 n_unplaced; /* nodes without ctx_idx */
  GString *scratch;
  GString *extra; /* unknown members of the node or link being read */

  TrcNode node; /* being read */
  TrcEdge link;
  guint32 link_source, link_target; /* symbols */
  gboolean link_has_weight;
} TrcGraphReader;

/* Reads the JSON of a graph, either dialect; @size -1 = not known. */
TrcGraph *trc_graph_read_stream (GInputStream *stream, goffset size, const char *name,
                                 const TrcProgress *progress, GError **error);

/* Makes links between nodes out of links between ids, finds the features'
 * numbers, and notes what is odd. FALSE when a link names nothing. */
gboolean trc_graph_reader_settle (TrcGraphReader *self, const char *name, GError **error);

G_END_DECLS
