#include "compute/base/device_impl.h"

#include "compute/error.h"

#include <string.h>

/* A caller's bug is reported with the op's and the tensor's name and stops only this call. */
static gboolean
refuse (const TrcOpInfo *info, guint slot, const char *what, GError **error)
{
  g_return_if_fail_warning (G_LOG_DOMAIN, info->name, what);
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
               "The kernel %s was called wrongly: tensor %u %s.", info->name, slot, what);
  return FALSE;
}

static TrcDevice *
device_of (const TrcOpCall *call)
{
  for (guint i = 0; i < TRC_OP_MAX_TENSORS; i++)
    if (call->tensor[i] != NULL)
      return trc_tensor_device (call->tensor[i]);
  return NULL;
}

/* Checks tensor @i of the call and writes its place into @out. */
static gboolean
place_tensor (const TrcOpCall *call, const TrcOpInfo *info, guint i, TrcDispatch *out,
              GError **error)
{
  TrcTensor *tensor = call->tensor[i];
  TrcDType wanted = info->use[i] & TRC_USE_I32 ? TRC_I32 : TRC_F32;
  guint64 offset, n;
  gsize bytes;

  if (tensor == NULL)
    return (info->use[i] & TRC_USE_OPTIONAL) != 0 || refuse (info, i, "is missing", error);
  TrcDType dtype = trc_tensor_dtype (tensor);
  const TrcDTypeInfo *type = trc_dtype_info (dtype);
  if (dtype != wanted && (!(info->use[i] & TRC_USE_PACKED) || dtype == TRC_I32))
    return refuse (info, i, "has the wrong type", error);

  offset = call->params.off[i];
  n = trc_tensor_n (tensor);
  if (out->extent[i] > 0 && (offset > n || out->extent[i] > n - offset))
    return refuse (info, i, "is too small", error);
  if (offset % type->block_elements != 0)
    return refuse (info, i, "does not begin at a block", error);

  out->buffer[i] = trc_tensor_buffer (tensor, &bytes);
  offset += bytes / type->block_bytes * type->block_elements;
  if (offset > G_MAXUINT32)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s starts too far into its memory for the kernel %s; split it by rows.",
                   trc_tensor_label (tensor), info->name);
      return FALSE;
    }
  out->params.off[i] = (guint32)offset;
  out->dtype[i] = dtype;
  return TRUE;
}

gboolean
trc_op_dispatch (const TrcOpCall *call, GError **error)
{
  const TrcOpInfo *info = trc_op_info (call->op);
  TrcDevice *dev = device_of (call);
  TrcDispatch out = { .op = call->op, .info = info };

  g_return_val_if_fail (info != NULL && dev != NULL, FALSE);
  if (!trc_device_status (dev, error)
      || g_cancellable_set_error_if_cancelled (dev->cancellable, error))
    return FALSE;

  memcpy (&out.params, &call->params, info->params_size);
  info->extents (&out.params, out.extent);
  for (guint i = 0; i < info->n_tensors; i++)
    {
      if (call->tensor[i] != NULL && trc_tensor_device (call->tensor[i]) != dev)
        return refuse (info, i, "lives on another device", error);
      if (!place_tensor (call, info, i, &out, error))
        return FALSE;
    }
  if (!dev->klass->dispatch (dev, &out, error))
    return FALSE;
  dev->counters.dispatches++;
  return TRUE;
}
