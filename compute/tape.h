/* compute/tape.h - differentiable functions: forward now, gradients when asked
 *
 * Each function runs its kernels at once and notes what the way back needs. The linearised
 * modes are arguments: freeze_pattern, freeze_scale and the activation rule change only the
 * way back, as compute/ops.h defines them.
 *
 *   g_autoptr (TrcTape) tape = trc_tape_new (dev, 0);
 *   TrcVar w = trc_tape_param (tape, weight), x = trc_tape_input (tape, data);
 *   TrcVar loss = trc_tape_sum (tape, trc_tape_linear (tape, x, w, FALSE, TRC_VAR_NONE), 1.0f);
 *   if (!trc_tape_backward (tape, loss, NULL, &error)) ...
 *   TrcTensor *dw = trc_tape_grad (tape, w);
 *   trc_tape_reset (tape);    // memory goes to the device's pool, the next round reuses it
 *
 * Shapes   Activations are (rows, cols) with rows = batch * positions, b slowest; patterns
 *          (batch, heads, t, t). Leaves of other shapes count as (all but the last, last axis).
 * Errors   sticky: after the first failure (device, memory, cancelled) every function does
 *          nothing and returns TRC_VAR_NONE, which functions accept then. Ask trc_tape_status()
 *          once at the end, or trc_tape_backward(), which reports the same error. Shapes that do not
 *          fit: a caller's bug, g_critical and a failed tape.
 * Threads  those of the device.
 * Lifetime Tensors got from the tape are borrowed: valid until reset, release or free; take a
 *          reference to keep one.
 */
#pragma once

#include "compute/ops.h"

G_BEGIN_DECLS

typedef struct _TrcTape TrcTape;

/* A value on a tape. 0 is none. */
typedef guint32 TrcVar;
#define TRC_VAR_NONE 0u

typedef enum {
  TRC_TAPE_RECORD = 0,
  TRC_TAPE_INFERENCE = 1, /* no way back; trc_tape_release() frees what is behind */
} TrcTapeFlags;

/* Columns [column, ...) of a value: queries, keys and values may lie in one fused tensor. */
typedef struct {
  TrcVar var;
  guint32 column;
} TrcCols;

typedef struct {
  guint32 batch, t;  /* the values have batch * t rows */
  guint32 n_queries; /* queries of the last n positions alone: queries and z have
                                        * batch * n rows, patterns are (.., n, t); 0: all t */
  guint32 n_heads, n_kv_heads, d_head; /* head h is columns [h * d_head, (h + 1) * d_head) */
  float scale;                         /* of the scores, usually 1 / sqrt (d_head) */
  guint32 window;                      /* sliding window, 0: none */
  gboolean bidirectional;              /* FALSE: causal */
} TrcAttnShape;

/* An empty tape. */
TrcTape *trc_tape_new (TrcDevice *dev, TrcTapeFlags flags) G_GNUC_WARN_UNUSED_RESULT;

/* Frees the tape and its tensors. NULL is fine. */
void trc_tape_free (TrcTape *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTape, trc_tape_free)

/* Forgets all values and the error; borrowed tensors die. */
void trc_tape_reset (TrcTape *self);

/* FALSE with the first error since the last reset. */
gboolean trc_tape_status (const TrcTape *self, GError **error);

/* Makes the tape fail with @error (taken), unless it has failed already. For functions
 * built on a tape that meet trouble of their own. */
void trc_tape_fail (TrcTape *self, GError *error);

/* The device. Borrowed. */
TrcDevice *trc_tape_device (const TrcTape *self);

/* --- leaves ------------------------------------------------------------------------------- */

/* A value without gradient. Keeps a reference to @tensor. */
TrcVar trc_tape_input (TrcTape *self, TrcTensor *tensor);

/* A value whose gradient is wanted: a weight, or an activation to attribute to. */
TrcVar trc_tape_param (TrcTape *self, TrcTensor *tensor);

/* The same, with gradients ADDED into @grad (same count), which the caller has cleared. */
TrcVar trc_tape_param_into (TrcTape *self, TrcTensor *tensor, TrcTensor *grad);

/* --- results ------------------------------------------------------------------------------ */

/* The value's tensor, borrowed; NULL for TRC_VAR_NONE. Writing into it changes what later
 * functions see (interventions); on a recording tape only before anything used it. */
TrcTensor *trc_tape_tensor (const TrcTape *self, TrcVar var);

/* Asks that the gradient of an inner value is kept by the next trc_tape_backward(). */
void trc_tape_keep_grad (TrcTape *self, TrcVar var);

/* d(var)/d(everything), weighted by @seed (same count as @var; NULL: ones). Gradients of an
 * earlier call are dropped, except those given by param_into, so one forward may be
 * pulled back several times with several seeds. */
gboolean trc_tape_backward (TrcTape *self, TrcVar var, TrcTensor *seed, GError **error);

/* The gradient of a param or of a value named by keep_grad, in the shape of its tensor; NULL
 * when nothing flowed there. Borrowed, valid until the next backward. */
TrcTensor *trc_tape_grad (const TrcTape *self, TrcVar var);

/* --- memory of inference tapes ------------------------------------------------------------ */

/* How far the tape is. */
guint trc_tape_mark (const TrcTape *self);

/* Forgets all values made since @mark, except @keep (may be NONE), and gives its new name. */
TrcVar trc_tape_release (TrcTape *self, guint mark, TrcVar keep);

/* --- functions ---------------------------------------------------------------------------- */

/* alpha * op(a) op(b); all two-dimensional. */
TrcVar trc_tape_matmul (TrcTape *self, TrcVar a, gboolean trans_a, TrcVar b, gboolean trans_b,
                        float alpha);

/* x w + bias: w is (in, out), with @trans_w (out, in); @bias (out) or NONE. */
TrcVar trc_tape_linear (TrcTape *self, TrcVar x, TrcVar w, gboolean trans_w, TrcVar bias);

/* Rows of @table (rows, d) by the i32 tensor @ids, of any shape: (count, d). */
TrcVar trc_tape_embed (TrcTape *self, TrcVar table, TrcTensor *ids);

/* a + beta * b. @b may have fewer rows: row i of @a meets row i % rows(b) (bias, positions). */
TrcVar trc_tape_add_scaled (TrcTape *self, TrcVar a, float beta, TrcVar b);

/* a + b, as above. */
TrcVar trc_tape_add (TrcTape *self, TrcVar a, TrcVar b);

/* alpha * a. */
TrcVar trc_tape_scale (TrcTape *self, TrcVar a, float alpha);

/* a * b elementwise, equal shapes. */
TrcVar trc_tape_mul (TrcTape *self, TrcVar a, TrcVar b);

/* Rows first, first + step, ... : @n of them. The last position: (t - 1, t, batch). */
TrcVar trc_tape_rows (TrcTape *self, TrcVar x, guint32 first, guint32 step, guint32 n);

/* LayerNorm or RMSNorm (TRC_NORM_*). @gain, @bias: NONE where the model has none; @gain_add 0,
 * or 1 for models that store gain - 1. With @freeze_scale the way back treats rstd as a
 * constant. */
TrcVar trc_tape_norm (TrcTape *self, TrcVar x, TrcVar gain, TrcVar bias, guint kind, float eps,
                      float gain_add, gboolean freeze_scale);

/* What a norm saved: 1 / standard deviation of every row, and the mean (NULL for RMSNorm). */
TrcTensor *trc_tape_norm_rstd (const TrcTape *self, TrcVar norm);

/* The mean of every row, NULL for RMSNorm. */
TrcTensor *trc_tape_norm_mean (const TrcTape *self, TrcVar norm);

/* f(x) (TRC_ACT_*), pulled back by @rule (TRC_RULE_*). */
TrcVar trc_tape_act (TrcTape *self, TrcVar x, guint kind, guint rule);

/* f(gate) * up over @width columns of each, which may be windows of one fused value. */
TrcVar
trc_tape_gated (TrcTape *self, TrcCols gate, TrcCols up, guint32 width, guint kind, guint rule);

/* Rotary positions on columns [x.column, x.column + n_heads * d_head) of x.var, as a new value
 * of that width. @table is (positions, n_rot / 2, 2) of cosines and sines: trc_rope_table(). */
TrcVar trc_tape_rope (TrcTape *self, TrcCols x, TrcTensor *table, guint32 n_heads,
                      guint32 d_head, guint32 t, gboolean interleaved);

/* Attention patterns (batch, n_heads, t, t) of queries and keys. */
TrcVar trc_tape_attn_pattern (TrcTape *self, TrcCols q, TrcCols k, const TrcAttnShape *shape);

/* z (batch * t, n_heads * d_head): values mixed by @pattern. With @freeze_pattern no gradient
 * flows into the pattern, hence none to queries and keys. */
TrcVar trc_tape_attn_apply (TrcTape *self, TrcVar pattern, TrcCols v, const TrcAttnShape *shape,
                            gboolean freeze_pattern);

/* softmax (scale * x) of every row. */
TrcVar trc_tape_softmax (TrcTape *self, TrcVar x, float scale);

/* Cross-entropy of every row against the i32 tensor @targets (negative: ignored): (rows). */
TrcVar trc_tape_cross_entropy (TrcTape *self, TrcVar logits, TrcTensor *targets);

/* alpha times the sum of all elements, shape (1). The mean: alpha = 1 / count. */
TrcVar trc_tape_sum (TrcTape *self, TrcVar x, float alpha);

/* Sum of products of equal shapes, shape (1). */
TrcVar trc_tape_dot (TrcTape *self, TrcVar a, TrcVar b);

/* --- tables ------------------------------------------------------------------------------- */

/* Table for trc_tape_rope(): angle of pair i at position p is p / base^(2i / n_rot), or
 * p * freq[i] when @freq (n_rot / 2) is given. */
TrcTensor *trc_rope_table (TrcDevice *dev, guint32 n_positions, guint32 n_rot, double base,
                           const double *freq, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
