/* Reading safetensors: sound files, every truncation, and files made to hurt. */
#include "compute/safetensors.h"

#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

/* A file out of a header and @n data bytes that count up. */
static GBytes *
make_file (const char *header, gsize n)
{
  GByteArray *out = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64)strlen (header));

  g_byte_array_append (out, (const guint8 *)&length, 8);
  g_byte_array_append (out, (const guint8 *)header, (guint)strlen (header));
  for (gsize i = 0; i < n; i++)
    g_byte_array_append (out, (const guint8[]){ (guint8)i }, 1);
  return g_byte_array_free_to_bytes (out);
}

static const char sound[] =
    "{\"__metadata__\":{\"format\":\"pt\"},"
    "\"b\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[8,16]},"
    "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
    "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[16,16]},"
    "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[16,24]}}";

static void
test_sound (void)
{
  g_autoptr (GBytes) bytes = make_file (sound, 24);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcSafetensors) file = trc_safetensors_open_bytes (bytes, "test", &error);
  const TrcFileTensor *b;
  float value;

  g_assert_no_error (error);
  g_assert_cmpuint (trc_safetensors_n_tensors (file), ==, 4);
  g_assert_cmpstr (trc_safetensors_get (file, 0)->name, ==, "a");
  g_assert_cmpstr (trc_safetensors_metadata (file, "format"), ==, "pt");
  g_assert_null (trc_safetensors_metadata (file, "other"));
  g_assert_null (trc_safetensors_find (file, "c"));
  b = trc_safetensors_find (file, "b");
  g_assert_cmpuint (b->n_axes, ==, 2);
  g_assert_cmpuint (b->shape[1], ==, 2);
  g_assert_cmpuint (b->n_elements, ==, 4);
  g_assert_cmpuint (b->data[0], ==, 8);
  g_assert_true (trc_file_tensor_to_f32 (b, 0, 1, &value, NULL));
  g_assert_cmpfloat (value, ==, (1.0f + 0x108 / 1024.0f) * 0x1p-13f);
  g_assert_false (
      trc_file_tensor_to_f32 (trc_safetensors_find (file, "scalar"), 0, 1, &value, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
}

/* No shorter file is taken for a whole one. */
static void
test_truncated (void)
{
  g_autoptr (GBytes) bytes = make_file (sound, 24);

  for (gsize n = 0; n < g_bytes_get_size (bytes); n++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, n);
      g_autoptr (GError) error = NULL;

      g_assert_null (trc_safetensors_open_bytes (part, "cut.safetensors", &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "cut.safetensors"));
      g_assert_true (g_str_has_suffix (error->message, "."));
    }
}

typedef struct {
  const char *header, *says;
  gsize n;
} Hostile;

#define A(rest) "{\"a\":{" rest "}}"

static const Hostile hostile[] = {
  { "", "JSON", 0 },
  { "[]", "list", 0 },
  { "null", "belong", 0 },
  { "{", "JSON", 0 },
  { "{}{}", "JSON", 0 },
  { "{}", "belong to no tensor", 8 },
  { "{\"a\":1}", "belong", 0 },
  { "{\"a\":[1]}", "list", 0 },
  { A (""), "lacks", 0 },
  { A ("\"dtype\":\"F32\",\"shape\":[2]"), "lacks", 8 },
  { A ("\"dtype\":\"F32\",\"data_offsets\":[0,8]"), "lacks", 8 },
  { A ("\"shape\":[2],\"data_offsets\":[0,8]"), "lacks", 8 },
  { A ("\"dtype\":\"F33\",\"shape\":[2],\"data_offsets\":[0,8]"), "unknown type", 8 },
  { A ("\"dtype\":32,\"shape\":[2],\"data_offsets\":[0,8]"), "belong", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]"), "belong", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]"), "count", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]"), "count", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[1e9],\"data_offsets\":[0,8]"), "count", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[[2]],\"data_offsets\":[0,8]"), "list", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[null],\"data_offsets\":[0,8]"), "belong", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,8]"), "count",
    8 },
  { A ("\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]"),
    "overflow", 0 },
  { A ("\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]"), "overflow",
    8 },
  { A ("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]"), "axes", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]"), "lacks", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]"), "more than two", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]"), "need", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]"), "need", 8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]"), "cut short", 7 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]"), "begins at byte 8", 16 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[18446744073709551608,0]"), "need",
    8 },
  { A ("\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]"), "twice",
    8 },
  { A ("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":{}"), "nested", 8 },
  { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
    "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
    "twice", 8 },
  { "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
    "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
    "begins at byte 2", 6 },
  { "{\"__metadata__\":{\"a\":1}}", "belong", 0 },
  { "{\"__metadata__\":{\"a\":{}}}", "nested", 0 },
  { "{\"a\\u0000b\":{}}", "zero byte", 0 },
};

static void
test_hostile (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autoptr (GBytes) bytes = make_file (hostile[i].header, hostile[i].n);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", hostile[i].header);
      g_assert_null (trc_safetensors_open_bytes (bytes, "bad.safetensors", &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, hostile[i].says));
      g_assert_nonnull (strstr (error->message, "bad.safetensors"));
    }
}

static void
test_nesting_is_no_danger (void)
{
  GString *header = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2000000; i++)
    g_string_append (header, "[");
  g_autoptr (GBytes) bytes = make_file (header->str, 0);
  g_assert_null (trc_safetensors_open_bytes (bytes, "deep", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
  g_string_free (header, TRUE);
}

static void
test_no_file (void)
{
  static const char *const paths[] = { "/", "/nowhere/model.safetensors" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (trc_safetensors_open (paths[i], &error));
      g_assert_nonnull (error);
      g_assert_nonnull (strstr (error->message, paths[i]));
    }
}

/* Every half and bfloat value against its definition. */
static void
test_halves (void)
{
  static const char header[] =
      "{\"h\":{\"dtype\":\"F16\",\"shape\":[65536],\"data_offsets\":[0,131072]},"
      "\"b\":{\"dtype\":\"BF16\",\"shape\":[65536],\"data_offsets\":[131072,262144]}}";
  GByteArray *out = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64)strlen (header));
  g_autofree float *half = g_new (float, 65536), *brain = g_new (float, 65536);

  g_byte_array_append (out, (const guint8 *)&length, 8);
  g_byte_array_append (out, (const guint8 *)header, (guint)strlen (header));
  for (guint twice = 0; twice < 2; twice++)
    for (guint i = 0; i < 65536; i++)
      g_byte_array_append (out, (const guint8[]){ i & 255, i >> 8 }, 2);
  g_autoptr (GBytes) bytes = g_byte_array_free_to_bytes (out);
  g_autoptr (TrcSafetensors) file = trc_safetensors_open_bytes (bytes, "halves", NULL);
  g_assert_true (
      trc_file_tensor_to_f32 (trc_safetensors_find (file, "h"), 0, 65536, half, NULL));
  g_assert_true (
      trc_file_tensor_to_f32 (trc_safetensors_find (file, "b"), 0, 65536, brain, NULL));
  for (guint i = 0; i < 65536; i++)
    {
      int e = (i >> 10) & 31, f = i & 1023;
      double sign = i & 0x8000 ? -1 : 1;
      double want = e == 0 ? ldexp (f, -24) : ldexp (1024 + f, e - 25);

      if (e == 31)
        g_assert_true (f == 0 ? isinf (half[i]) : isnan (half[i]));
      else
        g_assert_cmpfloat (half[i], ==, sign * want);
      e = (i >> 7) & 255;
      f = i & 127;
      want = e == 0 ? ldexp (f, -133) : ldexp (128 + f, e - 134);
      if (e == 255)
        g_assert_true (f == 0 ? isinf (brain[i]) : isnan (brain[i]));
      else
        g_assert_cmpfloat (brain[i], ==, sign * want);
    }
}

static void
test_real_files (void)
{
  static const char *const files[] = {
    "data/models/gpt-nano-sort/model.safetensors",
    "data/models/tinystories-656k/model.safetensors",
    "data/models/hf-tiny-fixtures/tiny_smollm2.safetensors"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = trc_test_shared (files[i]);
      g_autoptr (GError) error = NULL;

      if (path == NULL)
        return;
      g_autoptr (TrcSafetensors) file = trc_safetensors_open (path, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (trc_safetensors_n_tensors (file), >, 10);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/safetensors/sound", test_sound);
  g_test_add_func ("/safetensors/truncated", test_truncated);
  g_test_add_func ("/safetensors/hostile", test_hostile);
  g_test_add_func ("/safetensors/nesting", test_nesting_is_no_danger);
  g_test_add_func ("/safetensors/no-file", test_no_file);
  g_test_add_func ("/safetensors/halves", test_halves);
  g_test_add_func ("/safetensors/real", test_real_files);
  return g_test_run ();
}
