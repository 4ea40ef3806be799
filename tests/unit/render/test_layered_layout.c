#include "render/layout.h"

#include <math.h>
#include <string.h>

typedef struct {
  TrcLayoutNode *node;
  TrcLayoutEdge *edge;
  TrcLayoutInput in;
} Case;

static void
case_clear (Case *c)
{
  g_free (c->node);
  g_free (c->edge);
}

/* A random layered graph, edges upwards; some nodes free and over several rows. */
static Case
random_case (guint n, guint m, guint rows, guint columns, guint seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Case c = { g_new0 (TrcLayoutNode, n + 1), g_new0 (TrcLayoutEdge, m + 1), { 0 } };

  for (guint i = 0; i < n; i++)
    {
      TrcLayoutNode *node = &c.node[i];
      node->row = node->last_row = g_rand_int_range (rand, 0, (gint32)rows);
      node->column = columns > 0 ? g_rand_int_range (rand, 0, (gint32)columns) : -1;
      node->w = g_rand_double_range (rand, 6, 90);
      node->h = 8;
      if (g_rand_int_range (rand, 0, 25) == 0)
        {
          node->column = -1;
          node->last_row = MIN (node->row + 3, (gint32)rows - 1);
          node->h = g_rand_double_range (rand, 20, 90);
        }
    }
  for (guint e = 0; e < m; e++)
    {
      c.edge[e].from = (guint32)g_rand_int_range (rand, 0, (gint32)n);
      c.edge[e].to = (guint32)g_rand_int_range (rand, 0, (gint32)n);
      c.edge[e].weight = g_rand_double (rand);
    }
  c.in = (TrcLayoutInput){ .nodes = c.node,
                           .n_nodes = n,
                           .edges = c.edge,
                           .n_edges = m,
                           .n_rows = rows,
                           .n_columns = columns };
  return c;
}

static void
assert_no_overlap (const TrcLayoutInput *in, const TrcLayout *layout)
{
  for (guint i = 0; i < in->n_nodes; i++)
    {
      g_assert_true (isfinite (layout->at[i].x) && isfinite (layout->at[i].y));
      for (guint j = i + 1; j < in->n_nodes; j++)
        {
          double dx = fabs (layout->at[i].x - layout->at[j].x);
          double dy = fabs (layout->at[i].y - layout->at[j].y);
          if (dx < (in->nodes[i].w + in->nodes[j].w) / 2 - 1e-6
              && dy < (in->nodes[i].h + in->nodes[j].h) / 2 - 1e-6)
            g_error ("boxes %u and %u overlap", i, j);
        }
    }
}

static void
test_no_overlap (void)
{
  for (guint seed = 0; seed < 30; seed++)
    {
      Case c = random_case (20 + 17 * seed, 60 * seed, 1 + seed % 12, seed % 9, seed);
      g_autoptr (TrcLayout) layout = trc_layout_layered (&c.in, NULL, NULL);
      g_assert_nonnull (layout);
      assert_no_overlap (&c.in, layout);
      case_clear (&c);
    }
}

/* Rows from bottom to top, columns from left to right, nodes inside both. */
static void
test_grid (void)
{
  Case c = random_case (300, 900, 10, 6, 3);
  for (guint i = 0; i < 300; i++)
    {
      c.node[i].column = MAX (0, c.node[i].column);
      c.node[i].last_row = c.node[i].row;
      c.node[i].h = 8;
    }
  g_autoptr (TrcLayout) layout = trc_layout_layered (&c.in, NULL, NULL);

  for (guint r = 1; r < 10; r++)
    g_assert_cmpfloat (layout->row_y[r] + layout->row_h[r] / 2, <=,
                       layout->row_y[r - 1] - layout->row_h[r - 1] / 2 + 1e-9);
  for (guint k = 1; k < 6; k++)
    g_assert_cmpfloat (layout->column_x[k - 1] + layout->column_w[k - 1] / 2, <=,
                       layout->column_x[k] - layout->column_w[k] / 2 + 1e-9);
  for (guint i = 0; i < 300; i++)
    {
      guint r = (guint)c.node[i].row, k = (guint)c.node[i].column;
      g_assert_cmpfloat (fabs (layout->at[i].y - layout->row_y[r]), <=, layout->row_h[r] / 2);
      g_assert_cmpfloat (fabs (layout->at[i].x - layout->column_x[k]) + c.node[i].w / 2, <=,
                         layout->column_w[k] / 2 + 1e-6);
    }
  case_clear (&c);
}

static void
test_deterministic (void)
{
  Case c = random_case (500, 3000, 14, 8, 11);
  g_autoptr (TrcLayout) a = trc_layout_layered (&c.in, NULL, NULL);
  g_autoptr (TrcLayout) b = trc_layout_layered (&c.in, NULL, NULL);

  g_assert_cmpmem (a->at, 500 * sizeof (TrcPoint), b->at, 500 * sizeof (TrcPoint));
  case_clear (&c);
}

/* The work does not grow faster than the graph: a fixed number of sweeps. */
static void
test_large (void)
{
  Case c = random_case (10000, 60000, 32, 20, 5);
  g_autoptr (TrcLayout) layout = trc_layout_layered (&c.in, NULL, NULL);

  g_assert_cmpuint (layout->sweeps, ==, 12);
  g_assert_cmpfloat (layout->bounds.w, >, 0);
  case_clear (&c);
}

/* Two nodes that share a neighbour stand near it; crossing pairs are uncrossed. */
static void
test_uncrosses (void)
{
  TrcLayoutNode node[4] = {
    { .row = 0, .column = -1, .w = 10, .h = 8 },
    { .row = 0, .column = -1, .w = 10, .h = 8 },
    { .row = 1, .column = -1, .w = 10, .h = 8 },
    { .row = 1, .column = -1, .w = 10, .h = 8 },
  };
  TrcLayoutEdge edge[] = { { 0, 3, 1 }, { 1, 2, 1 } };
  TrcLayoutInput in = { .nodes = node, .n_nodes = 4, .edges = edge, .n_edges = 2, .n_rows = 2 };
  for (int i = 0; i < 4; i++)
    node[i].last_row = node[i].row;
  g_autoptr (TrcLayout) layout = trc_layout_layered (&in, NULL, NULL);

  g_assert_true ((layout->at[0].x < layout->at[1].x) == (layout->at[3].x < layout->at[2].x));
}

static void
test_empty_and_centred (void)
{
  TrcLayoutInput none = { .n_rows = 3, .n_columns = 2 };
  g_autoptr (TrcLayout) empty = trc_layout_layered (&none, NULL, NULL);
  g_assert_nonnull (empty);
  g_assert_cmpfloat (empty->bounds.w, ==, 0);

  double column_w[2] = { 60, 120 };
  TrcLayoutNode chip = { .row = 0, .column = 1, .w = 30, .h = 18, .centred = TRUE };
  TrcLayoutInput in = {
    .nodes = &chip, .n_nodes = 1, .n_rows = 1, .n_columns = 2, .column_w = column_w
  };
  g_autoptr (TrcLayout) layout = trc_layout_layered (&in, NULL, NULL);
  g_assert_cmpfloat_with_epsilon (layout->at[0].x, layout->column_x[1], 1e-9);
  g_assert_cmpfloat (layout->column_w[1], >=, 120);
}

static void
test_cancelled (void)
{
  Case c = random_case (100, 300, 5, 4, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (trc_layout_layered (&c.in, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  case_clear (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layered/no-overlap", test_no_overlap);
  g_test_add_func ("/layered/grid", test_grid);
  g_test_add_func ("/layered/deterministic", test_deterministic);
  g_test_add_func ("/layered/large", test_large);
  g_test_add_func ("/layered/uncrosses", test_uncrosses);
  g_test_add_func ("/layered/empty-and-centred", test_empty_and_centred);
  g_test_add_func ("/layered/cancelled", test_cancelled);
  return g_test_run ();
}
