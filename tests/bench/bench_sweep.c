/* The rows of 1,000 targets over 16 tokens in a model of the shape of GPT-2 small, with random
 * weights: the share of the matrix peak that the sweep reaches, weights read, and what the same rows
 * would cost as one backward pass each or as a sweep for every 256 targets.
 *
 *   bench_sweep [MODEL [TARGETS]]
 */
#include "tests/bench/bench.h"

#include "compute/attribution.h"
#include "compute/random_model.h"

#include <cblas.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS = 16, SQUARE = 1536 };

typedef struct {
  gint64 first, last; /* between the first row and the pruning, microseconds */
} Clock;

static void
on_progress (double fraction, const char *text, gpointer data)
{
  Clock *clock = data;
  if (g_str_has_prefix (text, "rows") && clock->first == 0)
    clock->first = g_get_monotonic_time ();
  if (g_str_has_prefix (text, "influence"))
    clock->last = g_get_monotonic_time ();
}

/* The best of fifteen products of large squares, in floating-point operations a second. */
static double
peak (void)
{
  gsize n = (gsize)SQUARE * SQUARE;
  g_autofree float *a = g_new (float, n), *b = g_new (float, n), *c = g_new (float, n);
  gint64 best = G_MAXINT64;

  for (gsize i = 0; i < n; i++)
    a[i] = b[i] = (float)(i % 17) - 8;
  for (guint k = 0; k < 15; k++)
    {
      gint64 start = g_get_monotonic_time ();
      cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, SQUARE, SQUARE, SQUARE, 1, a,
                   SQUARE, b, SQUARE, 0, c, SQUARE);
      best = MIN (best, g_get_monotonic_time () - start);
    }
  return 2.0 * n * SQUARE / (best * 1e-6);
}

static double
sweep (TrcModel *model, TrcDevice *device, TrcHeadForm form, guint targets, gsize budget,
       TrcTraceReport *report)
{
  gint32 ids[TOKENS];
  TrcTraceParams p = TRC_TRACE_PARAMS_INIT;
  Clock clock = { 0, 0 };
  const TrcProgress progress = { .report = on_progress, .data = &clock };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < TOKENS; i++)
    ids[i] = 100 + 7 * i;
  p.ids = ids;
  p.n_ids = TOKENS;
  p.target = 20;
  p.estimator = TRC_ESTIMATOR_RELP;
  p.heads = form;
  p.n_targets = targets;
  p.trust_sample = 0;
  p.memory_budget = budget;
  g_autoptr (TrcGraph) graph = trc_trace_report (model, device, &p, report, &progress, &error);
  if (graph == NULL)
    g_error ("%s", error->message);
  return (clock.last - clock.first) * 1e-6;
}

static void
measure (TrcModel *model, TrcDevice *device, TrcHeadForm form, guint targets, double top)
{
  const TrcModelConfig *c = trc_model_config (model);
  gboolean transparent = form == TRC_HEADS_TRANSPARENT;
  TrcTraceReport r;
  gsize row = (gsize)c->d_model * sizeof (float) * (transparent ? TOKENS : 1)
              + TOKENS * sizeof (double);

  sweep (model, device, form, targets, (gsize)1 << 30, &r);
  double seconds = sweep (model, device, form, targets, (gsize)1 << 30, &r);
  g_print ("sweep, heads %s, %u targets\n", transparent ? "transparent" : "as nodes", targets);
  trc_bench_figure ("seconds", seconds, "s");
  trc_bench_figure ("sweeps", r.sweeps, "");
  trc_bench_figure ("weights read", r.bytes_read / 1e6, "MB");
  trc_bench_figure ("share of the matrix peak", r.operations / seconds / top, "");
  double batched = sweep (model, device, form, targets, 2 * 256 * row, &r);
  trc_bench_figure ("a sweep for every 256 targets", batched, "s");
  trc_bench_figure ("weights read then", r.bytes_read / 1e6, "MB");
}

int
main (int argc, char **argv)
{
  g_autofree char *made = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) device = trc_device_open ("cpu", &error);

  if (argc <= 1)
    {
      made = g_build_filename (g_get_tmp_dir (), "tracery-bench-gpt2-small.gguf", NULL);
      if (!trc_random_model_write ("gpt2-small", "f32", made, NULL, &error))
        g_error ("%s", error->message);
    }
  g_autoptr (TrcModel) model = trc_model_open (argc > 1 ? argv[1] : made, &error);
  if (model == NULL || device == NULL)
    g_error ("%s", error->message);
  guint targets = argc > 2 ? (guint)atoi (argv[2]) : 1000;
  double top = peak ();
  trc_bench_figure ("matrix peak", top * 1e-9, "GFLOP/s");
  measure (model, device, TRC_HEADS_NODES, targets, top);
  measure (model, device, TRC_HEADS_TRANSPARENT, targets, top);
  if (made != NULL)
    g_unlink (made);
  return 0;
}
