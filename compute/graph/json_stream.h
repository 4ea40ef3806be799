/* compute/graph/json_stream.h - JSON as it comes in, member by member
 *
 * Private to compute/graph. Around yajl: the caller says for each object or
 * array whether it wants the members one by one or the whole as one piece of
 * text. Memory is one buffer, plus the pieces.
 *
 * Errors   one sentence with the file's name and the line. A handler's own
 *          message is put behind "NAME, line N: ".
 */
#pragma once

#include "compute/progress.h"

G_BEGIN_DECLS

typedef enum {
  TRC_JSON_NULL,
  TRC_JSON_BOOL,
  TRC_JSON_NUMBER, /* finite; text as in the file */
  TRC_JSON_STRING, /* unescaped */
  TRC_JSON_RAW,    /* a whole object or array as compact JSON */
} TrcJsonKind;

typedef struct {
  TrcJsonKind kind;
  gboolean truth; /* BOOL */
  double number;  /* NUMBER */
  const char *text;
  gsize len; /* @text need not end in NUL */
} TrcJsonValue;

/* @key is the member's name, "" for elements of an array and for the document. */
typedef struct {
  /* An object or array begins. Sets *descend to get its members one by one. */
  gboolean (*enter) (gpointer data, const char *key, gboolean is_array, gboolean *descend,
                     GError **error);
  /* One that was descended into ends. */
  gboolean (*leave) (gpointer data, GError **error);
  /* A member, element or piece. */
  gboolean (*value) (gpointer data, const char *key, const TrcJsonValue *value, GError **error);
} TrcJsonHandler;

/* Reads @stream, @size bytes long as far as is known (-1 = not known), to its end. */
gboolean trc_json_stream_read (GInputStream *stream, goffset size, const char *name,
                               const TrcJsonHandler *handler, gpointer data,
                               const TrcProgress *progress, GError **error);

/* TRUE if @value is the text @text. */
gboolean trc_json_value_is (const TrcJsonValue *value, const char *text);

/* Appends "key":value, the value written as JSON. A comma comes first if @out is not empty. */
void trc_json_append_member (GString *out, const char *key, const TrcJsonValue *value);

/* The value as JSON text. */
void trc_json_append_value (GString *out, const TrcJsonValue *value);

G_END_DECLS
