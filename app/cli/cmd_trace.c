/* tracery-cli trace: one prompt through a model, as an attribution graph. */
#include "app/cli/command.h"
#include "app/cli/graph_figures.h"
#include "app/cli/prompt.h"
#include "app/error.h"
#include "compute/attribution.h"
#include "compute/graph_file.h"

#include <math.h>
#include <string.h>

static const char *const estimators[] = { "auto",   "relp",       "grad-act", "eap",
                                          "eap-ig", "eap-ig-act", "exact",    NULL };
static const char *const head_forms[] = { "nodes", "transparent", NULL };
static const char *const bases[] = { "neurons", NULL };

static const TrcRecipeField fields[] = {
  { "model", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "MODEL", .help = "A model folder, or the name of a bundled model" },
  { "prompt", 'p', TRC_FIELD_STRING, .value = "TEXT", .help = "The prompt" },
  { "ids", .kind = TRC_FIELD_STRING, .value = "1,2,3", .help = "The prompt as token ids" },
  { "task", .kind = TRC_FIELD_FILE, .value = "TASK",
    .help = "Pairs of prompts, one JSON object a line: heads and MLPs over all of them" },
  { "pairs", .kind = TRC_FIELD_INT, .value = "N", .initial = "0", .min = 0, .max = 1000000,
    .help = "With --task: at most so many pairs; 0 takes all" },
  { "from", .kind = TRC_FIELD_STRING, .value = "TEXT",
    .help = "A counterfactual prompt of as many tokens: nodes are compared with it" },
  { "from-ids", .kind = TRC_FIELD_STRING, .value = "1,2,3", .help = "The same as token ids" },
  { "target", .kind = TRC_FIELD_STRING, .value = "TOKEN|#ID",
    .help = "The token to explain; without it the likeliest ones" },
  { "foil", .kind = TRC_FIELD_STRING, .value = "TOKEN|#ID",
    .help = "Explain logit(target) - logit(foil) instead" },
  { "basis", .kind = TRC_FIELD_ENUM, .initial = "neurons", .choices = bases,
    .help = "What the nodes of the MLPs are" },
  { "estimator", .kind = TRC_FIELD_ENUM, .initial = "auto", .choices = estimators,
    .help = "How effects are estimated; auto takes what agrees best with exact patching" },
  { "heads", .kind = TRC_FIELD_ENUM, .initial = "nodes", .choices = head_forms,
    .help = "Heads as nodes, or effects through frozen patterns" },
  { "targets", .kind = TRC_FIELD_STRING, .value = "N|all",
    .help = "Heads and neurons that become nodes, the strongest first" },
  { "max-logits", .kind = TRC_FIELD_INT, .value = "N", .initial = "10", .min = 1, .max = 1000,
    .help = "Without a target: at most so many logits" },
  { "logit-mass", .kind = TRC_FIELD_DOUBLE, .initial = "0.95", .min = 0, .max = 1,
    .help = "Without a target: the fewest logits that reach this probability" },
  { "node-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.8", .min = 0, .max = 1,
    .help = "Share of the influence that the kept nodes carry" },
  { "edge-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.98", .min = 0, .max = 1,
    .help = "Share of the link scores that the kept links carry" },
  { "no-prune", .kind = TRC_FIELD_BOOL, .help = "Keep every node and link" },
  { "sample", .kind = TRC_FIELD_INT, .value = "N", .initial = "256", .min = 0, .max = 1000000,
    .help = "Nodes patched for the figure of trust; 0 leaves it out" },
  { "steps", .kind = TRC_FIELD_INT, .value = "N", .initial = "5", .min = 1, .max = 1000,
    .help = "Points of eap-ig" },
  { "seed", .kind = TRC_FIELD_INT, .value = "N", .initial = "1", .min = 0, .max = 4294967295.0,
    .help = "Of the sample and its intervals" },
  { "memory", .kind = TRC_FIELD_INT, .value = "MIB", .initial = "512", .min = 1, .max = 1048576,
    .help = "Budget for the block of targets" },
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_REQUIRED, .value = "OUT",
    .help = "Where to write the graph" },
  TRC_RECIPE_DEVICE,
  { NULL },
};

static const TrcRecipeRule rules[] = {
  { TRC_RULE_ONE_OF, { "prompt", "ids", "task" } },
  { TRC_RULE_AT_MOST_ONE, { "from", "from-ids", "task" } },
  { TRC_RULE_AT_MOST_ONE, { "target", "task" } },
  { TRC_RULE_NEEDS, { "foil", "target" } },
  { 0 },
};

static const TrcRecipe recipe = {
  .name = "trace",
  .summary = "Trace one prompt into an attribution graph",
  .details =
      "Nodes are embeddings, heads, neurons and logits; what is no node is summed into one\n"
      "rest node a layer and position. The figure of trust is the correlation of the\n"
      "nodes' scores with real patched runs, over a random sample, with a 95 % interval.",
  .fields = fields,
  .rules = rules,
};

typedef struct {
  TrcModel *model;
  TrcDevice *device;
  GArray *ids, *from;
  TrcTraceParams params;
  TrcTraceReport report;
} State;

static void
state_clear (State *s)
{
  g_clear_pointer (&s->model, trc_model_unref);
  g_clear_pointer (&s->device, trc_device_unref);
  g_clear_pointer (&s->ids, g_array_unref);
  g_clear_pointer (&s->from, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (State, state_clear)

static gboolean
read_token (State *s, const TrcRecipeValues *values, const char *field, gint32 *out,
            GError **error)
{
  guint32 id;
  if (!trc_recipe_values_given (values, field))
    return TRUE;
  if (!trc_model_parse_token (s->model, trc_recipe_values_string (values, field), &id, error))
    {
      g_prefix_error (error, "--%s: ", field);
      return FALSE;
    }
  *out = id;
  return TRUE;
}

static gboolean
read_targets (const char *text, guint *out, GError **error)
{
  guint64 n;
  if (text == NULL)
    *out = TRC_TARGETS_AUTO;
  else if (strcmp (text, "all") == 0)
    *out = TRC_TARGETS_ALL;
  else if (g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT32, &n, NULL))
    *out = n;
  else
    {
      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                   "--targets “%s”: write a number of at least 1, or all.", text);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_prompts (State *s, const TrcRecipeValues *values, GError **error)
{
  s->ids = trc_cli_read_prompt (values, "prompt", "ids", s->model, error);
  s->from =
      s->ids != NULL ? trc_cli_read_prompt (values, "from", "from-ids", s->model, error) : NULL;
  if (s->from == NULL)
    return FALSE;
  s->params.prompt = trc_recipe_values_string (values, "prompt");
  s->params.ids = (const gint32 *)s->ids->data;
  s->params.n_ids = s->ids->len;
  if (s->from->len > 0)
    s->params.counterfactual_ids = (const gint32 *)s->from->data;
  s->params.n_counterfactual_ids = s->from->len;
  return TRUE;
}

static gboolean
read_params (State *s, const TrcRecipeValues *values, GError **error)
{
  TrcTraceParams *p = &s->params;

  *p = (TrcTraceParams)TRC_TRACE_PARAMS_INIT;
  trc_estimator_from_name (trc_recipe_values_string (values, "estimator"), &p->estimator);
  p->heads =
      trc_recipe_values_choice (values, "heads") == 1 ? TRC_HEADS_TRANSPARENT : TRC_HEADS_NODES;
  p->max_logits = trc_recipe_values_int (values, "max-logits");
  p->logit_mass = trc_recipe_values_double (values, "logit-mass");
  p->prune = !trc_recipe_values_bool (values, "no-prune");
  p->node_share = trc_recipe_values_double (values, "node-share");
  p->edge_share = trc_recipe_values_double (values, "edge-share");
  p->trust_sample = trc_recipe_values_int (values, "sample");
  p->ig_steps = trc_recipe_values_int (values, "steps");
  p->seed = trc_recipe_values_int (values, "seed");
  p->memory_budget = (gsize)trc_recipe_values_int (values, "memory") << 20;
  return read_targets (trc_recipe_values_string (values, "targets"), &p->n_targets, error)
         && read_prompts (s, values, error)
         && read_token (s, values, "target", &p->target, error)
         && read_token (s, values, "foil", &p->foil, error);
}

/* ---- what is said about it ---- */

static void
add_agreement (JsonBuilder *json, const char *name, const TrcAgreement *a)
{
  if (!a->tried)
    return;
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  trc_cli_add_number (json, "pearson", a->pearson);
  trc_cli_add_number (json, "pearson_low", a->pearson_low);
  trc_cli_add_number (json, "pearson_high", a->pearson_high);
  trc_cli_add_number (json, "spearman", a->spearman);
  trc_cli_add_number (json, "spearman_low", a->spearman_low);
  trc_cli_add_number (json, "spearman_high", a->spearman_high);
  json_builder_end_object (json);
}

static void
add_table (JsonBuilder *json, const char *name, const TrcAgreement *rows)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_object (json);
  for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
    add_agreement (json, trc_estimator_name (e), &rows[e]);
  json_builder_end_object (json);
}

static void
add_trust (JsonBuilder *json, const TrcTraceReport *r)
{
  json_builder_set_member_name (json, "trust");
  json_builder_begin_object (json);
  trc_cli_add_count (json, "sample", r->n_sample);
  add_agreement (json, "chosen", &r->agreement[r->estimator]);
  add_table (json, "estimators", r->agreement);
  add_table (json, "heads", r->heads);
  add_table (json, "neurons", r->neurons);
  json_builder_set_member_name (json, "controls");
  json_builder_begin_object (json);
  add_agreement (json, "write_size", &r->control_norm);
  add_agreement (json, "shuffled", &r->control_shuffled);
  json_builder_end_object (json);
  trc_cli_add_number (json, "linear_check", r->linear_check);
  json_builder_end_object (json);
}

static void
add_work (JsonBuilder *json, const TrcTraceReport *r)
{
  json_builder_set_member_name (json, "passes");
  json_builder_begin_object (json);
  trc_cli_add_count (json, "forward", r->forwards);
  trc_cli_add_count (json, "backward", r->backwards);
  trc_cli_add_count (json, "patched_prompts", r->patches);
  trc_cli_add_count (json, "sweeps", r->sweeps);
  trc_cli_add_count (json, "weight_reads", r->weight_reads);
  json_builder_end_object (json);
  trc_cli_add_count (json, "bytes_read", r->bytes_read);
}

static void
print_json (const State *s, const TrcGraph *graph, const TrcGraphScores *scores,
            const char *output)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  trc_cli_add_graph_figures (json, graph, scores);
  json_builder_set_member_name (json, "output");
  json_builder_add_string_value (json, output);
  json_builder_set_member_name (json, "estimator");
  json_builder_add_string_value (json, trc_estimator_name (s->report.estimator));
  json_builder_set_member_name (json, "device");
  json_builder_add_string_value (json, trc_device_name (s->device));
  trc_cli_add_number (json, "metric", s->report.metric);
  json_builder_set_member_name (json, "before_pruning");
  json_builder_begin_object (json);
  trc_cli_add_count (json, "n_nodes", s->report.n_nodes_before);
  trc_cli_add_count (json, "n_links", s->report.n_links_before);
  trc_cli_add_number (json, "replacement", s->report.replacement);
  trc_cli_add_number (json, "completeness", s->report.completeness);
  json_builder_end_object (json);
  add_trust (json, &s->report);
  add_work (json, &s->report);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static void
print_agreement (const char *name, const TrcAgreement *a)
{
  if (a->tried)
    trc_cli_print ("  %-10s Pearson %6.3f (%.3f to %.3f)   Spearman %6.3f (%.3f to %.3f)\n",
                   name, a->pearson, a->pearson_low, a->pearson_high, a->spearman,
                   a->spearman_low, a->spearman_high);
}

static void
print_text (const State *s, const TrcGraph *graph, const TrcGraphScores *scores,
            const char *output)
{
  const TrcTraceReport *r = &s->report;

  trc_cli_print_graph_figures (graph, scores);
  trc_cli_print ("Before pruning: %u nodes, %u links, replacement %.3f, completeness %.3f\n",
                 r->n_nodes_before, r->n_links_before, r->replacement, r->completeness);
  trc_cli_print ("Estimator: %s.\n", trc_estimator_name (r->estimator));
  if (r->n_sample > 0)
    {
      trc_cli_print ("Agreement with exact patching of %u nodes:\n", r->n_sample);
      for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
        print_agreement (trc_estimator_name (e), &r->agreement[e]);
      trc_cli_print ("Controls, which a score has to beat:\n");
      print_agreement ("size", &r->control_norm);
      print_agreement ("shuffled", &r->control_shuffled);
    }
  if (!isnan (r->linear_check))
    trc_cli_print ("Linear check: links and biases miss their target by %.1e at most.\n",
                   r->linear_check);
  trc_cli_print ("Work: %" G_GUINT64_FORMAT " forward, %" G_GUINT64_FORMAT
                 " backward passes, %" G_GUINT64_FORMAT " sweeps, %.1f MB of weights read.\n",
                 r->forwards, r->backwards, r->sweeps, r->bytes_read / 1e6);
  trc_cli_print ("Written to %s.\n", output);
}

/* ---- a whole task ---- */

static void
print_task_json (const State *s, const TrcGraph *graph, const TrcGraphScores *scores,
                 const TrcComponentReport *r, const char *output)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  trc_cli_add_graph_figures (json, graph, scores);
  json_builder_set_member_name (json, "output");
  json_builder_add_string_value (json, output);
  json_builder_set_member_name (json, "estimator");
  json_builder_add_string_value (json, trc_graph_text (graph, "tracery.estimator"));
  trc_cli_add_number (json, "pairs", r->n_pairs);
  trc_cli_add_number (json, "metric_clean", r->metric_clean);
  trc_cli_add_number (json, "metric_corrupted", r->metric_corrupted);
  json_builder_set_member_name (json, "trust");
  json_builder_begin_object (json);
  trc_cli_add_number (json, "pairs", r->n_trust_pairs);
  for (guint c = 0; c < TRC_N_COMPONENTS; c++)
    {
      json_builder_set_member_name (json, trc_component_name (c));
      json_builder_begin_object (json);
      trc_cli_add_number (json, "points", r->n_points[c]);
      for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
        add_agreement (json, trc_estimator_name (e), &r->agreement[e][c]);
      json_builder_end_object (json);
    }
  json_builder_end_object (json);
  json_builder_set_member_name (json, "passes");
  json_builder_begin_object (json);
  trc_cli_add_number (json, "forward", r->forwards);
  trc_cli_add_number (json, "backward", r->backwards);
  trc_cli_add_number (json, "patched_prompts", r->patches);
  json_builder_end_object (json);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static void
print_task_text (const TrcGraph *graph, const TrcGraphScores *scores,
                 const TrcComponentReport *r, const char *output)
{
  trc_cli_print_graph_figures (graph, scores);
  trc_cli_print ("%u pairs; the metric is %.4f clean and %.4f corrupted.\n", r->n_pairs,
                 r->metric_clean, r->metric_corrupted);
  for (guint c = 0; c < TRC_N_COMPONENTS; c++)
    {
      if (r->n_points[c] == 0)
        continue;
      trc_cli_print ("Agreement with exact patching, %s (%u points of %u pairs):\n",
                     trc_component_name (c), r->n_points[c], r->n_trust_pairs);
      for (guint e = 0; e < TRC_N_ESTIMATORS; e++)
        print_agreement (trc_estimator_name (e), &r->agreement[e][c]);
    }
  trc_cli_print ("Links by %s. Written to %s.\n", trc_estimator_name (r->estimator), output);
}

static gboolean
run_task (State *s, const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *output = trc_recipe_values_string (values, "output");
  TrcComponentParams params = TRC_COMPONENT_PARAMS_INIT;
  TrcComponentReport report;
  TrcGraphScores scores;
  g_autoptr (TrcTask) task =
      trc_task_read (s->model, trc_recipe_values_string (values, "task"), error);

  if (task == NULL)
    return FALSE;
  trc_estimator_from_name (trc_recipe_values_string (values, "estimator"), &params.estimator);
  params.ig_steps = trc_recipe_values_int (values, "steps");
  params.n_pairs = trc_recipe_values_int (values, "pairs");
  params.seed = trc_recipe_values_int (values, "seed");
  params.memory_budget = (gsize)trc_recipe_values_int (values, "memory") << 20;
  if (trc_recipe_values_int (values, "sample") == 0)
    params.trust_pairs = 0;
  s->device = trc_device_open (trc_recipe_values_string (values, "device"), error);
  if (s->device == NULL)
    return FALSE;
  g_autoptr (TrcGraph) graph =
      trc_trace_components (s->model, s->device, task, &params, &report, &cli->progress, error);
  if (graph == NULL || !trc_graph_scores (graph, &scores, error)
      || !trc_graph_write (graph, output, error))
    return FALSE;
  if (cli->json)
    print_task_json (s, graph, &scores, &report, output);
  else
    print_task_text (graph, &scores, &report, output);
  return TRUE;
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *output = trc_recipe_values_string (values, "output");
  g_auto (State) s = { 0 };
  TrcGraphScores scores;

  s.model = trc_model_open (trc_recipe_values_string (values, "model"), error);
  if (s.model == NULL)
    return FALSE;
  if (trc_recipe_values_given (values, "task"))
    return run_task (&s, values, cli, error);
  if (!read_params (&s, values, error))
    return FALSE;
  s.device = trc_device_open (trc_recipe_values_string (values, "device"), error);
  if (s.device == NULL)
    return FALSE;
  g_autoptr (TrcGraph) graph =
      trc_trace_report (s.model, s.device, &s.params, &s.report, &cli->progress, error);
  if (graph == NULL || !trc_graph_scores (graph, &scores, error)
      || !trc_graph_write (graph, output, error))
    return FALSE;
  if (cli->json)
    print_json (&s, graph, &scores, output);
  else
    print_text (&s, graph, &scores, output);
  return TRUE;
}

const TrcCommand trc_cmd_trace = { &recipe, run };
