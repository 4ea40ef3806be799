/* Writing on: the cache against whole passes, work done, seeds, stops and refusals. */
#include "compute/generate.h"

#include "tests/support/nano_sort.h"
#include "tests/support/shared_data.h"

#include <string.h>

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
} Fixture;

static TrcModel *
open_model (const char *path)
{
  g_autoptr (GError) error = NULL;
  TrcModel *model = trc_model_open (path, &error);

  g_assert_no_error (error);
  return model;
}

static TrcModel *
open_bundled (void)
{
  g_autofree char *path = trc_test_source ("data/models/modadd-113");

  return open_model (path);
}

/* A model of the reference data: a folder, or a weights file with the config beside it. */
static TrcModel *
open_shared (const char *weights, const char *config)
{
  static const char *const names[2] = { "model.safetensors", "config.json" };
  const char *const from[2] = { weights, config };
  g_autofree char *dir = NULL;
  TrcModel *model;

  if (config == NULL)
    {
      g_autofree char *path = trc_test_shared (weights);

      return path != NULL ? open_model (path) : NULL;
    }
  dir = trc_test_temp_dir ();
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *path = trc_test_shared (from[i]);
      g_autofree char *to = g_build_filename (dir, names[i], NULL);
      g_autofree char *data = NULL;
      gsize n;

      if (path == NULL || !g_file_get_contents (path, &data, &n, NULL))
        {
          trc_test_remove_tree (dir);
          return NULL;
        }
      g_assert_true (g_file_set_contents (to, data, (gssize)n, NULL));
    }
  model = open_model (dir);
  trc_test_remove_tree (dir);
  return model;
}

/* The likeliest token after @ids by one whole pass. */
static guint32
whole_pass (TrcModel *model, TrcDevice *dev, const GArray *ids, const TrcIntervention *edits,
            guint n_edits)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcRun) run = trc_run_new (model, dev,
                                        &(TrcRunParams){ .ids = (const guint32 *)ids->data,
                                                         .n_prompts = 1,
                                                         .n_tokens = ids->len,
                                                         .interventions = edits,
                                                         .n_interventions = n_edits },
                                        NULL, &error);
  guint32 best = 0;

  g_assert_no_error (error);
  const float *logits = trc_run_logits (run, 0, -1, NULL);
  for (guint32 i = 1; i < trc_model_config (model)->n_vocab; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static void
check_writes (TrcModel *model, TrcDevice *dev, const GArray *prompt, guint n_new,
              const TrcIntervention *edits, guint n_edits)
{
  g_autoptr (GArray) written = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) text = g_array_copy ((GArray *)prompt);
  g_autoptr (GError) error = NULL;
  TrcGenerateWork work;
  const TrcGenerateParams p = { .ids = (const guint32 *)prompt->data,
                                .n_tokens = prompt->len,
                                .n_new = n_new,
                                .interventions = edits,
                                .n_interventions = n_edits };

  trc_generate (model, dev, &p, written, &work, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < written->len; i++)
    {
      guint32 id = g_array_index (written, guint32, i);

      g_assert_cmpuint (id, ==, whole_pass (model, dev, text, edits, n_edits));
      g_array_append_val (text, id);
    }
  g_assert_cmpuint (work.n_passes, ==, written->len + (work.stop == TRC_STOP_END));
  g_assert_cmpuint (work.n_positions, ==, prompt->len + work.n_passes - 1);
  if (work.stop == TRC_STOP_COUNT)
    g_assert_cmpuint (written->len, ==, n_new);
  else
    g_assert_true (written->len < n_new);
}

/* Plain, with the MLP turned round everywhere, and with some keys of the prompt set too. */
static void
check_model (TrcModel *model, const guint32 *ids, guint n, guint n_new)
{
  static const char *const hooks[] = { "L0.mlp", "L0.H0.k@1-4" };
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (guint32));
  TrcIntervention edits[2] = { { .mode = TRC_MODE_SCALE, .value = -2, .prompt = -1 },
                               { .mode = TRC_MODE_SET, .value = 1, .prompt = -1 } };

  g_array_append_vals (prompt, ids, n);
  check_writes (model, dev, prompt, n_new, NULL, 0);
  g_assert_true (trc_hook_parse (hooks[0], &edits[0].hook, NULL));
  check_writes (model, dev, prompt, n_new, edits, 1);
  g_assert_true (trc_hook_parse (hooks[1], &edits[1].hook, NULL));
  check_writes (model, dev, prompt, n_new, edits, 2);
}

static void
test_cache (gconstpointer data)
{
  static const guint32 ids[] = { 1, 0, 2, 2, 1 };
  const char *const *what = data;
  g_autoptr (TrcModel) model = open_shared (what[0], what[1]);

  if (model != NULL)
    check_model (model, ids, G_N_ELEMENTS (ids), 12);
}

static void
test_nano_sort (void)
{
  static const guint32 ids[] = { 2, 0, 1, 0, 2, 1 };
  g_autofree char *dir = trc_test_nano_sort ();

  if (dir == NULL)
    return;
  g_autoptr (TrcModel) model = open_model (dir);
  check_model (model, ids, G_N_ELEMENTS (ids), 5);
  trc_test_remove_tree (dir);
}

/* --- one story model for the rest --- */

static gboolean
count_down (guint32 id, gpointer data)
{
  return --*(int *)data > 0;
}

static const guint32 start[] = { 1, 20, 30 };

static GArray *
write_story (const Fixture *f, TrcGenerateParams p, TrcGenerateWork *work)
{
  GArray *written = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GError) error = NULL;

  p.ids = start;
  p.n_tokens = G_N_ELEMENTS (start);
  trc_generate (f->model, f->dev, &p, written, work, NULL, &error);
  g_assert_no_error (error);
  return written;
}

static gboolean
same (const GArray *a, const GArray *b)
{
  return a->len == b->len && memcmp (a->data, b->data, a->len * sizeof (guint32)) == 0;
}

/* @position alone, which is written and not in the prompt, counts. */
static void
check_late_edit (const Fixture *f)
{
  TrcIntervention edit = { .mode = TRC_MODE_SET, .value = 30, .prompt = -1 };
  TrcGenerateParams p = { .n_new = 8 };
  TrcGenerateWork work;
  g_autoptr (GArray) plain = write_story (f, p, &work);

  g_assert_true (trc_hook_parse ("L0.resid_pre@5", &edit.hook, NULL));
  p.interventions = &edit;
  p.n_interventions = 1;
  g_autoptr (GArray) changed = write_story (f, p, &work);
  /* Position 5 is read first by the token at 6, the fourth that is written. */
  g_assert_cmpmem (plain->data, 3 * sizeof (guint32), changed->data, 3 * sizeof (guint32));
  g_assert_false (same (plain, changed));
}

static void
check_seeds (const Fixture *f)
{
  TrcGenerateWork work;
  TrcGenerateParams p = { .n_new = 16, .temperature = 1, .seed = 5 };
  g_autoptr (GArray) a = write_story (f, p, &work);
  g_autoptr (GArray) b = write_story (f, p, &work);
  p.seed = 6;
  g_autoptr (GArray) c = write_story (f, p, &work);

  g_assert_true (same (a, b));
  g_assert_false (same (a, c));
}

/* Every token after the first costs the same number of kernels, however long the text is. */
static void
check_work (const Fixture *f)
{
  guint64 cost[3];
  TrcGenerateWork work;

  for (guint i = 0; i < 3; i++)
    {
      guint64 before = trc_device_counters (f->dev).dispatches;
      g_autoptr (GArray) written =
          write_story (f, (TrcGenerateParams){ .n_new = 1 + 6 * i }, &work);

      g_assert_cmpuint (written->len, ==, 1 + 6 * i);
      g_assert_cmpuint (work.n_positions, ==, G_N_ELEMENTS (start) + 6 * i);
      cost[i] = trc_device_counters (f->dev).dispatches - before;
    }
  g_assert_cmpuint (cost[2] - cost[1], ==, cost[1] - cost[0]);
  g_assert_cmpuint (cost[1] - cost[0], <=, 6 * cost[0]);
}

static void
test_story (void)
{
  Fixture f = { .model = open_shared ("data/models/stories260K", NULL) };
  TrcGenerateWork work;
  int left = 4;

  if (f.model == NULL)
    return;
  f.dev = trc_device_open ("cpu", NULL);
  check_late_edit (&f);
  check_seeds (&f);
  check_work (&f);
  g_autoptr (GArray) cut = write_story (
      &f, (TrcGenerateParams){ .n_new = 9, .token = count_down, .data = &left }, &work);
  g_assert_cmpuint (cut->len, ==, 4);
  g_assert_cmpint (work.stop, ==, TRC_STOP_CALLER);
  g_assert_cmpuint (work.n_passes, ==, 4);
  trc_model_unref (f.model);
  trc_device_unref (f.dev);
}

/* The bundled model's context is its prompt: one token, and no place for another. */
static void
test_full (void)
{
  static const guint32 ids[] = { 37, 95, 113 };
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GArray) written = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GError) error = NULL;
  TrcGenerateWork work;
  TrcIntervention edit = { .mode = TRC_MODE_MEAN, .prompt = -1 };
  TrcGenerateParams p = { .ids = ids, .n_tokens = 3, .n_new = 5 };

  g_assert_true (trc_generate (model, dev, &p, written, &work, NULL, &error));
  g_assert_cmpuint (written->len, ==, 1);
  g_assert_cmpuint (g_array_index (written, guint32, 0), ==, 19);
  g_assert_cmpint (work.stop, ==, TRC_STOP_FULL);
  g_assert_true (trc_hook_parse ("L0.mlp@-1", &edit.hook, NULL));
  p.interventions = &edit;
  p.n_interventions = 1;
  g_assert_true (trc_generate (model, dev, &p, written, &work, NULL, &error));
  g_autoptr (GArray) prompt = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_vals (prompt, ids, 3);
  g_assert_cmpuint (g_array_index (written, guint32, 1), ==,
                    whole_pass (model, dev, prompt, &edit, 1));
}

static void
test_refuses (void)
{
  static const guint32 ids[] = { 37, 95, 113, 1 }, wrong[] = { 500 };
  g_autoptr (TrcModel) model = open_bundled ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const TrcProgress progress = { .cancellable = cancellable };
  TrcIntervention edit = { .mode = TRC_MODE_ZERO, .prompt = -1 };
  const struct {
    TrcGenerateParams p;
    const char *says;
  } cases[] = {
    { { .ids = ids, .n_tokens = 0, .n_new = 1 }, "0 tokens" },
    { { .ids = ids, .n_tokens = 4, .n_new = 1 }, "1 to 3" },
    { { .ids = wrong, .n_tokens = 1, .n_new = 1 }, "token 500" },
    { { .ids = ids, .n_tokens = 2, .n_new = 1, .interventions = &edit, .n_interventions = 1 },
      "L3.mlp" }
  };
  g_autoptr (GArray) written = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_assert_true (trc_hook_parse ("L3.mlp", &edit.hook, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (trc_generate (model, dev, &cases[i].p, written, NULL, NULL, &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (cancellable);
  g_assert_false (trc_generate (model, dev,
                                &(TrcGenerateParams){ .ids = ids, .n_tokens = 2, .n_new = 2 },
                                written, NULL, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (written->len, ==, 0);
}

int
main (int argc, char **argv)
{
#define TINY "data/models/hf-tiny-fixtures/"
  static const char *const models[][3] = {
    { "data/models/tinystories-656k", NULL, "tinystories-656k" },
    { "data/models/stories260K", NULL, "stories260K" },
    { TINY "tiny_gptneox.safetensors", TINY "tiny_gptneox_config.json", "neox" },
    { TINY "tiny_gptneox.safetensors", TINY "tiny_gptneox_seq_config.json", "neox-seq" },
    { TINY "tiny_llama.safetensors", TINY "tiny_llama_config.json", "llama" },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (models); i++)
    {
      g_autofree char *name = g_strconcat ("/generate/cache/", models[i][2], NULL);

      g_test_add_data_func (name, models[i], test_cache);
    }
  g_test_add_func ("/generate/cache/nano-sort", test_nano_sort);
  g_test_add_func ("/generate/story", test_story);
  g_test_add_func ("/generate/full", test_full);
  g_test_add_func ("/generate/refuses", test_refuses);
  return g_test_run ();
}
