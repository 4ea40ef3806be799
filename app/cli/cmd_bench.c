/* tracery-cli bench forward: how fast this machine runs a model of a well-known shape. */
#include "app/cli/command.h"
#include "compute/device.h"
#include "compute/ops.h"
#include "compute/random_model.h"
#include "compute/run.h"

#include <sys/resource.h>
#include <time.h>

static const char *const shapes[] = { "gpt2-small", "pythia-70m", "pythia-1.4b", "smollm2-135m",
                                      "llama-7b",   "llama-70b",  NULL };
static const char *const types[] = { "f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", NULL };

static const TrcRecipeField fields[] = {
  { "shape", .kind = TRC_FIELD_ENUM, .initial = "gpt2-small", .choices = shapes,
    .help = "Shape of the model, which gets random weights" },
  { "type", .kind = TRC_FIELD_ENUM, .initial = "f32", .choices = types,
    .help = "Type of its weights" },
  { "tokens", .kind = TRC_FIELD_INT, .initial = "128", .min = 1, .max = 4096,
    .help = "Length of the prompt" },
  { "repeat", .kind = TRC_FIELD_INT, .initial = "5", .min = 1, .max = 1000,
    .help = "Passes; the fastest and the median are shown" },
  { "folder", .kind = TRC_FIELD_FILE, .value = "FOLDER",
    .help = "Where the model file is kept (default: your cache folder)" },
  { "device", .kind = TRC_FIELD_STRING, .initial = "auto", .value = "SPEC",
    .help = "Where to compute: auto, cpu, vulkan or vulkan:PART-OF-NAME" },
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "bench forward",
  .summary = "Measure passes over a prompt with random weights",
  .details =
      "The model file is GGUF, made on first use, so that other programs can run the same "
      "one.\n"
      "Beside the speed stands the share of what matrix products of this program reach in the\n"
      "same run on 1,024 x 1,024 x 1,024 numbers of f32.",
  .fields = fields,
};

typedef struct {
  double wall, cpu; /* of the fastest pass, seconds */
  double median;
} Times;

static double
cpu_seconds (void)
{
  struct timespec t;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

/* Runs @func @repeat times after one that is not counted. */
static gboolean
measure (gboolean (*func) (gpointer data, GError **error), gpointer data, guint repeat,
         Times *times, GError **error)
{
  g_autofree double *walls = g_new (double, repeat);

  *times = (Times){ G_MAXDOUBLE, 0, 0 };
  if (!func (data, error))
    return FALSE;
  for (guint i = 0; i < repeat; i++)
    {
      double cpu = cpu_seconds ();
      gint64 start = g_get_monotonic_time ();
      if (!func (data, error))
        return FALSE;
      walls[i] = (double)(g_get_monotonic_time () - start) * 1e-6;
      if (walls[i] < times->wall)
        {
          times->wall = walls[i];
          times->cpu = cpu_seconds () - cpu;
        }
    }
  qsort (walls, repeat, sizeof *walls, compare_doubles);
  times->median = walls[repeat / 2];
  return TRUE;
}

/* --- a product of matrices --- */

enum { SIDE = 1024 };

typedef struct {
  TrcDevice *dev;
  TrcTensor *a, *b, *c;
} Product;

static gboolean
run_product (gpointer data, GError **error)
{
  Product *p = data;
  const TrcMatmulParams params = { .m = SIDE,
                                   .n = SIDE,
                                   .k = SIDE,
                                   .ld_a = SIDE,
                                   .ld_b = SIDE,
                                   .ld_c = SIDE,
                                   .trans_b = 1,
                                   .alpha = 1,
                                   .n_outer = 1,
                                   .n_inner = 1,
                                   .b_group = 1 };

  return trc_op_matmul (p->a, p->b, NULL, p->c, &params, error)
         && trc_device_sync (p->dev, error);
}

/* GFLOP/s of a large product. */
static gboolean
measure_peak (TrcDevice *dev, guint repeat, double *gflops, GError **error)
{
  TrcShape shape = TRC_SHAPE (SIDE, SIDE);
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, shape, "a", error);
  g_autoptr (TrcTensor) b = a == NULL ? NULL : trc_tensor_zeros (dev, shape, "b", error);
  g_autoptr (TrcTensor) c = b == NULL ? NULL : trc_tensor_zeros (dev, shape, "c", error);
  Product product = { dev, a, b, c };
  Times times;

  if (c == NULL || !measure (run_product, &product, repeat, &times, error))
    return FALSE;
  *gflops = 2e-9 * SIDE * SIDE * SIDE / times.wall;
  return TRUE;
}

/* --- passes --- */

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  guint32 *ids;
  guint n_tokens;
  const TrcProgress *progress;
} Pass;

static gboolean
run_pass (gpointer data, GError **error)
{
  Pass *p = data;
  const TrcRunParams params = {
    .ids = p->ids, .n_prompts = 1, .n_tokens = p->n_tokens, .last_only = TRUE
  };
  g_autoptr (TrcRun) run = trc_run_new (p->model, p->dev, &params, p->progress, error);

  return run != NULL && trc_run_logits (run, 0, -1, error) != NULL;
}

/* Multiply-adds of a pass: every matrix once a token, the unembedding once, attention. */
static double
pass_flops (const TrcModel *model, guint n_tokens)
{
  const TrcModelConfig *c = trc_model_config (model);
  double kv = (double)c->n_kv_heads * c->d_head, q = (double)c->n_heads * c->d_head;
  double layer = c->d_model * (2 * q + 2 * kv) + (c->gated ? 3.0 : 2.0) * c->d_model * c->d_mlp;
  double attention = q * n_tokens; /* half of it for the pattern, half for the mix, causal */

  return 2 * (n_tokens * c->n_layers * (layer + attention) + (double)c->d_model * c->n_vocab);
}

static char *
model_path (const TrcRecipeValues *values, const char *shape, const char *type)
{
  const char *folder = trc_recipe_values_string (values, "folder");
  g_autofree char *cache = g_build_filename (g_get_user_cache_dir (), "tracery", NULL);
  g_autofree char *name = g_strdup_printf ("random-%s-%s.gguf", shape, type);

  if (folder == NULL)
    g_mkdir_with_parents (cache, 0700);
  return g_build_filename (folder != NULL ? folder : cache, name, NULL);
}

static void
print_json (const char *shape, const char *type, const Pass *pass, const Times *times,
            double gflops, double peak)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  json_builder_begin_object (json);
  json_builder_set_member_name (json, "shape");
  json_builder_add_string_value (json, shape);
  json_builder_set_member_name (json, "type");
  json_builder_add_string_value (json, type);
  trc_cli_add_count (json, "tokens", pass->n_tokens);
  trc_cli_add_number (json, "tokens_per_second", pass->n_tokens / times->wall);
  trc_cli_add_number (json, "wall_seconds", times->wall);
  trc_cli_add_number (json, "median_seconds", times->median);
  trc_cli_add_number (json, "cpu_seconds", times->cpu);
  trc_cli_add_number (json, "gflops", gflops);
  trc_cli_add_number (json, "share_of_peak", gflops / peak);
  trc_cli_add_count (json, "peak_resident_bytes", (guint64)usage.ru_maxrss * 1024);
  json_builder_end_object (json);

  g_autoptr (JsonNode) root = json_builder_get_root (json);
  trc_cli_print_json (root);
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  const char *shape = trc_recipe_values_string (values, "shape");
  const char *type = trc_recipe_values_string (values, "type");
  guint repeat = (guint)trc_recipe_values_int (values, "repeat");
  g_autofree char *path = model_path (values, shape, type);
  Pass pass = { .n_tokens = (guint)trc_recipe_values_int (values, "tokens"),
                .progress = &cli->progress };
  double peak, gflops;
  Times times;

  g_autoptr (TrcDevice) dev =
      trc_device_open (trc_recipe_values_string (values, "device"), error);
  if (dev == NULL
      || (!g_file_test (path, G_FILE_TEST_EXISTS)
          && !trc_random_model_write (shape, type, path, &cli->progress, error)))
    return FALSE;
  g_autoptr (TrcModel) model = trc_model_open (path, error);
  if (model == NULL || !measure_peak (dev, repeat, &peak, error))
    return FALSE;
  g_autofree guint32 *ids = g_new (guint32, pass.n_tokens);
  for (guint i = 0; i < pass.n_tokens; i++)
    ids[i] = (i * 7 + 3) % MIN (5000, trc_model_config (model)->n_vocab);
  pass.model = model;
  pass.dev = dev;
  pass.ids = ids;
  if (!measure (run_pass, &pass, repeat, &times, error))
    return FALSE;
  gflops = 1e-9 * pass_flops (model, pass.n_tokens) / times.wall;
  if (cli->json)
    print_json (shape, type, &pass, &times, gflops, peak);
  else
    trc_cli_print ("%s %s on %s, %u tokens: %.1f tokens/s (wall %.3f s, median %.3f s, "
                   "processor %.3f s), %.0f GFLOP/s, %.0f %% of the %.0f of a large product\n",
                   shape, type, trc_device_name (dev), pass.n_tokens,
                   pass.n_tokens / times.wall, times.wall, times.median, times.cpu, gflops,
                   100 * gflops / peak, peak);
  return TRUE;
}

const TrcCommand trc_cmd_bench = { &recipe, run };
