/* compute/formats/llama2c.h - the model files of llama2.c, version 0
 *
 * Layout, little endian: seven i32 (dim, hidden, n_layers, n_heads, n_kv_heads, vocab, context;
 * a negative vocab means an own unembedding), then f32 arrays without names:
 *   embedding [vocab][dim]; for all layers together norm1 [dim], q [dim][dim], k [kv][dim],
 *   v [kv][dim], o [dim][dim], norm2 [dim], gate [hidden][dim], down [dim][hidden],
 *   up [hidden][dim]; final norm [dim]; two tables [context][head / 2] of the rotary angles,
 *   which are not read; the unembedding [vocab][dim] when it is the file's own.
 * The tensors get the names that the Llama files of Hugging Face use.
 *
 * Private to compute. Errors  TRC_COMPUTE_ERROR naming the file. Threads  immutable.
 */
#pragma once

#include "compute/safetensors.h"

G_BEGIN_DECLS

typedef struct _TrcLlama2c TrcLlama2c;

typedef struct {
  guint dim, hidden, n_layers, n_heads, n_kv_heads, n_vocab, n_ctx;
  gboolean tied;
} TrcLlama2cShape;

/* Maps @path and checks that its length is what its header asks for. */
TrcLlama2c *trc_llama2c_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees it; NULL is fine. */
void trc_llama2c_free (TrcLlama2c *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcLlama2c, trc_llama2c_free)

/* The header. Borrowed. */
const TrcLlama2cShape *trc_llama2c_shape (const TrcLlama2c *self);

/* Its tensors; borrowed, @n of them. */
const TrcFileTensor *trc_llama2c_tensors (const TrcLlama2c *self, gsize *n);

G_END_DECLS
