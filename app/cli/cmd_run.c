/* tracery-cli run: one prompt through a model, with interventions. */
#include "app/cli/command.h"
#include "app/cli/prompt.h"
#include "app/error.h"
#include "compute/generate.h"

#include <math.h>
#include <string.h>

static const TrcRecipeField fields[] = {
  { "model", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "MODEL", .help = "A model folder, or the name of a bundled model" },
  { "prompt", 'p', TRC_FIELD_STRING, .value = "TEXT", .help = "The prompt" },
  { "ids", .kind = TRC_FIELD_STRING, .value = "1,2,3", .help = "The prompt as token ids" },
  { "from", .kind = TRC_FIELD_STRING, .value = "TEXT",
    .help = "The prompt whose values --patch takes" },
  { "from-ids", .kind = TRC_FIELD_STRING, .value = "1,2,3", .help = "The same as token ids" },
  { "target", .kind = TRC_FIELD_STRING, .value = "TOKEN|#ID",
    .help = "The token whose logit is measured" },
  { "foil", .kind = TRC_FIELD_STRING, .value = "TOKEN|#ID",
    .help = "The token it is measured against" },
  { "top", .kind = TRC_FIELD_INT, .value = "N", .initial = "10", .min = 1, .max = 1000000,
    .help = "How many of the likeliest tokens are shown" },
  { "all-logits", .kind = TRC_FIELD_BOOL,
    .help = "With --json: every logit of the last position" },
  { "ablate", .kind = TRC_FIELD_LIST, .value = "NODE[=zero|mean]",
    .help = "Set a node to zero, or to its mean over the prompt" },
  { "steer", .kind = TRC_FIELD_LIST, .value = "NODE=FACTOR", .help = "Multiply a node" },
  { "set", .kind = TRC_FIELD_LIST, .value = "NODE=VALUE", .help = "Set a node to a number" },
  { "patch", .kind = TRC_FIELD_LIST, .value = "NODE",
    .help = "Give a node its value in the --from prompt" },
  { "generate", .kind = TRC_FIELD_INT, .value = "N", .min = 1, .max = 1000000,
    .help = "Write on from the prompt, up to N tokens" },
  { "temperature", .kind = TRC_FIELD_DOUBLE, .value = "T", .initial = "0", .min = 0, .max = 100,
    .help = "With --generate: 0 takes the likeliest token each time, 1 draws by probability" },
  { "seed", .kind = TRC_FIELD_INT, .value = "N", .initial = "0", .min = 0, .max = 4294967295.0,
    .help = "With --generate: equal seeds draw equal tokens" },
  TRC_RECIPE_DEVICE,
  { NULL },
};

static const TrcRecipeRule rules[] = {
  { TRC_RULE_ONE_OF, { "prompt", "ids" } },
  { TRC_RULE_AT_MOST_ONE, { "from", "from-ids" } },
  { TRC_RULE_NEEDS, { "foil", "target" } },
  { TRC_RULE_AT_MOST_ONE, { "generate", "target" } },
  { TRC_RULE_AT_MOST_ONE, { "generate", "all-logits" } },
  { TRC_RULE_NEEDS, { "temperature", "generate" } },
  { TRC_RULE_NEEDS, { "seed", "generate" } },
  { 0 },
};

static const TrcRecipe recipe = {
  .name = "run",
  .summary = "Run a prompt through a model",
  .details =
      "NODE is embed, L0.H1, L0.H1.q, L0.attn, L0.mlp, L0.n12, L0.resid_pre, L0.resid_mid,\n"
      "L0.resid_post, final or logits, with @4, @-1 or @2-5 behind it for some positions "
      "only.\nLayers, heads and positions count from 0. Changes act in the order ablate, "
      "steer, set, patch.\nThe metric is logit(target) - logit(foil) at the last position, "
      "without a foil logit(target).",
  .fields = fields,
  .rules = rules,
};

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  GArray *ids, *from;
  TrcRun *source, *run;
  GArray *edits; /* of TrcIntervention */
  guint32 target, foil;
  gboolean has_target, has_foil;
} RunState;

static void
state_clear (RunState *s)
{
  g_clear_pointer (&s->run, trc_run_unref);
  g_clear_pointer (&s->source, trc_run_unref);
  g_clear_pointer (&s->edits, g_array_unref);
  g_clear_pointer (&s->ids, g_array_unref);
  g_clear_pointer (&s->from, g_array_unref);
  g_clear_pointer (&s->model, trc_model_unref);
  g_clear_pointer (&s->dev, trc_device_unref);
}

/* --- interventions --- */

static gboolean
usage (GError **error, const char *flag, const char *text, const char *want)
{
  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "--%s “%s”: %s.", flag, text, want);
  return FALSE;
}

/* Reads NODE[=VALUE]; @value is the text behind the last "=", or NULL. */
static gboolean
split_node (const char *flag, const char *text, TrcHook *hook, char **value, GError **error)
{
  const char *equals = strrchr (text, '=');
  g_autofree char *node = equals != NULL ? g_strndup (text, equals - text) : g_strdup (text);
  g_autoptr (GError) local = NULL;

  if (!trc_hook_parse (node, hook, &local))
    {
      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "--%s: %s", flag, local->message);
      return FALSE;
    }
  *value = equals != NULL ? g_strdup (equals + 1) : NULL;
  return TRUE;
}

static gboolean
read_number (const char *flag, const char *text, const char *value, float *number,
             GError **error)
{
  char *end = NULL;
  double parsed = value != NULL ? g_ascii_strtod (value, &end) : 0;

  if (value == NULL || end == value || *end != '\0' || !isfinite ((float)parsed))
    return usage (error, flag, text, "write NODE=NUMBER");
  *number = (float)parsed;
  return TRUE;
}

static gboolean
add_edit (RunState *s, const char *flag, TrcMode mode, const char *text, GError **error)
{
  TrcIntervention edit = { .mode = mode, .prompt = -1 };
  g_autofree char *value = NULL;

  if (!split_node (flag, text, &edit.hook, &value, error))
    return FALSE;
  if (mode == TRC_MODE_SCALE || mode == TRC_MODE_SET)
    {
      if (!read_number (flag, text, value, &edit.value, error))
        return FALSE;
    }
  else if (mode == TRC_MODE_ZERO && value != NULL && strcmp (value, "mean") == 0)
    edit.mode = TRC_MODE_MEAN;
  else if (value != NULL && (mode != TRC_MODE_ZERO || strcmp (value, "zero") != 0))
    return usage (error, flag, text,
                  mode == TRC_MODE_ZERO ? "write NODE, NODE=zero or NODE=mean"
                                        : "write NODE alone");
  g_array_append_val (s->edits, edit);
  return TRUE;
}

static gboolean
read_edits (RunState *s, const TrcRecipeValues *values, GError **error)
{
  static const struct {
    const char *flag;
    TrcMode mode;
  } kinds[] = { { "ablate", TRC_MODE_ZERO },
                { "steer", TRC_MODE_SCALE },
                { "set", TRC_MODE_SET },
                { "patch", TRC_MODE_PATCH } };

  s->edits = g_array_new (FALSE, FALSE, sizeof (TrcIntervention));
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      const char *const *list = trc_recipe_values_list (values, kinds[k].flag);

      for (guint i = 0; list[i] != NULL; i++)
        if (!add_edit (s, kinds[k].flag, kinds[k].mode, list[i], error))
          return FALSE;
    }
  return TRUE;
}

/* --- the runs --- */

static gboolean
run_source (RunState *s, const TrcProgress *progress, GError **error)
{
  TrcRunParams params = { .ids = (const guint32 *)s->from->data,
                          .n_prompts = 1,
                          .n_tokens = s->from->len };
  guint first, n;

  for (guint i = 0; i < s->edits->len; i++)
    {
      TrcIntervention *edit = &g_array_index (s->edits, TrcIntervention, i);

      if (edit->mode == TRC_MODE_PATCH && edit->hook.kind != TRC_HOOK_FEATURE)
        params.keep |=
            TRC_SITE_BIT (trc_hook_site (&edit->hook, trc_model_config (s->model), &first, &n));
    }
  if (params.keep == 0)
    return TRUE;
  if (s->from->len == 0)
    {
      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                   "--patch needs --from or --from-ids, the prompt that its values come from.");
      return FALSE;
    }
  s->source = trc_run_new (s->model, s->dev, &params, progress, error);
  for (guint i = 0; i < s->edits->len; i++)
    {
      TrcIntervention *edit = &g_array_index (s->edits, TrcIntervention, i);

      if (edit->mode == TRC_MODE_PATCH)
        edit->source = s->source;
    }
  return s->source != NULL;
}

static gboolean
read_metric (RunState *s, const TrcRecipeValues *values, GError **error)
{
  const char *target = trc_recipe_values_string (values, "target");
  const char *foil = trc_recipe_values_string (values, "foil");

  s->has_target = target != NULL;
  s->has_foil = foil != NULL;
  return (target == NULL || trc_model_parse_token (s->model, target, &s->target, error))
         && (foil == NULL || trc_model_parse_token (s->model, foil, &s->foil, error));
}

/* --- results --- */

static const float *sort_logits;

static int
by_logit (gconstpointer a, gconstpointer b)
{
  guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;

  if (sort_logits[x] != sort_logits[y])
    return sort_logits[x] > sort_logits[y] ? -1 : 1;
  return x < y ? -1 : 1;
}

/* All ids by falling logit, ties by id. */
static guint32 *
ranked (const float *logits, guint n)
{
  guint32 *order = g_new (guint32, n);

  for (guint i = 0; i < n; i++)
    order[i] = i;
  sort_logits = logits;
  qsort (order, n, sizeof *order, by_logit);
  return order;
}

static double
log_sum (const float *logits, guint n)
{
  double largest = -INFINITY, sum = 0;

  for (guint i = 0; i < n; i++)
    largest = MAX (largest, logits[i]);
  for (guint i = 0; i < n; i++)
    sum += exp (logits[i] - largest);
  return largest + log (sum);
}

static double
metric (const RunState *s, const float *logits)
{
  return (double)logits[s->target] - (s->has_foil ? logits[s->foil] : 0.0);
}

static void
print_text (RunState *s, const float *logits, const guint32 *order, guint top, double total)
{
  for (guint i = 0; i < s->ids->len; i++)
    trc_cli_print ("%s%s", i > 0 ? " | " : "Tokens: ",
                   trc_model_token_text (s->model, g_array_index (s->ids, guint32, i)));
  trc_cli_print ("\n%12s  %-20s %10s %12s\n", "id", "token", "logit", "probability");
  for (guint i = 0; i < top; i++)
    trc_cli_print ("%12u  %-20s %10.4f %12.6f\n", order[i],
                   trc_model_token_text (s->model, order[i]), logits[order[i]],
                   exp (logits[order[i]] - total));
  if (s->has_target)
    trc_cli_print ("Metric: %.6f\n", metric (s, logits));
}

static void
add_ids (JsonBuilder *b, const char *name, const GArray *ids)
{
  json_builder_set_member_name (b, name);
  json_builder_begin_array (b);
  for (guint i = 0; i < ids->len; i++)
    json_builder_add_int_value (b, g_array_index (ids, guint32, i));
  json_builder_end_array (b);
}

static void
print_json (RunState *s, const float *logits, const guint32 *order, guint top, double total,
            gboolean all)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  guint n_vocab = trc_model_config (s->model)->n_vocab;

  json_builder_begin_object (b);
  add_ids (b, "ids", s->ids);
  json_builder_set_member_name (b, "tokens");
  json_builder_begin_array (b);
  for (guint i = 0; i < s->ids->len; i++)
    json_builder_add_string_value (
        b, trc_model_token_text (s->model, g_array_index (s->ids, guint32, i)));
  json_builder_end_array (b);
  json_builder_set_member_name (b, "top");
  json_builder_begin_array (b);
  for (guint i = 0; i < top; i++)
    {
      json_builder_begin_array (b);
      json_builder_add_int_value (b, order[i]);
      json_builder_add_string_value (b, trc_model_token_text (s->model, order[i]));
      trc_cli_add_number (b, NULL, logits[order[i]]);
      trc_cli_add_number (b, NULL, exp (logits[order[i]] - total));
      json_builder_end_array (b);
    }
  json_builder_end_array (b);
  if (s->has_target)
    trc_cli_add_number (b, "metric", metric (s, logits));
  if (all)
    {
      json_builder_set_member_name (b, "logits");
      json_builder_begin_array (b);
      for (guint i = 0; i < n_vocab; i++)
        trc_cli_add_number (b, NULL, logits[i]);
      json_builder_end_array (b);
    }
  json_builder_end_object (b);
  g_autoptr (JsonNode) root = json_builder_get_root (b);
  trc_cli_print_json (root);
}

/* --- writing on --- */

/* What @written adds to the text of the prompt: decoded together with it, since the text of a
 * token may depend on its neighbours. */
static char *
continuation (RunState *s, const GArray *written)
{
  const TrcTokenizer *tokenizer = trc_model_tokenizer (s->model);
  g_autoptr (GArray) all = g_array_copy (s->ids);
  g_autofree char *before = NULL, *whole = NULL;

  if (tokenizer == NULL)
    {
      g_autoptr (GString) text = g_string_new (NULL);

      for (guint i = 0; i < written->len; i++)
        g_string_append_printf (text, "%s#%u", i > 0 ? " " : "",
                                g_array_index (written, guint32, i));
      return g_strdup (text->str);
    }
  g_array_append_vals (all, written->data, written->len);
  before = trc_tokenizer_decode (tokenizer, (const guint32 *)s->ids->data, s->ids->len);
  whole = trc_tokenizer_decode (tokenizer, (const guint32 *)all->data, all->len);
  if (g_str_has_prefix (whole, before))
    return g_utf8_make_valid (whole + strlen (before), -1);
  g_free (whole);
  whole = trc_tokenizer_decode (tokenizer, (const guint32 *)written->data, written->len);
  return g_utf8_make_valid (whole, -1);
}

static gboolean
generate (RunState *s, const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  static const char *const stops[] = { "count", "end", "full", "caller" };
  const TrcGenerateParams params = {
    .ids = (const guint32 *)s->ids->data,
    .n_tokens = s->ids->len,
    .n_new = (guint)trc_recipe_values_int (values, "generate"),
    .temperature = trc_recipe_values_double (values, "temperature"),
    .seed = (guint64)trc_recipe_values_int (values, "seed"),
    .interventions = (const TrcIntervention *)s->edits->data,
    .n_interventions = s->edits->len,
  };
  g_autoptr (GArray) written = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autofree char *text = NULL;
  TrcGenerateWork work;

  if (!trc_generate (s->model, s->dev, &params, written, &work, &cli->progress, error))
    return FALSE;
  text = continuation (s, written);
  if (!cli->json)
    {
      trc_cli_print ("%s\n", text);
      return TRUE;
    }
  g_autoptr (JsonBuilder) b = json_builder_new ();
  json_builder_begin_object (b);
  add_ids (b, "ids", s->ids);
  add_ids (b, "generated", written);
  json_builder_set_member_name (b, "text");
  json_builder_add_string_value (b, text);
  json_builder_set_member_name (b, "stopped");
  json_builder_add_string_value (b, stops[work.stop]);
  json_builder_end_object (b);
  g_autoptr (JsonNode) root = json_builder_get_root (b);
  trc_cli_print_json (root);
  return TRUE;
}

static gboolean
run_state (RunState *s, const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  TrcRunParams params = { .n_prompts = 1, .last_only = TRUE };
  const float *logits;
  guint n_vocab;

  s->model = trc_model_open (trc_recipe_values_string (values, "model"), error);
  if (s->model == NULL || !read_metric (s, values, error) || !read_edits (s, values, error))
    return FALSE;
  if (trc_model_note (s->model) != NULL)
    trc_cli_note ("Note: %s", trc_model_note (s->model));
  s->ids = trc_cli_read_prompt (values, "prompt", "ids", s->model, error);
  if (s->ids == NULL)
    return FALSE;
  s->from = trc_cli_read_prompt (values, "from", "from-ids", s->model, error);
  if (s->from == NULL)
    return FALSE;
  s->dev = trc_device_open (trc_recipe_values_string (values, "device"), error);
  if (s->dev == NULL)
    return FALSE;
  trc_device_set_cancellable (s->dev, cli->progress.cancellable);
  if (!run_source (s, &cli->progress, error))
    return FALSE;
  if (trc_recipe_values_given (values, "generate"))
    return generate (s, values, cli, error);
  params.ids = (const guint32 *)s->ids->data;
  params.n_tokens = s->ids->len;
  params.interventions = (const TrcIntervention *)s->edits->data;
  params.n_interventions = s->edits->len;
  s->run = trc_run_new (s->model, s->dev, &params, &cli->progress, error);
  if (s->run == NULL || (logits = trc_run_logits (s->run, 0, -1, error)) == NULL)
    return FALSE;
  n_vocab = trc_model_config (s->model)->n_vocab;
  g_autofree guint32 *order = ranked (logits, n_vocab);
  guint top = (guint)MIN (trc_recipe_values_int (values, "top"), (gint64)n_vocab);
  double total = log_sum (logits, n_vocab);
  if (cli->json)
    print_json (s, logits, order, top, total, trc_recipe_values_bool (values, "all-logits"));
  else
    print_text (s, logits, order, top, total);
  return TRUE;
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  RunState s = { 0 };
  gboolean ok = run_state (&s, values, cli, error);

  state_clear (&s);
  return ok;
}

const TrcCommand trc_cmd_run = { &recipe, run };
