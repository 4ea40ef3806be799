/* From names in a file to weights of a model: which tensor is which, and is it whole? */
#define G_LOG_DOMAIN "tracery-compute"

#include "compute/models/model_impl.h"

#include <string.h>

gsize
trc_model_slot (const TrcModel *self, TrcWeightRole role, guint layer)
{
  return (gsize)(trc_weight_in_layer (role) ? layer : self->config.n_layers) * TRC_N_WEIGHTS
         + role;
}

gboolean
trc_weight_is_outer (TrcWeightRole role)
{
  return !trc_weight_in_layer (role);
}

TrcWeightRole
trc_model_source_role (const TrcModel *self, TrcWeightRole role)
{
  return role == TRC_WEIGHT_UNEMBED && self->config.tied ? TRC_WEIGHT_EMBED : role;
}

gboolean
trc_model_is_out_major (const TrcModel *self, TrcWeightRole role)
{
  return role == TRC_WEIGHT_UNEMBED && self->config.tied ? TRUE
                                                         : self->family->weight[role].out_major;
}

void
trc_model_weight_shape (const TrcModel *self, TrcWeightRole role, guint *n_in, guint *n_out)
{
  const TrcModelConfig *c = &self->config;
  guint d = c->d_model, q = c->n_heads * c->d_head, kv = c->n_kv_heads * c->d_head;
  const guint shapes[TRC_N_WEIGHTS][2] = {
    [TRC_WEIGHT_EMBED] = { c->n_vocab, d },
    [TRC_WEIGHT_POSITIONS] = { c->n_ctx, d },
    [TRC_WEIGHT_NORM1_W] = { 1, d },
    [TRC_WEIGHT_NORM1_B] = { 1, d },
    [TRC_WEIGHT_Q] = { d, q },
    [TRC_WEIGHT_Q_B] = { 1, q },
    [TRC_WEIGHT_K] = { d, kv },
    [TRC_WEIGHT_K_B] = { 1, kv },
    [TRC_WEIGHT_V] = { d, kv },
    [TRC_WEIGHT_V_B] = { 1, kv },
    [TRC_WEIGHT_O] = { q, d },
    [TRC_WEIGHT_O_B] = { 1, d },
    [TRC_WEIGHT_NORM2_W] = { 1, d },
    [TRC_WEIGHT_NORM2_B] = { 1, d },
    [TRC_WEIGHT_GATE] = { d, c->d_mlp },
    [TRC_WEIGHT_GATE_B] = { 1, c->d_mlp },
    [TRC_WEIGHT_UP] = { d, c->d_mlp },
    [TRC_WEIGHT_UP_B] = { 1, c->d_mlp },
    [TRC_WEIGHT_DOWN] = { c->d_mlp, d },
    [TRC_WEIGHT_DOWN_B] = { 1, d },
    [TRC_WEIGHT_NORM_FINAL_W] = { 1, d },
    [TRC_WEIGHT_NORM_FINAL_B] = { 1, d },
    [TRC_WEIGHT_UNEMBED] = { d, c->n_vocab },
    [TRC_WEIGHT_UNEMBED_B] = { 1, c->n_vocab },
  };

  *n_in = shapes[role][0];
  *n_out = shapes[role][1];
}

/* --- names --- */

static char *
full_name (const char *prefix, const char *pattern, guint layer)
{
  const char *rest = pattern[0] == '/' ? pattern + 1 : pattern;
  const char *hole = strstr (rest, "%u");
  const char *before = rest == pattern ? prefix : "";

  if (hole == NULL)
    return g_strconcat (before, rest, NULL);
  return g_strdup_printf ("%s%.*s%u%s", before, (int)(hole - rest), rest, layer, hole + 2);
}

static const TrcSource *
find_weight (const TrcModel *self, const char *prefix, TrcWeightRole role, guint layer)
{
  const TrcWeightName *name = &self->family->weight[role];
  const char *patterns[] = { name->name, name->other };

  for (guint i = 0; i < 2; i++)
    if (patterns[i] != NULL)
      {
        g_autofree char *full = full_name (prefix, patterns[i], layer);
        const TrcSource *found = trc_sources_find (self->files, full);

        if (found != NULL)
          return found;
      }
  return NULL;
}

static const char *
find_prefix (const TrcModel *self)
{
  for (guint i = 0; self->family->prefix[i] != NULL; i++)
    if (find_weight (self, self->family->prefix[i], TRC_WEIGHT_EMBED, 0) != NULL)
      return self->family->prefix[i];
  return self->family->prefix[0];
}

/* --- shapes --- */

static char *
shape_text (guint n_axes, const guint64 *shape)
{
  GString *out = g_string_new ("[");

  for (guint i = 0; i < n_axes; i++)
    g_string_append_printf (out, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", shape[i]);
  return g_string_free (g_string_append_c (out, ']'), FALSE);
}

static gboolean
check_shape (const TrcModel *self, TrcWeightRole role, const TrcSource *tensor, GError **error)
{
  const TrcModelConfig *c = &self->config;
  const TrcWeightName *name = &self->family->weight[role];
  guint n_in, n_out;
  guint64 want[2];
  guint n_axes = 0;

  trc_model_weight_shape (self, role, &n_in, &n_out);
  guint64 all_out =
      name->part == TRC_PART_WHOLE
          ? n_out
          : ((guint64)c->n_heads + 2 * (guint64)c->n_kv_heads) * (guint64)c->d_head;
  if (n_in > 1 || role == TRC_WEIGHT_EMBED || role == TRC_WEIGHT_POSITIONS
      || tensor->n_axes == 2)
    want[n_axes++] = name->out_major ? all_out : n_in;
  want[n_axes] = name->out_major && n_axes == 1 ? n_in : all_out;
  n_axes++;
  if (tensor->unread != NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s: %s has the type %s, which Tracery does not read as weights.",
                   self->path, tensor->name, tensor->unread);
      return FALSE;
    }
  if (tensor->n_axes == n_axes && memcmp (tensor->shape, want, n_axes * sizeof *want) == 0)
    return TRUE;
  g_autofree char *has = shape_text (tensor->n_axes, tensor->shape);
  g_autofree char *wants = shape_text (n_axes, want);
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
               "%s: %s has the shape %s, but by its config.json this model needs %s.",
               self->path, tensor->name, has, wants);
  return FALSE;
}

static gboolean
take_weight (TrcModel *self, const char *prefix, TrcWeightRole role, guint layer,
             GError **error)
{
  TrcBiasRule rule = trc_config_bias (&self->config, role);
  const TrcSource *found = NULL;

  if (rule == TRC_BIAS_NONE || trc_model_source_role (self, role) != role)
    return TRUE;
  if (self->family->weight[role].name != NULL)
    found = find_weight (self, prefix, role, layer);
  if (found == NULL)
    {
      if (rule != TRC_BIAS_MUST)
        return TRUE;
      g_autofree char *where =
          trc_weight_in_layer (role) ? g_strdup_printf (" of layer %u", layer) : g_strdup ("");
      g_autofree char *name = full_name (prefix, self->family->weight[role].name, layer);
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: the weights lack %s, the %s%s, which a %s model of %u layers needs.",
                   self->path, name, trc_weight_role_name (role), where, self->config.family,
                   self->config.n_layers);
      return FALSE;
    }
  if (!check_shape (self, role, found, error))
    return FALSE;
  self->sources[trc_model_slot (self, role, layer)] = found;
  return TRUE;
}

gboolean
trc_model_find_weights (TrcModel *self, GError **error)
{
  const char *prefix;

  self->sources =
      g_new0 (const TrcSource *, ((gsize)self->config.n_layers + 1) * TRC_N_WEIGHTS);
  prefix = find_prefix (self);
  for (guint role = 0; role < TRC_N_WEIGHTS; role++)
    for (guint l = 0; l < (trc_weight_in_layer (role) ? self->config.n_layers : 1); l++)
      if (!take_weight (self, prefix, role, l, error))
        return FALSE;
  return TRUE;
}

/* --- values --- */

typedef struct {
  guint from, n; /* outputs of the file's tensor */
} Run;

/* Run number @i of the outputs of this role inside a tensor that may hold several roles. */
static gboolean
part_run (const TrcModel *self, TrcWeightRole role, guint i, Run *run)
{
  const TrcModelConfig *c = &self->config;
  guint part = role == TRC_WEIGHT_Q || role == TRC_WEIGHT_Q_B   ? 0
               : role == TRC_WEIGHT_K || role == TRC_WEIGHT_K_B ? 1
                                                                : 2;
  guint q = c->n_heads * c->d_head, kv = c->n_kv_heads * c->d_head, n_in, n_out;

  trc_model_weight_shape (self, role, &n_in, &n_out);
  switch (self->family->weight[role].part)
    {
    case TRC_PART_HEADS:
      *run = (Run){ (i * 3 + part) * c->d_head, c->d_head };
      return i < c->n_heads;
    case TRC_PART_BLOCKS:
      *run = (Run){ part == 0 ? 0 : q + (part - 1) * kv, n_out };
      return i == 0;
    default:
      *run = (Run){ 0, n_out };
      return i == 0;
    }
}

gboolean
trc_model_fetch (const TrcModel *self, TrcWeightRole role, guint layer, float *dst)
{
  TrcWeightRole from = trc_model_source_role (self, role);
  const TrcSource *tensor = self->sources[trc_model_slot (self, from, layer)];
  guint n_in, n_out;
  Run run;

  g_return_val_if_fail (tensor != NULL, FALSE);
  trc_model_weight_shape (self, from, &n_in, &n_out);
  guint64 all_out = tensor->n_elements / n_in, done = 0;
  for (guint i = 0; part_run (self, from, i, &run); i++, done += run.n)
    {
      if (self->family->weight[from].out_major)
        {
          if (!trc_source_to_f32 (tensor, (guint64)run.from * n_in, (guint64)run.n * n_in,
                                  dst + done * n_in))
            return FALSE;
          continue;
        }
      for (guint64 row = 0; row < n_in; row++)
        if (!trc_source_to_f32 (tensor, row * all_out + run.from, run.n,
                                dst + row * n_out + done))
          return FALSE;
    }
  return TRUE;
}

/* Bytes of @n elements, whole blocks. */
static gsize
packed_bytes (TrcDType dtype, guint64 n)
{
  const TrcDTypeInfo *info = trc_dtype_info (dtype);

  return n / info->block_elements * info->block_bytes;
}

void
trc_model_fetch_packed (const TrcModel *self, TrcWeightRole role, guint layer, guint8 *dst)
{
  const TrcSource *tensor = self->sources[trc_model_slot (self, role, layer)];
  guint n_in, n_out;
  Run run;

  trc_model_weight_shape (self, role, &n_in, &n_out);
  guint64 all_out = tensor->n_elements / n_in;
  for (guint i = 0, done = 0; part_run (self, role, i, &run); i++, done += run.n)
    {
      if (self->family->weight[role].out_major)
        {
          memcpy (dst + packed_bytes (tensor->dtype, (guint64)done * n_in),
                  tensor->data + packed_bytes (tensor->dtype, (guint64)run.from * n_in),
                  packed_bytes (tensor->dtype, (guint64)run.n * n_in));
          continue;
        }
      for (guint64 row = 0; row < n_in; row++)
        memcpy (dst + packed_bytes (tensor->dtype, row * n_out + done),
                tensor->data + packed_bytes (tensor->dtype, row * all_out + run.from),
                packed_bytes (tensor->dtype, run.n));
    }
}

gboolean
trc_model_is_packed (const TrcModel *self, TrcWeightRole role, guint layer)
{
  const TrcSource *tensor = self->sources[trc_model_slot (self, role, layer)];
  guint n_in, n_out;
  guint block;
  Run run;

  if (tensor == NULL || tensor->is_f64 || tensor->dtype == TRC_F32
      || role == TRC_WEIGHT_POSITIONS)
    return FALSE;
  trc_model_weight_shape (self, role, &n_in, &n_out);
  if (n_in == 1)
    return FALSE;
  block = trc_dtype_info (tensor->dtype)->block_elements;
  if (self->family->weight[role].out_major)
    return n_in % block == 0;
  part_run (self, role, 0, &run);
  return n_out % block == 0 && run.from % block == 0 && tensor->n_elements / n_in % block == 0;
}
