#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double
seconds (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

TrcBenchTime
trc_bench (const char *name, guint repeats, TrcBenchFunc func, gpointer data)
{
  g_autofree double *wall = g_new (double, repeats);
  g_autofree double *cpu = g_new (double, repeats);

  func (data);
  for (guint i = 0; i < repeats; i++)
    {
      double wall_start = seconds (CLOCK_MONOTONIC);
      double cpu_start = seconds (CLOCK_PROCESS_CPUTIME_ID);

      func (data);
      wall[i] = seconds (CLOCK_MONOTONIC) - wall_start;
      cpu[i] = seconds (CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
    }
  qsort (wall, repeats, sizeof *wall, compare);
  qsort (cpu, repeats, sizeof *cpu, compare);
  TrcBenchTime times = { .wall = wall[repeats / 2],
                         .cpu = cpu[repeats / 2],
                         .wall_min = wall[0] };
  printf ("%-44s wall %10.3f ms   cpu %10.3f ms   (median of %u, best %.3f)\n", name,
          times.wall * 1e3, times.cpu * 1e3, repeats, times.wall_min * 1e3);
  fflush (stdout);
  return times;
}

void
trc_bench_figure (const char *name, double value, const char *unit)
{
  printf ("  %-42s %15.3f %s\n", name, value, unit);
  fflush (stdout);
}
