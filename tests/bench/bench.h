/* tests/bench/bench.h - wall and processor time of one piece of work
 *
 * A benchmark is a program that prints one line for each measurement; it asserts nothing
 * about time. `meson test --benchmark --verbose` runs them all.
 *
 * Units    seconds. Processor time is that of all threads of this process.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef void (*TrcBenchFunc) (gpointer data);

typedef struct {
  double wall, cpu; /* medians over the repeats */
  double wall_min;
} TrcBenchTime;

/* Runs @func once to warm up and then @repeats times, prints the line, returns the times. */
TrcBenchTime trc_bench (const char *name, guint repeats, TrcBenchFunc func, gpointer data);

/* Prints a derived figure below a measurement, "share of peak", in the same columns. */
void trc_bench_figure (const char *name, double value, const char *unit);

G_END_DECLS
