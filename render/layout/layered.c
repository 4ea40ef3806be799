/* Layers are known and edges are drawn as curves, not routed, so a layout is
 * only: how wide each column, how many lines each cell, which order in a line.
 *
 *   1. a cap on column width decides the lines of every cell; the cap whose
 *      picture comes nearest to the wanted aspect is taken;
 *   2. barycentre sweeps: every node asks for the mean place of its neighbours,
 *      each line gives what it can (isotonic regression with least distances
 *      inside the column, exact and linear in the nodes);
 *   3. boxes that belong to no column are fitted in by one push from the left
 *      and one from the right; the mean of two feasible answers is feasible.
 *
 * Everything is ordered by value, then by index: the same input gives the same
 * layout. */
#include "render/layout/layout_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_SWEEPS 12
#define ANCHOR 0.65 /* of the place of an anchored node is its anchor */
#define N_CAPS 14
#define STRIP 1.0  /* points: height of the strips that the final push looks at */
#define LEAN 0.42  /* of a column: how far another column pulls a node aside */
#define SPREAD 0.6 /* part of a column's spare room that goes between its nodes */

typedef struct {
  guint32 *node; /* in order */
  guint n;
  double lo, hi; /* bounds of the line; infinite for free nodes */
} Line;

typedef struct {
  const TrcLayoutInput *in;
  TrcLayout *out;
  double gap_x, gap_y, row_h, aspect;
  guint32 *cell_first, *cell_node; /* nodes of each (row, column), free ones last */
  guint n_cells;
  guint32 *adj_first, *adj_node;
  double *adj_weight;
  double *want; /* x each node asks for */
  double *lean; /* of each column: how far its nodes stand from its middle */
  guint *cell_lines;
} Job;

static guint
cell_of (const TrcLayoutInput *in, const TrcLayoutNode *node)
{
  guint column = node->column >= 0 ? (guint)node->column : in->n_columns;

  return (guint)node->row * (in->n_columns + 1) + column;
}

static void
fill_cells (Job *job)
{
  const TrcLayoutInput *in = job->in;

  job->n_cells = MAX (1, in->n_rows) * (in->n_columns + 1);
  job->cell_first = g_new0 (guint32, job->n_cells + 1);
  job->cell_node = g_new (guint32, MAX (1, in->n_nodes));
  for (guint i = 0; i < in->n_nodes; i++)
    job->cell_first[cell_of (in, &in->nodes[i]) + 1]++;
  for (guint c = 0; c < job->n_cells; c++)
    job->cell_first[c + 1] += job->cell_first[c];

  g_autofree guint32 *at =
      g_memdup2 (job->cell_first, sizeof (guint32) * ((gsize)job->n_cells + 1));
  for (guint i = 0; i < in->n_nodes; i++)
    job->cell_node[at[cell_of (in, &in->nodes[i])]++] = i;
}

static void
fill_neighbours (Job *job)
{
  const TrcLayoutInput *in = job->in;

  job->adj_first = g_new0 (guint32, (gsize)in->n_nodes + 1);
  for (guint e = 0; e < in->n_edges; e++)
    {
      job->adj_first[in->edges[e].from + 1]++;
      job->adj_first[in->edges[e].to + 1]++;
    }
  for (guint i = 0; i < in->n_nodes; i++)
    job->adj_first[i + 1] += job->adj_first[i];

  job->adj_node = g_new (guint32, MAX (1, 2 * (gsize)in->n_edges));
  job->adj_weight = g_new (double, MAX (1, 2 * (gsize)in->n_edges));
  g_autofree guint32 *at =
      g_memdup2 (job->adj_first, sizeof (guint32) * ((gsize)in->n_nodes + 1));
  for (guint e = 0; e < in->n_edges; e++)
    {
      guint32 a = in->edges[e].from, b = in->edges[e].to;
      double w = MAX (1e-6, in->edges[e].weight);
      job->adj_node[at[a]] = b;
      job->adj_weight[at[a]++] = w;
      job->adj_node[at[b]] = a;
      job->adj_weight[at[b]++] = w;
    }
}

/* ---- 1. columns and lines ---- */

static double
cell_width (const Job *job, guint cell)
{
  double w = 0;

  for (guint32 k = job->cell_first[cell]; k < job->cell_first[cell + 1]; k++)
    w += job->in->nodes[job->cell_node[k]].w + job->gap_x;
  return w;
}

static double
widest_node (const Job *job, guint cell)
{
  double w = 0;

  for (guint32 k = job->cell_first[cell]; k < job->cell_first[cell + 1]; k++)
    w = MAX (w, job->in->nodes[job->cell_node[k]].w + job->gap_x);
  return w;
}

static double
tallest_node (const Job *job, guint cell)
{
  double h = 0;

  for (guint32 k = job->cell_first[cell]; k < job->cell_first[cell + 1]; k++)
    {
      const TrcLayoutNode *node = &job->in->nodes[job->cell_node[k]];
      if (node->last_row <= node->row) /* a block over several rows does not stretch one */
        h = MAX (h, node->h);
    }
  return h;
}

/* Node i of a cell stands in line i mod n: neighbours in order are staggered. */
static double
widest_line (const Job *job, guint cell, guint n_lines)
{
  double best = 0;

  for (guint l = 0; l < n_lines; l++)
    {
      double w = 0;
      for (guint32 k = job->cell_first[cell] + l; k < job->cell_first[cell + 1]; k += n_lines)
        w += job->in->nodes[job->cell_node[k]].w + job->gap_x;
      best = MAX (best, w);
    }
  return best;
}

static guint
lines_for (const Job *job, guint cell, double cap)
{
  double w = cell_width (job, cell);
  guint n = job->cell_first[cell + 1] - job->cell_first[cell];

  if (n <= 1 || w <= cap)
    return 1;
  return MIN (n, (guint)ceil (w / MAX (1.0, cap)));
}

static double
given_width (const TrcLayoutInput *in, guint column)
{
  return in->column_w != NULL && column < in->n_columns ? in->column_w[column] : 0;
}

/* Width, height and lines of every cell when no column need be wider than @cap. */
static void
measure_cap (const Job *job, double cap, double *column_w, double *row_h, guint *lines)
{
  const TrcLayoutInput *in = job->in;

  for (guint c = 0; c < in->n_columns; c++)
    column_w[c] = given_width (in, c);
  for (guint r = 0; r < in->n_rows; r++)
    {
      row_h[r] = job->row_h;
      for (guint c = 0; c <= in->n_columns; c++)
        {
          guint cell = r * (in->n_columns + 1) + c;
          double tall = tallest_node (job, cell);
          lines[cell] =
              c < in->n_columns ? lines_for (
                  job, cell, MAX (MAX (cap, given_width (in, c)), widest_node (job, cell)))
                                : 1;
          if (c < in->n_columns)
            column_w[c] = MAX (column_w[c], widest_line (job, cell, lines[cell]));
          if (tall > 0)
            row_h[r] = MAX (row_h[r], lines[cell] * (tall + job->gap_y / 2) + job->gap_y / 2);
        }
    }
}

static double
sum (const double *v, guint n)
{
  double total = 0;

  for (guint i = 0; i < n; i++)
    total += v[i];
  return total;
}

static void
choose_columns (Job *job)
{
  const TrcLayoutInput *in = job->in;
  double best = G_MAXDOUBLE, best_cap = 0, widest = 1;

  for (guint cell = 0; cell < job->n_cells; cell++)
    widest = MAX (widest, cell_width (job, cell));
  for (guint i = 0; i < N_CAPS; i++)
    {
      double cap = widest * pow (0.75, i);
      measure_cap (job, cap, job->out->column_w, job->out->row_h, job->cell_lines);
      double w = sum (job->out->column_w, in->n_columns);
      double h = sum (job->out->row_h, in->n_rows);
      double miss = fabs (log (MAX (1.0, w) / MAX (1.0, h) / job->aspect));
      if (miss < best - 1e-9)
        {
          best = miss;
          best_cap = cap;
        }
    }
  measure_cap (job, best_cap, job->out->column_w, job->out->row_h, job->cell_lines);
}

/* A picture much narrower than wanted is widened: labels can use the room. */
static void
place_bands (Job *job)
{
  const TrcLayoutInput *in = job->in;
  TrcLayout *out = job->out;
  double h = sum (out->row_h, in->n_rows), w = sum (out->column_w, in->n_columns);
  double spare = in->n_columns > 0 ? MAX (0.0, h * job->aspect - w) / in->n_columns : 0;
  double x = 0, y = 0;

  for (guint c = 0; c < in->n_columns; c++)
    {
      out->column_w[c] += spare;
      out->column_x[c] = x + out->column_w[c] / 2;
      x += out->column_w[c];
    }
  for (guint r = in->n_rows; r-- > 0;)
    {
      out->row_y[r] = y + out->row_h[r] / 2;
      y += out->row_h[r];
    }
}

/* ---- 2. order ---- */

/* Where a neighbour pulls a node to. In its own column, to itself; in another
 * one only to that side of the column, or all nodes would crowd at its edge. */
static double
pull_of (const Job *job, const TrcLayoutNode *node, guint32 other)
{
  gint32 theirs = job->in->nodes[other].column;

  if (node->column < 0 || theirs < 0 || theirs == node->column)
    return job->out->at[other].x;
  double aside = CLAMP ((theirs - node->column) / 3.0, -1.0, 1.0);
  return job->out->column_x[node->column] + aside * LEAN * job->out->column_w[node->column];
}

static double
anchor_x (const Job *job, const TrcLayoutNode *node)
{
  guint last = MAX (1, job->in->n_columns) - 1;
  double at = CLAMP (node->anchor, 0.0, (double)last);
  guint left = (guint)at, right = MIN (left + 1, last);

  if (job->in->n_columns == 0)
    return 0;
  return job->out->column_x[left]
         + (at - left) * (job->out->column_x[right] - job->out->column_x[left]);
}

static double
neighbour_mean (const Job *job, guint32 i, double otherwise)
{
  const TrcLayoutNode *node = &job->in->nodes[i];
  double sum_w = 0, sum_x = 0;

  if (node->centred && node->column >= 0)
    return job->out->column_x[node->column];
  for (guint32 k = job->adj_first[i]; k < job->adj_first[i + 1]; k++)
    {
      guint32 other = job->adj_node[k];
      double pull = job->in->nodes[other].pull;
      double w = job->adj_weight[k] * (pull > 0 ? pull : 1);
      sum_w += w;
      sum_x += w * pull_of (job, node, other);
    }
  if (node->anchored)
    return anchor_x (job, node) * ANCHOR
           + (1 - ANCHOR) * (sum_w > 0 ? sum_x / sum_w : otherwise);
  if (node->column >= 0 && sum_w > 0)
    return sum_x / sum_w - job->lean[node->column];
  return sum_w > 0 ? sum_x / sum_w : otherwise;
}

/* Most columns lie to the right of what they read: without this all their nodes
 * would stand at the left edge. */
static void
note_leans (Job *job)
{
  const TrcLayoutInput *in = job->in;
  g_autofree guint *n = g_new0 (guint, in->n_columns + 1);

  for (guint c = 0; c < in->n_columns; c++)
    job->lean[c] *= 0.5;
  for (guint i = 0; i < in->n_nodes; i++)
    if (in->nodes[i].column >= 0 && !in->nodes[i].centred)
      n[in->nodes[i].column]++;
  for (guint i = 0; i < in->n_nodes; i++)
    {
      gint32 c = in->nodes[i].column;
      if (c >= 0 && !in->nodes[i].centred)
        job->lean[c] += (job->out->at[i].x - job->out->column_x[c]) / n[c];
    }
}

/* Least squares places of a line in order: z = want - offset must not fall. */
static void
solve_line (const Job *job, const Line *line, double gap)
{
  g_autofree double *mean = g_new (double, MAX (1, line->n));
  g_autofree guint *size = g_new (guint, MAX (1, line->n));
  g_autofree double *offset = g_new (double, MAX (1, line->n));
  const TrcLayoutNode *nodes = job->in->nodes;
  guint n_blocks = 0;

  for (guint i = 0; i < line->n; i++)
    {
      offset[i] =
          i == 0
              ? 0
              : offset[i - 1] + (nodes[line->node[i - 1]].w + nodes[line->node[i]].w) / 2 + gap;
      mean[n_blocks] = job->want[line->node[i]] - offset[i];
      size[n_blocks++] = 1;
      while (n_blocks > 1 && mean[n_blocks - 2] > mean[n_blocks - 1])
        {
          guint a = size[n_blocks - 2], b = size[n_blocks - 1];
          mean[n_blocks - 2] = (mean[n_blocks - 2] * a + mean[n_blocks - 1] * b) / (a + b);
          size[n_blocks - 2] = a + b;
          n_blocks--;
        }
    }

  double lo = line->lo + nodes[line->node[0]].w / 2;
  double hi = line->hi - nodes[line->node[line->n - 1]].w / 2 - offset[line->n - 1];
  for (guint b = 0, i = 0; b < n_blocks; b++)
    for (guint k = 0; k < size[b]; k++, i++)
      {
        double z = lo <= hi ? CLAMP (mean[b], lo, hi) : (lo + hi) / 2;
        job->out->at[line->node[i]].x = z + offset[i];
      }
}

static int
by_want (gconstpointer pa, gconstpointer pb, gpointer data)
{
  const guint32 a = *(const guint32 *)pa, b = *(const guint32 *)pb;
  const double *want = data;

  if (want[a] != want[b])
    return want[a] < want[b] ? -1 : 1;
  return (a > b) - (a < b);
}

/* Orders one cell by what its nodes ask for and deals them out to its lines. */
static void
settle_cell (Job *job, guint row, guint column)
{
  const TrcLayoutInput *in = job->in;
  guint cell = row * (in->n_columns + 1) + column;
  guint32 *node = job->cell_node + job->cell_first[cell];
  guint n = job->cell_first[cell + 1] - job->cell_first[cell], lines = job->cell_lines[cell];
  gboolean banded = column < in->n_columns;

  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    job->want[node[i]] = neighbour_mean (job, node[i], job->out->at[node[i]].x);
  g_qsort_with_data (node, (gint)n, sizeof (guint32), by_want, job->want);

  double pitch = tallest_node (job, cell) + job->gap_y / 2;
  g_autofree guint32 *member = g_new (guint32, n);
  for (guint l = 0; l < lines; l++)
    {
      Line line = { member, 0, -G_MAXDOUBLE / 4, G_MAXDOUBLE / 4 };
      double used = 0, gap = job->gap_x;
      for (guint i = l; i < n; i += lines)
        {
          member[line.n++] = node[i];
          used += in->nodes[node[i]].w + gap;
          if (in->nodes[node[i]].last_row <= in->nodes[node[i]].row)
            job->out->at[node[i]].y = job->out->row_y[row] + ((lines - 1) / 2.0 - l) * pitch;
        }
      if (banded)
        {
          double half = job->out->column_w[column] / 2 - job->gap_x / 2;
          line.lo = job->out->column_x[column] - half;
          line.hi = job->out->column_x[column] + half;
          gap += MAX (0.0, 2 * half + gap - used) * SPREAD / MAX (1, line.n);
        }
      if (line.n > 0)
        solve_line (job, &line, gap);
    }
}

static void
start (Job *job)
{
  const TrcLayoutInput *in = job->in;
  TrcLayout *out = job->out;
  double middle = sum (out->column_w, in->n_columns) / 2;

  for (guint i = 0; i < in->n_nodes; i++)
    {
      const TrcLayoutNode *node = &in->nodes[i];
      out->at[i].x = node->column >= 0 ? out->column_x[node->column] : middle;
      out->at[i].y = (out->row_y[node->row] + out->row_y[MAX (node->row, node->last_row)]) / 2;
    }
}

/* ---- 3. free boxes ---- */

static int
by_place (gconstpointer pa, gconstpointer pb, gpointer data)
{
  const guint32 a = *(const guint32 *)pa, b = *(const guint32 *)pb;
  const TrcPoint *at = data;

  if (at[a].x != at[b].x)
    return at[a].x < at[b].x ? -1 : 1;
  return (a > b) - (a < b);
}

static void
strips_of (const Job *job, guint32 i, double top, guint n_strips, guint *first, guint *last)
{
  const TrcLayoutNode *node = &job->in->nodes[i];
  double y = job->out->at[i].y - top, half = node->h / 2 + 0.5;

  *first = (guint)CLAMP (floor ((y - half) / STRIP), 0, n_strips - 1.0);
  *last = (guint)CLAMP (ceil ((y + half) / STRIP) - 1, (double)*first, n_strips - 1.0);
}

/* Moves nodes, taken in @order, only as far as needed to keep clear of those
 * before them; @sign +1 pushes to the right, -1 to the left. */
static void
push (const Job *job, const guint32 *order, double sign, double top, guint n_strips, double *x)
{
  g_autofree double *edge = g_new (double, n_strips);
  guint n = job->in->n_nodes;

  for (guint s = 0; s < n_strips; s++)
    edge[s] = -G_MAXDOUBLE / 4;
  for (guint k = 0; k < n; k++)
    {
      guint32 i = sign > 0 ? order[k] : order[n - 1 - k];
      double half = job->in->nodes[i].w / 2, at = sign * job->out->at[i].x;
      guint first, last;
      strips_of (job, i, top, n_strips, &first, &last);
      for (guint s = first; s <= last; s++)
        at = MAX (at, edge[s] + half);
      for (guint s = first; s <= last; s++)
        edge[s] = at + half + job->gap_x;
      x[i] = sign * at;
    }
}

static void
separate (Job *job)
{
  guint n = job->in->n_nodes;
  double top = G_MAXDOUBLE, bottom = -G_MAXDOUBLE;

  for (guint i = 0; i < n; i++)
    {
      double half = job->in->nodes[i].h / 2 + job->gap_y;
      top = MIN (top, job->out->at[i].y - half);
      bottom = MAX (bottom, job->out->at[i].y + half);
    }
  if (n == 0)
    return;

  guint n_strips = 1 + (guint)((bottom - top) / STRIP);
  g_autofree guint32 *order = g_new (guint32, n);
  g_autofree double *left = g_new (double, n), *right = g_new (double, n);
  for (guint i = 0; i < n; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint)n, sizeof (guint32), by_place, job->out->at);
  push (job, order, 1, top, n_strips, right);
  push (job, order, -1, top, n_strips, left);
  for (guint i = 0; i < n; i++)
    job->out->at[i].x = (left[i] + right[i]) / 2;
}

/* ---- all of it ---- */

static void
job_clear (Job *job)
{
  g_free (job->cell_first);
  g_free (job->cell_node);
  g_free (job->adj_first);
  g_free (job->adj_node);
  g_free (job->adj_weight);
  g_free (job->want);
  g_free (job->lean);
  g_free (job->cell_lines);
}

static gboolean
sweep_all (Job *job, GCancellable *cancellable, GError **error)
{
  const TrcLayoutInput *in = job->in;

  for (guint s = 0; s < N_SWEEPS; s++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      for (guint k = 0; k < in->n_rows; k++)
        for (guint c = 0; c <= in->n_columns; c++)
          settle_cell (job, s % 2 == 0 ? k : in->n_rows - 1 - k, c);
      note_leans (job);
      job->out->sweeps++;
    }
  return TRUE;
}

TrcLayout *
trc_layout_layered (const TrcLayoutInput *in, GCancellable *cancellable, GError **error)
{
  g_autoptr (TrcLayout) out = trc_layout_alloc (in);
  Job job = {
    .in = in,
    .out = out,
    .gap_x = in->gap_x > 0 ? in->gap_x : 8,
    .gap_y = in->gap_y > 0 ? in->gap_y : 14,
    .row_h = in->row_h > 0 ? in->row_h : 24,
    .aspect = in->aspect > 0 ? in->aspect : 1.5,
  };

  for (guint i = 0; i < in->n_nodes; i++)
    g_return_val_if_fail (in->nodes[i].row >= 0 && in->nodes[i].row < (gint32)in->n_rows
                              && in->nodes[i].last_row < (gint32)in->n_rows
                              && in->nodes[i].column < (gint32)in->n_columns,
                          NULL);

  fill_cells (&job);
  fill_neighbours (&job);
  job.lean = g_new0 (double, in->n_columns + 1);
  job.want = g_new0 (double, MAX (1, in->n_nodes));
  job.cell_lines = g_new0 (guint, job.n_cells);
  choose_columns (&job);
  place_bands (&job);
  start (&job);
  gboolean done = sweep_all (&job, cancellable, error);
  if (done)
    separate (&job);
  job_clear (&job);
  if (!done)
    return NULL;
  trc_layout_bound (out, in);
  return g_steal_pointer (&out);
}
