/* app/cli/figure.h - what the commands that draw a graph share
 *
 * The fields that choose a view of a graph, and how they are read.
 */
#pragma once

#include "app/cli/command.h"
#include "app/present.h"

G_BEGIN_DECLS

extern const char *const trc_cli_layout_words[]; /* own, dot */
extern const char *const trc_cli_group_words[];  /* auto, cards, flat */

/* Fields of a recipe: GRAPH and the view. */
#define TRC_CLI_VIEW_FIELDS                                                                    \
  { "graph", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,       \
    .value = "GRAPH", .help = "The graph file" },                                              \
      { "node-share",                                                                          \
        .kind = TRC_FIELD_DOUBLE,                                                              \
        .initial = "0.8",                                                                      \
        .min = 0,                                                                              \
        .max = 1,                                                                              \
        .help = "Share of the influence that the shown nodes carry; small graphs: 1" },        \
      { "edge-share",                                                                          \
        .kind = TRC_FIELD_DOUBLE,                                                              \
        .initial = "0.98",                                                                     \
        .min = 0,                                                                              \
        .max = 1,                                                                              \
        .help = "Share of the link scores that the shown edges carry; small graphs: 1" },      \
      { "layout", .kind = TRC_FIELD_ENUM, .initial = "own", .choices = trc_cli_layout_words,   \
        .help = "Layers as rows and tokens as columns, or Graphviz dot" },                     \
      { "force", .kind = TRC_FIELD_BOOL,                                                       \
        .help = "Let dot try even more than 200 nodes or 1000 edges" },                        \
      { "groups", .kind = TRC_FIELD_ENUM, .initial = "auto", .choices = trc_cli_group_words,   \
        .help = "Draw the file's groups as cards, or every node by itself" },                  \
      { "open", .kind = TRC_FIELD_LIST, .value = "NAME",                                       \
        .help = "Draw this group opened, with its members inside" },                           \
      { "no-errors", .kind = TRC_FIELD_BOOL, .help = "Leave out error nodes" },                \
  {                                                                                            \
    "curves", .kind = TRC_FIELD_INT, .initial = "0", .min = 0, .max = 100000, .value = "N",    \
              .help = "So many edges are drawn as curves, the rest as a weave; 0 chooses"      \
  }

/* Reads the graph and the view; @opened (guint32) holds the groups that @view points to and has
 * to live as long. NULL with @error set. */
TrcGraph *trc_cli_read_view (const TrcRecipeValues *values, TrcCli *cli, TrcView *view,
                             GArray *opened, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says on standard error when another layout than the one asked for was taken. */
void trc_cli_note_layout (const TrcPresentInfo *info);

G_END_DECLS
