/* tests/support/double_device.h - a device that computes in double, by the definitions
 *
 * Every kernel is its definition, compiled for double tensors. So a tape on this device is
 * exact enough to be compared with finite differences of itself.
 */
#pragma once

#include "compute/tape.h"

/* A fresh device; unref it. */
TrcDevice *trc_double_device_new (void);

/* The numbers of an f32 tensor on such a device, in place: writing them changes the tensor. */
double *trc_double_values (TrcTensor *tensor);

/* What a test differentiates: makes a value of any shape from @n leaves. */
typedef TrcVar (*TrcGradFunc) (TrcTape *tape, const TrcVar *leaves, gconstpointer data);

typedef struct {
  const char *name;
  guint n_leaves;
  TrcShape shape[6];
  TrcGradFunc func;     /* pulled back by the tape */
  TrcGradFunc standard; /* differentiated by differences: NULL when it is the same function */
  gconstpointer data;
  double centre; /* leaves are drawn around it, with a spread of one */
} TrcGradCase;

/* Weighs the outcome with fixed random numbers and compares the tape's gradient of every
 * element of every leaf with central differences. Fails the running test when they differ by
 * more than 1e-6 of the largest. */
void trc_grad_check (const TrcGradCase *c);
