/* The facts of the bundled model, read off its weights: it adds modulo 113 without a miss, by a
 * few frequencies w_k = 2 pi k / 113, as Nanda et al. 2023 describe. With every figure stands its
 * control, the same figure of a network that was not trained.
 *
 * key frequencies  those that carry at least 2 % each of the embedding's non-constant power
 * restricted loss  of the logits' constant and cos, sin (w_k (a + b)) parts alone, over all pairs
 * excluded loss    of the logits without those cos, sin parts
 * a neuron follows a frequency when the constant, cos, sin of w_k a and of w_k b and their
 *                  products explain 85 % of its variance over all pairs
 */
#include "compute/run.h"
#include "compute/train.h"

#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

#define P 113
#define N_PAIRS (P * P)
#define D 128
#define N_NEURONS 512
#define N_VOCAB (P + 1)
#define N_FREQ (P / 2)
#define CHANCE 4.7274 /* log (113) */

typedef struct {
  TrcModel *model;
  TrcDevice *dev;
  TrcRun *run;                     /* all pairs, last position */
  const float *logits;             /* [a * P + b][N_VOCAB] */
  const float *acts;               /* [a * P + b][N_NEURONS] */
  double cosine[P][P], sine[P][P]; /* [k][x] */
  guint key[N_FREQ];
  guint n_key;
  double key_share; /* of the embedding's power */
} Facts;

static void
facts_open (Facts *f, const char *path)
{
  g_autofree guint32 *ids = g_new (guint32, N_PAIRS * 3);
  g_autoptr (GError) error = NULL;

  memset (f, 0, sizeof *f);
  f->model = trc_model_open (path, &error);
  g_assert_no_error (error);
  f->dev = trc_device_open ("cpu", &error);
  g_assert_no_error (error);
  for (guint i = 0; i < N_PAIRS; i++)
    {
      ids[3 * i] = i / P;
      ids[3 * i + 1] = i % P;
      ids[3 * i + 2] = P;
    }
  f->run = trc_run_new (f->model, f->dev,
                        &(TrcRunParams){ .ids = ids,
                                         .n_prompts = N_PAIRS,
                                         .n_tokens = 3,
                                         .last_only = TRUE,
                                         .keep = TRC_SITE_BIT (TRC_SITE_MLP_ACT) },
                        NULL, &error);
  g_assert_no_error (error);
  f->logits = trc_run_host (f->run, TRC_SITE_LOGITS, 0, NULL);
  f->acts = trc_run_host (f->run, TRC_SITE_MLP_ACT, 0, NULL);
  for (guint k = 0; k < P; k++)
    for (guint x = 0; x < P; x++)
      {
        f->cosine[k][x] = cos (2 * G_PI * ((k * x) % P) / P);
        f->sine[k][x] = sin (2 * G_PI * ((k * x) % P) / P);
      }
}

static void
facts_close (Facts *f)
{
  trc_run_unref (f->run);
  trc_model_unref (f->model);
  trc_device_unref (f->dev);
}

/* Share of the embedding's power at each frequency, the mean over tokens left out. */
static void
embedding_power (Facts *f, double power[N_FREQ + 1])
{
  g_autofree float *w = g_new (float, N_VOCAB *D);
  double total = 0;

  g_assert_true (trc_model_weight_host (f->model, TRC_WEIGHT_EMBED, 0, w, N_VOCAB * D, NULL));
  for (guint k = 1; k <= N_FREQ; k++)
    {
      power[k] = 0;
      for (guint j = 0; j < D; j++)
        {
          double c = 0, s = 0;

          for (guint x = 0; x < P; x++)
            {
              c += w[x * D + j] * f->cosine[k][x];
              s += w[x * D + j] * f->sine[k][x];
            }
          power[k] += c * c + s * s;
        }
      total += power[k];
    }
  for (guint k = 1; k <= N_FREQ; k++)
    power[k] /= total;
}

static void
find_key_frequencies (Facts *f)
{
  double power[N_FREQ + 1];
  GString *text = g_string_new (NULL);

  embedding_power (f, power);
  f->n_key = 0;
  f->key_share = 0;
  for (guint k = 1; k <= N_FREQ; k++)
    if (power[k] >= 0.02)
      {
        f->key[f->n_key++] = k;
        f->key_share += power[k];
        g_string_append_printf (text, " %u (%.1f %%)", k, 100 * power[k]);
      }
  g_test_message ("key frequencies:%s, together %.2f %% of the embedding's power", text->str,
                  100 * f->key_share);
  g_string_free (text, TRUE);
}

/* Share of the variance of a neuron over all pairs that frequency @k explains. */
static double
explained (const Facts *f, const double *centred, double variance, guint k)
{
  double sums[8] = { 0 }, squares = 0;

  for (guint a = 0; a < P; a++)
    {
      const double ca = f->cosine[k][a], sa = f->sine[k][a];
      double row = 0, row_c = 0, row_s = 0;

      for (guint b = 0; b < P; b++)
        {
          double x = centred[a * P + b];

          row += x;
          row_c += x * f->cosine[k][b];
          row_s += x * f->sine[k][b];
        }
      sums[0] += ca * row;
      sums[1] += sa * row;
      sums[2] += row_c;
      sums[3] += row_s;
      sums[4] += ca * row_c;
      sums[5] += ca * row_s;
      sums[6] += sa * row_c;
      sums[7] += sa * row_s;
    }
  /* Norms of the basis: P^2 / 2 for the linear parts, P^2 / 4 for the products. */
  for (guint i = 0; i < 8; i++)
    squares += sums[i] * sums[i] / (N_PAIRS / (i < 4 ? 2.0 : 4.0));
  return squares / variance;
}

/* How many living neurons follow one frequency, and how many of those a key frequency. */
static void
count_neurons (const Facts *f, guint *alive, guint *follow, guint *follow_key)
{
  g_autofree double *centred = g_new (double, N_PAIRS);

  *alive = *follow = *follow_key = 0;
  for (guint n = 0; n < N_NEURONS; n++)
    {
      double mean = 0, variance = 0, best = 0;
      guint best_k = 0;

      for (guint i = 0; i < N_PAIRS; i++)
        mean += f->acts[(gsize)i * N_NEURONS + n] / N_PAIRS;
      for (guint i = 0; i < N_PAIRS; i++)
        {
          centred[i] = f->acts[(gsize)i * N_NEURONS + n] - mean;
          variance += centred[i] * centred[i];
        }
      if (variance < 1e-6 * N_PAIRS)
        continue;
      (*alive)++;
      for (guint k = 1; k <= N_FREQ; k++)
        {
          double share = explained (f, centred, variance, k);

          if (share > best)
            {
              best = share;
              best_k = k;
            }
        }
      if (best < 0.85)
        continue;
      (*follow)++;
      for (guint i = 0; i < f->n_key; i++)
        *follow_key += f->key[i] == best_k;
    }
}

static double
loss_of (const double *logits, guint *right)
{
  double total = 0;

  *right = 0;
  for (guint i = 0; i < N_PAIRS; i++)
    {
      const double *row = logits + (gsize)i * P;
      guint want = (i / P + i % P) % P, best = 0;
      double sum = 0;

      for (guint c = 0; c < P; c++)
        {
          sum += exp (row[c] - row[want]);
          best = row[c] > row[best] ? c : best;
        }
      total += log (sum);
      *right += best == want;
    }
  return total / N_PAIRS;
}

/* The part of the logits along the mean and cos, sin (w_k (a + b)) of the key frequencies to
 * @kept; the logits without those cos, sin to @without. */
static void
split_logits (const Facts *f, double *kept, double *without)
{
  for (guint c = 0; c < P; c++)
    {
      double mean = 0;

      for (guint i = 0; i < N_PAIRS; i++)
        mean += f->logits[(gsize)i * N_VOCAB + c] / N_PAIRS;
      for (guint i = 0; i < N_PAIRS; i++)
        {
          kept[(gsize)i * P + c] = mean;
          without[(gsize)i * P + c] = f->logits[(gsize)i * N_VOCAB + c];
        }
      for (guint q = 0; q < f->n_key; q++)
        {
          const double *co = f->cosine[f->key[q]], *si = f->sine[f->key[q]];
          double x = 0, y = 0;

          for (guint i = 0; i < N_PAIRS; i++)
            {
              guint sum = (i / P + i % P) % P;

              x += f->logits[(gsize)i * N_VOCAB + c] * co[sum] * 2 / N_PAIRS;
              y += f->logits[(gsize)i * N_VOCAB + c] * si[sum] * 2 / N_PAIRS;
            }
          for (guint i = 0; i < N_PAIRS; i++)
            {
              guint sum = (i / P + i % P) % P;
              double part = x * co[sum] + y * si[sum];

              kept[(gsize)i * P + c] += part;
              without[(gsize)i * P + c] -= part;
            }
        }
    }
}

typedef struct {
  guint right, alive, follow, follow_key;
  double loss, restricted, excluded, margin;
} Figures;

static void
measure (Facts *f, Figures *out)
{
  g_autofree double *full = g_new (double, N_PAIRS *P);
  g_autofree double *kept = g_new (double, N_PAIRS *P), *without = g_new (double, N_PAIRS *P);
  guint ignored;

  find_key_frequencies (f);
  out->margin = INFINITY;
  for (guint i = 0; i < N_PAIRS; i++)
    {
      guint want = (i / P + i % P) % P;

      for (guint c = 0; c < P; c++)
        {
          full[i * P + c] = f->logits[(gsize)i * N_VOCAB + c];
          if (c != want)
            out->margin =
                MIN (out->margin, f->logits[(gsize)i * N_VOCAB + want] - full[i * P + c]);
        }
    }
  out->loss = loss_of (full, &out->right);
  split_logits (f, kept, without);
  out->restricted = loss_of (kept, &ignored);
  out->excluded = loss_of (without, &ignored);
  count_neurons (f, &out->alive, &out->follow, &out->follow_key);
  g_test_message ("right %u of %u, smallest margin %.3f", out->right, N_PAIRS, out->margin);
  g_test_message ("loss %.3e, restricted %.3e, excluded %.3f (chance %.3f)", out->loss,
                  out->restricted, out->excluded, CHANCE);
  g_test_message ("neurons: %u alive, %u follow one frequency (%.1f %%), %u of them a key one",
                  out->alive, out->follow, 100.0 * out->follow / MAX (out->alive, 1),
                  out->follow_key);
}

static void
test_facts (void)
{
  g_autofree char *path = trc_test_source ("data/models/modadd-113");
  g_autofree Facts *f = g_new (Facts, 1);
  Figures x;

  facts_open (f, path);
  measure (f, &x);
  facts_close (f);
  g_assert_cmpuint (x.right, ==, N_PAIRS);
  g_assert_cmpuint (f->n_key, >=, 3);
  g_assert_cmpuint (f->n_key, <=, 9);
  g_assert_cmpfloat (f->key_share, >, 0.9);
  g_assert_cmpfloat (x.loss, <, 1e-4);
  g_assert_cmpfloat (x.restricted, <, 1e-3);
  g_assert_cmpfloat (x.excluded, >, CHANCE);
  g_assert_cmpuint (x.follow, >, x.alive * 8 / 10);
  g_assert_cmpuint (x.follow_key, ==, x.follow);
}

/* The same measures find nothing in a network of one training step. */
static void
test_control (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree Facts *f = g_new (Facts, 1);
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GError) error = NULL;
  TrcTrainParams p;
  Figures x;

  trc_train_params_init (&p);
  p.epochs = 1;
  p.folder = dir;
  g_assert_true (trc_train_modadd (dev, &p, NULL, NULL, NULL, NULL, &error));
  facts_open (f, dir);
  measure (f, &x);
  facts_close (f);
  g_assert_cmpuint (x.right, <, N_PAIRS / 20);
  g_assert_cmpfloat (f->key_share, <, 0.9);
  g_assert_cmpfloat (x.restricted, >, CHANCE - 1);
  g_assert_cmpuint (x.follow, <, x.alive / 10);
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/modadd-113/facts", test_facts);
  g_test_add_func ("/modadd-113/control", test_control);
  return g_test_run ();
}
