/* tracery-cli devices: what there is here to compute on. */
#include "app/cli/command.h"
#include "compute/device.h"

static const char *
kind_word (TrcDeviceKind kind)
{
  switch (kind)
    {
    case TRC_DEVICE_CPU:
      return "cpu";
    case TRC_DEVICE_GPU:
      return "gpu";
    case TRC_DEVICE_SOFTWARE_GPU:
      return "software-gpu";
    }
  g_assert_not_reached ();
}

static void
print_json (GPtrArray *devices)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "devices");
  json_builder_begin_array (builder);
  for (guint i = 0; i < devices->len; i++)
    {
      const TrcDeviceInfo *info = devices->pdata[i];

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "spec");
      json_builder_add_string_value (builder, info->spec);
      json_builder_set_member_name (builder, "name");
      json_builder_add_string_value (builder, info->name);
      json_builder_set_member_name (builder, "kind");
      json_builder_add_string_value (builder, kind_word (info->kind));
      json_builder_set_member_name (builder, "memory_bytes");
      json_builder_add_int_value (builder, (gint64)info->memory_bytes);
      json_builder_set_member_name (builder, "auto");
      json_builder_add_boolean_value (builder, info->is_auto);
      json_builder_set_member_name (builder, "usable");
      json_builder_add_boolean_value (builder, info->is_usable);
      json_builder_set_member_name (builder, "note");
      if (info->note != NULL)
        json_builder_add_string_value (builder, info->note);
      else
        json_builder_add_null_value (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  trc_cli_print_json (root);
}

static void
print_table (GPtrArray *devices)
{
  for (guint i = 0; i < devices->len; i++)
    {
      const TrcDeviceInfo *info = devices->pdata[i];
      g_autofree char *memory =
          info->memory_bytes > 0
              ? g_format_size_full (info->memory_bytes, G_FORMAT_SIZE_IEC_UNITS)
              : g_strdup ("");

      trc_cli_print ("%s %-28s %s%s%s\n", info->is_auto ? "*" : " ", info->spec, info->name,
                     *memory != '\0' ? ", " : "", memory);
      if (info->note != NULL)
        trc_cli_print ("  %-28s %s: %s\n", "", info->is_usable ? "not by itself" : "not usable",
                       info->note);
    }
  trc_cli_print ("* is what --device auto takes.\n");
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  g_autoptr (GPtrArray) devices = trc_device_list ();

  if (cli->json)
    print_json (devices);
  else
    print_table (devices);
  return TRUE;
}

static const TrcRecipeField fields[] = { { NULL } };

static const TrcRecipe recipe = {
  .name = "devices",
  .summary = "List what there is here to compute on",
  .details = "A software Vulkan device is slower than the processor and is taken only when it "
             "is asked for by name.",
  .fields = fields,
};

const TrcCommand trc_cmd_devices = { &recipe, run };
