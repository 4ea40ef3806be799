#include "compute/graph/share.h"
#include "compute/graph_file.h"
#include "compute/prune.h"
#include "tests/support/shared_data.h"

#include <string.h>

/* Figures of the graphs' README: another implementation, double precision. */
static const struct {
  const char *file;
  double replacement, completeness, probability;
  guint32 nodes_80;
  guint64 edges_98;
  guint32 nodes_60;
  guint64 edges_90;
} figures[] = {
  { "haiku-clt-dallas-annotated", 0.6947, 0.9342, 0.9842, 53, 509, 31, 68 },
  { "gemma2-plt-small-big-annotated", 0.6025, 0.8754, 0.9317, 210, 6216, 80, 745 },
  { "gemma2-plt-ngsa", 0.4922, 0.8279, 0.9525, 120, 1592, 50, 145 },
  { "gemma2-plt-dallas-raw-influence", 0.7195, 0.8979, 0.7350, 62, 482, 30, 88 },
  { "gemma2-clt-bee", 0.7850, 0.9341, 0.8425, 77, 969, 34, 150 },
  { "gemma2-clt-meow-tiny", 0.7992, 0.9270, 0.6991, 43, 206, 29, 72 },
  { "llama32-clt-dallas", 0.6339, 0.8823, 0.5619, 108, 2130, 46, 282 },
  { "llama32-clt-puppy-dense", 0.5649, 0.8590, 0.6840, 185, 5407, 78, 699 },
};

static void
test_published_figures (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (figures); i++)
    {
      g_autofree char *rel = g_strdup_printf ("graphs/%s.json", figures[i].file);
      g_autofree char *path = trc_test_shared (rel);
      if (path == NULL)
        return;

      g_autoptr (GError) error = NULL;
      g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, &error);
      g_assert_no_error (error);

      TrcGraphScores scores = trc_pruner_scores (pruner);
      g_test_message ("%s %.4f %.4f %.4f", figures[i].file, scores.replacement,
                      scores.completeness, scores.logit_probability);
      g_assert_cmpfloat_with_epsilon (scores.replacement, figures[i].replacement, 6e-5);
      g_assert_cmpfloat_with_epsilon (scores.completeness, figures[i].completeness, 6e-5);
      g_assert_cmpfloat_with_epsilon (scores.logit_probability, figures[i].probability, 6e-5);

      g_autoptr (TrcPruned) wide =
          trc_pruner_keep (pruner, &(TrcPruneParams)TRC_PRUNE_DEFAULTS, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (wide->n_nodes, ==, figures[i].nodes_80);
      g_assert_cmpuint (wide->n_edges, ==, figures[i].edges_98);

      g_autoptr (TrcPruned) narrow =
          trc_pruner_keep (pruner, &(TrcPruneParams){ 0.6, 0.9 }, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (narrow->n_nodes, ==, figures[i].nodes_60);
      g_assert_cmpuint (narrow->n_edges, ==, figures[i].edges_90);
    }
}

/* ---- random graphs against dense matrices, written down as the rules read ---- */

#define MAX_N 40

typedef struct {
  guint n;
  TrcNodeKind kind[MAX_N];
  double p[MAX_N];
  double w[MAX_N][MAX_N]; /* [target][source] */
} Dense;

static void
dense_random (Dense *d, GRand *rand, gboolean circle)
{
  memset (d, 0, sizeof *d);
  d->n = (guint)g_rand_int_range (rand, 4, MAX_N);
  for (guint i = 0; i < d->n; i++)
    {
      d->kind[i] = i < 2                        ? TRC_NODE_EMBEDDING
                   : g_rand_double (rand) < 0.3 ? TRC_NODE_ERROR
                                                : TRC_NODE_FEATURE;
      if (i + 2 >= d->n)
        {
          d->kind[i] = TRC_NODE_LOGIT;
          d->p[i] = g_rand_double (rand);
        }
    }
  for (guint t = 0; t < d->n; t++)
    for (guint s = 0; s < t; s++)
      if (d->kind[t] != TRC_NODE_EMBEDDING && d->kind[t] != TRC_NODE_ERROR
          && d->kind[s] != TRC_NODE_LOGIT && g_rand_double (rand) < 0.4)
        d->w[t][s] = g_rand_double_range (rand, -1, 1);
  if (circle)
    for (guint t = 2; t + 3 < d->n; t++)
      if (d->kind[t] == TRC_NODE_FEATURE && d->kind[t + 1] == TRC_NODE_FEATURE)
        {
          d->w[t][t + 1] = 0.25;
          d->w[t + 1][t] = 0.5;
          d->w[t][0] = d->w[t + 1][1] = 1; /* a way out, so that the series ends */
        }
}

static TrcGraph *
dense_graph (const Dense *d)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < d->n; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = d->kind[i];
      node.layer = (gint32)i;
      node.position = 0;
      node.index = i;
      node.token_prob = d->kind[i] == TRC_NODE_LOGIT ? d->p[i] : NAN;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint s = 0; s < d->n; s++) /* not the order in which they are stored */
    for (guint t = 0; t < d->n; t++)
      if (d->w[t][s] != 0)
        trc_graph_builder_add_edge (b, s, t, d->w[t][s]);
  TrcGraph *graph = trc_graph_builder_finish (b, &error);
  g_assert_no_error (error);
  return graph;
}

static void
dense_normalise (const Dense *d, double a[MAX_N][MAX_N])
{
  for (guint t = 0; t < d->n; t++)
    {
      double sum = 0;
      for (guint s = 0; s < d->n; s++)
        sum += fabs (d->w[t][s]);
      for (guint s = 0; s < d->n; s++)
        a[t][s] = fabs (d->w[t][s]) / MAX (sum, 1e-10);
    }
}

static void
dense_influence (const Dense *d, double a[MAX_N][MAX_N], double *h)
{
  double term[MAX_N], next[MAX_N];

  memcpy (term, d->p, sizeof term);
  memset (h, 0, MAX_N * sizeof h[0]);
  for (guint k = 0; k < 1000; k++)
    {
      memset (next, 0, sizeof next);
      for (guint t = 0; t < d->n; t++)
        for (guint s = 0; s < d->n; s++)
          next[s] += term[t] * a[t][s];
      for (guint s = 0; s < d->n; s++)
        h[s] += next[s];
      memcpy (term, next, sizeof term);
    }
}

static int
compare_falling (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x < y) - (x > y);
}

static double
sorted_threshold (const double *values, gsize n, double share)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof values[0]);
  double total = 0, reached = 0;

  qsort (sorted, n, sizeof sorted[0], compare_falling);
  for (gsize i = 0; i < n; i++)
    total += sorted[i];
  for (gsize i = 0; i < n; i++)
    {
      reached += sorted[i];
      if (reached >= share * total)
        return sorted[i];
    }
  return n > 0 ? sorted[n - 1] : 0;
}

static void
dense_prune (Dense *d, double node_share, double edge_share, gboolean *keep,
             gboolean links[MAX_N][MAX_N])
{
  double a[MAX_N][MAX_N], h[MAX_N], scores[MAX_N * MAX_N];
  double least;
  gboolean changed = TRUE;

  dense_normalise (d, a);
  dense_influence (d, a, h);
  least = sorted_threshold (h, d->n, node_share);
  for (guint i = 0; i < d->n; i++)
    keep[i] = h[i] >= least || d->kind[i] == TRC_NODE_EMBEDDING || d->kind[i] == TRC_NODE_LOGIT;
  for (guint t = 0; t < d->n; t++)
    for (guint s = 0; s < d->n; s++)
      if (!keep[t] || !keep[s])
        d->w[t][s] = 0;
  dense_normalise (d, a);
  dense_influence (d, a, h);
  for (guint t = 0; t < d->n; t++)
    for (guint s = 0; s < d->n; s++)
      scores[t * d->n + s] = a[t][s] * (h[t] + d->p[t]);
  least = sorted_threshold (scores, (gsize)d->n * d->n, edge_share);
  for (guint t = 0; t < d->n; t++)
    for (guint s = 0; s < d->n; s++)
      links[t][s] = d->w[t][s] != 0 && scores[t * d->n + s] >= least;
  while (changed)
    {
      changed = FALSE;
      for (guint i = 0; i < d->n; i++)
        {
          gboolean in = FALSE, out = FALSE;
          for (guint k = 0; k < d->n; k++)
            {
              in |= links[i][k] && keep[k];
              out |= links[k][i] && keep[k];
            }
          if (keep[i]
              && ((d->kind[i] == TRC_NODE_FEATURE && (!in || !out))
                  || (d->kind[i] == TRC_NODE_ERROR && !out)))
            {
              keep[i] = FALSE;
              changed = TRUE;
            }
        }
    }
  for (guint t = 0; t < d->n; t++)
    for (guint s = 0; s < d->n; s++)
      links[t][s] = links[t][s] && keep[t] && keep[s];
}

static void
check_kept (TrcGraph *graph, const TrcPruned *kept, const gboolean *keep,
            gboolean links[MAX_N][MAX_N])
{
  guint32 n = trc_graph_n_nodes (graph), n_nodes = 0;
  guint64 n_edges = 0;

  for (guint32 t = 0; t < n; t++)
    {
      gsize n_in;
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n_in);

      g_assert_cmpint (kept->nodes[t], ==, keep[t]);
      n_nodes += kept->nodes[t];
      for (gsize k = 0; k < n_in; k++)
        {
          guint8 is_kept = kept->edges[trc_graph_offsets (graph)[t] + k];
          g_assert_cmpint (is_kept, ==, links[t][in[k].source]);
          n_edges += is_kept;
        }
    }
  g_assert_cmpuint (kept->n_nodes, ==, n_nodes);
  g_assert_cmpuint (kept->n_edges, ==, n_edges);
}

static void
test_random (gconstpointer circle)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (guint round = 0; round < 300; round++)
    {
      Dense d;
      double a[MAX_N][MAX_N], h[MAX_N];
      gboolean keep[MAX_N], links[MAX_N][MAX_N];
      g_autoptr (GError) error = NULL;

      dense_random (&d, rand, circle != NULL);
      g_autoptr (TrcGraph) graph = dense_graph (&d);
      g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, &error);
      g_assert_no_error (error);
      dense_normalise (&d, a);
      dense_influence (&d, a, h);
      for (guint i = 0; i < d.n; i++)
        g_assert_cmpfloat_with_epsilon (trc_pruner_influence (pruner)[i], h[i],
                                        1e-12 + 1e-9 * fabs (h[i]));

      TrcPruneParams params = { g_rand_double (rand), g_rand_double (rand) };
      g_autoptr (TrcPruned) kept = trc_pruner_keep (pruner, &params, NULL, &error);
      g_assert_no_error (error);
      dense_prune (&d, params.node_share, params.edge_share, keep, links);
      check_kept (graph, kept, keep, links);
    }
}

static void
test_threshold (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);

  for (guint round = 0; round < 500; round++)
    {
      gsize n = (gsize)g_rand_int_range (rand, 1, 60);
      double values[60], share = g_rand_double (rand);

      for (gsize i = 0; i < n; i++) /* quarters add up exactly, and there are ties */
        values[i] = g_rand_int_range (rand, 0, 8) / 4.0;
      double want = sorted_threshold (values, n, share);
      g_assert_cmpfloat (trc_share_threshold (values, n, share), ==, want);
    }
  g_assert_cmpfloat (trc_share_threshold (NULL, 0, 0.5), ==, 0);
}

/* A share of 1 keeps all that is connected, and drops links of weight 0. */
static void
test_keep_all (void)
{
  Dense d = { .n = 4,
              .kind = { TRC_NODE_EMBEDDING, TRC_NODE_FEATURE, TRC_NODE_FEATURE,
                        TRC_NODE_LOGIT },
              .p = { 0, 0, 0, 1 } };
  g_autoptr (GError) error = NULL;

  d.w[1][0] = 1e-9;
  d.w[2][1] = -3;
  d.w[3][2] = 2;
  g_autoptr (TrcGraph) graph = dense_graph (&d);
  g_autoptr (TrcGraph) all = trc_graph_prune (graph, &(TrcPruneParams){ 1, 1 }, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (trc_graph_n_nodes (all), ==, 4);
  g_assert_cmpuint (trc_graph_n_edges (all), ==, 3);
}

/* Without a logit nothing can be ranked: everything stays, scores are unknown. */
static void
test_no_logit (void)
{
  Dense d = { .n = 2, .kind = { TRC_NODE_FEATURE, TRC_NODE_FEATURE } };
  g_autoptr (GError) error = NULL;

  d.w[1][0] = 1;
  g_autoptr (TrcGraph) graph = dense_graph (&d);
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, &error);
  g_autoptr (TrcPruned) kept =
      trc_pruner_keep (pruner, &(TrcPruneParams)TRC_PRUNE_DEFAULTS, NULL, &error);
  g_assert_cmpuint (kept->n_nodes, ==, 2);
  g_assert_cmpuint (kept->n_edges, ==, 1);
  g_assert_true (isnan (trc_pruner_scores (pruner).replacement));
  g_assert_true (isnan (trc_pruner_scores (pruner).completeness));
}

/* A circle without a way out: the series ends at its cap. */
static void
test_closed_circle (void)
{
  Dense d = { .n = 3,
              .kind = { TRC_NODE_FEATURE, TRC_NODE_FEATURE, TRC_NODE_LOGIT },
              .p = { 0, 0, 1 } };
  g_autoptr (GError) error = NULL;
  double h[3];

  d.w[0][1] = d.w[1][0] = d.w[2][1] = 1;
  g_autoptr (TrcGraph) graph = dense_graph (&d);
  g_assert_true (trc_graph_influence (graph, h, &error));
  g_assert_cmpfloat (h[0], ==, 500);
  g_assert_cmpfloat (h[1], ==, 500);
}

static void
test_cancelled (void)
{
  Dense d = { .n = 2, .kind = { TRC_NODE_EMBEDDING, TRC_NODE_LOGIT }, .p = { 0, 1 } };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TrcProgress progress = { .cancellable = cancellable };
  g_autoptr (GError) error = NULL;

  d.w[1][0] = 1;
  g_autoptr (TrcGraph) graph = dense_graph (&d);
  g_cancellable_cancel (cancellable);
  g_assert_null (trc_pruner_new (graph, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/published-figures", test_published_figures);
  g_test_add_data_func ("/prune/random-dag", NULL, test_random);
  g_test_add_data_func ("/prune/random-circles", "circles", test_random);
  g_test_add_func ("/prune/threshold", test_threshold);
  g_test_add_func ("/prune/keep-all", test_keep_all);
  g_test_add_func ("/prune/no-logit", test_no_logit);
  g_test_add_func ("/prune/closed-circle", test_closed_circle);
  g_test_add_func ("/prune/cancelled", test_cancelled);
  return g_test_run ();
}
