#include "compute/formats/gguf_write.h"

#include "tests/support/shared_data.h"

#include <string.h>

static void
ramp (guint64 row, float *out, gsize n, gpointer data)
{
  for (gsize i = 0; i < n; i++)
    out[i] = (float)(row * 100 + i) * *(float *)data;
}

/* What is written is read back, in every type, whatever the padding. */
static void
test_round_trip (void)
{
  static const TrcDType types[] = { TRC_F32, TRC_F16, TRC_Q8_0 };
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "t.gguf", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGgufWriter) writer = trc_gguf_writer_new ();
  const char *words[] = { "a", "", "long word" };
  gint32 kinds[] = { 1, -2, 3 };
  float scale = 0.25f;
  guint64 n;

  trc_gguf_writer_string (writer, "general.architecture", "gpt2");
  trc_gguf_writer_u32 (writer, "gpt2.block_count", 12);
  trc_gguf_writer_f32 (writer, "eps", 1e-5f);
  trc_gguf_writer_bool (writer, "flag", TRUE);
  trc_gguf_writer_array (writer, "words", TRC_GGUF_STRING, words, 3);
  trc_gguf_writer_array (writer, "kinds", TRC_GGUF_I32, kinds, 3);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    trc_gguf_writer_tensor (writer, trc_dtype_info (types[i])->name, types[i], 32, 3, ramp,
                            &scale);
  trc_gguf_writer_tensor (writer, "vector", TRC_F32, 5, 0, ramp, &scale);
  g_assert_true (trc_gguf_writer_finish (writer, path, NULL, &error));
  g_assert_no_error (error);

  g_autoptr (TrcGguf) file = trc_gguf_open (path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (trc_gguf_int (file, "gpt2.block_count", 0), ==, 12);
  g_assert_true (trc_gguf_bool (file, "flag", FALSE));
  g_assert_cmpuint (trc_gguf_array_length (file, "kinds", TRC_GGUF_I32), ==, 3);
  g_autofree TrcGgufString *read = trc_gguf_strings (file, "words", &n);
  g_assert_cmpmem (read[2].data, read[2].len, words[2], strlen (words[2]));
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      float out[96];
      const TrcGgufTensor *t = trc_gguf_tensor (file, trc_dtype_info (types[i])->name);
      g_assert_cmpuint (t->dims[1], ==, 3);
      trc_packed_expand (types[i], t->data, 96, out);
      g_assert_cmpfloat_with_epsilon (out[95], 231 * 0.25, 0.3);
      g_assert_cmpfloat_with_epsilon (out[1], 0.25, 0.05);
    }
  g_assert_cmpuint (trc_gguf_tensor (file, "vector")->n_dims, ==, 1);
  trc_test_remove_tree (dir);
}

/* Cancelled or refused, nothing is left behind. */
static void
test_nothing_half_written (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "t.gguf", NULL);
  g_autofree char *nowhere = g_build_filename (dir, "none", "t.gguf", NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (TrcGgufWriter) writer = trc_gguf_writer_new ();
  g_autoptr (GError) cancelled = NULL, missing = NULL;
  TrcProgress progress = { .cancellable = cancellable };
  float scale = 1;

  trc_gguf_writer_tensor (writer, "w", TRC_F32, 8, 8, ramp, &scale);
  g_cancellable_cancel (cancellable);
  g_assert_false (trc_gguf_writer_finish (writer, path, &progress, &cancelled));
  g_assert_error (cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (trc_gguf_writer_finish (writer, nowhere, NULL, &missing));
  g_assert_nonnull (strstr (missing->message, nowhere));
  g_autoptr (GDir) list = g_dir_open (dir, 0, NULL);
  g_assert_null (g_dir_read_name (list));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gguf-write/round-trip", test_round_trip);
  g_test_add_func ("/gguf-write/nothing-half-written", test_nothing_half_written);
  return g_test_run ();
}
