#include "compute/tape/tape_impl.h"

/* --- norms -------------------------------------------------------------------------------- */

/* saved[0] is rstd, saved[1] the mean (NULL for RMSNorm). */
static void
norm_back (TrcTape *tape, TrcNode *node)
{
  TrcOpCall call = { .op = TRC_OP_NORM_VJP, .params = node->params };
  TrcTensor *x = trc_tape_tensor (tape, node->in[0]);
  TrcTensor *gain = trc_tape_tensor (tape, node->in[1]), *dgain = NULL, *dbias = NULL;
  guint32 add_gain = 0, add_bias = 0;

  call.tensor[0] = node->grad, call.tensor[1] = x, call.tensor[2] = gain;
  call.tensor[3] = node->saved[1], call.tensor[4] = node->saved[0];
  call.tensor[5] = trc_tape_grad_for (tape, node->in[0], &call.params.norm.accumulate);
  if (call.tensor[5] != NULL)
    trc_tape_run (tape, &call);

  dgain = trc_tape_grad_for (tape, node->in[1], &add_gain);
  dbias = trc_tape_grad_for (tape, node->in[2], &add_bias);
  for (guint pass = 0; pass < 2; pass++) /* together, unless only one of them is added to */
    {
      gboolean both = dgain != NULL && dbias != NULL && add_gain == add_bias;
      TrcOpCall g = { .op = TRC_OP_NORM_VJP_GAIN, .params = node->params };
      g.tensor[0] = node->grad, g.tensor[1] = x, g.tensor[2] = node->saved[1];
      g.tensor[3] = node->saved[0];
      g.tensor[4] = pass == 0 ? dgain : NULL;
      g.tensor[5] = (pass == 0) == both ? dbias : NULL;
      g.params.norm.accumulate = g.tensor[4] != NULL ? add_gain : add_bias;
      if (g.tensor[4] != NULL || g.tensor[5] != NULL)
        trc_tape_run (tape, &g);
    }
}

TrcVar
trc_tape_norm (TrcTape *self, TrcVar x, TrcVar gain, TrcVar bias, guint kind, float eps,
               float gain_add, gboolean freeze_scale)
{
  TrcNode node = { .back = norm_back, .in = { x, gain, bias } };
  TrcNormParams *p = &node.params.norm;

  if (!trc_tape_ready (self, 1, &x))
    return TRC_VAR_NONE;
  p->rows = trc_tape_rows_of (self, x);
  p->d = p->ld_x = p->ld_y = p->ld_dx = trc_tape_cols_of (self, x);
  p->kind = kind, p->eps = eps, p->gain_add = gain_add;
  p->has_gain = gain != TRC_VAR_NONE, p->has_bias = bias != TRC_VAR_NONE;
  p->freeze_scale = freeze_scale;
  if ((p->has_gain && trc_tensor_n (trc_tape_tensor (self, gain)) != p->d)
      || (p->has_bias && trc_tensor_n (trc_tape_tensor (self, bias)) != p->d))
    return trc_tape_misfit (self, "trc_tape_norm");

  node.tensor = trc_tape_out (self, trc_tensor_shape (trc_tape_tensor (self, x)), "norm");
  node.saved[0] = trc_tape_out (self, TRC_SHAPE (p->rows), "norm scale");
  if (kind == TRC_NORM_LAYER)
    node.saved[1] = trc_tape_out (self, TRC_SHAPE (p->rows), "norm mean");
  trc_tape_run (
      self, &(TrcOpCall){ .op = TRC_OP_NORM,
                          .tensor = { trc_tape_tensor (self, x), trc_tape_tensor (self, gain),
                                      trc_tape_tensor (self, bias), node.tensor, node.saved[1],
                                      node.saved[0] },
                          .params = node.params });
  return trc_tape_push (self, &node);
}

TrcTensor *
trc_tape_norm_rstd (const TrcTape *self, TrcVar norm)
{
  TrcNode *node = trc_tape_node (self, norm);

  g_return_val_if_fail (norm == TRC_VAR_NONE || node->back == norm_back, NULL);
  return node->saved[0];
}

TrcTensor *
trc_tape_norm_mean (const TrcTape *self, TrcVar norm)
{
  TrcNode *node = trc_tape_node (self, norm);

  g_return_val_if_fail (norm == TRC_VAR_NONE || node->back == norm_back, NULL);
  return node->saved[1];
}

/* --- activations -------------------------------------------------------------------------- */

static void
act_back (TrcTape *tape, TrcNode *node)
{
  TrcOpCall call = { .op = TRC_OP_ACT_VJP, .params = node->params };
  TrcActParams *p = &call.params.act;

  memset (p->off, 0, sizeof p->off);
  call.tensor[0] = node->grad;
  call.tensor[1] = trc_tape_tensor (tape, node->in[0]);
  p->off[1] = p->off[3] = node->params.act.off[0];
  p->ld_dx = p->ld_x, p->ld_du = p->ld_u;
  if (p->gated)
    {
      call.tensor[2] = trc_tape_tensor (tape, node->in[1]);
      call.tensor[3] = trc_tape_grad_part (tape, node->in[0]);
      call.tensor[4] = trc_tape_grad_part (tape, node->in[1]);
      p->off[2] = p->off[4] = node->params.act.off[1];
      p->accumulate = 1;
    }
  else
    call.tensor[3] = trc_tape_grad_for (tape, node->in[0], &p->accumulate);
  if (call.tensor[3] != NULL || call.tensor[4] != NULL)
    trc_tape_run (tape, &call);
}

static TrcVar
push_act (TrcTape *self, TrcNode *node, guint32 cols)
{
  TrcActParams *p = &node->params.act;

  p->rows = trc_tape_rows_of (self, node->in[0]);
  p->cols = p->ld_y = cols;
  p->ld_x = trc_tape_cols_of (self, node->in[0]);
  node->tensor = trc_tape_out (self, TRC_SHAPE (p->rows, cols), "activation");
  if (node->tensor != NULL)
    trc_tape_run (self,
                  &(TrcOpCall){ .op = TRC_OP_ACT,
                                .tensor = { trc_tape_tensor (self, node->in[0]),
                                            trc_tape_tensor (self, node->in[1]), node->tensor },
                                .params = node->params });
  return trc_tape_push (self, node);
}

TrcVar
trc_tape_act (TrcTape *self, TrcVar x, guint kind, guint rule)
{
  TrcNode node = { .back = act_back,
                   .in = { x },
                   .params.act = { .kind = kind, .rule = rule } };

  if (!trc_tape_ready (self, 1, &x))
    return TRC_VAR_NONE;
  return push_act (self, &node, trc_tape_cols_of (self, x));
}

TrcVar
trc_tape_gated (TrcTape *self, TrcCols gate, TrcCols up, guint32 width, guint kind, guint rule)
{
  TrcNode node = {
    .back = act_back,
    .in = { gate.var, up.var },
    .params.act = { .off = { gate.column, up.column }, .kind = kind, .rule = rule, .gated = 1 }
  };

  if (!trc_tape_ready (self, 2, node.in))
    return TRC_VAR_NONE;
  if (trc_tape_rows_of (self, gate.var) != trc_tape_rows_of (self, up.var)
      || (guint64)gate.column + width > trc_tape_cols_of (self, gate.var)
      || (guint64)up.column + width > trc_tape_cols_of (self, up.var))
    return trc_tape_misfit (self, "trc_tape_gated");
  node.params.act.ld_u = trc_tape_cols_of (self, up.var);
  return push_act (self, &node, width);
}

/* --- softmax and cross-entropy ------------------------------------------------------------ */

static void
softmax_back (TrcTape *tape, TrcNode *node)
{
  TrcOpCall call = { .op = TRC_OP_SOFTMAX_VJP, .params = node->params };

  call.tensor[0] = node->grad;
  call.tensor[1] = node->tensor;
  call.tensor[2] = trc_tape_grad_for (tape, node->in[0], &call.params.softmax.accumulate);
  if (call.tensor[2] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_softmax (TrcTape *self, TrcVar x, float scale)
{
  TrcNode node = { .back = softmax_back, .in = { x }, .params.softmax.scale = scale };
  TrcSoftmaxParams *p = &node.params.softmax;

  if (!trc_tape_ready (self, 1, &x))
    return TRC_VAR_NONE;
  p->rows = trc_tape_rows_of (self, x);
  p->cols = p->ld_x = p->ld_y = trc_tape_cols_of (self, x);
  node.tensor = trc_tape_out (self, trc_tensor_shape (trc_tape_tensor (self, x)), "softmax");
  if (node.tensor != NULL)
    trc_tape_run (self, &(TrcOpCall){ .op = TRC_OP_SOFTMAX,
                                      .tensor = { trc_tape_tensor (self, x), node.tensor },
                                      .params = node.params });
  return trc_tape_push (self, &node);
}

static void
cross_entropy_back (TrcTape *tape, TrcNode *node)
{
  TrcOpCall call = { .op = TRC_OP_CROSS_ENTROPY_VJP, .params = node->params };

  call.tensor[0] = trc_tape_tensor (tape, node->in[0]);
  call.tensor[1] = node->saved[0];
  call.tensor[2] = node->grad;
  call.tensor[3] = trc_tape_grad_for (tape, node->in[0], &call.params.cross_entropy.accumulate);
  if (call.tensor[3] != NULL)
    trc_tape_run (tape, &call);
}

TrcVar
trc_tape_cross_entropy (TrcTape *self, TrcVar logits, TrcTensor *targets)
{
  TrcNode node = { .back = cross_entropy_back, .in = { logits } };
  TrcCrossEntropyParams *p = &node.params.cross_entropy;

  if (!trc_tape_ready (self, 1, &logits))
    return TRC_VAR_NONE;
  p->rows = trc_tape_rows_of (self, logits);
  p->cols = p->ld_x = p->ld_dx = trc_tape_cols_of (self, logits);
  p->step_seed = 1;
  if (trc_tensor_n (targets) != p->rows)
    return trc_tape_misfit (self, "trc_tape_cross_entropy");
  node.tensor = trc_tape_out (self, TRC_SHAPE (p->rows), "loss");
  node.saved[0] = trc_tensor_ref (targets);
  if (node.tensor != NULL)
    trc_tape_run (
        self, &(TrcOpCall){ .op = TRC_OP_CROSS_ENTROPY,
                            .tensor = { trc_tape_tensor (self, logits), targets, node.tensor },
                            .params = node.params });
  return trc_tape_push (self, &node);
}
