/* compute/models/sources.h - the tensors that a model's files hold, whatever the format
 *
 * One table from names to places in memory-mapped files: safetensors (one or several), GGUF,
 * llama2.c. Private to compute/models.
 *
 * Errors   TRC_COMPUTE_ERROR naming the file and the tensor.
 * Threads  immutable once opened.
 */
#pragma once

#include "compute/safetensors.h"
#include "compute/tensor.h"

G_BEGIN_DECLS

typedef struct {
  const char *name;
  TrcDType dtype;  /* of the file; F32 when it is expanded on the way */
  gboolean is_f64; /* then the file holds doubles */
  const char
      *unread; /* the type's name when Tracery does not read it; dtype says nothing then */
  guint n_axes;
  guint64 shape[TRC_FILE_MAX_AXES]; /* slowest first */
  guint64 n_elements;
  const guint8 *data; /* in the map, not aligned */
  gsize n_bytes;
} TrcSource;

typedef struct _TrcSources TrcSources;

/* An empty table. */
TrcSources *trc_sources_new (void);

/* Frees the table and unmaps its files; NULL is fine. */
void trc_sources_free (TrcSources *self);

/* Adds model.safetensors of @folder, or the files that its index names. */
gboolean trc_sources_add_folder (TrcSources *self, const char *folder, GError **error);

/* Adds tensors that belong to @owner, which is freed by @free_owner with the table. */
void trc_sources_take (TrcSources *self, gpointer owner, GDestroyNotify free_owner);

/* Adds one tensor; the name is copied. A later one of the same name replaces it. */
void trc_sources_add (TrcSources *self, const TrcSource *source);

/* The tensor called @name, or NULL. Borrowed. */
const TrcSource *trc_sources_find (const TrcSources *self, const char *name);

/* Elements [first, first + n) as f32; both must be whole blocks of a packed type. */
gboolean trc_source_to_f32 (const TrcSource *self, guint64 first, guint64 n, float *dst);

G_END_DECLS
