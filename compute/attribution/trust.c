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

static int
by_place (gconstpointer a, gconstpointer b)
{
  const TrcPlace *x = a, *y = b;
  const guint32 first[] = { x->kind, x->layer, x->position, x->index },
                second[] = { y->kind, y->layer, y->position, y->index };
  for (guint i = 0; i < G_N_ELEMENTS (first); i++)
    if (first[i] != second[i])
      return first[i] < second[i] ? -1 : 1;
  return 0;
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
  g_array_sort (sample, by_place);
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

static Ranked *
sorted (const double *x, guint n)
{
  Ranked *order = g_new (Ranked, n);
  for (guint i = 0; i < n; i++)
    order[i] = (Ranked){ x[i], i };
  qsort (order, n, sizeof *order, by_value);
  return order;
}

/* The rank of every value when value i occurs @count[i] times, ties sharing their mean. */
static void
rank (const Ranked *order, const guint *count, guint n, double *ranks)
{
  guint before = 0;
  for (guint i = 0; i < n;)
    {
      guint end = i, same = 0;
      while (end < n && order[end].value == order[i].value)
        same += count[order[end++].index];
      for (guint k = i; k < end; k++)
        ranks[order[k].index] = before + (same - 1.0) / 2;
      before += same;
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

typedef struct {
  double *rx, *ry;
  guint *pick, *count;
  Ranked *by_x, *by_y;
  double plain[RESAMPLES], ranked[RESAMPLES];
  guint n_plain, n_ranked;
} Bootstrap;

static double
spearman (Bootstrap *self, const guint *pick, guint n)
{
  rank (self->by_x, self->count, n, self->rx);
  rank (self->by_y, self->count, n, self->ry);
  return pearson (self->rx, self->ry, pick, n);
}

static void
resample (Bootstrap *self, const double *x, const double *y, guint n, GRand *rand)
{
  memset (self->count, 0, n * sizeof *self->count);
  for (guint i = 0; i < n; i++)
    self->count[self->pick[i] = (guint)(g_rand_double (rand) * n)]++;
  double plain = pearson (x, y, self->pick, n), ranked = spearman (self, self->pick, n);
  if (!isnan (plain))
    self->plain[self->n_plain++] = plain;
  if (!isnan (ranked))
    self->ranked[self->n_ranked++] = ranked;
}

TrcAgreement
trc_trust_agreement (const double *x, const double *y, guint n, guint64 seed)
{
  TrcAgreement a = { TRUE, NAN, NAN, NAN, NAN, NAN, NAN };
  g_autoptr (GRand) rand = seeded (seed, 2);
  g_autofree Bootstrap *b = g_new0 (Bootstrap, 1);

  if (n < 3)
    return a;
  g_autofree double *rx = b->rx = g_new (double, n);
  g_autofree double *ry = b->ry = g_new (double, n);
  g_autofree guint *pick = b->pick = g_new (guint, n);
  g_autofree guint *count = b->count = g_new (guint, n);
  g_autofree Ranked *by_x = b->by_x = sorted (x, n);
  g_autofree Ranked *by_y = b->by_y = sorted (y, n);

  for (guint i = 0; i < n; i++)
    count[i] = 1;
  a.pearson = pearson (x, y, NULL, n);
  a.spearman = spearman (b, NULL, n);
  for (guint k = 0; k < RESAMPLES; k++)
    resample (b, x, y, n, rand);
  interval (b->plain, b->n_plain, &a.pearson_low, &a.pearson_high);
  interval (b->ranked, b->n_ranked, &a.spearman_low, &a.spearman_high);
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
