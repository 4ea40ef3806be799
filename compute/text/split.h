/* compute/text/split.h - cutting text into the pieces that are encoded one by one
 *
 * The pre-tokenisers of tokenizer.json, as a list of steps; each cuts the pieces
 * that the one before it left.
 *
 * Threads   immutable once built: any.
 */
#pragma once

#include "compute/tokenizer.h"

G_BEGIN_DECLS

typedef enum {
  TRC_SPLIT_ISOLATED,      /* a match is a piece, what lies between is a piece */
  TRC_SPLIT_REMOVED,       /* only what lies between */
  TRC_SPLIT_WITH_PREVIOUS, /* a match ends a piece */
  TRC_SPLIT_WITH_NEXT,     /* a match begins a piece */
} TrcSplitKind;

typedef struct _TrcSplitter TrcSplitter;

/* A splitter without steps: everything is one piece. */
TrcSplitter *trc_splitter_new (void);
/* NULL is fine. */
void trc_splitter_free (TrcSplitter *self);

/* One more step. @invert: what lies between matches is taken for the match. Fails
 * when PCRE does not know the pattern; @name names the file in the message. */
gboolean trc_splitter_add (TrcSplitter *self, const char *pattern, TrcSplitKind kind,
                           gboolean invert, const char *name, GError **error);

/* Appends the pieces of text[0, len) to @out (of TrcSpan, in bytes of @text). */
gboolean trc_splitter_run (const TrcSplitter *self, const char *text, gsize len, GArray *out,
                           GError **error);

/* The pattern of GPT-2, used wherever "ByteLevel" cuts by itself. */
extern const char trc_split_gpt2[];

/* The pattern a GGUF file means by tokenizer.ggml.pre, with the number of leading
 * digits patterns; NULL when Tracery does not know the name. */
const char *const *trc_split_gguf (const char *pre);

G_END_DECLS
