/* tracery-cli export: a graph as a figure, or in another file format. */
#include "app/cli/figure.h"
#include "app/error.h"
#include "app/export.h"
#include "compute/graph_file.h"

#include <string.h>

static const char *const theme_words[] = { "light", "dark", "light-contrast", "dark-contrast",
                                           NULL };
static const char *const palette_words[] = { "blue-orange", "purple-green", "blue-red", "grey",
                                             NULL };

static const TrcRecipeField fields[] = {
  TRC_CLI_VIEW_FIELDS,
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_REQUIRED, .value = "OUT",
    .help = "Where to write: .svg, .pdf, .png for a figure, .json, .dot, .graphml, .csv" },
  { "size", .kind = TRC_FIELD_STRING, .value = "WxH",
    .help = "Page, such as 180x120mm, 7x5in or 1600x1000px; one number is the width" },
  { "dpi", .kind = TRC_FIELD_DOUBLE, .initial = "192", .min = 1, .max = 4800,
    .help = "Pixels an inch of a PNG" },
  { "theme", .kind = TRC_FIELD_ENUM, .initial = "light", .choices = theme_words,
    .help = "Colours" },
  { "signs", .kind = TRC_FIELD_ENUM, .initial = "blue-orange", .choices = palette_words,
    .help = "Colours of edges that raise and lower; grey dashes what lowers" },
  { "transparent", .kind = TRC_FIELD_BOOL, .help = "No ground" },
  { "no-title", .kind = TRC_FIELD_BOOL, .help = "Leave out the title" },
  { "legend", .kind = TRC_FIELD_ENUM, .initial = "yes",
    .choices = (const char *const[]){ "yes", "no", NULL },
    .help = "The legend below the picture" },
  { "caption", .kind = TRC_FIELD_STRING, .value = "TEXT", .help = "Text below the picture" },
  { "outlines", .kind = TRC_FIELD_BOOL, .help = "SVG text as paths instead of text" },
  { "font", .kind = TRC_FIELD_STRING, .value = "FAMILY", .help = "Font family" },
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "export",
  .summary = "Draw a graph as SVG, PDF or PNG, or write it in another format",
  .details =
      "A figure shows what the window shows; without --size its page takes the size of the\n"
      "picture. The other formats hold the whole graph; with .csv the nodes go to a second\n"
      "file, NAME-nodes.csv. An export that fails leaves nothing behind.",
  .fields = fields,
};

static gboolean
read_options (const TrcRecipeValues *values, TrcExportOptions *options, GError **error)
{
  const char *size = trc_recipe_values_string (values, "size");

  trc_export_options_init (options);
  options->dpi = trc_recipe_values_double (values, "dpi");
  options->theme = (TrcThemeKind)trc_recipe_values_choice (values, "theme");
  options->palette = (TrcSignPalette)trc_recipe_values_choice (values, "signs");
  options->transparent = trc_recipe_values_bool (values, "transparent");
  options->title = !trc_recipe_values_bool (values, "no-title");
  options->legend = trc_recipe_values_choice (values, "legend") == 0;
  options->caption = trc_recipe_values_string (values, "caption");
  options->outlines = trc_recipe_values_bool (values, "outlines");
  options->font = trc_recipe_values_string (values, "font");
  return size == NULL || trc_export_parse_size (size, &options->w, &options->h, error);
}

static void
tell (const char *path, const TrcPresentInfo *info, TrcCli *cli)
{
  if (!cli->json)
    {
      trc_cli_print (
          "%s: %u of %u nodes, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " edges\n", path,
          info->nodes_shown, info->nodes_total, info->edges_shown, info->edges_total);
      return;
    }
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autofree char *shown = g_filename_display_name (path);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "output");
  json_builder_add_string_value (json, shown);
  trc_cli_add_count (json, "nodes_shown", info->nodes_shown);
  trc_cli_add_count (json, "nodes_total", info->nodes_total);
  trc_cli_add_count (json, "edges_shown", info->edges_shown);
  trc_cli_add_count (json, "edges_total", info->edges_total);
  json_builder_set_member_name (json, "fell_back");
  json_builder_add_boolean_value (json, info->fell_back);
  json_builder_end_object (json);
  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *output = trc_recipe_values_string (values, "output");
  g_autoptr (GArray) opened = g_array_new (FALSE, FALSE, sizeof (guint32));
  TrcGraphFormat format;
  TrcExportOptions options;
  TrcPresentInfo info = { 0 };
  TrcView view;

  if (!read_options (values, &options, error))
    return FALSE;
  g_autoptr (TrcGraph) graph = trc_cli_read_view (values, cli, &view, opened, error);
  if (graph == NULL)
    return FALSE;
  if (trc_graph_format_of (output, &format))
    return trc_graph_write_as (graph, output, format, error);

  g_autoptr (TrcScene) scene =
      trc_present_scene (graph, NULL, &view, &info, &cli->progress, error);
  gboolean done =
      scene != NULL && trc_export_scene (scene, output, &options, &cli->progress, error);
  if (done)
    {
      trc_cli_note_layout (&info);
      tell (output, &info, cli);
    }
  trc_present_info_clear (&info);
  return done;
}

const TrcCommand trc_cmd_export = { &recipe, run };
