/* compute/graph/json_text.h - writing JSON into a GString
 *
 * Private to compute/graph. Numbers are written so that they read back as the
 * same double; texts are valid UTF-8 already.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Deepest nesting that we read: real files need five. */
#define TRC_JSON_MAX_DEPTH 64

/* A JSON text, quotes included. @text need not end in NUL. */
void trc_json_append_string (GString *out, const char *text, gsize len);

/* A JSON number, "null" where @value is NAN or infinite. */
void trc_json_append_number (GString *out, double value);

/* Parses a whole number text; never depends on the locale. FALSE when it is out
 * of the range of a double. */
gboolean trc_json_parse_number (const char *text, gsize len, double *value);

/* Parses an integer that fits 64 bits; "12.0" is one too. */
gboolean trc_json_parse_integer (const char *text, gsize len, gint64 *value);

/* The start of a text from a file, fit for a message: valid UTF-8, one line, at
 * most 40 characters. Free with g_free(). */
char *trc_json_dup_short (const char *text);

G_END_DECLS
