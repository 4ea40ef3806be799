#include "compute/graph.h"

#include "compute/graph/graph_impl.h"
#include "compute/graph/node_names.h"

#include <stdlib.h>
#include <string.h>

#define FEW_NODES 30 /* too few to see the shape of a list */

TrcGraph *
trc_graph_ref (TrcGraph *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
graph_clear (gpointer data)
{
  TrcGraph *self = data;

  g_free (self->nodes);
  g_free (self->edges);
  g_free (self->offsets);
  g_free (self->out);
  g_free (self->out_offsets);
  g_free (self->edge_extras);
  g_free (self->tokens);
  trc_marks_clear (&self->marks);
  g_clear_pointer (&self->by_id, g_hash_table_unref);
  g_clear_pointer (&self->by_js_id, g_hash_table_unref);
  g_clear_pointer (&self->metadata, g_array_unref);
  g_clear_pointer (&self->params, g_array_unref);
  g_clear_pointer (&self->others, g_array_unref);
  g_clear_pointer (&self->strings, g_string_chunk_free);
  g_strfreev (self->warnings);
  g_mutex_clear (&self->out_lock);
}

void
trc_graph_unref (TrcGraph *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, graph_clear);
}

guint32
trc_graph_n_nodes (const TrcGraph *self)
{
  return self->n_nodes;
}

guint64
trc_graph_n_edges (const TrcGraph *self)
{
  return self->offsets[self->n_nodes];
}

const TrcNode *
trc_graph_nodes (const TrcGraph *self)
{
  return self->nodes;
}

const TrcNode *
trc_graph_node (const TrcGraph *self, guint32 i)
{
  g_return_val_if_fail (i < self->n_nodes, NULL);
  return &self->nodes[i];
}

const TrcEdge *
trc_graph_edges (const TrcGraph *self)
{
  return self->edges;
}

const guint64 *
trc_graph_offsets (const TrcGraph *self)
{
  return self->offsets;
}

const TrcEdge *
trc_graph_in_edges (const TrcGraph *self, guint32 target, gsize *n)
{
  g_return_val_if_fail (target < self->n_nodes, NULL);
  *n = (gsize)(self->offsets[target + 1] - self->offsets[target]);
  return self->edges + self->offsets[target];
}

/* Counting sort of the links by source; targets rise because they are visited so. */
static void
make_out_index (TrcGraph *self)
{
  guint64 n_edges = trc_graph_n_edges (self);
  TrcOutEdge *out = g_try_new (TrcOutEdge, n_edges + 1);
  guint64 *offsets = g_try_new0 (guint64, (gsize)self->n_nodes + 2);

  if (out == NULL || offsets == NULL)
    {
      g_free (out);
      g_free (offsets);
      return;
    }
  /* Shifted by two, so that filling leaves every offset where it belongs. */
  for (guint64 e = 0; e < n_edges; e++)
    if (self->edges[e].source + 2 <= self->n_nodes)
      offsets[self->edges[e].source + 2]++;
  for (guint32 i = 2; i <= self->n_nodes; i++)
    offsets[i] += offsets[i - 1];
  for (guint32 t = 0; t < self->n_nodes; t++)
    for (guint64 e = self->offsets[t]; e < self->offsets[t + 1]; e++)
      out[offsets[self->edges[e].source + 1]++] =
          (TrcOutEdge){ t, (guint32)(e - self->offsets[t]) };
  self->out_offsets = offsets;
  g_atomic_pointer_set (&self->out, out);
}

const TrcOutEdge *
trc_graph_out_edges (const TrcGraph *self, guint32 source, gsize *n)
{
  TrcGraph *mutable = (TrcGraph *)self; /* the index is a cache: nothing to see changes */

  *n = 0;
  g_return_val_if_fail (source < self->n_nodes, NULL);
  if (g_atomic_pointer_get (&mutable->out) == NULL)
    {
      g_mutex_lock (&mutable->out_lock);
      if (mutable->out == NULL)
        make_out_index (mutable);
      g_mutex_unlock (&mutable->out_lock);
      if (self->out == NULL)
        return NULL;
    }
  *n = (gsize)(self->out_offsets[source + 1] - self->out_offsets[source]);
  return self->out + self->out_offsets[source];
}

const TrcEdge *
trc_graph_out_edge (const TrcGraph *self, const TrcOutEdge *out)
{
  return self->edges + self->offsets[out->target] + out->slot;
}

gint64
trc_graph_find (const TrcGraph *self, const char *id)
{
  gsize found = GPOINTER_TO_SIZE (g_hash_table_lookup (self->by_id, id));

  if (found == 0)
    found = GPOINTER_TO_SIZE (g_hash_table_lookup (self->by_js_id, id));
  return (gint64)found - 1;
}

gint32
trc_graph_n_layers (const TrcGraph *self)
{
  return self->n_layers;
}

gint32
trc_graph_n_positions (const TrcGraph *self)
{
  return self->n_positions;
}

TrcGraphDialect
trc_graph_dialect (const TrcGraph *self)
{
  return self->dialect;
}

const char *
trc_graph_prompt (const TrcGraph *self)
{
  return self->prompt != NULL ? self->prompt : "";
}

const char *
trc_graph_token (const TrcGraph *self, gint32 position)
{
  return position >= 0 && (gsize)position < self->n_tokens ? self->tokens[position] : NULL;
}

const char *
trc_graph_text (const TrcGraph *self, const char *key)
{
  g_autoptr (JsonNode) node = trc_members_lookup (self->metadata, key);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;

  /* Interning is a cache like the out index; the chunk is not safe for threads by itself. */
  TrcGraph *mutable = (TrcGraph *)self;
  g_mutex_lock (&mutable->out_lock);
  const char *text = g_string_chunk_insert_const (self->strings, json_node_get_string (node));
  g_mutex_unlock (&mutable->out_lock);
  return text;
}

double
trc_graph_number (const TrcGraph *self, const char *key)
{
  g_autoptr (JsonNode) node = trc_members_lookup (self->metadata, key);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) == G_TYPE_STRING)
    return NAN;
  return json_node_get_double (node);
}

char *
trc_graph_metadata_json (const TrcGraph *self)
{
  GString *text = g_string_new (NULL);

  trc_members_append (self->metadata, text);
  return g_string_free (text, FALSE);
}

const TrcGraphMarks *
trc_graph_marks (const TrcGraph *self)
{
  return &self->marks;
}

const char *const *
trc_graph_warnings (const TrcGraph *self)
{
  return (const char *const *)self->warnings;
}

/* Label of a node that nobody has named. */
static char *
make_label (const TrcGraph *self, const TrcNode *node)
{
  const char *token = trc_graph_token (self, node->position);

  switch (node->kind)
    {
    case TRC_NODE_EMBEDDING:
      return token != NULL ? g_strdup (token) : g_strdup (node->id);
    case TRC_NODE_HEAD:
      return g_strdup_printf ("L%d H%" G_GINT64_FORMAT, node->layer, node->index);
    case TRC_NODE_NEURON:
      return g_strdup_printf ("L%d n%" G_GINT64_FORMAT, node->layer, node->index);
    case TRC_NODE_FEATURE:
      return g_strdup_printf ("L%d f%" G_GINT64_FORMAT, node->layer, node->index);
    case TRC_NODE_ERROR:
      return g_strdup_printf ("L%d rest", node->layer);
    case TRC_NODE_MLP:
      return g_strdup_printf ("L%d MLP", node->layer);
    default:
      return g_strdup (node->id);
    }
}

char *
trc_graph_dup_label (const TrcGraph *self, guint32 node)
{
  g_return_val_if_fail (node < self->n_nodes, g_strdup (""));

  for (gsize i = 0; i < self->marks.n_labels; i++)
    if (self->marks.labels[i].node == node && *self->marks.labels[i].label != '\0')
      return g_strdup (self->marks.labels[i].label);
  if (*self->nodes[node].label != '\0')
    return g_strdup (self->nodes[node].label);
  return make_label (self, &self->nodes[node]);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Shares summed over falling scores rise fast first and slowly later, so half of
 * them lie in the upper half; plain scores have many small and few large ones. A
 * handful of nodes has no such shape (tokens stay, however unimportant), but plain
 * scores would not add up to more than 1. */
gboolean
trc_influence_is_cumulative (const TrcNode *nodes, gsize n_nodes)
{
  g_autofree double *values = g_try_new (double, n_nodes + 1);
  double sum = 0;
  gsize n = 0;

  for (gsize i = 0; i < n_nodes && values != NULL; i++)
    if (isfinite (nodes[i].influence))
      {
        values[n++] = nodes[i].influence;
        sum += nodes[i].influence;
      }
  if (n == 0)
    return FALSE;
  qsort (values, n, sizeof values[0], compare_doubles);
  if (values[0] < 0 || values[n - 1] > 1.001)
    return FALSE;
  return values[n / 2] >= 0.45 * values[n - 1] || (n < FEW_NODES && sum > 1.02);
}

gboolean
trc_graph_has_cumulative_influence (const TrcGraph *self)
{
  return trc_influence_is_cumulative (self->nodes, self->n_nodes);
}
