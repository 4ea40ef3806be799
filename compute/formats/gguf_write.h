/* compute/formats/gguf_write.h - GGUF version 3 files, written as a stream
 *
 * Keys and tensors are declared first; trc_gguf_writer_finish() then asks for the
 * elements of each tensor row by row, packs them and appends them, so that a file
 * may be far larger than memory. The file appears under its name only when it is
 * complete.
 *
 * Errors   TRC_COMPUTE_ERROR or GFileError naming the file.
 * Threads  one owner.
 */
#pragma once

#include "compute/formats/gguf.h"
#include "compute/base/packed.h"
#include "compute/progress.h"

G_BEGIN_DECLS

typedef struct _TrcGgufWriter TrcGgufWriter;

/* Fills @out with row @row (dims[0] elements) of the tensor. */
typedef void (*TrcGgufFill) (guint64 row, float *out, gsize n, gpointer data);

/* A writer that knows nothing yet. */
TrcGgufWriter *trc_gguf_writer_new (void);
/* NULL is fine. */
void trc_gguf_writer_free (TrcGgufWriter *self);

/* Adds a key. */
void trc_gguf_writer_string (TrcGgufWriter *self, const char *key, const char *value);
/* Adds a key. */
void trc_gguf_writer_u32 (TrcGgufWriter *self, const char *key, guint32 value);
/* Adds a key. */
void trc_gguf_writer_f32 (TrcGgufWriter *self, const char *key, float value);
/* Adds a key. */
void trc_gguf_writer_bool (TrcGgufWriter *self, const char *key, gboolean value);
/* Adds an array of @n strings, or of @n fixed-size numbers of @type. */
void trc_gguf_writer_array (TrcGgufWriter *self, const char *key, TrcGgufType type,
                            gconstpointer elements, guint64 n);

/* Declares a tensor of @n_rows rows of @n elements; @type must be one that
 * trc_packed_write() writes and @n a whole number of its blocks. A vector has
 * @n_rows 0. @fill is called in finish. */
void trc_gguf_writer_tensor (TrcGgufWriter *self, const char *name, TrcDType type, guint64 n,
                             guint64 n_rows, TrcGgufFill fill, gpointer data);

/* Writes the file. */
gboolean trc_gguf_writer_finish (TrcGgufWriter *self, const char *path,
                                 const TrcProgress *progress, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcGgufWriter, trc_gguf_writer_free)

G_END_DECLS
