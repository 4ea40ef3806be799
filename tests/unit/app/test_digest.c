#include "app/digest.h"
#include "small_graph.h"

static TrcDigest *
digest_new (void)
{
  g_autoptr (TrcGraph) graph = small_graph_new ();
  GError *error = NULL;
  TrcDigest *digest = trc_digest_new (graph, NULL, &error);

  g_assert_no_error (error);
  return digest;
}

static const TrcLinkFact *
link_at (GArray *links, guint i)
{
  g_assert_cmpuint (i, <, links->len);
  return &g_array_index (links, TrcLinkFact, i);
}

static void
test_words (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  const GArray *predictions = trc_digest_predictions (digest);
  double low, high;
  guint n_nodes;
  guint64 n_links;

  trc_digest_size (digest, &n_nodes, &n_links);
  g_assert_cmpuint (n_nodes, ==, SMALL_N);
  g_assert_cmpuint (n_links, ==, 9);
  g_assert_cmpstr (trc_digest_prompt (digest), ==, "one two");
  g_assert_cmpstr (trc_digest_model (digest), ==, "tiny");
  g_assert_cmpuint (trc_digest_n_tokens (digest), ==, 2);
  g_assert_cmpstr (trc_digest_token (digest, 7), ==, "");
  g_assert_null (trc_digest_estimator (digest));
  g_assert_true (isnan (trc_digest_trust (digest, &low, &high)));
  g_assert_cmpuint (predictions->len, ==, 2);
  g_assert_cmpstr (g_array_index (predictions, TrcPrediction, 0).label, ==, "three");
  g_assert_true (g_array_index (predictions, TrcPrediction, 0).is_target);
  g_assert_cmpfloat (g_array_index (predictions, TrcPrediction, 1).probability, ==, 0.25);
}

static void
test_shares (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  double total = 0;

  for (guint32 i = 0; i < SMALL_LOGIT; i++)
    total += trc_digest_influence (digest, i);
  g_assert_cmpfloat_with_epsilon (total, 1, 1e-12);
  g_assert_cmpfloat (trc_digest_influence (digest, SMALL_B), >,
                     trc_digest_influence (digest, SMALL_REST));
  g_assert_true (isnan (trc_digest_influence (digest, SMALL_N)));
  g_assert_cmpint (trc_digest_group_of (digest, SMALL_A_TOO), ==, 0);
  g_assert_cmpint (trc_digest_group_of (digest, SMALL_TOKEN_0), ==, -1);
}

static void
test_node_facts (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  g_autoptr (TrcFacts) flat =
      trc_digest_facts (digest, (TrcRef){ TRC_REF_NODE, SMALL_B }, FALSE, 2);
  g_autoptr (TrcFacts) grouped =
      trc_digest_facts (digest, (TrcRef){ TRC_REF_NODE, SMALL_B }, TRUE, 8);

  g_assert_cmpstr (flat->title, ==, "b");
  g_assert_cmpuint (flat->n_inputs, ==, 3);
  g_assert_cmpuint (flat->inputs->len, ==, 2); /* cut */
  g_assert_cmpint ((int)link_at (flat->inputs, 0)->ref.id, ==, SMALL_TOKEN_1);
  g_assert_cmpfloat (link_at (flat->inputs, 0)->share, ==, -0.5);
  g_assert_cmpfloat (link_at (flat->inputs, 1)->share, ==, 0.3);
  g_assert_cmpuint (flat->n_outputs, ==, 2);
  g_assert_cmpfloat (link_at (flat->outputs, 0)->share, ==, -1); /* all that "four" gets */
  g_assert_cmpfloat (link_at (flat->outputs, 1)->share, ==, 0.75);

  g_assert_cmpuint (grouped->n_inputs, ==, 2);
  g_assert_cmpint (link_at (grouped->inputs, 0)->ref.kind, ==, TRC_REF_GROUP);
  g_assert_cmpstr (link_at (grouped->inputs, 0)->label, ==, "first");
  g_assert_cmpfloat (link_at (grouped->inputs, 0)->share, ==, 0.5);
}

static void
test_group_facts (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  g_autoptr (TrcFacts) facts = trc_digest_facts (digest, (TrcRef){ TRC_REF_GROUP, 0 }, TRUE, 8);

  g_assert_cmpstr (facts->title, ==, "first");
  g_assert_cmpuint (facts->n_members, ==, 2);
  g_assert_cmpuint (facts->n_inputs, ==, 2);
  g_assert_cmpfloat (link_at (facts->inputs, 0)->share, ==, 0.6);
  g_assert_cmpuint (facts->n_outputs, ==, 1);
  g_assert_cmpstr (link_at (facts->outputs, 0)->label, ==, "second");
  g_assert_cmpfloat_with_epsilon (facts->influence,
                                  trc_digest_influence (digest, SMALL_A)
                                      + trc_digest_influence (digest, SMALL_A_TOO),
                                  1e-12);
}

static void
test_where_it_fires (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  g_autoptr (TrcFacts) facts =
      trc_digest_facts (digest, (TrcRef){ TRC_REF_NODE, SMALL_A }, TRUE, 8);

  g_assert_cmpuint (facts->n_tokens, ==, 2);
  g_assert_cmpfloat (facts->fires[0], ==, 2);
  g_assert_cmpfloat (facts->fires[1], ==, 6); /* the same feature at the other token */
}

static void
test_refs (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  g_autoptr (TrcFacts) token = trc_digest_facts (digest, (TrcRef){ TRC_REF_TOKEN, 1 }, TRUE, 8);

  g_assert_cmpint ((int)token->ref.id, ==, SMALL_TOKEN_1);
  g_assert_null (trc_digest_facts (digest, (TrcRef){ TRC_REF_NODE, SMALL_N }, TRUE, 8));
  g_assert_null (trc_digest_facts (digest, (TrcRef){ TRC_REF_GROUP, 2 }, TRUE, 8));
  g_assert_null (trc_digest_facts (digest, (TrcRef){ TRC_REF_TOKEN, 2 }, TRUE, 8));
}

static void
test_search (void)
{
  g_autoptr (TrcDigest) digest = digest_new ();
  g_autoptr (GArray) again = trc_digest_search (digest, "AGAIN");
  g_autoptr (GArray) both = trc_digest_search (digest, "a  again");
  g_autoptr (GArray) none = trc_digest_search (digest, "again nowhere");

  g_assert_cmpuint (again->len, ==, 1);
  g_assert_cmpuint (g_array_index (again, guint32, 0), ==, SMALL_A_TOO);
  g_assert_cmpuint (both->len, ==, 1);
  g_assert_cmpuint (none->len, ==, 0);
}

static void
test_counts (void)
{
  const struct {
    guint64 n;
    const char *text;
  } cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = trc_count_text (cases[i].n);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/digest/words", test_words);
  g_test_add_func ("/digest/shares", test_shares);
  g_test_add_func ("/digest/node-facts", test_node_facts);
  g_test_add_func ("/digest/group-facts", test_group_facts);
  g_test_add_func ("/digest/fires", test_where_it_fires);
  g_test_add_func ("/digest/refs", test_refs);
  g_test_add_func ("/digest/search", test_search);
  g_test_add_func ("/digest/counts", test_counts);
  return g_test_run ();
}
