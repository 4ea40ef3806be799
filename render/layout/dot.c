#include "render/layout/helper_format.h"
#include "render/layout/layout_private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEFAULT_DEADLINE_S 5.0
#define REPLY_BYTES_PER_NODE 96u
#define REPLY_BYTES_EXTRA 256u

/* ---- finding the helper ---- */

static char *
if_executable (char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_EXECUTABLE) && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return path;
  g_free (path);
  return NULL;
}

/* Beside the running program: where packages are unpacked anywhere, and in the
 * build tree, whose programs lie one or two folders away from the helper. */
static char *
near_program (void)
{
  static const char *const places[] = { ".", "../libexec", "../render/layout",
                                        "../../render/layout", "../../../render/layout" };
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : NULL;
  char *found = NULL;

  for (guint i = 0; folder != NULL && found == NULL && i < G_N_ELEMENTS (places); i++)
    found = if_executable (g_build_filename (folder, places[i], "tracery-layout", NULL));
  return found;
}

char *
trc_layout_find_helper (GError **error)
{
  const char *given = g_getenv ("TRACERY_LIBEXEC");
  char *found = NULL;

  if (given != NULL && *given != '\0')
    found = if_executable (g_build_filename (given, "tracery-layout", NULL));
  else
    {
      found = near_program ();
      if (found == NULL)
        found = if_executable (g_build_filename (TRC_LIBEXEC_DIR, "tracery-layout", NULL));
    }
  if (found == NULL)
    g_set_error (
        error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_HELPER,
        "The layout helper tracery-layout was not found%s%s; install Tracery completely "
        "or name its folder in TRACERY_LIBEXEC.",
        given != NULL ? " in " : "", given != NULL ? given : "");
  return found;
}

/* ---- the question ---- */

static void
append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, g_ascii_formatd (text, sizeof text, "%.2f", value));
}

static GString *
ask (const TrcLayoutInput *in, double deadline_s)
{
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, TRC_HELPER_ASK " %d %u\nnodes %u\n", (int)ceil (deadline_s),
                          TRC_HELPER_MEMORY_MIB, in->n_nodes);
  for (guint i = 0; i < in->n_nodes; i++)
    {
      const TrcLayoutNode *node = &in->nodes[i];
      int rank = node->row == 0 ? 1 : node->row == (gint32)in->n_rows - 1 ? 2 : 0;
      append_number (out, CLAMP (node->w, 1.0, 9e4));
      g_string_append_c (out, ' ');
      append_number (out, CLAMP (node->h, 1.0, 9e4));
      g_string_append_printf (out, " %d\n", rank);
    }
  g_string_append_printf (out, "edges %u\n", in->n_edges);
  for (guint e = 0; e < in->n_edges; e++)
    {
      double part = CLAMP (in->edges[e].weight, 0.0, 1.0);
      g_string_append_printf (out, "%u %u %d\n", in->edges[e].from, in->edges[e].to,
                              1 + (int)lrint (20 * part));
    }
  g_string_append (out, "end\n");
  return out;
}

/* The question goes through an unnamed file: a helper that dies early cannot
 * break a pipe on us. */
static int
question_fd (const GString *text, GError **error)
{
  int fd = memfd_create ("tracery-layout", MFD_CLOEXEC);
  gsize done = 0;

  while (fd >= 0 && done < text->len)
    {
      gssize n = write (fd, text->str + done, text->len - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          close (fd);
          fd = -1;
        }
      else
        done += (gsize)n;
    }
  if (fd >= 0 && lseek (fd, 0, SEEK_SET) == 0)
    return fd;
  g_set_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_HELPER,
               "The layout helper could not be given its input: %s.", g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/* ---- the deadline ---- */

typedef struct {
  GMutex mutex;
  GCond cond;
  gboolean done, late;
  gint64 until;
  GCancellable *stop;
} Watchdog;

static gpointer
watch (gpointer data)
{
  Watchdog *dog = data;

  g_mutex_lock (&dog->mutex);
  while (!dog->done && !dog->late)
    dog->late = !g_cond_wait_until (&dog->cond, &dog->mutex, dog->until);
  gboolean bite = dog->late && !dog->done;
  g_mutex_unlock (&dog->mutex);
  if (bite)
    g_cancellable_cancel (dog->stop);
  return NULL;
}

static void
forward_cancel (GCancellable *from, gpointer to)
{
  g_cancellable_cancel (to);
}

/* Everything the helper says until it closes its output, is stopped or says too
 * much. NULL with @error set, also when stopped. */
static GString *
read_reply (GSubprocess *process, gsize most, GCancellable *stop, GError **error)
{
  GInputStream *stream = g_subprocess_get_stdout_pipe (process);
  g_autoptr (GString) reply = g_string_new (NULL);
  char chunk[8192];

  for (;;)
    {
      gssize n = g_input_stream_read (stream, chunk, sizeof chunk, stop, error);
      if (n < 0)
        return NULL;
      if (n == 0)
        return g_steal_pointer (&reply);
      g_string_append_len (reply, chunk, n);
      if (reply->len > most)
        {
          g_set_error (
              error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_REPLY,
              "The layout helper answered with more than a layout of this size can be.");
          return NULL;
        }
    }
}

/* ---- the answer ---- */

static TrcLayout *
parse_reply (const char *text, const TrcLayoutInput *in, GError **error)
{
  g_autoptr (TrcLayout) layout = trc_layout_alloc (in);
  g_autofree char *head = g_strdup_printf (TRC_HELPER_ANSWER " %u\n", in->n_nodes);
  const char *at = text;
  gboolean good = g_str_has_prefix (at, head);

  if (good)
    at += strlen (head);
  for (guint i = 0; good && i < in->n_nodes; i++)
    {
      char *end;
      layout->at[i].x = g_ascii_strtod (at, &end);
      good = end > at && *end == ' ' && isfinite (layout->at[i].x);
      if (!good)
        break;
      at = end + 1;
      layout->at[i].y = g_ascii_strtod (at, &end);
      good = end > at && *end == '\n' && isfinite (layout->at[i].y)
             && fabs (layout->at[i].x) < 1e7 && fabs (layout->at[i].y) < 1e7;
      at = end + 1;
    }
  if (good && strcmp (at, "end\n") == 0)
    {
      trc_layout_bound (layout, in);
      return g_steal_pointer (&layout);
    }
  g_set_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_REPLY,
               "The layout helper answered with something else than a layout.");
  return NULL;
}

static gboolean
check_size (const TrcLayoutInput *in, const TrcDotParams *params, GError **error)
{
  gboolean force = params != NULL && params->force;

  if (in->n_nodes > TRC_HELPER_MAX_NODES || in->n_edges > TRC_HELPER_MAX_EDGES
      || (!force && (in->n_nodes > TRC_DOT_MAX_NODES || in->n_edges > TRC_DOT_MAX_EDGES)))
    {
      g_set_error (
          error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_TOO_LARGE,
          "Graphviz dot is meant for up to %u nodes and %u edges, and this view has %u and "
          "%u; show less of the graph to use it.",
          TRC_DOT_MAX_NODES, TRC_DOT_MAX_EDGES, in->n_nodes, in->n_edges);
      return FALSE;
    }
  return TRUE;
}

static GSubprocess *
start_helper (const char *path, int fd, GError **error)
{
  /* INHERIT_FDS lets GLib use posix_spawn: a fork of a process that holds model
   * weights costs hundreds of milliseconds. */
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_INHERIT_FDS | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                 | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autoptr (GError) local = NULL;
  GSubprocess *process;

  g_subprocess_launcher_take_stdin_fd (launcher, fd);
  process = g_subprocess_launcher_spawn (launcher, &local, path, NULL);
  if (process == NULL)
    g_set_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_HELPER,
                 "The layout helper %s cannot be started: %s.", path, local->message);
  return process;
}

static void
explain_stop (Watchdog *dog, GCancellable *cancellable, double deadline_s, GError **error)
{
  g_clear_error (error);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return;
  g_set_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_TIMEOUT,
               "Graphviz dot did not finish within %g seconds and was stopped.", deadline_s);
}

/* The reply of a helper that ended well. */
static GString *
converse (GSubprocess *process, const TrcLayoutInput *in, double deadline_s,
          GCancellable *cancellable, GError **error)
{
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  Watchdog dog = { .until = g_get_monotonic_time () + (gint64)(deadline_s * G_USEC_PER_SEC),
                   .stop = stop };
  gsize most = (gsize)in->n_nodes * REPLY_BYTES_PER_NODE + REPLY_BYTES_EXTRA;
  gulong forward = 0;

  g_mutex_init (&dog.mutex);
  g_cond_init (&dog.cond);
  if (cancellable != NULL)
    forward = g_cancellable_connect (cancellable, G_CALLBACK (forward_cancel), stop, NULL);
  GThread *thread = g_thread_new ("layout-deadline", watch, &dog);
  GString *reply = read_reply (process, most, stop, error);
  if (reply == NULL)
    g_subprocess_force_exit (process);
  gboolean ended = g_subprocess_wait (process, reply != NULL ? stop : NULL, NULL);

  g_mutex_lock (&dog.mutex);
  dog.done = TRUE;
  g_cond_signal (&dog.cond);
  g_mutex_unlock (&dog.mutex);
  g_thread_join (thread);
  if (forward != 0)
    g_cancellable_disconnect (cancellable, forward);
  g_mutex_clear (&dog.mutex);
  g_cond_clear (&dog.cond);
  if (!ended)
    {
      g_subprocess_force_exit (process);
      g_subprocess_wait (process, NULL, NULL);
    }
  if (g_cancellable_is_cancelled (stop) && (reply == NULL || !ended))
    {
      if (reply != NULL)
        g_string_free (reply, TRUE);
      explain_stop (&dog, cancellable, deadline_s, error);
      return NULL;
    }
  return reply;
}

TrcLayout *
trc_layout_dot (const TrcLayoutInput *in, const TrcDotParams *params, GCancellable *cancellable,
                GError **error)
{
  double deadline_s =
      params != NULL && params->deadline_s > 0 ? params->deadline_s : DEFAULT_DEADLINE_S;
  g_autofree char *path = NULL;

  if (!check_size (in, params, error)
      || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  path = params != NULL && params->helper != NULL ? g_strdup (params->helper)
                                                  : trc_layout_find_helper (error);
  if (path == NULL)
    return NULL;

  GString *question = ask (in, deadline_s);
  int fd = question_fd (question, error);
  g_string_free (question, TRUE);
  if (fd < 0)
    return NULL;
  g_autoptr (GSubprocess) process = start_helper (path, fd, error);
  if (process == NULL)
    return NULL;

  g_autoptr (GString) reply = converse (process, in, deadline_s, cancellable, error);
  if (reply == NULL)
    return NULL;
  if (!g_subprocess_get_if_exited (process) || g_subprocess_get_exit_status (process) != 0)
    {
      g_set_error (error, TRC_LAYOUT_ERROR, TRC_LAYOUT_ERROR_CRASHED,
                   "Graphviz dot failed on this graph (the layout helper %s).",
                   g_subprocess_get_if_exited (process) ? "gave up" : "was ended by a signal");
      return NULL;
    }
  return parse_reply (reply->str, in, error);
}

TrcLayout *
trc_layout_dot_or_layered (const TrcLayoutInput *in, const TrcDotParams *params,
                           GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) local = NULL;
  TrcLayout *layout = trc_layout_dot (in, params, cancellable, &local);

  if (layout != NULL)
    return layout;
  if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  layout = trc_layout_layered (in, cancellable, error);
  if (layout != NULL)
    {
      layout->fell_back = TRUE;
      layout->message =
          g_strdup_printf ("%s The layered layout is shown instead.", local->message);
    }
  return layout;
}
