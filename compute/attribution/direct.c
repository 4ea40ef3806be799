/* Links of the exact rule: each source's write is taken out of what one layer reads, the layer
 * is computed again, and nothing else moves. One batch of sources at a time. */
#include "compute/attribution/tracer.h"

#include "compute/models/model_impl.h"

#include <math.h>
#include <string.h>

#define TILE 256

typedef struct {
  TrcTracer *tracer;
  const TrcRule *rule;
  const TrcChosen *chosen;
  TrcTarget *targets;
  guint n_targets;
  float *writes;     /* [n_nodes][d_model] */
  float *rest_heads; /* [L][T][d_model]: the part of a rest node that its own MLP reads */
  gint32 *layer;     /* of every node; -1 embeddings */
  gint32 *position;  /* of every node */
  gboolean *is_head;
} Direct;

/* ---- what every node writes ---- */

static gboolean
write_places (Direct *self, const TrcPlace *places, const guint32 *nodes, guint n,
              GError **error)
{
  guint d = self->tracer->config->d_model;

  for (guint first = 0; first < n; first += TILE)
    {
      guint count = MIN (TILE, n - first);
      g_autoptr (TrcTensor) rows =
          trc_block_writes (self->tracer, places + first, count, error);
      g_autofree float *host = g_new (float, (gsize)count *d);
      if (rows == NULL || !trc_tensor_read (rows, host, (gsize)count * d, error))
        return FALSE;
      for (guint i = 0; i < count; i++)
        {
          guint32 node = nodes[first + i];
          const TrcPlace *at = &places[first + i];
          memcpy (self->writes + (gsize)node * d, host + (gsize)i * d, d * sizeof *host);
          self->layer[node] = at->kind == TRC_KIND_EMBED ? -1 : (gint32)at->layer;
          self->position[node] = at->position;
          self->is_head[node] = at->kind == TRC_KIND_HEAD;
        }
    }
  return TRUE;
}

static gboolean
write_layer (Direct *self, TrcKind kind, guint layer, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;
  guint width = kind == TRC_KIND_HEAD ? c->n_heads : c->d_mlp, n = 0;
  gsize all = (gsize)self->tracer->n_tokens * width;
  const gint32 *table =
      (kind == TRC_KIND_HEAD ? self->chosen->head : self->chosen->neuron)[layer];
  g_autofree TrcPlace *places = g_new (TrcPlace, MAX (all, 1));
  g_autofree guint32 *nodes = g_new (guint32, MAX (all, 1));

  for (gsize i = 0; i < all; i++)
    if (table[i] >= 0)
      {
        places[n] = (TrcPlace){ kind, layer, i % width, i / width };
        nodes[n++] = table[i];
      }
  return write_places (self, places, nodes, n, error);
}

static gboolean
write_rests (Direct *self, guint layer, GError **error)
{
  guint d = self->tracer->config->d_model, t = self->tracer->n_tokens;
  g_autofree float *attn =
      trc_block_difference (self->tracer, TRC_SITE_ATTN_OUT, TRC_WEIGHT_O_B, layer, error);
  g_autofree float *mlp = attn == NULL ? NULL
                                       : trc_block_difference (self->tracer, TRC_SITE_MLP_OUT,
                                                               TRC_WEIGHT_DOWN_B, layer, error);

  if (mlp == NULL)
    return FALSE;
  for (guint32 node = t; node < self->chosen->first_logit; node++)
    if (self->layer[node] == (gint32)layer)
      {
        float *sum = (self->is_head[node] ? attn : mlp) + (gsize)self->position[node] * d;
        for (guint j = 0; j < d; j++)
          sum[j] -= self->writes[(gsize)node * d + j];
      }
  memcpy (self->rest_heads + (gsize)layer * t * d, attn, (gsize)t * d * sizeof *attn);
  for (guint p = 0; p < t; p++)
    {
      gint32 node = self->chosen->rest[(gsize)layer * t + p];
      for (guint j = 0; node >= 0 && j < d; j++)
        self->writes[(gsize)node * d + j] = attn[(gsize)p * d + j] + mlp[(gsize)p * d + j];
      if (node >= 0)
        {
          self->layer[node] = layer;
          self->position[node] = p;
        }
    }
  return TRUE;
}

static gboolean
collect_writes (Direct *self, GError **error)
{
  guint t = self->tracer->n_tokens;
  g_autofree TrcPlace *places = g_new (TrcPlace, t);
  g_autofree guint32 *nodes = g_new (guint32, t);

  for (guint p = 0; p < t; p++)
    {
      places[p] = (TrcPlace){ TRC_KIND_EMBED, 0, 0, p };
      nodes[p] = p;
    }
  for (guint32 node = t; node < self->chosen->n_nodes; node++)
    self->layer[node] = G_MAXINT32; /* until its layer is written */
  if (!write_places (self, places, nodes, t, error))
    return FALSE;
  for (guint l = 0; l < self->tracer->config->n_layers; l++)
    {
      if (!write_layer (self, TRC_KIND_HEAD, l, error)
          || !write_layer (self, TRC_KIND_NEURON, l, error) || !write_rests (self, l, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- one layer, read again without a source ---- */

typedef struct {
  TrcKind kind;
  guint layer, position; /* of what is taken out */
  guint32 nodes[TILE];
  guint n;
  TrcTensor *x; /* [n][d_model]: the stream at that position, each row without one source */
} Batch;

/* Whether @node writes before a reader of @kind in @layer; its write there. */
static const float *
write_before (const Direct *self, guint32 node, TrcKind kind, guint layer)
{
  guint d = self->tracer->config->d_model;
  gint32 at = self->layer[node], limit = layer;
  gboolean is_rest =
      node >= self->tracer->n_tokens
      && self->chosen->rest[(gsize)MAX (at, 0) * self->tracer->n_tokens + self->position[node]]
             == (gint32)node;

  if (kind == TRC_KIND_LOGIT || at < limit)
    return self->writes + (gsize)node * d;
  if (at > limit || kind == TRC_KIND_HEAD || self->tracer->config->parallel)
    return NULL;
  if (is_rest)
    return self->rest_heads + ((gsize)at * self->tracer->n_tokens + self->position[node]) * d;
  return self->is_head[node] ? self->writes + (gsize)node * d : NULL;
}

/* y = norm of x, as a reader of @kind sees it. */
static TrcTensor *
normalise (Direct *self, const Batch *batch, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  TrcWeightRole role = batch->kind == TRC_KIND_HEAD     ? TRC_WEIGHT_NORM1_W
                       : batch->kind == TRC_KIND_NEURON ? TRC_WEIGHT_NORM2_W
                                                        : TRC_WEIGHT_NORM_FINAL_W;
  const TrcWeight *gain = NULL, *bias = NULL;
  guint n = batch->n, d = c->d_model;

  if (c->norm == TRC_NORM_NONE)
    return trc_tensor_ref (batch->x);
  if (trc_model_has_weight (t->model, role, batch->layer)
      && (gain = trc_model_weight (t->model, t->device, role, batch->layer, error)) == NULL)
    return NULL;
  if (trc_model_has_weight (t->model, role + 1, batch->layer)
      && (bias = trc_model_weight (t->model, t->device, role + 1, batch->layer, error)) == NULL)
    return NULL;
  g_autoptr (TrcTensor) y =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n, d), "norm without", error);
  g_autoptr (TrcTensor) mean =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n), "mean without", error);
  g_autoptr (TrcTensor) rstd =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n), "scale without", error);
  const TrcNormParams p = { .rows = n,
                            .d = d,
                            .ld_x = d,
                            .ld_y = d,
                            .ld_dx = d,
                            .kind = c->norm,
                            .has_gain = gain != NULL,
                            .has_bias = bias != NULL,
                            .eps = c->norm_eps };
  if (y == NULL || mean == NULL || rstd == NULL
      || !trc_op_norm (batch->x, gain != NULL ? gain->tensor : NULL,
                       bias != NULL ? bias->tensor : NULL, y,
                       c->norm == TRC_NORM_LAYER ? mean : NULL, rstd, &p, error))
    return NULL;
  return g_steal_pointer (&y);
}

/* y W + b. */
static TrcTensor *
project (Direct *self, TrcTensor *y, guint n, TrcWeightRole role, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcWeight *w = trc_model_weight (t->model, t->device, role, layer, error);
  const TrcWeight *b = NULL;

  if (w == NULL
      || (trc_model_has_weight (t->model, role + 1, layer)
          && (b = trc_model_weight (t->model, t->device, role + 1, layer, error)) == NULL))
    return NULL;
  g_autoptr (TrcTensor) out =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n, w->n_out), "read without", error);
  const TrcMatmulParams p = { .m = n,
                              .n = w->n_out,
                              .k = w->n_in,
                              .ld_a = w->n_in,
                              .ld_b = w->out_major ? w->n_in : w->n_out,
                              .ld_c = w->n_out,
                              .trans_b = w->out_major,
                              .has_bias = b != NULL,
                              .alpha = 1,
                              .n_outer = 1,
                              .n_inner = 1,
                              .b_group = 1 };
  if (out == NULL
      || !trc_op_matmul (y, w->tensor, b != NULL ? b->tensor : NULL, out, &p, error))
    return NULL;
  return g_steal_pointer (&out);
}

static float *
to_host (TrcTensor *x, GError **error)
{
  gsize n = trc_tensor_n (x);
  g_autofree float *values = g_new (float, MAX (n, 1));
  return trc_tensor_read (x, values, n, error) ? g_steal_pointer (&values) : NULL;
}

static gboolean
change_neurons (Direct *self, const Batch *batch, TrcTensor *y, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;
  guint m = c->d_mlp;
  g_autoptr (TrcTensor) up = project (self, y, batch->n, TRC_WEIGHT_UP, batch->layer, error);
  g_autoptr (TrcTensor) gate = NULL;
  g_autoptr (TrcTensor) act = up == NULL
                                  ? NULL
                                  : trc_tensor_new (self->tracer->device, TRC_F32,
                                                    TRC_SHAPE (batch->n, m), "act", error);
  const TrcActParams p = { .rows = batch->n,
                           .cols = m,
                           .ld_x = m,
                           .ld_u = m,
                           .ld_y = m,
                           .kind = c->act,
                           .gated = c->gated };

  if (act == NULL
      || (c->gated
          && (gate = project (self, y, batch->n, TRC_WEIGHT_GATE, batch->layer, error)) == NULL)
      || !trc_op_act (c->gated ? gate : up, c->gated ? up : NULL, act, &p, error))
    return FALSE;
  g_autofree float *values = to_host (act, error);
  for (guint k = 0; values != NULL && k < self->n_targets; k++)
    {
      TrcPlace at = self->targets[k].place;
      if (at.kind != TRC_KIND_NEURON || at.layer != batch->layer
          || at.position != batch->position)
        continue;
      double clean = self->tracer->clean->act[at.layer][(gsize)at.position * m + at.index];
      for (guint i = 0; i < batch->n; i++)
        trc_target_add (&self->targets[k], batch->nodes[i],
                        clean - values[(gsize)i * m + at.index]);
    }
  return values != NULL;
}

static gboolean
change_logits (Direct *self, const Batch *batch, TrcTensor *y, GError **error)
{
  TrcTracer *t = self->tracer;
  guint vocab = t->config->n_vocab;
  g_autoptr (TrcTensor) logits = project (self, y, batch->n, TRC_WEIGHT_UNEMBED, 0, error);
  g_autofree float *values = logits != NULL ? to_host (logits, error) : NULL;

  for (guint k = 0; values != NULL && k < self->n_targets; k++)
    {
      if (self->targets[k].place.kind != TRC_KIND_LOGIT)
        continue;
      const float *weights = t->logit_weights + (gsize)self->targets[k].place.index * vocab;
      for (guint i = 0; i < batch->n; i++)
        {
          double change = 0;
          for (guint v = 0; v < vocab; v++)
            change += (double)weights[v]
                      * ((double)t->clean->logits[v] - values[(gsize)i * vocab + v]);
          trc_target_add (&self->targets[k], batch->nodes[i], change);
        }
    }
  return values != NULL;
}

/* ---- heads ---- */

typedef struct {
  float *q, *k, *v;    /* clean, [T][..] */
  float *q1, *k1, *v1; /* without a source, [n][..] */
} Heads;

static void
heads_clear (Heads *self)
{
  float *all[] = { self->q, self->k, self->v, self->q1, self->k1, self->v1 };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_free (all[i]);
}

static gboolean
rotate (Direct *self, TrcTensor *x, guint rows, guint n_heads, guint position, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  const TrcRopeParams p = { .rows = rows,
                            .n_heads = n_heads,
                            .d_head = c->d_head,
                            .n_rot = c->rotary_dims,
                            .ld_x = n_heads * c->d_head,
                            .ld_y = n_heads * c->d_head,
                            .head_stride = c->d_head,
                            .first = position,
                            .period = 1,
                            .interleaved = c->rotary_interleaved };

  if (c->positions != TRC_POS_ROTARY)
    return TRUE;
  g_autoptr (TrcTensor) table = trc_model_rope_table (t->model, t->device, t->n_tokens, error);
  return table != NULL && trc_op_rope (x, table, x, &p, error);
}

static gboolean
read_heads (Direct *self, const Batch *batch, TrcTensor *y, Heads *h, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;
  const TrcRecord *clean = self->tracer->clean;
  guint l = batch->layer;
  g_autoptr (TrcTensor) q = project (self, y, batch->n, TRC_WEIGHT_Q, l, error);
  g_autoptr (TrcTensor) k = q ? project (self, y, batch->n, TRC_WEIGHT_K, l, error) : NULL;
  g_autoptr (TrcTensor) v = k ? project (self, y, batch->n, TRC_WEIGHT_V, l, error) : NULL;

  return v != NULL && rotate (self, q, batch->n, c->n_heads, batch->position, error)
         && rotate (self, k, batch->n, c->n_kv_heads, batch->position, error)
         && (h->q = trc_record_dup (clean, TRC_SITE_Q, l, error)) != NULL
         && (h->k = trc_record_dup (clean, TRC_SITE_K, l, error)) != NULL
         && (h->v = trc_record_dup (clean, TRC_SITE_V, l, error)) != NULL
         && (h->q1 = to_host (q, error)) != NULL && (h->k1 = to_host (k, error)) != NULL
         && (h->v1 = to_host (v, error)) != NULL;
}

/* Direction times z of one head and query when row @row stands at @position; @row < 0: clean. */
static double
head_value (const TrcModelConfig *c, const Heads *x, TrcPlace at, guint position, gint row,
            const float *g)
{
  guint dh = c->d_head, w = c->n_heads * dh, kv = c->n_kv_heads * dh;
  guint group = at.index / (c->n_heads / c->n_kv_heads);
  const float *q = row >= 0 && at.position == position ? x->q1 + (gsize)row * w
                                                       : x->q + (gsize)at.position * w;
  g_autofree double *score = g_new (double, at.position + 1);
  double top = -INFINITY, total = 0, sum = 0;

  for (guint p = 0; p <= at.position; p++)
    {
      const float *k =
          row >= 0 && p == position ? x->k1 + (gsize)row * kv : x->k + (gsize)p * kv;
      score[p] = 0;
      for (guint i = 0; i < dh; i++)
        score[p] += (double)q[at.index * dh + i] * k[group * dh + i];
      score[p] *= c->attn_scale;
      top = MAX (top, score[p]);
    }
  for (guint p = 0; p <= at.position; p++)
    {
      const float *v =
          row >= 0 && p == position ? x->v1 + (gsize)row * kv : x->v + (gsize)p * kv;
      double e = exp (score[p] - top), value = 0;
      for (guint i = 0; i < dh; i++)
        value += (double)g[i] * v[group * dh + i];
      total += e;
      sum += e * value;
    }
  return sum / total;
}

static gboolean
change_heads (Direct *self, const Batch *batch, TrcTensor *y, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;
  const float *gradient = self->rule->points[0]->g_z[batch->layer];
  Heads h = { NULL };
  gboolean ok = read_heads (self, batch, y, &h, error);

  for (guint k = 0; ok && gradient != NULL && k < self->n_targets; k++)
    {
      TrcPlace at = self->targets[k].place;
      if (at.kind != TRC_KIND_HEAD || at.layer != batch->layer || at.position < batch->position)
        continue;
      const float *g = gradient + ((gsize)at.position * c->n_heads + at.index) * c->d_head;
      double clean = head_value (c, &h, at, batch->position, -1, g);
      for (guint i = 0; i < batch->n; i++)
        trc_target_add (&self->targets[k], batch->nodes[i],
                        clean - head_value (c, &h, at, batch->position, i, g));
    }
  heads_clear (&h);
  return ok;
}

/* ---- the walk ---- */

static gboolean
run_batch (Direct *self, Batch *batch, const float *rows, GError **error)
{
  guint d = self->tracer->config->d_model;

  batch->x = trc_tensor_from_data (self->tracer->device, TRC_F32, TRC_SHAPE (batch->n, d), rows,
                                   (gsize)batch->n * d * sizeof *rows, "without", error);
  g_autoptr (TrcTensor) y = batch->x != NULL ? normalise (self, batch, error) : NULL;
  gboolean ok = y != NULL
                && (batch->kind == TRC_KIND_HEAD     ? change_heads (self, batch, y, error)
                    : batch->kind == TRC_KIND_NEURON ? change_neurons (self, batch, y, error)
                                                     : change_logits (self, batch, y, error));
  g_clear_pointer (&batch->x, trc_tensor_unref);
  batch->n = 0;
  return ok;
}

/* Every source at @position, out of what the readers of @kind and @layer see there. */
static gboolean
take_out (Direct *self, TrcKind kind, guint layer, guint position, const float *stream,
          GError **error)
{
  guint d = self->tracer->config->d_model;
  g_autofree float *rows = g_new (float, TILE *(gsize)d);
  Batch batch = { .kind = kind, .layer = layer, .position = position };

  for (guint32 node = 0; node < self->chosen->first_logit; node++)
    {
      const float *write = self->position[node] == (gint32)position
                               ? write_before (self, node, kind, layer)
                               : NULL;
      if (write == NULL)
        continue;
      for (guint j = 0; j < d; j++)
        rows[(gsize)batch.n * d + j] = stream[(gsize)position * d + j] - write[j];
      batch.nodes[batch.n++] = node;
      if (batch.n == TILE && !run_batch (self, &batch, rows, error))
        return FALSE;
    }
  return batch.n == 0 || run_batch (self, &batch, rows, error);
}

static gboolean
read_again (Direct *self, TrcKind kind, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  gboolean wanted = FALSE;

  for (guint k = 0; k < self->n_targets && !wanted; k++)
    wanted = self->targets[k].place.kind == kind && self->targets[k].place.layer == layer;
  if (!wanted)
    return TRUE;
  TrcSite site = kind == TRC_KIND_LOGIT                         ? TRC_SITE_RESID_POST
                 : kind == TRC_KIND_HEAD || t->config->parallel ? TRC_SITE_RESID_PRE
                                                                : TRC_SITE_RESID_MID;
  g_autofree float *stream = trc_record_dup (
      t->clean, site, kind == TRC_KIND_LOGIT ? t->config->n_layers - 1 : layer, error);
  for (guint p = kind == TRC_KIND_LOGIT ? t->n_tokens - 1 : 0; p < t->n_tokens; p++)
    if (stream == NULL || trc_progress_cancelled (t->progress, error)
        || !take_out (self, kind, layer, p, stream, error))
      return FALSE;
  return TRUE;
}

gboolean
trc_exact_links (TrcTracer *tracer, const TrcRule *rule, const TrcChosen *chosen,
                 TrcTarget *targets, guint n, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  gsize d = c->d_model, t = tracer->n_tokens;
  g_autofree float *writes = g_try_new0 (float, chosen->n_nodes *d);
  g_autofree float *rest = g_try_new0 (float, c->n_layers *t *d);
  g_autofree gint32 *layer = g_new0 (gint32, chosen->n_nodes);
  g_autofree gint32 *position = g_new0 (gint32, chosen->n_nodes);
  g_autofree gboolean *is_head = g_new0 (gboolean, chosen->n_nodes);
  Direct self = { tracer, rule, chosen, targets, n, writes, rest, layer, position, is_head };

  if (writes == NULL || rest == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for the writes of %u nodes; ask for fewer targets.",
                   chosen->n_nodes);
      return FALSE;
    }
  if (!collect_writes (&self, error) || !read_again (&self, TRC_KIND_LOGIT, 0, error))
    return FALSE;
  for (guint l = 0; l < c->n_layers; l++)
    {
      g_autofree char *text =
          g_strdup_printf ("direct effects: layer %u of %u", l, c->n_layers);
      trc_progress_report (tracer->progress, 0.5 + 0.4 * l / c->n_layers, text);
      if (!read_again (&self, TRC_KIND_NEURON, l, error)
          || !read_again (&self, TRC_KIND_HEAD, l, error))
        return FALSE;
    }
  return TRUE;
}
