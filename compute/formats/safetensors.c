#define G_LOG_DOMAIN "tracery-compute"

#include "compute/safetensors.h"

#include "compute/base/half.h"

#include <string.h>
#include <yajl/yajl_parse.h>

/* The limit of the format's own library; it keeps a hostile length from
 * costing memory. */
#define MAX_HEADER (100u << 20)

struct _TrcSafetensors {
  char *path;
  GMappedFile *map; /* one of map and bytes */
  GBytes *bytes;
  GStringChunk *names;
  GArray *tensors;      /* of TrcFileTensor, by place in the file */
  GHashTable *by_name;  /* name -> index + 1 */
  GHashTable *metadata; /* text -> text */
};

static const struct {
  const char *name;
  TrcFileType type;
  guint bytes;
} file_types[] = {
  { "F32", TRC_FILE_F32, 4 },       { "F16", TRC_FILE_F16, 2 },
  { "BF16", TRC_FILE_BF16, 2 },     { "F64", TRC_FILE_F64, 8 },
  { "I64", TRC_FILE_I64, 8 },       { "I32", TRC_FILE_I32, 4 },
  { "I16", TRC_FILE_I16, 2 },       { "I8", TRC_FILE_I8, 1 },
  { "U8", TRC_FILE_U8, 1 },         { "BOOL", TRC_FILE_BOOL, 1 },
  { "U64", TRC_FILE_OTHER, 8 },     { "U32", TRC_FILE_OTHER, 4 },
  { "U16", TRC_FILE_OTHER, 2 },     { "F8_E4M3", TRC_FILE_OTHER, 1 },
  { "F8_E5M2", TRC_FILE_OTHER, 1 },
};

/* --- the header --- */

typedef enum {
  AT_TOP,
  AT_ENTRY,
  AT_TENSOR,
  AT_METADATA,
  AT_SHAPE,
  AT_OFFSETS,
  AT_END
} HeaderState;
typedef enum { KEY_NONE, KEY_DTYPE, KEY_SHAPE, KEY_OFFSETS, KEY_UNKNOWN } TensorKey;

typedef struct {
  TrcSafetensors *self;
  GError **error;
  HeaderState state;
  TensorKey key;
  char *text_key; /* of the metadata */
  TrcFileTensor tensor;
  guint seen; /* bits of TensorKey */
  guint n_offsets;
  guint64 offset[2];
  GArray *ranges; /* of Range, one for each tensor */
} Header;

typedef struct {
  guint64 begin, end;
  TrcFileTensor tensor;
} Range;

static int G_GNUC_PRINTF (2, 3) header_bad (Header *h, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL, *clean = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  /* Names come from the file: they may be cut inside a letter or hold line breaks. */
  clean = trc_error_quotable (text);
  if (h->error != NULL && *h->error == NULL)
    g_set_error (h->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                 "%s is not a sound safetensors file: %s.", h->self->path, clean);
  return 0;
}

static const char *
header_where (const Header *h)
{
  return h->tensor.name != NULL ? h->tensor.name : "the header";
}

static int
on_other (void *ctx)
{
  Header *h = ctx;

  if (h->state == AT_TENSOR && h->key == KEY_UNKNOWN)
    return 1;
  return header_bad (h, "%s holds a value of a kind that does not belong there",
                     header_where (h));
}

static int
on_boolean (void *ctx, int value)
{
  return on_other (ctx);
}

static gboolean
parse_u64 (const char *text, size_t length, guint64 *value)
{
  *value = 0;
  if (length == 0)
    return FALSE;
  for (size_t i = 0; i < length; i++)
    if (!g_ascii_isdigit (text[i]) || !g_uint64_checked_mul (value, *value, 10)
        || !g_uint64_checked_add (value, *value, (guint64)(text[i] - '0')))
      return FALSE;
  return TRUE;
}

static int
on_number (void *ctx, const char *text, size_t length)
{
  Header *h = ctx;
  guint64 value;

  if (h->state != AT_SHAPE && h->state != AT_OFFSETS)
    return on_other (h);
  if (!parse_u64 (text, length, &value))
    return header_bad (h, "%s has the number %.*s where a count must be", h->tensor.name,
                       (int)MIN (length, 40), text);
  if (h->state == AT_SHAPE)
    {
      if (h->tensor.n_axes == TRC_FILE_MAX_AXES)
        return header_bad (h, "%s has more than %d axes", h->tensor.name, TRC_FILE_MAX_AXES);
      h->tensor.shape[h->tensor.n_axes++] = value;
      return 1;
    }
  if (h->n_offsets == 2)
    return header_bad (h, "%s has more than two data offsets", h->tensor.name);
  h->offset[h->n_offsets++] = value;
  return 1;
}

static int
on_string (void *ctx, const unsigned char *text, size_t length)
{
  Header *h = ctx;
  const char *chars = (const char *)text;

  if (h->state == AT_METADATA && h->text_key != NULL)
    {
      g_hash_table_insert (h->self->metadata, g_steal_pointer (&h->text_key),
                           g_strndup (chars, length));
      return 1;
    }
  if (h->state != AT_TENSOR || h->key != KEY_DTYPE)
    return on_other (h);
  h->tensor.type = TRC_FILE_OTHER;
  h->tensor.n_bytes = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (file_types); i++)
    if (strlen (file_types[i].name) == length
        && memcmp (file_types[i].name, chars, length) == 0)
      {
        h->tensor.type = file_types[i].type;
        h->tensor.type_name = file_types[i].name;
        h->tensor.n_bytes = file_types[i].bytes;
        return 1;
      }
  return header_bad (h, "%s has the unknown type \"%.*s\"", h->tensor.name,
                     (int)MIN (length, 40), chars);
}

static int
on_start_map (void *ctx)
{
  Header *h = ctx;

  if (h->state == AT_TOP)
    h->state = AT_ENTRY;
  else if (h->state == AT_ENTRY && h->text_key != NULL)
    {
      gboolean metadata = strcmp (h->text_key, "__metadata__") == 0;

      h->state = metadata ? AT_METADATA : AT_TENSOR;
      h->tensor = (TrcFileTensor){ 0 };
      if (!metadata)
        h->tensor.name = g_string_chunk_insert (h->self->names, h->text_key);
      g_clear_pointer (&h->text_key, g_free);
      h->key = KEY_NONE;
      h->seen = h->n_offsets = 0;
    }
  else
    return header_bad (h, "%s is nested deeper than the format allows", header_where (h));
  return 1;
}

static int
on_map_key (void *ctx, const unsigned char *text, size_t length)
{
  Header *h = ctx;
  const char *chars = (const char *)text;
  static const char *const keys[] = { "", "dtype", "shape", "data_offsets" };

  if (memchr (chars, 0, length) != NULL)
    return header_bad (h, "a name holds a zero byte");
  if (h->state != AT_TENSOR)
    {
      g_free (h->text_key);
      h->text_key = g_strndup (chars, length);
      return 1;
    }
  h->key = KEY_UNKNOWN;
  for (guint k = KEY_DTYPE; k <= KEY_OFFSETS; k++)
    if (strlen (keys[k]) == length && memcmp (keys[k], chars, length) == 0)
      h->key = k;
  if (h->key != KEY_UNKNOWN && (h->seen & (1u << h->key)) != 0)
    return header_bad (h, "%s says %s twice", h->tensor.name, keys[h->key]);
  h->seen |= 1u << h->key;
  return 1;
}

static int
on_start_array (void *ctx)
{
  Header *h = ctx;

  if (h->state == AT_TENSOR && h->key == KEY_SHAPE)
    h->state = AT_SHAPE;
  else if (h->state == AT_TENSOR && h->key == KEY_OFFSETS)
    h->state = AT_OFFSETS;
  else
    return header_bad (h, "%s holds a list where none belongs", header_where (h));
  return 1;
}

static int
on_end_array (void *ctx)
{
  Header *h = ctx;

  h->state = AT_TENSOR;
  return 1;
}

static int
finish_tensor (Header *h)
{
  TrcFileTensor *t = &h->tensor;
  guint64 n = 1, bytes;
  guint64 element = t->n_bytes;
  guint all = (1u << KEY_DTYPE) | (1u << KEY_SHAPE) | (1u << KEY_OFFSETS);

  if ((h->seen & all) != all || h->n_offsets != 2)
    return header_bad (h, "%s lacks its dtype, shape or two data_offsets", t->name);
  for (guint a = 0; a < t->n_axes; a++)
    if (!g_uint64_checked_mul (&n, n, t->shape[a]))
      return header_bad (h, "%s has a shape whose size overflows", t->name);
  if (!g_uint64_checked_mul (&bytes, n, element))
    return header_bad (h, "%s has a shape whose size overflows", t->name);
  if (h->offset[1] < h->offset[0] || h->offset[1] - h->offset[0] != bytes)
    return header_bad (h,
                       "%s has data_offsets [%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                       "], but its type and shape need %" G_GUINT64_FORMAT " bytes",
                       t->name, h->offset[0], h->offset[1], bytes);
  if (g_hash_table_contains (h->self->by_name, t->name))
    return header_bad (h, "the name %s occurs twice", t->name);
  g_hash_table_insert (h->self->by_name, (gpointer)t->name, GUINT_TO_POINTER (1));
  t->n_elements = n;
  t->n_bytes = bytes;
  Range range = { h->offset[0], h->offset[1], *t };
  g_array_append_val (h->ranges, range);
  return 1;
}

static int
on_end_map (void *ctx)
{
  Header *h = ctx;

  switch (h->state)
    {
    case AT_TENSOR:
      h->state = AT_ENTRY;
      if (!finish_tensor (h))
        return 0;
      h->tensor.name = NULL;
      return 1;
    case AT_METADATA:
      h->state = AT_ENTRY;
      return 1;
    default:
      h->state = AT_END;
      return 1;
    }
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const Range *x = a, *y = b;

  if (x->begin != y->begin)
    return x->begin < y->begin ? -1 : 1;
  return (x->end > y->end) - (x->end < y->end);
}

/* Places the tensors: sorted, each beginning where the one before ends, the last
 * ending with the file. That rules out overlaps, holes and cut files at once. */
static gboolean
place_tensors (Header *h, const guint8 *data, guint64 n_bytes)
{
  guint64 at = 0;

  g_array_sort (h->ranges, compare_ranges);
  for (guint i = 0; i < h->ranges->len; i++)
    {
      Range *r = &g_array_index (h->ranges, Range, i);

      if (r->end > n_bytes)
        return header_bad (h,
                           "%s ends at byte %" G_GUINT64_FORMAT
                           " of the data, but there are only %" G_GUINT64_FORMAT
                           "; the file is cut short",
                           r->tensor.name, r->end, n_bytes);
      if (r->begin != at)
        return header_bad (h,
                           "%s begins at byte %" G_GUINT64_FORMAT
                           " of the data, but what is before "
                           "it ends at %" G_GUINT64_FORMAT,
                           r->tensor.name, r->begin, at);
      at = r->end;
      r->tensor.data = data + r->begin;
      g_array_append_val (h->self->tensors, r->tensor);
      g_hash_table_insert (h->self->by_name, (gpointer)r->tensor.name,
                           GUINT_TO_POINTER (i + 1));
    }
  if (at != n_bytes)
    return header_bad (h, "%" G_GUINT64_FORMAT " bytes at its end belong to no tensor",
                       n_bytes - at);
  return TRUE;
}

static gboolean
parse_json (Header *h, const guint8 *text, gsize length)
{
  static const yajl_callbacks callbacks = { on_other,       on_boolean,  NULL,
                                            NULL,           on_number,   on_string,
                                            on_start_map,   on_map_key,  on_end_map,
                                            on_start_array, on_end_array };
  yajl_handle parser = yajl_alloc (&callbacks, NULL, h);
  yajl_status status = yajl_parse (parser, text, length);

  if (status == yajl_status_ok)
    status = yajl_complete_parse (parser);
  if (status == yajl_status_error)
    header_bad (h, "its header is no valid JSON");
  else if (status == yajl_status_ok && h->state != AT_END)
    {
      header_bad (h, "its header is not one whole JSON object");
      status = yajl_status_error;
    }
  yajl_free (parser);
  return status == yajl_status_ok;
}

static gboolean
read_header (TrcSafetensors *self, const guint8 *bytes, gsize n_bytes, GError **error)
{
  GError *local = NULL;
  Header h = { .self = self, .error = &local };
  guint64 length;
  gboolean ok;

  if (n_bytes < 8)
    {
      header_bad (&h, "it has %" G_GSIZE_FORMAT " bytes, fewer than the length of a header",
                  n_bytes);
      g_propagate_error (error, local);
      return FALSE;
    }
  memcpy (&length, bytes, 8);
  length = GUINT64_FROM_LE (length);
  if (length > MAX_HEADER || length > n_bytes - 8)
    {
      header_bad (&h,
                  "its header claims %" G_GUINT64_FORMAT
                  " bytes, but the file has %" G_GSIZE_FORMAT " in all",
                  length, n_bytes);
      g_propagate_error (error, local);
      return FALSE;
    }
  h.ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  ok = parse_json (&h, bytes + 8, length)
       && place_tensors (&h, bytes + 8 + length, n_bytes - 8 - length);
  g_array_unref (h.ranges);
  g_free (h.text_key);
  if (!ok)
    g_propagate_error (error, local);
  return ok;
}

/* --- life cycle --- */

static void
safetensors_clear (gpointer data)
{
  TrcSafetensors *self = data;

  g_clear_pointer (&self->map, g_mapped_file_unref);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->by_name, g_hash_table_unref);
  g_clear_pointer (&self->metadata, g_hash_table_unref);
  g_clear_pointer (&self->tensors, g_array_unref);
  g_clear_pointer (&self->names, g_string_chunk_free);
  g_free (self->path);
}

static TrcSafetensors *
safetensors_new (const char *path)
{
  TrcSafetensors *self = g_atomic_rc_box_new0 (TrcSafetensors);

  self->path = g_strdup (path);
  self->names = g_string_chunk_new (4096);
  self->tensors = g_array_new (FALSE, TRUE, sizeof (TrcFileTensor));
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  self->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

TrcSafetensors *
trc_safetensors_open (const char *path, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GMappedFile) map = g_mapped_file_new (path, FALSE, &local);

  if (map == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "%s cannot be opened: %s.", path, local->message);
      return NULL;
    }
  g_autoptr (TrcSafetensors) self = safetensors_new (path);
  self->map = g_steal_pointer (&map);
  if (!read_header (self, (const guint8 *)g_mapped_file_get_contents (self->map),
                    g_mapped_file_get_length (self->map), error))
    return NULL;
  return g_steal_pointer (&self);
}

TrcSafetensors *
trc_safetensors_open_bytes (GBytes *bytes, const char *path, GError **error)
{
  gsize n_bytes;
  const guint8 *data = g_bytes_get_data (bytes, &n_bytes);
  g_autoptr (TrcSafetensors) self = safetensors_new (path);

  self->bytes = g_bytes_ref (bytes);
  if (!read_header (self, data, n_bytes, error))
    return NULL;
  return g_steal_pointer (&self);
}

TrcSafetensors *
trc_safetensors_ref (TrcSafetensors *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_safetensors_unref (TrcSafetensors *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, safetensors_clear);
}

gsize
trc_safetensors_n_tensors (const TrcSafetensors *self)
{
  return self->tensors->len;
}

const TrcFileTensor *
trc_safetensors_get (const TrcSafetensors *self, gsize i)
{
  g_return_val_if_fail (i < self->tensors->len, NULL);
  return &g_array_index (self->tensors, TrcFileTensor, i);
}

const TrcFileTensor *
trc_safetensors_find (const TrcSafetensors *self, const char *name)
{
  guint i = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_name, name));

  return i == 0 ? NULL : &g_array_index (self->tensors, TrcFileTensor, i - 1);
}

const char *
trc_safetensors_metadata (const TrcSafetensors *self, const char *key)
{
  return g_hash_table_lookup (self->metadata, key);
}

/* --- values --- */

static float
element_to_f32 (TrcFileType type, const guint8 *at)
{
  guint16 half;
  float single;
  double wide;

  switch (type)
    {
    case TRC_FILE_F32:
      memcpy (&single, at, 4);
      return single;
    case TRC_FILE_F64:
      memcpy (&wide, at, 8);
      return (float)wide;
    case TRC_FILE_F16:
      memcpy (&half, at, 2);
      return trc_half_to_float (half);
    default:
      memcpy (&half, at, 2);
      return trc_bfloat_to_float (half);
    }
}

gboolean
trc_file_tensor_to_f32 (const TrcFileTensor *tensor, guint64 first, guint64 n, float *dst,
                        GError **error)
{
  guint bytes = tensor->type == TRC_FILE_F64 ? 8 : tensor->type == TRC_FILE_F32 ? 4 : 2;

  g_return_val_if_fail (first <= tensor->n_elements && n <= tensor->n_elements - first, FALSE);
  if (tensor->type > TRC_FILE_F64)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "The tensor %s has type %s; Tracery reads F32, F16, BF16 and F64 weights.",
                   tensor->name, tensor->type_name);
      return FALSE;
    }
  if (tensor->type == TRC_FILE_F32)
    memcpy (dst, tensor->data + first * 4, n * 4);
  else
    for (guint64 i = 0; i < n; i++)
      dst[i] = element_to_f32 (tensor->type, tensor->data + (first + i) * bytes);
  return TRUE;
}
