#include "compute/cpu/pool.h"

#include <stdlib.h>

/* More pieces than threads, so that a thread whose processor is busy elsewhere costs little. */
#define PIECES_PER_THREAD 4

struct _TrcPool {
  guint n_threads;
  GThread **threads; /* n_threads - 1 */
  GMutex lock;
  GCond wake, done;
  gboolean quit;
  /* the running job, under the lock */
  TrcPoolFunc func;
  gpointer data;
  gsize n, piece, next;
  guint n_running;
  guint64 n_helped;
};

/* Takes the next piece; the lock is held. */
static gboolean
take (TrcPool *self, gsize *first, gsize *last)
{
  if (self->next >= self->n)
    return FALSE;
  *first = self->next;
  *last = self->n - self->next > self->piece ? self->next + self->piece : self->n;
  self->next = *last;
  return TRUE;
}

/* Does pieces until none is left; the lock is held before and after. */
static void
work (TrcPool *self, gboolean helper)
{
  TrcPoolFunc func = self->func;
  gpointer data = self->data;
  gsize first, last;

  while (take (self, &first, &last))
    {
      self->n_running++;
      self->n_helped += helper;
      g_mutex_unlock (&self->lock);
      func (first, last, data);
      g_mutex_lock (&self->lock);
      self->n_running--;
    }
}

static gpointer
thread_main (gpointer user_data)
{
  TrcPool *self = user_data;

  g_mutex_lock (&self->lock);
  while (!self->quit)
    {
      if (self->next >= self->n)
        g_cond_wait (&self->wake, &self->lock);
      else
        {
          work (self, TRUE);
          if (self->n_running == 0)
            g_cond_signal (&self->done);
        }
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static guint
default_threads (void)
{
  const char *text = g_getenv ("TRACERY_THREADS");
  guint n_cpus = MAX (1, g_get_num_processors ());
  guint64 wanted = text != NULL ? g_ascii_strtoull (text, NULL, 10) : 0;

  return wanted == 0 ? n_cpus : (guint)MIN (wanted, n_cpus);
}

TrcPool *
trc_pool_new (guint n_threads)
{
  TrcPool *self = g_new0 (TrcPool, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->done);
  self->n_threads = 1;
  n_threads = n_threads != 0 ? n_threads : default_threads ();
  self->threads = g_new0 (GThread *, n_threads);
  for (guint i = 0; i + 1 < n_threads; i++)
    {
      GThread *thread = g_thread_try_new ("trc-cpu", thread_main, self, NULL);
      if (thread == NULL)
        break; /* fewer threads do the same work */
      self->threads[self->n_threads++ - 1] = thread;
    }
  return self;
}

void
trc_pool_free (TrcPool *self)
{
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i + 1 < self->n_threads; i++)
    g_thread_join (self->threads[i]);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->done);
  g_free (self->threads);
  g_free (self);
}

guint
trc_pool_n_threads (const TrcPool *self)
{
  return self->n_threads;
}

guint64
trc_pool_n_helped (TrcPool *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->n_helped;
}

void
trc_pool_run (TrcPool *self, gsize n, gsize grain, TrcPoolFunc func, gpointer data)
{
  gsize n_pieces = self->n_threads * PIECES_PER_THREAD;
  gsize piece = MAX (MAX (grain, 1), (n + n_pieces - 1) / n_pieces);

  if (n == 0)
    return;
  if (self->n_threads == 1 || piece >= n)
    {
      func (0, n, data);
      return;
    }
  g_mutex_lock (&self->lock);
  self->func = func;
  self->data = data;
  self->n = n;
  self->piece = piece;
  self->next = 0;
  g_cond_broadcast (&self->wake);
  work (self, FALSE);
  while (self->n_running > 0)
    g_cond_wait (&self->done, &self->lock);
  self->n = self->next = 0;
  g_mutex_unlock (&self->lock);
}
