/* compute/graph/symbols.h - texts to small numbers, fast
 *
 * Private to compute/graph. A link of a file names two nodes by text, and a file
 * has millions of links: this table neither allocates for a text that it knows
 * nor needs texts to end in NUL. Numbers count up from 0 in order of first sight.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TRC_NO_SYMBOL G_MAXUINT32

typedef struct _TrcSymbols TrcSymbols;

/* An empty table. */
TrcSymbols *trc_symbols_new (void);

/* Frees; NULL is fine. */
void trc_symbols_free (TrcSymbols *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcSymbols, trc_symbols_free)

/* Number of @text, a new one if need be; TRC_NO_SYMBOL when memory is out. */
guint32 trc_symbols_add (TrcSymbols *self, const char *text, gsize len);

/* Texts so far. */
guint32 trc_symbols_count (const TrcSymbols *self);

/* The text behind a number, ends in NUL. */
const char *trc_symbols_text (const TrcSymbols *self, guint32 symbol);

G_END_DECLS
