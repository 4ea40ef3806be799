/* compute/text/tokenizer_impl.h - what a kind of tokeniser fills in
 *
 * Private to compute/text.
 */
#pragma once

#include "compute/tokenizer.h"

typedef struct {
  void (*free) (TrcTokenizer *self); /* the parts, not the box */
  guint (*n_tokens) (const TrcTokenizer *self);
  gboolean (*encode) (const TrcTokenizer *self, const char *text, TrcEncodeFlags flags,
                      GArray *ids, GArray *spans, GError **error);
  const char *(*text) (const TrcTokenizer *self, guint32 id);
  char *(*decode) (const TrcTokenizer *self, const guint32 *ids, gsize n);
  gboolean (*find) (const TrcTokenizer *self, const char *text, guint32 *id);
} TrcTokenizerKind;

/* The first member of every kind's own struct; make it with g_atomic_rc_box_new0(). */
struct _TrcTokenizer {
  const TrcTokenizerKind *kind;
};

/* The word list of a vocab.json {"tokens": [..], "skip": [..]}. */
TrcTokenizer *trc_word_tokenizer_open (const char *path, GError **error);
