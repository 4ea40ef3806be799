/* Sites: widths, names, and where hooks live. */
#include "compute/models/pass.h"

#include <string.h>

static const TrcModelConfig config = { .n_layers = 2,
                                       .d_model = 48,
                                       .n_heads = 6,
                                       .n_kv_heads = 2,
                                       .d_head = 10,
                                       .d_mlp = 100,
                                       .n_vocab = 77 };

static void
test_hooks (void)
{
  static const struct {
    const char *hook;
    TrcSite site;
    guint first, n;
  } rows[] = {
    { "embed", TRC_SITE_EMBED, 0, 48 },
    { "L1.resid_pre", TRC_SITE_RESID_PRE, 0, 48 },
    { "L1.H5.q", TRC_SITE_Q, 50, 10 },
    { "L1.H2.k", TRC_SITE_K, 0, 10 },
    { "L1.H3.k", TRC_SITE_K, 10, 10 },
    { "L1.H5.v", TRC_SITE_V, 10, 10 },
    { "L1.H4", TRC_SITE_Z, 40, 10 },
    { "L1.attn", TRC_SITE_ATTN_OUT, 0, 48 },
    { "L1.resid_mid", TRC_SITE_RESID_MID, 0, 48 },
    { "L1.n99", TRC_SITE_MLP_ACT, 99, 1 },
    { "L1.mlp", TRC_SITE_MLP_OUT, 0, 48 },
    { "L1.resid_post", TRC_SITE_RESID_POST, 0, 48 },
    { "final", TRC_SITE_RESID_POST, 0, 48 },
    { "logits", TRC_SITE_LOGITS, 0, 77 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      TrcHook hook;
      guint first, n;

      g_assert_true (trc_hook_parse (rows[i].hook, &hook, NULL));
      g_assert_cmpint (trc_hook_site (&hook, &config, &first, &n), ==, rows[i].site);
      g_assert_cmpuint (first, ==, rows[i].first);
      g_assert_cmpuint (n, ==, rows[i].n);
    }
}

static void
test_names (void)
{
  for (guint a = 0; a < TRC_N_SITES; a++)
    for (guint b = 0; b < a; b++)
      g_assert_cmpstr (trc_site_name (a), !=, trc_site_name (b));
}

static void
test_last (void)
{
  g_assert_false (trc_site_is_last (TRC_SITE_Q, 0, &config));
  g_assert_true (trc_site_is_last (TRC_SITE_Q, 1, &config));
  g_assert_false (trc_site_is_last (TRC_SITE_K, 1, &config));
  g_assert_false (trc_site_is_last (TRC_SITE_V, 1, &config));
  g_assert_false (trc_site_is_last (TRC_SITE_RESID_PRE, 1, &config));
  g_assert_false (trc_site_is_last (TRC_SITE_EMBED, 1, &config));
  g_assert_true (trc_site_is_last (TRC_SITE_MLP_ACT, 1, &config));
  g_assert_true (trc_site_is_last (TRC_SITE_LOGITS, 0, &config));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/site/hooks", test_hooks);
  g_test_add_func ("/site/names", test_names);
  g_test_add_func ("/site/last", test_last);
  return g_test_run ();
}
