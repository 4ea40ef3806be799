#include "compute/base/random.h"
#include "compute/hierarchy/spectral.h"

#include <string.h>

enum { MAX_ROUNDS = 50 };

static double
distance (const double *a, const double *b, guint dim)
{
  double sum = 0;

  for (guint c = 0; c < dim; c++)
    sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

/* Each next centre is a row drawn with the square of its distance to the centres so far. */
static void
first_centres (const double *rows, guint32 n, guint dim, guint k, guint64 seed, double *centres)
{
  g_autofree double *nearest = g_new (double, n);
  TrcRandom random;
  guint32 pick;

  trc_random_init (&random, seed);
  pick = (guint32)trc_random_below (&random, n);
  for (guint32 i = 0; i < n; i++)
    nearest[i] = G_MAXDOUBLE;
  for (guint c = 0; c < k; c++)
    {
      double sum = 0, drawn;
      memcpy (centres + (gsize)c * dim, rows + (gsize)pick * dim, dim * sizeof *rows);
      for (guint32 i = 0; i < n; i++)
        {
          double d = distance (rows + (gsize)i * dim, centres + (gsize)c * dim, dim);
          nearest[i] = MIN (nearest[i], d);
          sum += nearest[i];
        }
      drawn = sum * (double)(trc_random_next (&random) >> 11) * 0x1p-53;
      for (pick = 0; pick + 1 < n && (drawn -= nearest[pick]) >= 0;)
        pick++;
    }
}

static gboolean
assign (const double *rows, guint32 n, guint dim, guint k, const double *centres,
        guint32 *cluster)
{
  gboolean changed = FALSE;

  for (guint32 i = 0; i < n; i++)
    {
      guint32 best = 0;
      double least = G_MAXDOUBLE;
      for (guint32 c = 0; c < k; c++)
        {
          double d = distance (rows + (gsize)i * dim, centres + (gsize)c * dim, dim);
          if (d < least)
            {
              least = d;
              best = c;
            }
        }
      changed |= cluster[i] != best;
      cluster[i] = best;
    }
  return changed;
}

/* A centre without rows stays where it is. */
static void
move_centres (const double *rows, guint32 n, guint dim, guint k, const guint32 *cluster,
              double *centres)
{
  g_autofree double *sums = g_new0 (double, (gsize)k *dim);
  g_autofree guint32 *count = g_new0 (guint32, k);

  for (guint32 i = 0; i < n; i++)
    {
      count[cluster[i]]++;
      for (guint c = 0; c < dim; c++)
        sums[(gsize)cluster[i] * dim + c] += rows[(gsize)i * dim + c];
    }
  for (guint j = 0; j < k; j++)
    for (guint c = 0; c < dim && count[j] > 0; c++)
      centres[(gsize)j * dim + c] = sums[(gsize)j * dim + c] / count[j];
}

void
trc_k_means (const double *rows, guint32 n, guint dim, guint k, guint64 seed, guint32 *cluster)
{
  g_autofree double *centres = g_new (double, (gsize)k *dim);

  g_return_if_fail (n > 0 && k > 0);
  for (guint32 i = 0; i < n; i++)
    cluster[i] = G_MAXUINT32;
  first_centres (rows, n, dim, k, seed, centres);
  for (guint round = 0; round < MAX_ROUNDS && assign (rows, n, dim, k, centres, cluster);
       round++)
    move_centres (rows, n, dim, k, cluster, centres);
}
