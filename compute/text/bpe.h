/* compute/text/bpe.h - byte-pair encoding of one piece of text
 *
 * Two ways to choose which neighbours to join next:
 *   ranked   the pair that stands first in the list of merges (GPT-2, Llama 3)
 *   scored   the pair whose joined text has the best score in the vocabulary
 *            (SentencePiece BPE: Llama 2)
 * Ties go to the leftmost pair. Candidates wait in a heap, so a piece of n bytes
 * costs O(n log n) even when no pre-tokeniser has cut the text.
 *
 * Threads   build on one; encode from any, each with its own TrcBpeWork.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *data;
  gsize len;
} TrcBytes;

/* One token of an encoded piece: [start, start + len) of its bytes. */
typedef struct {
  guint32 id;
  guint32 start, len;
} TrcBpeToken;

typedef struct _TrcBpe TrcBpe;

/* Scratch memory of one encoding thread. */
typedef struct {
  GArray *symbols, *heap;
} TrcBpeWork;

enum { TRC_BPE_NONE = G_MAXUINT32 }; /* no such token */

/* An empty vocabulary. */
TrcBpe *trc_bpe_new (void);
/* NULL is fine. */
void trc_bpe_free (TrcBpe *self);

/* Appends a token; its id is its rank of arrival. @matchable FALSE keeps the id
 * but never produces it from text. Copies the bytes. */
void trc_bpe_add (TrcBpe *self, TrcBytes text, float score, gboolean matchable);
/* Number of tokens. */
guint trc_bpe_n_tokens (const TrcBpe *self);
/* The bytes of token @id. */
TrcBytes trc_bpe_token (const TrcBpe *self, guint32 id);
/* The id of exactly these bytes, or TRC_BPE_NONE. */
guint32 trc_bpe_find (const TrcBpe *self, TrcBytes text);

/* The next merge of a ranked vocabulary; FALSE when one of the three texts is
 * no token. */
gboolean trc_bpe_add_merge (TrcBpe *self, TrcBytes left, TrcBytes right);

/* How single characters become tokens. */
typedef enum {
  TRC_BPE_BYTES,         /* each byte is a token (byte-level) */
  TRC_BPE_CHARACTERS,    /* each character, else the unknown token */
  TRC_BPE_BYTE_FALLBACK, /* each character, else its bytes as <0xNN>, else unknown */
} TrcBpeUnits;

/* Says how encoding goes on. @scored: joins by score, not by rank. @whole: a piece
 * that is a token is taken unmerged. Builds the table of byte tokens. */
void trc_bpe_finish (TrcBpe *self, TrcBpeUnits units, gboolean scored, gboolean whole,
                     guint32 unknown, gboolean fuse_unknown);

/* TRUE if no token holds U+2581 after another character, so that text can be
 * cut before each run of it without changing the result. */
gboolean trc_bpe_words_are_separate (const TrcBpe *self);

/* Appends the tokens of @piece to @out (of TrcBpeToken). Characters that have
 * neither token, bytes nor unknown token are returned with id TRC_BPE_NONE. */
void trc_bpe_encode (const TrcBpe *self, TrcBytes piece, TrcBpeWork *work, GArray *out);

/* Empty scratch memory. */
void trc_bpe_work_init (TrcBpeWork *work);
/* Frees what it holds. */
void trc_bpe_work_clear (TrcBpeWork *work);

G_END_DECLS
