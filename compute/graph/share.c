#include "compute/graph/share.h"

/* The middle of three: good enough on sorted data, and the same on each run. */
static double
pick_pivot (const double *v, gsize n)
{
  double a = v[0], b = v[n / 2], c = v[n - 1];

  return MAX (MIN (a, b), MIN (MAX (a, b), c));
}

static void
swap (double *a, double *b)
{
  double t = *a;

  *a = *b;
  *b = t;
}

/* Larger than @pivot first, equal next, smaller last. */
static void
partition (double *v, gsize n, double pivot, gsize *n_larger, gsize *n_equal)
{
  gsize larger = 0, at = 0, end = n;

  while (at < end)
    {
      if (v[at] > pivot)
        swap (&v[at++], &v[larger++]);
      else if (v[at] < pivot)
        swap (&v[at], &v[--end]);
      else
        at++;
    }
  *n_larger = larger;
  *n_equal = end - larger;
}

static double
sum (const double *v, gsize n)
{
  double total = 0;

  for (gsize i = 0; i < n; i++)
    total += v[i];
  return total;
}

double
trc_share_threshold (double *values, gsize n, double share)
{
  double want = share * sum (values, n), reached = 0, pivot = 0;

  while (n > 0)
    {
      gsize n_larger, n_equal;
      double larger, equal;

      pivot = pick_pivot (values, n);
      partition (values, n, pivot, &n_larger, &n_equal);
      larger = sum (values, n_larger);
      equal = pivot * (double)n_equal;
      if (n_larger > 0 && reached + larger >= want)
        {
          n = n_larger;
          continue;
        }
      if (reached + larger + equal >= want || n_larger + n_equal == n)
        return pivot;
      reached += larger + equal;
      values += n_larger + n_equal;
      n -= n_larger + n_equal;
    }
  return pivot;
}
