/* compute/graph/out_file.h - text on its way into a file, all of it or none
 *
 * Private to compute/graph. The text goes into a temporary file beside the real
 * one, which takes its place at the end; pipes and the like are written to as
 * they are.
 */
#pragma once

#include "compute/graph.h"

G_BEGIN_DECLS

typedef struct {
  GString *text; /* append here */
  int fd;        /* -1: everything stays in @text */
  int failed;    /* errno of the first failure */
} TrcOut;

/* Puts a graph into @out, with a flush now and then. */
typedef void (*TrcOutPut) (TrcOut *out, const TrcGraph *graph);

/* Writes the text away if there is much of it. */
void trc_out_flush (TrcOut *self);

/* Writes what @put makes of @graph to @path. */
gboolean
trc_out_write_file (TrcOutPut put, const TrcGraph *graph, const char *path, GError **error);

G_END_DECLS
