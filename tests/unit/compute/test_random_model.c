#include "compute/random_model.h"

#include "compute/error.h"
#include "compute/formats/gguf.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>

/* A written model has the promised size and every tensor of its family. */
static void
test_write (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "m.gguf", NULL);
  g_autoptr (GError) error = NULL;
  GStatBuf status;
  guint n;

  g_assert_true (trc_random_model_write ("pythia-70m", "q4_0", path, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  guint64 expected = trc_random_model_bytes ("pythia-70m", "q4_0");
  g_assert_cmpuint ((guint64)status.st_size, >=, expected);
  g_assert_cmpuint ((guint64)status.st_size, <=, expected + expected / 10);
  g_autoptr (TrcGguf) file = trc_gguf_open (path, &error);
  g_assert_no_error (error);
  trc_gguf_tensors (file, &n);
  g_assert_cmpuint (n, ==, 4 + 6 * 12);
  g_assert_cmpuint (trc_gguf_tensor (file, "blk.5.ffn_up.weight")->dims[1], ==, 2048);
  g_assert_cmpuint (trc_gguf_array_length (file, "tokenizer.ggml.tokens", TRC_GGUF_STRING), ==,
                    50304);
  trc_test_remove_tree (dir);
}

static void
test_unknown (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (trc_random_model_write ("mamba", "f32", "x", NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  g_assert_cmpuint (trc_random_model_bytes ("llama-7b", "q3"), ==, 0);
  g_assert_cmpuint (trc_random_model_bytes ("llama-70b", "q4_0"), >, 35ull << 30);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/random-model/write", test_write);
  g_test_add_func ("/random-model/unknown", test_unknown);
  return g_test_run ();
}
