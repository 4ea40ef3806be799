/* compute/text/normal.h - text on its way to the tokens, and where each byte came from
 *
 * A TrcNormal is a piece of the original text that normalisers may rewrite. For
 * each byte it knows the bytes of the original it stands for, so that tokens can
 * be shown in place. As long as nothing was rewritten no table is kept.
 *
 * Threads   one owner.
 */
#pragma once

#include "compute/text/bpe.h"
#include "compute/tokenizer.h"

G_BEGIN_DECLS

typedef struct {
  GString *text;
  gsize base; /* where the piece begins in the original */
  GArray
      *first; /* of guint32: original byte at which each byte's source begins; NULL: identity */
  GArray *end; /* of guint32: and where it ends */
} TrcNormal;

/* Takes a copy of @piece, which begins at byte @base of the original. */
void trc_normal_init (TrcNormal *self, TrcBytes piece, gsize base);
/* Frees what it holds. */
void trc_normal_clear (TrcNormal *self);

/* Puts @what before the text; it stands for nothing. */
void trc_normal_prepend (TrcNormal *self, const char *what);
/* Replaces every @from (not empty) by @to. */
void trc_normal_replace (TrcNormal *self, const char *from, const char *to);
/* Unicode normal form, e.g. G_NORMALIZE_NFC. */
void trc_normal_form (TrcNormal *self, GNormalizeMode mode);

/* The original bytes that [start, start + len) of the text stand for. */
TrcSpan trc_normal_span (const TrcNormal *self, gsize start, gsize len);

G_END_DECLS
