/* Sharing out pieces over threads. */
#include "compute/cpu/pool.h"

typedef struct {
  guint8 *seen;
  gsize grain, n;
  gint too_small;
} Job;

static void
mark (gsize first, gsize last, gpointer data)
{
  Job *job = data;

  if (last - first < job->grain && last != job->n)
    g_atomic_int_inc (&job->too_small);
  for (gsize i = first; i < last; i++)
    job->seen[i]++;
}

static void
test_each_once (void)
{
  static const gsize sizes[] = { 0, 1, 2, 7, 100, 10001 };

  for (guint threads = 1; threads <= 5; threads++)
    {
      TrcPool *pool = trc_pool_new (threads);
      g_assert_cmpuint (trc_pool_n_threads (pool), ==, threads);
      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        for (gsize grain = 1; grain <= 64; grain *= 8)
          {
            Job job = { g_new0 (guint8, sizes[i] + 1), grain, sizes[i], 0 };
            trc_pool_run (pool, sizes[i], grain, mark, &job);
            for (gsize k = 0; k < sizes[i]; k++)
              g_assert_cmpuint (job.seen[k], ==, 1);
            g_assert_cmpuint (job.seen[sizes[i]], ==, 0);
            g_assert_cmpint (job.too_small, ==, 0);
            g_free (job.seen);
          }
      trc_pool_free (pool);
    }
}

typedef struct {
  GThread *caller;
  gint inside, finished;
} Meeting;

/* Both threads must be inside the job at once for it to end; the helper leaves late. */
static void
meet (gsize first, gsize last, gpointer data)
{
  Meeting *meeting = data;

  g_atomic_int_inc (&meeting->inside);
  while (g_atomic_int_get (&meeting->inside) < 2)
    g_usleep (100);
  if (g_thread_self () != meeting->caller)
    g_usleep (50000);
  g_atomic_int_inc (&meeting->finished);
}

static void
test_helps (void)
{
  TrcPool *pool = trc_pool_new (2);
  Meeting meeting = { .caller = g_thread_self () };

  trc_pool_run (pool, 2, 1, meet, &meeting);
  g_assert_cmpint (g_atomic_int_get (&meeting.finished), ==, 2);
  g_assert_cmpuint (trc_pool_n_helped (pool), >=, 1);
  trc_pool_free (pool);
}

static void
test_environment (void)
{
  TrcPool *pool;

  g_setenv ("TRACERY_THREADS", "1", TRUE);
  pool = trc_pool_new (0);
  g_assert_cmpuint (trc_pool_n_threads (pool), ==, 1);
  trc_pool_free (pool);
  g_setenv ("TRACERY_THREADS", "1000000", TRUE);
  pool = trc_pool_new (0);
  g_assert_cmpuint (trc_pool_n_threads (pool), ==, MAX (1, g_get_num_processors ()));
  trc_pool_free (pool);
  g_setenv ("TRACERY_THREADS", "nonsense", TRUE);
  pool = trc_pool_new (0);
  g_assert_cmpuint (trc_pool_n_threads (pool), ==, MAX (1, g_get_num_processors ()));
  trc_pool_free (pool);
  g_unsetenv ("TRACERY_THREADS");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/pool/each-once", test_each_once);
  g_test_add_func ("/compute/pool/helps", test_helps);
  g_test_add_func ("/compute/pool/environment", test_environment);
  return g_test_run ();
}
