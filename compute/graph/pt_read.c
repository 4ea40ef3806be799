/* The graphs that circuit-tracer saves for itself: a dense matrix over features,
 * errors (by layer, then position), tokens and logits, in that order; row =
 * target. The matrix is read row by row and only its links are kept. */

#include "compute/graph/pt_file.h"

#include "compute/error.h"
#include "compute/formats/torch_file.h"
#include "compute/graph/graph_impl.h"

#include <math.h>
#include <string.h>

typedef struct {
  TrcTorchFile *file;
  char *name;
  TrcGraphBuilder *builder;
  gint64 n;                    /* rows of the matrix */
  gint64 n_active, n_features; /* features found, and those that have a row */
  gint64 n_layers, n_tokens, n_logits;
  double *active;   /* [n_active][3]: layer, position, feature */
  double *selected; /* [n_features]: rows of @active */
  double *activations;
  gint64 n_activations;
  double *tokens; /* ids */
  double *logits; /* ids */
  double *probabilities;
  TrcTorchTensor matrix;
} Reader;

static void
reader_clear (Reader *self)
{
  g_clear_pointer (&self->file, trc_torch_file_free);
  g_clear_pointer (&self->builder, trc_graph_builder_free);
  g_free (self->name);
  g_free (self->active);
  g_free (self->selected);
  g_free (self->activations);
  g_free (self->tokens);
  g_free (self->logits);
  g_free (self->probabilities);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)

static gboolean
fail (const Reader *self, const char *key, const char *what, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s: \"%s\" %s.",
               self->name, key, what);
  return FALSE;
}

static const TrcPickleValue *
get (const Reader *self, const char *key)
{
  return trc_pickle_get (trc_torch_file_root (self->file), key);
}

/* A tensor of @n_axes axes, or NULL with *missing set when there is no such member. */
static double *
read_tensor (Reader *self, const char *key, guint n_axes, gint64 shape[2], GError **error)
{
  const TrcPickleValue *value = get (self, key);
  TrcTorchTensor tensor;

  if (value == NULL)
    {
      fail (self, key, "is missing, so this is no graph of circuit-tracer", error);
      return NULL;
    }
  if (!trc_torch_tensor (value, &tensor) || tensor.n_axes != n_axes)
    {
      fail (self, key, n_axes == 1 ? "is no list of numbers" : "is no matrix", error);
      return NULL;
    }
  shape[0] = tensor.shape[0];
  shape[1] = n_axes > 1 ? tensor.shape[1] : 1;
  return trc_torch_file_read (self->file, &tensor, error);
}

/* Ids as a tensor, as a list of numbers, or as a list of records (text, id). */
static double *
read_ids (Reader *self, const char *key, gint64 *n, GError **error)
{
  const TrcPickleValue *value = get (self, key);
  gint64 shape[2];
  double *ids;

  if (value == NULL || (value->kind != TRC_PICKLE_LIST && value->kind != TRC_PICKLE_TUPLE))
    {
      ids = read_tensor (self, key, 1, shape, error);
      *n = shape[0];
      return ids;
    }
  *n = trc_pickle_n_items (value);
  ids = g_new (double, (gsize)*n + 1);
  for (gint64 i = 0; i < *n; i++)
    {
      const TrcPickleValue *item = trc_pickle_item (value, (guint)i);

      if (item->kind == TRC_PICKLE_OBJECT)
        item = trc_pickle_item (item, 1);
      if (item != NULL && item->kind == TRC_PICKLE_TUPLE)
        item = trc_pickle_item (item, 1);
      if (item == NULL || item->kind != TRC_PICKLE_INT)
        {
          g_free (ids);
          fail (self, key, "holds something that is no token", error);
          return NULL;
        }
      ids[i] = (double)item->integer;
    }
  return ids;
}

/* Text of logit @i, or NULL. */
static const char *
logit_text (const Reader *self, gint64 i)
{
  const TrcPickleValue *item = trc_pickle_item (get (self, "logit_targets"), (guint)i);
  const TrcPickleValue *text;

  if (item != NULL && item->kind == TRC_PICKLE_OBJECT)
    item = trc_pickle_item (item, 1);
  text = trc_pickle_item (item, 0);
  return text != NULL && text->kind == TRC_PICKLE_TEXT && text->len > 0 ? text->text : NULL;
}

/* ---- sizes ---- */

/* From the configuration, if it can be: it is an object of a class that we do not have. */
static gint64
layers_of_config (const Reader *self)
{
  static const char *const keys[] = { "n_layers", "num_hidden_layers" };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      const TrcPickleValue *layers = trc_pickle_get (get (self, "cfg"), keys[i]);
      if (layers != NULL && layers->kind == TRC_PICKLE_INT)
        return layers->integer;
    }
  return -1;
}

static gboolean
check_sizes (Reader *self, GError **error)
{
  gint64 rest = self->n - self->n_features - self->n_tokens - self->n_logits;
  gint64 told = layers_of_config (self);

  if (self->n_tokens == 0 || rest < 0 || rest % self->n_tokens != 0)
    return fail (self, "adjacency_matrix",
                 "has not the size that its features, tokens and logits ask for", error);
  self->n_layers = rest / self->n_tokens;
  if (told >= 0 && told != self->n_layers)
    return fail (self, "cfg", "tells of another number of layers than the matrix", error);
  return TRUE;
}

static gboolean
read_sizes (Reader *self, GError **error)
{
  const TrcPickleValue *matrix = get (self, "adjacency_matrix");
  const char *logits_key =
      get (self, "logit_targets") != NULL ? "logit_targets" : "logit_tokens";
  gint64 shape[2];

  if (matrix == NULL)
    return fail (self, "adjacency_matrix", "is missing, so this is no graph of circuit-tracer",
                 error);
  if (!trc_torch_tensor (matrix, &self->matrix) || self->matrix.n_axes != 2
      || self->matrix.shape[0] != self->matrix.shape[1])
    return fail (self, "adjacency_matrix", "is no square matrix", error);
  self->n = self->matrix.shape[0];
  if ((self->active = read_tensor (self, "active_features", 2, shape, error)) == NULL)
    return FALSE;
  if (shape[1] != 3)
    return fail (self, "active_features", "has not three columns", error);
  self->n_active = self->n_features = shape[0];
  if (get (self, "selected_features") != NULL)
    {
      if ((self->selected = read_tensor (self, "selected_features", 1, shape, error)) == NULL)
        return FALSE;
      self->n_features = shape[0];
    }
  if (get (self, "activation_values") != NULL)
    {
      if ((self->activations = read_tensor (self, "activation_values", 1, shape, error))
          == NULL)
        return FALSE;
      self->n_activations = shape[0];
    }
  if ((self->tokens = read_ids (self, "input_tokens", &self->n_tokens, error)) == NULL
      || (self->logits = read_ids (self, logits_key, &self->n_logits, error)) == NULL
      || (self->probabilities = read_tensor (self, "logit_probabilities", 1, shape, error))
             == NULL)
    return FALSE;
  if (shape[0] != self->n_logits)
    return fail (self, "logit_probabilities", "has not one entry a logit", error);
  return check_sizes (self, error);
}

/* ---- links and nodes ---- */

static gboolean
on_row (gint64 row, const double *values, gint64 n, gpointer data, GError **error)
{
  Reader *self = data;

  for (gint64 i = 0; i < n; i++)
    {
      if (values[i] == 0)
        continue;
      if (!isfinite (values[i]))
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
                       "%s: row %" G_GINT64_FORMAT
                       " of the matrix holds a weight that is not a "
                       "finite number.",
                       self->name, row);
          return FALSE;
        }
      trc_graph_builder_add_edge (self->builder, (guint32)i, (guint32)row, values[i]);
    }
  return TRUE;
}

/* A whole number in [0, end), or -1. */
static gint64
whole (double value, gint64 end)
{
  return value >= 0 && value < (double)end && value == trunc (value) ? (gint64)value : -1;
}

static gboolean
add_features (Reader *self, GError **error)
{
  for (gint64 i = 0; i < self->n_features; i++)
    {
      gint64 row = self->selected != NULL ? whole (self->selected[i], self->n_active) : i;
      TrcNode node = TRC_NODE_INIT;

      if (row < 0)
        return fail (self, "selected_features", "names a feature that is not there", error);
      node.kind = TRC_NODE_FEATURE;
      node.layer = (gint32)whole (self->active[3 * row], self->n_layers);
      node.position = (gint32)whole (self->active[3 * row + 1], self->n_tokens);
      node.index = whole (self->active[3 * row + 2], G_MAXUINT32);
      if (node.layer < 0 || node.position < 0 || node.index < 0)
        return fail (self, "active_features",
                     "holds a layer, position or feature that is out of range", error);
      if (row < self->n_activations)
        node.activation = self->activations[row];
      if (!isfinite (node.activation))
        node.activation = NAN;
      trc_graph_builder_add_node (self->builder, &node);
    }
  return TRUE;
}

static void
add_errors_and_tokens (Reader *self)
{
  TrcNode node = TRC_NODE_INIT;

  node.kind = TRC_NODE_ERROR;
  for (gint64 layer = 0; layer < self->n_layers; layer++)
    for (gint64 position = 0; position < self->n_tokens; position++)
      {
        node.layer = (gint32)layer;
        node.position = (gint32)position;
        trc_graph_builder_add_node (self->builder, &node);
      }
  node = (TrcNode)TRC_NODE_INIT;
  node.kind = TRC_NODE_EMBEDDING;
  for (gint64 position = 0; position < self->n_tokens; position++)
    {
      node.position = (gint32)position;
      node.index = whole (self->tokens[position], G_MAXUINT32);
      trc_graph_builder_add_node (self->builder, &node);
    }
}

static void
add_logits (Reader *self)
{
  for (gint64 i = 0; i < self->n_logits; i++)
    {
      const char *text = logit_text (self, i);
      double p = self->probabilities[i];
      char shown[G_ASCII_DTOSTR_BUF_SIZE];
      g_autofree char *label = NULL;
      TrcNode node = TRC_NODE_INIT;

      g_ascii_formatd (shown, sizeof shown, "%.3f", isfinite (p) ? p : 0);
      node.kind = TRC_NODE_LOGIT;
      node.position = (gint32)self->n_tokens - 1;
      node.index = whole (self->logits[i], G_MAXUINT32);
      node.token_prob = isfinite (p) ? p : NAN;
      node.flags = i == 0 ? TRC_NODE_IS_TARGET : 0;
      g_autofree char *number = g_strdup_printf ("#%" G_GINT64_FORMAT, node.index);
      g_autofree char *token = g_utf8_make_valid (text != NULL ? text : number, -1);
      label = g_strdup_printf ("Output \"%s\" (p=%s)", token, shown);
      node.label = label;
      trc_graph_builder_add_node (self->builder, &node);
    }
}

/* ---- what is said about it ---- */

static const char *
text_of (const TrcPickleValue *value)
{
  if (value != NULL && value->kind == TRC_PICKLE_LIST)
    value = trc_pickle_item (value, 0);
  return value != NULL && value->kind == TRC_PICKLE_TEXT ? value->text : NULL;
}

static void
set_metadata (Reader *self)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *base = g_path_get_basename (self->name);
  const char *prompt = text_of (get (self, "input_string"));
  const char *scan = text_of (get (self, "scan_name"));
  char *dot = strrchr (base, '.');

  if (scan == NULL)
    scan = text_of (get (self, "scan"));
  if (dot != NULL && dot != base)
    *dot = '\0';
  for (char *c = base; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("_.-", *c) == NULL)
      *c = '-'; /* what slugs are made of */
  for (gint64 i = 0; i < self->n_tokens; i++)
    g_ptr_array_add (tokens, g_strdup_printf ("#%.0f", self->tokens[i]));
  g_autofree char *valid = g_utf8_make_valid (prompt != NULL ? prompt : "", -1);
  trc_graph_builder_set_text (self->builder, "slug", base);
  if (scan != NULL)
    {
      g_autofree char *valid_scan = g_utf8_make_valid (scan, -1);
      trc_graph_builder_set_text (self->builder, "scan", valid_scan);
    }
  trc_graph_builder_set_prompt (self->builder, valid, (const char *const *)tokens->pdata,
                                tokens->len);
  trc_graph_builder_warn (self->builder, "The file has the ids of the prompt's tokens, but not "
                                         "their text.");
}

TrcGraph *
trc_pt_read (const char *path, const TrcProgress *progress, GError **error)
{
  g_auto (Reader) self = { .file = trc_torch_file_open (path, error) };

  if (self.file == NULL)
    return NULL;
  self.name = g_filename_display_name (path);
  self.builder = trc_graph_builder_new ();
  /* The matrix before the nodes: that its numbers are all there is what shows that
   * there are so many of them. */
  if (!read_sizes (&self, error)
      || !trc_torch_file_rows (self.file, &self.matrix, on_row, &self, progress, error)
      || !add_features (&self, error))
    return NULL;
  add_errors_and_tokens (&self);
  add_logits (&self);
  set_metadata (&self);
  return trc_graph_builder_finish (g_steal_pointer (&self.builder), error);
}
