#include "compute/hierarchy/spectral.h"

#include <igraph/igraph.h>
#include <math.h>
#include <string.h>

/* A link inside the set: what flows between two of its nodes, both directions added. */
typedef struct {
  guint32 a, b;
  double weight;
} Pair;

/* The normalised matrix D^-1/2 S D^-1/2 of one set, as something that multiplies vectors. */
typedef struct {
  const TrcSpectral *space;
  const guint32 *set;
  guint32 n;
  gboolean role;
  GArray *pairs;      /* Pair; DIRECTED and PAPER */
  double *restart[2]; /* DIRECTED: visits that end in a node, share of starts */
  double *row_scale;  /* ROLE: 1 / length of a node's row of P_in and P_out */
  double *scale;      /* D^-1/2 */
  double *scratch;
} Matrix;

void
trc_spectral_init (TrcSpectral *self, const TrcFlow *flow)
{
  self->flow = flow;
  self->local = g_new (guint32, flow->n + 1);
  for (guint32 i = 0; i < flow->n; i++)
    self->local[i] = G_MAXUINT32;
  self->wide = g_new0 (double, flow->n + 1);
  self->wide2 = g_new0 (double, flow->n + 1);
}

void
trc_spectral_clear (TrcSpectral *self)
{
  g_clear_pointer (&self->local, g_free);
  g_clear_pointer (&self->wide, g_free);
  g_clear_pointer (&self->wide2, g_free);
}

/* --- the matrices --- */

static void
gather_pairs (Matrix *m, TrcCoarsenRule rule)
{
  const TrcFlow *flow = m->space->flow;

  m->pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  for (guint32 i = 0; i < m->n; i++)
    for (gsize k = flow->in_offset[m->set[i]]; k < flow->in_offset[m->set[i] + 1]; k++)
      {
        const TrcFlowLink *link = &flow->in[k];
        guint32 j = m->space->local[link->other];
        double flowing =
            rule == TRC_COARSEN_PAPER ? link->weight : flow->phi[m->set[i]] * link->share;
        Pair pair = { i, j, flowing / 2 };
        if (j != G_MAXUINT32 && flowing > 0)
          g_array_append_val (m->pairs, pair);
      }
}

/* The links from where the walk ends back to the logits: visits x share of starts. */
static void
gather_restart (Matrix *m)
{
  const TrcFlow *flow = m->space->flow;

  m->restart[0] = g_new0 (double, m->n);
  m->restart[1] = g_new0 (double, m->n);
  for (guint32 i = 0; i < m->n; i++)
    {
      guint32 v = m->set[i];
      gboolean ends = flow->in_offset[v] == flow->in_offset[v + 1];
      m->restart[0][i] = ends ? flow->phi[v] : 0;
      m->restart[1][i] = flow->start[v];
    }
}

static void
measure_rows (Matrix *m)
{
  const TrcFlow *flow = m->space->flow;

  m->row_scale = g_new0 (double, m->n);
  for (guint32 i = 0; i < m->n; i++)
    {
      guint32 v = m->set[i];
      double sum = 0;
      for (gsize k = flow->in_offset[v]; k < flow->in_offset[v + 1]; k++)
        sum += (double)flow->in[k].share * flow->in[k].share;
      for (gsize k = flow->out_offset[v]; k < flow->out_offset[v + 1]; k++)
        sum += (double)flow->out[k].share * flow->out[k].share;
      m->row_scale[i] = sum > 0 ? 1 / sqrt (sum) : 0;
    }
}

static void
multiply_pairs (const Matrix *m, const double *x, double *y)
{
  double ended = 0, started = 0;

  for (guint32 i = 0; i < m->n; i++)
    y[i] = 0;
  for (guint k = 0; k < m->pairs->len; k++)
    {
      const Pair *p = &g_array_index (m->pairs, Pair, k);
      y[p->a] += p->weight * x[p->b];
      y[p->b] += p->weight * x[p->a];
    }
  for (guint32 i = 0; i < m->n && m->restart[0] != NULL; i++)
    {
      ended += m->restart[0][i] * x[i];
      started += m->restart[1][i] * x[i];
    }
  for (guint32 i = 0; i < m->n && m->restart[0] != NULL; i++)
    y[i] += (m->restart[0][i] * started + m->restart[1][i] * ended) / 2;
}

/* Adds up what the set's rows put on each source and each target. */
static void
scatter_roles (const Matrix *m, const double *x)
{
  const TrcFlow *flow = m->space->flow;

  for (guint32 i = 0; i < m->n; i++)
    {
      guint32 v = m->set[i];
      double scaled = m->row_scale[i] * x[i];
      for (gsize k = flow->in_offset[v]; k < flow->in_offset[v + 1] && scaled != 0; k++)
        m->space->wide[flow->in[k].other] += flow->in[k].share * scaled;
      for (gsize k = flow->out_offset[v]; k < flow->out_offset[v + 1] && scaled != 0; k++)
        m->space->wide2[flow->out[k].other] += flow->out[k].share * scaled;
    }
}

/* y = F F^T x, F the rows of P_in and P_out side by side, each of length 1. */
static void
multiply_roles (const Matrix *m, const double *x, double *y)
{
  const TrcFlow *flow = m->space->flow;

  scatter_roles (m, x);
  for (guint32 i = 0; i < m->n; i++)
    {
      guint32 v = m->set[i];
      double sum = 0;
      for (gsize k = flow->in_offset[v]; k < flow->in_offset[v + 1]; k++)
        sum += flow->in[k].share * m->space->wide[flow->in[k].other];
      for (gsize k = flow->out_offset[v]; k < flow->out_offset[v + 1]; k++)
        sum += flow->out[k].share * m->space->wide2[flow->out[k].other];
      y[i] = m->row_scale[i] * sum;
    }
  memset (m->space->wide, 0, flow->n * sizeof *m->space->wide);
  memset (m->space->wide2, 0, flow->n * sizeof *m->space->wide2);
}

static void
multiply (const Matrix *m, const double *x, double *y)
{
  if (m->role)
    multiply_roles (m, x, y);
  else
    multiply_pairs (m, x, y);
}

static igraph_error_t
multiply_normalised (igraph_real_t *to, const igraph_real_t *from, int n, void *data)
{
  const Matrix *m = data;

  for (int i = 0; i < n; i++)
    m->scratch[i] = m->scale[i] * from[i];
  multiply (m, m->scratch, to);
  for (int i = 0; i < n; i++)
    to[i] *= m->scale[i];
  return IGRAPH_SUCCESS;
}

static void
matrix_init (Matrix *m, const TrcSpectral *space, TrcCoarsenRule rule, const guint32 *set,
             guint32 n)
{
  *m = (Matrix){ .space = space, .set = set, .n = n, .role = rule == TRC_COARSEN_ROLE };
  m->scratch = g_new (double, n + 1);
  m->scale = g_new (double, n + 1);
  if (m->role)
    measure_rows (m);
  else
    gather_pairs (m, rule);
  if (rule == TRC_COARSEN_DIRECTED)
    gather_restart (m);
  for (guint32 i = 0; i < n; i++)
    m->scratch[i] = 1;
  multiply (m, m->scratch, m->scale);
  for (guint32 i = 0; i < n; i++)
    m->scale[i] = m->scale[i] > 0 ? 1 / sqrt (m->scale[i]) : 0;
}

static void
matrix_clear (Matrix *m)
{
  if (m->pairs != NULL)
    g_array_unref (m->pairs);
  g_free (m->restart[0]);
  g_free (m->restart[1]);
  g_free (m->row_scale);
  g_free (m->scale);
  g_free (m->scratch);
}

/* --- parts that nothing connects --- */

static guint32
find_root (guint32 *up, guint32 i)
{
  while (up[i] != i)
    i = up[i] = up[up[i]];
  return i;
}

static void
join (guint32 *up, guint32 i, guint32 j)
{
  i = find_root (up, i);
  j = find_root (up, j);
  up[MAX (i, j)] = MIN (i, j);
}

/* Joins the nodes of the set that share a neighbour; @first remembers who came first. */
static void
join_through (guint32 *up, guint32 *first, guint32 other, guint32 i)
{
  if (first[other] == G_MAXUINT32)
    first[other] = i;
  else
    join (up, first[other], i);
}

static void
join_roles (const Matrix *m, guint32 *up)
{
  const TrcFlow *flow = m->space->flow;
  g_autofree guint32 *first = g_new (guint32, 2 * (gsize)flow->n + 1);

  for (gsize i = 0; i < 2 * (gsize)flow->n; i++)
    first[i] = G_MAXUINT32;
  for (guint32 i = 0; i < m->n; i++)
    {
      guint32 v = m->set[i];
      for (gsize k = flow->in_offset[v]; k < flow->in_offset[v + 1]; k++)
        join_through (up, first, flow->in[k].other, i);
      for (gsize k = flow->out_offset[v]; k < flow->out_offset[v + 1]; k++)
        join_through (up, first + flow->n, flow->out[k].other, i);
    }
}

static void
join_pairs (const Matrix *m, guint32 *up)
{
  guint32 ends = G_MAXUINT32;

  for (guint k = 0; k < m->pairs->len; k++)
    join (up, g_array_index (m->pairs, Pair, k).a, g_array_index (m->pairs, Pair, k).b);
  for (guint32 i = 0; i < m->n && m->restart[0] != NULL; i++)
    if (m->restart[0][i] > 0 || m->restart[1][i] > 0)
      {
        if (ends == G_MAXUINT32)
          ends = i;
        else
          join (up, ends, i);
      }
}

typedef struct {
  guint32 root, size;
} Component;

static int
compare_size (gconstpointer a, gconstpointer b)
{
  const Component *x = a, *y = b;

  if (x->size != y->size)
    return x->size > y->size ? -1 : 1;
  return x->root < y->root ? -1 : x->root > y->root;
}

/* Where the set falls apart, its largest pieces are the clusters, and the small ones go together
 * into the last: each piece has an eigenvector of its own with the same eigenvalue, so vectors
 * would tell nothing. FALSE when it is one piece. */
static gboolean
components (const Matrix *m, guint k, guint32 *cluster)
{
  g_autofree guint32 *up = g_new (guint32, m->n), *number = g_new0 (guint32, m->n);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (Component));

  for (guint32 i = 0; i < m->n; i++)
    up[i] = i;
  if (m->role)
    join_roles (m, up);
  else
    join_pairs (m, up);
  for (guint32 i = 0; i < m->n; i++)
    number[find_root (up, i)]++;
  for (guint32 i = 0; i < m->n; i++)
    if (number[i] > 0)
      {
        Component c = { i, number[i] };
        g_array_append_val (found, c);
      }
  if (found->len < 2)
    return FALSE;
  g_array_sort (found, compare_size);
  for (guint c = 0; c < found->len; c++)
    number[g_array_index (found, Component, c).root] = MIN (c, k - 1);
  for (guint32 i = 0; i < m->n; i++)
    cluster[i] = number[find_root (up, i)];
  return TRUE;
}

/* --- eigenvectors --- */

/* Up to this many nodes LAPACK takes the whole matrix: it needs no start and finds eigenvalues
 * that several vectors share, where ARPACK would have to guess again. */
#define DENSE 128

static gboolean
dense_vectors (Matrix *m, guint k, igraph_vector_t *values, igraph_matrix_t *vectors)
{
  g_autofree double *unit = g_new0 (double, m->n), *column = g_new (double, m->n);
  igraph_matrix_t whole;
  int n = (int)m->n;
  gboolean ok;

  if (igraph_matrix_init (&whole, n, n) != IGRAPH_SUCCESS)
    return FALSE;
  for (int i = 0; i < n; i++)
    {
      unit[i] = 1;
      multiply_normalised (column, unit, n, m);
      unit[i] = 0;
      for (int j = 0; j < n; j++)
        MATRIX (whole, j, i) = column[j];
    }
  ok = igraph_lapack_dsyevr (&whole, IGRAPH_LAPACK_DSYEV_SELECT, 0, 0, 0, n - (int)k + 1, n,
                             1e-10, values, vectors, NULL)
       == IGRAPH_SUCCESS;
  igraph_matrix_destroy (&whole);
  return ok;
}

static gboolean
sparse_vectors (Matrix *m, guint k, igraph_vector_t *values, igraph_matrix_t *vectors)
{
  igraph_arpack_options_t options;

  igraph_arpack_options_init (&options);
  options.n = (int)m->n;
  options.which[0] = 'L';
  options.which[1] = 'A';
  options.nev = (int)k;
  options.ncv = (int)MAX (4 * k, 20);
  options.tol = 1e-3; /* k-means needs no more */
  options.mxiter = 30;
  options.start = 1; /* a start of our own, so that the same graph gives the same tree */
  if (igraph_matrix_resize (vectors, m->n, 1) != IGRAPH_SUCCESS)
    return FALSE;
  for (guint32 i = 0; i < m->n; i++)
    MATRIX (*vectors, i, 0) = 1 + 0.1 * sin (1.0 + i);
  return igraph_arpack_rssolve (multiply_normalised, m, &options, NULL, values, vectors)
         == IGRAPH_SUCCESS;
}

/* The @k leading eigenvectors into @rows (n rows of k), each row of length 1. */
static gboolean
leading_vectors (Matrix *m, guint k, double *rows)
{
  igraph_error_handler_t *before = igraph_set_error_handler (igraph_error_handler_ignore);
  igraph_warning_handler_t *said = igraph_set_warning_handler (igraph_warning_handler_ignore);
  igraph_vector_t values;
  igraph_matrix_t vectors;
  gboolean ok = FALSE;

  if (igraph_vector_init (&values, 0) == IGRAPH_SUCCESS)
    {
      if (igraph_matrix_init (&vectors, 0, 0) == IGRAPH_SUCCESS)
        {
          ok = (m->n <= DENSE ? dense_vectors : sparse_vectors) (m, k, &values, &vectors)
               && igraph_matrix_ncol (&vectors) >= (igraph_integer_t)k;
          for (guint32 i = 0; ok && i < m->n; i++)
            {
              double length = 0;
              for (guint c = 0; c < k; c++)
                length += MATRIX (vectors, i, c) * MATRIX (vectors, i, c);
              for (guint c = 0; c < k; c++)
                rows[(gsize)i * k + c] =
                    length > 0 ? MATRIX (vectors, i, c) / sqrt (length) : 0;
            }
          igraph_matrix_destroy (&vectors);
        }
      igraph_vector_destroy (&values);
    }
  igraph_set_error_handler (before);
  igraph_set_warning_handler (said);
  return ok;
}

gboolean
trc_spectral_cluster (TrcSpectral *self, TrcCoarsenRule rule, const guint32 *set, guint32 n,
                      guint k, guint64 seed, guint32 *cluster)
{
  g_autofree double *rows = NULL;
  gboolean linked = FALSE, ok;
  Matrix m;

  g_return_val_if_fail (rule != TRC_COARSEN_ARCHITECTURE, FALSE);
  if (n <= k + 1) /* ARPACK wants fewer vectors than rows */
    return FALSE;
  for (guint32 i = 0; i < n; i++)
    self->local[set[i]] = i;
  matrix_init (&m, self, rule, set, n);
  for (guint32 i = 0; i < n; i++)
    linked |= m.scale[i] > 0 && (m.role || m.pairs->len > 0);
  rows = g_try_new (double, (gsize)n *k);
  ok = linked && components (&m, k, cluster);
  if (!ok && linked && rows != NULL && leading_vectors (&m, k, rows))
    {
      trc_k_means (rows, n, k, k, seed, cluster);
      ok = TRUE;
    }
  matrix_clear (&m);
  for (guint32 i = 0; i < n; i++)
    self->local[set[i]] = G_MAXUINT32;
  return ok;
}
