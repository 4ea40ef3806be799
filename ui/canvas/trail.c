#define G_LOG_DOMAIN "tracery-ui"

#include "ui/canvas/trail.h"

#define DEPTH 100

struct _TrcTrail {
  GArray *places; /* of TrcCamera */
  guint now;
};

TrcTrail *
trc_trail_new (void)
{
  TrcTrail *self = g_new0 (TrcTrail, 1);

  self->places = g_array_new (FALSE, FALSE, sizeof (TrcCamera));
  return self;
}

void
trc_trail_free (TrcTrail *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->places);
  g_free (self);
}

void
trc_trail_reset (TrcTrail *self, TrcCamera camera)
{
  g_array_set_size (self->places, 0);
  g_array_append_val (self->places, camera);
  self->now = 0;
}

void
trc_trail_move (TrcTrail *self, TrcCamera camera)
{
  if (self->places->len == 0)
    trc_trail_reset (self, camera);
  else
    g_array_index (self->places, TrcCamera, self->now) = camera;
}

void
trc_trail_jump (TrcTrail *self, TrcCamera camera)
{
  if (self->places->len == 0)
    {
      trc_trail_reset (self, camera);
      return;
    }
  g_array_set_size (self->places, self->now + 1);
  g_array_append_val (self->places, camera);
  if (self->places->len > DEPTH)
    g_array_remove_index (self->places, 0);
  self->now = self->places->len - 1;
}

gboolean
trc_trail_back (TrcTrail *self, TrcCamera *camera)
{
  if (!trc_trail_can_back (self))
    return FALSE;
  self->now--;
  *camera = g_array_index (self->places, TrcCamera, self->now);
  return TRUE;
}

gboolean
trc_trail_forward (TrcTrail *self, TrcCamera *camera)
{
  if (!trc_trail_can_forward (self))
    return FALSE;
  self->now++;
  *camera = g_array_index (self->places, TrcCamera, self->now);
  return TRUE;
}

gboolean
trc_trail_can_back (const TrcTrail *self)
{
  return self->now > 0;
}

gboolean
trc_trail_can_forward (const TrcTrail *self)
{
  return self->now + 1 < self->places->len;
}
