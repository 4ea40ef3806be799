/* compute/random_model.h - models of well-known shapes with random weights
 *
 * For benchmarks: what a model costs does not depend on what it has learnt. The
 * files are GGUF, readable by other programs too, with a byte-level vocabulary of
 * the right size. Nothing is held in memory but one row.
 *
 * Threads   any, one file each.
 */
#pragma once

#include "compute/progress.h"

G_BEGIN_DECLS

/* The names of the shapes, NULL at the end: "gpt2-small", "pythia-1.4b", ... */
const char *const *trc_random_model_shapes (void);

/* The weight types that can be asked for, NULL at the end: "f32", "q8_0", ... */
const char *const *trc_random_model_types (void);

/* The size of such a file in bytes, nearly; 0 for an unknown name. */
guint64 trc_random_model_bytes (const char *shape, const char *type);

/* Writes one to @path. Same arguments, same bytes. */
gboolean trc_random_model_write (const char *shape, const char *type, const char *path,
                                 const TrcProgress *progress, GError **error);

G_END_DECLS
