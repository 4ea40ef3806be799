/* compute/hook.h - the names of places inside a model
 *
 * One grammar for the command line, the window and the files:
 *
 *   embed  final  logits
 *   L3.H5  L3.H5.q|k|v  L3.attn  L3.mlp  L3.n120  L3.f1207
 *   L3.resid_pre  L3.resid_mid  L3.resid_post
 *
 * each with an optional position behind it: @4, @-1 (the last), @2-5 (both
 * ends included). Layers, heads, neurons and positions count from 0.
 *
 * Errors   TRC_COMPUTE_ERROR_INVALID for text that is no hook,
 *          TRC_COMPUTE_ERROR_NOT_FOUND for a hook that this model has not.
 * Threads  values, no state.
 */
#pragma once

#include <glib.h>

#include "compute/error.h"

G_BEGIN_DECLS

typedef struct _TrcModelConfig TrcModelConfig;

typedef enum {
  TRC_HOOK_EMBED,     /* token plus position row: the residual stream before layer 0 */
  TRC_HOOK_RESID_PRE, /* the residual stream as layer L reads it */
  TRC_HOOK_Q,         /* query of one head, after its rotation */
  TRC_HOOK_K,         /* key of one head (grouped: of the head's group) */
  TRC_HOOK_V,         /* value of one head (grouped: of the head's group) */
  TRC_HOOK_HEAD,      /* z of one head: pattern times values, before W_O */
  TRC_HOOK_ATTN, /* what all heads of a layer add to the stream, W_O and its bias included */
  TRC_HOOK_RESID_MID,  /* the stream between attention and MLP */
  TRC_HOOK_NEURON,     /* one MLP unit: what is multiplied with its row of W_out */
  TRC_HOOK_FEATURE,    /* one unit of a dictionary */
  TRC_HOOK_MLP,        /* what the MLP adds to the stream, its bias included */
  TRC_HOOK_RESID_POST, /* the residual stream that layer L leaves */
  TRC_HOOK_FINAL,      /* the stream after the last layer, before the final norm */
  TRC_HOOK_LOGITS,
} TrcHookKind;

typedef struct {
  TrcHookKind kind;
  guint layer;           /* for the kinds that live in a layer */
  guint64 index;         /* head, neuron or feature */
  gboolean has_position; /* FALSE: every position */
  gint64 first, last;    /* inclusive; negative counts from the end until resolved */
} TrcHook;

/* Reads a hook from @text. @hook is untouched on failure. */
gboolean trc_hook_parse (const char *text, TrcHook *hook, GError **error);

/* Checks the layer, the index and the positions of @hook against a model and a
 * prompt of @n_tokens, and turns negative positions into plain ones. */
gboolean
trc_hook_resolve (TrcHook *hook, const TrcModelConfig *config, guint n_tokens, GError **error);

/* The text that trc_hook_parse() reads back as the same hook. Free with g_free(). */
char *trc_hook_format (const TrcHook *hook);

G_END_DECLS
