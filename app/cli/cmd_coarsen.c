/* tracery-cli coarsen: a graph at every resolution, and how faithful each is. */
#include "app/cli/command.h"
#include "app/cli/graph_figures.h"
#include "compute/graph_file.h"
#include "compute/hierarchy.h"

#include <math.h>

static const char *const rules[] = { "directed", "role", "architecture", "paper", NULL };

static const TrcRecipeField fields[] = {
  { "graph", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "GRAPH", .help = "The graph file" },
  { "rule", .kind = TRC_FIELD_ENUM, .initial = "directed", .choices = rules,
    .help = "What makes nodes belong together" },
  { "branching", .kind = TRC_FIELD_INT, .initial = "4", .min = 2, .max = 32,
    .help = "Parts that a block is cut into" },
  { "seed", .kind = TRC_FIELD_INT, .initial = "1", .min = 0, .max = G_MAXINT32,
    .help = "Seed of the clustering" },
  { "blocks-of", .kind = TRC_FIELD_INT, .initial = "2", .min = 0, .max = 64,
    .help = "Level whose blocks are listed" },
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "coarsen",
  .summary = "Cut a graph into blocks, and blocks into smaller ones",
  .details =
      "At every level the graph between the blocks has no cycle. The defect of a level says\n"
      "how far its influences are from those of the whole graph: 0 is exact.",
  .fields = fields,
};

/* Calls @func for each block of a level. */
static void
each_block (const TrcHierarchy *h, guint level,
            void (*func) (const TrcBlock *block, const char *label, gpointer data),
            gpointer data)
{
  guint32 n;
  const TrcBlock *blocks = trc_hierarchy_blocks (h, &n);

  for (guint32 b = 0; b < n; b++)
    if (blocks[b].depth == level || (blocks[b].depth < level && blocks[b].n_children == 0))
      {
        g_autofree char *label = trc_hierarchy_dup_label (h, b);
        func (&blocks[b], label, data);
      }
}

static void
json_block (const TrcBlock *block, const char *label, gpointer data)
{
  JsonBuilder *json = data;

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "label");
  json_builder_add_string_value (json, label);
  json_builder_set_member_name (json, "n_nodes");
  json_builder_add_int_value (json, block->n);
  trc_cli_add_number (json, "influence", block->influence);
  json_builder_end_object (json);
}

static void
text_block (const TrcBlock *block, const char *label, gpointer data)
{
  trc_cli_print ("  %5.1f %%  %6u  %s\n", 100 * block->influence, block->n, label);
}

static void
print_json (TrcHierarchy *h, guint level)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "rule");
  json_builder_add_string_value (json, trc_coarsen_rule_name (trc_hierarchy_params (h)->rule));
  json_builder_set_member_name (json, "levels");
  json_builder_begin_array (json);
  for (guint l = 0; l < trc_hierarchy_n_levels (h); l++)
    {
      gsize n_links;
      trc_hierarchy_meta_edges (h, l, &n_links);
      json_builder_begin_object (json);
      json_builder_set_member_name (json, "n_blocks");
      json_builder_add_int_value (json, trc_hierarchy_level_size (h, l));
      json_builder_set_member_name (json, "n_links");
      json_builder_add_int_value (json, (gint64)n_links);
      trc_cli_add_number (json, "defect", trc_hierarchy_defect (h, l));
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_set_member_name (json, "blocks");
  json_builder_begin_array (json);
  each_block (h, level, json_block, json);
  json_builder_end_array (json);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static void
print_text (TrcHierarchy *h, guint level)
{
  trc_cli_print ("level  blocks   links  defect\n");
  for (guint l = 0; l < trc_hierarchy_n_levels (h); l++)
    {
      gsize n_links;
      double defect = trc_hierarchy_defect (h, l);
      trc_hierarchy_meta_edges (h, l, &n_links);
      trc_cli_print ("%5u  %6u  %6" G_GSIZE_FORMAT "  %s%.3f\n", l,
                     trc_hierarchy_level_size (h, l), n_links, isnan (defect) ? "" : " ",
                     defect);
    }
  trc_cli_print ("Blocks of level %u (share of visits, nodes):\n", level);
  each_block (h, level, text_block, NULL);
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  TrcCoarsenParams params = TRC_COARSEN_DEFAULTS;
  g_autoptr (TrcGraph) graph = NULL;
  g_autoptr (TrcHierarchy) h = NULL;

  trc_coarsen_rule_parse (trc_recipe_values_string (values, "rule"), &params.rule);
  params.branching = (guint)trc_recipe_values_int (values, "branching");
  params.seed = (guint64)trc_recipe_values_int (values, "seed");
  if ((graph =
           trc_graph_read (trc_recipe_values_string (values, "graph"), &cli->progress, error))
          == NULL
      || (h = trc_hierarchy_new (graph, &params, &cli->progress, error)) == NULL)
    return FALSE;
  guint level =
      MIN ((guint)trc_recipe_values_int (values, "blocks-of"), trc_hierarchy_n_levels (h) - 1);
  if (cli->json)
    print_json (h, level);
  else
    print_text (h, level);
  return TRUE;
}

const TrcCommand trc_cmd_coarsen = { &recipe, run };
