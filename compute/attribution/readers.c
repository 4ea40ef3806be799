#include "compute/attribution/readers.h"

#include "compute/models/model_impl.h"

#include <string.h>

typedef struct {
  TrcWeightRole gain;
  TrcSite x, mean, rstd;
  guint layer;
} NormSite;

static NormSite
norm_of (const TrcModelConfig *c, TrcKind kind, guint layer)
{
  if (kind == TRC_KIND_HEAD)
    return (NormSite){ TRC_WEIGHT_NORM1_W, TRC_SITE_RESID_PRE, TRC_SITE_NORM1_MEAN,
                       TRC_SITE_NORM1_RSTD, layer };
  if (kind == TRC_KIND_NEURON)
    return (NormSite){ TRC_WEIGHT_NORM2_W,
                       c->parallel ? TRC_SITE_RESID_PRE : TRC_SITE_RESID_MID,
                       TRC_SITE_NORM2_MEAN, TRC_SITE_NORM2_RSTD, layer };
  return (NormSite){ TRC_WEIGHT_NORM_FINAL_W, TRC_SITE_RESID_POST, TRC_SITE_FINAL_MEAN,
                     TRC_SITE_FINAL_RSTD, c->n_layers - 1 };
}

TrcTensor *
trc_readers_input (const TrcTracer *tracer, const TrcRecord *pass, TrcKind kind, guint layer)
{
  return trc_record_tensor (pass, norm_of (tracer->config, kind, layer).x,
                            kind == TRC_KIND_LOGIT ? tracer->config->n_layers - 1 : layer);
}

/* Rows @ids of @table, which has @width columns; NULL stays NULL. */
static gboolean
gather (TrcTensor *table, TrcTensor *ids, guint width, TrcTensor **out, GError **error)
{
  guint n = trc_tensor_n (ids);
  const TrcEmbedParams p = { .n = n,
                             .d = width,
                             .n_table = table != NULL ? trc_tensor_n (table) / width : 0,
                             .ld_table = width,
                             .ld_out = width };
  if (table == NULL)
    return TRUE;
  *out = trc_tensor_new (trc_tensor_device (table), TRC_F32, TRC_SHAPE (n, width), "gathered",
                         error);
  return *out != NULL && trc_op_embed (table, ids, *out, &p, error);
}

static gboolean
copy_rows (TrcTensor *dy, guint first_out, guint rows, guint d, TrcTensor *out,
           gboolean accumulate, GError **error)
{
  TrcAxpbyParams p = {
    .rows = rows, .cols = d, .ld_x = d, .ld_y = d, .alpha = 1, .beta = accumulate ? 1 : 0
  };
  p.off[1] = first_out * d;
  return trc_op_axpby (dy, out, &p, error);
}

/* @dy [n][d] pulled back through the norm before a reader. Frozen: without the factor 1/std,
 * which goes into the entries of a row. Live: row i belongs to positions[i], without @positions
 * to i modulo the number of tokens. */
static gboolean
pull_norm (TrcTracer *tracer, const TrcRecord *point, gboolean live, NormSite site,
           TrcTensor *dy, const gint32 *positions, guint n, TrcTensor *out, guint first_out,
           gboolean accumulate, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  static const float one = 1;
  const TrcWeight *gain = NULL;
  g_autoptr (TrcTensor) ids = NULL, x = NULL, mean = NULL, rstd = NULL;

  if (c->norm == TRC_NORM_NONE)
    return copy_rows (dy, first_out, n, c->d_model, out, accumulate, error);
  if (trc_model_has_weight (tracer->model, site.gain, site.layer)
      && (gain = trc_model_weight (tracer->model, tracer->device, site.gain, site.layer, error))
             == NULL)
    return FALSE;
  if (live && positions == NULL)
    {
      TrcTensor *all[] = { trc_record_tensor (point, site.x, site.layer),
                           trc_record_tensor (point, site.mean, site.layer),
                           trc_record_tensor (point, site.rstd, site.layer) };
      x = trc_tensor_ref (all[0]);
      mean = all[1] != NULL ? trc_tensor_ref (all[1]) : NULL;
      rstd = trc_tensor_ref (all[2]);
    }
  else if (live)
    {
      ids = trc_tensor_from_data (tracer->device, TRC_I32, TRC_SHAPE (n), positions,
                                  n * sizeof *positions, "positions", error);
      if (ids == NULL
          || !gather (trc_record_tensor (point, site.x, site.layer), ids, c->d_model, &x, error)
          || !gather (trc_record_tensor (point, site.mean, site.layer), ids, 1, &mean, error)
          || !gather (trc_record_tensor (point, site.rstd, site.layer), ids, 1, &rstd, error))
        return FALSE;
    }
  else
    rstd = trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (1), &one, sizeof one,
                                 "one", error);
  TrcNormParams p = { .rows = n,
                      .d = c->d_model,
                      .ld_x = c->d_model,
                      .ld_y = c->d_model,
                      .ld_dx = c->d_model,
                      .x_period = !live               ? 1
                                  : positions != NULL ? 0
                                                      : tracer->n_tokens,
                      .kind = c->norm,
                      .has_gain = gain != NULL,
                      .freeze_scale = !live,
                      .accumulate = accumulate };
  p.off[5] = first_out * c->d_model;
  return rstd != NULL
         && trc_op_norm_vjp (dy, x, gain != NULL ? gain->tensor : NULL, mean, rstd, out, &p,
                             error);
}

/* ---- neurons and logits: one row each, through one or two weights ---- */

typedef struct {
  TrcWeightRole role;
  float *s; /* [n][width]: how much of each column of the weight a target reads */
} Reading;

/* What a unit of gradient at a gated neuron becomes at its gate and at its other branch. */
static gboolean
gate_slopes (TrcTracer *tracer, const TrcRule *rule, guint layer, float *gate, float *up,
             GError **error)
{
  const TrcModelConfig *c = tracer->config;
  gsize n = (gsize)tracer->n_tokens * c->d_mlp;
  TrcShape shape = TRC_SHAPE (tracer->n_tokens, c->d_mlp);
  const TrcRecord *pass = rule->points[0];
  g_autoptr (TrcTensor) ones = trc_tensor_new (tracer->device, TRC_F32, shape, "ones", error);
  g_autoptr (TrcTensor) dx =
      trc_tensor_new (tracer->device, TRC_F32, shape, "gate slope", error);
  g_autoptr (TrcTensor) du = trc_tensor_new (tracer->device, TRC_F32, shape, "up slope", error);
  const TrcActParams p = {
    .rows = tracer->n_tokens,
    .cols = c->d_mlp,
    .ld_x = c->d_mlp,
    .ld_u = c->d_mlp,
    .ld_y = c->d_mlp,
    .ld_dx = c->d_mlp,
    .ld_du = c->d_mlp,
    .kind = c->act,
    .rule = rule->estimator == TRC_ESTIMATOR_RELP ? TRC_RULE_RELP : TRC_RULE_GRADIENT,
    .gated = 1,
  };

  return ones != NULL && dx != NULL && du != NULL && trc_op_set (ones, 1, error)
         && trc_op_act_vjp (ones, trc_record_tensor (pass, TRC_SITE_MLP_GATE, layer),
                            trc_record_tensor (pass, TRC_SITE_MLP_PRE, layer), dx, du, &p,
                            error)
         && trc_tensor_read (dx, gate, n, error) && trc_tensor_read (du, up, n, error);
}

static void
fill_neurons (const TrcTracer *tracer, const TrcTarget *targets, guint n, const float *slopes,
              double scale, float *s)
{
  guint m = tracer->config->d_mlp;

  memset (s, 0, (gsize)n * m * sizeof *s);
  for (guint i = 0; i < n; i++)
    {
      const TrcPlace *t = &targets[i].place;
      s[(gsize)i * m + t->index] =
          scale * (slopes != NULL ? slopes[(gsize)t->position * m + t->index] : 1);
    }
}

static void
fill_logits (const TrcTracer *tracer, const TrcTarget *targets, guint n, double scale, float *s)
{
  guint vocab = tracer->config->n_vocab;

  for (guint i = 0; i < n; i++)
    for (guint v = 0; v < vocab; v++)
      s[(gsize)i * vocab + v] =
          scale * tracer->logit_weights[(gsize)targets[i].place.index * vocab + v];
}

static gboolean
read_through (TrcTracer *tracer, const TrcWeight *w, const float *s, guint n, TrcTensor *dy,
              gboolean accumulate, GError **error)
{
  g_autoptr (TrcTensor) spread =
      trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (n, w->n_out), s,
                            (gsize)n * w->n_out * sizeof *s, "readings", error);
  const TrcPull pull = { .s = spread,
                         .out = dy,
                         .rows = n,
                         .ld_s = w->n_out,
                         .columns = w->n_out,
                         .accumulate = accumulate };
  return spread != NULL && trc_block_pull (w, &pull, error);
}

/* The slopes that the readings of layer @layer are scaled by at one point; NULL inside: ones. */
static gboolean
neuron_slopes (TrcTracer *tracer, const TrcRule *rule, const TrcRecord *point, guint layer,
               float *slopes[2], GError **error)
{
  gsize bytes = (gsize)tracer->n_tokens * tracer->config->d_mlp * sizeof (float);
  gboolean gated = tracer->config->gated;

  slopes[0] = slopes[1] = NULL;
  if (!rule->live && !gated)
    return TRUE;
  slopes[0] = g_malloc0 (bytes);
  slopes[1] = g_malloc0 (bytes);
  if (!rule->live)
    return gate_slopes (tracer, rule, layer, slopes[1], slopes[0], error);
  if (point->g_pre[layer] != NULL)
    memcpy (slopes[0], point->g_pre[layer], bytes);
  if (gated && point->g_gate[layer] != NULL)
    memcpy (slopes[1], point->g_gate[layer], bytes);
  return TRUE;
}

static gboolean
read_point (TrcTracer *tracer, const TrcRule *rule, guint k, const TrcTarget *targets, guint n,
            const TrcReaderWeights *weights, TrcTensor *dy, GError **error)
{
  guint layer = targets[0].place.layer;
  double scale = rule->live ? 1.0 / rule->n_points : 1;
  g_autofree float *s = g_new (float, (gsize)n * weights->first->n_out);
  g_autofree float *up = NULL, *gate = NULL;
  float *slopes[2];

  if (targets[0].place.kind == TRC_KIND_LOGIT)
    {
      fill_logits (tracer, targets, n, scale, s);
      return read_through (tracer, weights->first, s, n, dy, FALSE, error);
    }
  gboolean ok = neuron_slopes (tracer, rule, rule->points[k], layer, slopes, error);
  up = slopes[0];
  gate = slopes[1];
  if (!ok)
    return FALSE;
  fill_neurons (tracer, targets, n, up, scale, s);
  if (!read_through (tracer, weights->first, s, n, dy, FALSE, error))
    return FALSE;
  if (weights->second == NULL)
    return TRUE;
  fill_neurons (tracer, targets, n, gate, scale, s);
  return read_through (tracer, weights->second, s, n, dy, TRUE, error);
}

gboolean
trc_readers_single (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets, guint n,
                    const TrcReaderWeights *weights, TrcTensor *out, guint first_out,
                    GError **error)
{
  g_autofree gint32 *positions = g_new (gint32, n);
  g_autoptr (TrcTensor) dy = trc_tensor_new (
      tracer->device, TRC_F32, TRC_SHAPE (n, tracer->config->d_model), "readers", error);
  NormSite site = norm_of (tracer->config, targets[0].place.kind, targets[0].place.layer);

  for (guint i = 0; i < n; i++)
    positions[i] = targets[i].place.position;
  for (guint k = 0; dy != NULL && k < rule->n_points; k++)
    if (!read_point (tracer, rule, k, targets, n, weights, dy, error)
        || !pull_norm (tracer, rule->points[k], rule->live, site, dy, positions, n, out,
                       first_out, k > 0, error))
      return FALSE;
  return dy != NULL;
}

/* ---- heads ---- */

/* Rows of one point for a run of targets of one head: what they read as values, keys, queries. */
typedef struct {
  float *v, *k, *q; /* [rows][d_head]; k and q only when live */
} HeadRows;

typedef struct {
  float *q, *k, *v; /* [T][heads * d_head], as recorded */
  float *rope;      /* [T][rotary_dims / 2][2]; NULL when nothing is rotated */
} Triple;

static void
triple_clear (Triple *self)
{
  g_free (self->q);
  g_free (self->k);
  g_free (self->v);
  g_free (self->rope);
}

/* The angles of every position, as the pass used them. */
static gboolean
read_angles (Triple *self, TrcTracer *tracer, GError **error)
{
  if (tracer->config->positions != TRC_POS_ROTARY)
    return TRUE;
  g_autoptr (TrcTensor) table =
      trc_model_rope_table (tracer->model, tracer->device, tracer->n_tokens, error);
  if (table == NULL)
    return FALSE;
  gsize n = trc_tensor_n (table);
  self->rope = g_new (float, n);
  return trc_tensor_read (table, self->rope, n, error);
}

/* Turns a gradient of a rotated query or key at @position into one of what was rotated. */
static void
unrotate (const TrcModelConfig *c, const float *rope, guint position, float *x)
{
  guint half = c->rotary_dims / 2;

  for (guint i = 0; rope != NULL && i < half; i++)
    {
      const float *angle = rope + ((gsize)position * half + i) * 2;
      guint a = c->rotary_interleaved ? 2 * i : i,
            b = c->rotary_interleaved ? 2 * i + 1 : i + half;
      float x0 = x[a], x1 = x[b];
      x[a] = x0 * angle[0] + x1 * angle[1];
      x[b] = x1 * angle[0] - x0 * angle[1];
    }
}

static gboolean
triple_read (Triple *self, const TrcRecord *point, guint layer, GError **error)
{
  return (self->q = trc_record_dup (point, TRC_SITE_Q, layer, error)) != NULL
         && (self->k = trc_record_dup (point, TRC_SITE_K, layer, error)) != NULL
         && (self->v = trc_record_dup (point, TRC_SITE_V, layer, error)) != NULL;
}

/* The gradient of the scores of one query, times the scale of the scores. */
static double *
score_gradient (const TrcModelConfig *c, const float *pattern, const float *g, const Triple *x,
                guint group, guint query)
{
  double *ds = g_new (double, query + 1), mean = 0;
  guint kv = c->n_kv_heads * c->d_head;

  for (guint p = 0; p <= query; p++)
    {
      ds[p] = 0;
      for (guint i = 0; i < c->d_head; i++)
        ds[p] += (double)g[i] * x->v[(gsize)p * kv + group * c->d_head + i];
      mean += pattern[p] * ds[p];
    }
  for (guint p = 0; p <= query; p++)
    ds[p] = pattern[p] * (ds[p] - mean) * c->attn_scale;
  return ds;
}

/* One live target: its rows at every key position up to its own. */
static void
fill_live (const TrcTracer *tracer, const TrcRecord *point, TrcPlace t, double scale,
           const Triple *x, HeadRows *rows, gsize first)
{
  const TrcModelConfig *c = tracer->config;
  guint dh = c->d_head, kv = c->n_kv_heads * dh, w = c->n_heads * dh,
        group = t.index / (c->n_heads / c->n_kv_heads);
  const float *pattern = point->pattern[t.layer]
                         + ((gsize)t.index * tracer->n_tokens + t.position) * tracer->n_tokens;
  const float *query = x->q + (gsize)t.position * w + t.index * dh;
  g_autofree float *g = g_new0 (float, dh);

  for (guint i = 0; point->g_z[t.layer] != NULL && i < dh; i++)
    g[i] = scale * point->g_z[t.layer][(gsize)t.position * w + t.index * dh + i];
  g_autofree double *ds = score_gradient (c, pattern, g, x, group, t.position);
  float *dq = rows->q + (first + t.position) * dh;
  for (guint p = 0; p <= t.position; p++)
    for (guint i = 0; i < dh; i++)
      {
        rows->v[(first + p) * dh + i] = pattern[p] * g[i];
        rows->k[(first + p) * dh + i] = ds[p] * query[i];
        dq[i] += ds[p] * x->k[(gsize)p * kv + group * dh + i];
      }
  for (guint p = 0; p <= t.position; p++)
    unrotate (c, x->rope, p, rows->k + (first + p) * dh);
  unrotate (c, x->rope, t.position, dq);
}

static gboolean
pull_head (TrcTracer *tracer, const TrcWeight *w, const float *s, guint rows, guint first,
           TrcTensor *dy, gboolean accumulate, GError **error)
{
  guint dh = tracer->config->d_head;
  g_autoptr (TrcTensor) spread =
      trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (rows, dh), s,
                            (gsize)rows * dh * sizeof *s, "head readings", error);
  const TrcPull pull = { .s = spread,
                         .out = dy,
                         .rows = rows,
                         .ld_s = dh,
                         .first = first,
                         .columns = dh,
                         .accumulate = accumulate };
  return spread != NULL && trc_block_pull (w, &pull, error);
}

static gboolean
heads_frozen (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets, guint n,
              const TrcReaderWeights *weights, TrcTensor *out, guint first_out, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  guint dh = c->d_head, group = targets[0].place.index / (c->n_heads / c->n_kv_heads);
  guint layer = targets[0].place.layer;
  const float *g = rule->points[0]->g_z[layer];
  g_autofree float *s = g_new0 (float, (gsize)n *dh);
  g_autoptr (TrcTensor) dy =
      trc_tensor_new (tracer->device, TRC_F32, TRC_SHAPE (n, c->d_model), "readers", error);

  for (guint i = 0; g != NULL && i < n; i++)
    memcpy (s + (gsize)i * dh,
            g + ((gsize)targets[i].place.position * c->n_heads + targets[i].place.index) * dh,
            dh * sizeof *s);
  return dy != NULL && pull_head (tracer, weights->first, s, n, group * dh, dy, FALSE, error)
         && pull_norm (tracer, rule->points[0], FALSE, norm_of (c, TRC_KIND_HEAD, layer), dy,
                       NULL, n, out, first_out, FALSE, error);
}

static gboolean
head_point (TrcTracer *tracer, const TrcRule *rule, guint k, const TrcTarget *targets, guint n,
            guint rows, const TrcReaderWeights *weights, TrcTensor *dy, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  guint dh = c->d_head, head = targets[0].place.index,
        group = head / (c->n_heads / c->n_kv_heads);
  g_autofree float *v = g_new0 (float, (gsize)rows *dh);
  g_autofree float *keys = g_new0 (float, (gsize)rows *dh);
  g_autofree float *q = g_new0 (float, (gsize)rows *dh);
  HeadRows all = { v, keys, q };
  Triple x = { NULL };
  gsize first = 0;

  gboolean ok = triple_read (&x, rule->points[k], targets[0].place.layer, error)
                && read_angles (&x, tracer, error);
  for (guint i = 0; ok && i < n; i++)
    {
      fill_live (tracer, rule->points[k], targets[i].place, 1.0 / rule->n_points, &x, &all,
                 first);
      first += targets[i].place.position + 1;
    }
  triple_clear (&x);
  return ok && pull_head (tracer, weights->first, v, rows, group * dh, dy, FALSE, error)
         && pull_head (tracer, weights->second, keys, rows, group * dh, dy, TRUE, error)
         && pull_head (tracer, weights->third, q, rows, head * dh, dy, TRUE, error);
}

static gboolean
heads_live (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets, guint n,
            const TrcReaderWeights *weights, TrcTensor *out, guint first_out, GError **error)
{
  guint rows = 0, row = 0;
  for (guint i = 0; i < n; i++)
    rows += targets[i].place.position + 1;
  g_autofree gint32 *positions = g_new (gint32, rows);
  g_autoptr (TrcTensor) dy = trc_tensor_new (
      tracer->device, TRC_F32, TRC_SHAPE (rows, tracer->config->d_model), "readers", error);
  NormSite site = norm_of (tracer->config, TRC_KIND_HEAD, targets[0].place.layer);

  for (guint i = 0; i < n; i++)
    for (guint p = 0; p <= targets[i].place.position; p++)
      positions[row++] = p;
  for (guint k = 0; dy != NULL && k < rule->n_points; k++)
    if (!head_point (tracer, rule, k, targets, n, rows, weights, dy, error)
        || !pull_norm (tracer, rule->points[k], TRUE, site, dy, positions, rows, out, first_out,
                       k > 0, error))
      return FALSE;
  return dy != NULL;
}

gboolean
trc_readers_heads (TrcTracer *tracer, const TrcRule *rule, const TrcTarget *targets, guint n,
                   const TrcReaderWeights *weights, TrcTensor *out, guint first_out,
                   GError **error)
{
  return rule->live ? heads_live (tracer, rule, targets, n, weights, out, first_out, error)
                    : heads_frozen (tracer, rule, targets, n, weights, out, first_out, error);
}

/* ---- whole components ---- */

/* Gradients of the metric at the queries, keys and values of every head apart, [T][heads]. */
static gboolean
component_gradients (TrcTracer *tracer, const TrcRule *rule, guint k, guint layer, float *q,
                     float *keys, float *v, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  guint n = tracer->n_tokens, dh = c->d_head, w = c->n_heads * dh;
  g_autofree float *buffer = g_new (float, (gsize)3 * n * dh);
  Triple x = { NULL };
  gboolean ok =
      triple_read (&x, rule->points[k], layer, error) && read_angles (&x, tracer, error);

  for (guint h = 0; ok && h < c->n_heads; h++)
    for (guint query = 0; query < n; query++)
      {
        HeadRows rows = { buffer, buffer + n * dh, buffer + 2 * n * dh };
        const TrcPlace place = { TRC_KIND_HEAD, layer, h, query };
        memset (buffer, 0, (gsize)3 * n * dh * sizeof *buffer);
        fill_live (tracer, rule->points[k], place, 1.0 / rule->n_points, &x, &rows, 0);
        for (guint p = 0; p <= query; p++)
          for (guint i = 0; i < dh; i++)
            {
              v[(gsize)p * w + h * dh + i] += rows.v[(gsize)p * dh + i];
              keys[(gsize)p * w + h * dh + i] += rows.k[(gsize)p * dh + i];
              q[(gsize)p * w + h * dh + i] += rows.q[(gsize)p * dh + i];
            }
      }
  triple_clear (&x);
  return ok;
}

/* dy [heads][T][d] from @first on := each head's columns of @s times its part of @role. */
static gboolean
pull_heads (TrcTracer *tracer, TrcWeightRole role, guint layer, const float *s, TrcTensor *dy,
            guint first, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  guint n = tracer->n_tokens, d = c->d_model, dh = c->d_head, w = c->n_heads * dh;
  const TrcWeight *weight = trc_block_weight (tracer, role, layer, error);
  g_autoptr (TrcTensor) spread =
      trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (n, w), s,
                            (gsize)n * w * sizeof *s, "component readings", error);

  if (weight == NULL || spread == NULL)
    return FALSE;
  TrcMatmulParams p = { .m = n,
                        .n = d,
                        .k = dh,
                        .ld_a = w,
                        .ld_c = d,
                        .alpha = 1,
                        .n_outer = 1,
                        .n_inner = c->n_heads,
                        .a_inner = dh,
                        .c_inner = n * d,
                        .b_group = role == TRC_WEIGHT_Q ? 1 : c->n_heads / c->n_kv_heads };
  p.trans_b = !weight->out_major;
  p.ld_b = weight->out_major ? d : weight->n_out;
  p.b_inner = weight->out_major ? dh * d : dh;
  p.off[3] = first * n * d;
  return trc_op_matmul (spread, weight->tensor, NULL, dy, &p, error);
}

TrcTensor *
trc_readers_components (TrcTracer *tracer, const TrcRule *rule, guint layer, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  guint n = tracer->n_tokens, rows = 3 * c->n_heads * n;
  gsize size = (gsize)n * c->n_heads * c->d_head;
  NormSite site = norm_of (c, TRC_KIND_HEAD, layer);
  g_autofree float *s = g_new (float, 3 * size);
  g_autoptr (TrcTensor) dy =
      trc_tensor_new (tracer->device, TRC_F32, TRC_SHAPE (rows, c->d_model), "readers", error);
  g_autoptr (TrcTensor) out =
      dy == NULL ? NULL
                 : trc_tensor_new (tracer->device, TRC_F32, TRC_SHAPE (rows, c->d_model),
                                   "component readers", error);

  if (out == NULL)
    return NULL;
  for (guint k = 0; k < rule->n_points; k++)
    {
      memset (s, 0, 3 * size * sizeof *s);
      if (!component_gradients (tracer, rule, k, layer, s, s + size, s + 2 * size, error)
          || !pull_heads (tracer, TRC_WEIGHT_Q, layer, s, dy, 0, error)
          || !pull_heads (tracer, TRC_WEIGHT_K, layer, s + size, dy, c->n_heads, error)
          || !pull_heads (tracer, TRC_WEIGHT_V, layer, s + 2 * size, dy, 2 * c->n_heads, error)
          || !pull_norm (tracer, rule->points[k], TRUE, site, dy, NULL, rows, out, 0, k > 0,
                         error))
        return NULL;
    }
  return g_steal_pointer (&out);
}

/* dy [T][d] := what the MLP, or at the last position the metric, reads at one point. */
static gboolean
block_point (TrcTracer *tracer, const TrcRule *rule, guint k, TrcKind kind, guint layer,
             TrcTensor *dy, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  const TrcRecord *point = rule->points[k];
  gboolean logits = kind == TRC_KIND_LOGIT;
  guint rows = logits ? 1 : tracer->n_tokens, width = logits ? c->n_vocab : c->d_mlp;
  TrcWeightRole roles[] = { logits ? TRC_WEIGHT_UNEMBED : TRC_WEIGHT_UP, TRC_WEIGHT_GATE };
  const float *gradients[] = { logits ? tracer->metric : point->g_pre[layer],
                               !logits && c->gated ? point->g_gate[layer] : NULL };
  gsize n = (gsize)rows * width;
  g_autofree float *s = g_new (float, n);

  if (!trc_op_set (dy, 0, error))
    return FALSE;
  for (guint b = 0; b < 2; b++)
    {
      if (gradients[b] == NULL)
        continue;
      for (gsize i = 0; i < n; i++)
        s[i] = gradients[b][i] / rule->n_points;
      const TrcWeight *w = trc_block_weight (tracer, roles[b], layer, error);
      g_autoptr (TrcTensor) spread =
          trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (rows, width), s,
                                n * sizeof *s, "component readings", error);
      const TrcPull pull = { .s = spread,
                             .out = dy,
                             .rows = rows,
                             .ld_s = width,
                             .first_row_out = logits ? tracer->n_tokens - 1 : 0,
                             .columns = width,
                             .accumulate = TRUE };
      if (w == NULL || spread == NULL || !trc_block_pull (w, &pull, error))
        return FALSE;
    }
  return TRUE;
}

TrcTensor *
trc_readers_block (TrcTracer *tracer, const TrcRule *rule, TrcKind kind, guint layer,
                   GError **error)
{
  const TrcModelConfig *c = tracer->config;
  TrcShape shape = TRC_SHAPE (tracer->n_tokens, c->d_model);
  g_autoptr (TrcTensor) dy = trc_tensor_new (tracer->device, TRC_F32, shape, "readers", error);
  g_autoptr (TrcTensor) out =
      dy == NULL ? NULL
                 : trc_tensor_new (tracer->device, TRC_F32, shape, "block reader", error);

  for (guint k = 0; out != NULL && k < rule->n_points; k++)
    if (!block_point (tracer, rule, k, kind, layer, dy, error)
        || !pull_norm (tracer, rule->points[k], TRUE, norm_of (c, kind, layer), dy, NULL,
                       tracer->n_tokens, out, 0, k > 0, error))
      return NULL;
  return g_steal_pointer (&out);
}
