/* compute/graph_file.h - graph files of Tracery and of other tools
 *
 * Reads, streaming and in memory proportional to the data:
 *   - the graph JSON of circuit-tracer, Neuronpedia, Anthropic's page and
 *     relatives: { metadata, qParams, nodes: [...], links: [...] }, with every
 *     id form, links before nodes, members missing or of older type;
 *   - the JSON of EAP-IG: { cfg, nodes: {name: ...}, edges: {"a->b<q>": ...} };
 *   - either of them inside gzip.
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

/* The same JSON as text. */
GString *trc_graph_to_json (const TrcGraph *graph);

G_END_DECLS
