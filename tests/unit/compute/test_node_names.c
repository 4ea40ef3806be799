#include "compute/graph/node_names.h"

#include <math.h>

static void
test_pairs (void)
{
  gint64 paired, layer, feature;

  g_assert_true (trc_pair_feature (0, 15755, &paired));
  g_assert_cmpint (paired, ==, 124133645); /* from a file */
  for (gint64 l = 0; l < 40; l += 13)
    for (gint64 f = 0; f < 3000000000; f = f * 3 + 1)
      if (trc_pair_feature (l, f, &paired))
        {
          g_assert_true (trc_unpair_feature (paired, &layer, &feature));
          g_assert_cmpint (layer, ==, l);
          g_assert_cmpint (feature, ==, f);
        }
  g_assert_false (trc_pair_feature (-1, 3, &paired));
  g_assert_false (trc_pair_feature (3, G_MAXINT64 / 2, &paired));
  g_assert_false (trc_unpair_feature (-1, &layer, &feature));
  g_assert_false (trc_unpair_feature (G_MAXINT64, &layer, &feature));
}

static void
test_ids (void)
{
  g_assert_cmpint (trc_id_middle_number ("12_345_6"), ==, 345);
  g_assert_cmpint (trc_id_middle_number ("E_7_0"), ==, 7);
  g_assert_cmpint (trc_id_middle_number ("12_-1_6"), ==, -1);
  g_assert_cmpint (trc_id_middle_number ("3_cro_20_1"), ==, -1);
  g_assert_cmpint (trc_id_middle_number ("1_2_3_4"), ==, -1);
  g_assert_cmpint (trc_id_middle_number ("1_99999999999999999999_0"), ==, -1);
  g_assert_cmpint (trc_id_middle_number (""), ==, -1);
}

static void
test_probability (void)
{
  g_assert_cmpfloat (trc_label_probability ("Output \" big\" (p=0.420)"), ==, 0.42);
  g_assert_cmpfloat (trc_label_probability ("Output \"(p=1\" (p=0.5)"), ==, 0.5);
  g_assert_true (isnan (trc_label_probability ("Output")));
  g_assert_true (isnan (trc_label_probability ("(p=")));
  g_assert_true (isnan (trc_label_probability ("(p=17)")));
}

static void
test_eap (void)
{
  TrcNode node = TRC_NODE_INIT;

  g_assert_true (trc_node_from_eap_name ("a11.h3", &node));
  g_assert_cmpint (node.kind, ==, TRC_NODE_HEAD);
  g_assert_cmpint (node.layer, ==, 11);
  g_assert_cmpint (node.index, ==, 3);
  g_assert_true (trc_node_from_eap_name ("m4", &node));
  g_assert_cmpint (node.kind, ==, TRC_NODE_MLP);
  g_assert_true (trc_node_from_eap_name ("input", &node));
  g_assert_true (trc_node_from_eap_name ("logits", &node));
  static const char *const wrong[] = { "",      "a", "a1",  "a1.h", "a1.h2x",
                                       "a1.x2", "m", "m1.", "b1",   "a99999999.h1" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_false (trc_node_from_eap_name (wrong[i], &node));
}

/* What we write we read back as the same kind. */
static void
test_types (void)
{
  for (guint kind = 0; kind < TRC_N_NODE_KINDS; kind++)
    {
      g_assert_cmpint (trc_node_kind_from_type (trc_node_type (kind)), ==, kind);
      g_assert_nonnull (trc_node_kind_name (kind));
    }
  g_assert_cmpint (trc_node_kind_from_type ("unexplored node"), ==, TRC_NODE_FEATURE);
  g_assert_cmpint (trc_node_kind_from_type ("lorsa error"), ==, TRC_NODE_ERROR);
  g_assert_cmpint (trc_node_kind_from_type (NULL), ==, TRC_NODE_OTHER);
}

static void
test_made (void)
{
  g_autoptr (GStringChunk) strings = g_string_chunk_new (64);
  TrcNode node = TRC_NODE_INIT;

  node.kind = TRC_NODE_FEATURE;
  node.layer = 4;
  node.position = 2;
  node.index = 77;
  trc_node_make_names (&node, strings);
  g_assert_cmpstr (node.id, ==, "4_77_2");
  g_assert_cmpstr (node.js_id, ==, "4_77-0");
  g_assert_cmpstr (node.layer_text, ==, "4");
  g_assert_cmpstr (node.type, ==, "cross layer transcoder");
  node.id = "own";
  node.js_id = NULL;
  node.kind = TRC_NODE_ERROR;
  trc_node_make_names (&node, strings);
  g_assert_cmpstr (node.id, ==, "own");
  g_assert_cmpstr (node.js_id, ==, "4_2-0");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/node-names/pairs", test_pairs);
  g_test_add_func ("/node-names/ids", test_ids);
  g_test_add_func ("/node-names/probability", test_probability);
  g_test_add_func ("/node-names/eap", test_eap);
  g_test_add_func ("/node-names/types", test_types);
  g_test_add_func ("/node-names/made", test_made);
  return g_test_run ();
}
