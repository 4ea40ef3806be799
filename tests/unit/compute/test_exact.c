/* Real patched passes: every node of a random model against float64, and gpt-nano-sort against
 * the reference figures of patching and of attribution patching. */
#include "tests/support/attribution_fixture.h"
#include "tests/support/nano_sort.h"
#include "tests/support/shared_data.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static void
test_scores (void)
{
  for (int contrast = 0; contrast < 2; contrast++)
    {
      g_auto (TrcFixture) f = { 0 };
      trc_fixture_open (&f, contrast ? &trc_fixture_full : &trc_fixture_bare, 51);
      TrcTraceParams p = trc_fixture_params (&f, TRC_ESTIMATOR_EXACT, contrast);
      g_autoptr (TrcGraph) graph = trc_fixture_trace (&f, &p, NULL);
      trc_fixture_check_scores (&f, graph, TRC_ORACLE_EXACT, 1e-4);
    }
}

typedef struct {
  TrcModel *model;
  TrcDevice *device;
  JsonObject *entry;
  TrcTraceParams params;
  gint32 ids[16], other[16];
} Reference;

/* The corrupted prompt is run and given values of the clean one. */
static void
take_entry (Reference *r, JsonObject *entry)
{
  JsonArray *clean = json_object_get_array_member (entry, "clean_ids"),
            *corrupted = json_object_get_array_member (entry, "corrupted_ids");
  TrcTraceParams p = TRC_TRACE_PARAMS_INIT;

  r->entry = entry;
  p.n_ids = p.n_counterfactual_ids = json_array_get_length (clean);
  g_assert_cmpuint (p.n_ids, <=, G_N_ELEMENTS (r->ids));
  for (guint i = 0; i < p.n_ids; i++)
    {
      r->ids[i] = json_array_get_int_element (corrupted, i);
      r->other[i] = json_array_get_int_element (clean, i);
    }
  p.ids = r->ids;
  p.counterfactual_ids = r->other;
  p.target = json_object_get_int_member (entry, "target");
  p.foil = json_object_get_int_member (entry, "foil");
  p.trust_sample = 0;
  r->params = p;
}

/* "L0H1", "L2" (an MLP) or "L1P3" (the stream behind layer 1) as a hook. */
static TrcHook
hook_of (const char *member, const char *name)
{
  TrcHook hook = { .kind = TRC_HOOK_MLP };
  char *end;

  hook.layer = g_ascii_strtoull (name + 1, &end, 10);
  if (*end == 'H')
    hook.kind = TRC_HOOK_HEAD;
  if (*end == 'P')
    hook.kind = TRC_HOOK_RESID_POST;
  guint64 number = *end != '\0' ? g_ascii_strtoull (end + 1, NULL, 10) : 0;
  if (*end == 'H')
    hook.index = number;
  hook.first = *end == 'P' ? (gint64)number : 0;
  hook.last = *end == 'P' ? (gint64)number : -1;
  hook.has_position = *end == 'P';
  return hook;
}

static double
check_patches (Reference *r, const char *member)
{
  JsonObject *table = json_object_get_object_member (r->entry, member);
  g_autoptr (GList) names = json_object_get_members (table);
  g_autoptr (GError) error = NULL;
  guint n = g_list_length (names), i = 0;
  g_autofree TrcHook *hooks = g_new0 (TrcHook, n);
  g_autofree double *effects = g_new0 (double, n);
  double metric, worst = 0,
                 largest = fabs (json_object_get_double_member (r->entry, "metric_clean"));

  for (GList *l = names; l != NULL; l = l->next)
    hooks[i++] = hook_of (member, l->data);
  trc_patch_effects (r->model, r->device, &r->params, hooks, n, effects, &metric, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (
      metric, json_object_get_double_member (r->entry, "metric_corrupted"), 1e-3 * largest);
  i = 0;
  for (GList *l = names; l != NULL; l = l->next, i++)
    {
      double want = json_object_get_double_member (table, l->data), got = metric - effects[i];
      worst = MAX (worst, fabs (got - want));
      g_assert_cmpfloat_with_epsilon (got, want, 1e-3 * largest);
    }
  return worst / largest;
}

/* First-order attribution at the corrupted prompt, summed over positions. */
static void
check_attribution (Reference *r)
{
  g_autoptr (GError) error = NULL;
  JsonObject *heads = json_object_get_object_member (r->entry, "attribution_head_z"),
             *mlps = json_object_get_object_member (r->entry, "attribution_mlp");
  double head[3][3] = { 0 }, mlp[3] = { 0 };

  r->params.estimator = TRC_ESTIMATOR_EAP;
  r->params.n_targets = TRC_TARGETS_ALL;
  r->params.prune = FALSE;
  g_autoptr (TrcGraph) graph = trc_trace (r->model, r->device, &r->params, NULL, &error);
  g_assert_no_error (error);
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      if (node->kind == TRC_NODE_HEAD)
        head[node->layer][node->index] -= node->score;
      if (node->kind == TRC_NODE_NEURON)
        mlp[node->layer] -= node->score;
    }
  for (guint l = 0; l < 3; l++)
    {
      g_autofree char *name = g_strdup_printf ("L%u", l);
      g_assert_cmpfloat_with_epsilon (mlp[l], json_object_get_double_member (mlps, name), 2e-3);
      for (guint h = 0; h < 3; h++)
        {
          g_autofree char *one = g_strdup_printf ("L%uH%u", l, h);
          g_assert_cmpfloat_with_epsilon (head[l][h],
                                          json_object_get_double_member (heads, one), 2e-3);
        }
    }
}

static void
test_nano_sort (void)
{
  g_autofree char *folder = trc_test_nano_sort ();
  g_autofree char *file = trc_test_shared ("data/reference/nano_sort_reference.json");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();

  if (folder == NULL || file == NULL)
    return;
  g_autoptr (TrcModel) model = trc_model_open (folder, &error);
  g_assert_no_error (error);
  g_autoptr (TrcDevice) device = trc_device_open ("cpu", &error);
  g_assert_no_error (error);
  json_parser_load_from_file (parser, file, &error);
  g_assert_no_error (error);
  JsonArray *entries = json_object_get_array_member (
      json_node_get_object (json_parser_get_root (parser)), "patching");
  g_assert_cmpuint (json_array_get_length (entries), ==, 3);
  for (guint i = 0; i < json_array_get_length (entries); i++)
    {
      Reference r = { .model = model, .device = device };
      take_entry (&r, json_array_get_object_element (entries, i));
      g_test_message ("worst share of the metric: heads %.1g, MLPs %.1g, stream %.1g",
                      check_patches (&r, "denoise_head_z"), check_patches (&r, "denoise_mlp"),
                      check_patches (&r, "denoise_resid_by_position"));
      check_attribution (&r);
    }
  trc_test_remove_tree (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/attribution/exact/scores", test_scores);
  g_test_add_func ("/attribution/exact/nano-sort", test_nano_sort);
  return g_test_run ();
}
