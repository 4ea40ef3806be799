/* compute/formats/gguf.h - GGUF files, versions 2 and 3
 *
 * Layout, little endian:
 *   "GGUF", u32 version, u64 n_tensors, u64 n_pairs
 *   n_pairs   x (string key, u32 type, value)           string = u64 length, bytes
 *   n_tensors x (string name, u32 n_dims, u64 dims[n_dims], u32 type, u64 offset)
 *   padding to general.alignment (32 unless given)
 *   tensor data; each offset counts from here and is a multiple of the alignment
 * dims[0] is the contiguous axis.
 *
 * The file is memory-mapped; every length, offset and size is checked once, on
 * opening, and strings and arrays point into the mapping.
 *
 * Errors   TRC_COMPUTE_ERROR naming the file, the key or tensor, and what to do.
 * Threads  immutable after opening: any thread.
 */
#pragma once

#include "compute/tensor.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  TRC_GGUF_U8,
  TRC_GGUF_I8,
  TRC_GGUF_U16,
  TRC_GGUF_I16,
  TRC_GGUF_U32,
  TRC_GGUF_I32,
  TRC_GGUF_F32,
  TRC_GGUF_BOOL,
  TRC_GGUF_STRING,
  TRC_GGUF_ARRAY,
  TRC_GGUF_U64,
  TRC_GGUF_I64,
  TRC_GGUF_F64,
} TrcGgufType;

/* Bytes inside the mapping; not terminated. */
typedef struct {
  const char *data;
  gsize len;
} TrcGgufString;

enum { TRC_GGUF_MAX_DIMS = 4 };

typedef struct {
  char *name;
  guint n_dims;
  guint64 dims[TRC_GGUF_MAX_DIMS]; /* dims[0] is contiguous; unused ones are 1 */
  TrcDType dtype;
  guint64 n_elements;
  const guint8 *data; /* in the mapping */
  guint64 n_bytes;
} TrcGgufTensor;

typedef struct _TrcGguf TrcGguf;

/* The element type that files call @number; FALSE for those Tracery does not read. */
gboolean trc_gguf_dtype (guint32 number, TrcDType *dtype);
/* The other way; G_MAXUINT32 for I32, which has no number here. */
guint32 trc_gguf_number (TrcDType dtype);

/* Opens and checks @path. */
TrcGguf *trc_gguf_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Another reference. */
TrcGguf *trc_gguf_ref (TrcGguf *self);
/* Drops one; NULL is fine. */
void trc_gguf_unref (TrcGguf *self);

/* The path it was opened by, for messages. */
const char *trc_gguf_path (const TrcGguf *self);
/* TRUE if @key is there, whatever its type. */
gboolean trc_gguf_has (const TrcGguf *self, const char *key);
/* An integer of any width, or @fallback. */
gint64 trc_gguf_int (const TrcGguf *self, const char *key, gint64 fallback);
/* A number of any type, or @fallback. */
double trc_gguf_double (const TrcGguf *self, const char *key, double fallback);
/* A truth value, or @fallback. */
gboolean trc_gguf_bool (const TrcGguf *self, const char *key, gboolean fallback);
/* A string, or @fallback; kept as long as the file is open. */
const char *trc_gguf_string (const TrcGguf *self, const char *key, const char *fallback);

/* Number of elements of the array @key if its elements are of @type, else 0. */
guint64 trc_gguf_array_length (const TrcGguf *self, const char *key, TrcGgufType type);
/* All strings of a string array, or NULL when there is none. Free with g_free();
 * the bytes stay in the mapping. */
TrcGgufString *trc_gguf_strings (const TrcGguf *self, const char *key, guint64 *n);
/* Raw elements of an array of fixed-size numbers (unaligned), or NULL. */
const guint8 *
trc_gguf_numbers (const TrcGguf *self, const char *key, TrcGgufType type, guint64 *n);

/* The tensors in file order. */
const TrcGgufTensor *trc_gguf_tensors (const TrcGguf *self, guint *n);
/* The tensor called @name, or NULL. */
const TrcGgufTensor *trc_gguf_tensor (const TrcGguf *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcGguf, trc_gguf_unref)

G_END_DECLS
