#include "compute/attribution/tracer.h"

#include <string.h>

gboolean
trc_block_pull (const TrcWeight *w, const TrcPull *pull, GError **error)
{
  TrcMatmulParams p = {
    .m = pull->rows,
    .n = w->n_in,
    .k = pull->columns,
    .ld_a = pull->ld_s,
    .ld_b = w->out_major ? w->n_in : w->n_out,
    .ld_c = w->n_in,
    .trans_b = !w->out_major,
    .accumulate = pull->accumulate,
    .alpha = 1,
    .n_outer = 1,
    .n_inner = 1,
    .b_group = 1,
  };

  p.off[0] = pull->first_row_s * pull->ld_s;
  p.off[1] = w->out_major ? pull->first * w->n_in : pull->first;
  p.off[3] = pull->first_row_out * w->n_in;
  return trc_op_matmul (pull->s, w->tensor, NULL, pull->out, &p, error);
}

const TrcWeight *
trc_block_weight (TrcTracer *tracer, TrcWeightRole role, guint layer, GError **error)
{
  const TrcWeight *w = trc_model_weight (tracer->model, tracer->device, role, layer, error);
  if (w != NULL)
    {
      tracer->report->weight_reads++;
      tracer->report->bytes_read += trc_tensor_bytes (w->tensor);
    }
  return w;
}

double *
trc_block_vector (TrcTracer *tracer, TrcWeightRole role, guint layer, guint n, GError **error)
{
  g_autofree double *values = g_new0 (double, n);

  if (trc_model_has_weight (tracer->model, role, layer))
    {
      g_autofree float *narrow = g_new (float, n);
      if (!trc_model_weight_host (tracer->model, role, layer, narrow, n, error))
        return NULL;
      for (guint i = 0; i < n; i++)
        values[i] = narrow[i];
    }
  return g_steal_pointer (&values);
}

/* x [1][n_in] times @w, on the device. */
static gboolean
times_row (TrcTracer *tracer, const TrcWeight *w, TrcTensor *x, double *dst, GError **error)
{
  g_autofree float *row = g_new (float, w->n_out);
  g_autoptr (TrcTensor) y =
      trc_tensor_new (tracer->device, TRC_F32, TRC_SHAPE (1, w->n_out), "bias row", error);
  const TrcMatmulParams p = {
    .m = 1,
    .n = w->n_out,
    .k = w->n_in,
    .ld_a = w->n_in,
    .ld_b = w->out_major ? w->n_in : w->n_out,
    .ld_c = w->n_out,
    .trans_b = w->out_major,
    .alpha = 1,
    .n_outer = 1,
    .n_inner = 1,
    .b_group = 1,
  };

  if (y == NULL || !trc_op_matmul (x, w->tensor, NULL, y, &p, error)
      || !trc_tensor_read (y, row, w->n_out, error))
    return FALSE;
  for (guint i = 0; i < w->n_out; i++)
    dst[i] += row[i];
  return TRUE;
}

gboolean
trc_block_bias (TrcTracer *tracer, TrcWeightRole role, TrcWeightRole bias,
                TrcWeightRole norm_bias, guint layer, double *dst, GError **error)
{
  guint n_in, n_out;
  trc_model_weight_shape (tracer->model, role, &n_in, &n_out);
  g_autofree double *own = trc_block_vector (tracer, bias, layer, n_out, error);

  if (own == NULL)
    return FALSE;
  memcpy (dst, own, n_out * sizeof *dst);
  if (!trc_model_has_weight (tracer->model, norm_bias, layer))
    return TRUE;
  const TrcWeight *w = trc_model_weight (tracer->model, tracer->device, role, layer, error);
  const TrcWeight *x =
      trc_model_weight (tracer->model, tracer->device, norm_bias, layer, error);
  return w != NULL && x != NULL && times_row (tracer, w, x->tensor, dst, error);
}

/* Row i holds the value of @places[i] in its own columns and zeros elsewhere. */
static float *
spread_values (const TrcTracer *tracer, const TrcPlace *places, guint n, guint width)
{
  const TrcModelConfig *c = tracer->config;
  float *rows = g_new0 (float, (gsize)n *width);

  for (guint i = 0; i < n; i++)
    {
      const TrcPlace *s = &places[i];
      float *row = rows + (gsize)i * width;
      gsize dh = c->d_head;
      if (s->kind == TRC_KIND_EMBED)
        memcpy (row, tracer->d_embed + (gsize)s->position * c->d_model, width * sizeof *row);
      else if (s->kind == TRC_KIND_HEAD)
        memcpy (row + s->index * dh,
                tracer->d_z[s->layer] + ((gsize)s->position * c->n_heads + s->index) * dh,
                dh * sizeof *row);
      else
        row[s->index] = tracer->d_act[s->layer][(gsize)s->position * c->d_mlp + s->index];
    }
  return rows;
}

TrcTensor *
trc_block_writes (TrcTracer *tracer, const TrcPlace *places, guint n, GError **error)
{
  const TrcModelConfig *c = tracer->config;
  TrcKind kind = places[0].kind;
  guint width = kind == TRC_KIND_EMBED  ? c->d_model
                : kind == TRC_KIND_HEAD ? c->n_heads * c->d_head
                                        : c->d_mlp;
  g_autofree float *rows = spread_values (tracer, places, n, width);
  g_autoptr (TrcTensor) spread =
      trc_tensor_from_data (tracer->device, TRC_F32, TRC_SHAPE (n, width), rows,
                            (gsize)n * width * sizeof *rows, "node values", error);

  if (spread == NULL || kind == TRC_KIND_EMBED)
    return g_steal_pointer (&spread);
  const TrcWeight *w = trc_model_weight (tracer->model, tracer->device,
                                         kind == TRC_KIND_HEAD ? TRC_WEIGHT_O : TRC_WEIGHT_DOWN,
                                         places[0].layer, error);
  g_autoptr (TrcTensor) out =
      trc_tensor_new (tracer->device, TRC_F32, TRC_SHAPE (n, c->d_model), "writes", error);
  if (w == NULL || out == NULL)
    return NULL;
  const TrcMatmulParams p = {
    .m = n,
    .n = c->d_model,
    .k = width,
    .ld_a = width,
    .ld_b = w->out_major ? width : c->d_model,
    .ld_c = c->d_model,
    .trans_b = w->out_major,
    .alpha = 1,
    .n_outer = 1,
    .n_inner = 1,
    .b_group = 1,
  };
  return trc_op_matmul (spread, w->tensor, NULL, out, &p, error) ? g_steal_pointer (&out)
                                                                 : NULL;
}

float *
trc_block_difference (TrcTracer *t, TrcSite site, TrcWeightRole bias, guint layer,
                      GError **error)
{
  guint d = t->config->d_model;
  gsize n = (gsize)t->n_tokens * d;
  g_autofree float *x = trc_record_dup (t->clean, site, layer, error);
  g_autofree float *y = NULL;
  g_autofree double *b = NULL;

  if (x == NULL)
    return NULL;
  if (t->other != NULL && (y = trc_record_dup (t->other, site, layer, error)) == NULL)
    return NULL;
  if (t->other == NULL && (b = trc_block_vector (t, bias, layer, d, error)) == NULL)
    return NULL;
  for (gsize i = 0; i < n; i++)
    x[i] -= y != NULL ? y[i] : b[i % d];
  return g_steal_pointer (&x);
}
