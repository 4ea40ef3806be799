/* compute/run.h - one forward pass, recorded, with interventions
 *
 * A TrcRun is what happened when a batch of prompts of one length went through a
 * model: ids, the activations that were asked for, and the logits. Several
 * interventions may act at once, each at a hook and at some positions.
 *
 * Shapes   B prompts, T positions, rows = B * T in the order (prompt, position).
 * Errors   TRC_COMPUTE_ERROR, G_IO_ERROR_CANCELLED. A NaN in the logits is
 *          TRC_COMPUTE_ERROR_NUMERIC and names the first layer that holds one.
 * Threads  made on the device's thread; immutable afterwards.
 * Lifetime refcounted; holds its model and device.
 */
#pragma once

#include "compute/hook.h"
#include "compute/model.h"
#include "compute/progress.h"
#include "compute/tape.h"

G_BEGIN_DECLS

typedef struct _TrcRun TrcRun;

/* The tensors of a pass. "width" is the last axis; every tensor is [rows][width]
 * but the pattern. */
typedef enum {
  TRC_SITE_EMBED,      /* d_model */
  TRC_SITE_RESID_PRE,  /* d_model */
  TRC_SITE_NORM1_MEAN, /* 1; LayerNorm only */
  TRC_SITE_NORM1_RSTD, /* 1; the scale that the linearised model freezes */
  TRC_SITE_NORM1,      /* d_model: what q, k and v read */
  TRC_SITE_Q,          /* n_heads * d_head, rotated */
  TRC_SITE_K,          /* n_kv_heads * d_head, rotated */
  TRC_SITE_V,          /* n_kv_heads * d_head */
  TRC_SITE_PATTERN,    /* [B][n_heads][T][T], rows sum to 1 */
  TRC_SITE_Z,          /* n_heads * d_head */
  TRC_SITE_ATTN_OUT,   /* d_model, bias included */
  TRC_SITE_RESID_MID,  /* d_model */
  TRC_SITE_NORM2_MEAN, /* 1; LayerNorm only */
  TRC_SITE_NORM2_RSTD, /* 1 */
  TRC_SITE_NORM2,      /* d_model: what the MLP reads */
  TRC_SITE_MLP_PRE,    /* d_mlp: x W_up + b, before the activation */
  TRC_SITE_MLP_GATE,   /* d_mlp: x W_gate + b, gated only; the activation acts on this one */
  TRC_SITE_MLP_ACT,    /* d_mlp: what W_down reads; the value of a neuron */
  TRC_SITE_MLP_OUT,    /* d_model, bias included */
  TRC_SITE_RESID_POST, /* d_model; equals resid_pre of the next layer */
  TRC_SITE_FINAL_MEAN, /* 1; LayerNorm only. The FINAL sites and LOGITS ignore the layer. */
  TRC_SITE_FINAL_RSTD, /* 1 */
  TRC_SITE_FINAL,      /* d_model: what the unembedding reads (resid_post of the last layer
                        * is what the final norm reads) */
  TRC_SITE_LOGITS,     /* n_vocab */
  TRC_N_SITES
} TrcSite;

/* A set of sites: TRC_SITE_BIT (TRC_SITE_Z) | .. */
#define TRC_SITE_BIT(site) (1u << (site))
#define TRC_SITES_ALL ((1u << TRC_N_SITES) - 1)

typedef enum {
  TRC_MODE_ZERO,
  TRC_MODE_MEAN,  /* by its mean over all prompts and positions of @source */
  TRC_MODE_SET,   /* by @value, or by @values when that is set */
  TRC_MODE_SCALE, /* times @value */
  TRC_MODE_ADD,   /* plus @value, or plus @values when that is set; gradients still pass */
  TRC_MODE_PATCH, /* by what it was in @source at the same prompt and position */
} TrcMode;

/* One change of one hook. Values before the change are those that earlier
 * changes left behind; a change of a hook acts on everything that reads it. */
typedef struct {
  TrcHook hook;
  TrcMode mode;
  float value;
  const float
      *values;    /* SET, ADD: one per column of the hook, used at every position; borrowed */
  TrcRun *source; /* MEAN, PATCH: a run of the same model that kept the site; borrowed.
                        * MEAN without one takes the run of the same ids unchanged. */
  gint64 prompt;  /* only this prompt of the batch; -1 for all */
} TrcIntervention;

typedef struct {
  const guint32 *ids; /* [n_prompts][n_tokens] */
  guint n_prompts, n_tokens;
  guint32 keep;       /* set of sites; the logits are always kept */
  gboolean last_only; /* logits of the last position alone: [n_prompts][n_vocab]. The last layer
                       * computes its queries and MLP only there; its kept sites have B rows. */
  const TrcIntervention *interventions;
  guint n_interventions;
} TrcRunParams;

/* Runs the model. NULL with @error set on failure or when cancelled. */
TrcRun *trc_run_new (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
                     const TrcProgress *progress, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. */
TrcRun *trc_run_ref (TrcRun *self);

/* One owner less; NULL is fine. */
void trc_run_unref (TrcRun *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcRun, trc_run_unref)

/* The model that was run. Borrowed. */
TrcModel *trc_run_model (const TrcRun *self);

/* Where it was run. Borrowed. */
TrcDevice *trc_run_device (const TrcRun *self);

/* The ids, n_prompts * n_tokens of them. Borrowed. */
const guint32 *trc_run_ids (const TrcRun *self, guint *n_prompts, guint *n_tokens);

/* A recorded tensor after the interventions, borrowed; NULL when it was not kept
 * or when this model has no such site. */
TrcTensor *trc_run_tensor (const TrcRun *self, TrcSite site, guint layer);

/* The same, copied to host memory: @n floats. */
gboolean trc_run_read (const TrcRun *self, TrcSite site, guint layer, float *dst, gsize n,
                       GError **error);

/* The same as a host copy that is made once and stays with the run; borrowed. */
const float *trc_run_host (TrcRun *self, TrcSite site, guint layer, GError **error);

/* Logits of one prompt and position (negative counts from the end), borrowed,
 * n_vocab of them; copied from the device once. */
const float *trc_run_logits (TrcRun *self, guint prompt, gint position, GError **error);

/* The site that a hook lives at, and its columns [first, first + n) there. */
TrcSite
trc_hook_site (const TrcHook *hook, const TrcModelConfig *config, guint *first, guint *n);

/* Name of a site, such as "resid_pre". Static text. */
const char *trc_site_name (TrcSite site);

/* --- The same pass on a caller's tape: for gradients, training and attribution --- */

/* How the non-linear ops are treated by the backward pass; see compute/tape.h.
 * All zero is the plain gradient. */
typedef struct {
  gboolean freeze_pattern; /* attention passes gradients through its values alone */
  gboolean freeze_scale;   /* norms are linear, their scale a constant */
  guint rule;              /* TRC_RULE_* of compute/ops.h for activations and gates */
} TrcLinearise;

typedef struct {
  const guint32 *ids;   /* [n_prompts][n_tokens] */
  TrcTensor *id_tensor; /* the same on the device (i32), or NULL: made from @ids */
  guint n_prompts, n_tokens;
  gboolean last_only;
  TrcLinearise linearise;
  const TrcIntervention *interventions; /* constants for the gradient */
  guint n_interventions;
  TrcTensor *embed; /* instead of the rows of ids when set: [rows][d_model] */
  gboolean train;   /* weights are parameters whose gradients are wanted */
} TrcForwardParams;

/* Where every site of a pass is on the tape. TRC_VAR_NONE: not there. The means and scales of
 * norms are no variables: trc_forward_tensor() finds them. */
typedef struct {
  guint n_layers;
  guint norm;                      /* TRC_NORM_* of the model */
  TrcVar outer[TRC_N_SITES];       /* embed, final, logits */
  TrcVar (*layer)[TRC_N_SITES];    /* [n_layers][TRC_N_SITES] */
  TrcVar (*weight)[TRC_N_WEIGHTS]; /* [n_layers + 1]; the last row holds the outer weights */
} TrcForward;

/* The variable of a site; the outer sites ignore the layer. */
TrcVar trc_forward_var (const TrcForward *self, TrcSite site, guint layer);

/* The tensor of a site, the norms' means and scales included; borrowed from the tape, NULL
 * when this model has no such site. */
TrcTensor *
trc_forward_tensor (const TrcForward *self, const TrcTape *tape, TrcSite site, guint layer);

/* Writes the forward pass of @model onto @tape. Errors of the ops stay in the tape
 * and are asked for there; NULL means that the weights could not be had. Free with
 * trc_forward_free(); the variables belong to the tape. */
TrcForward *trc_forward_new (TrcTape *tape, TrcModel *model, const TrcForwardParams *params,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees the table, not the variables. NULL is fine. */
void trc_forward_free (TrcForward *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcForward, trc_forward_free)

G_END_DECLS
