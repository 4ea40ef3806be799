/* app/session/session_private.h - what the files of the session share
 *
 * Threads  the struct belongs to the main thread, except `model` and `device`,
 *          which belong to the one thread of the compute pool.
 */
#pragma once

#include "app/session.h"
#include "app/session/history.h"
#include "compute/device.h"
#include "compute/graph.h"
#include "compute/model.h"

G_BEGIN_DECLS

struct _TrcSession {
  GObject parent_instance;
  GThreadPool *compute_pool; /* one thread: it owns the device */
  GThreadPool *drawing_pool; /* one thread: files, scenes, figures */
  GListStore *jobs;
  GCancellable *closing;
  gboolean closed;

  guint request;  /* generation of what was asked for last: files, traces */
  guint document; /* generation of the graph: scenes of older ones are dropped */
  TrcDigest *digest;
  char *path;
  char *title;
  char *subtitle;

  TrcView view; /* view.opened points into `opened` */
  GArray *opened;
  GVariant *marks;        /* (aua(us)ad): pins, labels, places; undone like the view */
  GVariant *digest_marks; /* those that the graph of the digest has */
  TrcHistory *history;

  TrcScene *scene;
  TrcPresentInfo info;
  GListModel *outline;
  guint n_scenes;
  gboolean scene_running;
  gboolean scene_wanted;
  GCancellable *scene_cancellable;

  GArray *selection;

  TrcModel *model;
  char *model_name;
  TrcDevice *device;
};

/* Runs @task's @func on @pool; takes over the reference of @task. */
void trc_session_push (GThreadPool *pool, GTask *task, GTaskThreadFunc func);

/* A new job on the list of jobs; borrowed. */
TrcJob *trc_session_begin_job (TrcSession *self, const char *title);

/* Ends @job, takes it off the list and tells the person about a failure. */
void trc_session_end_job (TrcSession *self, TrcJob *job, const GError *error);

/* Makes @digest the document; @path may be NULL. */
void trc_session_take_digest (TrcSession *self, TrcDigest *digest, const char *path);

/* The end of a worker that makes a document: hands over @digest, or @error where it is NULL. */
void trc_session_return_digest (GTask *task, TrcDigest *digest, GError *error);

/* The same on the main thread: ends @job and takes the document, unless another has been asked
 * for since @request. */
void trc_session_finish_digest (TrcSession *self, GAsyncResult *result, TrcJob *job,
                                guint request, const char *path);

/* The marks of @graph as the value of TrcSession.marks; floating. */
GVariant *trc_session_marks_of (const TrcGraph *graph);

/* @graph with the pins, labels and places of @marks in place of its own. Any thread. */
TrcGraph *trc_session_marked_graph (const TrcGraph *graph, GVariant *marks,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TrcSession.marks is new: one step of the history called @step, and a new scene. */
void trc_session_marks_changed (TrcSession *self, const char *step);

/* Emits the signal "message". */
void trc_session_say (TrcSession *self, const char *sentence, gboolean is_error);

G_END_DECLS
