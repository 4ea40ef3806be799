/* compute/formats/torch_file.h - what torch.save() writes: a zip of a pickle and raw numbers
 *
 *   NAME/data.pkl   the structure; a tensor in it names a storage, a place and strides
 *   NAME/data/K     storage K: plain numbers, stored without compression
 *   NAME/byteorder  "little" (absent in older files, which are little too)
 *
 * Private to compute. Nothing in the pickle is run; see pickle.h.
 *
 * Errors   TRC_COMPUTE_ERROR or G_IO_ERROR, one sentence with the file's name.
 */
#pragma once

#include "compute/formats/pickle.h"
#include "compute/progress.h"

G_BEGIN_DECLS

#define TRC_TORCH_MAX_AXES 4

typedef enum {
  TRC_TORCH_F32,
  TRC_TORCH_F64,
  TRC_TORCH_F16,
  TRC_TORCH_BF16,
  TRC_TORCH_I64,
  TRC_TORCH_I32,
  TRC_TORCH_I16,
  TRC_TORCH_I8,
  TRC_TORCH_U8,
  TRC_TORCH_BOOL,
} TrcTorchType;

typedef struct {
  const char *storage; /* name of the zip member below data/ */
  TrcTorchType type;
  guint n_axes;
  gint64 shape[TRC_TORCH_MAX_AXES];
  gint64 stride[TRC_TORCH_MAX_AXES]; /* elements */
  gint64 offset;                     /* elements */
  gint64 n_elements;
} TrcTorchTensor;

typedef struct _TrcTorchFile TrcTorchFile;

/* Opens a file of torch.save() and takes its pickle apart. */
TrcTorchFile *trc_torch_file_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees; NULL is fine. */
void trc_torch_file_free (TrcTorchFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTorchFile, trc_torch_file_free)

/* The saved structure. */
const TrcPickleValue *trc_torch_file_root (const TrcTorchFile *self);

/* Reads what @value says about a tensor; FALSE when it is none, or one whose
 * sizes make no sense. */
gboolean trc_torch_tensor (const TrcPickleValue *value, TrcTorchTensor *tensor);

/* All numbers of a tensor in row-major order, whatever its strides; n_elements of
 * them. For tensors that are small beside memory. */
double *trc_torch_file_read (TrcTorchFile *self, const TrcTorchTensor *tensor,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called for each row of a matrix; FALSE with @error set stops. */
typedef gboolean (*TrcTorchRow) (gint64 row, const double *values, gint64 n, gpointer data,
                                 GError **error);

/* The rows of a row-major matrix one after the other, with one row in memory. */
gboolean trc_torch_file_rows (TrcTorchFile *self, const TrcTorchTensor *tensor,
                              TrcTorchRow on_row, gpointer data, const TrcProgress *progress,
                              GError **error);

G_END_DECLS
