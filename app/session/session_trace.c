/* The part of the session that runs models: guesses, traces, and figures of the result. */
#define G_LOG_DOMAIN "tracery-app"

#include "app/session/session_private.h"

#include <math.h>
#include <string.h>

#include "compute/attribution.h"
#include "compute/graph_file.h"
#include "compute/run.h"

#define N_GUESSES 6

/* ---- model and device: only on the thread of the compute pool ---- */

static TrcModel *
ensure_model (TrcSession *self, const char *name, GError **error)
{
  if (self->device == NULL)
    self->device = trc_device_open (g_getenv ("TRACERY_DEVICE"), error);
  if (self->device == NULL)
    return NULL;
  if (self->model != NULL && g_strcmp0 (self->model_name, name) == 0)
    return self->model;
  g_clear_pointer (&self->model, trc_model_unref);
  g_free (self->model_name);
  self->model_name = g_strdup (name);
  self->model = trc_model_open (name, error);
  return self->model;
}

char **
trc_session_list_models (void)
{
  return trc_model_list_bundled ();
}

const char *const *
trc_session_list_estimators (void)
{
  static const char *names[TRC_N_ESTIMATORS + 1];

  for (guint i = 0; i < TRC_N_ESTIMATORS; i++)
    names[i] = trc_estimator_name ((TrcEstimator)i);
  return names;
}

/* ---- guesses ---- */

typedef struct {
  char *model;
  char *prompt;
} GuessWork;

static void
guess_work_free (gpointer data)
{
  GuessWork *work = data;

  g_free (work->model);
  g_free (work->prompt);
  g_free (work);
}

void
trc_guess_free (TrcGuess *self)
{
  if (self == NULL)
    return;
  g_strfreev (self->tokens);
  g_clear_pointer (&self->top, g_array_unref);
  g_free (self);
}

static void
clear_prediction (gpointer item)
{
  g_free (((TrcPrediction *)item)->label);
}

static guint
largest_not_taken (const float *logits, guint n, const gboolean *taken)
{
  guint best = 0;
  float value = -INFINITY;

  for (guint i = 0; i < n; i++)
    if (!taken[i] && logits[i] > value)
      {
        best = i;
        value = logits[i];
      }
  return best;
}

static void
fill_top (TrcGuess *guess, TrcModel *model, const float *logits, guint n)
{
  g_autofree gboolean *taken = g_new0 (gboolean, n);
  double sum = 0, most = logits[largest_not_taken (logits, n, taken)];

  for (guint i = 0; i < n; i++)
    sum += exp (logits[i] - most);
  for (guint k = 0; k < MIN (N_GUESSES, n); k++)
    {
      guint id = largest_not_taken (logits, n, taken);
      TrcPrediction item = { .node = -1,
                             .label = g_strdup (trc_model_token_text (model, id)),
                             .probability = exp (logits[id] - most) / sum,
                             .is_target = k == 0 };

      taken[id] = TRUE;
      g_array_append_val (guess->top, item);
    }
}

static TrcGuess *
guess_new (TrcModel *model, const GArray *ids)
{
  TrcGuess *guess = g_new0 (TrcGuess, 1);

  guess->n_tokens = ids->len;
  guess->tokens = g_new0 (char *, (gsize)ids->len + 1);
  for (guint i = 0; i < ids->len; i++)
    guess->tokens[i] = g_strdup (trc_model_token_text (model, g_array_index (ids, guint32, i)));
  guess->top = g_array_new (FALSE, FALSE, sizeof (TrcPrediction));
  g_array_set_clear_func (guess->top, clear_prediction);
  return guess;
}

static void
run_guess (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TrcSession *self = source;
  GuessWork *work = data;
  TrcProgress progress = { .cancellable = cancellable };
  GError *error = NULL;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (TrcGuess) guess = NULL;
  g_autoptr (TrcRun) run = NULL;
  const float *logits = NULL;
  TrcModel *model = ensure_model (self, work->model, &error);

  if (model == NULL || !trc_model_tokenize (model, work->prompt, ids, NULL, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  guess = guess_new (model, ids);
  if (ids->len > 0)
    {
      TrcRunParams params = { .ids = (const guint32 *)(gpointer)ids->data,
                              .n_prompts = 1,
                              .n_tokens = ids->len,
                              .last_only = TRUE };

      run = trc_run_new (model, self->device, &params, &progress, &error);
      logits = run != NULL ? trc_run_logits (run, 0, -1, &error) : NULL;
      if (logits == NULL)
        {
          g_task_return_error (task, error);
          return;
        }
      fill_top (guess, model, logits, trc_model_config (model)->n_vocab);
    }
  g_task_return_pointer (task, g_steal_pointer (&guess), (GDestroyNotify)trc_guess_free);
}

void
trc_session_guess_async (TrcSession *self, const char *model, const char *prompt,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  GuessWork *work;
  GTask *task;

  g_return_if_fail (!self->closed);
  task = g_task_new (self, cancellable, callback, data);
  work = g_new0 (GuessWork, 1);
  work->model = g_strdup (model);
  work->prompt = g_strdup (prompt);
  g_task_set_task_data (task, work, guess_work_free);
  trc_session_push (self->compute_pool, task, run_guess);
}

TrcGuess *
trc_session_guess_finish (TrcSession *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* ---- traces ---- */

typedef struct {
  guint request;
  char *model, *prompt, *target, *foil, *estimator;
  TrcJob *job;
} TraceWork;

static void
trace_work_free (gpointer data)
{
  TraceWork *work = data;

  g_free (work->model);
  g_free (work->prompt);
  g_free (work->target);
  g_free (work->foil);
  g_free (work->estimator);
  g_object_unref (work->job);
  g_free (work);
}

/* An empty token field means "not chosen". */
static gboolean
parse_token (TrcModel *model, const char *text, gint32 *id, GError **error)
{
  guint32 found;

  if (text == NULL || text[0] == '\0')
    return TRUE;
  if (!trc_model_parse_token (model, text, &found, error))
    return FALSE;
  *id = (gint32)found;
  return TRUE;
}

static TrcDigest *
trace (TrcSession *self, const TraceWork *work, const TrcProgress *progress, GError **error)
{
  TrcTraceParams params = TRC_TRACE_PARAMS_INIT;
  TrcModel *model = ensure_model (self, work->model, error);
  g_autoptr (TrcGraph) graph = NULL;

  params.prompt = work->prompt;
  if (model == NULL || !parse_token (model, work->target, &params.target, error)
      || !parse_token (model, work->foil, &params.foil, error))
    return NULL;
  if (work->estimator != NULL)
    trc_estimator_from_name (work->estimator, &params.estimator);
  graph = trc_trace (model, self->device, &params, progress, error);
  return graph != NULL ? trc_digest_new (graph, progress, error) : NULL;
}

static void
run_trace (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TraceWork *work = data;
  TrcProgress progress = { cancellable, trc_job_report, work->job };
  GError *error = NULL;
  TrcDigest *digest = trace (source, work, &progress, &error);

  trc_session_return_digest (task, digest, error);
}

static void
on_traced (GObject *source, GAsyncResult *result, gpointer unused)
{
  TrcSession *self = TRC_SESSION (source);
  TraceWork *work = g_task_get_task_data (G_TASK (result));

  trc_session_finish_digest (self, result, work->job, work->request, NULL);
}

TrcJob *
trc_session_trace (TrcSession *self, const TrcTraceRequest *request)
{
  TraceWork *work = g_new0 (TraceWork, 1);
  g_autofree char *title = g_strdup_printf ("Trace “%s”", request->prompt);
  TrcJob *job = trc_session_begin_job (self, title);
  GTask *task = g_task_new (self, trc_job_get_cancellable (job), on_traced, NULL);

  work->request = ++self->request;
  work->model = g_strdup (request->model);
  work->prompt = g_strdup (request->prompt);
  work->target = g_strdup (request->target);
  work->foil = g_strdup (request->foil);
  work->estimator = g_strdup (request->estimator);
  work->job = g_object_ref (job);
  g_task_set_task_data (task, work, trace_work_free);
  trc_session_push (self->compute_pool, task, run_trace);
  return job;
}

/* ---- figures ---- */

typedef struct {
  TrcDigest *digest;
  GVariant *marks;
  TrcScene *scene;
  char *path, *caption, *font;
  TrcExportOptions options;
  TrcJob *job;
} ExportWork;

static void
export_work_free (gpointer data)
{
  ExportWork *work = data;

  trc_digest_unref (work->digest);
  g_variant_unref (work->marks);
  trc_scene_unref (work->scene);
  g_free (work->path);
  g_free (work->caption);
  g_free (work->font);
  g_object_unref (work->job);
  g_free (work);
}

/* Writes the graph with the marks as they were when it was asked for: the digest may not
 * have followed them yet. */
static gboolean
save_graph (const ExportWork *work, GError **error)
{
  g_autoptr (TrcGraph) graph =
      trc_session_marked_graph (trc_digest_graph (work->digest), work->marks, error);

  return graph != NULL && trc_graph_write (graph, work->path, error);
}

static void
run_export (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ExportWork *work = data;
  TrcProgress progress = { cancellable, trc_job_report, work->job };
  GError *error = NULL;
  gboolean ok;

  if (g_str_has_suffix (work->path, ".json"))
    ok = save_graph (work, &error);
  else
    ok = trc_export_scene (work->scene, work->path, &work->options, &progress, &error);
  if (ok)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_exported (GObject *source, GAsyncResult *result, gpointer unused)
{
  TrcSession *self = TRC_SESSION (source);
  ExportWork *work = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = g_filename_display_basename (work->path);
  g_autofree char *said = g_strdup_printf ("Exported %s.", shown);
  gboolean ok = g_task_propagate_boolean (G_TASK (result), &error);

  if (self->closed)
    return;
  trc_session_end_job (self, work->job, error);
  if (ok)
    trc_session_say (self, said, FALSE);
}

TrcJob *
trc_session_export (TrcSession *self, const char *path, const TrcExportOptions *options)
{
  ExportWork *work;
  g_autofree char *shown = g_filename_display_basename (path);
  g_autofree char *title = g_strdup_printf ("Export %s", shown);
  TrcJob *job;
  GTask *task;

  g_return_val_if_fail (self->scene != NULL, NULL);
  job = trc_session_begin_job (self, title);
  task = g_task_new (self, trc_job_get_cancellable (job), on_exported, NULL);
  work = g_new0 (ExportWork, 1);
  work->digest = trc_digest_ref (self->digest);
  work->marks = g_variant_ref (self->marks);
  work->scene = trc_scene_ref (self->scene);
  work->path = g_strdup (path);
  work->caption = g_strdup (options->caption);
  work->font = g_strdup (options->font);
  work->options = *options;
  work->options.caption = work->caption;
  work->options.font = work->font;
  work->job = g_object_ref (job);
  g_task_set_task_data (task, work, export_work_free);
  trc_session_push (self->drawing_pool, task, run_export);
  return job;
}
