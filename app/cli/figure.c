#include "app/cli/figure.h"

#include "app/error.h"
#include "compute/graph_file.h"

#include <string.h>

const char *const trc_cli_layout_words[] = { "own", "dot", NULL };
const char *const trc_cli_group_words[] = { "auto", "cards", "flat", NULL };

static gboolean
find_opened (const TrcGraph *graph, const char *name, GArray *opened, GError **error)
{
  const TrcGraphMarks *marks = trc_graph_marks (graph);

  for (gsize g = 0; g < marks->n_supernodes; g++)
    if (g_strcmp0 (marks->supernodes[g].label, name) == 0)
      {
        guint32 index = (guint32)g;
        g_array_append_val (opened, index);
        return TRUE;
      }
  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_FAILED,
               "The graph has no group called \"%s\"; it has %" G_GSIZE_FORMAT " groups.", name,
               marks->n_supernodes);
  return FALSE;
}

TrcGraph *
trc_cli_read_view (const TrcRecipeValues *values, TrcCli *cli, TrcView *view, GArray *opened,
                   GError **error)
{
  g_autoptr (TrcGraph) graph =
      trc_graph_read (trc_recipe_values_string (values, "graph"), &cli->progress, error);

  if (graph == NULL)
    return NULL;
  for (const char *const *name = trc_recipe_values_list (values, "open"); *name != NULL; name++)
    if (!find_opened (graph, *name, opened, error))
      return NULL;
  trc_view_init_for (view, graph);
  if (trc_recipe_values_given (values, "node-share"))
    view->node_share = trc_recipe_values_double (values, "node-share");
  if (trc_recipe_values_given (values, "edge-share"))
    view->edge_share = trc_recipe_values_double (values, "edge-share");
  view->layout = (TrcViewLayout)trc_recipe_values_choice (values, "layout");
  view->force_dot = trc_recipe_values_bool (values, "force");
  view->groups = (TrcViewGroups)trc_recipe_values_choice (values, "groups");
  view->hide_errors = trc_recipe_values_bool (values, "no-errors");
  view->max_curves = (guint)trc_recipe_values_int (values, "curves");
  view->opened = (const guint32 *)opened->data;
  view->n_opened = opened->len;
  return g_steal_pointer (&graph);
}

void
trc_cli_note_layout (const TrcPresentInfo *info)
{
  if (info->fell_back && info->message != NULL)
    trc_cli_note ("%s", info->message);
}
