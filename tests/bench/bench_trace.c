/* A trace of the bundled model, or of the model folder named by the first argument, by each rule
 * and on each device named by the rest ("cpu" without any). */
#include "tests/bench/bench.h"

#include "compute/attribution.h"

typedef struct {
  TrcModel *model;
  TrcDevice *device;
  TrcTraceParams params;
  TrcTraceReport report;
} Job;

static void
trace (gpointer data)
{
  Job *job = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph =
      trc_trace_report (job->model, job->device, &job->params, &job->report, NULL, &error);
  if (graph == NULL)
    g_error ("%s", error->message);
}

static void
measure (TrcModel *model, const char *spec, const char *prompt)
{
  static const TrcEstimator estimators[] = { TRC_ESTIMATOR_RELP, TRC_ESTIMATOR_EAP,
                                             TRC_ESTIMATOR_EXACT, TRC_ESTIMATOR_AUTO };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDevice) device = trc_device_open (spec, &error);

  if (device == NULL)
    {
      g_print ("%s: %s\n", spec, error->message);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (estimators); i++)
    {
      g_autofree char *name =
          g_strdup_printf ("trace %s, %s", trc_estimator_name (estimators[i]), spec);
      Job job = { model, device, TRC_TRACE_PARAMS_INIT, { 0 } };
      job.params.prompt = prompt;
      job.params.estimator = estimators[i];
      if (estimators[i] != TRC_ESTIMATOR_AUTO)
        job.params.trust_sample = 0;
      trc_bench (name, 5, trace, &job);
      trc_bench_figure ("weights read", job.report.bytes_read / 1e6, "MB");
      trc_bench_figure ("links before pruning", job.report.n_links_before, "");
    }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcModel) model = trc_model_open (argc > 1 ? argv[1] : "modadd-113", &error);

  if (model == NULL)
    {
      g_print ("no trace measured: %s\n", error->message);
      return 77;
    }
  for (int i = 2; i < argc; i++)
    measure (model, argv[i], "37 + 95 =");
  if (argc <= 2)
    measure (model, "cpu", "37 + 95 =");
  return 0;
}
