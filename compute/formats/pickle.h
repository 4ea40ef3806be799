/* compute/formats/pickle.h - what is written in a Python pickle, never run
 *
 * Private to compute. A pickle is a program that calls Python functions; here
 * nothing is called: a class, a call and an object become inert records that
 * say what was named and with what arguments. So a file from anywhere is safe
 * to read, and the worst that it can do is to be refused.
 *
 * Memory   in proportion to the length of the pickle.
 * Errors   TRC_COMPUTE_ERROR_INVALID / _UNSUPPORTED, one sentence.
 * Lifetime values live as long as the TrcPickle.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  TRC_PICKLE_NONE,
  TRC_PICKLE_BOOL,
  TRC_PICKLE_INT,
  TRC_PICKLE_FLOAT,
  TRC_PICKLE_TEXT, /* also bytes */
  TRC_PICKLE_LIST, /* also sets */
  TRC_PICKLE_TUPLE,
  TRC_PICKLE_DICT,       /* items: key, value, key, value, ... */
  TRC_PICKLE_GLOBAL,     /* text: "module name" */
  TRC_PICKLE_OBJECT,     /* items: what was called, its arguments, then states */
  TRC_PICKLE_PERSISTENT, /* items: the id of something kept outside the pickle */
} TrcPickleKind;

typedef struct _TrcPickleValue TrcPickleValue;

struct _TrcPickleValue {
  TrcPickleKind kind;
  gint64 integer; /* BOOL, INT */
  double real;    /* FLOAT */
  char *text;     /* TEXT, GLOBAL; ends in NUL */
  gsize len;
  GPtrArray *items; /* of TrcPickleValue, borrowed; NULL when there are none */
};

typedef struct _TrcPickle TrcPickle;

/* Takes a pickle apart; @name stands for the file in messages. */
TrcPickle *trc_pickle_parse (const guint8 *data, gsize len, const char *name,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees; NULL is fine. */
void trc_pickle_free (TrcPickle *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPickle, trc_pickle_free)

/* What the pickle holds. */
const TrcPickleValue *trc_pickle_root (const TrcPickle *self);

/* Number of items of a list, tuple, or record; 0 for all else. */
guint trc_pickle_n_items (const TrcPickleValue *value);

/* Item @i, or NULL. */
const TrcPickleValue *trc_pickle_item (const TrcPickleValue *value, guint i);

/* Value of @key in a dict, or in the states of an object; NULL when there is none. */
const TrcPickleValue *trc_pickle_get (const TrcPickleValue *value, const char *key);

/* TRUE if @value is the global "module name" or an object made by calling it. */
gboolean trc_pickle_is_a (const TrcPickleValue *value, const char *global);

G_END_DECLS
