#include "compute/attribution/tracer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESAMPLES 1000

static GRand *
seeded (guint64 seed, guint32 stream)
{
  guint32 words[] = { (guint32)seed, (guint32)(seed >> 32), stream };
  return g_rand_new_with_seed_array (words, G_N_ELEMENTS (words));
}

/* ---- the sample ---- */

static gboolean
is_silent (const float *values, guint width)
{
  for (guint i = 0; i < width; i++)
    if (values[i] != 0)
      return FALSE;
  return TRUE;
}

/* Nodes of one kind that write something and can reach the last position's logits. */
static void
collect (const TrcTracer *t, TrcKind kind, GArray *found)
{
  const TrcModelConfig *c = t->config;
  guint width = kind == TRC_KIND_HEAD ? c->n_heads : c->d_mlp, last = t->n_tokens - 1;

  for (guint l = 0; l < c->n_layers; l++)
    for (guint p = l + 1 < c->n_layers ? 0 : last; p < t->n_tokens; p++)
      for (guint i = 0; i < width; i++)
        {
          const TrcPlace place = { kind, l, i, p };
          gsize at = (gsize)p * width + i;
          if (!(kind == TRC_KIND_HEAD ? is_silent (t->d_z[l] + at * c->d_head, c->d_head)
                                      : t->d_act[l][at] == 0))
            g_array_append_val (found, place);
        }
}

/* The first @n of a random order. */
static void
take_some (GArray *from, guint n, GRand *rand, GArray *to)
{
  TrcPlace *all = (TrcPlace *)from->data;
  for (guint i = 0; i < MIN (n, from->len); i++)
    {
      guint j = i + (guint)(g_rand_double (rand) * (from->len - i));
      TrcPlace swap = all[i];
      all[i] = all[j];
      all[j] = swap;
      g_array_append_val (to, all[i]);
    }
}

TrcPlace *
trc_trust_sample (const TrcTracer *tracer, guint wanted, guint *n)
{
  g_autoptr (GArray) heads = g_array_new (FALSE, FALSE, sizeof (TrcPlace));
  g_autoptr (GArray) neurons = g_array_new (FALSE, FALSE, sizeof (TrcPlace));
  GArray *sample = g_array_new (FALSE, FALSE, sizeof (TrcPlace));
  g_autoptr (GRand) rand = seeded (tracer->params->seed, 1);

  collect (tracer, TRC_KIND_HEAD, heads);
  collect (tracer, TRC_KIND_NEURON, neurons);
  take_some (heads, MIN (heads->len, wanted / 2), rand, sample);
  take_some (neurons, wanted - MIN (sample->len, wanted), rand, sample);
  *n = sample->len;
  return (TrcPlace *)g_array_free (sample, FALSE);
}

/* ---- correlation ---- */

static double
pearson (const double *x, const double *y, const guint *pick, guint n)
{
  double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

  for (guint i = 0; i < n; i++)
    {
      guint k = pick != NULL ? pick[i] : i;
      mx += x[k];
      my += y[k];
    }
  mx /= n;
  my /= n;
  for (guint i = 0; i < n; i++)
    {
      guint k = pick != NULL ? pick[i] : i;
      xx += (x[k] - mx) * (x[k] - mx);
      yy += (y[k] - my) * (y[k] - my);
      xy += (x[k] - mx) * (y[k] - my);
    }
  return xx > 0 && yy > 0 ? xy / sqrt (xx * yy) : NAN;
}

typedef struct {
  double value;
  guint index;
} Ranked;

static int
by_value (const void *a, const void *b)
{
  const Ranked *x = a, *y = b;
  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* Ranks of the picked values, ties sharing their mean; @work has @n places. */
static void
rank (const double *x, const guint *pick, guint n, Ranked *work, double *ranks)
{
  for (guint i = 0; i < n; i++)
    work[i] = (Ranked){ x[pick != NULL ? pick[i] : i], i };
  qsort (work, n, sizeof *work, by_value);
  for (guint i = 0; i < n;)
    {
      guint end = i;
      while (end < n && work[end].value == work[i].value)
        end++;
      for (guint k = i; k < end; k++)
        ranks[work[k].index] = (i + end - 1) / 2.0;
      i = end;
    }
}

static int
by_number (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void
interval (double *values, guint n, double *low, double *high)
{
  *low = *high = NAN;
  if (n < RESAMPLES / 2)
    return;
  qsort (values, n, sizeof *values, by_number);
  *low = values[(guint)(0.025 * (n - 1))];
  *high = values[(guint)(0.975 * (n - 1) + 0.5)];
}

TrcAgreement
trc_trust_agreement (const double *x, const double *y, guint n, guint64 seed)
{
  TrcAgreement a = { TRUE, NAN, NAN, NAN, NAN, NAN, NAN };
  g_autoptr (GRand) rand = seeded (seed, 2);
  g_autofree Ranked *work = g_new (Ranked, MAX (n, 1));
  g_autofree double *rx = g_new (double, MAX (n, 1));
  g_autofree double *ry = g_new (double, MAX (n, 1));
  g_autofree guint *pick = g_new (guint, MAX (n, 1));
  g_autofree double *plain = g_new (double, RESAMPLES);
  g_autofree double *ranked = g_new (double, RESAMPLES);
  guint n_plain = 0, n_ranked = 0;

  if (n < 3)
    return a;
  a.pearson = pearson (x, y, NULL, n);
  rank (x, NULL, n, work, rx);
  rank (y, NULL, n, work, ry);
  a.spearman = pearson (rx, ry, NULL, n);
  for (guint b = 0; b < RESAMPLES; b++)
    {
      for (guint i = 0; i < n; i++)
        pick[i] = (guint)(g_rand_double (rand) * n);
      double r = pearson (x, y, pick, n);
      if (!isnan (r))
        plain[n_plain++] = r;
      rank (x, pick, n, work, rx);
      rank (y, pick, n, work, ry);
      r = pearson (rx, ry, NULL, n);
      if (!isnan (r))
        ranked[n_ranked++] = r;
    }
  interval (plain, n_plain, &a.pearson_low, &a.pearson_high);
  interval (ranked, n_ranked, &a.spearman_low, &a.spearman_high);
  return a;
}

void
trc_trust_shuffle (double *values, guint n, guint64 seed)
{
  g_autoptr (GRand) rand = seeded (seed, 3);
  for (guint i = n; i > 1; i--)
    {
      guint j = (guint)(g_rand_double (rand) * i);
      double swap = values[i - 1];
      values[i - 1] = values[j];
      values[j] = swap;
    }
}
