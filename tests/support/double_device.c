#include "tests/support/double_device.h"

#include "compute/base/device_impl.h"

#include <math.h>
#include <string.h>

#define TRC_REAL double
#define TRC_DEFINE(name) trc_define_f64_##name
#include "compute/cpu/define.c"

typedef struct {
  TrcBuffer base;
  gint32 *bits;  /* what was written, for ids */
  double *value; /* the same as numbers */
} DoubleBuffer;

/* In the order of TrcOpId. */
static void (*const definition[TRC_N_OPS]) (const TrcKernelArgs *args) = {
  trc_define_f64_matmul,        trc_define_f64_embed,
  trc_define_f64_embed_vjp,     trc_define_f64_axpby,
  trc_define_f64_mul,           trc_define_f64_fill,
  trc_define_f64_sum_rows,      trc_define_f64_sum_cols,
  trc_define_f64_dot_rows,      trc_define_f64_act,
  trc_define_f64_act_vjp,       trc_define_f64_norm,
  trc_define_f64_norm_vjp,      trc_define_f64_norm_vjp_gain,
  trc_define_f64_softmax,       trc_define_f64_softmax_vjp,
  trc_define_f64_attn_pattern,  trc_define_f64_attn_dots,
  trc_define_f64_attn_mix,      trc_define_f64_attn_mix_t,
  trc_define_f64_cross_entropy, trc_define_f64_cross_entropy_vjp,
  trc_define_f64_adamw,         trc_define_f64_rope
};

static void
double_free (TrcDevice *dev)
{
  g_free (dev);
}

static TrcBuffer *
double_alloc (TrcDevice *dev, gsize bytes, const char *label, GError **error)
{
  DoubleBuffer *self = g_new0 (DoubleBuffer, 1);

  self->bits = g_malloc0 (bytes);
  self->value = g_malloc0 (2 * bytes);
  return &self->base;
}

static void
double_release (TrcDevice *dev, TrcBuffer *buffer)
{
  DoubleBuffer *self = (DoubleBuffer *)buffer;

  g_free (self->bits);
  g_free (self->value);
  g_free (self);
}

static gboolean
double_write (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gconstpointer src, gsize bytes,
              GError **error)
{
  DoubleBuffer *self = (DoubleBuffer *)buffer;
  const float *f = src;

  memcpy (self->bits + offset / 4, src, bytes);
  for (gsize i = 0; i < bytes / 4; i++)
    self->value[offset / 4 + i] = f[i];
  return TRUE;
}

static gboolean
double_read (TrcDevice *dev, TrcBuffer *buffer, gsize offset, gpointer dst, gsize bytes,
             GError **error)
{
  DoubleBuffer *self = (DoubleBuffer *)buffer;
  float *f = dst;

  for (gsize i = 0; i < bytes / 4; i++)
    f[i] = (float)self->value[offset / 4 + i];
  return TRUE;
}

static gboolean
double_dispatch (TrcDevice *dev, const TrcDispatch *dispatch, GError **error)
{
  TrcKernelArgs args = { .params = &dispatch->params };

  for (guint i = 0; i < dispatch->info->n_tensors; i++)
    {
      DoubleBuffer *buffer = (DoubleBuffer *)dispatch->buffer[i];
      if (buffer != NULL && (dispatch->info->use[i] & TRC_USE_I32))
        args.tensor[i] = buffer->bits + dispatch->params.off[i];
      else if (buffer != NULL)
        args.tensor[i] = buffer->value + dispatch->params.off[i];
    }
  definition[dispatch->op](&args);
  return TRUE;
}

static gboolean
double_sync (TrcDevice *dev, GError **error)
{
  return TRUE;
}

static const TrcDeviceClass double_class = {
  .free = double_free,
  .alloc = double_alloc,
  .release = double_release,
  .write = double_write,
  .read = double_read,
  .dispatch = double_dispatch,
  .sync = double_sync,
};

TrcDevice *
trc_double_device_new (void)
{
  TrcDevice *self = g_new0 (TrcDevice, 1);

  trc_device_init (self, &double_class, "double", TRC_DEVICE_CPU);
  return self;
}

double *
trc_double_values (TrcTensor *tensor)
{
  gsize offset;
  DoubleBuffer *buffer = (DoubleBuffer *)trc_tensor_buffer (tensor, &offset);

  return buffer->value + offset / 4;
}

/* --- finite differences ------------------------------------------------------------------- */

static double
random_value (GRand *rand)
{
  return 2.0 * (g_rand_double (rand) + g_rand_double (rand) - 1.0);
}

/* sum of weights * func (leaves), with weights that depend on the case alone. */
static TrcVar
weighed (TrcTape *tape, const TrcGradCase *c, TrcGradFunc func, const TrcVar *leaves)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcTensor) weights = NULL;
  TrcVar out = func (tape, leaves, c->data);
  GRand *rand = g_rand_new_with_seed (g_str_hash (c->name));

  if (out == TRC_VAR_NONE)
    {
      g_rand_free (rand);
      return TRC_VAR_NONE;
    }
  weights = trc_tensor_new (trc_tape_device (tape), TRC_F32,
                            trc_tensor_shape (trc_tape_tensor (tape, out)), "weights", &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < trc_tensor_n (weights); i++)
    trc_double_values (weights)[i] = random_value (rand);
  g_rand_free (rand);
  return trc_tape_dot (tape, out, trc_tape_input (tape, weights));
}

static double
value_of (TrcDevice *dev, const TrcGradCase *c, TrcTensor *const *leaves)
{
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_INFERENCE);
  TrcVar vars[6], out;

  for (guint i = 0; i < c->n_leaves; i++)
    vars[i] = trc_tape_input (tape, leaves[i]);
  out = weighed (tape, c, c->standard != NULL ? c->standard : c->func, vars);
  g_assert_cmpuint (out, !=, TRC_VAR_NONE);
  return trc_double_values (trc_tape_tensor (tape, out))[0];
}

/* By Richardson's rule from two steps, so that the error is of fourth order. */
static double
slope (TrcDevice *dev, const TrcGradCase *c, TrcTensor *const *leaves, guint leaf, gsize i)
{
  double *x = &trc_double_values (leaves[leaf])[i], start = *x, part[2];

  for (guint k = 0; k < 2; k++)
    {
      double step = k == 0 ? 1e-3 : 5e-4, up, down;
      *x = start + step;
      up = value_of (dev, c, leaves);
      *x = start - step;
      down = value_of (dev, c, leaves);
      part[k] = (up - down) / (2.0 * step);
    }
  *x = start;
  return (4.0 * part[1] - part[0]) / 3.0;
}

static void
compare_leaf (TrcDevice *dev, const TrcGradCase *c, TrcTensor *const *leaves, guint leaf,
              TrcTensor *grad)
{
  gsize n = trc_tensor_n (leaves[leaf]);
  double largest = 0.0, worst = 0.0;

  for (gsize i = 0; i < n; i++)
    {
      double wanted = slope (dev, c, leaves, leaf, i);
      double got = grad != NULL ? trc_double_values (grad)[i] : 0.0;
      largest = MAX (largest, fabs (wanted));
      worst = MAX (worst, fabs (got - wanted));
    }
  g_test_message ("%s: leaf %u, largest %g, worst difference %g", c->name, leaf, largest,
                  worst);
  if (!(worst <= 1e-6 * MAX (largest, 1e-3)))
    g_test_fail_printf ("%s: the gradient of leaf %u is wrong by %g of %g", c->name, leaf,
                        worst, largest);
}

void
trc_grad_check (const TrcGradCase *c)
{
  g_autoptr (TrcDevice) dev = trc_double_device_new ();
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  g_autoptr (GError) error = NULL;
  GRand *rand = g_rand_new_with_seed (g_str_hash (c->name) + 1);
  TrcTensor *leaves[6] = { NULL };
  TrcVar vars[6];

  for (guint i = 0; i < c->n_leaves; i++)
    {
      leaves[i] = trc_tensor_new (dev, TRC_F32, c->shape[i], "leaf", &error);
      g_assert_no_error (error);
      for (gsize e = 0; e < trc_tensor_n (leaves[i]); e++)
        trc_double_values (leaves[i])[e] = c->centre + random_value (rand);
      vars[i] = trc_tape_param (tape, leaves[i]);
    }
  if (!trc_tape_backward (tape, weighed (tape, c, c->func, vars), NULL, &error))
    g_test_fail_printf ("%s: %s", c->name, error->message);
  for (guint i = 0; i < c->n_leaves && error == NULL; i++)
    compare_leaf (dev, c, leaves, i, trc_tape_grad (tape, vars[i]));
  for (guint i = 0; i < c->n_leaves; i++)
    trc_tensor_unref (leaves[i]);
  g_rand_free (rand);
}
