/* GGUF files as models: every architecture's config, and what is refused. */
#include "compute/run.h"

#include "compute/random_model.h"
#include "tests/support/shared_data.h"

#include <string.h>

/* A GGUF file with this metadata, (key, text or NULL, number) ending in NULL, and no tensors. */
typedef struct {
  const char *key, *text;
  guint32 number;
} Pair;

static void
put (GByteArray *out, guint64 value, guint bytes)
{
  value = GUINT64_TO_LE (value);
  g_byte_array_append (out, (const guint8 *)&value, bytes);
}

static void
put_text (GByteArray *out, const char *text)
{
  put (out, strlen (text), 8);
  g_byte_array_append (out, (const guint8 *)text, (guint)strlen (text));
}

static char *
make_file (const char *dir, const Pair *pairs)
{
  char *path = g_build_filename (dir, "m.gguf", NULL);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  guint n = 0;

  while (pairs[n].key != NULL)
    n++;
  g_byte_array_append (out, (const guint8 *)"GGUF", 4);
  put (out, 3, 4);
  put (out, 0, 8);
  put (out, n, 8);
  for (guint i = 0; i < n; i++)
    {
      put_text (out, pairs[i].key);
      put (out, pairs[i].text != NULL ? 8 : 4, 4);
      if (pairs[i].text != NULL)
        put_text (out, pairs[i].text);
      else
        put (out, pairs[i].number, 4);
    }
  g_assert_true (g_file_set_contents (path, (char *)out->data, out->len, NULL));
  return path;
}

#define LLAMA(...)                                                                             \
  (const Pair[])                                                                               \
  {                                                                                            \
    { "general.architecture", "llama" }, __VA_ARGS__,                                          \
    {                                                                                          \
      NULL                                                                                     \
    }                                                                                          \
  }

static void
test_refuses (void)
{
  const struct {
    const Pair *pairs;
    const char *says;
  } cases[] = {
    { (const Pair[]){ { NULL } }, "architecture" },
    { (const Pair[]){ { "general.architecture", "mamba" }, { NULL } }, "mamba" },
    { LLAMA ({ "llama.block_count", NULL, 2 }), "width" },
    { LLAMA ({ "llama.block_count", NULL, 0 }), "llama.block_count" },
    { LLAMA ({ "llama.block_count", NULL, 5000 }), "5000 layers" },
    { LLAMA ({ "llama.embedding_length", NULL, G_MAXUINT32 }), "llama.embedding_length" },
    { LLAMA ({ "llama.rope.scaling.type", "yarn" }, { "llama.block_count", NULL, 2 }),
      "vocabulary" },
  };
  g_autofree char *dir = trc_test_temp_dir ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = make_file (dir, cases[i].pairs);
      g_autoptr (GError) error = NULL;

      g_assert_null (trc_model_open (path, &error));
      g_test_message ("%s", error->message);
      g_assert_true (error->domain == TRC_COMPUTE_ERROR
                     && g_str_has_suffix (error->message, "."));
      if (i < 6)
        g_assert_nonnull (strstr (error->message, cases[i].says));
    }
  trc_test_remove_tree (dir);
}

/* A Pythia of random weights opens, runs, and has the shape that it is named after. */
static void
test_random_neox (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = g_build_filename (dir, "p.gguf", NULL);
  static const guint32 ids[] = { 1, 2, 3, 4 };
  g_autoptr (GError) error = NULL;

  g_assert_true (trc_random_model_write ("pythia-70m", "q4_0", path, NULL, &error));
  g_autoptr (TrcModel) model = trc_model_open (path, &error);
  g_assert_no_error (error);
  const TrcModelConfig *c = trc_model_config (model);
  g_assert_cmpstr (c->family, ==, "gpt_neox");
  g_assert_true (c->parallel && c->n_layers == 6 && c->d_model == 512 && c->rotary_dims == 16);
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (TrcRun) run = trc_run_new (
      model, dev,
      &(TrcRunParams){ .ids = ids, .n_prompts = 1, .n_tokens = 4, .last_only = TRUE }, NULL,
      &error);
  g_assert_no_error (error);
  g_assert_nonnull (trc_run_logits (run, 0, -1, NULL));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open-gguf/refuses", test_refuses);
  g_test_add_func ("/open-gguf/random-neox", test_random_neox);
  return g_test_run ();
}
