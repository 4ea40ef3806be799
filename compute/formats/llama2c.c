#define G_LOG_DOMAIN "tracery-compute"

#include "compute/formats/llama2c.h"

#include <string.h>

#define HEADER 28
#define MAGIC_LATER 0x616b3432 /* "ak42": versions 1 and 2 */

struct _TrcLlama2c {
  GMappedFile *map;
  TrcLlama2cShape shape;
  GStringChunk *names;
  GArray *tensors; /* of TrcFileTensor */
};

static gboolean
bad (const char *path, const char *what, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
               "%s is not a sound llama2.c model: %s.", path, what);
  return FALSE;
}

static gboolean
read_shape (TrcLlama2c *self, const char *path, const guint8 *data, gsize n, GError **error)
{
  gint32 h[7];

  if (n < HEADER)
    return bad (path, "it is shorter than its header", error);
  for (guint i = 0; i < 7; i++)
    {
      memcpy (&h[i], data + 4 * i, 4);
      h[i] = GINT32_FROM_LE (h[i]);
    }
  if (h[0] == MAGIC_LATER)
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
          "%s is a llama2.c model of a later version; Tracery reads version 0 (and Llama "
          "models as safetensors or GGUF).",
          path);
      return FALSE;
    }
  for (guint i = 0; i < 7; i++)
    if (h[i] == 0 || h[i] == G_MININT32 || (h[i] < 0 && i != 5) || ABS (h[i]) > 1 << 24)
      return bad (path, "its header holds sizes that no model has", error);
  self->shape = (TrcLlama2cShape){ (guint)h[0], (guint)h[1],       (guint)h[2], (guint)h[3],
                                   (guint)h[4], (guint)ABS (h[5]), (guint)h[6], h[5] > 0 };
  if (h[2] > 4096 || h[0] % h[3] != 0 || h[3] % h[4] != 0)
    return bad (path, "its widths and heads do not fit each other", error);
  return TRUE;
}

typedef struct {
  TrcLlama2c *self;
  const guint8 *data;
  guint64 at, n; /* bytes; at may pass n, which means that the file is too short */
  gboolean overflow;
} Cursor;

/* The next @rows x @cols numbers are the tensor called @name; NULL: skip them. */
static void
take (Cursor *c, const char *name, guint64 rows, guint64 cols)
{
  TrcFileTensor t = { .type = TRC_FILE_F32, .type_name = "F32" };
  guint64 bytes, end;

  if (!g_uint64_checked_mul (&t.n_elements, rows, cols)
      || !g_uint64_checked_mul (&bytes, t.n_elements, 4)
      || !g_uint64_checked_add (&end, c->at, bytes))
    {
      c->overflow = TRUE;
      return;
    }
  if (name != NULL && end <= c->n)
    {
      t.name = g_string_chunk_insert (c->self->names, name);
      t.n_axes = rows == 1 ? 1 : 2;
      t.shape[0] = rows == 1 ? cols : rows;
      t.shape[1] = cols;
      t.n_bytes = bytes;
      t.data = c->data + c->at;
      g_array_append_val (c->self->tensors, t);
    }
  c->at = end;
}

static void
take_layers (Cursor *c, const char *pattern, guint64 rows, guint64 cols)
{
  for (guint l = 0; l < c->self->shape.n_layers && !c->overflow; l++)
    {
      g_autofree char *name = g_strdup_printf ("model.layers.%u.%s.weight", l, pattern);

      take (c, name, rows, cols);
    }
}

static gboolean
place (TrcLlama2c *self, const char *path, const guint8 *data, gsize n, GError **error)
{
  const TrcLlama2cShape *s = &self->shape;
  guint head = s->dim / s->n_heads, kv = head * s->n_kv_heads;
  Cursor c = { self, data, HEADER, n, FALSE };

  take (&c, "model.embed_tokens.weight", s->n_vocab, s->dim);
  take_layers (&c, "input_layernorm", 1, s->dim);
  take_layers (&c, "self_attn.q_proj", s->dim, s->dim);
  take_layers (&c, "self_attn.k_proj", kv, s->dim);
  take_layers (&c, "self_attn.v_proj", kv, s->dim);
  take_layers (&c, "self_attn.o_proj", s->dim, s->dim);
  take_layers (&c, "post_attention_layernorm", 1, s->dim);
  take_layers (&c, "mlp.gate_proj", s->hidden, s->dim);
  take_layers (&c, "mlp.down_proj", s->dim, s->hidden);
  take_layers (&c, "mlp.up_proj", s->hidden, s->dim);
  take (&c, "model.norm.weight", 1, s->dim);
  take (&c, NULL, s->n_ctx, head / 2);
  take (&c, NULL, s->n_ctx, head / 2);
  if (!s->tied)
    take (&c, "lm_head.weight", s->n_vocab, s->dim);
  if (c.overflow || c.at > n)
    return bad (path, "it is cut short", error);
  if (c.at < n)
    return bad (path, "it is longer than its header says", error);
  return TRUE;
}

TrcLlama2c *
trc_llama2c_open (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  GMappedFile *map = g_mapped_file_new (path, FALSE, &local);

  if (map == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "%s cannot be opened: %s.", path, local->message);
      return NULL;
    }
  g_autoptr (TrcLlama2c) self = g_new0 (TrcLlama2c, 1);
  self->map = map;
  self->names = g_string_chunk_new (1024);
  self->tensors = g_array_new (FALSE, FALSE, sizeof (TrcFileTensor));
  const guint8 *data = (const guint8 *)g_mapped_file_get_contents (map);
  gsize n = g_mapped_file_get_length (map);
  if (!read_shape (self, path, data, n, error) || !place (self, path, data, n, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
trc_llama2c_free (TrcLlama2c *self)
{
  if (self == NULL)
    return;
  g_string_chunk_free (self->names);
  g_array_unref (self->tensors);
  g_mapped_file_unref (self->map);
  g_free (self);
}

const TrcLlama2cShape *
trc_llama2c_shape (const TrcLlama2c *self)
{
  return &self->shape;
}

const TrcFileTensor *
trc_llama2c_tensors (const TrcLlama2c *self, gsize *n)
{
  *n = self->tensors->len;
  return (const TrcFileTensor *)self->tensors->data;
}
