/* tracery-cli layout: where everything stands, as JSON. */
#include "app/cli/figure.h"
#include "app/error.h"

#include <string.h>

static const TrcRecipeField fields[] = {
  TRC_CLI_VIEW_FIELDS,
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_OPTIONAL, .value = "OUT",
    .help = "Where to write the places as JSON; without it they are printed" },
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "layout",
  .summary = "Lay a graph out and say where its boxes stand",
  .details =
      "Units are points, x to the right and y down; each box is given by its middle, width\n"
      "and height. \"fell_back\" is true when dot was asked for and could not be used.",
  .fields = fields,
};

static void
add_rect (JsonBuilder *json, double x, double y, double w, double h)
{
  trc_cli_add_number (json, "x", x);
  trc_cli_add_number (json, "y", y);
  trc_cli_add_number (json, "w", w);
  trc_cli_add_number (json, "h", h);
}

static void
add_box (JsonBuilder *json, const TrcBox *box, const TrcGraph *graph)
{
  static const char *const kinds[] = { "node", "group", "token" };

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "kind");
  json_builder_add_string_value (json, kinds[box->ref_kind]);
  if (box->ref_kind == TRC_REF_NODE)
    {
      json_builder_set_member_name (json, "id");
      json_builder_add_string_value (json, trc_graph_node (graph, (guint32)box->ref)->id);
    }
  json_builder_set_member_name (json, "label");
  json_builder_add_string_value (json, box->label != NULL ? box->label : "");
  add_rect (json, box->at.x, box->at.y, box->w, box->h);
  json_builder_end_object (json);
}

static JsonNode *
describe (const TrcScene *scene, const TrcGraph *graph, const TrcPresentInfo *info)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  TrcRect bounds = trc_scene_bounds (scene);
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);

  json_builder_begin_object (json);
  json_builder_set_member_name (json, "bounds");
  json_builder_begin_object (json);
  add_rect (json, bounds.x, bounds.y, bounds.w, bounds.h);
  json_builder_end_object (json);
  json_builder_set_member_name (json, "fell_back");
  json_builder_add_boolean_value (json, info->fell_back);
  json_builder_set_member_name (json, "boxes");
  json_builder_begin_array (json);
  for (guint i = 0; i < n; i++)
    add_box (json, &box[i], graph);
  json_builder_end_array (json);
  json_builder_end_object (json);
  return json_builder_get_root (json);
}

static gboolean
put (JsonNode *root, const char *output, GError **error)
{
  if (output == NULL)
    {
      trc_cli_print_json (root);
      return TRUE;
    }
  g_autofree char *text = json_to_string (root, TRUE);
  return g_file_set_contents (output, text, -1, error);
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  g_autoptr (GArray) opened = g_array_new (FALSE, FALSE, sizeof (guint32));
  TrcPresentInfo info = { 0 };
  TrcView view;
  g_autoptr (TrcGraph) graph = trc_cli_read_view (values, cli, &view, opened, error);

  if (graph == NULL)
    return FALSE;
  g_autoptr (TrcScene) scene =
      trc_present_scene (graph, NULL, &view, &info, &cli->progress, error);
  if (scene == NULL)
    return FALSE;
  trc_cli_note_layout (&info);
  g_autoptr (JsonNode) root = describe (scene, graph, &info);
  trc_present_info_clear (&info);
  return put (root, trc_recipe_values_string (values, "output"), error);
}

const TrcCommand trc_cmd_layout = { &recipe, run };
