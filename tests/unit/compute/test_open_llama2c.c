/* A llama2.c folder as a model: its config, its tokeniser, its first words. */
#include "compute/run.h"

#include "tests/support/shared_data.h"

static void
test_stories (void)
{
  static const char *const rels[] = { "data/models/stories260K",
                                      "data/models/stories260K/stories260K.bin" };

  for (gsize i = 0; i < G_N_ELEMENTS (rels); i++)
    {
      g_autofree char *path = trc_test_shared (rels[i]);
      g_autoptr (GError) error = NULL;

      if (path == NULL)
        return;
      g_autoptr (TrcModel) model = trc_model_open (path, &error);
      g_assert_no_error (error);
      const TrcModelConfig *c = trc_model_config (model);
      g_assert_true (c->n_layers == 5 && c->n_heads == 8 && c->n_kv_heads == 4
                     && c->d_head == 8);
      g_assert_true (c->tied && c->gated && c->rotary_interleaved && c->rotary_dims == 8);
      g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));
      g_assert_true (trc_model_tokenize (model, "Once upon a time", ids, NULL, &error));
      g_assert_cmpuint (ids->len, ==, 5);
      g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
      /* The greedy start of every story. */
      static const char *const words[] = { ",", " there", " was", " a" };
      for (guint w = 0; w < G_N_ELEMENTS (words); w++)
        {
          g_autoptr (TrcRun) run = trc_run_new (model, dev,
                                                &(TrcRunParams){ .ids = (guint32 *)ids->data,
                                                                 .n_prompts = 1,
                                                                 .n_tokens = ids->len,
                                                                 .last_only = TRUE },
                                                NULL, &error);
          guint32 best = 0;

          g_assert_no_error (error);
          for (guint32 v = 1; v < c->n_vocab; v++)
            if (trc_run_logits (run, 0, -1, NULL)[v] > trc_run_logits (run, 0, -1, NULL)[best])
              best = v;
          g_assert_cmpstr (trc_model_token_text (model, best), ==, words[w]);
          g_array_append_val (ids, best);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open-llama2c/stories", test_stories);
  return g_test_run ();
}
