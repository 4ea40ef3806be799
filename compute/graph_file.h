/* compute/graph_file.h - graph files of Tracery and of other tools
 *
 * Reads, streaming and in memory proportional to the data:
 *   - the graph JSON of circuit-tracer, Neuronpedia, Anthropic's page and
 *     relatives: { metadata, qParams, nodes: [...], links: [...] }, with every
 *     id form, links before nodes, members missing or of older type;
 *   - smaller dialects of it: "edges" instead of links, nodes with id, position,
 *     label, neuron_idx (Transluce) or feature_idx and node_type;
 *   - the JSON of EAP-IG: { cfg, nodes: {name: ...}, edges: {"a->b<q>": ...} };
 *   - either of them inside gzip;
 *   - the .pt files of circuit-tracer (torch.save), unpruned; nothing in them is run.
 * Members that we do not know are kept and written back.
 *
 * Errors   one sentence with the file's name, and where it is known the line and
 *          the member: G_IO_ERROR (not found, directory, permission) or
 *          TRC_COMPUTE_ERROR. A failed write leaves the old file as it was.
 * Threads  any; each call is independent.
 */
#pragma once

#include "compute/graph.h"
#include "compute/progress.h"

G_BEGIN_DECLS

/* Reads a graph file. What had to be mended is in trc_graph_warnings(). */
TrcGraph *trc_graph_read (const char *path, const TrcProgress *progress,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As trc_graph_read() from memory; @name stands for the file in messages. */
TrcGraph *trc_graph_read_bytes (GBytes *bytes, const char *name, const TrcProgress *progress,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes the JSON of the graph's dialect, schema_version 1, at once or not at all. */
gboolean trc_graph_write (const TrcGraph *graph, const char *path, GError **error);

typedef enum {
  TRC_GRAPH_FORMAT_JSON,    /* as trc_graph_write() */
  TRC_GRAPH_FORMAT_DOT,     /* for Graphviz: kinds as shapes, signs as colours */
  TRC_GRAPH_FORMAT_GRAPHML, /* for Gephi, yEd, networkx: every figure as a data key */
  TRC_GRAPH_FORMAT_PT,      /* circuit-tracer's own: features, errors, tokens, logits only */
  TRC_GRAPH_FORMAT_CSV,     /* links; the nodes go to NAME-nodes.csv beside it */
} TrcGraphFormat;

/* The format that the end of @path stands for (.json, .dot or .gv, .graphml, .pt, .csv);
 * FALSE when it stands for none. */
gboolean trc_graph_format_of (const char *path, TrcGraphFormat *format);

/* Writes the whole graph in @format, at once or not at all. */
gboolean trc_graph_write_as (const TrcGraph *graph, const char *path, TrcGraphFormat format,
                             GError **error);

/* The same JSON as trc_graph_write() as text. */
GString *trc_graph_to_json (const TrcGraph *graph);

G_END_DECLS
