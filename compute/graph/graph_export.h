/* compute/graph/graph_export.h - graphs in the formats of other programs
 *
 * Private to compute/graph: one function a format, for out_file.h.
 */
#pragma once

#include "compute/graph/out_file.h"

G_BEGIN_DECLS

/* The DOT language. */
void trc_put_dot (TrcOut *out, const TrcGraph *graph);

/* GraphML 1.0. */
void trc_put_graphml (TrcOut *out, const TrcGraph *graph);

/* RFC 4180: source, target, weight, reader. */
void trc_put_csv_links (TrcOut *out, const TrcGraph *graph);

/* RFC 4180: one row a node, ids as in the table of links. */
void trc_put_csv_nodes (TrcOut *out, const TrcGraph *graph);

/* "" or q, k, v. */
const char *trc_reader_name (const TrcEdge *edge);

G_END_DECLS
