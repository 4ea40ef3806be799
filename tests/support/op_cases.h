/* tests/support/op_cases.h - every kernel on odd, tiny and empty sizes
 *
 * A case is a kernel with params; its tensors are made from the extents of the op table, with
 * guard words on both sides. Checking one runs the definition on the host and the kernel on a
 * device, from the same bytes, and asks: outputs agree within the table's tolerance (normalised
 * squared error), whatever the definition leaves alone is left alone bit by bit, and a second
 * run gives the same bytes. Outputs that are not accumulated start as NaN, so that reading one
 * shows.
 */
#pragma once

#include "compute/ops.h"

typedef struct {
  char *name;
  TrcOpId op;
  TrcOpParams params;
  guint8 absent;  /* bit i: tensor i is NULL */
  gint8 in_place; /* the output that lies on top of tensor 0, or 0 */
  guint32 n_ids;  /* ids are drawn from [-1, n_ids] */
} TrcOpCase;

/* All cases of all kernels: an array of TrcOpCase that frees its elements. */
GPtrArray *trc_op_cases (void);

/* Runs one case on @dev and fails the running test when it differs. */
void trc_op_case_check (TrcDevice *dev, const TrcOpCase *c);

/* All cases of one kernel; fails the test when there are none. */
void trc_op_cases_check (TrcDevice *dev, TrcOpId op);

/* Squared error of @a against the reference @b, as a share of the sum of squares of @b, or of
 * 0.001 per element where that is more: the operands are of size 1, and what cancels keeps
 * their error. */
double trc_normalised_error (const float *a, const float *b, gsize n);
