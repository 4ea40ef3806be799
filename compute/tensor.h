/* compute/tensor.h - a shaped window onto memory of one device
 *
 * A TrcTensor never changes shape once made. Views share the memory; nothing here copies
 * unless its name says so. The contents of a new tensor are undefined.
 *
 * Shapes   up to 4 axes, slowest first, row-major, e.g. (batch, seq, channel). An axis may be
 * 0. Units    dims and offsets count elements; *_bytes count bytes. Errors   memory and device
 * trouble: GError, TRC_COMPUTE_ERROR. Two shapes that do not fit each other: a caller's bug,
 * g_return_val_if_fail. Threads  reference counts: any thread. Contents: the device's thread.
 */
#pragma once

#include "compute/device.h"
#include "compute/error.h"

G_BEGIN_DECLS

#define TRC_MAX_AXES 4

/* The kernels of compute/ops.h compute in F32 and take I32 for indices; matmul's b and embed's
 * table may be of any type. Packed types are blocks of TrcDTypeInfo.block_elements along the
 * last axis, laid out as in GGUF files (compute/base/packed.h). */
typedef enum {
  TRC_F32,
  TRC_I32,
  TRC_F16,
  TRC_BF16,
  TRC_Q8_0,
  TRC_Q4_0,
  TRC_Q4_1,
  TRC_Q5_0,
  TRC_Q5_1,
  TRC_Q4_K,
  TRC_Q5_K,
  TRC_Q6_K,
  TRC_N_DTYPES
} TrcDType;

typedef struct {
  const char *name;
  guint32 block_elements; /* 1 for the plain types */
  guint32 block_bytes;
} TrcDTypeInfo;

typedef struct {
  guint n_axes;              /* 0 means a scalar */
  guint32 dim[TRC_MAX_AXES]; /* dim[n_axes - 1] is contiguous */
} TrcShape;

/* TRC_SHAPE (2, 3) is the shape (2, 3). */
#define TRC_SHAPE(...)                                                                         \
  ((TrcShape){ .n_axes = sizeof ((guint32[]){ __VA_ARGS__ }) / sizeof (guint32),               \
               .dim = { __VA_ARGS__ } })

typedef struct _TrcTensor TrcTensor;

/* Name and block sizes of a type. */
const TrcDTypeInfo *trc_dtype_info (TrcDType dtype);

/* Number of elements into @n; FALSE when it does not fit a gsize. */
gboolean trc_shape_count (const TrcShape *shape, gsize *n);

/* New tensor, contents undefined. @label turns up in messages and the memory report. */
TrcTensor *trc_tensor_new (TrcDevice *dev, TrcDType dtype, TrcShape shape, const char *label,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* New tensor with a copy of @bytes bytes at @data, which must be exactly the tensor's. */
TrcTensor *trc_tensor_from_data (TrcDevice *dev, TrcDType dtype, TrcShape shape,
                                 gconstpointer data, gsize bytes, const char *label,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* New f32 tensor of zeros. */
TrcTensor *trc_tensor_zeros (TrcDevice *dev, TrcShape shape, const char *label,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Rows [first, first + n) of axis 0, sharing memory. */
TrcTensor *
trc_tensor_rows (TrcTensor *self, guint32 first, guint32 n) G_GNUC_WARN_UNUSED_RESULT;

/* The same elements under another shape of the same count, sharing memory. */
TrcTensor *trc_tensor_reshape (TrcTensor *self, TrcShape shape) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for the device, then copies all @n elements of an f32 tensor out. Slow: for tests,
 * export and reading losses, never inside a layer. */
gboolean trc_tensor_read (TrcTensor *self, float *dst, gsize n, GError **error);

/* The same for elements [first, first + n). */
gboolean
trc_tensor_read_part (TrcTensor *self, gsize first, float *dst, gsize n, GError **error);

/* Copies out the @n elements of an i32 tensor. */
gboolean trc_tensor_read_i32 (TrcTensor *self, gint32 *dst, gsize n, GError **error);

/* Replaces all contents; @bytes must be exactly the tensor's. */
gboolean trc_tensor_write (TrcTensor *self, gconstpointer src, gsize bytes, GError **error);

/* Replaces elements [first, first + n) of an f32 tensor. */
gboolean
trc_tensor_write_part (TrcTensor *self, gsize first, const float *src, gsize n, GError **error);

/* One more reference. Any thread. */
TrcTensor *trc_tensor_ref (TrcTensor *self);

/* Gives a reference back; the memory goes to the device's pool with the last one. NULL is fine.
 */
void trc_tensor_unref (TrcTensor *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTensor, trc_tensor_unref)

/* The device the tensor lives on; borrowed. */
TrcDevice *trc_tensor_device (const TrcTensor *self);

/* Element type. */
TrcDType trc_tensor_dtype (const TrcTensor *self);

/* Shape. */
TrcShape trc_tensor_shape (const TrcTensor *self);

/* Length of axis @axis, counted from the end when negative: -1 is the contiguous one.
 * 1 for an axis that is not there. */
guint32 trc_tensor_dim (const TrcTensor *self, int axis);

/* Number of elements. */
gsize trc_tensor_n (const TrcTensor *self);

/* Number of bytes. */
gsize trc_tensor_bytes (const TrcTensor *self);

/* The label given when it was made; borrowed. */
const char *trc_tensor_label (const TrcTensor *self);

G_END_DECLS
