#include "compute/formats/gguf.h"

#include "compute/error.h"
#include "compute/base/packed.h"

#include <string.h>

/* A key's value: where it starts in the mapping, and its type. */
typedef struct {
  TrcGgufType type;
  TrcGgufType element; /* of an array */
  guint64 n;           /* of an array */
  const guint8 *data;
  char *text; /* of a string, terminated copy */
} Value;

struct _TrcGguf {
  char *path;
  GMappedFile *file;
  GHashTable *values;  /* key -> Value */
  GArray *tensors;     /* TrcGgufTensor */
  GHashTable *by_name; /* name -> index + 1 */
};

/* The reading head. All reads go through take(), which checks the end. */
typedef struct {
  const char *path;
  const guint8 *at, *end;
  GError **error;
} Cursor;

/* The element types by the numbers that files use; the gaps are types Tracery does not read. */
static const struct {
  guint32 number;
  TrcDType dtype;
} element_types[] = {
  { 0, TRC_F32 },   { 1, TRC_F16 },   { 2, TRC_Q4_0 },  { 3, TRC_Q4_1 },
  { 6, TRC_Q5_0 },  { 7, TRC_Q5_1 },  { 8, TRC_Q8_0 },  { 12, TRC_Q4_K },
  { 13, TRC_Q5_K }, { 14, TRC_Q6_K }, { 30, TRC_BF16 },
};

static const guint8 type_bytes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

gboolean
trc_gguf_dtype (guint32 number, TrcDType *dtype)
{
  for (guint i = 0; i < G_N_ELEMENTS (element_types); i++)
    if (element_types[i].number == number)
      {
        *dtype = element_types[i].dtype;
        return TRUE;
      }
  return FALSE;
}

guint32
trc_gguf_number (TrcDType dtype)
{
  for (guint i = 0; i < G_N_ELEMENTS (element_types); i++)
    if (element_types[i].dtype == dtype)
      return element_types[i].number;
  return G_MAXUINT32;
}

static void
value_free (gpointer data)
{
  Value *value = data;

  g_free (value->text);
  g_free (value);
}

static void
tensor_clear (gpointer data)
{
  g_free (((TrcGgufTensor *)data)->name);
}

static gboolean
fail (Cursor *c, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *clean = trc_error_quotable (what);
  g_set_error (c->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s: %s", c->path,
               clean);
  return FALSE;
}

static const guint8 *
take (Cursor *c, guint64 n)
{
  const guint8 *at = c->at;

  if (n > (guint64)(c->end - c->at))
    {
      fail (c, "the file ends inside its header; it is truncated or no GGUF file.");
      return NULL;
    }
  c->at += n;
  return at;
}

static gboolean
take_u32 (Cursor *c, guint32 *out)
{
  const guint8 *p = take (c, 4);

  if (p == NULL)
    return FALSE;
  memcpy (out, p, 4);
  *out = GUINT32_FROM_LE (*out);
  return TRUE;
}

static gboolean
take_u64 (Cursor *c, guint64 *out)
{
  const guint8 *p = take (c, 8);

  if (p == NULL)
    return FALSE;
  memcpy (out, p, 8);
  *out = GUINT64_FROM_LE (*out);
  return TRUE;
}

static gboolean
take_string (Cursor *c, TrcGgufString *out)
{
  guint64 n;

  if (!take_u64 (c, &n) || (out->data = (const char *)take (c, n)) == NULL)
    return FALSE;
  out->len = n;
  return TRUE;
}

/* A terminated copy of a name; names must be text. */
static char *
take_name (Cursor *c, const char *what)
{
  TrcGgufString s;

  if (!take_string (c, &s))
    return NULL;
  if (s.len == 0 || s.len > 1024 || !g_utf8_validate (s.data, s.len, NULL))
    {
      fail (c, "a %s is empty, too long or not text.", what);
      return NULL;
    }
  return g_strndup (s.data, s.len);
}

static gboolean
skip_array (Cursor *c, Value *value, const char *key)
{
  guint32 element;
  guint64 n_bytes;

  if (!take_u32 (c, &element) || !take_u64 (c, &value->n))
    return FALSE;
  if (element >= G_N_ELEMENTS (type_bytes) || element == TRC_GGUF_ARRAY)
    return fail (c, "array %s has elements of unknown type %u.", key, element);
  value->element = element;
  value->data = c->at;
  if (element != TRC_GGUF_STRING)
    {
      if (!g_uint64_checked_mul (&n_bytes, value->n, type_bytes[element]))
        return fail (c, "array %s is impossibly long.", key);
      return take (c, n_bytes) != NULL;
    }
  for (guint64 i = 0; i < value->n; i++)
    {
      TrcGgufString s;
      if (!take_string (c, &s))
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_value (Cursor *c, const char *key, Value *value)
{
  guint32 type;

  if (!take_u32 (c, &type))
    return FALSE;
  if (type >= G_N_ELEMENTS (type_bytes))
    return fail (c, "key %s has the unknown type %u.", key, type);
  value->type = type;
  value->data = c->at;
  if (type == TRC_GGUF_ARRAY)
    return skip_array (c, value, key);
  if (type != TRC_GGUF_STRING)
    return take (c, type_bytes[type]) != NULL;

  TrcGgufString s;
  if (!take_string (c, &s))
    return FALSE;
  if (!g_utf8_validate (s.data, s.len, NULL))
    return fail (c, "the text of key %s is not UTF-8.", key);
  value->text = g_strndup (s.data, s.len);
  return TRUE;
}

static gboolean
read_pairs (TrcGguf *self, Cursor *c, guint64 n)
{
  for (guint64 i = 0; i < n; i++)
    {
      g_autofree char *key = take_name (c, "key");
      if (key == NULL)
        return FALSE;
      if (g_hash_table_contains (self->values, key))
        return fail (c, "key %s is there twice.", key);
      Value *value = g_new0 (Value, 1);
      gboolean ok = take_value (c, key, value);
      g_hash_table_insert (self->values, g_steal_pointer (&key), value);
      if (!ok)
        return FALSE;
    }
  return TRUE;
}

static gboolean
take_dims (Cursor *c, TrcGgufTensor *t)
{
  guint32 n_dims;

  if (!take_u32 (c, &n_dims))
    return FALSE;
  if (n_dims > TRC_GGUF_MAX_DIMS)
    return fail (c, "tensor %s has %u axes; at most %d are known.", t->name, n_dims,
                 TRC_GGUF_MAX_DIMS);
  t->n_dims = n_dims;
  t->n_elements = 1;
  for (guint i = 0; i < TRC_GGUF_MAX_DIMS; i++)
    {
      t->dims[i] = 1;
      if (i < n_dims && !take_u64 (c, &t->dims[i]))
        return FALSE;
      if (!g_uint64_checked_mul (&t->n_elements, t->n_elements, t->dims[i]))
        return fail (c, "the size of tensor %s overflows.", t->name);
    }
  return TRUE;
}

/* Reads one tensor description; data still counts from the data section. */
static gboolean
take_tensor (TrcGguf *self, Cursor *c, TrcGgufTensor *t, guint64 *offset)
{
  guint32 type;

  if ((t->name = take_name (c, "tensor name")) == NULL || !take_dims (c, t)
      || !take_u32 (c, &type) || !take_u64 (c, offset))
    return FALSE;
  if (!trc_gguf_dtype (type, &t->dtype))
    return fail (c, "tensor %s has the element type %u, which Tracery does not read.", t->name,
                 type);
  const TrcDTypeInfo *info = trc_dtype_info (t->dtype);
  if (t->dims[0] % info->block_elements != 0)
    return fail (c, "a row of tensor %s is no whole number of %s blocks.", t->name, info->name);
  if (!g_uint64_checked_mul (&t->n_bytes, t->n_elements / info->block_elements,
                             info->block_bytes))
    return fail (c, "the size of tensor %s overflows.", t->name);
  if (g_hash_table_contains (self->by_name, t->name))
    return fail (c, "tensor %s is there twice.", t->name);
  return TRUE;
}

static gboolean
read_tensors (TrcGguf *self, Cursor *c, guint64 n)
{
  g_autoptr (GArray) offsets = g_array_new (FALSE, FALSE, sizeof (guint64));

  for (guint64 i = 0; i < n; i++)
    {
      TrcGgufTensor t = { 0 };
      guint64 offset;
      if (!take_tensor (self, c, &t, &offset))
        {
          g_free (t.name);
          return FALSE;
        }
      g_array_append_val (self->tensors, t);
      g_array_append_val (offsets, offset);
      g_hash_table_insert (self->by_name, t.name, GUINT_TO_POINTER (self->tensors->len));
    }

  guint64 alignment = trc_gguf_int (self, "general.alignment", 32);
  const guint8 *begin = (const guint8 *)g_mapped_file_get_contents (self->file);
  if (alignment == 0 || alignment > 65536 || (alignment & (alignment - 1)) != 0)
    return fail (c, "general.alignment is not a power of two up to 65536.");
  guint64 start = ((guint64)(c->at - begin) + alignment - 1) / alignment * alignment;
  guint64 size = c->end - begin;
  for (guint i = 0; i < self->tensors->len; i++)
    {
      TrcGgufTensor *t = &g_array_index (self->tensors, TrcGgufTensor, i);
      guint64 offset = g_array_index (offsets, guint64, i);
      if (offset % alignment != 0 || start > size || offset > size - start
          || t->n_bytes > size - start - offset)
        return fail (c, "the data of tensor %s lie outside the file (truncated download?).",
                     t->name);
      t->data = begin + start + offset;
    }
  return TRUE;
}

static gboolean
read_header (TrcGguf *self, Cursor *c)
{
  const guint8 *magic = take (c, 4);
  guint32 version;
  guint64 n_tensors, n_pairs;

  if (magic == NULL)
    return FALSE;
  if (memcmp (magic, "GGUF", 4) != 0)
    return fail (c, "this is no GGUF file (it does not begin with \"GGUF\").");
  if (!take_u32 (c, &version))
    return FALSE;
  if (version != 2 && version != 3)
    return fail (c, "GGUF version %u; Tracery reads versions 2 and 3, little endian.", version);
  return take_u64 (c, &n_tensors) && take_u64 (c, &n_pairs) && read_pairs (self, c, n_pairs)
         && read_tensors (self, c, n_tensors);
}

TrcGguf *
trc_gguf_open (const char *path, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, error);
  g_autoptr (TrcGguf) self = NULL;

  if (file == NULL)
    return NULL;
  self = g_atomic_rc_box_new0 (TrcGguf);
  self->path = g_strdup (path);
  self->file = g_steal_pointer (&file);
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, value_free);
  self->tensors = g_array_new (FALSE, TRUE, sizeof (TrcGgufTensor));
  g_array_set_clear_func (self->tensors, tensor_clear);
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);

  const guint8 *data = (const guint8 *)g_mapped_file_get_contents (self->file);
  gsize size = g_mapped_file_get_length (self->file);
  Cursor c = { path, data, data == NULL ? NULL : data + size, error };
  if (!read_header (self, &c))
    return NULL;
  return g_steal_pointer (&self);
}

TrcGguf *
trc_gguf_ref (TrcGguf *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
gguf_clear (gpointer data)
{
  TrcGguf *self = data;

  g_hash_table_unref (self->by_name);
  g_array_unref (self->tensors);
  g_hash_table_unref (self->values);
  g_mapped_file_unref (self->file);
  g_free (self->path);
}

void
trc_gguf_unref (TrcGguf *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, gguf_clear);
}

const char *
trc_gguf_path (const TrcGguf *self)
{
  return self->path;
}

gboolean
trc_gguf_has (const TrcGguf *self, const char *key)
{
  return g_hash_table_contains (self->values, key);
}

#define READ_LE(type, p)                                                                       \
  ({                                                                                           \
    type v_;                                                                                   \
    memcpy (&v_, (p), sizeof v_);                                                              \
    v_;                                                                                        \
  })

double
trc_gguf_double (const TrcGguf *self, const char *key, double fallback)
{
  const Value *value = g_hash_table_lookup (self->values, key);

  if (value == NULL)
    return fallback;
  if (value->type == TRC_GGUF_F32)
    return READ_LE (float, value->data);
  if (value->type == TRC_GGUF_F64)
    return READ_LE (double, value->data);
  if (value->type == TRC_GGUF_STRING || value->type == TRC_GGUF_ARRAY)
    return fallback;
  return (double)trc_gguf_int (self, key, 0);
}

gint64
trc_gguf_int (const TrcGguf *self, const char *key, gint64 fallback)
{
  const Value *value = g_hash_table_lookup (self->values, key);

  if (value == NULL)
    return fallback;
  switch (value->type)
    {
    case TRC_GGUF_U8:
    case TRC_GGUF_BOOL:
      return *value->data;
    case TRC_GGUF_I8:
      return READ_LE (gint8, value->data);
    case TRC_GGUF_U16:
      return GUINT16_FROM_LE (READ_LE (guint16, value->data));
    case TRC_GGUF_I16:
      return GINT16_FROM_LE (READ_LE (gint16, value->data));
    case TRC_GGUF_U32:
      return GUINT32_FROM_LE (READ_LE (guint32, value->data));
    case TRC_GGUF_I32:
      return GINT32_FROM_LE (READ_LE (gint32, value->data));
    case TRC_GGUF_U64:
    case TRC_GGUF_I64:
      return GINT64_FROM_LE (READ_LE (gint64, value->data));
    default:
      return fallback;
    }
}

gboolean
trc_gguf_bool (const TrcGguf *self, const char *key, gboolean fallback)
{
  const Value *value = g_hash_table_lookup (self->values, key);

  return value == NULL || value->type != TRC_GGUF_BOOL ? fallback : *value->data != 0;
}

const char *
trc_gguf_string (const TrcGguf *self, const char *key, const char *fallback)
{
  const Value *value = g_hash_table_lookup (self->values, key);

  return value == NULL || value->text == NULL ? fallback : value->text;
}

/* The array under @key if its elements have @type. */
static const Value *
array_value (const TrcGguf *self, const char *key, TrcGgufType type)
{
  const Value *value = g_hash_table_lookup (self->values, key);

  return value != NULL && value->type == TRC_GGUF_ARRAY && value->element == type ? value
                                                                                  : NULL;
}

guint64
trc_gguf_array_length (const TrcGguf *self, const char *key, TrcGgufType type)
{
  const Value *value = array_value (self, key, type);

  return value == NULL ? 0 : value->n;
}

TrcGgufString *
trc_gguf_strings (const TrcGguf *self, const char *key, guint64 *n)
{
  const Value *value = array_value (self, key, TRC_GGUF_STRING);

  *n = 0;
  if (value == NULL || value->n > G_MAXSIZE / sizeof (TrcGgufString))
    return NULL;
  TrcGgufString *strings = g_try_new (TrcGgufString, value->n);
  if (strings == NULL)
    return NULL;
  const guint8 *at = value->data; /* walked once by skip_array(), so it cannot overrun */
  for (guint64 i = 0; i < value->n; i++)
    {
      guint64 len = GUINT64_FROM_LE (READ_LE (guint64, at));
      strings[i] = (TrcGgufString){ (const char *)at + 8, len };
      at += 8 + len;
    }
  *n = value->n;
  return strings;
}

const guint8 *
trc_gguf_numbers (const TrcGguf *self, const char *key, TrcGgufType type, guint64 *n)
{
  const Value *value = array_value (self, key, type);

  *n = value == NULL ? 0 : value->n;
  return value == NULL ? NULL : value->data;
}

const TrcGgufTensor *
trc_gguf_tensors (const TrcGguf *self, guint *n)
{
  *n = self->tensors->len;
  return (const TrcGgufTensor *)self->tensors->data;
}

const TrcGgufTensor *
trc_gguf_tensor (const TrcGguf *self, const char *name)
{
  guint i = GPOINTER_TO_UINT (g_hash_table_lookup (self->by_name, name));

  return i == 0 ? NULL : &g_array_index (self->tensors, TrcGgufTensor, i - 1);
}
