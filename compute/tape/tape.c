#include "compute/tape/tape_impl.h"

struct _TrcTape {
  TrcDevice *dev;
  TrcTapeFlags flags;
  GArray *nodes; /* TrcNode; element 0 stands for TRC_VAR_NONE */
  GError *error; /* the first one, sticky */
};

static void
node_clear (TrcNode *node)
{
  g_clear_pointer (&node->tensor, trc_tensor_unref);
  g_clear_pointer (&node->grad, trc_tensor_unref);
  for (guint i = 0; i < G_N_ELEMENTS (node->saved); i++)
    g_clear_pointer (&node->saved[i], trc_tensor_unref);
}

TrcTape *
trc_tape_new (TrcDevice *dev, TrcTapeFlags flags)
{
  TrcTape *self = g_new0 (TrcTape, 1);

  self->dev = trc_device_ref (dev);
  self->flags = flags;
  self->nodes = g_array_new (FALSE, TRUE, sizeof (TrcNode));
  g_array_set_clear_func (self->nodes, (GDestroyNotify)node_clear);
  g_array_set_size (self->nodes, 1);
  return self;
}

void
trc_tape_free (TrcTape *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->nodes);
  g_clear_error (&self->error);
  trc_device_unref (self->dev);
  g_free (self);
}

void
trc_tape_reset (TrcTape *self)
{
  g_array_set_size (self->nodes, 1);
  g_clear_error (&self->error);
}

gboolean
trc_tape_status (const TrcTape *self, GError **error)
{
  if (self->error == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (self->error);
  return FALSE;
}

void
trc_tape_fail (TrcTape *self, GError *error)
{
  if (self->error == NULL)
    self->error = error;
  else
    g_error_free (error);
}

TrcDevice *
trc_tape_device (const TrcTape *self)
{
  return self->dev;
}

/* --- inside ------------------------------------------------------------------------------- */

TrcNode *
trc_tape_node (const TrcTape *self, TrcVar var)
{
  return &g_array_index (self->nodes, TrcNode, var);
}

gboolean
trc_tape_ready (TrcTape *self, guint n, const TrcVar *vars)
{
  if (self->error != NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (vars[i] == TRC_VAR_NONE || vars[i] >= self->nodes->len)
      {
        trc_tape_misfit (self, "A function of the tape (a value is none of this tape)");
        return FALSE;
      }
  return TRUE;
}

TrcVar
trc_tape_misfit (TrcTape *self, const char *function)
{
  g_return_if_fail_warning (G_LOG_DOMAIN, function, "the shapes fit");
  trc_tape_fail (self, g_error_new (TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                                    "%s was called with shapes that do not fit.", function));
  return TRC_VAR_NONE;
}

guint32
trc_tape_cols_of (const TrcTape *self, TrcVar var)
{
  return trc_tensor_dim (trc_tape_node (self, var)->tensor, -1);
}

guint32
trc_tape_rows_of (const TrcTape *self, TrcVar var)
{
  TrcShape shape = trc_tensor_shape (trc_tape_node (self, var)->tensor);
  guint32 rows = 1;

  for (guint i = 0; i + 1 < shape.n_axes; i++)
    rows *= shape.dim[i];
  return rows;
}

TrcTensor *
trc_tape_out (TrcTape *self, TrcShape shape, const char *label)
{
  GError *error = NULL;
  TrcTensor *tensor = NULL;

  if (self->error != NULL)
    return NULL;
  tensor = trc_tensor_new (self->dev, TRC_F32, shape, label, &error);
  if (tensor == NULL)
    trc_tape_fail (self, error);
  return tensor;
}

gboolean
trc_tape_try (TrcTape *self, gboolean ok, GError **error)
{
  if (!ok)
    trc_tape_fail (self, g_steal_pointer (error));
  return ok;
}

gboolean
trc_tape_run (TrcTape *self, const TrcOpCall *call)
{
  GError *error = NULL;

  return self->error == NULL && trc_tape_try (self, trc_op_dispatch (call, &error), &error);
}

TrcVar
trc_tape_push (TrcTape *self, TrcNode *node)
{
  if (self->error != NULL || node->tensor == NULL)
    {
      node_clear (node);
      return TRC_VAR_NONE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (node->in); i++)
    if (node->in[i] != TRC_VAR_NONE)
      node->needs_grad |= trc_tape_node (self, node->in[i])->needs_grad;
  if (self->flags & TRC_TAPE_INFERENCE)
    node->needs_grad = FALSE;
  g_array_append_vals (self->nodes, node, 1);
  return self->nodes->len - 1;
}

/* --- gradients ---------------------------------------------------------------------------- */

TrcTensor *
trc_tape_grad_for (TrcTape *self, TrcVar var, guint32 *accumulate)
{
  TrcNode *node = trc_tape_node (self, var);

  if (var == TRC_VAR_NONE || !node->needs_grad || self->error != NULL)
    return NULL;
  *accumulate = node->grad != NULL;
  if (node->grad == NULL)
    node->grad = trc_tape_out (self, trc_tensor_shape (node->tensor), "gradient");
  return node->grad;
}

TrcTensor *
trc_tape_grad_part (TrcTape *self, TrcVar var)
{
  guint32 accumulate = 0;
  TrcTensor *grad = trc_tape_grad_for (self, var, &accumulate);
  GError *error = NULL;

  if (grad != NULL && !accumulate)
    trc_tape_try (self, trc_op_set (grad, 0.0f, &error), &error);
  return self->error == NULL ? grad : NULL;
}

static gboolean
same_shape (const TrcTensor *a, const TrcTensor *b)
{
  TrcShape x = trc_tensor_shape (a), y = trc_tensor_shape (b);

  if (x.n_axes != y.n_axes)
    return FALSE;
  for (guint i = 0; i < x.n_axes; i++)
    if (x.dim[i] != y.dim[i])
      return FALSE;
  return TRUE;
}

gboolean
trc_tape_grad_move (TrcTape *self, TrcNode *node, TrcVar var)
{
  TrcNode *to = trc_tape_node (self, var);

  if (!to->needs_grad || to->grad != NULL || node->keep_grad
      || !same_shape (node->tensor, to->tensor))
    return FALSE;
  to->grad = g_steal_pointer (&node->grad);
  return TRUE;
}

/* The gradient that the way back starts from. */
static TrcTensor *
seed_tensor (TrcTape *self, TrcNode *node, TrcTensor *seed)
{
  TrcTensor *grad = trc_tape_out (self, trc_tensor_shape (node->tensor), "seed");
  GError *error = NULL;

  if (grad != NULL && seed == NULL)
    trc_tape_try (self, trc_op_set (grad, 1.0f, &error), &error);
  else if (grad != NULL)
    trc_tape_try (self, trc_op_copy (seed, grad, &error), &error);
  return grad;
}

static void
drop_grads (TrcTape *self)
{
  for (guint i = 1; i < self->nodes->len; i++)
    {
      TrcNode *node = trc_tape_node (self, i);
      if (!node->is_into)
        g_clear_pointer (&node->grad, trc_tensor_unref);
    }
}

gboolean
trc_tape_backward (TrcTape *self, TrcVar var, TrcTensor *seed, GError **error)
{
  if (!trc_tape_ready (self, 1, &var))
    return trc_tape_status (self, error);
  g_return_val_if_fail (!(self->flags & TRC_TAPE_INFERENCE), FALSE);
  g_return_val_if_fail (
      seed == NULL || trc_tensor_n (seed) == trc_tensor_n (trc_tape_node (self, var)->tensor),
      FALSE);

  drop_grads (self);
  if (!trc_tape_node (self, var)->is_into)
    trc_tape_node (self, var)->grad = seed_tensor (self, trc_tape_node (self, var), seed);
  for (TrcVar i = var; i >= 1 && self->error == NULL; i--)
    {
      TrcNode *node = trc_tape_node (self, i);
      if (node->grad != NULL && node->back != NULL && node->needs_grad)
        node->back (self, node);
      if (!node->keep_grad)
        g_clear_pointer (&node->grad, trc_tensor_unref);
    }
  return trc_tape_status (self, error);
}

TrcTensor *
trc_tape_grad (const TrcTape *self, TrcVar var)
{
  g_return_val_if_fail (var < self->nodes->len, NULL);
  return trc_tape_node (self, var)->grad;
}

void
trc_tape_keep_grad (TrcTape *self, TrcVar var)
{
  if (!trc_tape_ready (self, 1, &var))
    return;
  trc_tape_node (self, var)->keep_grad = TRUE;
  trc_tape_node (self, var)->needs_grad = TRUE;
}

/* --- leaves and results ------------------------------------------------------------------- */

static TrcVar
push_leaf (TrcTape *self, TrcTensor *tensor, TrcTensor *grad, gboolean wanted)
{
  TrcNode node = { .needs_grad = wanted, .keep_grad = wanted, .is_into = grad != NULL };

  g_return_val_if_fail (tensor != NULL, TRC_VAR_NONE);
  g_return_val_if_fail (trc_tensor_device (tensor) == self->dev, TRC_VAR_NONE);
  node.tensor = trc_tensor_ref (tensor);
  node.grad = grad != NULL ? trc_tensor_ref (grad) : NULL;
  return trc_tape_push (self, &node);
}

TrcVar
trc_tape_input (TrcTape *self, TrcTensor *tensor)
{
  return self->error != NULL ? TRC_VAR_NONE : push_leaf (self, tensor, NULL, FALSE);
}

TrcVar
trc_tape_param (TrcTape *self, TrcTensor *tensor)
{
  return self->error != NULL ? TRC_VAR_NONE : push_leaf (self, tensor, NULL, TRUE);
}

TrcVar
trc_tape_param_into (TrcTape *self, TrcTensor *tensor, TrcTensor *grad)
{
  g_return_val_if_fail (grad != NULL, TRC_VAR_NONE);
  g_return_val_if_fail (trc_tensor_n (grad) == trc_tensor_n (tensor), TRC_VAR_NONE);
  return self->error != NULL ? TRC_VAR_NONE : push_leaf (self, tensor, grad, TRUE);
}

TrcTensor *
trc_tape_tensor (const TrcTape *self, TrcVar var)
{
  g_return_val_if_fail (var < self->nodes->len, NULL);
  return trc_tape_node (self, var)->tensor;
}

guint
trc_tape_mark (const TrcTape *self)
{
  return self->nodes->len;
}

TrcVar
trc_tape_release (TrcTape *self, guint mark, TrcVar keep)
{
  TrcNode kept = { 0 };

  g_return_val_if_fail (self->flags & TRC_TAPE_INFERENCE, keep);
  g_return_val_if_fail (mark >= 1 && mark <= self->nodes->len, keep);
  g_return_val_if_fail (keep < self->nodes->len, keep);
  if (keep != TRC_VAR_NONE && keep >= mark)
    {
      TrcNode *node = trc_tape_node (self, keep);
      kept = *node;
      *node = (TrcNode){ 0 };
    }
  g_array_set_size (self->nodes, mark);
  if (kept.tensor == NULL)
    return keep < mark ? keep : TRC_VAR_NONE;
  g_array_append_val (self->nodes, kept);
  return mark;
}
