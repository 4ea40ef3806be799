/* tracery-cli tokenize: text to token ids and back, with the tokeniser's files alone. */
#include "app/cli/command.h"
#include "app/cli/prompt.h"
#include "app/error.h"
#include "compute/model.h"

static const TrcRecipeField fields[] = {
  { "model", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "MODEL|FOLDER", .help = "A model, or a folder or file with a tokeniser" },
  { "text", 't', TRC_FIELD_STRING, .value = "TEXT", .help = "The text to cut into tokens" },
  { "ids", .kind = TRC_FIELD_STRING, .value = "1,2,3", .help = "Token ids to turn into text" },
  { "no-special", .kind = TRC_FIELD_BOOL,
    .help = "Leave out the special tokens that a model expects around a prompt" },
  { NULL },
};

static const TrcRecipeRule rules[] = { { TRC_RULE_ONE_OF, { "text", "ids" } }, { 0 } };

static const TrcRecipe recipe = {
  .name = "tokenize",
  .summary = "Cut a text into a model's tokens, or put tokens together",
  .fields = fields,
  .rules = rules,
};

static TrcTokenizer *
open_tokenizer (const char *path, GError **error)
{
  g_autofree char *bundled =
      g_file_test (path, G_FILE_TEST_EXISTS) ? NULL : trc_model_bundled_path (path);

  return trc_tokenizer_open (bundled != NULL ? bundled : path, error);
}

static const char *
text_of (const TrcTokenizer *tokenizer, guint32 id)
{
  const char *text = trc_tokenizer_text (tokenizer, id);

  return text != NULL ? text : "\xef\xbf\xbd";
}

static void
print_json (const TrcTokenizer *tokenizer, const GArray *ids, const GArray *spans,
            const char *text)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  json_builder_set_member_name (b, "ids");
  json_builder_begin_array (b);
  for (guint i = 0; i < ids->len; i++)
    json_builder_add_int_value (b, g_array_index (ids, guint32, i));
  json_builder_end_array (b);
  json_builder_set_member_name (b, "tokens");
  json_builder_begin_array (b);
  for (guint i = 0; i < ids->len; i++)
    json_builder_add_string_value (b, text_of (tokenizer, g_array_index (ids, guint32, i)));
  json_builder_end_array (b);
  if (spans->len > 0)
    {
      json_builder_set_member_name (b, "spans");
      json_builder_begin_array (b);
      for (guint i = 0; i < spans->len; i++)
        {
          const TrcSpan *span = &g_array_index (spans, TrcSpan, i);

          json_builder_begin_array (b);
          json_builder_add_int_value (b, (gint64)span->first);
          json_builder_add_int_value (b, (gint64)span->end);
          json_builder_end_array (b);
        }
      json_builder_end_array (b);
    }
  json_builder_set_member_name (b, "text");
  json_builder_add_string_value (b, text);
  json_builder_end_object (b);
  g_autoptr (JsonNode) root = json_builder_get_root (b);
  trc_cli_print_json (root);
}

static gboolean
check_ids (const TrcTokenizer *tokenizer, const GArray *ids, GError **error)
{
  guint n_tokens = trc_tokenizer_n_tokens (tokenizer);

  for (guint i = 0; i < ids->len; i++)
    if (g_array_index (ids, guint32, i) >= n_tokens)
      {
        g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_FAILED,
                     "There is no token %u; this tokeniser has %u of them, counted from 0.",
                     g_array_index (ids, guint32, i), n_tokens);
        return FALSE;
      }
  return TRUE;
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *text = trc_recipe_values_string (values, "text");
  g_autoptr (TrcTokenizer) tokenizer =
      open_tokenizer (trc_recipe_values_string (values, "model"), error);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (TrcSpan));
  TrcEncodeFlags flags = trc_recipe_values_bool (values, "no-special") ? TRC_ENCODE_NO_SPECIAL
                                                                       : TRC_ENCODE_DEFAULT;

  if (tokenizer == NULL)
    return FALSE;
  if (text != NULL ? !trc_tokenizer_encode (tokenizer, text, flags, ids, spans, error)
                   : !trc_cli_parse_ids (trc_recipe_values_string (values, "ids"), ids, error))
    return FALSE;
  if (!check_ids (tokenizer, ids, error))
    return FALSE;
  g_autofree char *decoded =
      trc_tokenizer_decode (tokenizer, (const guint32 *)ids->data, ids->len);
  if (cli->json)
    print_json (tokenizer, ids, spans, decoded);
  else if (text == NULL)
    trc_cli_print ("%s\n", decoded);
  else
    for (guint i = 0; i < ids->len; i++)
      trc_cli_print ("%8u  %s\n", g_array_index (ids, guint32, i),
                     text_of (tokenizer, g_array_index (ids, guint32, i)));
  return TRUE;
}

const TrcCommand trc_cmd_tokenize = { &recipe, run };
