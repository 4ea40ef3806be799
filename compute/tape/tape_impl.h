/* compute/tape/tape_impl.h - the inside of a tape, for the files that hold its functions
 *
 * Private to compute/tape. A function checks its inputs with trc_tape_ready(), makes its output
 * with trc_tape_out(), runs kernels through trc_tape_try() and ends with trc_tape_push().
 * Its way back gets the gradient of the output and writes into what trc_tape_grad_for()
 * gives for each input.
 */
#pragma once

#include "compute/tape.h"

#include <string.h>

G_BEGIN_DECLS

typedef struct _TrcNode TrcNode;

/* Pulls node->grad back. The node pointer stays valid: nothing is pushed meanwhile. */
typedef void (*TrcBackFunc) (TrcTape *tape, TrcNode *node);

struct _TrcNode {
  TrcTensor *tensor;
  TrcTensor *grad;
  TrcBackFunc back;
  TrcVar in[3];
  TrcTensor *saved[2]; /* owned: what the kernels kept for the way back, or ids */
  TrcOpParams params;  /* of the forward kernel, offsets included */
  guint8 needs_grad : 1;
  guint8 keep_grad : 1; /* not freed once it has been pulled back */
  guint8 is_into : 1;   /* grad is the caller's, added to */
  guint8 flag : 1;      /* a linearised mode or transposition, by function */
  guint8 flag2 : 1;
};

/* TRUE when the tape has not failed and all @n vars are values of it. */
gboolean trc_tape_ready (TrcTape *self, guint n, const TrcVar *vars);

/* Reports shapes that do not fit: a caller's bug. Returns TRC_VAR_NONE. */
TrcVar trc_tape_misfit (TrcTape *self, const char *function);

/* The node of @var; valid until the next push. */
TrcNode *trc_tape_node (const TrcTape *self, TrcVar var);

/* All axes but the last, and the last, of a value. */
guint32 trc_tape_rows_of (const TrcTape *self, TrcVar var);

/* The last axis. */
guint32 trc_tape_cols_of (const TrcTape *self, TrcVar var);

/* New f32 tensor, owned; NULL and a failed tape when there is no memory. */
TrcTensor *trc_tape_out (TrcTape *self, TrcShape shape, const char *label);

/* Remembers what @error points at when a kernel failed. Returns @ok. */
gboolean trc_tape_try (TrcTape *self, gboolean ok, GError **error);

/* Runs one kernel unless the tape has failed. */
gboolean trc_tape_run (TrcTape *self, const TrcOpCall *call);

/* Adds a value made by a function. Takes node->tensor and node->saved. On a failed tape frees
 * them and returns TRC_VAR_NONE. needs_grad is worked out from the inputs. */
TrcVar trc_tape_push (TrcTape *self, TrcNode *node);

/* The tensor to write the gradient of @var into, and whether to add to it; NULL when none is
 * wanted or the tape has failed. */
TrcTensor *trc_tape_grad_for (TrcTape *self, TrcVar var, guint32 *accumulate);

/* The same for a function that writes only a part of it: cleared when it is new, always to be
 * added to. */
TrcTensor *trc_tape_grad_part (TrcTape *self, TrcVar var);

/* Gives the gradient of @node to @var as it is, when @var has none yet and nobody else wants
 * it. FALSE when that is not possible. */
gboolean trc_tape_grad_move (TrcTape *self, TrcNode *node, TrcVar var);

G_END_DECLS
