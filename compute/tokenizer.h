/* compute/tokenizer.h - text to token ids and back
 *
 * One neutral face over every kind of tokeniser. A tokeniser is read from the
 * files that lie beside a model and never changes afterwards.
 *
 * Units    spans are byte offsets into the UTF-8 text that was encoded.
 * Errors   TRC_COMPUTE_ERROR; text that cannot be written in the vocabulary is
 *          TRC_COMPUTE_ERROR_NOT_FOUND and names the part.
 * Threads  immutable; any thread.
 */
#pragma once

#include <glib.h>

#include "compute/error.h"

G_BEGIN_DECLS

typedef struct _TrcTokenizer TrcTokenizer;

/* Where a token lies in the text: bytes [first, end). Special tokens that the
 * tokeniser adds by itself have an empty span. */
typedef struct {
  gsize first, end;
} TrcSpan;

typedef enum {
  TRC_ENCODE_DEFAULT = 0, /* with the special tokens that the model expects around a prompt */
  TRC_ENCODE_NO_SPECIAL = 1 << 0 /* the text alone */
} TrcEncodeFlags;

/* Reads the tokeniser files of a model folder, or one such file: tokenizer.json,
 * tokenizer.model (SentencePiece BPE), vocab.json with merges.txt or with a word
 * list, tok*.bin of llama2.c, the metadata of a GGUF file. */
TrcTokenizer *trc_tokenizer_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. */
TrcTokenizer *trc_tokenizer_ref (TrcTokenizer *self);

/* One owner less; NULL is fine. */
void trc_tokenizer_unref (TrcTokenizer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTokenizer, trc_tokenizer_unref)

/* Number of ids; valid ids are below it. */
guint trc_tokenizer_n_tokens (const TrcTokenizer *self);

/* Appends the ids of @text to @ids (of guint32) and, unless it is NULL, their
 * places to @spans (of TrcSpan). Both are as they were on failure. */
gboolean trc_tokenizer_encode (const TrcTokenizer *self, const char *text, TrcEncodeFlags flags,
                               GArray *ids, GArray *spans, GError **error);

/* The text of one token for people, borrowed; NULL for an id out of range. */
const char *trc_tokenizer_text (const TrcTokenizer *self, guint32 id);

/* The text that a row of ids stands for. Free with g_free(). */
char *trc_tokenizer_decode (const TrcTokenizer *self, const guint32 *ids, gsize n);

/* The id whose text is exactly @text; TRC_COMPUTE_ERROR_NOT_FOUND otherwise. */
gboolean
trc_tokenizer_find (const TrcTokenizer *self, const char *text, guint32 *id, GError **error);

G_END_DECLS
