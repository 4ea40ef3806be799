/* compute/text/subword.h - tokenisers that build tokens out of bytes or characters
 *
 * The way of a text:  cut out added tokens -> normalise -> cut out added tokens that
 * are matched after normalising -> split into pieces -> byte-pair encoding; then
 * the template's tokens around it. The readers of the four file formats fill in a
 * TrcSubword and call trc_subword_finish().
 *
 * Private to compute/text.
 */
#pragma once

#include "compute/text/bpe.h"
#include "compute/text/split.h"
#include "compute/text/tokenizer_impl.h"

G_BEGIN_DECLS

typedef enum {
  TRC_NORMAL_PREPEND,       /* always, unless the text is empty */
  TRC_NORMAL_PREPEND_SPACE, /* unless the text begins with white space */
  TRC_NORMAL_PREPEND_MARK,  /* unless the text begins with it already */
  TRC_NORMAL_REPLACE,
  TRC_NORMAL_NFC,
  TRC_NORMAL_NFD,
  TRC_NORMAL_NFKC,
  TRC_NORMAL_NFKD,
} TrcNormalStepKind;

typedef struct {
  TrcNormalStepKind kind;
  char *from, *to; /* the three PREPENDs use `to` */
} TrcNormalStep;

/* A token that is looked for in the text before anything else happens. */
typedef struct {
  char *text;
  guint32 id;
  gboolean left_strip, right_strip; /* swallows white space beside it */
  gboolean single_word;             /* only where no word character touches it */
  gboolean normalized;              /* looked for after normalising, its text normalised too */
} TrcAddedToken;

/* How the pieces of a text are put together again. */
typedef enum {
  TRC_DECODE_BYTES,  /* byte-level: the tokens hold the bytes themselves */
  TRC_DECODE_SPACES, /* U+2581 stands for a space, <0xNN> for a byte */
} TrcDecode;

typedef struct {
  TrcTokenizer parent;
  char *name; /* of the file, for messages */
  TrcBpe *bpe;
  TrcSplitter *splitter;
  GArray *normal;         /* of TrcNormalStep */
  GArray *added;          /* of TrcAddedToken */
  GArray *before, *after; /* of guint32: special tokens around a prompt */
  TrcDecode decode;
  gboolean strip_first_space; /* decode drops the space that normalising put first */
  GHashTable *hidden;         /* ids that decoding leaves out: special tokens */
  /* made by finish */
  GPtrArray *texts;    /* of char *: each token for people */
  GPtrArray *raw;      /* of GBytes *: each token's bytes */
  GHashTable *by_text; /* text -> id + 1 */
  GArray *starts;      /* of guint16 [256 + 1]: added tokens by first byte */
} TrcSubword;

/* An empty tokeniser whose messages name @name. */
TrcSubword *trc_subword_new (const char *name);

/* Adds a normalising step; the strings are copied and may be NULL. */
void trc_subword_add_normal (TrcSubword *self, TrcNormalStepKind kind, const char *from,
                             const char *to);
/* Adds a token to look for; takes nothing over. A text with an id beyond the
 * vocabulary so far extends it. */
gboolean trc_subword_add_token (TrcSubword *self, TrcAddedToken token, GError **error);

/* Builds the tables for decoding and looking up, after which nothing changes. */
TrcTokenizer *trc_subword_finish (TrcSubword *self);

/* The bytes that a byte-level token's printable text stands for, or a copy of the
 * text when it is not in that alphabet. */
GBytes *trc_subword_byte_level (const char *text, gsize len);

/* The readers. Each returns NULL with @error naming the file. */
TrcTokenizer *trc_subword_open_json (const char *path, GError **error);
/* vocab.json (text -> id) and merges.txt, as GPT-2 has them. */
TrcTokenizer *trc_subword_open_merges (const char *vocab, const char *merges, GError **error);
/* tokenizer.model of SentencePiece. */
TrcTokenizer *trc_subword_open_model (const char *path, GError **error);
/* tok*.bin of llama2.c. */
TrcTokenizer *trc_subword_open_bin (const char *path, GError **error);

G_END_DECLS
