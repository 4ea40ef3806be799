/* compute/cpu/pool.h - the threads of a CPU device
 *
 * Private to compute/cpu. A job is a range of items cut into pieces whose borders depend only
 * on the number of items, the grain and the number of threads; whichever thread is free takes the
 * next piece. A piece owns its outputs, so the result does not depend on who did it.
 *
 * Threads  one caller at a time. The caller works too; idle threads sleep.
 */
#pragma once

#include "compute/ops.h"

G_BEGIN_DECLS

typedef void (*TrcPoolFunc) (gsize first, gsize last, gpointer data);

/* @n_threads workers, the caller included; 0: TRACERY_THREADS or the processors. */
TrcPool *trc_pool_new (guint n_threads);

/* Ends the threads. */
void trc_pool_free (TrcPool *self);

/* Threads that work, the caller included. */
guint trc_pool_n_threads (const TrcPool *self);

/* Calls @func for pieces [first, last) of [0, n), each of at least @grain items where possible;
 * returns when all are done. */
void trc_pool_run (TrcPool *self, gsize n, gsize grain, TrcPoolFunc func, gpointer data);

/* Pieces that other threads than the caller have done so far; for tests. */
guint64 trc_pool_n_helped (TrcPool *self);

G_END_DECLS
