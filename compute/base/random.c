#define G_LOG_DOMAIN "tracery-compute"

#include "compute/base/random.h"

#include <math.h>

void
trc_random_init (TrcRandom *self, guint64 seed)
{
  for (guint i = 0; i < 4; i++)
    {
      guint64 z = (seed += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

      z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
      z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
      self->state[i] = z ^ (z >> 31);
    }
}

static guint64
rotate (guint64 x, guint bits)
{
  return (x << bits) | (x >> (64 - bits));
}

guint64
trc_random_next (TrcRandom *self)
{
  guint64 *s = self->state, result = rotate (s[1] * 5, 7) * 9, t = s[1] << 17;

  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate (s[3], 45);
  return result;
}

guint64
trc_random_below (TrcRandom *self, guint64 n)
{
  guint64 limit = G_MAXUINT64 - G_MAXUINT64 % n, x;

  do
    x = trc_random_next (self);
  while (x >= limit);
  return x % n;
}

/* In (0, 1]. */
static double
unit (TrcRandom *self)
{
  return (double)((trc_random_next (self) >> 11) + 1) * 0x1p-53;
}

double
trc_random_normal (TrcRandom *self)
{
  double radius = sqrt (-2.0 * log (unit (self)));

  return radius * cos (2.0 * G_PI * unit (self));
}
