#define G_LOG_DOMAIN "tracery-app"

#include "app/session/history.h"

#define MERGE_US G_USEC_PER_SEC
#define DEPTH 200

typedef struct {
  char *name; /* how this state was reached; NULL for the first */
  GVariant *state;
  gint64 at_us;
} Step;

struct _TrcHistory {
  GPtrArray *steps;
  guint now; /* index of the present state */
};

static void
step_free (gpointer data)
{
  Step *step = data;

  g_free (step->name);
  g_variant_unref (step->state);
  g_free (step);
}

static Step *
step_new (const char *name, GVariant *state, gint64 at_us)
{
  Step *step = g_new0 (Step, 1);

  step->name = g_strdup (name);
  step->state = g_variant_ref_sink (state);
  step->at_us = at_us;
  return step;
}

TrcHistory *
trc_history_new (GVariant *state)
{
  TrcHistory *self = g_new0 (TrcHistory, 1);

  self->steps = g_ptr_array_new_with_free_func (step_free);
  g_ptr_array_add (self->steps, step_new (NULL, state, 0));
  return self;
}

void
trc_history_free (TrcHistory *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->steps);
  g_free (self);
}

gboolean
trc_history_push (TrcHistory *self, const char *name, GVariant *state, gint64 now_us)
{
  Step *present = g_ptr_array_index (self->steps, self->now);
  g_autoptr (GVariant) held = g_variant_ref_sink (state);

  if (g_variant_equal (present->state, held))
    return FALSE;
  if (self->now + 1 < self->steps->len)
    g_ptr_array_remove_range (self->steps, self->now + 1, self->steps->len - self->now - 1);
  else if (self->now > 0 && now_us >= 0 && g_strcmp0 (present->name, name) == 0
           && now_us - present->at_us < MERGE_US)
    {
      g_variant_unref (present->state);
      present->state = g_steal_pointer (&held);
      present->at_us = now_us;
      return TRUE;
    }
  g_ptr_array_add (self->steps, step_new (name, held, now_us));
  if (self->steps->len > DEPTH)
    g_ptr_array_remove_index (self->steps, 0);
  self->now = self->steps->len - 1;
  return TRUE;
}

const char *
trc_history_undo_name (const TrcHistory *self)
{
  return self->now > 0 ? ((Step *)g_ptr_array_index (self->steps, self->now))->name : NULL;
}

const char *
trc_history_redo_name (const TrcHistory *self)
{
  return self->now + 1 < self->steps->len
             ? ((Step *)g_ptr_array_index (self->steps, self->now + 1))->name
             : NULL;
}

GVariant *
trc_history_undo (TrcHistory *self)
{
  if (self->now == 0)
    return NULL;
  self->now--;
  return ((Step *)g_ptr_array_index (self->steps, self->now))->state;
}

GVariant *
trc_history_redo (TrcHistory *self)
{
  if (self->now + 1 >= self->steps->len)
    return NULL;
  self->now++;
  return ((Step *)g_ptr_array_index (self->steps, self->now))->state;
}
