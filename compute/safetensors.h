/* compute/safetensors.h - the safetensors file format, mapped and written
 *
 * Layout: 8 bytes little-endian N, then N bytes of JSON
 * {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ..,
 *  "__metadata__": {"key": "text", ..}}, then the data; offsets count from the
 * byte behind the header. The file is mapped, not read: opening costs the
 * header only.
 *
 * Errors   TRC_COMPUTE_ERROR_INVALID with one sentence that names the file, the
 *          tensor and the defect. Every offset, size, type, shape and overlap
 *          is checked before the first byte of data can be looked at.
 * Threads  immutable once open; any thread.
 */
#pragma once

#include <glib.h>

#include "compute/error.h"

G_BEGIN_DECLS

typedef struct _TrcSafetensors TrcSafetensors;

typedef enum {
  TRC_FILE_F32,
  TRC_FILE_F16,
  TRC_FILE_BF16,
  TRC_FILE_F64,
  TRC_FILE_I64,
  TRC_FILE_I32,
  TRC_FILE_I16,
  TRC_FILE_I8,
  TRC_FILE_U8,
  TRC_FILE_BOOL,
  TRC_FILE_OTHER, /* a type that Tracery does not read; only its byte range is known */
} TrcFileType;

#define TRC_FILE_MAX_AXES 8

/* One tensor of a file. @data points into the map and lives as long as the file. */
typedef struct {
  const char *name;
  TrcFileType type;
  const char *type_name; /* as the file says it */
  guint n_axes;
  guint64 shape[TRC_FILE_MAX_AXES];
  guint64 n_elements;
  const guint8 *data; /* not aligned: read it through trc_file_tensor_to_f32() */
  gsize n_bytes;
} TrcFileTensor;

/* Maps @path and checks it whole. */
TrcSafetensors *
trc_safetensors_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reads a file already in memory, for tests and fuzzing; @path is only for messages. */
TrcSafetensors *trc_safetensors_open_bytes (GBytes *bytes, const char *path,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. */
TrcSafetensors *trc_safetensors_ref (TrcSafetensors *self);

/* One owner less; NULL is fine. */
void trc_safetensors_unref (TrcSafetensors *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcSafetensors, trc_safetensors_unref)

/* How many tensors the file holds. */
gsize trc_safetensors_n_tensors (const TrcSafetensors *self);

/* Tensor number @i in the order of the data. Borrowed. */
const TrcFileTensor *trc_safetensors_get (const TrcSafetensors *self, gsize i);

/* The tensor called @name, or NULL. Borrowed. */
const TrcFileTensor *trc_safetensors_find (const TrcSafetensors *self, const char *name);

/* One text of the file's __metadata__, or NULL. Borrowed. */
const char *trc_safetensors_metadata (const TrcSafetensors *self, const char *key);

/* Copies elements [first, first + n) as f32; f32, f16, bf16 and f64 are read,
 * anything else is TRC_COMPUTE_ERROR_UNSUPPORTED. */
gboolean trc_file_tensor_to_f32 (const TrcFileTensor *tensor, guint64 first, guint64 n,
                                 float *dst, GError **error);

/* One tensor to be written. */
typedef struct {
  const char *name;
  TrcFileType type; /* TRC_FILE_F32, or TRC_FILE_U8 / I64 for state that is no float */
  guint n_axes;
  guint64 shape[TRC_FILE_MAX_AXES];
  const void *data;
} TrcFileOutput;

/* Writes @tensors and the @metadata (key, text, key, text, .., NULL; may be
 * NULL) to @path. The file is written beside it, synced and renamed, so that a
 * reader sees the old file or the new one, never half of one. */
gboolean trc_safetensors_write (const char *path, const TrcFileOutput *tensors, gsize n_tensors,
                                const char *const *metadata, GError **error);

G_END_DECLS
