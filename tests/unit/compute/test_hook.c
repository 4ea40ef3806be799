/* The grammar of hooks: what is read, what comes out again, what is refused. */
#include "compute/hook.h"
#include "compute/model.h"

typedef struct {
  const char *text;
  TrcHook hook;
} Good;

static const Good good[] = {
  { "embed", { TRC_HOOK_EMBED } },
  { "final", { TRC_HOOK_FINAL } },
  { "logits", { TRC_HOOK_LOGITS } },
  { "logits@-1", { TRC_HOOK_LOGITS, 0, 0, TRUE, -1, -1 } },
  { "L0.H0", { TRC_HOOK_HEAD, 0, 0 } },
  { "L3.H5", { TRC_HOOK_HEAD, 3, 5 } },
  { "L3.H5.q", { TRC_HOOK_Q, 3, 5 } },
  { "L3.H5.k", { TRC_HOOK_K, 3, 5 } },
  { "L3.H5.v", { TRC_HOOK_V, 3, 5 } },
  { "L3.attn", { TRC_HOOK_ATTN, 3 } },
  { "L3.mlp", { TRC_HOOK_MLP, 3 } },
  { "L3.n120", { TRC_HOOK_NEURON, 3, 120 } },
  { "L3.f1207", { TRC_HOOK_FEATURE, 3, 1207 } },
  { "L0.f18446744073709551615", { TRC_HOOK_FEATURE, 0, G_MAXUINT64 } },
  { "L12.resid_pre", { TRC_HOOK_RESID_PRE, 12 } },
  { "L12.resid_mid", { TRC_HOOK_RESID_MID, 12 } },
  { "L12.resid_post", { TRC_HOOK_RESID_POST, 12 } },
  { "L3.H5@4", { TRC_HOOK_HEAD, 3, 5, TRUE, 4, 4 } },
  { "L3.H5.k@4", { TRC_HOOK_K, 3, 5, TRUE, 4, 4 } },
  { "L3.mlp@-1", { TRC_HOOK_MLP, 3, 0, TRUE, -1, -1 } },
  { "L3.n7@2-5", { TRC_HOOK_NEURON, 3, 7, TRUE, 2, 5 } },
  { "embed@-3--1", { TRC_HOOK_EMBED, 0, 0, TRUE, -3, -1 } },
};

static const char *const bad[] = {
  "",
  "L",
  "L3",
  "L3.",
  "L.H5",
  "L3.H",
  "L3.Hx",
  "L3.H5.",
  "L3.H5.x",
  "L3.H5.qq",
  "l3.h5",
  "H5",
  "L-1.H0",
  "L3.neuron",
  "L3.n",
  "L3.n-1",
  "L3.residpre",
  "L3.resid_post2",
  "embeds",
  "embed@",
  "embed@x",
  "embed@1-",
  "embed@-",
  "embed@--1",
  "embed@-0",
  "embed@1-2-3",
  "embed@1.5",
  "embed @1",
  " embed",
  "L99999999999.H1",
  "L3.H99999999999",
  "L3.f18446744073709551616",
  "embed@99999999999",
  "L3.H5@4@5",
  "logits.q",
  "L3.mlp.q",
};

static void
assert_same (const TrcHook *a, const TrcHook *b)
{
  g_assert_cmpint (a->kind, ==, b->kind);
  g_assert_cmpuint (a->layer, ==, b->layer);
  g_assert_cmpuint (a->index, ==, b->index);
  g_assert_cmpint (a->has_position, ==, b->has_position);
  g_assert_cmpint (a->first, ==, b->first);
  g_assert_cmpint (a->last, ==, b->last);
}

static void
test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;
      TrcHook hook;

      g_test_message ("%s", good[i].text);
      g_assert_true (trc_hook_parse (good[i].text, &hook, &error));
      g_assert_no_error (error);
      assert_same (&hook, &good[i].hook);
      text = trc_hook_format (&hook);
      g_assert_cmpstr (text, ==, good[i].text);
    }
}

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      TrcHook hook = { .layer = 77 };

      g_test_message ("%s", bad[i]);
      g_assert_false (trc_hook_parse (bad[i], &hook, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
      g_assert_true (g_str_has_suffix (error->message, "."));
      g_assert_cmpuint (hook.layer, ==, 77);
    }
}

static const TrcModelConfig config = {
  .n_layers = 4, .n_heads = 6, .n_kv_heads = 3, .d_mlp = 100
};

static gboolean
resolve (const char *text, guint n_tokens, TrcHook *hook, GError **error)
{
  g_assert_true (trc_hook_parse (text, hook, NULL));
  return trc_hook_resolve (hook, &config, n_tokens, error);
}

static void
test_resolve (void)
{
  TrcHook hook;

  g_assert_true (resolve ("L3.H5", 7, &hook, NULL));
  g_assert_cmpint (hook.first, ==, 0);
  g_assert_cmpint (hook.last, ==, 6);
  g_assert_true (resolve ("L3.n99@-2--1", 7, &hook, NULL));
  g_assert_cmpint (hook.first, ==, 5);
  g_assert_cmpint (hook.last, ==, 6);
  g_assert_true (resolve ("logits@2", 3, &hook, NULL));
  g_assert_cmpint (hook.first, ==, 2);
}

static void
test_resolve_refuses (void)
{
  static const struct {
    const char *text, *says;
    int code;
  } cases[] = {
    { "L4.H0", "layer 4", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "L0.H6", "head 6", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "L0.H6.k", "head 6", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "L0.n100", "neuron 100", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "embed@7", "position 7", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "embed@-8", "position -8", TRC_COMPUTE_ERROR_NOT_FOUND },
    { "embed@4-2", "backwards", TRC_COMPUTE_ERROR_INVALID },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      TrcHook hook;

      g_assert_false (resolve (cases[i].text, 7, &hook, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hook/good", test_good);
  g_test_add_func ("/hook/bad", test_bad);
  g_test_add_func ("/hook/resolve", test_resolve);
  g_test_add_func ("/hook/resolve-refuses", test_resolve_refuses);
  return g_test_run ();
}
