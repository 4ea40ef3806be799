#define G_LOG_DOMAIN "tracery-app"

#include "app/session.h"

#include <string.h>

#include "app/outline.h"
#include "app/session/session_private.h"
#include "compute/graph_file.h"
#include "compute/progress.h"

#define SMALL_GRAPH 120 /* nodes: shown whole at first */
#define HUGE_GRAPH 3000 /* nodes: begin with the strongest part */

enum {
  GRAPH_CHANGED,
  SCENE_CHANGED,
  VIEW_CHANGED,
  SELECTION_CHANGED,
  MARKS_CHANGED,
  BUSY_CHANGED,
  MESSAGE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (TrcSession, trc_session, G_TYPE_OBJECT)

/* ---- workers ---- */

typedef struct {
  GTask *task;
  GTaskThreadFunc func;
} Work;

static void
run_work (gpointer data, gpointer pool_data)
{
  Work *work = data;

  if (!g_task_return_error_if_cancelled (work->task))
    work->func (work->task, g_task_get_source_object (work->task),
                g_task_get_task_data (work->task), g_task_get_cancellable (work->task));
  g_object_unref (work->task);
  g_free (work);
}

void
trc_session_push (GThreadPool *pool, GTask *task, GTaskThreadFunc func)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ task, func };
  g_thread_pool_push (pool, work, NULL);
}

void
trc_session_say (TrcSession *self, const char *sentence, gboolean is_error)
{
  g_signal_emit (self, signals[MESSAGE], 0, sentence, is_error);
}

TrcJob *
trc_session_begin_job (TrcSession *self, const char *title)
{
  g_autoptr (TrcJob) job = trc_job_new (title);

  g_list_store_insert (self->jobs, 0, job);
  g_signal_emit (self, signals[BUSY_CHANGED], 0);
  return job; /* the list holds it */
}

void
trc_session_end_job (TrcSession *self, TrcJob *job, const GError *error)
{
  guint at;

  g_object_ref (job);
  trc_job_finish (job, error);
  if (g_list_store_find (self->jobs, job, &at))
    g_list_store_remove (self->jobs, at);
  if (trc_job_get_error (job) != NULL)
    trc_session_say (self, trc_job_get_error (job), TRUE);
  else if (trc_job_get_state (job) == TRC_JOB_CANCELLED)
    {
      g_autofree char *said = g_strdup_printf ("Cancelled: %s.", trc_job_get_title (job));

      trc_session_say (self, said, FALSE);
    }
  g_signal_emit (self, signals[BUSY_CHANGED], 0);
  g_object_unref (job);
}

/* ---- the view and its history ---- */

static GVariant *
view_state (TrcSession *self)
{
  return g_variant_new ("(ddiib@au@(aua(us)ad))", self->view.node_share, self->view.edge_share,
                        (gint32)self->view.layout, (gint32)self->view.groups,
                        self->view.hide_errors,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, self->opened->data,
                                                   self->opened->len, sizeof (guint32)),
                        self->marks);
}

static void
take_opened (TrcSession *self, GVariant *array)
{
  gsize n;
  const guint32 *groups = g_variant_get_fixed_array (array, &n, sizeof (guint32));

  g_array_set_size (self->opened, 0);
  g_array_append_vals (self->opened, groups, (guint)n);
  self->view.opened = (const guint32 *)(gpointer)self->opened->data;
  self->view.n_opened = self->opened->len;
}

static void
apply_state (TrcSession *self, GVariant *state)
{
  gint32 layout, groups;
  g_autoptr (GVariant) opened = NULL;

  g_clear_pointer (&self->marks, g_variant_unref);
  g_variant_get (state, "(ddiib@au@(aua(us)ad))", &self->view.node_share,
                 &self->view.edge_share, &layout, &groups, &self->view.hide_errors, &opened,
                 &self->marks);
  self->view.layout = (TrcViewLayout)layout;
  self->view.groups = (TrcViewGroups)groups;
  take_opened (self, opened);
}

static void want_scene (TrcSession *self);

static void
view_was_changed (TrcSession *self, const char *name)
{
  if (!trc_history_push (self->history, name, view_state (self), g_get_monotonic_time ()))
    return;
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
  want_scene (self);
}

void
trc_session_marks_changed (TrcSession *self, const char *step)
{
  if (!trc_history_push (self->history, step, view_state (self), -1))
    return;
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
  want_scene (self);
}

/* A first view that can be read: small graphs whole, huge ones by their strongest part. */
static void
reset_view (TrcSession *self)
{
  guint n_nodes;
  guint64 n_links;

  trc_view_init (&self->view);
  g_array_set_size (self->opened, 0);
  g_variant_unref (self->marks);
  g_variant_unref (self->digest_marks);
  self->marks = g_variant_ref_sink (trc_session_marks_of (trc_digest_graph (self->digest)));
  self->digest_marks = g_variant_ref (self->marks);
  trc_digest_size (self->digest, &n_nodes, &n_links);
  if (n_nodes <= SMALL_GRAPH)
    self->view.node_share = 1;
  else if (n_nodes > HUGE_GRAPH)
    self->view.node_share = 0.6;
  g_clear_pointer (&self->history, trc_history_free);
  self->history = trc_history_new (view_state (self));
}

const TrcView *
trc_session_get_view (TrcSession *self)
{
  return &self->view;
}

void
trc_session_set_node_share (TrcSession *self, double share)
{
  self->view.node_share = CLAMP (share, 0, 1);
  view_was_changed (self, "node share");
}

void
trc_session_set_edge_share (TrcSession *self, double share)
{
  self->view.edge_share = CLAMP (share, 0, 1);
  view_was_changed (self, "link share");
}

void
trc_session_set_layout (TrcSession *self, TrcViewLayout layout)
{
  self->view.layout = layout;
  view_was_changed (self, "layout");
}

void
trc_session_set_groups (TrcSession *self, TrcViewGroups groups)
{
  self->view.groups = groups;
  view_was_changed (self, "blocks");
}

void
trc_session_set_hide_errors (TrcSession *self, gboolean hide)
{
  self->view.hide_errors = hide;
  view_was_changed (self, "unexplained nodes");
}

static gint
find_opened (TrcSession *self, guint32 group)
{
  for (guint i = 0; i < self->opened->len; i++)
    if (g_array_index (self->opened, guint32, i) == group)
      return (gint)i;
  return -1;
}

gboolean
trc_session_is_opened (TrcSession *self, guint32 group)
{
  return find_opened (self, group) >= 0;
}

void
trc_session_toggle_group (TrcSession *self, guint32 group)
{
  gint at = find_opened (self, group);

  if (at >= 0)
    g_array_remove_index (self->opened, (guint)at);
  else
    g_array_append_val (self->opened, group);
  self->view.opened = (const guint32 *)(gpointer)self->opened->data;
  self->view.n_opened = self->opened->len;
  view_was_changed (self, at >= 0 ? "closing a block" : "opening a block");
}

const char *
trc_session_can_undo (TrcSession *self)
{
  return trc_history_undo_name (self->history);
}

const char *
trc_session_can_redo (TrcSession *self)
{
  return trc_history_redo_name (self->history);
}

static void
go_to_state (TrcSession *self, GVariant *state)
{
  if (state == NULL)
    return;
  apply_state (self, state);
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
  want_scene (self);
}

void
trc_session_undo (TrcSession *self)
{
  go_to_state (self, trc_history_undo (self->history));
}

void
trc_session_redo (TrcSession *self)
{
  go_to_state (self, trc_history_redo (self->history));
}

/* ---- the scene ---- */

typedef struct {
  guint document;
  TrcDigest *digest;
  TrcView view;
  guint32 *opened;
  GVariant *marks; /* NULL: the digest has them already */
  TrcScene *scene; /* result */
  TrcPresentInfo info;
  GListModel *outline;
} SceneWork;

static void
scene_work_free (gpointer data)
{
  SceneWork *work = data;

  trc_digest_unref (work->digest);
  trc_scene_unref (work->scene);
  trc_present_info_clear (&work->info);
  g_clear_object (&work->outline);
  g_clear_pointer (&work->marks, g_variant_unref);
  g_free (work->opened);
  g_free (work);
}

/* Puts the digest of the same graph with the wanted marks in place of the old one. */
static gboolean
mark_digest (SceneWork *work, const TrcProgress *progress, GError **error)
{
  g_autoptr (TrcGraph) graph = NULL;
  TrcDigest *digest;

  if (work->marks == NULL)
    return TRUE;
  graph = trc_session_marked_graph (trc_digest_graph (work->digest), work->marks, error);
  digest = graph != NULL ? trc_digest_new (graph, progress, error) : NULL;
  if (digest == NULL)
    return FALSE;
  trc_digest_unref (work->digest);
  work->digest = digest;
  return TRUE;
}

static void
build_scene (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  SceneWork *work = data;
  TrcProgress progress = { .cancellable = cancellable };
  GError *error = NULL;

  if (mark_digest (work, &progress, &error))
    work->scene =
        trc_present_scene (trc_digest_graph (work->digest), trc_digest_pruner (work->digest),
                           &work->view, &work->info, &progress, &error);
  if (work->scene == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  work->outline = trc_outline_new (work->digest, work->scene);
  g_task_return_boolean (task, TRUE);
}

static void
take_marked (TrcSession *self, SceneWork *work)
{
  trc_digest_unref (self->digest);
  self->digest = trc_digest_ref (work->digest);
  g_variant_unref (self->digest_marks);
  self->digest_marks = g_variant_ref (work->marks);
  g_signal_emit (self, signals[MARKS_CHANGED], 0);
}

static void
take_scene (TrcSession *self, SceneWork *work)
{
  g_autoptr (TrcScene) old = g_steal_pointer (&self->scene);
  gboolean told = self->info.message != NULL;

  self->scene = g_steal_pointer (&work->scene);
  trc_present_info_clear (&self->info);
  self->info = work->info;
  work->info = (TrcPresentInfo){ 0 };
  g_set_object (&self->outline, work->outline);
  self->n_scenes++;
  if (work->marks != NULL)
    take_marked (self, work);
  g_signal_emit (self, signals[SCENE_CHANGED], 0);
  if (self->info.message != NULL && !told)
    trc_session_say (self, self->info.message, FALSE);
}

static void
on_scene (GObject *source, GAsyncResult *result, gpointer unused)
{
  TrcSession *self = TRC_SESSION (source);
  SceneWork *work = g_task_get_task_data (G_TASK (result));
  g_autoptr (GError) error = NULL;
  gboolean ok = g_task_propagate_boolean (G_TASK (result), &error);

  self->scene_running = FALSE;
  if (self->closed)
    return;
  if (ok && work->document == self->document)
    take_scene (self, work);
  else if (!ok && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    trc_session_say (self, error->message, TRUE);
  if (self->scene_wanted)
    want_scene (self);
}

/* At most one scene is being built; what changes meanwhile is built next. */
static void
want_scene (TrcSession *self)
{
  SceneWork *work;
  GTask *task;

  self->scene_wanted = self->scene_running;
  if (self->scene_running || self->digest == NULL || self->closed)
    return;
  self->scene_running = TRUE;
  work = g_new0 (SceneWork, 1);
  work->document = self->document;
  work->digest = trc_digest_ref (self->digest);
  if (!g_variant_equal (self->marks, self->digest_marks))
    work->marks = g_variant_ref (self->marks);
  work->view = self->view;
  work->opened = g_memdup2 (self->opened->data, self->opened->len * sizeof (guint32));
  work->view.opened = work->opened;
  g_clear_object (&self->scene_cancellable);
  self->scene_cancellable = g_cancellable_new ();
  task = g_task_new (self, self->scene_cancellable, on_scene, NULL);
  g_task_set_task_data (task, work, scene_work_free);
  trc_session_push (self->drawing_pool, task, build_scene);
}

TrcScene *
trc_session_get_scene (TrcSession *self)
{
  return self->scene;
}

const TrcPresentInfo *
trc_session_get_info (TrcSession *self)
{
  return &self->info;
}

GListModel *
trc_session_get_outline (TrcSession *self)
{
  return self->outline;
}

guint
trc_session_get_n_scenes (TrcSession *self)
{
  return self->n_scenes;
}

/* ---- the document ---- */

/* The prompt without the mark that some models put in front ("<bos>"), in one line. */
static char *
readable_prompt (const char *prompt)
{
  const char *end = prompt[0] == '<' ? strchr (prompt, '>') : NULL;
  const char *start = end != NULL ? end + 1 : prompt;
  g_autofree char *line = g_strdup (start);

  g_strdelimit (line, "\n\r\t", ' ');
  return g_strdup (g_strstrip (line));
}

static void
make_words (TrcSession *self)
{
  guint n_nodes;
  guint64 n_links;
  const char *model = trc_digest_model (self->digest);
  g_autofree char *nodes = NULL;
  g_autofree char *links = NULL;

  g_free (self->title);
  self->title = readable_prompt (trc_digest_prompt (self->digest));
  if (self->title[0] == '\0')
    {
      const char *slug = trc_graph_text (trc_digest_graph (self->digest), "slug");

      g_free (self->title);
      self->title = slug != NULL         ? g_strdup (slug)
                    : self->path != NULL ? g_path_get_basename (self->path)
                                         : g_strdup ("Graph");
    }
  trc_digest_size (self->digest, &n_nodes, &n_links);
  nodes = trc_count_text (n_nodes);
  links = trc_count_text (n_links);
  g_free (self->subtitle);
  self->subtitle = model[0] != '\0'
                       ? g_strdup_printf ("%s · %s nodes, %s links", model, nodes, links)
                       : g_strdup_printf ("%s nodes, %s links", nodes, links);
}

void
trc_session_take_digest (TrcSession *self, TrcDigest *digest, const char *path)
{
  self->document++;
  if (self->scene_cancellable != NULL)
    g_cancellable_cancel (self->scene_cancellable);
  trc_digest_ref (digest);
  trc_digest_unref (self->digest);
  self->digest = digest;
  g_free (self->path);
  self->path = g_strdup (path);
  make_words (self);
  reset_view (self);
  g_array_set_size (self->selection, 0);
  g_signal_emit (self, signals[GRAPH_CHANGED], 0);
  g_signal_emit (self, signals[SELECTION_CHANGED], 0);
  g_signal_emit (self, signals[VIEW_CHANGED], 0);
  want_scene (self);
}

void
trc_session_return_digest (GTask *task, TrcDigest *digest, GError *error)
{
  if (digest != NULL)
    g_task_return_pointer (task, digest, (GDestroyNotify)trc_digest_unref);
  else
    g_task_return_error (task, error);
}

void
trc_session_finish_digest (TrcSession *self, GAsyncResult *result, TrcJob *job, guint request,
                           const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcDigest) digest = g_task_propagate_pointer (G_TASK (result), &error);

  if (self->closed)
    return;
  trc_session_end_job (self, job, error);
  if (digest != NULL && request == self->request)
    trc_session_take_digest (self, digest, path);
}

typedef struct {
  guint request;
  char *path;
  TrcJob *job;
} OpenWork;

static void
open_work_free (gpointer data)
{
  OpenWork *work = data;

  g_free (work->path);
  g_object_unref (work->job);
  g_free (work);
}

static void
read_graph (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  OpenWork *work = data;
  TrcProgress progress = { cancellable, trc_job_report, work->job };
  GError *error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_read (work->path, &progress, &error);
  TrcDigest *digest = graph != NULL ? trc_digest_new (graph, &progress, &error) : NULL;

  trc_session_return_digest (task, digest, error);
}

static void
on_graph_read (GObject *source, GAsyncResult *result, gpointer unused)
{
  TrcSession *self = TRC_SESSION (source);
  OpenWork *work = g_task_get_task_data (G_TASK (result));

  trc_session_finish_digest (self, result, work->job, work->request, work->path);
}

TrcJob *
trc_session_open (TrcSession *self, const char *path)
{
  OpenWork *work = g_new0 (OpenWork, 1);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *shown = g_filename_display_name (name);
  g_autofree char *title = g_strdup_printf ("Open %s", shown);
  TrcJob *job = trc_session_begin_job (self, title);
  GTask *task = g_task_new (self, trc_job_get_cancellable (job), on_graph_read, NULL);

  work->request = ++self->request;
  work->path = g_strdup (path);
  work->job = g_object_ref (job);
  g_task_set_task_data (task, work, open_work_free);
  trc_session_push (self->drawing_pool, task, read_graph);
  return job;
}

char *
trc_session_example_path (void)
{
  const char *data = g_getenv ("TRACERY_DATA");
  const char *folders[] = { data, TRC_SOURCE_DATA_DIR, TRC_DATA_DIR };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    if (folders[i] != NULL)
      {
        char *path = g_build_filename (folders[i], "examples", "modadd-113.json", NULL);

        if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
          return path;
        g_free (path);
      }
  return NULL;
}

TrcDigest *
trc_session_get_digest (TrcSession *self)
{
  return self->digest;
}

const char *
trc_session_get_title (TrcSession *self)
{
  return self->title;
}

const char *
trc_session_get_subtitle (TrcSession *self)
{
  return self->subtitle;
}

const char *
trc_session_get_path (TrcSession *self)
{
  return self->path;
}

/* ---- selection ---- */

static gboolean
is_selection (TrcSession *self, const TrcRef *refs, guint n)
{
  if (n != self->selection->len)
    return FALSE;
  for (guint i = 0; i < n; i++)
    {
      TrcRef old = g_array_index (self->selection, TrcRef, i);

      if (old.kind != refs[i].kind || old.id != refs[i].id)
        return FALSE;
    }
  return TRUE;
}

void
trc_session_select (TrcSession *self, const TrcRef *refs, guint n)
{
  if (is_selection (self, refs, n))
    return;
  g_array_set_size (self->selection, 0);
  if (n > 0)
    g_array_append_vals (self->selection, refs, n);
  g_signal_emit (self, signals[SELECTION_CHANGED], 0);
}

const TrcRef *
trc_session_get_selection (TrcSession *self, guint *n)
{
  *n = self->selection->len;
  return (const TrcRef *)(gpointer)self->selection->data;
}

TrcFacts *
trc_session_dup_facts (TrcSession *self, guint n_links)
{
  if (self->digest == NULL || self->selection->len == 0)
    return NULL;
  return trc_digest_facts (self->digest, g_array_index (self->selection, TrcRef, 0),
                           self->view.groups != TRC_GROUPS_FLAT, n_links);
}

/* ---- jobs ---- */

GListModel *
trc_session_get_jobs (TrcSession *self)
{
  return G_LIST_MODEL (self->jobs);
}

gboolean
trc_session_get_busy (TrcSession *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->jobs)) > 0;
}

void
trc_session_cancel_all (TrcSession *self)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->jobs)); i++)
    {
      g_autoptr (TrcJob) job = g_list_model_get_item (G_LIST_MODEL (self->jobs), i);

      trc_job_cancel (job);
    }
}

/* ---- life ---- */

void
trc_session_close (TrcSession *self)
{
  if (self->closed)
    return;
  self->closed = TRUE;
  trc_session_cancel_all (self);
  g_cancellable_cancel (self->closing);
  if (self->scene_cancellable != NULL)
    g_cancellable_cancel (self->scene_cancellable);
  g_thread_pool_free (g_steal_pointer (&self->compute_pool), FALSE, TRUE);
  g_thread_pool_free (g_steal_pointer (&self->drawing_pool), FALSE, TRUE);
  g_clear_pointer (&self->model, trc_model_unref);
  g_clear_pointer (&self->device, trc_device_unref);
}

static void
trc_session_dispose (GObject *object)
{
  trc_session_close (TRC_SESSION (object));
  G_OBJECT_CLASS (trc_session_parent_class)->dispose (object);
}

static void
trc_session_finalize (GObject *object)
{
  TrcSession *self = TRC_SESSION (object);

  g_clear_object (&self->jobs);
  g_clear_object (&self->closing);
  g_clear_object (&self->scene_cancellable);
  g_clear_object (&self->outline);
  trc_digest_unref (self->digest);
  trc_scene_unref (self->scene);
  trc_present_info_clear (&self->info);
  trc_history_free (self->history);
  g_variant_unref (self->marks);
  g_variant_unref (self->digest_marks);
  g_array_unref (self->opened);
  g_array_unref (self->selection);
  g_free (self->path);
  g_free (self->title);
  g_free (self->subtitle);
  g_free (self->model_name);
  G_OBJECT_CLASS (trc_session_parent_class)->finalize (object);
}

static guint
new_signal (const char *name)
{
  return g_signal_new (name, TRC_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                       G_TYPE_NONE, 0);
}

static void
trc_session_class_init (TrcSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = trc_session_dispose;
  object_class->finalize = trc_session_finalize;
  signals[GRAPH_CHANGED] = new_signal ("graph-changed");
  signals[SCENE_CHANGED] = new_signal ("scene-changed");
  signals[VIEW_CHANGED] = new_signal ("view-changed");
  signals[SELECTION_CHANGED] = new_signal ("selection-changed");
  signals[MARKS_CHANGED] = new_signal ("marks-changed");
  signals[BUSY_CHANGED] = new_signal ("busy-changed");
  signals[MESSAGE] = g_signal_new ("message", TRC_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL,
                                   NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_BOOLEAN);
}

static void
trc_session_init (TrcSession *self)
{
  self->compute_pool = g_thread_pool_new (run_work, NULL, 1, TRUE, NULL);
  self->drawing_pool = g_thread_pool_new (run_work, NULL, 1, TRUE, NULL);
  self->jobs = g_list_store_new (TRC_TYPE_JOB);
  self->closing = g_cancellable_new ();
  self->opened = g_array_new (FALSE, FALSE, sizeof (guint32));
  self->selection = g_array_new (FALSE, FALSE, sizeof (TrcRef));
  self->title = g_strdup ("");
  self->subtitle = g_strdup ("");
  trc_view_init (&self->view);
  self->marks = g_variant_ref_sink (g_variant_new_parsed ("(@au [], @a(us) [], @ad [])"));
  self->digest_marks = g_variant_ref (self->marks);
  self->history = trc_history_new (view_state (self));
}

TrcSession *
trc_session_new (void)
{
  return g_object_new (TRC_TYPE_SESSION, NULL);
}
