#include "compute/formats/gguf.h"

#include "compute/error.h"
#include "compute/base/packed.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <string.h>

static void
put (GByteArray *file, const void *data, gsize len)
{
  g_byte_array_append (file, data, (guint)len);
}

static void
put_u32 (GByteArray *file, guint32 v)
{
  v = GUINT32_TO_LE (v);
  put (file, &v, 4);
}

static void
put_u64 (GByteArray *file, guint64 v)
{
  v = GUINT64_TO_LE (v);
  put (file, &v, 8);
}

static void
put_string (GByteArray *file, const char *s)
{
  put_u64 (file, strlen (s));
  put (file, s, strlen (s));
}

/* Two keys, one array, one tensor of 2 x 32 in Q8_0. */
static GByteArray *
small_file (void)
{
  GByteArray *file = g_byte_array_new ();
  guint8 zeros[128] = { 0 };

  put (file, "GGUF", 4);
  put_u32 (file, 3);
  put_u64 (file, 1);
  put_u64 (file, 3);
  put_string (file, "general.architecture");
  put_u32 (file, TRC_GGUF_STRING);
  put_string (file, "llama");
  put_string (file, "llama.block_count");
  put_u32 (file, TRC_GGUF_U32);
  put_u32 (file, 2);
  put_string (file, "tokens");
  put_u32 (file, TRC_GGUF_ARRAY);
  put_u32 (file, TRC_GGUF_STRING);
  put_u64 (file, 2);
  put_string (file, "a");
  put_string (file, "bc");
  put_string (file, "w");
  put_u32 (file, 2);
  put_u64 (file, 32);
  put_u64 (file, 2);
  put_u32 (file, trc_gguf_number (TRC_Q8_0));
  put_u64 (file, 0);
  put (file, zeros, (32 - file->len % 32) % 32 + 68);
  return file;
}

static TrcGguf *
open_bytes (const guint8 *data, gsize len, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("trc-XXXXXX.gguf", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (const char *)data, (gssize)len, NULL));
  TrcGguf *file = trc_gguf_open (path, error);
  g_unlink (path);
  return file;
}

static void
test_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = small_file ();
  g_autoptr (TrcGguf) file = open_bytes (bytes->data, bytes->len, &error);
  guint64 n;
  guint n_tensors;

  g_assert_no_error (error);
  g_assert_cmpstr (trc_gguf_string (file, "general.architecture", NULL), ==, "llama");
  g_assert_cmpint (trc_gguf_int (file, "llama.block_count", 0), ==, 2);
  g_assert_cmpfloat (trc_gguf_double (file, "llama.block_count", 0), ==, 2);
  g_assert_cmpint (trc_gguf_int (file, "missing", 7), ==, 7);
  g_autofree TrcGgufString *tokens = trc_gguf_strings (file, "tokens", &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpmem (tokens[1].data, tokens[1].len, "bc", 2);
  const TrcGgufTensor *t = trc_gguf_tensor (file, "w");
  g_assert_true (trc_gguf_tensors (file, &n_tensors) == t);
  g_assert_cmpuint (n_tensors, ==, 1);
  g_assert_cmpuint (t->n_elements, ==, 64);
  g_assert_cmpuint (t->n_bytes, ==, 68);
}

/* Cut anywhere, the file is refused in a sentence that names it. */
static void
test_truncated (void)
{
  g_autoptr (GByteArray) bytes = small_file ();

  for (guint len = 0; len < bytes->len; len++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcGguf) file = open_bytes (bytes->data, len, &error);
      g_assert_null (file);
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, ".gguf"));
    }
}

/* Every single byte replaced by hostile values: read or refused, never worse. */
static void
test_mutated (void)
{
  static const guint8 values[] = { 0, 1, 0x7f, 0x80, 0xff };
  g_autoptr (GByteArray) bytes = small_file ();
  guint refused = 0;

  for (guint i = 0; i < bytes->len - 68; i++)
    for (guint k = 0; k < G_N_ELEMENTS (values); k++)
      {
        g_autoptr (GError) error = NULL;
        guint8 old = bytes->data[i];
        bytes->data[i] = values[k];
        g_autoptr (TrcGguf) file = open_bytes (bytes->data, bytes->len, &error);
        g_assert_true ((file == NULL) == (error != NULL));
        refused += file == NULL;
        bytes->data[i] = old;
      }
  g_assert_cmpuint (refused, >, 100);
}

static void
test_unsupported (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = trc_test_shared ("data/models/hf-tiny-fixtures/tiny_kquant.gguf");

  if (path == NULL)
    return;
  g_autoptr (TrcGguf) file = trc_gguf_open (path, &error);
  g_assert_null (file); /* it holds a Q2_K tensor */
  g_assert_nonnull (strstr (error->message, "element type 10"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gguf/read", test_read);
  g_test_add_func ("/gguf/truncated", test_truncated);
  g_test_add_func ("/gguf/mutated", test_mutated);
  g_test_add_func ("/gguf/unsupported", test_unsupported);
  return g_test_run ();
}
