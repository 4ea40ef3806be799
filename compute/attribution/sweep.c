#include "compute/attribution/readers.h"

#include <math.h>
#include <string.h>

/* A row of the block stands for one target at one or several positions: a frozen head reads the
 * same vector at every key, only with another factor. */
typedef struct {
  guint32 target, first_entry, n_entries;
} Row;

typedef struct {
  guint32 position;
  float factor;
} Entry;

typedef struct {
  TrcTracer *tracer;
  const TrcRule *rule;
  const TrcChosen *chosen;
  TrcTarget *targets;
  guint n_targets, next; /* next: the first target that has not joined */
  gboolean partial;      /* only the sources of one kind and layer */
  TrcKind source;
  guint source_layer;
  gboolean dense;   /* heads are transparent: every target has a row at every position */
  TrcTensor *block; /* [capacity][d_model] */
  guint capacity, n_rows, tile;
  GArray *rows, *entries;
  double *rest; /* [targets][T]: what the current layer's nameless nodes add */
} Sweep;

void
trc_target_add (TrcTarget *self, guint32 source, double weight)
{
  const TrcLink link = { source, weight };
  self->sum += weight;
  self->size += fabs (weight);
  if (weight != 0)
    g_array_append_val (self->links, link);
}

static guint
rows_of (const Sweep *self, const TrcTarget *t)
{
  if (self->dense)
    return self->tracer->n_tokens;
  return self->rule->live && t->place.kind == TRC_KIND_HEAD ? t->place.position + 1 : 1;
}

static void
add_row (Sweep *self, guint target, guint n_entries)
{
  const Row row = { target, self->entries->len - n_entries, n_entries };
  g_array_append_val (self->rows, row);
  self->n_rows++;
}

static void
add_entry (Sweep *self, guint position, float factor)
{
  const Entry entry = { position, factor };
  g_array_append_val (self->entries, entry);
}

/* 1 / std before what @t reads at @position; live rows hold it already. */
static float
scale_at (const Sweep *self, const TrcTarget *t, guint position)
{
  const TrcRecord *p = self->rule->points[0];
  if (self->rule->live)
    return 1;
  return t->place.kind == TRC_KIND_LOGIT    ? p->rstd_final
         : t->place.kind == TRC_KIND_NEURON ? p->rstd2[t->place.layer][position]
                                            : p->rstd1[t->place.layer][position];
}

/* ---- targets join ---- */

static void
note_head_rows (Sweep *self, guint target)
{
  const TrcTarget *t = &self->targets[target];
  guint n = self->tracer->n_tokens;
  const float *pattern = self->rule->points[0]->pattern[t->place.layer]
                         + ((gsize)t->place.index * n + t->place.position) * n;

  for (guint p = 0; p <= t->place.position; p++)
    {
      add_entry (self, p, self->rule->live ? 1 : pattern[p] * scale_at (self, t, p));
      if (self->rule->live)
        add_row (self, target, 1);
    }
  if (!self->rule->live)
    add_row (self, target, t->place.position + 1);
}

static void
note_dense_rows (Sweep *self, guint target)
{
  for (guint p = 0; p < self->tracer->n_tokens; p++)
    {
      add_entry (self, p, 1);
      add_row (self, target, 1);
    }
}

/* Puts @n single rows, times their scale, at the targets' own positions of a dense block. */
static gboolean
scatter_dense (Sweep *self, TrcTensor *rows, guint first, guint n, GError **error)
{
  guint t = self->tracer->n_tokens, d = self->tracer->config->d_model;
  g_autofree gint32 *where = g_new (gint32, n);
  g_autofree float *scale = g_new (float, n);

  for (guint i = 0; i < n; i++)
    {
      const TrcTarget *target = &self->targets[first + i];
      where[i] = i * t + target->place.position;
      scale[i] = scale_at (self, target, target->place.position);
    }
  g_autoptr (TrcTensor) ids = trc_tensor_from_data (
      self->tracer->device, TRC_I32, TRC_SHAPE (n), where, n * sizeof *where, "rows", error);
  g_autoptr (TrcTensor) scales = trc_tensor_from_data (
      self->tracer->device, TRC_F32, TRC_SHAPE (n), scale, n * sizeof *scale, "scales", error);
  g_autoptr (TrcTensor) scaled =
      trc_tensor_new (self->tracer->device, TRC_F32, TRC_SHAPE (n, d), "scaled rows", error);
  const TrcMulParams mul = {
    .rows = n, .cols = d, .ld_a = d, .ld_b = 1, .ld_out = d, .alpha = 1
  };
  TrcEmbedParams put = { .n = n, .d = d, .n_table = n * t, .ld_table = d, .ld_out = d };
  put.off[2] = self->n_rows * d;
  return ids != NULL && scales != NULL && scaled != NULL
         && trc_op_mul (rows, scales, scaled, &mul, error)
         && trc_op_embed_vjp (scaled, ids, self->block, &put, error);
}

/* Targets [first, first + n) of one kind and layer that have a single row. */
static gboolean
join_single (Sweep *self, guint first, guint n, const TrcReaderWeights *weights, GError **error)
{
  if (!self->dense)
    {
      if (!trc_readers_single (self->tracer, self->rule, self->targets + first, n, weights,
                               self->block, self->n_rows, error))
        return FALSE;
      for (guint i = first; i < first + n; i++)
        {
          guint p = self->targets[i].place.position;
          add_entry (self, p, scale_at (self, &self->targets[i], p));
          add_row (self, i, 1);
        }
      return TRUE;
    }
  g_autoptr (TrcTensor) rows =
      trc_tensor_new (self->tracer->device, TRC_F32,
                      TRC_SHAPE (n, self->tracer->config->d_model), "new rows", error);
  if (rows == NULL
      || !trc_readers_single (self->tracer, self->rule, self->targets + first, n, weights, rows,
                              0, error)
      || !scatter_dense (self, rows, first, n, error))
    return FALSE;
  for (guint i = first; i < first + n; i++)
    note_dense_rows (self, i);
  return TRUE;
}

static gboolean
join_heads (Sweep *self, guint first, guint n, const TrcReaderWeights *weights, GError **error)
{
  if (!trc_readers_heads (self->tracer, self->rule, self->targets + first, n, weights,
                          self->block, self->n_rows, error))
    return FALSE;
  for (guint i = first; i < first + n; i++)
    note_head_rows (self, i);
  return TRUE;
}

static gboolean
same_run (const TrcPlace *a, const TrcPlace *b)
{
  return a->kind == b->kind && a->layer == b->layer
         && (a->kind != TRC_KIND_HEAD || a->index == b->index);
}

static gboolean
take_weights (Sweep *self, TrcKind kind, guint layer, TrcReaderWeights *w, GError **error)
{
  TrcTracer *t = self->tracer;
  *w = (TrcReaderWeights){ NULL };
  if (kind == TRC_KIND_LOGIT)
    return (w->first = trc_block_weight (t, TRC_WEIGHT_UNEMBED, 0, error)) != NULL;
  if (kind == TRC_KIND_NEURON)
    return (w->first = trc_block_weight (t, TRC_WEIGHT_UP, layer, error)) != NULL
           && (!t->config->gated
               || (w->second = trc_block_weight (t, TRC_WEIGHT_GATE, layer, error)) != NULL);
  return (w->first = trc_block_weight (t, TRC_WEIGHT_V, layer, error)) != NULL
         && (!self->rule->live
             || ((w->second = trc_block_weight (t, TRC_WEIGHT_K, layer, error)) != NULL
                 && (w->third = trc_block_weight (t, TRC_WEIGHT_Q, layer, error)) != NULL));
}

/* What frozen rows leave to biases: norm bias through the weight, the weight's own bias. */
static gboolean
reader_biases (Sweep *self, guint first, guint end, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  TrcPlace at = self->targets[first].place;
  guint width = at.kind == TRC_KIND_LOGIT    ? c->n_vocab
                : at.kind == TRC_KIND_NEURON ? c->d_mlp
                                             : c->n_kv_heads * c->d_head;
  g_autofree double *b = g_new (double, width);
  TrcWeightRole role = at.kind == TRC_KIND_LOGIT    ? TRC_WEIGHT_UNEMBED
                       : at.kind == TRC_KIND_NEURON ? TRC_WEIGHT_UP
                                                    : TRC_WEIGHT_V,
                own = at.kind == TRC_KIND_LOGIT    ? TRC_WEIGHT_UNEMBED_B
                      : at.kind == TRC_KIND_NEURON ? TRC_WEIGHT_UP_B
                                                   : TRC_WEIGHT_V_B,
                norm = at.kind == TRC_KIND_LOGIT    ? TRC_WEIGHT_NORM_FINAL_B
                       : at.kind == TRC_KIND_NEURON ? TRC_WEIGHT_NORM2_B
                                                    : TRC_WEIGHT_NORM1_B;

  if (!trc_block_bias (t, role, own, norm, at.layer, b, error))
    return FALSE;
  for (guint i = first; i < end; i++)
    {
      TrcTarget *target = &self->targets[i];
      TrcPlace p = target->place;
      if (p.kind == TRC_KIND_NEURON)
        target->bias += b[p.index];
      for (guint v = 0; p.kind == TRC_KIND_LOGIT && v < width; v++)
        target->bias += b[v] * t->logit_weights[(gsize)p.index * width + v];
      const float *g = p.kind == TRC_KIND_HEAD ? self->rule->points[0]->g_z[p.layer] : NULL;
      guint group = p.index / (c->n_heads / c->n_kv_heads);
      for (guint j = 0; g != NULL && j < c->d_head; j++)
        target->bias += b[group * c->d_head + j]
                        * g[((gsize)p.position * c->n_heads + p.index) * c->d_head + j];
    }
  return TRUE;
}

/* The value that links and biases have to add up to, as the pass itself recorded it. */
static double
recorded_value (const Sweep *self, const TrcTarget *target)
{
  const TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  TrcPlace p = target->place;
  const TrcRecord *pass = self->rule->points[0];
  double sum = 0;

  if (p.kind == TRC_KIND_NEURON)
    return (c->gated ? pass->act : pass->pre)[p.layer][(gsize)p.position * c->d_mlp + p.index];
  if (p.kind == TRC_KIND_LOGIT)
    {
      for (guint v = 0; v < c->n_vocab; v++)
        sum += (double)t->logit_weights[(gsize)p.index * c->n_vocab + v] * pass->logits[v];
      return sum;
    }
  gsize at = ((gsize)p.position * c->n_heads + p.index) * c->d_head;
  for (guint j = 0; pass->g_z[p.layer] != NULL && j < c->d_head; j++)
    sum += (double)pass->z[p.layer][at + j] * pass->g_z[p.layer][at + j];
  return sum;
}

/* The stream at a reader, clean minus baseline. */
static float *
input_difference (const Sweep *self, TrcKind kind, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  gsize n = (gsize)t->n_tokens * t->config->d_model;
  g_autofree float *x = g_new (float, n);
  g_autofree float *y = g_new (float, n);

  if (!trc_tensor_read (trc_readers_input (t, t->clean, kind, layer), x, n, error))
    return NULL;
  if (t->other == NULL)
    return g_steal_pointer (&x);
  if (!trc_tensor_read (trc_readers_input (t, t->other, kind, layer), y, n, error))
    return NULL;
  for (gsize i = 0; i < n; i++)
    x[i] -= y[i];
  return g_steal_pointer (&x);
}

/* Where no recorded value fits (differences, live rules): the rows times what they read. */
static gboolean
value_by_reading (Sweep *self, guint first_row, TrcKind kind, guint layer, GError **error)
{
  guint d = self->tracer->config->d_model, n = self->n_rows - first_row;
  g_autofree float *x = input_difference (self, kind, layer, error);
  g_autofree float *rows = g_new (float, (gsize)n *d);

  if (x == NULL
      || !trc_tensor_read_part (self->block, (gsize)first_row * d, rows, (gsize)n * d, error))
    return FALSE;
  for (guint r = 0; r < n; r++)
    {
      const Row *row = &g_array_index (self->rows, Row, first_row + r);
      for (guint e = 0; e < row->n_entries; e++)
        {
          const Entry *at = &g_array_index (self->entries, Entry, row->first_entry + e);
          double sum = 0;
          for (guint j = 0; j < d; j++)
            sum += (double)rows[(gsize)r * d + j] * x[(gsize)at->position * d + j];
          self->targets[row->target].value += at->factor * sum;
        }
    }
  return TRUE;
}

static gboolean
finish_join (Sweep *self, guint first, guint end, guint first_row, GError **error)
{
  const TrcTracer *t = self->tracer;
  TrcPlace at = self->targets[first].place;
  gboolean gated = at.kind == TRC_KIND_NEURON && t->config->gated;
  gboolean by_reading = self->rule->live || t->other != NULL || gated;

  if (!self->rule->live && t->other == NULL && !gated
      && !reader_biases (self, first, end, error))
    return FALSE;
  /* One group of sources is a part of a row, without a value of its own.
   * The difference of two prompts is no sum of writes behind one prompt's frozen patterns. */
  if (self->partial || (self->dense && t->other != NULL))
    for (guint i = first; i < end; i++)
      self->targets[i].value = NAN;
  else if (by_reading)
    return value_by_reading (self, first_row, at.kind, at.layer, error);
  else
    for (guint i = first; i < end; i++)
      self->targets[i].value = recorded_value (self, &self->targets[i]);
  return TRUE;
}

/* All targets of a kind and layer, which are next in line, enter the block. */
static gboolean
join (Sweep *self, TrcKind kind, guint layer, GError **error)
{
  TrcReaderWeights weights;
  guint start = self->next, first_row = self->n_rows;

  while (self->next < self->n_targets && self->targets[self->next].place.kind == kind
         && self->targets[self->next].place.layer == layer)
    {
      guint first = self->next, n = 0;
      if (first == start && !take_weights (self, kind, layer, &weights, error))
        return FALSE;
      while (first + n < self->n_targets && n < self->tile
             && same_run (&self->targets[first].place, &self->targets[first + n].place))
        n++;
      self->next += n;
      if (!(kind == TRC_KIND_HEAD ? join_heads (self, first, n, &weights, error)
                                  : join_single (self, first, n, &weights, error)))
        return FALSE;
    }
  return self->next == start || finish_join (self, start, self->next, first_row, error);
}

/* ---- sources ---- */

static void
credit (Sweep *self, TrcTarget *target, guint index, gint32 node, guint position, double weight)
{
  if (weight == 0)
    return;
  if (node >= 0)
    trc_target_add (target, node, weight);
  else
    self->rest[(gsize)index * self->tracer->n_tokens + position] += weight;
}

static void
credit_neurons (Sweep *self, guint layer, const Row *row, const float *products)
{
  guint m = self->tracer->config->d_mlp;
  TrcTarget *target = &self->targets[row->target];

  for (guint e = 0; e < row->n_entries; e++)
    {
      const Entry *at = &g_array_index (self->entries, Entry, row->first_entry + e);
      const float *act = self->tracer->d_act[layer] + (gsize)at->position * m;
      const gint32 *node = self->chosen->neuron[layer] + (gsize)at->position * m;
      for (guint i = 0; i < m; i++)
        credit (self, target, row->target, node[i], at->position,
                (double)at->factor * act[i] * products[i]);
    }
}

static void
credit_heads (Sweep *self, guint layer, const Row *row, const float *products)
{
  const TrcModelConfig *c = self->tracer->config;
  guint w = c->n_heads * c->d_head;
  TrcTarget *target = &self->targets[row->target];

  for (guint e = 0; e < row->n_entries; e++)
    {
      const Entry *at = &g_array_index (self->entries, Entry, row->first_entry + e);
      const float *z = self->tracer->d_z[layer] + (gsize)at->position * w;
      for (guint h = 0; h < c->n_heads; h++)
        {
          double sum = 0;
          for (guint j = h * c->d_head; j < (h + 1) * c->d_head; j++)
            sum += (double)z[j] * products[j];
          credit (self, target, row->target,
                  self->chosen->head[layer][(gsize)at->position * c->n_heads + h], at->position,
                  at->factor * sum);
        }
    }
}

/* bias += rows [first, first + n) of @rows times the vector of @role, by their factors. */
static gboolean
add_bias (Sweep *self, TrcTensor *rows, guint first_in, guint first, guint n, guint width,
          TrcWeightRole role, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  if (t->other != NULL || n == 0 || !trc_model_has_weight (t->model, role, layer))
    return TRUE;
  const TrcWeight *b = trc_model_weight (t->model, t->device, role, layer, error);
  g_autoptr (TrcTensor) out =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (n), "biases", error);
  g_autofree float *values = g_new (float, n);
  TrcReduceParams p = {
    .rows = n, .cols = width, .ld_a = width, .ld_b = width, .b_period = 1, .alpha = 1
  };
  p.off[0] = first_in * width;
  if (b == NULL || out == NULL || !trc_op_dot_rows (rows, b->tensor, out, &p, error)
      || !trc_tensor_read (out, values, n, error))
    return FALSE;
  for (guint r = 0; r < n; r++)
    {
      const Row *row = &g_array_index (self->rows, Row, first + r);
      double factors = 0;
      for (guint e = 0; e < row->n_entries; e++)
        factors += g_array_index (self->entries, Entry, row->first_entry + e).factor;
      self->targets[row->target].bias += factors * values[r];
    }
  return TRUE;
}

typedef void (*CreditFunc) (Sweep *self, guint layer, const Row *row, const float *products);

/* All rows times all that one weight of a layer writes, tile by tile. */
static gboolean
meet_sources (Sweep *self, TrcWeightRole role, TrcWeightRole bias, guint layer,
              CreditFunc credit_row, GError **error)
{
  TrcTracer *t = self->tracer;
  guint d = t->config->d_model;
  const TrcWeight *w = self->n_rows > 0 ? trc_block_weight (t, role, layer, error) : NULL;

  if (w == NULL)
    return self->n_rows == 0;
  guint tile = MIN (self->tile, self->n_rows);
  t->report->operations += 2.0 * self->n_rows * d * w->n_in;
  g_autoptr (TrcTensor) out =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (tile, w->n_in), "products", error);
  g_autofree float *products = g_try_new (float, (gsize)tile * w->n_in);
  if (out == NULL || products == NULL)
    return out != NULL
           && (g_set_error (
                   error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for a tile of %u rows; lower the memory budget.", tile),
               FALSE);
  for (guint first = 0; first < self->n_rows; first += tile)
    {
      guint n = MIN (tile, self->n_rows - first);
      const TrcPull pull = {
        .s = self->block, .out = out, .first_row_s = first, .rows = n, .ld_s = d, .columns = d
      };
      if (trc_progress_cancelled (t->progress, error) || !trc_block_pull (w, &pull, error)
          || !trc_tensor_read_part (out, 0, products, (gsize)n * w->n_in, error))
        return FALSE;
      for (guint r = 0; r < n; r++)
        credit_row (self, layer, &g_array_index (self->rows, Row, first + r),
                    products + (gsize)r * w->n_in);
    }
  return add_bias (self, self->block, 0, 0, self->n_rows, d, bias, layer, error);
}

static void
settle_rest (Sweep *self, guint layer)
{
  guint t = self->tracer->n_tokens;
  for (guint i = 0; i < self->next; i++)
    for (guint p = 0; p < t; p++)
      {
        double *weight = &self->rest[(gsize)i * t + p];
        gint32 node = self->chosen->rest[(gsize)layer * t + p];
        if (*weight != 0 && node >= 0)
          trc_target_add (&self->targets[i], node, *weight);
        *weight = 0;
      }
}

/* ---- transparent heads ---- */

/* dv of the rows [first, first + n): through W_O and the frozen pattern. */
static gboolean
pull_pattern (Sweep *self, const TrcWeight *w, guint layer, guint first, guint n, TrcTensor *y,
              TrcTensor *dv, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;
  guint t = self->tracer->n_tokens, width = c->n_heads * c->d_head,
        kv = c->n_kv_heads * c->d_head;
  const TrcPull pull = { .s = self->block,
                         .out = y,
                         .first_row_s = first,
                         .rows = n,
                         .ld_s = c->d_model,
                         .columns = c->d_model };
  const TrcAttnParams p = { .batch = n / t,
                            .n_heads = c->n_heads,
                            .n_kv_heads = c->n_kv_heads,
                            .t_q = t,
                            .t_k = t,
                            .d_head = c->d_head,
                            .x_batch = t * width,
                            .x_row = width,
                            .x_head = c->d_head,
                            .y_batch = t * kv,
                            .y_row = kv,
                            .y_head = c->d_head,
                            .causal = 1,
                            .scale = 1 };
  return trc_block_pull (w, &pull, error)
         && trc_op_attn_mix_t (
             trc_record_tensor (self->rule->points[0], TRC_SITE_PATTERN, layer), y, dv, &p,
             error);
}

/* Adds what comes back through the layer's norm to the rows it came from. */
static gboolean
pull_values (Sweep *self, const TrcWeight *w, guint layer, guint first, guint n, TrcTensor *dv,
             TrcTensor *dx, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  guint d = c->d_model;
  const TrcPull pull = { .s = dv, .out = dx, .rows = n, .ld_s = w->n_out, .columns = w->n_out };
  TrcNormParams p = { .rows = n,
                      .d = d,
                      .ld_x = d,
                      .ld_y = d,
                      .ld_dx = d,
                      .x_period = t->n_tokens,
                      .kind = c->norm,
                      .freeze_scale = 1,
                      .accumulate = 1 };
  TrcAxpbyParams plain = { .rows = n, .cols = d, .ld_x = d, .ld_y = d, .alpha = 1, .beta = 1 };
  const TrcWeight *gain = NULL;

  p.off[5] = plain.off[1] = first * d;
  if (!trc_block_pull (w, &pull, error)
      || !add_bias (self, dx, 0, first, n, d, TRC_WEIGHT_NORM1_B, layer, error)
      || !add_bias (self, dv, 0, first, n, w->n_out, TRC_WEIGHT_V_B, layer, error))
    return FALSE;
  if (c->norm == TRC_NORM_NONE)
    return trc_op_axpby (dx, self->block, &plain, error);
  if (trc_model_has_weight (t->model, TRC_WEIGHT_NORM1_W, layer)
      && (gain = trc_model_weight (t->model, t->device, TRC_WEIGHT_NORM1_W, layer, error))
             == NULL)
    return FALSE;
  p.has_gain = gain != NULL;
  return trc_op_norm_vjp (dx, NULL, gain != NULL ? gain->tensor : NULL, NULL,
                          trc_record_tensor (self->rule->points[0], TRC_SITE_NORM1_RSTD, layer),
                          self->block, &p, error);
}

static gboolean
pull_attention (Sweep *self, guint layer, GError **error)
{
  TrcTracer *t = self->tracer;
  const TrcModelConfig *c = t->config;
  guint tile = MIN (self->tile, self->n_rows);

  if (self->n_rows == 0)
    return TRUE;
  const TrcWeight *o = trc_block_weight (t, TRC_WEIGHT_O, layer, error);
  const TrcWeight *v = o != NULL ? trc_block_weight (t, TRC_WEIGHT_V, layer, error) : NULL;
  if (v == NULL
      || !add_bias (self, self->block, 0, 0, self->n_rows, c->d_model, TRC_WEIGHT_O_B, layer,
                    error))
    return FALSE;
  t->report->operations += 2.0 * self->n_rows * c->d_model * (o->n_in + v->n_out);
  g_autoptr (TrcTensor) y =
      trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (tile, o->n_in), "dz", error);
  g_autoptr (TrcTensor) dv =
      y == NULL ? NULL
                : trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (tile, v->n_out), "dv", error);
  g_autoptr (TrcTensor) dx =
      dv == NULL
          ? NULL
          : trc_tensor_new (t->device, TRC_F32, TRC_SHAPE (tile, c->d_model), "dx", error);
  if (dx == NULL)
    return FALSE;
  for (guint first = 0; first < self->n_rows; first += tile)
    {
      guint n = MIN (tile, self->n_rows - first);
      if (trc_progress_cancelled (t->progress, error)
          || !pull_pattern (self, o, layer, first, n, y, dv, error)
          || !pull_values (self, v, layer, first, n, dv, dx, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- the walk ---- */

static gboolean
layer_attention (Sweep *self, guint layer, GError **error)
{
  return self->dense
             ? pull_attention (self, layer, error)
             : meet_sources (self, TRC_WEIGHT_O, TRC_WEIGHT_O_B, layer, credit_heads, error);
}

/* Whether the sources of a kind and layer belong to this sweep. */
static gboolean
wants (const Sweep *self, TrcKind kind, guint layer)
{
  return !self->partial || (self->source == kind && self->source_layer == layer);
}

static gboolean
walk_layer (Sweep *self, guint layer, GError **error)
{
  gboolean parallel = self->tracer->config->parallel;

  if (wants (self, TRC_KIND_NEURON, layer)
      && !meet_sources (self, TRC_WEIGHT_DOWN, TRC_WEIGHT_DOWN_B, layer, credit_neurons, error))
    return FALSE;
  if (!parallel && !join (self, TRC_KIND_NEURON, layer, error))
    return FALSE;
  if (wants (self, TRC_KIND_HEAD, layer) && !layer_attention (self, layer, error))
    return FALSE;
  if (parallel && !join (self, TRC_KIND_NEURON, layer, error))
    return FALSE;
  settle_rest (self, layer);
  return self->dense || join (self, TRC_KIND_HEAD, layer, error);
}

static gboolean
meet_embeddings (Sweep *self, GError **error)
{
  TrcTracer *t = self->tracer;
  gsize d = t->config->d_model;
  g_autofree float *rows = g_new (float, MAX (self->tile * d, 1));

  for (guint first = 0; first < self->n_rows; first += self->tile)
    {
      guint n = MIN (self->tile, self->n_rows - first);
      if (!trc_tensor_read_part (self->block, first * d, rows, n * d, error))
        return FALSE;
      for (guint r = 0; r < n; r++)
        {
          const Row *row = &g_array_index (self->rows, Row, first + r);
          for (guint e = 0; e < row->n_entries; e++)
            {
              const Entry *at = &g_array_index (self->entries, Entry, row->first_entry + e);
              const float *x = t->d_embed + at->position * d;
              double sum = 0;
              for (gsize j = 0; j < d; j++)
                sum += (double)rows[r * d + j] * x[j];
              trc_target_add (&self->targets[row->target], at->position, at->factor * sum);
            }
        }
    }
  return TRUE;
}

static gboolean
sweep_part (Sweep *self, GError **error)
{
  const TrcModelConfig *c = self->tracer->config;

  self->tracer->report->sweeps++;
  if (!join (self, TRC_KIND_LOGIT, 0, error))
    return FALSE;
  for (guint l = c->n_layers; l-- > 0;)
    {
      g_autofree char *text = g_strdup_printf ("rows: layer %u of %u", l, c->n_layers);
      trc_progress_report (self->tracer->progress, 0.5 + 0.4 * (c->n_layers - l) / c->n_layers,
                           text);
      if (!walk_layer (self, l, error))
        return FALSE;
      if (self->partial && self->source != TRC_KIND_EMBED && self->source_layer == l)
        return TRUE; /* nothing below is asked for */
    }
  return meet_embeddings (self, error);
}

/* How many of the targets fit into half of the memory budget; the other half is for tiles. */
static guint
fitting (Sweep *self, guint first, guint n)
{
  gsize limit = self->tracer->params->memory_budget / 2,
        row = self->tracer->config->d_model * sizeof (float), used = 0;
  guint i = 0;

  self->capacity = 0;
  while (i < n)
    {
      guint rows = rows_of (self, &self->targets[first + i]);
      gsize more = rows * row + self->tracer->n_tokens * sizeof (double);
      if (i > 0 && used + more > limit)
        break;
      used += more;
      self->capacity += rows;
      i++;
    }
  return i;
}

/* Rows whose widest product fits into a quarter of the budget; whole targets when dense. */
static guint
tile_rows (const TrcTracer *t, gboolean dense)
{
  const TrcModelConfig *c = t->config;
  gsize widest = MAX (MAX (c->d_mlp, c->n_heads * c->d_head), c->d_model);
  gsize rows = t->params->memory_budget / 4 / (3 * widest * sizeof (float));
  rows = CLAMP (rows, 16, 4096);
  return dense ? MAX (rows / t->n_tokens, 1) * t->n_tokens : rows;
}

static gboolean
sweep_group (Sweep *self, TrcTarget *targets, guint n, GError **error)
{
  TrcTracer *t = self->tracer;

  self->targets = targets;
  self->n_targets = n;
  self->next = self->n_rows = 0;
  self->block = trc_tensor_new (t->device, TRC_F32,
                                TRC_SHAPE (MAX (self->capacity, 1), t->config->d_model),
                                "targets", error);
  self->rows = g_array_new (FALSE, FALSE, sizeof (Row));
  self->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  self->rest = g_new0 (double, (gsize)n * t->n_tokens);
  gboolean ok = self->block != NULL && sweep_part (self, error);
  g_clear_pointer (&self->block, trc_tensor_unref);
  g_array_unref (self->rows);
  g_array_unref (self->entries);
  g_clear_pointer (&self->rest, g_free);
  return ok;
}

/* All targets against the sources of one part of the rule. */
static gboolean
sweep_targets (Sweep *self, TrcTarget *targets, guint n, GError **error)
{
  for (guint first = 0; first < n;)
    {
      self->targets = targets;
      guint count = fitting (self, first, n - first);
      if (!sweep_group (self, targets + first, count, error))
        return FALSE;
      first += count;
    }
  return TRUE;
}

gboolean
trc_sweep (TrcTracer *tracer, const TrcRule *rule, const TrcChosen *chosen, TrcTarget *targets,
           guint n, GError **error)
{
  Sweep self = { .tracer = tracer,
                 .rule = rule,
                 .chosen = chosen,
                 .partial = rule->n_groups > 1,
                 .dense = tracer->params->heads == TRC_HEADS_TRANSPARENT };

  self.tile = tile_rows (tracer, self.dense);
  for (guint group = 0; group < rule->n_groups; group++)
    {
      self.source = group == 0       ? TRC_KIND_EMBED
                    : group % 2 == 1 ? TRC_KIND_HEAD
                                     : TRC_KIND_NEURON;
      self.source_layer = group > 0 ? (group - 1) / 2 : 0;
      const TrcRule part = trc_rule_part (rule, self.source, self.source_layer);
      self.rule = &part;
      if (!sweep_targets (&self, targets, n, error))
        return FALSE;
    }
  return TRUE;
}
