/* llama2.c files: names and places of the tensors, truncation at every byte, bad headers. */
#include "compute/formats/llama2c.h"

#include "tests/support/shared_data.h"

#include <string.h>

/* dim 4, hidden 6, 2 layers, 2 heads, 1 key-value head, 3 words, 5 positions */
static const gint32 shape[7] = { 4, 6, 2, 2, 1, 3, 5 };

/* Numbers after the header: 12 + 2 (4 + 16 + 8 + 8 + 16 + 4 + 24 + 24 + 24) + 4 + 5 + 5 */
#define N_FLOATS (12 + 2 * 128 + 4 + 10)

/* A file whose numbers count up; @n_floats of them behind the header @h. */
static char *
make_file (const char *dir, const gint32 h[7], gsize n_floats)
{
  char *path = g_build_filename (dir, "m.bin", NULL);
  g_autofree guint8 *bytes = g_malloc0 (28 + 4 * n_floats);

  for (guint i = 0; i < 7; i++)
    {
      gint32 le = GINT32_TO_LE (h[i]);

      memcpy (bytes + 4 * i, &le, 4);
    }
  for (gsize i = 0; i < n_floats; i++)
    {
      float x = (float)i;

      memcpy (bytes + 28 + 4 * i, &x, 4);
    }
  g_assert_true (g_file_set_contents (path, (char *)bytes, (gssize)(28 + 4 * n_floats), NULL));
  return path;
}

static float
first_of (const TrcLlama2c *file, const char *name)
{
  gsize n;
  const TrcFileTensor *t = trc_llama2c_tensors (file, &n);

  for (gsize i = 0; i < n; i++)
    if (strcmp (t[i].name, name) == 0)
      {
        float x;

        memcpy (&x, t[i].data, 4);
        return x;
      }
  return -1;
}

static void
test_places (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = make_file (dir, shape, N_FLOATS);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcLlama2c) file = trc_llama2c_open (path, &error);
  gsize n;

  g_assert_no_error (error);
  trc_llama2c_tensors (file, &n);
  g_assert_cmpuint (n, ==, 1 + 2 * 9 + 1);
  g_assert_true (trc_llama2c_shape (file)->tied);
  g_assert_cmpfloat (first_of (file, "model.embed_tokens.weight"), ==, 0);
  g_assert_cmpfloat (first_of (file, "model.layers.1.input_layernorm.weight"), ==, 12 + 4);
  g_assert_cmpfloat (first_of (file, "model.layers.0.self_attn.q_proj.weight"), ==, 12 + 8);
  g_assert_cmpfloat (first_of (file, "model.layers.1.self_attn.v_proj.weight"), ==,
                     12 + 8 + 32 + 16 + 8);
  g_assert_cmpfloat (first_of (file, "model.layers.0.mlp.gate_proj.weight"), ==,
                     12 + 8 + 32 + 16 + 16 + 32 + 8);
  g_assert_cmpfloat (first_of (file, "model.norm.weight"), ==, 12 + 256);
  g_assert_cmpfloat (first_of (file, "lm_head.weight"), ==, -1);
  trc_test_remove_tree (dir);
}

static void
test_untied (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  gint32 h[7];
  memcpy (h, shape, sizeof h);
  h[5] = -3;
  g_autofree char *path = make_file (dir, h, N_FLOATS + 12);
  g_autoptr (TrcLlama2c) file = trc_llama2c_open (path, NULL);

  g_assert_nonnull (file);
  g_assert_false (trc_llama2c_shape (file)->tied);
  g_assert_cmpuint (trc_llama2c_shape (file)->n_vocab, ==, 3);
  g_assert_cmpfloat (first_of (file, "lm_head.weight"), ==, N_FLOATS);
  trc_test_remove_tree (dir);
}

static void
test_lengths (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = make_file (dir, shape, N_FLOATS + 1);
  g_autofree char *text = NULL;
  gsize n;

  g_assert_true (g_file_get_contents (path, &text, &n, NULL));
  for (gsize cut = 0; cut <= n; cut++)
    {
      g_autoptr (GError) error = NULL;

      if (cut == n - 4) /* the right length */
        continue;
      g_assert_true (g_file_set_contents (path, text, (gssize)cut, NULL));
      g_assert_null (trc_llama2c_open (path, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "m.bin"));
    }
  trc_test_remove_tree (dir);
}

static void
test_headers (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  static const gint32 values[] = { 0, -1, G_MAXINT32, G_MININT32, 0x616b3432, 1 << 24, 3 };

  for (guint field = 0; field < 7; field++)
    for (gsize v = 0; v < G_N_ELEMENTS (values); v++)
      {
        g_autoptr (GError) error = NULL;
        gint32 h[7];

        memcpy (h, shape, sizeof h);
        if (h[field] == values[v])
          continue;
        h[field] = values[v];
        g_autofree char *path = make_file (dir, h, N_FLOATS);
        g_assert_null (trc_llama2c_open (path, &error));
        g_assert_nonnull (error);
        g_assert_true (g_str_has_suffix (error->message, "."));
      }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/llama2c/places", test_places);
  g_test_add_func ("/llama2c/untied", test_untied);
  g_test_add_func ("/llama2c/lengths", test_lengths);
  g_test_add_func ("/llama2c/headers", test_headers);
  return g_test_run ();
}
