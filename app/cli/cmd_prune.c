/* tracery-cli prune: the part of a graph that carries most of the influence. */
#include "app/cli/command.h"
#include "app/cli/graph_figures.h"
#include "compute/graph_file.h"

static const TrcRecipeField fields[] = {
  { "graph", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "GRAPH", .help = "The graph file to prune" },
  { "node-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.8", .min = 0, .max = 1,
    .help = "Share of the influence that the kept nodes carry" },
  { "edge-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.98", .min = 0, .max = 1,
    .help = "Share of the link scores that the kept links carry" },
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_OPTIONAL, .value = "OUT",
    .help = "Where to write the pruned graph; without it only the figures are shown" },
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "prune",
  .summary = "Keep the part of a graph that carries most of the influence",
  .details =
      "Tokens and logits always stay. The figures are those of the pruned graph; \"full\"\n"
      "in the JSON output holds those of the whole file.",
  .fields = fields,
};

static void
print_json (const TrcGraph *pruned, const TrcGraphScores *scores, const TrcGraph *full,
            const TrcGraphScores *full_scores, const TrcPruneParams *params)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  trc_cli_add_graph_figures (json, pruned, scores);
  trc_cli_add_number (json, "node_share", params->node_share);
  trc_cli_add_number (json, "edge_share", params->edge_share);
  json_builder_set_member_name (json, "full");
  json_builder_begin_object (json);
  trc_cli_add_graph_figures (json, full, full_scores);
  json_builder_end_object (json);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  TrcPruneParams params = { trc_recipe_values_double (values, "node-share"),
                            trc_recipe_values_double (values, "edge-share") };
  const char *output = trc_recipe_values_string (values, "output");
  TrcGraphScores scores, full_scores;
  g_autoptr (TrcGraph) graph = NULL, pruned = NULL;
  g_autoptr (TrcPruner) pruner = NULL;
  g_autoptr (TrcPruned) kept = NULL;

  if ((graph =
           trc_graph_read (trc_recipe_values_string (values, "graph"), &cli->progress, error))
          == NULL
      || (pruner = trc_pruner_new (graph, &cli->progress, error)) == NULL
      || (kept = trc_pruner_keep (pruner, &params, &cli->progress, error)) == NULL
      || (pruned = trc_graph_subgraph (graph, kept, pruner, &params, error)) == NULL
      || !trc_graph_scores (pruned, &scores, error))
    return FALSE;
  full_scores = trc_pruner_scores (pruner);
  if (output != NULL && !trc_graph_write (pruned, output, error))
    return FALSE;
  if (cli->json)
    print_json (pruned, &scores, graph, &full_scores, &params);
  else
    trc_cli_print_graph_figures (pruned, &scores);
  return TRUE;
}

const TrcCommand trc_cmd_prune = { &recipe, run };
