/* hierarchy.c, meta.c and label.c: the promises of compute/hierarchy.h on made and real graphs. */
#include "compute/hierarchy.h"

#include "compute/graph_file.h"
#include "compute/graph_make.h"
#include "compute/prune.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

/* Every node is in exactly one leaf, children cover their parent, parents come first. */
static void
check_tree (const TrcHierarchy *h)
{
  guint32 n_blocks, n = trc_graph_n_nodes (trc_hierarchy_graph (h));
  const TrcBlock *blocks = trc_hierarchy_blocks (h, &n_blocks);
  const guint32 *members = trc_hierarchy_members (h);
  g_autofree guint8 *seen = g_new0 (guint8, n + 1);

  for (guint32 i = 0; i < n; i++)
    {
      g_assert_cmpuint (members[i], <, n);
      g_assert_false (seen[members[i]]);
      seen[members[i]] = 1;
    }
  g_assert_cmpuint (blocks[0].n, ==, n);
  for (guint32 b = 0; b < n_blocks; b++)
    {
      guint32 at = blocks[b].first;
      g_assert_cmpuint (blocks[b].n_children, !=, 1);
      g_assert_true (blocks[b].n_children > 0 || blocks[b].n == 1 || n == 0);
      for (guint32 c = 0; c < blocks[b].n_children; c++)
        {
          const TrcBlock *child = &blocks[blocks[b].first_child + c];
          g_assert_cmpuint (child->parent, ==, b);
          g_assert_cmpuint (child->first, ==, at);
          g_assert_cmpuint (child->depth, ==, blocks[b].depth + 1);
          at += child->n;
        }
      g_assert_true (blocks[b].n_children == 0 || at == blocks[b].first + blocks[b].n);
    }
}

/* The links between the blocks of @level have no cycle: taking away blocks without links in
 * takes all away. */
static void
check_dag (TrcHierarchy *h, guint level)
{
  guint32 n_blocks, n_gone = 0, n_open = trc_hierarchy_level_size (h, level);
  gsize n;
  const TrcMetaEdge *edges = trc_hierarchy_meta_edges (h, level, &n);
  const TrcBlock *blocks = trc_hierarchy_blocks (h, &n_blocks);
  g_autofree guint32 *in = g_new0 (guint32, n_blocks);
  g_autofree guint8 *gone = g_new0 (guint8, n_blocks);

  for (gsize e = 0; e < n; e++)
    in[edges[e].target]++;
  for (guint32 before = G_MAXUINT32; before != n_gone;)
    {
      before = n_gone;
      for (guint32 b = 0; b < n_blocks; b++)
        if ((blocks[b].depth == level || (blocks[b].depth < level && blocks[b].n_children == 0))
            && !gone[b] && in[b] == 0)
          {
            gone[b] = 1;
            n_gone++;
            for (gsize e = 0; e < n; e++)
              in[edges[e].target] -= edges[e].source == b;
          }
    }
  g_assert_cmpuint (n_gone, ==, n_open);
}

/* Links inside blocks and links between them are all links of the flow, once each. */
static void
check_sums (TrcHierarchy *h, guint level)
{
  TrcGraph *graph = trc_hierarchy_graph (h);
  gsize n, n_finest;
  const TrcMetaEdge *edges = trc_hierarchy_meta_edges (h, level, &n);
  const TrcMetaEdge *finest =
      trc_hierarchy_meta_edges (h, trc_hierarchy_n_levels (h) - 1, &n_finest);
  double sum = 0, total = 0, fine_sum = 0, fine_total = 0;

  for (gsize e = 0; e < n; e++)
    {
      const TrcEdge *strongest = &trc_graph_edges (graph)[edges[e].strongest];
      g_assert_cmpuint (trc_hierarchy_block_at (h, level, strongest->source), ==,
                        edges[e].source);
      g_assert_cmpfloat (fabs (edges[e].sum), <=, edges[e].total * (1 + 1e-12));
      g_assert_cmpfloat (fabs (strongest->weight), <=, edges[e].total * (1 + 1e-12));
      sum += edges[e].sum;
      total += edges[e].total;
    }
  for (gsize e = 0; e < n_finest; e++)
    {
      guint32 first = trc_hierarchy_members (
          h)[trc_hierarchy_blocks (h, &(guint32){ 0 })[finest[e].source].first];
      guint32 second = trc_hierarchy_members (
          h)[trc_hierarchy_blocks (h, &(guint32){ 0 })[finest[e].target].first];
      if (trc_hierarchy_block_at (h, level, first) == trc_hierarchy_block_at (h, level, second))
        continue;
      fine_sum += finest[e].sum;
      fine_total += finest[e].total;
    }
  g_assert_cmpfloat_with_epsilon (sum, fine_sum, 1e-9 * (1 + total));
  g_assert_cmpfloat_with_epsilon (total, fine_total, 1e-9 * (1 + total));
}

static void
check (TrcGraph *graph)
{
  for (guint rule = 0; rule < TRC_N_COARSEN_RULES; rule++)
    for (guint branching = 2; branching <= 5; branching += 3)
      {
        g_autoptr (GError) error = NULL;
        TrcCoarsenParams params = { (TrcCoarsenRule)rule, branching, 7 };
        g_autoptr (TrcHierarchy) h = trc_hierarchy_new (graph, &params, NULL, &error);
        g_autoptr (TrcHierarchy) again = trc_hierarchy_new (graph, &params, NULL, &error);
        g_assert_no_error (error);
        check_tree (h);
        g_assert_cmpmem (trc_hierarchy_members (h), trc_graph_n_nodes (graph) * 4,
                         trc_hierarchy_members (again), trc_graph_n_nodes (graph) * 4);
        for (guint level = 0; level < trc_hierarchy_n_levels (h); level++)
          {
            double defect = trc_hierarchy_defect (h, level);
            check_dag (h, level);
            check_sums (h, level);
            g_assert_true (isnan (defect) || (defect >= 0 && defect <= 1 + 1e-9));
          }
        /* single nodes lump exactly */
        double last = trc_hierarchy_defect (h, trc_hierarchy_n_levels (h) - 1);
        g_assert_true (isnan (last) || last < 1e-6);
      }
}

/* A layered graph with links drawn at random, some of weight 0. */
static TrcGraph *
random_graph (guint n, guint seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < n; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = i < n / 8    ? TRC_NODE_EMBEDDING
                  : i + 2 >= n ? TRC_NODE_LOGIT
                               : TRC_NODE_FEATURE;
      node.layer = node.kind == TRC_NODE_EMBEDDING ? -1 : (gint32)(i * 6 / n);
      node.position = g_rand_int_range (rand, 0, 5);
      node.index = i;
      node.token_prob = node.kind == TRC_NODE_LOGIT ? 0.4 : NAN;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint k = 0; k < 6 * n && n > 1; k++)
    {
      guint32 s = (guint32)g_rand_int_range (rand, 0, (gint32)n);
      guint32 t = (guint32)g_rand_int_range (rand, 0, (gint32)n);
      if (s < t)
        trc_graph_builder_add_edge (b, s, t,
                                    k % 17 == 0 ? 0 : g_rand_double_range (rand, -1, 1));
    }
  TrcGraph *graph = trc_graph_builder_finish (b, &error);
  g_assert_no_error (error);
  return graph;
}

static void
test_random (void)
{
  static const guint sizes[] = { 0, 1, 2, 3, 9, 40, 150 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (guint seed = 1; seed <= 3; seed++)
      {
        g_autoptr (TrcGraph) graph = random_graph (sizes[i], seed);
        check (graph);
      }
}

/* Links that run in a circle are cut somewhere, and all promises hold. */
static void
test_cycle (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();

  for (guint i = 0; i < 12; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = i == 11 ? TRC_NODE_LOGIT : TRC_NODE_FEATURE;
      node.layer = (gint32)i / 3;
      node.position = 0;
      node.index = i;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint i = 0; i < 12; i++)
    {
      trc_graph_builder_add_edge (b, i, (i + 1) % 12, 1);
      trc_graph_builder_add_edge (b, i, i, 1);
    }
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, NULL);
  check (graph);
}

/* Two chains that never meet but at the logit are told apart by the rules that look at flow. */
static void
test_two_streams (void)
{
  static const TrcCoarsenRule rules[] = { TRC_COARSEN_DIRECTED, TRC_COARSEN_PAPER };
  TrcGraphBuilder *b = trc_graph_builder_new ();
  enum { WIDTH = 5, DEPTH = 4, N = 2 * WIDTH * DEPTH };

  for (guint i = 0; i <= N; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = i == N ? TRC_NODE_LOGIT : TRC_NODE_FEATURE;
      node.layer = i == N ? DEPTH : (gint32)(i / (2 * WIDTH));
      node.position = 0;
      node.index = i;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint s = 0; s < N; s++)
    for (guint t = 0; t <= N; t++)
      if ((t < N && t / (2 * WIDTH) == s / (2 * WIDTH) + 1 && s % 2 == t % 2)
          || (t == N && s / (2 * WIDTH) == DEPTH - 1))
        trc_graph_builder_add_edge (b, s, t, 1);
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, NULL);
  for (guint r = 0; r < G_N_ELEMENTS (rules); r++)
    {
      TrcCoarsenParams params = { rules[r], 2, 1 };
      g_autoptr (TrcHierarchy) h = trc_hierarchy_new (graph, &params, NULL, NULL);
      guint right = 0;
      guint32 even = trc_hierarchy_block_at (h, 1, 0), odd = trc_hierarchy_block_at (h, 1, 1);
      g_assert_cmpuint (even, !=, odd);
      for (guint i = 0; i < N; i++)
        right += trc_hierarchy_block_at (h, 1, i) == (i % 2 == 0 ? even : odd);
      g_assert_cmpuint (right, >=, N - 2); /* the logit may take a neighbour along */
    }
}

/* Nodes with the same sources and targets share a block by role. */
static void
test_roles (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  enum { PER = 6, GROUPS = 3 };

  for (guint i = 0; i < GROUPS * (PER + 2); i++)
    {
      TrcNode node = TRC_NODE_INIT;
      guint kind = i < GROUPS ? 0 : i < GROUPS + GROUPS * PER ? 1 : 2;
      node.kind = kind == 0 ? TRC_NODE_EMBEDDING : kind == 1 ? TRC_NODE_NEURON : TRC_NODE_LOGIT;
      node.layer = kind == 0 ? -1 : kind == 1 ? 0 : 1;
      node.position = 0;
      node.index = i;
      node.token_prob = 1.0 / GROUPS;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint i = 0; i < GROUPS * PER; i++)
    {
      trc_graph_builder_add_edge (b, i % GROUPS, GROUPS + i, 1);
      trc_graph_builder_add_edge (b, GROUPS + i, GROUPS + GROUPS * PER + i % GROUPS, 1);
    }
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, NULL);
  TrcCoarsenParams params = { TRC_COARSEN_ROLE, 3, 1 };
  g_autoptr (TrcHierarchy) h = trc_hierarchy_new (graph, &params, NULL, NULL);
  guint32 n_blocks;
  const TrcBlock *blocks = trc_hierarchy_blocks (h, &n_blocks);
  for (guint32 g = 0; g < GROUPS; g++)
    {
      guint32 b_own = trc_hierarchy_leaf (h, GROUPS + g);
      while (blocks[b_own].n < PER)
        b_own = blocks[b_own].parent;
      g_assert_cmpuint (blocks[b_own].n, ==, PER);
      for (guint32 i = 0; i < PER; i++)
        {
          guint32 v = trc_hierarchy_members (h)[blocks[b_own].first + i];
          g_assert_cmpuint (v, >=, GROUPS);
          g_assert_cmpuint (v % GROUPS, ==, g);
        }
    }
}

/* Pruning keeps the tree: no promise breaks, and nodes that were apart stay apart. */
static void
test_restrict (void)
{
  g_autoptr (TrcGraph) graph = random_graph (120, 4);
  TrcPruneParams prune = { 0.6, 0.9 };
  TrcCoarsenParams params = TRC_COARSEN_DEFAULTS;
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) part = trc_graph_prune (graph, &prune, NULL, &error);
  g_autoptr (TrcHierarchy) whole = trc_hierarchy_new (graph, &params, NULL, &error);
  g_autoptr (TrcHierarchy) h = trc_hierarchy_restrict (whole, part, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (part), <, 120);
  check_tree (h);
  for (guint level = 0; level < trc_hierarchy_n_levels (h); level++)
    check_dag (h, level);
  g_autoptr (TrcGraph) other = random_graph (130, 9);
  g_assert_null (trc_hierarchy_restrict (whole, other, &error));
  g_assert_nonnull (error);
}

static void
test_cancel (void)
{
  g_autoptr (TrcGraph) graph = random_graph (100, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TrcProgress progress = { .cancellable = cancellable };
  TrcCoarsenParams params = TRC_COARSEN_DEFAULTS;
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (trc_hierarchy_new (graph, &params, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_rule_names (void)
{
  TrcCoarsenRule rule;

  for (guint i = 0; i < TRC_N_COARSEN_RULES; i++)
    {
      g_assert_true (trc_coarsen_rule_parse (trc_coarsen_rule_name (i), &rule));
      g_assert_cmpuint (rule, ==, i);
    }
  g_assert_false (trc_coarsen_rule_parse ("none", &rule));
}

static void
test_real (void)
{
  static const char *const files[] = { "gemma2-clt-meow-tiny.json",
                                       "haiku-clt-dallas-annotated.json",
                                       "gemma2-plt-dallas-raw-influence.json",
                                       "llama32-clt-subset-zero-weights.json" };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *rel = g_strconcat ("graphs/", files[i], NULL);
      g_autofree char *path = trc_test_shared (rel);
      g_autoptr (GError) error = NULL;
      if (path == NULL)
        return;
      g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
      g_assert_no_error (error);
      check (graph);
    }
}

static void
test_labels (void)
{
  g_autofree char *path = trc_test_shared ("graphs/haiku-clt-dallas-annotated.json");
  TrcCoarsenParams params = TRC_COARSEN_DEFAULTS;
  guint32 n;

  if (path == NULL)
    return;
  g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, NULL);
  g_autoptr (TrcHierarchy) h = trc_hierarchy_new (graph, &params, NULL, NULL);
  trc_hierarchy_blocks (h, &n);
  for (guint32 b = 0; b < n; b++)
    {
      g_autofree char *label = trc_hierarchy_dup_label (h, b);
      g_assert_cmpstr (label, !=, "");
      g_assert_true (g_utf8_validate (label, -1, NULL));
    }
  g_autofree char *root = trc_hierarchy_dup_label (h, 0);
  g_assert_cmpstr (root, ==, "whole prompt");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hierarchy/random", test_random);
  g_test_add_func ("/hierarchy/cycle", test_cycle);
  g_test_add_func ("/hierarchy/two-streams", test_two_streams);
  g_test_add_func ("/hierarchy/roles", test_roles);
  g_test_add_func ("/hierarchy/restrict", test_restrict);
  g_test_add_func ("/hierarchy/cancel", test_cancel);
  g_test_add_func ("/hierarchy/rule-names", test_rule_names);
  g_test_add_func ("/hierarchy/real", test_real);
  g_test_add_func ("/hierarchy/labels", test_labels);
  return g_test_run ();
}
