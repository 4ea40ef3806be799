/* From the start of the process to the first frame, beside an empty GTK window in the same run;
 * and what panning costs the main thread. Every measurement is a process of its own: this program
 * starts itself with a word that says which. Needs a display (xvfb-run -a bench_window).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/support/shared_data.h"
#include "ui/application.h"
#include "ui/window.h"

#define REPEATS 5
#define PAN_FRAMES 150
#define PAN_PX 7
#define START "TRACERY_BENCH_START"

/* ---- the child ---- */

typedef struct {
  const char *what; /* empty, first-frame, first-picture, pan */
  gint64 started_us;
  GtkApplication *application;
  GdkFrameClock *clock;
  guint frames;
  gint64 pan_wall_us, pan_cpu_us;
  guint painted_before;
  gboolean panning;
} Child;

static gint64
cpu_us (clockid_t clock)
{
  struct timespec t;

  clock_gettime (clock, &t);
  return (gint64)t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

static void
finish (Child *self, double wall_s, double cpu_s)
{
  printf ("%.6f %.6f\n", wall_s, cpu_s);
  fflush (stdout);
  for (GList *item = gtk_application_get_windows (self->application); item != NULL;
       item = gtk_application_get_windows (self->application))
    gtk_window_destroy (item->data);
}

static void
finish_start (Child *self)
{
  finish (self, (double)(g_get_monotonic_time () - self->started_us) / G_USEC_PER_SEC,
          (double)cpu_us (CLOCK_PROCESS_CPUTIME_ID) / G_USEC_PER_SEC);
}

static gboolean
on_pan_tick (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  Child *self = data;
  TrcCanvas *canvas = TRC_CANVAS (widget);
  TrcCamera camera = trc_canvas_get_camera (canvas);
  int direction = (self->frames / 50) % 2 == 0 ? 1 : -1;

  if (self->frames++ >= PAN_FRAMES)
    {
      guint painted, frames;

      trc_canvas_counts (canvas, &painted, &frames);
      fprintf (stderr, "%u pictures for %u frames\n", painted - self->painted_before,
               PAN_FRAMES);
      finish (self,
              (double)(g_get_monotonic_time () - self->pan_wall_us) / G_USEC_PER_SEC
                  / PAN_FRAMES,
              (double)(cpu_us (CLOCK_THREAD_CPUTIME_ID) - self->pan_cpu_us) / G_USEC_PER_SEC
                  / PAN_FRAMES);
      return G_SOURCE_REMOVE;
    }
  trc_canvas_set_camera (canvas, trc_camera_pan (camera, direction * PAN_PX, 0));
  return G_SOURCE_CONTINUE;
}

static void
begin_pan (Child *self, TrcCanvas *canvas)
{
  guint frames;

  self->panning = TRUE;
  trc_canvas_counts (canvas, &self->painted_before, &frames);
  self->pan_wall_us = g_get_monotonic_time ();
  self->pan_cpu_us = cpu_us (CLOCK_THREAD_CPUTIME_ID);
  gtk_widget_add_tick_callback (GTK_WIDGET (canvas), on_pan_tick, self, NULL);
}

static void
on_after_paint (GdkFrameClock *clock, Child *self)
{
  GtkWindow *window = gtk_application_get_active_window (self->application);
  TrcCanvas *canvas;

  if (window == NULL || self->panning)
    return;
  if (!g_str_equal (self->what, "first-picture") && !g_str_equal (self->what, "pan"))
    {
      finish_start (self);
      return;
    }
  canvas = trc_window_get_canvas (TRC_WINDOW (window));
  if (trc_canvas_get_scene (canvas) == NULL)
    return;
  if (g_str_equal (self->what, "pan"))
    begin_pan (self, canvas);
  else
    finish_start (self);
}

static void
watch_frames (Child *self, GtkWindow *window)
{
  if (!gtk_widget_get_realized (GTK_WIDGET (window)))
    gtk_widget_realize (GTK_WIDGET (window));
  self->clock = gtk_widget_get_frame_clock (GTK_WIDGET (window));
  g_signal_connect (self->clock, "after-paint", G_CALLBACK (on_after_paint), self);
}

static void
on_empty_activate (GtkApplication *application, Child *self)
{
  GtkWidget *window = gtk_application_window_new (application);

  gtk_window_set_default_size (GTK_WINDOW (window), 1440, 900);
  watch_frames (self, GTK_WINDOW (window));
  gtk_window_present (GTK_WINDOW (window));
}

static void
on_realize (GtkWidget *window, Child *self)
{
  watch_frames (self, GTK_WINDOW (window));
}

static void
on_tracery_window (GtkApplication *application, GtkWindow *window, Child *self)
{
  if (TRC_IS_WINDOW (window))
    g_signal_connect (window, "realize", G_CALLBACK (on_realize), self);
}

static int
run_child (const char *what, char *file)
{
  Child self = { .what = what, .started_us = g_ascii_strtoll (g_getenv (START), NULL, 10) };
  g_autoptr (GtkApplication) application = NULL;
  char *argv[] = { (char *)"tracery", file, NULL };

  trc_application_choose_renderer ();
  if (g_str_equal (what, "empty"))
    {
      application = gtk_application_new ("org.tracery.Empty", G_APPLICATION_NON_UNIQUE);
      g_signal_connect (application, "activate", G_CALLBACK (on_empty_activate), &self);
    }
  else
    {
      application = GTK_APPLICATION (trc_application_new ());
      g_application_set_flags (G_APPLICATION (application),
                               G_APPLICATION_NON_UNIQUE | G_APPLICATION_HANDLES_OPEN);
      g_signal_connect (application, "window-added", G_CALLBACK (on_tracery_window), &self);
    }
  self.application = application;
  return g_application_run (G_APPLICATION (application), file != NULL ? 2 : 1, argv);
}

/* ---- the parent ---- */

static gboolean
run_one (const char *program, const char *what, const char *file, double *wall, double *cpu)
{
  const char *argv[] = { program, what, file, NULL };
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *now = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_monotonic_time ());
  g_autoptr (GSubprocess) child = NULL;
  g_autofree char *out = NULL;

  g_subprocess_launcher_setenv (launcher, START, now, TRUE);
  child = g_subprocess_launcher_spawnv (launcher, argv, NULL);
  return child != NULL && g_subprocess_communicate_utf8 (child, NULL, NULL, &out, NULL, NULL)
         && out != NULL && sscanf (out, "%lf %lf", wall, cpu) == 2;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof *values, compare);
  return n > 0 ? values[n / 2] : 0;
}

typedef struct {
  const char *what, *name;
  double scale;
  const char *unit;
} Row;

static void
measure (const char *program, const Row *row, const char *file)
{
  double wall[REPEATS], cpu[REPEATS];
  guint n = 0;

  for (guint i = 0; i < REPEATS; i++)
    if (run_one (program, row->what, file, &wall[n], &cpu[n]))
      n++;
  if (n == 0)
    printf ("%-44s no measurement: is there a display?\n", row->name);
  else
    printf ("%-44s wall %8.2f %s   cpu %8.2f %s\n", row->name, row->scale * median (wall, n),
            row->unit, row->scale * median (cpu, n), row->unit);
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  static const Row start[] = {
    { "empty", "empty GTK window, first frame", 1e3, "ms" },
    { "first-frame", "Tracery, first frame", 1e3, "ms" },
    { "first-picture", "Tracery, first picture of the example", 1e3, "ms" },
  };
  static const Row pan = { "pan", "pan 829 nodes, a frame (cpu: main thread)", 1e3, "ms" };
  g_autofree char *dollar = NULL;

  if (argc > 1)
    return run_child (argv[1], argc > 2 ? argv[2] : NULL);
  if (g_getenv ("DISPLAY") == NULL && g_getenv ("WAYLAND_DISPLAY") == NULL)
    {
      printf ("no display: run it below xvfb-run -a\n");
      return 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (start); i++)
    measure (argv[0], &start[i], NULL);
  g_test_init (&argc, &argv, NULL);
  dollar = trc_test_shared ("graphs/gemma2-plt-dollar-duplicate-id.json");
  if (dollar != NULL)
    measure (argv[0], &pan, dollar);
  return 0;
}
