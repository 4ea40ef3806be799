/* app/session.h - the document of a window: a graph, a view of it, its jobs
 *
 * The session opens graph files and traces prompts in worker threads, keeps the
 * view (shares, layout, opened blocks) and the marks (names, pins) with undo, and rebuilds the scene when
 * the view changes. Every request carries a generation number: answers that
 * come late are dropped.
 *
 * Signals  graph-changed      another graph: digest, title and view are new
 *          scene-changed      a new scene and outline for the graph or view
 *          view-changed       shares, layout, opened blocks; undo and redo
 *          selection-changed
 *          marks-changed      the digest is new: same nodes, other names and pins
 *          busy-changed       a job has begun or ended
 *          message (sentence, is_error)
 * Errors   reported with the signal "message" and on the job.
 * Threads  main thread only; workers see immutable things alone.
 * Lifetime trc_session_close() stops all work; call it before the last unref.
 */
#pragma once

#include "app/digest.h"
#include "app/export.h"
#include "app/job.h"

G_BEGIN_DECLS

#define TRC_TYPE_SESSION (trc_session_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcSession, trc_session, TRC, SESSION, GObject)

/* An empty document. */
TrcSession *trc_session_new (void);

/* Cancels every job and waits until the workers have stopped. */
void trc_session_close (TrcSession *self);

/* Path of the graph of the bundled example, or NULL when it is not installed. */
char *trc_session_example_path (void);

/* Starts reading a graph file; replaces the document when it is read. Borrowed. */
TrcJob *trc_session_open (TrcSession *self, const char *path);

/* ---- the graph ---- */

/* Facts of the graph, NULL while there is none; borrowed. */
TrcDigest *trc_session_get_digest (TrcSession *self);

/* The prompt, or the file's name; borrowed, "" while there is no graph. */
const char *trc_session_get_title (TrcSession *self);

/* Model, nodes and links in one line; borrowed. */
const char *trc_session_get_subtitle (TrcSession *self);

/* Path of the file that was opened, or NULL; borrowed. */
const char *trc_session_get_path (TrcSession *self);

/* ---- the view ---- */

/* The view as it is; borrowed. */
const TrcView *trc_session_get_view (TrcSession *self);

/* Share of the influence that the shown nodes carry, 0 to 1. */
void trc_session_set_node_share (TrcSession *self, double share);

/* The same for links. */
void trc_session_set_edge_share (TrcSession *self, double share);

/* Own layout or Graphviz. */
void trc_session_set_layout (TrcSession *self, TrcViewLayout layout);

/* Cards for supernodes, or every node by itself. */
void trc_session_set_groups (TrcSession *self, TrcViewGroups groups);

/* Leaves out what the dictionary could not explain. */
void trc_session_set_hide_errors (TrcSession *self, gboolean hide);

/* Opens a closed block, closes an opened one. */
void trc_session_toggle_group (TrcSession *self, guint32 group);

/* Whether the block is drawn with its members inside. */
gboolean trc_session_is_opened (TrcSession *self, guint32 group);

/* What undo and redo would do, in a few words; NULL when there is nothing. Borrowed. */
const char *trc_session_can_undo (TrcSession *self);

/* See trc_session_can_undo(). */
const char *trc_session_can_redo (TrcSession *self);

/* Takes the last change back. */
void trc_session_undo (TrcSession *self);

/* Does the last change taken back once more. */
void trc_session_redo (TrcSession *self);

/* ---- the drawing ---- */

/* The scene of the view, NULL before the first; borrowed. */
TrcScene *trc_session_get_scene (TrcSession *self);

/* Counts for the scene; borrowed. */
const TrcPresentInfo *trc_session_get_info (TrcSession *self);

/* The scene as a tree, see app/outline.h; NULL before the first. Borrowed. */
GListModel *trc_session_get_outline (TrcSession *self);

/* Number of scenes built so far: what tests count instead of time. */
guint trc_session_get_n_scenes (TrcSession *self);

/* ---- the selection ---- */

/* Selects @n things; 0 clears. */
void trc_session_select (TrcSession *self, const TrcRef *refs, guint n);

/* What is selected; borrowed. */
const TrcRef *trc_session_get_selection (TrcSession *self, guint *n);

/* Facts about the first selected thing, or NULL. Free with trc_facts_free(). */
TrcFacts *trc_session_dup_facts (TrcSession *self, guint n_links) G_GNUC_WARN_UNUSED_RESULT;

/* The first selected thing when it is a node, or a token that has one. */
gboolean trc_session_get_node (TrcSession *self, guint32 *node);

/* ---- names and pins; scene and digest follow from a worker ---- */

/* Calls @node @name; "" takes a given name away. */
void trc_session_rename (TrcSession *self, guint32 node, const char *name);

/* The name somebody gave to @node, else its own, perhaps ""; to be edited. Free it. */
char *trc_session_dup_name (TrcSession *self, guint32 node) G_GNUC_WARN_UNUSED_RESULT;

/* A pinned node is shown whatever the node share, and drawn strong. */
void trc_session_set_pinned (TrcSession *self, guint32 node, gboolean pinned);

/* See trc_session_set_pinned(). */
gboolean trc_session_is_pinned (TrcSession *self, guint32 node);

/* ---- jobs ---- */

/* A GListModel of TrcJob, newest first; ended jobs leave it. Borrowed. */
GListModel *trc_session_get_jobs (TrcSession *self);

/* Whether any job is running. */
gboolean trc_session_get_busy (TrcSession *self);

/* Cancels every running job. */
void trc_session_cancel_all (TrcSession *self);

typedef struct {
  const char *model; /* bundled name or folder */
  const char *prompt;
  const char *target;    /* a token, "#id", or NULL: the likeliest ones */
  const char *foil;      /* a token, "#id", or NULL */
  const char *estimator; /* "auto", "relp", ... */
} TrcTraceRequest;

/* Starts a trace; the document becomes its graph when it is done. Strings are
 * copied. Borrowed. */
TrcJob *trc_session_trace (TrcSession *self, const TrcTraceRequest *request);

/* Names of the bundled models; g_strfreev(). */
char **trc_session_list_models (void);

/* Names of the estimators as trc_session_trace() takes them; static. */
const char *const *trc_session_list_estimators (void);

/* What a model says to a prompt, before anything is traced. */
typedef struct {
  char **tokens;
  guint n_tokens;
  GArray *top; /* of TrcPrediction, likeliest first */
} TrcGuess;

/* Frees a guess; NULL is fine. */
void trc_guess_free (TrcGuess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcGuess, trc_guess_free)

/* Runs @prompt through @model in a worker. */
void trc_session_guess_async (TrcSession *self, const char *model, const char *prompt,
                              GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer data);

/* The tokens and the likeliest next ones, or NULL with @error set. */
TrcGuess *trc_session_guess_finish (TrcSession *self, GAsyncResult *result,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Starts writing the drawing as a figure, or the graph with its names and pins as
 * JSON when @path ends in ".json". Options are copied. Borrowed. */
TrcJob *
trc_session_export (TrcSession *self, const char *path, const TrcExportOptions *options);

G_END_DECLS
