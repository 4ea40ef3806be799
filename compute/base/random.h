/* compute/base/random.h - a small generator of random numbers with a visible state
 *
 * xoshiro256** of Blackman and Vigna, seeded through splitmix64. The state goes into
 * checkpoints, so a resumed run draws what the uninterrupted one would have drawn.
 *
 * Private to compute.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 state[4];
} TrcRandom;

/* A fresh generator; equal seeds give equal numbers. */
void trc_random_init (TrcRandom *self, guint64 seed);

/* 64 random bits. */
guint64 trc_random_next (TrcRandom *self);

/* A whole number below @n, each equally likely. */
guint64 trc_random_below (TrcRandom *self, guint64 n);

/* A number of the standard normal distribution. */
double trc_random_normal (TrcRandom *self);

G_END_DECLS
