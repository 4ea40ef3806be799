/* app/cli/graph_figures.h - what the commands that take a graph say about it
 *
 * The JSON members are part of the stable command line: n_nodes, n_links,
 * by_kind, replacement, completeness.
 */
#pragma once

#include "app/cli/command.h"
#include "compute/graph.h"
#include "compute/prune.h"

G_BEGIN_DECLS

/* Adds the members to the object that @builder is in. */
void trc_cli_add_graph_figures (JsonBuilder *builder, const TrcGraph *graph,
                                const TrcGraphScores *scores);

/* Prints the same as lines for people. */
void trc_cli_print_graph_figures (const TrcGraph *graph, const TrcGraphScores *scores);

G_END_DECLS
