#include "tests/support/attribution_oracle.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

typedef struct {
  double *norm1_w, *norm1_b, *qkv, *qkv_b, *out, *out_b;
  double *norm2_w, *norm2_b, *up, *up_b, *down, *down_b;
} Layer;

/* What one pass left behind; tables are [T][..], the pattern [H][T][T]. */
typedef struct {
  double *pre, *rstd1, *q, *k, *v, *pattern, *z, *mid, *rstd2, *mlp_pre, *act;
} Trail;

typedef struct {
  double *embed, *final, *logits;
  double rstd_final;
  Trail *layer;
} Pass;

/* One change of a pass: something added to what a node writes, or its output replaced, or
 * something added to what one target reads and to nothing else. */
typedef struct {
  gboolean has_out, has_in, replace;
  TrcOracleNode out, in;
  const double *out_value; /* d_model, d_head or 1 values */
  const double *in_delta;  /* [T][d_model] */
} Edit;

struct _TrcOracle {
  TrcOracleConfig c;
  guint n_tokens, ig_steps, width; /* width = heads times d_head */
  double *embed, *positions, *norm_w, *norm_b, *unembed;
  Layer *layers;
  double *metric;
  gboolean contrast;
  Pass clean, other;
  Pass *points; /* between baseline and clean */
  GPtrArray *owned;
};

static double *
numbers (TrcOracle *o, gsize n)
{
  double *p = g_new0 (double, MAX (n, 1));
  g_ptr_array_add (o->owned, p);
  return p;
}

static double *
random_numbers (TrcOracle *o, GRand *rand, gsize n, double mean, double sd)
{
  double *p = numbers (o, n);
  for (gsize i = 0; i < n; i++)
    {
      double u = g_rand_double_range (rand, 1e-12, 1), v = g_rand_double (rand);
      p[i] = (float)(mean + sd * sqrt (-2 * log (u)) * cos (2 * G_PI * v));
    }
  return p;
}

TrcOracle *
trc_oracle_new (const TrcOracleConfig *config, guint32 seed)
{
  TrcOracle *o = g_new0 (TrcOracle, 1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  guint d = config->d_model, m = config->d_mlp, w = config->n_heads * config->d_head;
  double in = 1 / sqrt (d), b = config->bias ? 0.3 : 0;

  o->c = *config;
  o->width = w;
  o->owned = g_ptr_array_new_with_free_func (g_free);
  o->embed = random_numbers (o, rand, (gsize)config->n_vocab * d, 0, 0.8);
  o->positions = random_numbers (o, rand, (gsize)config->n_ctx * d, 0, 0.4);
  o->unembed = random_numbers (o, rand, (gsize)config->n_vocab * d, 0, 1.5 * in);
  o->norm_w = random_numbers (o, rand, d, 1, 0.2);
  o->norm_b = random_numbers (o, rand, d, 0, 0.2);
  o->layers = g_new0 (Layer, config->n_layers);
  for (guint l = 0; l < config->n_layers; l++)
    o->layers[l] = (Layer){
      .norm1_w = random_numbers (o, rand, d, 1, 0.2),
      .norm1_b = random_numbers (o, rand, d, 0, 0.2),
      .qkv = random_numbers (o, rand, (gsize)d * 3 * w, 0, 1.3 * in),
      .qkv_b = random_numbers (o, rand, 3 * w, 0, b),
      .out = random_numbers (o, rand, (gsize)w * d, 0, 1 / sqrt (w)),
      .out_b = random_numbers (o, rand, d, 0, b),
      .norm2_w = random_numbers (o, rand, d, 1, 0.2),
      .norm2_b = random_numbers (o, rand, d, 0, 0.2),
      .up = random_numbers (o, rand, (gsize)d * m, 0, 1.3 * in),
      .up_b = random_numbers (o, rand, m, 0, b),
      .down = random_numbers (o, rand, (gsize)m * d, 0, 1 / sqrt (m)),
      .down_b = random_numbers (o, rand, d, 0, b),
    };
  return o;
}

static void
clear_passes (TrcOracle *o)
{
  g_clear_pointer (&o->clean.layer, g_free);
  g_clear_pointer (&o->other.layer, g_free);
  for (guint i = 0; o->points != NULL && i < o->ig_steps; i++)
    g_free (o->points[i].layer);
  g_clear_pointer (&o->points, g_free);
}

void
trc_oracle_free (TrcOracle *o)
{
  if (o == NULL)
    return;
  clear_passes (o);
  g_ptr_array_unref (o->owned);
  g_free (o->layers);
  g_free (o);
}

/* ---- files ---- */

static void
add_tensor (GString *header, GByteArray *data, const char *name, const double *values,
            guint rows, guint columns)
{
  gsize n = (gsize)rows * columns, start = data->len;
  for (gsize i = 0; i < n; i++)
    {
      float f = values[i];
      g_byte_array_append (data, (const guint8 *)&f, sizeof f);
    }
  g_string_append_printf (header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
                          header->len > 1 ? "," : "", name);
  if (rows > 1)
    g_string_append_printf (header, "%u,", rows);
  g_string_append_printf (header, "%u],\"data_offsets\":[%zu,%u]}", columns, start, data->len);
}

static void
add_layer (GString *header, GByteArray *data, const TrcOracle *o, guint l)
{
  const Layer *a = &o->layers[l];
  guint d = o->c.d_model, m = o->c.d_mlp, w = o->width;
  const struct {
    const char *name;
    const double *values;
    guint rows, columns;
    gboolean wanted;
  } rows[] = {
    { "ln_1.weight", a->norm1_w, 1, d, o->c.norm },
    { "ln_1.bias", a->norm1_b, 1, d, o->c.norm },
    { "attn.c_attn.weight", a->qkv, d, 3 * w, TRUE },
    { "attn.c_attn.bias", a->qkv_b, 1, 3 * w, o->c.bias },
    { "attn.c_proj.weight", a->out, w, d, TRUE },
    { "attn.c_proj.bias", a->out_b, 1, d, o->c.bias },
    { "ln_2.weight", a->norm2_w, 1, d, o->c.norm },
    { "ln_2.bias", a->norm2_b, 1, d, o->c.norm },
    { "mlp.c_fc.weight", a->up, d, m, TRUE },
    { "mlp.c_fc.bias", a->up_b, 1, m, o->c.bias },
    { "mlp.c_proj.weight", a->down, m, d, TRUE },
    { "mlp.c_proj.bias", a->down_b, 1, d, o->c.bias },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].wanted)
      {
        g_autofree char *name = g_strdup_printf ("transformer.h.%u.%s", l, rows[i].name);
        add_tensor (header, data, name, rows[i].values, rows[i].rows, rows[i].columns);
      }
}

gboolean
trc_oracle_save (const TrcOracle *o, const char *dir, GError **error)
{
  const TrcOracleConfig *c = &o->c;
  g_autofree char *config_path = g_build_filename (dir, "config.json", NULL);
  g_autofree char *weights_path = g_build_filename (dir, "model.safetensors", NULL);
  g_autofree char *config = g_strdup_printf (
      "{\"model_type\":\"gpt2\",\"n_layer\":%u,\"n_head\":%u,\"n_embd\":%u,\"n_inner\":%u,"
      "\"n_positions\":%u,\"vocab_size\":%u,\"activation_function\":\"%s\","
      "\"layer_norm_epsilon\":1e-5,\"tie_word_embeddings\":false,\"head_dim\":%u,"
      "\"normalization\":\"%s\",\"attention_bias\":%s,\"mlp_bias\":%s}",
      c->n_layers, c->n_heads, c->d_model, c->d_mlp, c->n_ctx, c->n_vocab,
      c->gelu ? "gelu_new" : "relu", c->d_head, c->norm ? "layer" : "none",
      c->bias ? "true" : "false", c->bias ? "true" : "false");
  g_autoptr (GString) header = g_string_new ("{");
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GByteArray) file = g_byte_array_new ();

  add_tensor (header, data, "transformer.wte.weight", o->embed, c->n_vocab, c->d_model);
  add_tensor (header, data, "transformer.wpe.weight", o->positions, c->n_ctx, c->d_model);
  for (guint l = 0; l < c->n_layers; l++)
    add_layer (header, data, o, l);
  if (c->norm)
    {
      add_tensor (header, data, "transformer.ln_f.weight", o->norm_w, 1, c->d_model);
      add_tensor (header, data, "transformer.ln_f.bias", o->norm_b, 1, c->d_model);
    }
  add_tensor (header, data, "lm_head.weight", o->unembed, c->n_vocab, c->d_model);
  g_string_append_c (header, '}');
  while (header->len % 8 != 0)
    g_string_append_c (header, ' ');

  guint64 length = GUINT64_TO_LE (header->len);
  g_byte_array_append (file, (const guint8 *)&length, sizeof length);
  g_byte_array_append (file, (const guint8 *)header->str, header->len);
  g_byte_array_append (file, data->data, data->len);
  return g_file_set_contents (config_path, config, -1, error)
         && g_file_set_contents (weights_path, (const char *)file->data, file->len, error);
}

/* ---- the real pass ---- */

static double
activate (const TrcOracle *o, double x)
{
  if (!o->c.gelu)
    return MAX (x, 0);
  return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
}

static double
slope (const TrcOracle *o, TrcOracleRule rule, double x)
{
  if (!o->c.gelu)
    return x > 0;
  if (rule == TRC_ORACLE_RELP)
    return 0.5 * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  return (activate (o, x + 1e-5) - activate (o, x - 1e-5)) / 2e-5;
}

/* y = W^T x with W [n_in][n_out], starting at column @first of @stride. */
static void
times (const double *x, guint n_in, const double *w, guint stride, guint first, guint n_out,
       double *y)
{
  for (guint j = 0; j < n_out; j++)
    {
      y[j] = 0;
      for (guint i = 0; i < n_in; i++)
        y[j] += x[i] * w[(gsize)i * stride + first + j];
    }
}

static double
mean_of (const double *x, guint n)
{
  double sum = 0;
  for (guint i = 0; i < n; i++)
    sum += x[i];
  return sum / n;
}

static double
norm_row (const TrcOracle *o, const double *x, const double *w, const double *b, double *y)
{
  guint d = o->c.d_model;
  if (!o->c.norm)
    {
      memcpy (y, x, d * sizeof *y);
      return 1;
    }
  double mean = mean_of (x, d), square = 0;
  for (guint i = 0; i < d; i++)
    square += (x[i] - mean) * (x[i] - mean);
  double rstd = 1 / sqrt (square / d + 1e-5);
  for (guint i = 0; i < d; i++)
    y[i] = (x[i] - mean) * rstd * w[i] + b[i];
  return rstd;
}

/* The norm of the linear model: scale given, no bias. */
static void
norm_frozen (const TrcOracle *o, const double *x, const double *w, double rstd, double *y)
{
  guint d = o->c.d_model;
  double mean = o->c.norm ? mean_of (x, d) : 0;
  for (guint i = 0; i < d; i++)
    y[i] = o->c.norm ? (x[i] - mean) * rstd * w[i] : x[i];
}

/* z of one head at one query, from a residual stream x [T][d]. Fills the row of the
 * pattern when asked. */
static void
head_output (const TrcOracle *o, guint l, guint h, guint query, const double *x, double *row,
             double *z)
{
  const Layer *a = &o->layers[l];
  guint d = o->c.d_model, dh = o->c.d_head, w = o->width;
  g_autofree double *y = g_new (double, d);
  g_autofree double *q = g_new (double, dh);
  g_autofree double *k = g_new (double, dh);
  g_autofree double *v = g_new (double, (gsize)(query + 1) * dh);
  g_autofree double *score = g_new (double, query + 1);
  double total = 0, top = -INFINITY;

  norm_row (o, x + (gsize)query * d, a->norm1_w, a->norm1_b, y);
  times (y, d, a->qkv, 3 * w, h * dh, dh, q);
  for (guint p = 0; p <= query; p++)
    {
      norm_row (o, x + (gsize)p * d, a->norm1_w, a->norm1_b, y);
      times (y, d, a->qkv, 3 * w, w + h * dh, dh, k);
      times (y, d, a->qkv, 3 * w, 2 * w + h * dh, dh, v + (gsize)p * dh);
      score[p] = 0;
      for (guint i = 0; i < dh; i++)
        {
          v[(gsize)p * dh + i] += a->qkv_b[2 * w + h * dh + i];
          score[p] += (q[i] + a->qkv_b[h * dh + i]) * (k[i] + a->qkv_b[w + h * dh + i]);
        }
      score[p] /= sqrt (dh);
      top = MAX (top, score[p]);
    }
  for (guint p = 0; p <= query; p++)
    total += score[p] = exp (score[p] - top);
  memset (z, 0, dh * sizeof *z);
  for (guint p = 0; p <= query; p++)
    {
      if (row != NULL)
        row[p] = score[p] / total;
      for (guint i = 0; i < dh; i++)
        z[i] += score[p] / total * v[(gsize)p * dh + i];
    }
}

static gboolean
same (TrcOracleNode a, TrcOracleKind kind, guint layer, guint index, guint position)
{
  return a.kind == kind && a.layer == layer && a.index == index && a.position == position;
}

static void
change (const Edit *edit, double *value, guint n)
{
  for (guint i = 0; i < n; i++)
    value[i] = (edit->replace ? 0 : value[i]) + edit->out_value[i];
}

static void
plus (double *sum, const double *a, const double *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    sum[i] = a[i] + (b != NULL ? b[i] : 0);
}

static void
pass_attention (const TrcOracle *o, guint l, const double *x, const Edit *edit, Trail *t)
{
  guint n = o->n_tokens, dh = o->c.d_head, w = o->width, d = o->c.d_model;
  g_autofree double *moved = g_new (double, (gsize)n *d);
  g_autofree double *y = g_new (double, d);

  for (guint p = 0; p < n; p++)
    t->rstd1[p] = norm_row (o, x + (gsize)p * d, o->layers[l].norm1_w, o->layers[l].norm1_b, y);
  for (guint h = 0; h < o->c.n_heads; h++)
    for (guint p = 0; p < n; p++)
      {
        double *z = t->z + (gsize)p * w + h * dh;
        gboolean own = edit->has_in && same (edit->in, TRC_ORACLE_HEAD, l, h, p);
        if (own)
          plus (moved, x, edit->in_delta, (gsize)n * d);
        head_output (o, l, h, p, own ? moved : x, t->pattern + ((gsize)h * n + p) * n, z);
        if (edit->has_out && same (edit->out, TRC_ORACLE_HEAD, l, h, p))
          change (edit, z, dh);
      }
  for (guint p = 0; p < n; p++)
    {
      times (t->z + (gsize)p * w, w, o->layers[l].out, d, 0, d, t->mid + (gsize)p * d);
      for (guint i = 0; i < d; i++)
        t->mid[(gsize)p * d + i] += x[(gsize)p * d + i] + o->layers[l].out_b[i];
    }
}

static void
pass_mlp (const TrcOracle *o, guint l, const Edit *edit, Trail *t, double *x)
{
  const Layer *a = &o->layers[l];
  guint n = o->n_tokens, m = o->c.d_mlp, d = o->c.d_model;
  g_autofree double *y = g_new (double, d);
  g_autofree double *moved = g_new (double, d);

  for (guint p = 0; p < n; p++)
    {
      double *pre = t->mlp_pre + (gsize)p * m, *act = t->act + (gsize)p * m;
      const double *mid = t->mid + (gsize)p * d;
      t->rstd2[p] = norm_row (o, mid, a->norm2_w, a->norm2_b, y);
      times (y, d, a->up, m, 0, m, pre);
      if (edit->has_in && edit->in.kind == TRC_ORACLE_NEURON && edit->in.layer == l
          && edit->in.position == p)
        {
          plus (moved, mid, edit->in_delta + (gsize)p * d, d);
          norm_row (o, moved, a->norm2_w, a->norm2_b, y);
          times (y, d, a->up, m, edit->in.index, 1, pre + edit->in.index);
        }
      for (guint i = 0; i < m; i++)
        act[i] = activate (o, pre[i] += a->up_b[i]);
      if (edit->has_out && edit->out.kind == TRC_ORACLE_NEURON && edit->out.layer == l
          && edit->out.position == p)
        change (edit, act + edit->out.index, 1);
      times (act, m, a->down, d, 0, d, x + (gsize)p * d);
      for (guint i = 0; i < d; i++)
        x[(gsize)p * d + i] += mid[i] + a->down_b[i];
    }
}

static void
logits_of (const TrcOracle *o, const double *final, double *logits, double *rstd)
{
  guint d = o->c.d_model;
  g_autofree double *y = g_new (double, d);
  double s = norm_row (o, final, o->norm_w, o->norm_b, y);
  if (rstd != NULL)
    *rstd = s;
  for (guint v = 0; v < o->c.n_vocab; v++)
    {
      logits[v] = 0;
      for (guint i = 0; i < d; i++)
        logits[v] += y[i] * o->unembed[(gsize)v * d + i];
    }
}

/* A whole pass from the embeddings @start [T][d]. */
static void
run (const TrcOracle *o, const double *start, const Edit *edit, Pass *p)
{
  static const Edit none;
  guint n = o->n_tokens, d = o->c.d_model;
  g_autofree double *x = g_new (double, (gsize)n *d);

  edit = edit != NULL ? edit : &none;
  memcpy (x, start, (gsize)n * d * sizeof *x);
  if (edit->has_out && edit->out.kind == TRC_ORACLE_EMBED)
    change (edit, x + (gsize)edit->out.position * d, d);
  memcpy (p->embed, x, (gsize)n * d * sizeof *x);
  for (guint l = 0; l < o->c.n_layers; l++)
    {
      memcpy (p->layer[l].pre, x, (gsize)n * d * sizeof *x);
      pass_attention (o, l, p->layer[l].pre, edit, &p->layer[l]);
      pass_mlp (o, l, edit, &p->layer[l], x);
    }
  memcpy (p->final, x, (gsize)n * d * sizeof *x);
  if (edit->has_in && edit->in.kind == TRC_ORACLE_LOGIT)
    plus (x, x, edit->in_delta, (gsize)n * d);
  logits_of (o, x + (gsize)(n - 1) * d, p->logits, &p->rstd_final);
}

static Pass
new_pass (TrcOracle *o)
{
  gsize n = o->n_tokens, d = o->c.d_model, w = o->width, m = o->c.d_mlp;
  Pass p = { .embed = numbers (o, n * d),
             .final = numbers (o, n * d),
             .logits = numbers (o, o->c.n_vocab),
             .layer = g_new0 (Trail, o->c.n_layers) };
  for (guint l = 0; l < o->c.n_layers; l++)
    p.layer[l] = (Trail){ .pre = numbers (o, n * d),
                          .rstd1 = numbers (o, n),
                          .pattern = numbers (o, o->c.n_heads * n * n),
                          .z = numbers (o, n * w),
                          .mid = numbers (o, n * d),
                          .rstd2 = numbers (o, n),
                          .mlp_pre = numbers (o, n * m),
                          .act = numbers (o, n * m) };
  return p;
}

static void
embed_ids (const TrcOracle *o, const guint32 *ids, double *x)
{
  guint d = o->c.d_model;
  for (guint p = 0; p < o->n_tokens; p++)
    for (guint i = 0; i < d; i++)
      x[(gsize)p * d + i] = o->embed[(gsize)ids[p] * d + i] + o->positions[(gsize)p * d + i];
}

void
trc_oracle_prompt (TrcOracle *o, const guint32 *ids, const guint32 *counterfactual, guint n,
                   const double *metric_weights, guint ig_steps)
{
  clear_passes (o);
  o->n_tokens = n;
  o->ig_steps = ig_steps;
  o->contrast = counterfactual != NULL;
  o->metric = numbers (o, o->c.n_vocab);
  memcpy (o->metric, metric_weights, o->c.n_vocab * sizeof *o->metric);

  gsize size = (gsize)n * o->c.d_model;
  double *clean = numbers (o, size), *other = numbers (o, size), *x = numbers (o, size);
  embed_ids (o, ids, clean);
  o->clean = new_pass (o);
  run (o, clean, NULL, &o->clean);
  o->other = new_pass (o);
  if (counterfactual != NULL)
    {
      embed_ids (o, counterfactual, other);
      run (o, other, NULL, &o->other);
    }
  o->points = g_new0 (Pass, ig_steps);
  for (guint k = 0; k < ig_steps; k++)
    {
      for (gsize i = 0; i < size; i++)
        x[i] = other[i] + (k + 1.0) / ig_steps * (clean[i] - other[i]);
      o->points[k] = new_pass (o);
      run (o, x, NULL, &o->points[k]);
    }
}

const double *
trc_oracle_logits (const TrcOracle *o)
{
  return o->clean.logits;
}

void
trc_oracle_centred (const TrcOracle *o, guint token, double *weights)
{
  for (guint v = 0; v < o->c.n_vocab; v++)
    weights[v] = (v == token) - 1.0 / o->c.n_vocab;
}

double
trc_oracle_pre (const TrcOracle *o, TrcOracleNode t)
{
  return o->clean.layer[t.layer].mlp_pre[(gsize)t.position * o->c.d_mlp + t.index];
}

/* ---- what a node writes ---- */

static guint
value_width (const TrcOracle *o, TrcOracleNode s)
{
  return s.kind == TRC_ORACLE_EMBED  ? o->c.d_model
         : s.kind == TRC_ORACLE_HEAD ? o->c.d_head
                                     : 1;
}

static const double *
value_in (const TrcOracle *o, const Pass *p, TrcOracleNode s)
{
  if (s.kind == TRC_ORACLE_EMBED)
    return p->embed + (gsize)s.position * o->c.d_model;
  if (s.kind == TRC_ORACLE_HEAD)
    return p->layer[s.layer].z + (gsize)s.position * o->width + s.index * o->c.d_head;
  return p->layer[s.layer].act + (gsize)s.position * o->c.d_mlp + s.index;
}

/* Clean minus baseline, in the node's own coordinates. */
static double *
difference (const TrcOracle *o, TrcOracleNode s)
{
  guint n = value_width (o, s);
  double *delta = g_new (double, n);
  const double *clean = value_in (o, &o->clean, s), *other = value_in (o, &o->other, s);
  for (guint i = 0; i < n; i++)
    delta[i] = clean[i] - (o->contrast ? other[i] : 0);
  return delta;
}

/* The vector that @value of node @s adds to the stream. */
static double *
write_of (const TrcOracle *o, TrcOracleNode s, const double *value)
{
  guint d = o->c.d_model;
  double *row = g_new0 (double, d);
  if (s.kind == TRC_ORACLE_EMBED)
    memcpy (row, value, d * sizeof *row);
  else if (s.kind == TRC_ORACLE_HEAD)
    times (value, o->c.d_head, o->layers[s.layer].out + (gsize)s.index * o->c.d_head * d, d, 0,
           d, row);
  else
    for (guint i = 0; i < d; i++)
      row[i] = value[0] * o->layers[s.layer].down[(gsize)s.index * d + i];
  return row;
}

/* ---- the linear model, sources pushed forwards ---- */

static void
push_attention (const TrcOracle *o, guint l, double *x)
{
  const Trail *t = &o->clean.layer[l];
  guint n = o->n_tokens, d = o->c.d_model, dh = o->c.d_head, w = o->width;
  g_autofree double *y = g_new (double, d);
  g_autofree double *v = g_new (double, (gsize)n *w);
  g_autofree double *z = g_new (double, w);
  g_autofree double *row = g_new (double, d);

  for (guint p = 0; p < n; p++)
    {
      norm_frozen (o, x + (gsize)p * d, o->layers[l].norm1_w, t->rstd1[p], y);
      times (y, d, o->layers[l].qkv, 3 * w, 2 * w, w, v + (gsize)p * w);
    }
  for (guint q = 0; q < n; q++)
    {
      memset (z, 0, w * sizeof *z);
      for (guint h = 0; h < o->c.n_heads; h++)
        for (guint p = 0; p <= q; p++)
          for (guint i = 0; i < dh; i++)
            z[h * dh + i] +=
                t->pattern[((gsize)h * n + q) * n + p] * v[(gsize)p * w + h * dh + i];
      times (z, w, o->layers[l].out, d, 0, d, row);
      plus (x + (gsize)q * d, x + (gsize)q * d, row, d);
    }
}

static void
push_mlp (const TrcOracle *o, guint l, TrcOracleRule rule, double *x)
{
  const Trail *t = &o->clean.layer[l];
  guint n = o->n_tokens, d = o->c.d_model, m = o->c.d_mlp;
  g_autofree double *y = g_new (double, d);
  g_autofree double *act = g_new (double, m);

  for (guint p = 0; p < n; p++)
    {
      norm_frozen (o, x + (gsize)p * d, o->layers[l].norm2_w, t->rstd2[p], y);
      times (y, d, o->layers[l].up, m, 0, m, act);
      for (guint i = 0; i < m; i++)
        act[i] *= slope (o, rule, t->mlp_pre[(gsize)p * m + i]);
      times (act, m, o->layers[l].down, d, 0, d, y);
      plus (x + (gsize)p * d, x + (gsize)p * d, y, d);
    }
}

static double
read_logits (const TrcOracle *o, const double *weights, const double *x)
{
  guint d = o->c.d_model;
  g_autofree double *y = g_new (double, d);
  double sum = 0;
  norm_frozen (o, x + (gsize)(o->n_tokens - 1) * d, o->norm_w, o->clean.rstd_final, y);
  for (guint v = 0; v < o->c.n_vocab; v++)
    for (guint i = 0; i < d; i++)
      sum += weights[v] * o->unembed[(gsize)v * d + i] * y[i];
  return sum;
}

/* Change of the metric when @row is added at the place where @s writes. */
static double
push_total (const TrcOracle *o, TrcOracleRule rule, TrcOracleNode s, const double *row)
{
  guint d = o->c.d_model;
  g_autofree double *x = g_new0 (double, (gsize)o->n_tokens *d);
  memcpy (x + (gsize)s.position * d, row, d * sizeof *x);
  guint first = s.kind == TRC_ORACLE_EMBED ? 0 : s.layer;
  for (guint l = first; l < o->c.n_layers; l++)
    {
      if (s.kind == TRC_ORACLE_EMBED || l > s.layer)
        push_attention (o, l, x);
      if (s.kind != TRC_ORACLE_NEURON || l > s.layer)
        push_mlp (o, l, rule, x);
    }
  return read_logits (o, o->metric, x);
}

static double
metric_of (const TrcOracle *o, const double *weights, const Pass *p)
{
  double sum = 0;
  for (guint v = 0; v < o->c.n_vocab; v++)
    sum += weights[v] * p->logits[v];
  return sum;
}

/* Derivative of what @weights read when @edit grows, at the point @at: four passes, error
 * O(step^4). */
static double
derivative (TrcOracle *o, const Pass *at, const double *weights, Edit edit, gsize n)
{
  static const double places[] = { 2, 1, -1, -2 }, shares[] = { -1, 8, -8, 1 };
  const double step = 1e-3;
  double sum = 0;
  g_autofree double *scaled = g_new (double, n);
  const double *full = edit.has_in ? edit.in_delta : edit.out_value;
  guint owned = o->owned->len;
  Pass p = new_pass (o);

  for (guint side = 0; side < G_N_ELEMENTS (places); side++)
    {
      for (gsize i = 0; i < n; i++)
        scaled[i] = full[i] * step * places[side];
      if (edit.has_in)
        edit.in_delta = scaled;
      else
        edit.out_value = scaled;
      run (o, at->embed, &edit, &p);
      sum += shares[side] * metric_of (o, weights, &p);
    }
  g_free (p.layer);
  g_ptr_array_set_size (o->owned, owned);
  return sum / (12 * step);
}

static double
exact_score (TrcOracle *o, TrcOracleNode s)
{
  guint owned = o->owned->len, n = value_width (o, s);
  g_autofree double *baseline = g_new0 (double, n);
  if (o->contrast)
    memcpy (baseline, value_in (o, &o->other, s), n * sizeof *baseline);
  Edit edit = { .has_out = TRUE, .replace = TRUE, .out = s, .out_value = baseline };
  Pass p = new_pass (o);
  run (o, o->clean.embed, &edit, &p);
  double score = metric_of (o, o->metric, &o->clean) - metric_of (o, o->metric, &p);
  g_free (p.layer);
  g_ptr_array_set_size (o->owned, owned);
  return score;
}

double
trc_oracle_score (TrcOracle *o, TrcOracleRule rule, TrcOracleNode s)
{
  if (rule == TRC_ORACLE_EXACT)
    return exact_score (o, s);
  g_autofree double *delta = difference (o, s);
  if (rule == TRC_ORACLE_RELP || rule == TRC_ORACLE_GRAD)
    {
      g_autofree double *row = write_of (o, s, delta);
      return push_total (o, rule, s, row);
    }
  Edit edit = { .has_out = TRUE, .out = s, .out_value = delta };
  if (rule == TRC_ORACLE_EAP)
    return derivative (o, &o->clean, o->metric, edit, value_width (o, s));
  double sum = 0;
  for (guint k = 0; k < o->ig_steps; k++)
    sum += derivative (o, &o->points[k], o->metric, edit, value_width (o, s));
  return sum / o->ig_steps;
}

/* ---- links ---- */

/* The direction in z along which a head matters to the metric. */
static double *
head_direction (TrcOracle *o, TrcOracleRule rule, TrcOracleNode t)
{
  double *g = g_new (double, o->c.d_head);
  for (guint i = 0; i < o->c.d_head; i++)
    {
      g_autofree double *unit = g_new0 (double, o->c.d_head);
      unit[i] = 1;
      Edit edit = { .has_out = TRUE, .out = t, .out_value = unit };
      if (rule == TRC_ORACLE_EXACT)
        g[i] = derivative (o, &o->clean, o->metric, edit, o->c.d_head);
      else
        {
          g_autofree double *row = write_of (o, t, unit);
          g[i] = push_total (o, rule, t, row);
        }
    }
  return g;
}

static double
read_head (TrcOracle *o, TrcOracleRule rule, TrcOracleNode t, const double *x)
{
  const Trail *trail = &o->clean.layer[t.layer];
  guint n = o->n_tokens, d = o->c.d_model, dh = o->c.d_head, w = o->width;
  g_autofree double *g = head_direction (o, rule, t);
  g_autofree double *y = g_new (double, d);
  g_autofree double *v = g_new (double, dh);
  double sum = 0;

  for (guint p = 0; p <= t.position; p++)
    {
      norm_frozen (o, x + (gsize)p * d, o->layers[t.layer].norm1_w, trail->rstd1[p], y);
      times (y, d, o->layers[t.layer].qkv, 3 * w, 2 * w + t.index * dh, dh, v);
      for (guint i = 0; i < dh; i++)
        sum += trail->pattern[((gsize)t.index * n + t.position) * n + p] * v[i] * g[i];
    }
  return sum;
}

static double
read_frozen (TrcOracle *o, TrcOracleRule rule, TrcOracleNode t, const double *weights,
             const double *x)
{
  guint d = o->c.d_model;
  if (t.kind == TRC_ORACLE_LOGIT)
    return read_logits (o, weights, x);
  if (t.kind == TRC_ORACLE_HEAD)
    return read_head (o, rule, t, x);
  double sum = 0;
  g_autofree double *y = g_new (double, d);
  norm_frozen (o, x + (gsize)t.position * d, o->layers[t.layer].norm2_w,
               o->clean.layer[t.layer].rstd2[t.position], y);
  times (y, d, o->layers[t.layer].up, o->c.d_mlp, t.index, 1, &sum);
  return sum;
}

/* Whether @s writes before @t reads. */
static gboolean
below (TrcOracleNode s, TrcOracleNode t)
{
  if (s.position > t.position)
    return FALSE;
  if (s.kind == TRC_ORACLE_EMBED || t.kind == TRC_ORACLE_LOGIT)
    return TRUE;
  if (s.layer != t.layer)
    return s.layer < t.layer;
  return s.kind == TRC_ORACLE_HEAD && t.kind == TRC_ORACLE_NEURON;
}

static double
exact_link (TrcOracle *o, TrcOracleNode t, const double *weights, Edit edit)
{
  guint owned = o->owned->len;
  double change = 0;
  Pass p = new_pass (o);
  run (o, o->clean.embed, &edit, &p);
  if (t.kind == TRC_ORACLE_LOGIT)
    change = metric_of (o, weights, &o->clean) - metric_of (o, weights, &p);
  else if (t.kind == TRC_ORACLE_NEURON)
    change = *value_in (o, &o->clean, t) - *value_in (o, &p, t);
  else
    {
      g_autofree double *g = head_direction (o, TRC_ORACLE_EXACT, t);
      const double *a = value_in (o, &o->clean, t), *b = value_in (o, &p, t);
      for (guint i = 0; i < o->c.d_head; i++)
        change += g[i] * (a[i] - b[i]);
    }
  g_free (p.layer);
  g_ptr_array_set_size (o->owned, owned);
  return change;
}

static double
live_link (TrcOracle *o, TrcOracleRule rule, TrcOracleNode t, const double *weights, Edit edit)
{
  gsize n = (gsize)o->n_tokens * o->c.d_model;
  const double *read = t.kind == TRC_ORACLE_LOGIT ? weights : o->metric;
  if (rule == TRC_ORACLE_EAP)
    return derivative (o, &o->clean, read, edit, n);
  double sum = 0;
  for (guint k = 0; k < o->ig_steps; k++)
    sum += derivative (o, &o->points[k], read, edit, n);
  return sum / o->ig_steps;
}

double
trc_oracle_link (TrcOracle *o, TrcOracleRule rule, gboolean transparent, TrcOracleNode t,
                 const double *weights, TrcOracleNode s)
{
  guint d = o->c.d_model, n = o->n_tokens;
  if (!below (s, t))
    return 0;
  g_autofree double *delta = difference (o, s);
  g_autofree double *row = write_of (o, s, delta);
  g_autofree double *x = g_new0 (double, (gsize)n *d);
  memcpy (x + (gsize)s.position * d, row, d * sizeof *x);

  if (rule == TRC_ORACLE_EXACT)
    {
      for (gsize i = 0; i < (gsize)n * d; i++)
        x[i] = -x[i];
      return exact_link (o, t, weights, (Edit){ .has_in = TRUE, .in = t, .in_delta = x });
    }
  if (rule == TRC_ORACLE_EAP || rule == TRC_ORACLE_EAP_IG)
    return live_link (o, rule, t, weights, (Edit){ .has_in = TRUE, .in = t, .in_delta = x });
  if (transparent)
    {
      guint first = s.kind == TRC_ORACLE_EMBED ? 0 : s.layer + 1;
      guint last = t.kind == TRC_ORACLE_LOGIT ? o->c.n_layers : t.layer + 1;
      for (guint l = first; l < last; l++)
        push_attention (o, l, x);
    }
  return read_frozen (o, rule, t, weights, x);
}
