/* compute/graph/pt_file.h - the graphs that circuit-tracer saves with torch.save()
 *
 * Private to compute/graph; graph_file.h is the way in.
 */
#pragma once

#include "compute/graph.h"
#include "compute/progress.h"

G_BEGIN_DECLS

/* Reads a .pt graph: unpruned, dense in the file, sparse here. */
TrcGraph *trc_pt_read (const char *path, const TrcProgress *progress,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Writes one, for graphs of features, errors, tokens and logits only. */
gboolean trc_pt_write (const TrcGraph *graph, const char *path, GError **error);

G_END_DECLS
