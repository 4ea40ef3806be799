#include "compute/formats/torch_file.h"

#include "compute/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_PICKLE (256u << 20)
#define BLOCK_BYTES (256 * 1024)
#define MAX_ZIP_END (22 + 65535) /* the end record and the longest comment */

struct _TrcTorchFile {
  char *path;
  char *name;      /* for people */
  guint64 n_bytes; /* of the file: members are stored, so none can be larger */
  TrcPickle *pickle;
};

/* ---- the zip ---- */

static gboolean
invalid (const TrcTorchFile *self, const char *what, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s %s.", self->name, what);
  return FALSE;
}

/* TRUE if the path in the zip is ANYTHING/@member, one folder deep. */
static gboolean
is_member (const char *path, const char *member)
{
  const char *slash = path != NULL ? strchr (path, '/') : NULL;

  return slash != NULL && strcmp (slash + 1, member) == 0;
}

/* The zip, at member @member. *size is its length. NULL without @error when it is not there. */
static struct archive *
zip_open (const TrcTorchFile *self, const char *member, guint64 *size, GError **error)
{
  struct archive *zip = archive_read_new ();
  struct archive_entry *entry;
  int status;

  archive_read_support_format_zip (zip);
  if (archive_read_open_filename (zip, self->path, BLOCK_BYTES) != ARCHIVE_OK)
    {
      invalid (self, "is no zip file that torch.save() wrote", error);
      archive_read_free (zip);
      return NULL;
    }
  while ((status = archive_read_next_header (zip, &entry)) == ARCHIVE_OK
         || status == ARCHIVE_WARN)
    if (is_member (archive_entry_pathname (entry), member))
      {
        *size = archive_entry_size_is_set (entry) ? (guint64)archive_entry_size (entry) : 0;
        if (*size <= self->n_bytes)
          return zip;
        invalid (self, "holds a member that is larger than the file", error);
        break;
      }
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN && status != ARCHIVE_EOF)
    invalid (self, "is a damaged zip file", error);
  archive_read_free (zip);
  return NULL;
}

/* As zip_open(), but the member has to be there. */
static struct archive *
zip_need (const TrcTorchFile *self, const char *member, guint64 *size, GError **error)
{
  GError *inner = NULL;
  struct archive *zip = zip_open (self, member, size, &inner);

  if (zip == NULL && inner == NULL)
    {
      g_autofree char *shown = g_strescape (member, NULL); /* it may come from the pickle */
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
          "%s has no member \"%.60s\": torch.save() did not write it, or it was cut off.",
          self->name, shown);
    }
  else if (inner != NULL)
    g_propagate_error (error, inner);
  return zip;
}

/* Exactly @n bytes. */
static gboolean
zip_read (const TrcTorchFile *self, struct archive *zip, guint8 *to, gsize n, GError **error)
{
  while (n > 0)
    {
      la_ssize_t got = archive_read_data (zip, to, n);

      if (got <= 0)
        return invalid (self, "ends in the middle of its numbers: it was cut off", error);
      to += got;
      n -= (gsize)got;
    }
  return TRUE;
}

static guint8 *
read_member (const TrcTorchFile *self, const char *member, guint64 at_most, guint64 *size,
             GError **error)
{
  struct archive *zip = zip_need (self, member, size, error);
  guint8 *bytes = NULL;

  if (zip == NULL)
    return NULL;
  if (*size > at_most || (bytes = g_try_malloc (*size + 1)) == NULL)
    invalid (self, "holds more than fits into memory", error);
  else if (!zip_read (self, zip, bytes, *size, error))
    g_clear_pointer (&bytes, g_free);
  archive_read_free (zip);
  return bytes;
}

/* ---- opening ---- */

static gboolean
check_byte_order (const TrcTorchFile *self, GError **error)
{
  GError *inner = NULL;
  guint64 size;
  struct archive *zip = zip_open (self, "byteorder", &size, &inner);
  char text[4] = { 0 };

  if (zip == NULL)
    {
      if (inner != NULL)
        g_propagate_error (error, inner);
      return inner == NULL;
    }
  archive_read_data (zip, text, 3);
  archive_read_free (zip);
  return strcmp (text, "big") != 0
         || invalid (self, "was written on a big-endian machine, which is not read", error);
}

/* The directory of a zip stands at its end; without it the file is not all there. */
static gboolean
check_end (const TrcTorchFile *self, GError **error)
{
  static const char mark[] = "PK\x05\x06";
  g_autofree char *end = g_malloc (MAX_ZIP_END);
  FILE *file = g_fopen (self->path, "rb");
  gsize n = 0;

  if (file == NULL)
    return invalid (self, "cannot be opened", error);
  if (fseek (file, -(long)MIN (self->n_bytes, MAX_ZIP_END), SEEK_END) == 0)
    n = fread (end, 1, MAX_ZIP_END, file);
  fclose (file);
  return memmem (end, n, mark, 4) != NULL
         || invalid (self, "ends in the middle: it was cut off; copy or download it again",
                     error);
}

TrcTorchFile *
trc_torch_file_open (const char *path, GError **error)
{
  g_autoptr (TrcTorchFile) self = g_new0 (TrcTorchFile, 1);
  g_autofree guint8 *pickle = NULL;
  GStatBuf info;
  guint64 size;

  self->path = g_strdup (path);
  self->name = g_filename_display_name (path);
  self->n_bytes = g_stat (path, &info) == 0 ? (guint64)info.st_size : 0;
  if (!check_end (self, error) || !check_byte_order (self, error))
    return NULL;
  pickle = read_member (self, "data.pkl", MAX_PICKLE, &size, error);
  if (pickle == NULL)
    return NULL;
  self->pickle = trc_pickle_parse (pickle, size, self->name, error);
  return self->pickle != NULL ? g_steal_pointer (&self) : NULL;
}

void
trc_torch_file_free (TrcTorchFile *self)
{
  if (self == NULL)
    return;
  trc_pickle_free (self->pickle);
  g_free (self->path);
  g_free (self->name);
  g_free (self);
}

const TrcPickleValue *
trc_torch_file_root (const TrcTorchFile *self)
{
  return trc_pickle_root (self->pickle);
}

/* ---- tensors ---- */

static const struct {
  const char *global;
  TrcTorchType type;
  guint bytes;
} types[] = {
  { "torch FloatStorage", TRC_TORCH_F32, 4 }, { "torch DoubleStorage", TRC_TORCH_F64, 8 },
  { "torch HalfStorage", TRC_TORCH_F16, 2 },  { "torch BFloat16Storage", TRC_TORCH_BF16, 2 },
  { "torch LongStorage", TRC_TORCH_I64, 8 },  { "torch IntStorage", TRC_TORCH_I32, 4 },
  { "torch ShortStorage", TRC_TORCH_I16, 2 }, { "torch CharStorage", TRC_TORCH_I8, 1 },
  { "torch ByteStorage", TRC_TORCH_U8, 1 },   { "torch BoolStorage", TRC_TORCH_BOOL, 1 },
};

static guint
type_bytes (TrcTorchType type)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].type == type)
      return types[i].bytes;
  return 0;
}

/* ('storage', <class of the numbers>, name, device, length) */
static gboolean
read_storage (const TrcPickleValue *value, TrcTorchTensor *tensor)
{
  const TrcPickleValue *id = trc_pickle_item (value, 0);
  const TrcPickleValue *key = trc_pickle_item (id, 2);

  if (value == NULL || value->kind != TRC_PICKLE_PERSISTENT || key == NULL
      || key->kind != TRC_PICKLE_TEXT)
    return FALSE;
  tensor->storage = key->text;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (trc_pickle_is_a (trc_pickle_item (id, 1), types[i].global))
      {
        tensor->type = types[i].type;
        return TRUE;
      }
  return FALSE;
}

static gboolean
read_sizes (const TrcPickleValue *value, guint n, gint64 *sizes)
{
  for (guint i = 0; i < n; i++)
    {
      const TrcPickleValue *item = trc_pickle_item (value, i);

      if (item->kind != TRC_PICKLE_INT || item->integer < 0 || item->integer > G_MAXINT32)
        return FALSE;
      sizes[i] = item->integer;
    }
  return TRUE;
}

gboolean
trc_torch_tensor (const TrcPickleValue *value, TrcTorchTensor *tensor)
{
  const TrcPickleValue *args, *offset;

  *tensor = (TrcTorchTensor){ .n_elements = 1 };
  if (trc_pickle_is_a (value, "torch._utils _rebuild_parameter"))
    value = trc_pickle_item (trc_pickle_item (value, 1), 0);
  if (!trc_pickle_is_a (value, "torch._utils _rebuild_tensor_v2"))
    return FALSE;
  args = trc_pickle_item (value, 1);
  offset = trc_pickle_item (args, 1);
  tensor->n_axes = trc_pickle_n_items (trc_pickle_item (args, 2));
  if (!read_storage (trc_pickle_item (args, 0), tensor) || offset == NULL
      || offset->kind != TRC_PICKLE_INT || offset->integer < 0
      || offset->integer > G_MAXINT64 / 16 || tensor->n_axes > TRC_TORCH_MAX_AXES
      || trc_pickle_n_items (trc_pickle_item (args, 3)) != tensor->n_axes
      || !read_sizes (trc_pickle_item (args, 2), tensor->n_axes, tensor->shape)
      || !read_sizes (trc_pickle_item (args, 3), tensor->n_axes, tensor->stride))
    return FALSE;
  tensor->offset = offset->integer;
  for (guint i = 0; i < tensor->n_axes; i++)
    if (__builtin_mul_overflow (tensor->n_elements, tensor->shape[i], &tensor->n_elements)
        || tensor->n_elements > G_MAXINT64 / 16
        || tensor->shape[i] * tensor->stride[i] > G_MAXINT64 / 16)
      return FALSE;
  return TRUE;
}

/* The element behind the last one, counted from the storage's start. No term is above a
 * sixteenth of what 63 bits hold, and there are five. */
static gint64
end_of (const TrcTorchTensor *tensor)
{
  gint64 last = tensor->offset;

  if (tensor->n_elements == 0)
    return 0;
  for (guint i = 0; i < tensor->n_axes; i++)
    last += (tensor->shape[i] - 1) * tensor->stride[i];
  return last + 1;
}

static double
half_to_double (guint16 bits)
{
  int exponent = bits >> 10 & 31;
  double mantissa = bits & 1023, value;

  if (exponent == 0)
    value = ldexp (mantissa, -24);
  else if (exponent == 31)
    value = mantissa == 0 ? INFINITY : NAN;
  else
    value = ldexp (mantissa + 1024, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

static double
load (TrcTorchType type, const guint8 *at)
{
  union {
    float f32;
    double f64;
    gint64 i64;
    gint32 i32;
    guint32 u32;
    gint16 i16;
    guint16 u16;
  } v;

  memcpy (&v, at, type_bytes (type));
  switch (type)
    {
    case TRC_TORCH_F32:
      return v.f32;
    case TRC_TORCH_F64:
      return v.f64;
    case TRC_TORCH_F16:
      return half_to_double (v.u16);
    case TRC_TORCH_BF16:
      v.u32 = (guint32)v.u16 << 16;
      return v.f32;
    case TRC_TORCH_I64:
      return (double)v.i64;
    case TRC_TORCH_I32:
      return v.i32;
    case TRC_TORCH_I16:
      return v.i16;
    case TRC_TORCH_I8:
      return (gint8)*at;
    default:
      return *at;
    }
}

static char *
storage_member (const TrcTorchTensor *tensor)
{
  return g_strconcat ("data/", tensor->storage, NULL);
}

/* Copies in row-major order; the last axis varies fastest. */
static void
gather (const TrcTorchTensor *tensor, const guint8 *bytes, double *out)
{
  gint64 at[TRC_TORCH_MAX_AXES] = { 0 };
  gint64 place = tensor->offset;
  guint size = type_bytes (tensor->type);

  for (gint64 i = 0; i < tensor->n_elements; i++)
    {
      out[i] = load (tensor->type, bytes + place * size);
      for (guint axis = tensor->n_axes; axis-- > 0;)
        {
          place += tensor->stride[axis];
          if (++at[axis] < tensor->shape[axis])
            break;
          place -= tensor->stride[axis] * tensor->shape[axis];
          at[axis] = 0;
        }
    }
}

double *
trc_torch_file_read (TrcTorchFile *self, const TrcTorchTensor *tensor, GError **error)
{
  g_autofree char *member = storage_member (tensor);
  g_autofree guint8 *bytes = NULL;
  guint64 size;
  double *out;

  bytes = read_member (self, member, self->n_bytes, &size, error);
  if (bytes == NULL)
    return NULL;
  /* Strides of 0 could make a small storage into a large tensor: none of ours are that. */
  if ((guint64)end_of (tensor) > size / type_bytes (tensor->type)
      || (guint64)tensor->n_elements > size)
    {
      invalid (self, "holds a tensor that is larger than its numbers", error);
      return NULL;
    }
  out = g_try_new (double, (gsize)tensor->n_elements + 1);
  if (out == NULL)
    invalid (self, "holds more than fits into memory", error);
  else
    gather (tensor, bytes, out);
  return out;
}

static gboolean
skip_bytes (const TrcTorchFile *self, struct archive *zip, guint64 n, GError **error)
{
  guint8 block[4096];

  for (; n > 0; n -= MIN (n, sizeof block))
    if (!zip_read (self, zip, block, MIN (n, sizeof block), error))
      return FALSE;
  return TRUE;
}

static gboolean
pass_rows (TrcTorchFile *self, const TrcTorchTensor *tensor, struct archive *zip,
           TrcTorchRow on_row, gpointer data, const TrcProgress *progress, GError **error)
{
  gint64 n = tensor->shape[1];
  guint size = type_bytes (tensor->type);
  g_autofree guint8 *bytes = g_try_malloc ((gsize)n * size + 1);
  g_autofree double *values = g_try_new (double, (gsize)n + 1);

  if (bytes == NULL || values == NULL)
    return invalid (self, "holds more than fits into memory", error);
  if (!skip_bytes (self, zip, (guint64)tensor->offset * size, error))
    return FALSE;
  for (gint64 row = 0; row < tensor->shape[0]; row++)
    {
      if (row % 64 == 0)
        {
          trc_progress_report (progress, (double)row / (double)tensor->shape[0],
                               "reading the graph");
          if (trc_progress_cancelled (progress, error))
            return FALSE;
        }
      if (!zip_read (self, zip, bytes, (gsize)n * size, error))
        return FALSE;
      for (gint64 i = 0; i < n; i++)
        values[i] = load (tensor->type, bytes + i * size);
      if (!on_row (row, values, n, data, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
trc_torch_file_rows (TrcTorchFile *self, const TrcTorchTensor *tensor, TrcTorchRow on_row,
                     gpointer data, const TrcProgress *progress, GError **error)
{
  g_autofree char *member = storage_member (tensor);
  struct archive *zip;
  guint64 size;
  gboolean ok;

  g_return_val_if_fail (tensor->n_axes == 2, FALSE);
  if (tensor->stride[1] != 1 || tensor->stride[0] != tensor->shape[1])
    return invalid (self, "holds a matrix that is not stored row by row", error);
  zip = zip_need (self, member, &size, error);
  if (zip == NULL)
    return FALSE;
  ok = (guint64)end_of (tensor) <= size / type_bytes (tensor->type)
           ? pass_rows (self, tensor, zip, on_row, data, progress, error)
           : invalid (self, "holds a tensor that is larger than its numbers", error);
  archive_read_free (zip);
  return ok;
}
