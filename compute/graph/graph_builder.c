#include "compute/graph.h"

#include "compute/error.h"
#include "compute/graph/graph_impl.h"
#include "compute/graph/json_text.h"
#include "compute/graph/node_names.h"

#include <string.h>

/* Node numbers have 32 bits, and one is kept free for "none". */
#define MAX_NODES (G_MAXUINT32 - 2)

gboolean
trc_grow (gpointer *array, gsize n, gsize *room, gsize size)
{
  gsize want, bytes;
  gpointer larger;

  if (n < *room)
    return TRUE;
  want = MAX (64, *room + *room / 2);
  if (!g_size_checked_mul (&bytes, want, size))
    return FALSE;
  larger = g_try_realloc (*array, bytes);
  if (larger == NULL)
    return FALSE;
  *array = larger;
  *room = want;
  return TRUE;
}

static TrcGraphBuilder *
builder_new (void)
{
  TrcGraphBuilder *self = g_new0 (TrcGraphBuilder, 1);

  self->strings = g_string_chunk_new (4096);
  self->warnings = g_ptr_array_new_with_free_func (g_free);
  self->edge_extras = g_array_new (FALSE, FALSE, sizeof (TrcEdgeExtra));
  return self;
}

TrcGraphBuilder *
trc_graph_builder_new (void)
{
  TrcGraphBuilder *self = builder_new ();

  self->metadata = trc_members_new ();
  self->params = trc_members_new ();
  self->others = trc_members_new ();
  return self;
}

TrcGraphBuilder *
trc_graph_builder_new_like (const TrcGraph *graph)
{
  TrcGraphBuilder *self = builder_new ();

  self->metadata = trc_members_copy (graph->metadata, self->strings);
  self->params = trc_members_copy (graph->params, self->strings);
  self->others = trc_members_copy (graph->others, self->strings);
  self->dialect = graph->dialect;
  self->from_file = TRUE; /* its names are final */
  return self;
}

TrcGraphBuilder *
trc_graph_builder_new_from (const TrcGraph *graph)
{
  TrcGraphBuilder *self = trc_graph_builder_new_like (graph);
  gsize n;

  for (guint32 i = 0; i < graph->n_nodes; i++)
    trc_graph_builder_add_node (self, &graph->nodes[i]);
  for (guint32 t = 0; t < graph->n_nodes; t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);
      for (gsize k = 0; k < n; k++)
        trc_graph_builder_add_edge_full (self, t, &in[k]);
    }
  for (gsize i = 0; i < graph->n_edge_extras; i++)
    {
      TrcEdgeExtra extra = graph->edge_extras[i];
      extra.json = trc_graph_builder_intern (self, extra.json);
      g_array_append_val (self->edge_extras, extra);
    }
  for (char **w = graph->warnings; *w != NULL; w++)
    g_ptr_array_add (self->warnings, g_strdup (*w));
  return self;
}

void
trc_graph_builder_free (TrcGraphBuilder *self)
{
  if (self == NULL)
    return;
  g_free (self->nodes);
  g_free (self->edges);
  g_free (self->targets);
  g_array_unref (self->edge_extras);
  g_clear_pointer (&self->strings, g_string_chunk_free);
  g_clear_pointer (&self->metadata, g_array_unref);
  g_clear_pointer (&self->params, g_array_unref);
  g_clear_pointer (&self->others, g_array_unref);
  g_clear_pointer (&self->warnings, g_ptr_array_unref);
  if (self->new_marks != NULL)
    trc_marks_clear (self->new_marks);
  g_free (self->new_marks);
  g_free (self);
}

const char *
trc_graph_builder_intern (TrcGraphBuilder *self, const char *text)
{
  return text != NULL ? g_string_chunk_insert_const (self->strings, text) : NULL;
}

/* A number that is there is a member that is there. */
static guint32
implied_flags (const TrcNode *node)
{
  return (isnan (node->activation) ? 0 : TRC_NODE_HAS_ACTIVATION)
         | (isnan (node->influence) ? 0 : TRC_NODE_HAS_INFLUENCE)
         | (isnan (node->token_prob) ? 0 : TRC_NODE_HAS_TOKEN_PROB)
         | (node->flags & TRC_NODE_IS_TARGET ? TRC_NODE_HAS_IS_TARGET : 0);
}

/* The "feature" member of nodes that did not come from a file. */
static gint64
implied_feature (const TrcNode *node)
{
  gint64 paired;

  if (node->kind == TRC_NODE_FEATURE && trc_pair_feature (node->layer, node->index, &paired))
    return paired;
  return node->kind == TRC_NODE_EMBEDDING ? node->position : node->index;
}

void
trc_graph_builder_set_dialect (TrcGraphBuilder *self, TrcGraphDialect dialect)
{
  self->dialect = dialect;
}

guint32
trc_graph_builder_add_node (TrcGraphBuilder *self, const TrcNode *node)
{
  gsize i = self->n_nodes;

  if (i >= MAX_NODES
      || !trc_grow ((gpointer *)&self->nodes, i, &self->room_nodes, sizeof (TrcNode)))
    {
      self->no_memory = TRUE;
      return 0;
    }

  TrcNode *copy = &self->nodes[self->n_nodes++];
  *copy = *node;
  copy->flags |= implied_flags (node);
  copy->label = trc_graph_builder_intern (self, node->label != NULL ? node->label : "");
  copy->id = trc_graph_builder_intern (self, node->id);
  copy->js_id = trc_graph_builder_intern (self, node->js_id);
  copy->type = trc_graph_builder_intern (self, node->type);
  copy->layer_text = trc_graph_builder_intern (self, node->layer_text);
  copy->extra = trc_graph_builder_intern (self, node->extra);
  return (guint32)i;
}

TrcNode *
trc_graph_builder_node (TrcGraphBuilder *self, guint32 i)
{
  g_return_val_if_fail (i < self->n_nodes, NULL);
  return &self->nodes[i];
}

guint32
trc_graph_builder_n_nodes (const TrcGraphBuilder *self)
{
  return (guint32)self->n_nodes;
}

void
trc_graph_builder_add_edge (TrcGraphBuilder *self, guint32 source, guint32 target,
                            double weight)
{
  TrcEdge edge = { .source = source, .weight = weight };

  trc_graph_builder_add_edge_full (self, target, &edge);
}

void
trc_graph_builder_add_edge_full (TrcGraphBuilder *self, guint32 target, const TrcEdge *edge)
{
  gsize room = self->room_edges;

  if (self->no_memory
      || !trc_grow ((gpointer *)&self->edges, self->n_edges, &room, sizeof (TrcEdge))
      || !trc_grow ((gpointer *)&self->targets, self->n_edges, &self->room_edges,
                    sizeof (guint32)))
    {
      self->no_memory = TRUE;
      return;
    }
  self->edges[self->n_edges] = *edge;
  self->targets[self->n_edges++] = target;
}

void
trc_graph_builder_set_text (TrcGraphBuilder *self, const char *key, const char *value)
{
  g_autoptr (GString) json = g_string_new (NULL);

  trc_json_append_string (json, value, strlen (value));
  trc_members_store (self->metadata, self->strings, key, json->str);
}

void
trc_graph_builder_set_number (TrcGraphBuilder *self, const char *key, double value)
{
  g_autoptr (GString) json = g_string_new (NULL);

  trc_json_append_number (json, value);
  trc_members_store (self->metadata, self->strings, key, json->str);
}

void
trc_graph_builder_set_bool (TrcGraphBuilder *self, const char *key, gboolean value)
{
  trc_members_store (self->metadata, self->strings, key, value ? "true" : "false");
}

void
trc_graph_builder_set_prompt (TrcGraphBuilder *self, const char *prompt,
                              const char *const *tokens, gsize n_tokens)
{
  g_autoptr (GString) json = g_string_new ("[");

  for (gsize i = 0; i < n_tokens; i++)
    {
      g_string_append (json, i > 0 ? ", " : "");
      trc_json_append_string (json, tokens[i], strlen (tokens[i]));
    }
  g_string_append_c (json, ']');
  trc_members_set (self->metadata, self->strings, "prompt_tokens", json->str);
  trc_graph_builder_set_text (self, "prompt", prompt);
}

void
trc_graph_builder_set_marks (TrcGraphBuilder *self, const TrcGraphMarks *marks)
{
  if (self->new_marks != NULL)
    trc_marks_clear (self->new_marks);
  g_free (self->new_marks);
  self->new_marks = trc_marks_copy (marks, self->strings);
}

void
trc_graph_builder_warn (TrcGraphBuilder *self, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->warnings, g_strdup_vprintf (format, args));
  va_end (args);
}

/* ---- finishing ---- */

static gboolean
check (const TrcGraphBuilder *self, GError **error)
{
  if (self->no_memory)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                   "There is no memory for a graph of more than %" G_GSIZE_FORMAT
                   " nodes and %" G_GSIZE_FORMAT " links.",
                   self->n_nodes, self->n_edges);
      return FALSE;
    }
  for (gsize e = 0; e < self->n_edges; e++)
    {
      if (self->edges[e].source >= self->n_nodes || self->targets[e] >= self->n_nodes)
        {
          g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                       "Link %" G_GSIZE_FORMAT
                       " names node %u, but the graph has %" G_GSIZE_FORMAT " nodes.",
                       e, MAX (self->edges[e].source, self->targets[e]), self->n_nodes);
          return FALSE;
        }
      if (!isfinite (self->edges[e].weight))
        {
          g_set_error (
              error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
              "The link from node %u to node %u has a weight that is not a finite number.",
              self->edges[e].source, self->targets[e]);
          return FALSE;
        }
    }
  return TRUE;
}

/* Names, "feature" numbers and the logits' layer of nodes that the program made. */
static void
complete_nodes (TrcGraphBuilder *self, TrcGraph *graph)
{
  gint32 layers = 0;

  for (gsize i = 0; i < self->n_nodes; i++)
    if (self->nodes[i].kind != TRC_NODE_LOGIT && self->nodes[i].layer < G_MAXINT32)
      layers = MAX (layers, self->nodes[i].layer + 1);
  graph->n_layers = layers;
  for (gsize i = 0; i < self->n_nodes; i++)
    {
      TrcNode *node = &self->nodes[i];

      if (node->kind == TRC_NODE_LOGIT)
        node->layer = layers;
      if (node->id == NULL && node->raw_feature < 0)
        node->raw_feature = implied_feature (node);
      if (node->id == NULL && node->kind == TRC_NODE_LOGIT && node->layer_text == NULL)
        {
          /* Files count the logits' layer one higher: embeddings are not layer 0 there. */
          node->layer++;
          trc_node_make_names (node, self->strings);
          node->layer--;
        }
      trc_node_make_names (node, self->strings);
      graph->n_positions = MAX (graph->n_positions, MIN (node->position, G_MAXINT32 - 1) + 1);
    }
  if (!self->from_file && trc_members_get (self->metadata, "schema_version") == NULL)
    trc_members_set (self->metadata, self->strings, "schema_version", "1");
}

static void
index_ids (TrcGraph *graph)
{
  graph->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  graph->by_js_id = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint32 i = 0; i < graph->n_nodes; i++)
    {
      const TrcNode *node = &graph->nodes[i];

      if (!g_hash_table_contains (graph->by_id, node->id))
        g_hash_table_insert (graph->by_id, (gpointer)node->id, GSIZE_TO_POINTER (i + 1));
      if (g_hash_table_contains (graph->by_js_id, node->js_id))
        g_hash_table_insert (graph->by_js_id, (gpointer)node->js_id, GSIZE_TO_POINTER (0));
      else
        g_hash_table_insert (graph->by_js_id, (gpointer)node->js_id, GSIZE_TO_POINTER (i + 1));
    }
}

static int
compare_extras (gconstpointer a, gconstpointer b)
{
  const TrcEdgeExtra *x = a, *y = b;

  return (x->edge > y->edge) - (x->edge < y->edge);
}

/* Sorts the links by target, keeping their order; writers mostly did already. */
static gboolean
sort_links (TrcGraphBuilder *self, TrcGraph *graph)
{
  gboolean sorted = TRUE;
  TrcEdge *edges;
  TrcEdgeExtra *extras = (TrcEdgeExtra *)(void *)self->edge_extras->data;

  for (gsize e = 0; e < self->n_edges; e++)
    graph->offsets[self->targets[e] + 1]++;
  for (gsize e = 1; e < self->n_edges && sorted; e++)
    sorted = self->targets[e - 1] <= self->targets[e];
  for (gsize t = 0; t < self->n_nodes; t++)
    graph->offsets[t + 1] += graph->offsets[t];

  if (sorted)
    {
      edges = g_try_renew (TrcEdge, self->edges, self->n_edges + 1);
      if (edges == NULL)
        return FALSE;
      self->edges = NULL;
    }
  else
    {
      guint next = 0;
      g_autofree guint64 *fill = g_try_new (guint64, self->n_nodes + 1);

      edges = g_try_new (TrcEdge, self->n_edges + 1);
      if (edges == NULL || fill == NULL)
        {
          g_free (edges);
          return FALSE;
        }
      memcpy (fill, graph->offsets, (self->n_nodes + 1) * sizeof fill[0]);
      for (gsize e = 0; e < self->n_edges; e++)
        {
          guint64 to = fill[self->targets[e]]++;

          edges[to] = self->edges[e];
          for (; next < self->edge_extras->len && extras[next].edge == e; next++)
            extras[next].edge = to;
        }
    }
  graph->edges = edges;
  g_array_sort (self->edge_extras, compare_extras);
  graph->n_edge_extras = self->edge_extras->len;
  graph->edge_extras = (TrcEdgeExtra *)(void *)g_array_free (self->edge_extras, FALSE);
  self->edge_extras = g_array_new (FALSE, FALSE, sizeof (TrcEdgeExtra));
  return TRUE;
}

static void
read_prompt (TrcGraph *graph)
{
  g_autoptr (JsonNode) prompt = trc_members_lookup (graph->metadata, "prompt");
  g_autoptr (JsonNode) tokens = trc_members_lookup (graph->metadata, "prompt_tokens");

  if (prompt != NULL && JSON_NODE_HOLDS_VALUE (prompt)
      && json_node_get_value_type (prompt) == G_TYPE_STRING)
    graph->prompt = g_string_chunk_insert (graph->strings, json_node_get_string (prompt));
  if (tokens == NULL || !JSON_NODE_HOLDS_ARRAY (tokens))
    return;

  JsonArray *array = json_node_get_array (tokens);
  graph->n_tokens = json_array_get_length (array);
  graph->tokens = g_new0 (const char *, graph->n_tokens + 1);
  for (guint i = 0; i < graph->n_tokens; i++)
    {
      JsonNode *token = json_array_get_element (array, i);
      gboolean is_text =
          JSON_NODE_HOLDS_VALUE (token) && json_node_get_value_type (token) == G_TYPE_STRING;

      graph->tokens[i] = g_string_chunk_insert_const (
          graph->strings, is_text ? json_node_get_string (token) : "");
    }
  graph->n_positions = (gint32)MAX ((gsize)graph->n_positions, graph->n_tokens);
}

/* Moves what the two share. */
static void
hand_over (TrcGraphBuilder *self, TrcGraph *graph)
{
  graph->nodes = g_steal_pointer (&self->nodes);
  graph->n_nodes = (guint32)self->n_nodes;
  graph->strings = g_steal_pointer (&self->strings);
  graph->metadata = g_steal_pointer (&self->metadata);
  graph->params = g_steal_pointer (&self->params);
  graph->others = g_steal_pointer (&self->others);
  graph->dialect = self->dialect;
}

TrcGraph *
trc_graph_builder_finish (TrcGraphBuilder *self_taken, GError **error)
{
  g_autoptr (TrcGraphBuilder) self = self_taken;

  if (!check (self, error))
    return NULL;

  g_autoptr (TrcGraph) graph = g_atomic_rc_box_new0 (TrcGraph);
  g_mutex_init (&graph->out_lock);
  graph->offsets = g_try_new0 (guint64, self->n_nodes + 1);
  if (graph->offsets == NULL || !sort_links (self, graph))
    {
      self->no_memory = TRUE;
      check (self, error);
      return NULL;
    }
  complete_nodes (self, graph);
  hand_over (self, graph);
  index_ids (graph);
  read_prompt (graph);
  if (self->new_marks != NULL)
    trc_marks_store (graph, self->new_marks);
  else
    trc_marks_parse (graph, self->warnings);
  g_ptr_array_add (self->warnings, NULL);
  graph->warnings = (char **)g_ptr_array_steal (self->warnings, NULL);
  return g_steal_pointer (&graph);
}
