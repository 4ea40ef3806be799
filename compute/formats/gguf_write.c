#include "compute/formats/gguf_write.h"

#include "compute/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

enum { ALIGNMENT = 32 };

typedef struct {
  char *name;
  TrcDType type;
  guint64 n, n_rows, n_bytes, offset;
  TrcGgufFill fill;
  gpointer data;
} Tensor;

struct _TrcGgufWriter {
  GByteArray *pairs;
  guint64 n_pairs;
  GArray *tensors; /* Tensor */
  guint64 n_bytes; /* of tensor data */
};

static void
tensor_clear (gpointer data)
{
  g_free (((Tensor *)data)->name);
}

TrcGgufWriter *
trc_gguf_writer_new (void)
{
  TrcGgufWriter *self = g_new0 (TrcGgufWriter, 1);

  self->pairs = g_byte_array_new ();
  self->tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));
  g_array_set_clear_func (self->tensors, tensor_clear);
  return self;
}

void
trc_gguf_writer_free (TrcGgufWriter *self)
{
  if (self == NULL)
    return;
  g_byte_array_unref (self->pairs);
  g_array_unref (self->tensors);
  g_free (self);
}

static void
put_u32 (GByteArray *out, guint32 v)
{
  v = GUINT32_TO_LE (v);
  g_byte_array_append (out, (guint8 *)&v, 4);
}

static void
put_u64 (GByteArray *out, guint64 v)
{
  v = GUINT64_TO_LE (v);
  g_byte_array_append (out, (guint8 *)&v, 8);
}

static void
put_string (GByteArray *out, const char *s)
{
  put_u64 (out, strlen (s));
  g_byte_array_append (out, (const guint8 *)s, (guint)strlen (s));
}

static void
put_key (TrcGgufWriter *self, const char *key, TrcGgufType type)
{
  put_string (self->pairs, key);
  put_u32 (self->pairs, type);
  self->n_pairs++;
}

void
trc_gguf_writer_string (TrcGgufWriter *self, const char *key, const char *value)
{
  put_key (self, key, TRC_GGUF_STRING);
  put_string (self->pairs, value);
}

void
trc_gguf_writer_u32 (TrcGgufWriter *self, const char *key, guint32 value)
{
  put_key (self, key, TRC_GGUF_U32);
  put_u32 (self->pairs, value);
}

void
trc_gguf_writer_f32 (TrcGgufWriter *self, const char *key, float value)
{
  guint32 bits;

  put_key (self, key, TRC_GGUF_F32);
  memcpy (&bits, &value, 4);
  put_u32 (self->pairs, bits);
}

void
trc_gguf_writer_bool (TrcGgufWriter *self, const char *key, gboolean value)
{
  guint8 byte = value != FALSE;

  put_key (self, key, TRC_GGUF_BOOL);
  g_byte_array_append (self->pairs, &byte, 1);
}

void
trc_gguf_writer_array (TrcGgufWriter *self, const char *key, TrcGgufType type,
                       gconstpointer elements, guint64 n)
{
  static const guint8 bytes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
  const char *const *strings = elements;

  put_key (self, key, TRC_GGUF_ARRAY);
  put_u32 (self->pairs, type);
  put_u64 (self->pairs, n);
  if (type != TRC_GGUF_STRING)
    g_byte_array_append (self->pairs, elements, (guint)(n * bytes[type]));
  else
    for (guint64 i = 0; i < n; i++)
      put_string (self->pairs, strings[i]);
}

void
trc_gguf_writer_tensor (TrcGgufWriter *self, const char *name, TrcDType type, guint64 n,
                        guint64 n_rows, TrcGgufFill fill, gpointer data)
{
  const TrcDTypeInfo *info = trc_dtype_info (type);

  g_return_if_fail (n % info->block_elements == 0);
  Tensor t = { g_strdup (name), type, n, n_rows, 0, self->n_bytes, fill, data };
  t.n_bytes = MAX (n_rows, 1) * (n / info->block_elements) * info->block_bytes;
  self->n_bytes += (t.n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  g_array_append_val (self->tensors, t);
}

static GByteArray *
header (const TrcGgufWriter *self)
{
  GByteArray *out = g_byte_array_new ();
  static const guint8 zeros[ALIGNMENT];

  g_byte_array_append (out, (const guint8 *)"GGUF", 4);
  put_u32 (out, 3);
  put_u64 (out, self->tensors->len);
  put_u64 (out, self->n_pairs);
  g_byte_array_append (out, self->pairs->data, self->pairs->len);
  for (guint i = 0; i < self->tensors->len; i++)
    {
      const Tensor *t = &g_array_index (self->tensors, Tensor, i);
      put_string (out, t->name);
      put_u32 (out, t->n_rows == 0 ? 1 : 2);
      put_u64 (out, t->n);
      if (t->n_rows > 0)
        put_u64 (out, t->n_rows);
      put_u32 (out, trc_gguf_number (t->type));
      put_u64 (out, t->offset);
    }
  g_byte_array_append (out, zeros, (ALIGNMENT - out->len % ALIGNMENT) % ALIGNMENT);
  return out;
}

static gboolean
write_tensor (const Tensor *t, FILE *file, const TrcProgress *progress, GError **error)
{
  const TrcDTypeInfo *info = trc_dtype_info (t->type);
  gsize row_bytes = t->n / info->block_elements * info->block_bytes;
  static const guint8 zeros[ALIGNMENT];
  g_autofree float *row = g_try_new (float, t->n);
  g_autofree guint8 *packed = g_try_malloc (row_bytes);

  if (row == NULL || packed == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for one row of tensor %s.", t->name);
      return FALSE;
    }
  for (guint64 r = 0; r < MAX (t->n_rows, 1); r++)
    {
      if (r % 256 == 0 && trc_progress_cancelled (progress, error))
        return FALSE;
      t->fill (r, row, t->n, t->data);
      trc_packed_write (t->type, row, t->n, packed);
      if (fwrite (packed, 1, row_bytes, file) != row_bytes)
        return FALSE;
    }
  gsize pad = (ALIGNMENT - t->n_bytes % ALIGNMENT) % ALIGNMENT;
  return fwrite (zeros, 1, pad, file) == pad;
}

static gboolean
write_all (TrcGgufWriter *self, FILE *file, const TrcProgress *progress, GError **error)
{
  g_autoptr (GByteArray) head = header (self);

  if (fwrite (head->data, 1, head->len, file) != head->len)
    return FALSE;
  for (guint i = 0; i < self->tensors->len; i++)
    {
      const Tensor *t = &g_array_index (self->tensors, Tensor, i);
      trc_progress_report (progress, (double)t->offset / (double)MAX (self->n_bytes, 1),
                           t->name);
      if (!write_tensor (t, file, progress, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
trc_gguf_writer_finish (TrcGgufWriter *self, const char *path, const TrcProgress *progress,
                        GError **error)
{
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  g_autoptr (GError) cause = NULL;
  FILE *file = g_fopen (part, "wbe");
  gboolean ok = file != NULL && write_all (self, file, progress, &cause);
  int saved = errno;

  if (file != NULL && fclose (file) != 0 && ok)
    {
      ok = FALSE;
      saved = errno;
    }
  if (ok && g_rename (part, path) != 0)
    {
      ok = FALSE;
      saved = errno;
    }
  if (ok)
    return TRUE;
  if (file != NULL)
    g_unlink (part);
  if (cause != NULL)
    g_propagate_error (error, g_steal_pointer (&cause));
  else
    g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (saved),
                 "%s cannot be written: %s.", path, g_strerror (saved));
  return FALSE;
}
