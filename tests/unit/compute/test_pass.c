/* The pass against float64 references: gpt-nano-sort and a random GPT-2, on the CPU, and on
 * the device that TRACERY_TEST_DEVICE names with a smaller share. */
#include "compute/run.h"

#include "tests/support/nano_sort.h"
#include "tests/support/shared_data.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  char *dir;
  TrcModel *model;
  TrcDevice *dev;
  JsonParser *reference;
  JsonObject *root;
} Sort;

static const char *
device_spec (void)
{
  const char *spec = g_getenv ("TRACERY_TEST_DEVICE");

  return spec != NULL ? spec : "cpu";
}

static gboolean
is_cpu (void)
{
  return strcmp (device_spec (), "cpu") == 0;
}

/* NULL after g_test_skip(). */
static TrcDevice *
open_device (void)
{
  g_autoptr (GError) error = NULL;
  TrcDevice *dev = trc_device_open (device_spec (), &error);

  if (dev == NULL)
    g_test_skip (error->message);
  return dev;
}

static JsonObject *
load_json (JsonParser **parser, const char *rel)
{
  g_autofree char *path = trc_test_shared (rel);
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return NULL;
  *parser = json_parser_new ();
  json_parser_load_from_file (*parser, path, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (*parser));
}

static gboolean
sort_open (Sort *self)
{
  g_autoptr (GError) error = NULL;

  *self = (Sort){ .dir = trc_test_nano_sort () };
  if (self->dir == NULL || (self->dev = open_device ()) == NULL)
    return FALSE;
  self->root = load_json (&self->reference, "data/reference/nano_sort_reference.json");
  self->model = trc_model_open (self->dir, &error);
  g_assert_no_error (error);
  return self->root != NULL;
}

static void
sort_close (Sort *self)
{
  g_clear_pointer (&self->model, trc_model_unref);
  g_clear_pointer (&self->dev, trc_device_unref);
  g_clear_object (&self->reference);
  if (self->dir != NULL)
    trc_test_remove_tree (self->dir);
  g_clear_pointer (&self->dir, g_free);
}

static void
run_into (TrcRun **out, const Sort *self, const TrcRunParams *params)
{
  g_autoptr (GError) error = NULL;

  *out = trc_run_new (self->model, self->dev, params, NULL, &error);
  g_assert_no_error (error);
}

/* --- published intermediates --- */

/* A base64 tensor of the published JSON. */
static float *
partial (JsonObject *root, const char *name, gsize *n)
{
  JsonObject *entry = json_object_get_object_member (root, name);
  gsize bytes;
  float *values =
      (float *)g_base64_decode (json_object_get_string_member (entry, "data"), &bytes);

  *n = bytes / sizeof (float);
  return values;
}

static void
assert_close (const char *what, const float *got, const float *want, gsize n, double limit)
{
  double largest = 0, worst = 0;

  for (gsize i = 0; i < n; i++)
    largest = MAX (largest, fabs (want[i]));
  for (gsize i = 0; i < n; i++)
    worst = MAX (worst, fabs ((double)got[i] - want[i]));
  g_test_message ("%s: worst %.2e of the largest", what, worst / largest);
  g_assert_cmpfloat (worst, <=, limit * largest);
}

static void
test_partials (void)
{
  static const struct {
    const char *name;
    TrcSite site;
    guint layer;
  } rows[] = { { "x", TRC_SITE_EMBED, 0 },           { "ln1", TRC_SITE_NORM1, 0 },
               { "attSm", TRC_SITE_PATTERN, 0 },     { "y", TRC_SITE_Z, 0 },
               { "yProj", TRC_SITE_ATTN_OUT, 0 },    { "attnResid", TRC_SITE_RESID_MID, 0 },
               { "ln2", TRC_SITE_NORM2, 0 },         { "fc", TRC_SITE_MLP_PRE, 0 },
               { "gelu", TRC_SITE_MLP_ACT, 0 },      { "mlp", TRC_SITE_MLP_OUT, 0 },
               { "block0", TRC_SITE_RESID_POST, 0 }, { "block1", TRC_SITE_RESID_POST, 1 },
               { "block1", TRC_SITE_RESID_PRE, 2 },  { "block2", TRC_SITE_RESID_POST, 2 },
               { "ln_f", TRC_SITE_FINAL, 0 },        { "lm_head", TRC_SITE_LOGITS, 0 } };
  g_autoptr (JsonParser) parser = NULL;
  JsonObject *root =
      load_json (&parser, "data/models/gpt-nano-sort/gpt-nano-sort-t0-partials.json");
  g_autoptr (TrcRun) run = NULL;
  g_autofree float *idx = NULL;
  guint32 ids[33];
  Sort sort = { 0 };
  gsize n;

  if (root == NULL || !sort_open (&sort))
    {
      sort_close (&sort);
      return;
    }
  idx = partial (root, "idx", &n);
  g_assert_cmpuint (n, ==, 33);
  for (guint i = 0; i < n; i++)
    ids[i] = (guint32)idx[i];
  run_into (
      &run, &sort,
      &(TrcRunParams){ .ids = ids, .n_prompts = 3, .n_tokens = 11, .keep = TRC_SITES_ALL });
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree float *want = partial (root, rows[i].name, &n);
      const float *got = trc_run_host (run, rows[i].site, rows[i].layer, NULL);

      g_assert_nonnull (got);
      g_assert_cmpuint (n, ==,
                        trc_tensor_n (trc_run_tensor (run, rows[i].site, rows[i].layer)));
      assert_close (rows[i].name, got, want, n, 1e-5);
    }
  g_clear_pointer (&run, trc_run_unref);
  sort_close (&sort);
}

/* --- patching --- */

static guint
read_ids (JsonObject *entry, const char *name, guint32 *ids)
{
  JsonArray *list = json_object_get_array_member (entry, name);

  for (guint i = 0; i < json_array_get_length (list); i++)
    ids[i] = (guint32)json_array_get_int_element (list, i);
  return json_array_get_length (list);
}

static double
metric_of (TrcRun *run, JsonObject *entry)
{
  const float *logits = trc_run_logits (run, 0, -1, NULL);

  return (double)logits[json_object_get_int_member (entry, "target")]
         - logits[json_object_get_int_member (entry, "foil")];
}

/* The reference writes L0H1, L0 and L0P3; the hook is named by @kind. */
static void
hook_of (const char *key, const char *kind, TrcHook *hook)
{
  guint layer = 0, other = 0;
  char letter = 0;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  sscanf (key, "L%u%c%u", &layer, &letter, &other);
  if (letter == 'H')
    text = g_strdup_printf ("L%u.H%u", layer, other);
  else if (letter == 'P')
    text = g_strdup_printf ("L%u.resid_post@%u", layer, other);
  else
    text = g_strdup_printf ("L%u.%s", layer, kind);
  trc_hook_parse (text, hook, &error);
  g_assert_no_error (error);
}

/* Patches every place of one table from @source and compares the metric. */
static double
check_table (const Sort *sort, JsonObject *entry, const char *table, const guint32 *ids,
             guint n_ids, TrcRun *source)
{
  JsonObject *want = json_object_get_object_member (entry, table);
  g_autoptr (GList) keys = json_object_get_members (want);
  double worst = 0, largest = fabs (json_object_get_double_member (entry, "metric_clean"));

  for (GList *l = keys; l != NULL; l = l->next)
    {
      TrcIntervention edit = { .mode = TRC_MODE_PATCH, .source = source, .prompt = -1 };
      g_autoptr (TrcRun) run = NULL;
      double value = json_object_get_double_member (want, l->data);

      hook_of (l->data, "mlp", &edit.hook);
      run_into (&run, sort,
                &(TrcRunParams){ .ids = ids,
                                 .n_prompts = 1,
                                 .n_tokens = n_ids,
                                 .last_only = TRUE,
                                 .interventions = &edit,
                                 .n_interventions = 1 });
      worst = MAX (worst, fabs (metric_of (run, entry) - value));
      if (!is_cpu ())
        break;
    }
  g_test_message ("%s: worst %.2e of %.2f", table, worst, largest);
  g_assert_cmpfloat (worst, <, 1e-3 * largest);
  return worst;
}

static void
test_patching (void)
{
  Sort sort = { 0 };

  if (!sort_open (&sort))
    {
      sort_close (&sort);
      return;
    }
  JsonArray *list = json_object_get_array_member (sort.root, "patching");
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *entry = json_array_get_object_element (list, i);
      g_autoptr (TrcRun) clean = NULL, corrupted = NULL;
      guint32 clean_ids[11], ids[11];
      guint n = read_ids (entry, "clean_ids", clean_ids);

      g_assert_cmpuint (read_ids (entry, "corrupted_ids", ids), ==, n);
      run_into (&clean, &sort,
                &(TrcRunParams){
                    .ids = clean_ids, .n_prompts = 1, .n_tokens = n, .keep = TRC_SITES_ALL });
      run_into (
          &corrupted, &sort,
          &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = n, .last_only = TRUE });
      g_assert_cmpfloat_with_epsilon (metric_of (clean, entry),
                                      json_object_get_double_member (entry, "metric_clean"),
                                      1e-3);
      g_assert_cmpfloat_with_epsilon (metric_of (corrupted, entry),
                                      json_object_get_double_member (entry, "metric_corrupted"),
                                      1e-3);
      check_table (&sort, entry, "denoise_head_z", ids, n, clean);
      check_table (&sort, entry, "denoise_mlp", ids, n, clean);
      check_table (&sort, entry, "denoise_resid_by_position", ids, n, clean);
    }
  sort_close (&sort);
}

/* --- ablation of every head and MLP over all 729 words --- */

#define N_WORDS 729

/* Letters right and words right when the six sorted letters are asked for one after the other,
 * each behind the true ones before it, all words at once, with @edit (may be NULL) in force. */
static void
sort_all (const Sort *sort, const TrcIntervention *edit, double *letters, double *words)
{
  g_autofree guint32 *ids = g_new (guint32, N_WORDS * 12);
  guint8 wrong[N_WORDS] = { 0 };
  guint right = 0, whole = 0;

  for (guint step = 0; step < 6; step++)
    {
      guint n = 6 + step;
      g_autofree guint32 *rows = g_new (guint32, (gsize)N_WORDS * n);
      g_autoptr (TrcRun) run = NULL;

      for (guint w = 0, word; w < N_WORDS; w++)
        for (guint i = 0; i < n; i++)
          {
            word = w;
            for (guint k = 0; k < 5 - MIN (i, 5); k++)
              word /= 3;
            rows[w * n + i] = i < 6 ? word % 3 : ids[w * 12 + i];
          }
      for (guint w = 0; w < N_WORDS; w++)
        memcpy (ids + w * 12, rows + w * n, n * sizeof *ids);
      run_into (&run, sort,
                &(TrcRunParams){ .ids = rows,
                                 .n_prompts = N_WORDS,
                                 .n_tokens = n,
                                 .last_only = TRUE,
                                 .interventions = edit,
                                 .n_interventions = edit != NULL });
      for (guint w = 0; w < N_WORDS; w++)
        {
          const float *row = trc_run_logits (run, w, -1, NULL);
          guint best = 0, count[3] = { 0 }, truth = 0, at = step;

          for (guint j = 1; j < 3; j++)
            best = row[j] > row[best] ? j : best;
          for (guint i = 0; i < 6; i++)
            count[ids[w * 12 + i]]++;
          while (at >= count[truth])
            at -= count[truth++];
          right += best == truth;
          wrong[w] |= best != truth;
          ids[w * 12 + n] = truth;
        }
    }
  for (guint w = 0; w < N_WORDS; w++)
    whole += !wrong[w];
  *letters = right / (6.0 * N_WORDS);
  *words = whole / (double)N_WORDS;
}

static void
test_ablation (void)
{
  Sort sort = { 0 };

  if (!sort_open (&sort))
    {
      sort_close (&sort);
      return;
    }
  JsonObject *table =
      json_object_get_object_member (sort.root, "zero_ablation_accuracy_all_729");
  g_autoptr (GList) keys = json_object_get_members (table);
  for (GList *l = keys; l != NULL; l = l->next)
    {
      const char *key = l->data;
      JsonObject *want = json_object_get_object_member (table, key);
      TrcIntervention edit = { .mode = TRC_MODE_ZERO, .prompt = -1 };
      gboolean none = strcmp (key, "none") == 0;
      double letters, words;

      if (!none)
        hook_of (key, "mlp", &edit.hook);
      sort_all (&sort, none ? NULL : &edit, &letters, &words);
      g_test_message ("%s: letters %.4f, words %.4f", key, letters, words);
      /* Ties to the last bit could fall either way: two words at most. */
      g_assert_cmpfloat_with_epsilon (words, json_object_get_double_member (want, "whole_word"),
                                      2.1 / N_WORDS);
      g_assert_cmpfloat_with_epsilon (
          letters, json_object_get_double_member (want, "per_letter"), 2.1 / (6 * N_WORDS));
      if (!is_cpu ())
        break;
    }
  sort_close (&sort);
}

/* --- random checkpoints in the layouts of Hugging Face --- */

static void
link_file (const char *from, const char *dir, const char *name)
{
  g_autofree char *to = g_build_filename (dir, name, NULL);
  g_autofree char *full = g_canonicalize_filename (from, NULL);

  g_assert_cmpint (symlink (full, to), ==, 0);
}

/* A folder with the fixture's weights and a config. */
static char *
fixture_folder (const char *stem, const char *config_file, const char *config_text)
{
  g_autofree char *rel = g_strdup_printf ("data/models/hf-tiny-fixtures/%s.safetensors", stem);
  g_autofree char *weights = trc_test_shared (rel);
  char *dir;

  if (weights == NULL)
    return NULL;
  dir = trc_test_temp_dir ();
  link_file (weights, dir, "model.safetensors");
  if (config_file != NULL)
    {
      g_autofree char *path =
          g_build_filename ("data/models/hf-tiny-fixtures", config_file, NULL);
      g_autofree char *config = trc_test_shared (path);

      link_file (config, dir, "config.json");
    }
  else
    {
      g_autofree char *path = g_build_filename (dir, "config.json", NULL);

      g_assert_true (g_file_set_contents (path, config_text, -1, NULL));
    }
  return dir;
}

static void
check_fixture (const char *dir, const char *logits_file)
{
  g_autofree char *rel = g_build_filename ("data/models/hf-tiny-fixtures", logits_file, NULL);
  g_autoptr (JsonParser) parser = NULL;
  JsonObject *root = load_json (&parser, rel);
  g_autoptr (TrcDevice) dev = open_device ();
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcModel) model = trc_model_open (dir, &error);
  JsonArray *sequences, *all;

  g_assert_no_error (error);
  if (dev == NULL)
    return;
  sequences = json_object_get_array_member (root, "sequences");
  all = json_object_get_array_member (root, "logits");
  for (guint s = 0; s < json_array_get_length (sequences); s++)
    {
      JsonArray *row = json_array_get_array_element (sequences, s);
      JsonArray *logits = json_array_get_array_element (all, s);
      guint n = json_array_get_length (row), n_vocab = trc_model_config (model)->n_vocab;
      g_autofree guint32 *ids = g_new (guint32, n);
      g_autofree float *want = g_new (float, n *n_vocab);

      for (guint t = 0; t < n; t++)
        {
          JsonArray *at = json_array_get_array_element (logits, t);

          ids[t] = (guint32)json_array_get_int_element (row, t);
          for (guint v = 0; v < n_vocab; v++)
            want[t * n_vocab + v] = (float)json_array_get_double_element (at, v);
        }
      g_autoptr (TrcRun) run =
          trc_run_new (model, dev, &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = n },
                       NULL, &error);
      g_assert_no_error (error);
      assert_close (logits_file, trc_run_host (run, TRC_SITE_LOGITS, 0, NULL), want,
                    n * n_vocab, 1e-4);
      g_autoptr (TrcRun) last = trc_run_new (
          model, dev,
          &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = n, .last_only = TRUE }, NULL,
          &error);
      g_assert_no_error (error);
      assert_close ("last position", trc_run_logits (last, 0, -1, NULL),
                    want + (n - 1) * n_vocab, n_vocab, 1e-4);
    }
}

static void
test_fixture (gconstpointer data)
{
  static const struct {
    const char *stem, *config_file, *config_text, *logits;
  } fixtures[] = {
    { "tiny_gpt2", NULL,
      "{\"model_type\":\"gpt2\",\"n_layer\":2,\"n_head\":2,\"n_embd\":8,\"n_positions\":16,"
      "\"vocab_size\":11}",
      "tiny_gpt2_logits.json" },
    { "tiny_gptneox", "tiny_gptneox_config.json", NULL, "tiny_gptneox_logits.json" },
    { "tiny_gptneox", "tiny_gptneox_seq_config.json", NULL, "tiny_gptneox_seq_logits.json" },
    { "tiny_llama", "tiny_llama_config.json", NULL, "tiny_llama_logits.json" },
    { "tiny_smollm2", "tiny_smollm2_config.json", NULL, "tiny_smollm2_logits.json" },
  };
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *dir =
      fixture_folder (fixtures[i].stem, fixtures[i].config_file, fixtures[i].config_text);

  if (dir == NULL)
    return;
  check_fixture (dir, fixtures[i].logits);
  trc_test_remove_tree (dir);
}

/* Two shards and an index give what the single file gives. */
static void
test_shards (void)
{
  static const char *const files[] = { "tiny_llama-00001-of-00002.safetensors",
                                       "tiny_llama-00002-of-00002.safetensors" };
  g_autofree char *index =
      trc_test_shared ("data/models/hf-tiny-fixtures/tiny_llama.safetensors.index.json");
  g_autofree char *config =
      trc_test_shared ("data/models/hf-tiny-fixtures/tiny_llama_config.json");
  g_autofree char *dir = NULL;

  if (index == NULL || config == NULL)
    return;
  dir = trc_test_temp_dir ();
  link_file (index, dir, "model.safetensors.index.json");
  link_file (config, dir, "config.json");
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *rel = g_build_filename ("data/models/hf-tiny-fixtures", files[i], NULL);
      g_autofree char *path = trc_test_shared (rel);

      link_file (path, dir, files[i]);
    }
  check_fixture (dir, "tiny_llama_logits.json");
  trc_test_remove_tree (dir);
}

static void
test_gguf (void)
{
  g_autofree char *path = trc_test_shared ("data/models/hf-tiny-fixtures/tiny_llama_f32.gguf");

  if (path != NULL)
    check_fixture (path, "tiny_llama_logits.json");
}

/* A packed GGUF against the safetensors it was packed from: as near as eight bits allow. */
static void
test_packed (void)
{
  g_autofree char *path = trc_test_shared ("data/models/hf-tiny-fixtures/tiny_llama_q8.gguf");
  g_autofree char *dir = fixture_folder ("tiny_llama_q8", "tiny_llama_q8_config.json", NULL);
  static const guint32 ids[] = { 1, 5, 2, 7, 0, 3 };
  g_autoptr (TrcDevice) dev = open_device ();
  TrcRun *run[2];

  if (path == NULL || dir == NULL || dev == NULL)
    return;
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcModel) model = trc_model_open (i == 0 ? path : dir, &error);

      g_assert_no_error (error);
      run[i] =
          trc_run_new (model, dev, &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = 6 },
                       NULL, &error);
      g_assert_no_error (error);
    }
  assert_close ("q8_0", trc_run_host (run[0], TRC_SITE_LOGITS, 0, NULL),
                trc_run_host (run[1], TRC_SITE_LOGITS, 0, NULL), 6 * 8, 0.06);
  trc_run_unref (run[0]);
  trc_run_unref (run[1]);
  trc_test_remove_tree (dir);
}

/* --- trained small models --- */

static TrcRun *
run_ids (TrcModel *model, TrcDevice *dev, const guint32 *ids, guint n, guint32 keep,
         const TrcIntervention *edit)
{
  g_autoptr (GError) error = NULL;
  TrcRun *run = trc_run_new (model, dev,
                             &(TrcRunParams){ .ids = ids,
                                              .n_prompts = 1,
                                              .n_tokens = n,
                                              .keep = keep,
                                              .interventions = edit,
                                              .n_interventions = edit != NULL },
                             NULL, &error);

  g_assert_no_error (error);
  return run;
}

static void
check_prompt (TrcModel *model, TrcDevice *dev, JsonObject *entry)
{
  guint32 ids[64];
  guint n = read_ids (entry, "ids", ids), n_vocab = trc_model_config (model)->n_vocab;
  JsonArray *top = json_object_get_array_member (entry, "last_logits_top10");
  JsonArray *sums = json_object_get_array_member (entry, "per_position_logsumexp");
  g_autoptr (TrcRun) run = run_ids (model, dev, ids, n, 0, NULL);
  g_autoptr (GArray) own = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_assert_true (trc_model_tokenize (model, json_object_get_string_member (entry, "prompt"),
                                     own, NULL, NULL));
  g_assert_cmpmem (own->data, own->len * 4, ids, n * 4);
  for (guint i = 0; i < json_array_get_length (top); i++)
    {
      JsonArray *pair = json_array_get_array_element (top, i);

      g_assert_cmpfloat_with_epsilon (
          trc_run_logits (run, 0, -1, NULL)[json_array_get_int_element (pair, 0)],
          json_array_get_double_element (pair, 1), 1e-3);
    }
  for (guint t = 0; t < n; t++)
    {
      const float *row = trc_run_logits (run, 0, (int)t, NULL);
      double sum = 0;

      for (guint v = 0; v < n_vocab; v++)
        sum += exp (row[v] - 20.0);
      g_assert_cmpfloat_with_epsilon (20 + log (sum), json_array_get_double_element (sums, t),
                                      1e-3);
    }
  JsonObject *table = json_object_get_object_member (entry, "zero_ablation_logit_diff");
  g_autoptr (GList) keys = json_object_get_members (table);
  double worst = 0;
  for (GList *l = keys; l != NULL && is_cpu (); l = l->next)
    {
      TrcIntervention edit = { .mode = TRC_MODE_ZERO, .prompt = -1 };

      hook_of (l->data, "mlp", &edit.hook);
      g_autoptr (TrcRun) ablated = run_ids (model, dev, ids, n, 0, &edit);
      worst = MAX (worst, fabs (metric_of (ablated, entry)
                                - json_object_get_double_member (table, l->data)));
    }
  g_test_message ("ablation: worst %.2e", worst);
  g_assert_cmpfloat (worst, <, 1e-3);
}

static void
test_trained (gconstpointer data)
{
  static const struct {
    const char *model, *reference;
  } rows[] = { { "data/models/tinystories-656k",
                 "data/reference/tinystories_656k_reference.json" },
               { "data/models/stories260K", "data/reference/stories260K_reference.json" } };
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *path = trc_test_shared (rows[i].model);
  g_autoptr (JsonParser) parser = NULL;
  JsonObject *root = path != NULL ? load_json (&parser, rows[i].reference) : NULL;
  g_autoptr (GError) error = NULL;
  Sort sort = { .dev = root != NULL ? open_device () : NULL };

  if (sort.dev == NULL)
    return;
  sort.model = trc_model_open (path, &error);
  g_assert_no_error (error);
  JsonArray *prompts = json_object_get_array_member (root, "prompts");
  for (guint k = 0; k < json_array_get_length (prompts); k++)
    check_prompt (sort.model, sort.dev, json_array_get_object_element (prompts, k));
  JsonArray *pairs = json_object_get_array_member (root, "patching");
  for (guint k = 0; k < json_array_get_length (pairs); k++)
    {
      JsonObject *entry = json_array_get_object_element (pairs, k);
      guint32 clean_ids[64], other[64];
      guint n = read_ids (entry, "clean_ids", clean_ids);
      g_autoptr (TrcRun) clean =
          run_ids (sort.model, sort.dev, clean_ids, n, TRC_SITES_ALL, NULL);

      read_ids (entry, "corrupted_ids", other);
      check_table (&sort, entry, "denoise_head_z", other, n, clean);
      check_table (&sort, entry, "denoise_mlp", other, n, clean);
      check_table (&sort, entry, "denoise_resid_by_position", other, n, clean);
    }
  sort_close (&sort);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pass/nano-sort/partials", test_partials);
  g_test_add_func ("/pass/nano-sort/patching", test_patching);
  g_test_add_func ("/pass/nano-sort/ablation", test_ablation);
  g_test_add_data_func ("/pass/fixture/gpt2", GUINT_TO_POINTER (0), test_fixture);
  g_test_add_data_func ("/pass/fixture/gptneox", GUINT_TO_POINTER (1), test_fixture);
  g_test_add_data_func ("/pass/fixture/gptneox-seq", GUINT_TO_POINTER (2), test_fixture);
  g_test_add_data_func ("/pass/fixture/llama", GUINT_TO_POINTER (3), test_fixture);
  g_test_add_data_func ("/pass/fixture/smollm2", GUINT_TO_POINTER (4), test_fixture);
  g_test_add_func ("/pass/fixture/shards", test_shards);
  g_test_add_func ("/pass/fixture/gguf", test_gguf);
  g_test_add_func ("/pass/fixture/packed", test_packed);
  g_test_add_data_func ("/pass/trained/tinystories-656k", GUINT_TO_POINTER (0), test_trained);
  g_test_add_data_func ("/pass/trained/stories260K", GUINT_TO_POINTER (1), test_trained);
  return g_test_run ();
}
