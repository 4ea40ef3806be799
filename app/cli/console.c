/* Standard output, standard error and Ctrl-C of tracery-cli. */
#include "app/cli/command.h"
#include "app/error.h"

#include <glib-unix.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define REDRAW_US (100 * 1000) /* of a terminal line; other files get a line a second */

typedef struct {
  GMutex lock;
  gboolean on_terminal;
  gboolean shown; /* a progress line stands on the terminal */
  gint64 last_us;
  int last_percent;
} Progress;

static Progress progress;
static int interrupt_pipe[2] = { -1, -1 };
static volatile sig_atomic_t interrupted;

static void
clear_line (void)
{
  if (progress.shown)
    fputs ("\r\033[K", stderr);
  progress.shown = FALSE;
}

void
trc_cli_print (const char *format, ...)
{
  va_list args;

  g_mutex_lock (&progress.lock);
  if (progress.on_terminal)
    clear_line ();
  va_start (args, format);
  vfprintf (stdout, format, args);
  va_end (args);
  g_mutex_unlock (&progress.lock);
}

void
trc_cli_print_json (JsonNode *root)
{
  g_autofree char *text = json_to_string (root, TRUE);

  trc_cli_print ("%s\n", text);
}

void
trc_cli_add_number (JsonBuilder *builder, const char *name, double number)
{
  if (name != NULL)
    json_builder_set_member_name (builder, name);
  if (isfinite (number))
    json_builder_add_double_value (builder, number);
  else
    json_builder_add_null_value (builder);
}

void
trc_cli_add_count (JsonBuilder *builder, const char *name, guint64 count)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)MIN (count, (guint64)G_MAXINT64));
}

void
trc_cli_note (const char *format, ...)
{
  va_list args;

  g_mutex_lock (&progress.lock);
  clear_line ();
  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  g_mutex_unlock (&progress.lock);
}

static void
show (int percent, const char *text)
{
  const char *start = progress.on_terminal ? "\r\033[K" : "";
  const char *end = progress.on_terminal ? "" : "\n";

  if (percent >= 0)
    fprintf (stderr, "%s%3d %%  %s%s", start, percent, text != NULL ? text : "", end);
  else
    fprintf (stderr, "%s%s%s", start, text != NULL ? text : "", end);
  fflush (stderr);
  progress.shown = progress.on_terminal;
}

/* Any thread. Coalesced: the first call, the last one, and a few a second between. */
static void
report (double fraction, const char *text, gpointer data)
{
  int percent = fraction >= 0 ? (int)floor (CLAMP (fraction, 0.0, 1.0) * 100.0) : -1;
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&progress.lock);
  gint64 pause = progress.on_terminal ? REDRAW_US : G_USEC_PER_SEC;
  gboolean finished = percent == 100 && progress.last_percent != 100;
  if (progress.last_us == 0 || finished || now - progress.last_us >= pause)
    {
      show (percent, text);
      progress.last_us = now;
      progress.last_percent = percent;
    }
  g_mutex_unlock (&progress.lock);
}

/* Only what a signal handler may do: the cancelling is done by the thread that reads. */
static void
on_interrupt (int number)
{
  if (interrupted)
    _exit (130);
  interrupted = 1;
  ssize_t written = write (interrupt_pipe[1], "", 1);
  (void)written;
}

static gpointer
wait_for_interrupt (gpointer data)
{
  GCancellable *cancellable = data;
  char byte;

  while (read (interrupt_pipe[0], &byte, 1) < 0 && errno == EINTR)
    ;
  g_cancellable_cancel (cancellable);
  g_object_unref (cancellable);
  return NULL;
}

static void
watch_interrupts (GCancellable *cancellable)
{
  struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };

  if (!g_unix_open_pipe (interrupt_pipe, FD_CLOEXEC, NULL))
    return; /* Ctrl-C then ends the program the ordinary way */
  g_thread_unref (g_thread_new ("interrupt", wait_for_interrupt, g_object_ref (cancellable)));
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}

void
trc_console_start (TrcCli *cli, gboolean want_progress)
{
  progress.on_terminal = isatty (STDERR_FILENO) == 1;
  progress.last_percent = -1;
  if (progress.on_terminal || want_progress)
    cli->progress.report = report;
  cli->progress.cancellable = g_cancellable_new ();
  watch_interrupts (cli->progress.cancellable);
}

gboolean
trc_console_finish (GError **error)
{
  clear_line ();
  if (fflush (stdout) == 0 && !ferror (stdout))
    return TRUE;
  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_FAILED,
               "The result could not be written to the standard output: %s.",
               g_strerror (errno));
  return FALSE;
}
