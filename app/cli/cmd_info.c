/* tracery-cli info: what a file or a bundled name is, and its figures. */
#include "app/cli/command.h"
#include "app/cli/graph_figures.h"
#include "app/error.h"
#include "compute/graph_file.h"
#include "compute/model.h"

#include <stdio.h>
#include <string.h>

static const TrcRecipeField fields[] = {
  { "source", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL, .value = "MODEL|GRAPH",
    .help = "A graph file, a model's folder or file, or a bundled name" },
  { "bundled", .kind = TRC_FIELD_BOOL, .help = "List the models that came with Tracery" },
  { NULL },
};

static const TrcRecipeRule rules[] = {
  { TRC_RULE_ONE_OF, { "source", "bundled" } },
  { 0 },
};

static const TrcRecipe recipe = {
  .name = "info",
  .summary = "Say what a model or a graph file is",
  .details =
      "For a graph: nodes and links, nodes by kind, and the replacement and completeness\n"
      "scores of the whole file.",
  .fields = fields,
  .rules = rules,
};

/* ---- graphs ---- */

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;

  json_builder_set_member_name (json, name);
  if (valid != NULL)
    json_builder_add_string_value (json, valid);
  else
    json_builder_add_null_value (json);
}

static void
add_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
print_graph_json (const TrcGraph *graph, const TrcGraphScores *scores)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  const TrcGraphMarks *marks = trc_graph_marks (graph);

  json_builder_begin_object (json);
  add_text (json, "what", "graph");
  add_text (json, "dialect",
            trc_graph_dialect (graph) == TRC_GRAPH_EAP_IG ? "eap-ig" : "common");
  trc_cli_add_graph_figures (json, graph, scores);
  add_text (json, "slug", trc_graph_text (graph, "slug"));
  add_text (json, "scan", trc_graph_text (graph, "scan"));
  add_text (json, "prompt", trc_graph_prompt (graph));
  add_int (json, "n_layers", trc_graph_n_layers (graph));
  add_int (json, "n_positions", trc_graph_n_positions (graph));
  add_int (json, "n_pins", (gint64)marks->n_pins);
  add_int (json, "n_supernodes", (gint64)marks->n_supernodes);
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (const char *const *w = trc_graph_warnings (graph); *w != NULL; w++)
    json_builder_add_string_value (json, *w);
  json_builder_end_array (json);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static void
print_graph (const TrcGraph *graph, const TrcGraphScores *scores)
{
  const TrcGraphMarks *marks = trc_graph_marks (graph);
  const char *scan = trc_graph_text (graph, "scan");

  trc_cli_print ("attribution graph%s\n",
                 trc_graph_dialect (graph) == TRC_GRAPH_EAP_IG ? " (EAP-IG)" : "");
  if (scan != NULL)
    trc_cli_print ("%-14s %s\n", "model", scan);
  if (*trc_graph_prompt (graph) != '\0')
    trc_cli_print ("%-14s %s\n", "prompt", trc_graph_prompt (graph));
  trc_cli_print_graph_figures (graph, scores);
  trc_cli_print ("%-14s %d layers, %d tokens\n", "extent", trc_graph_n_layers (graph),
                 trc_graph_n_positions (graph));
  if (marks->n_pins > 0 || marks->n_supernodes > 0)
    trc_cli_print ("%-14s %" G_GSIZE_FORMAT " pins, %" G_GSIZE_FORMAT " groups\n", "marks",
                   marks->n_pins, marks->n_supernodes);
  for (const char *const *w = trc_graph_warnings (graph); *w != NULL; w++)
    trc_cli_print ("note           %s\n", *w);
}

static gboolean
tell_graph (const char *path, TrcCli *cli, GError **error)
{
  g_autoptr (TrcGraph) graph = trc_graph_read (path, &cli->progress, error);
  TrcGraphScores scores;

  if (graph == NULL || !trc_graph_scores (graph, &scores, error))
    return FALSE;
  if (cli->json)
    print_graph_json (graph, &scores);
  else
    print_graph (graph, &scores);
  return TRUE;
}

/* ---- models ---- */

static gboolean
tell_model (const char *name, TrcCli *cli, GError **error)
{
  g_autoptr (TrcModel) model = trc_model_open (name, error);

  if (model == NULL)
    return FALSE;
  const TrcModelConfig *config = trc_model_config (model);
  if (!cli->json)
    {
      trc_cli_print ("model %s (%s)\n", trc_model_name (model), config->family);
      trc_cli_print ("%u layers, %u heads of %u, width %u, MLP %u, %u tokens, context %u\n",
                     config->n_layers, config->n_heads, config->d_head, config->d_model,
                     config->d_mlp, config->n_vocab, config->n_ctx);
      trc_cli_print ("%" G_GUINT64_FORMAT " weights\n", trc_model_n_parameters (model));
      return TRUE;
    }
  g_autoptr (JsonBuilder) json = json_builder_new ();
  json_builder_begin_object (json);
  add_text (json, "what", "model");
  add_text (json, "name", trc_model_name (model));
  add_text (json, "family", config->family);
  add_int (json, "n_parameters", (gint64)trc_model_n_parameters (model));
  add_int (json, "n_layers", config->n_layers);
  add_int (json, "n_heads", config->n_heads);
  add_int (json, "n_kv_heads", config->n_kv_heads);
  add_int (json, "d_head", config->d_head);
  add_int (json, "d_model", config->d_model);
  add_int (json, "d_mlp", config->d_mlp);
  add_int (json, "n_vocab", config->n_vocab);
  add_int (json, "n_ctx", config->n_ctx);
  json_builder_end_object (json);
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
  return TRUE;
}

static gboolean
list_bundled (TrcCli *cli)
{
  g_auto (GStrv) names = trc_model_list_bundled ();
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_array (json);
  for (char **name = names; *name != NULL; name++)
    {
      json_builder_add_string_value (json, *name);
      if (!cli->json)
        trc_cli_print ("%s\n", *name);
    }
  json_builder_end_array (json);
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  if (cli->json)
    trc_cli_print_json (root);
  return TRUE;
}

/* Folders hold models, and so do files that say so at their start or in their name. */
static gboolean
is_model (const char *source)
{
  char head[4] = { 0 };

  if (g_file_test (source, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (!g_file_test (source, G_FILE_TEST_EXISTS))
    {
      g_autofree char *bundled = trc_model_bundled_path (source);
      return bundled != NULL;
    }
  FILE *file = g_file_test (source, G_FILE_TEST_IS_REGULAR) ? fopen (source, "rb") : NULL;
  gsize n = file != NULL ? fread (head, 1, sizeof head, file) : 0;
  if (file != NULL)
    fclose (file);
  return n == sizeof head && memcmp (head, "GGUF", sizeof head) == 0;
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *source = trc_recipe_values_string (values, "source");

  if (trc_recipe_values_bool (values, "bundled"))
    return list_bundled (cli);
  return is_model (source) ? tell_model (source, cli, error) : tell_graph (source, cli, error);
}

const TrcCommand trc_cmd_info = { &recipe, run };
