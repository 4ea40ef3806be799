#include "compute/tensor.h"

#include "compute/base/device_impl.h"

struct _TrcTensor {
  gatomicrefcount refs;
  TrcDevice *dev;
  TrcBuffer *buffer; /* owned unless base is set */
  TrcTensor *base;   /* of a view: the tensor that owns the memory */
  gsize offset;      /* elements from the start of the buffer */
  TrcShape shape;
  TrcDType dtype;
  char *label;
};

static const TrcDTypeInfo dtype_table[TRC_N_DTYPES] = {
  [TRC_F32] = { "f32", 1, 4 },       [TRC_I32] = { "i32", 1, 4 },
  [TRC_F16] = { "f16", 1, 2 },       [TRC_BF16] = { "bf16", 1, 2 },
  [TRC_Q8_0] = { "q8_0", 32, 34 },   [TRC_Q4_0] = { "q4_0", 32, 18 },
  [TRC_Q4_1] = { "q4_1", 32, 20 },   [TRC_Q5_0] = { "q5_0", 32, 22 },
  [TRC_Q5_1] = { "q5_1", 32, 24 },   [TRC_Q4_K] = { "q4_k", 256, 144 },
  [TRC_Q5_K] = { "q5_k", 256, 176 }, [TRC_Q6_K] = { "q6_k", 256, 210 },
};

const TrcDTypeInfo *
trc_dtype_info (TrcDType dtype)
{
  g_return_val_if_fail (dtype < TRC_N_DTYPES, NULL);
  return &dtype_table[dtype];
}

gboolean
trc_shape_count (const TrcShape *shape, gsize *n)
{
  *n = 1;
  for (guint i = 0; i < shape->n_axes; i++)
    if (!g_size_checked_mul (n, *n, shape->dim[i]))
      return FALSE;
  return TRUE;
}

/* Bytes of a tensor; FALSE when they do not fit or the last axis is no whole number of
 * blocks. */
static gboolean
count_bytes (TrcDType dtype, const TrcShape *shape, const char *label, gsize *bytes,
             GError **error)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);
  guint32 last = shape->n_axes > 0 ? shape->dim[shape->n_axes - 1] : 1;
  gsize n;

  if (last % info->block_elements != 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: rows of %u elements are no whole number of %s blocks of %u.", label,
                   last, info->name, info->block_elements);
      return FALSE;
    }
  if (!trc_shape_count (shape, &n)
      || !g_size_checked_mul (bytes, n / info->block_elements, info->block_bytes))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "%s: this shape does not fit in memory.", label);
      return FALSE;
    }
  return TRUE;
}

static TrcTensor *
tensor_alloc (TrcDevice *dev, TrcDType dtype, const TrcShape *shape, const char *label)
{
  TrcTensor *self = g_new0 (TrcTensor, 1);

  g_atomic_ref_count_init (&self->refs);
  self->dev = trc_device_ref (dev);
  self->dtype = dtype;
  self->shape = *shape;
  self->label = g_strdup (label);
  return self;
}

TrcTensor *
trc_tensor_new (TrcDevice *dev, TrcDType dtype, TrcShape shape, const char *label,
                GError **error)
{
  TrcBuffer *buffer;
  TrcTensor *self;
  gsize bytes;

  g_return_val_if_fail (dev != NULL && shape.n_axes <= TRC_MAX_AXES, NULL);
  if (!count_bytes (dtype, &shape, label, &bytes, error))
    return NULL;
  buffer = trc_buffer_new (dev, bytes, label, error);
  if (buffer == NULL)
    return NULL;
  self = tensor_alloc (dev, dtype, &shape, label);
  self->buffer = buffer;
  return self;
}

TrcTensor *
trc_tensor_from_data (TrcDevice *dev, TrcDType dtype, TrcShape shape, gconstpointer data,
                      gsize bytes, const char *label, GError **error)
{
  g_autoptr (TrcTensor) self = trc_tensor_new (dev, dtype, shape, label, error);

  if (self == NULL || !trc_tensor_write (self, data, bytes, error))
    return NULL;
  return g_steal_pointer (&self);
}

TrcTensor *
trc_tensor_zeros (TrcDevice *dev, TrcShape shape, const char *label, GError **error)
{
  g_autoptr (TrcTensor) self = trc_tensor_new (dev, TRC_F32, shape, label, error);

  if (self == NULL || !trc_op_set (self, 0.0f, error))
    return NULL;
  return g_steal_pointer (&self);
}

static TrcTensor *
tensor_view (TrcTensor *self, gsize offset, const TrcShape *shape)
{
  TrcTensor *view = tensor_alloc (self->dev, self->dtype, shape, self->label);

  view->base = trc_tensor_ref (self->base != NULL ? self->base : self);
  view->buffer = self->buffer;
  view->offset = self->offset + offset;
  return view;
}

TrcTensor *
trc_tensor_rows (TrcTensor *self, guint32 first, guint32 n)
{
  TrcShape shape = self->shape;
  gsize row = 1;

  g_return_val_if_fail (shape.n_axes > 0 && first <= shape.dim[0] && n <= shape.dim[0] - first,
                        NULL);
  g_return_val_if_fail (shape.n_axes > 1 || dtype_table[self->dtype].block_elements == 1, NULL);
  for (guint i = 1; i < shape.n_axes; i++)
    row *= shape.dim[i];
  shape.dim[0] = n;
  return tensor_view (self, first * row, &shape);
}

TrcTensor *
trc_tensor_reshape (TrcTensor *self, TrcShape shape)
{
  gsize n;

  g_return_val_if_fail (shape.n_axes <= TRC_MAX_AXES, NULL);
  g_return_val_if_fail (trc_shape_count (&shape, &n) && n == trc_tensor_n (self), NULL);
  return tensor_view (self, 0, &shape);
}

/* --- host copies -------------------------------------------------------------------------- */

static gboolean
read_range (TrcTensor *self, gsize first, gpointer dst, gsize n, GError **error)
{
  return trc_buffer_read (self->buffer, (self->offset + first) * 4, dst, n * 4, error);
}

gboolean
trc_tensor_read (TrcTensor *self, float *dst, gsize n, GError **error)
{
  g_return_val_if_fail (self->dtype == TRC_F32 && n == trc_tensor_n (self), FALSE);
  return read_range (self, 0, dst, n, error);
}

gboolean
trc_tensor_read_part (TrcTensor *self, gsize first, float *dst, gsize n, GError **error)
{
  gsize all = trc_tensor_n (self);

  g_return_val_if_fail (self->dtype == TRC_F32 && first <= all && n <= all - first, FALSE);
  return read_range (self, first, dst, n, error);
}

gboolean
trc_tensor_read_i32 (TrcTensor *self, gint32 *dst, gsize n, GError **error)
{
  g_return_val_if_fail (self->dtype == TRC_I32 && n == trc_tensor_n (self), FALSE);
  return read_range (self, 0, dst, n, error);
}

gboolean
trc_tensor_write (TrcTensor *self, gconstpointer src, gsize bytes, GError **error)
{
  gsize offset;

  g_return_val_if_fail (bytes == trc_tensor_bytes (self), FALSE);
  trc_tensor_buffer (self, &offset);
  return trc_buffer_write (self->buffer, offset, src, bytes, error);
}

gboolean
trc_tensor_write_part (TrcTensor *self, gsize first, const float *src, gsize n, GError **error)
{
  gsize all = trc_tensor_n (self);

  g_return_val_if_fail (self->dtype == TRC_F32 && first <= all && n <= all - first, FALSE);
  return trc_buffer_write (self->buffer, (self->offset + first) * 4, src, n * 4, error);
}

/* --- life and facts ----------------------------------------------------------------------- */

TrcTensor *
trc_tensor_ref (TrcTensor *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
trc_tensor_unref (TrcTensor *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  if (self->base != NULL)
    trc_tensor_unref (self->base);
  else
    trc_buffer_free (self->buffer);
  trc_device_unref (self->dev);
  g_free (self->label);
  g_free (self);
}

TrcBuffer *
trc_tensor_buffer (const TrcTensor *self, gsize *offset_bytes)
{
  const TrcDTypeInfo *info = &dtype_table[self->dtype];

  *offset_bytes = self->offset / info->block_elements * info->block_bytes;
  return self->buffer;
}

TrcDevice *
trc_tensor_device (const TrcTensor *self)
{
  return self->dev;
}

TrcDType
trc_tensor_dtype (const TrcTensor *self)
{
  return self->dtype;
}

TrcShape
trc_tensor_shape (const TrcTensor *self)
{
  return self->shape;
}

guint32
trc_tensor_dim (const TrcTensor *self, int axis)
{
  int i = axis < 0 ? (int)self->shape.n_axes + axis : axis;

  return i >= 0 && i < (int)self->shape.n_axes ? self->shape.dim[i] : 1;
}

gsize
trc_tensor_n (const TrcTensor *self)
{
  gsize n;

  trc_shape_count (&self->shape, &n);
  return n;
}

gsize
trc_tensor_bytes (const TrcTensor *self)
{
  const TrcDTypeInfo *info = &dtype_table[self->dtype];

  return trc_tensor_n (self) / info->block_elements * info->block_bytes;
}

const char *
trc_tensor_label (const TrcTensor *self)
{
  return self->label;
}
