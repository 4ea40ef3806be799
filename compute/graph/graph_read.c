/* The reader of graph files. Links and nodes may come in any order, so links
 * are kept by the numbers of their ids and become links between nodes at the end. */

#include "compute/error.h"
#include "compute/graph/graph_impl.h"
#include "compute/graph/graph_reader.h"
#include "compute/graph/json_text.h"
#include "compute/graph/node_names.h"

#include <string.h>

/* Bounds that no real file comes near; past them a number is damage, and
 * whatever makes a row or a column of it would suffer. */
#define MAX_LAYER 100000
#define MAX_POSITION 10000000

/* ---- small helpers ---- */

static gboolean fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, text);
  return FALSE;
}

/* A sentence with a quoted name of the file in it. */
static gboolean
fail_at (GError **error, const char *before, const char *name, const char *after)
{
  g_autofree char *shown = trc_json_dup_short (name);

  return fail (error, "%s\"%s\"%s", before, shown, after);
}

static const char *
kind_text (const TrcJsonValue *value)
{
  static const char *const names[] = { "null", "true or false", "a number", "a text",
                                       "a list" };

  return value->kind == TRC_JSON_RAW && value->text[0] == '{' ? "an object"
                                                              : names[value->kind];
}

static gboolean
wrong_type (const char *what, guint64 number, const char *key, const char *want,
            const TrcJsonValue *value, GError **error)
{
  return fail (error, "\"%s\" of %s %" G_GUINT64_FORMAT " is %s instead of %s", key, what,
               number, kind_text (value), want);
}

/* Keeps a text of the file as long as the graph. Texts with a NUL inside end there. */
static const char *
intern (TrcGraphReader *self, const TrcJsonValue *value)
{
  g_string_truncate (self->scratch, 0);
  g_string_append_len (self->scratch, value->text, (gssize)value->len);
  return trc_graph_builder_intern (self->builder, self->scratch->str);
}

static gboolean
get_number (const TrcJsonValue *value, double *number)
{
  if (value->kind == TRC_JSON_NULL)
    *number = NAN;
  else if (value->kind == TRC_JSON_NUMBER)
    *number = value->number;
  else
    return value->kind == TRC_JSON_STRING
           && trc_json_parse_number (value->text, value->len, number);
  return TRUE;
}

static gboolean
get_integer (const TrcJsonValue *value, gint64 *number)
{
  return (value->kind == TRC_JSON_NUMBER || value->kind == TRC_JSON_STRING)
         && trc_json_parse_integer (value->text, value->len, number);
}

/* ---- nodes ---- */

static gboolean
node_layer (TrcGraphReader *self, const TrcJsonValue *value, GError **error)
{
  TrcNode *node = &self->node;
  gint64 layer = -1;
  double number;

  if (value->kind != TRC_JSON_STRING && value->kind != TRC_JSON_NUMBER
      && value->kind != TRC_JSON_NULL)
    return wrong_type ("node", self->n_nodes, "layer", "a text or a number", value, error);
  if (get_integer (value, &layer))
    {
      if (layer < -1 || layer > MAX_LAYER)
        return fail (error, "\"layer\" of node %u is %" G_GINT64_FORMAT ", which is no layer",
                     self->n_nodes, layer);
    }
  else if (value->kind != TRC_JSON_NULL && get_number (value, &number))
    return fail (error, "\"layer\" of node %u is %g, which is no layer", self->n_nodes, number);
  node->layer = (gint32)layer;
  node->layer_text = value->kind == TRC_JSON_NULL ? NULL : intern (self, value);
  if (value->kind == TRC_JSON_NUMBER)
    node->flags |= TRC_NODE_LAYER_IS_NUMBER;
  return TRUE;
}

static gboolean
node_feature (TrcGraphReader *self, const TrcJsonValue *value, GError **error)
{
  TrcNode *node = &self->node;

  node->flags &= ~(guint32)TRC_NODE_NO_FEATURE;
  if (value->kind == TRC_JSON_NULL)
    {
      node->flags |= TRC_NODE_FEATURE_IS_NULL;
      return TRUE;
    }
  if (!get_integer (value, &node->raw_feature))
    return value->kind == TRC_JSON_NUMBER
               ? fail (error, "\"feature\" of node %u is %.*s, which is no feature number",
                       self->n_nodes, (int)MIN (value->len, 24), value->text)
               : wrong_type ("node", self->n_nodes, "feature", "a whole number", value, error);
  return TRUE;
}

static gboolean
node_position (TrcGraphReader *self, const TrcJsonValue *value, GError **error)
{
  gint64 position;

  if (value->kind == TRC_JSON_NULL)
    return TRUE;
  if (!get_integer (value, &position))
    return wrong_type ("node", self->n_nodes, "ctx_idx", "a whole number", value, error);
  if (position < -1 || position > MAX_POSITION)
    return fail (error, "\"ctx_idx\" of node %u is %" G_GINT64_FORMAT ", which is no position",
                 self->n_nodes, position);
  self->node.position = (gint32)position;
  return TRUE;
}

static gboolean
node_target (TrcGraphReader *self, const TrcJsonValue *value, GError **error)
{
  if (value->kind != TRC_JSON_BOOL && value->kind != TRC_JSON_NULL)
    return wrong_type ("node", self->n_nodes, "is_target_logit", "true or false", value, error);
  self->node.flags |= TRC_NODE_HAS_IS_TARGET | (value->truth ? TRC_NODE_IS_TARGET : 0);
  return TRUE;
}

/* Members of a node that are texts and numbers, and where they go. */
static const struct {
  const char *key;
  gsize text_at;   /* offset of a text, or 0 */
  gsize number_at; /* offset of a double, or 0 */
  guint32 flag;
} node_members[] = {
  { "node_id", G_STRUCT_OFFSET (TrcNode, id), 0, 0 },
  { "feature_type", G_STRUCT_OFFSET (TrcNode, type), 0, 0 },
  { "jsNodeId", G_STRUCT_OFFSET (TrcNode, js_id), 0, 0 },
  { "clerp", G_STRUCT_OFFSET (TrcNode, label), 0, 0 },
  { "token_prob", 0, G_STRUCT_OFFSET (TrcNode, token_prob), TRC_NODE_HAS_TOKEN_PROB },
  { "influence", 0, G_STRUCT_OFFSET (TrcNode, influence), TRC_NODE_HAS_INFLUENCE },
  { "activation", 0, G_STRUCT_OFFSET (TrcNode, activation), TRC_NODE_HAS_ACTIVATION },
  { "score", 0, G_STRUCT_OFFSET (TrcNode, score), 0 },
};

/* TRUE if the table knew @key; *ok says whether the value was of the right type. */
static gboolean
node_table_member (TrcGraphReader *self, const char *key, const TrcJsonValue *value,
                   gboolean *ok, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (node_members); i++)
    {
      if (strcmp (key, node_members[i].key) != 0)
        continue;
      if (node_members[i].number_at > 0)
        {
          double *number = G_STRUCT_MEMBER_P (&self->node, node_members[i].number_at);
          *ok = get_number (value, number)
                || wrong_type ("node", self->n_nodes, key, "a number", value, error);
        }
      else if (value->kind == TRC_JSON_STRING)
        G_STRUCT_MEMBER (const char *, &self->node, node_members[i].text_at) =
            intern (self, value);
      else if (value->kind == TRC_JSON_NUMBER && strcmp (key, "node_id") == 0)
        self->node.id = intern (self, value); /* some writers count their nodes */
      else
        *ok = value->kind == TRC_JSON_NULL
              || wrong_type ("node", self->n_nodes, key, "a text", value, error);
      self->node.flags |= node_members[i].flag;
      return TRUE;
    }
  return FALSE;
}

static gboolean
node_known_member (TrcGraphReader *self, const char *key, const TrcJsonValue *value,
                   gboolean *ok, GError **error)
{
  static const struct {
    const char *key;
    gboolean (*read) (TrcGraphReader *, const TrcJsonValue *, GError **);
  } members[] = {
    { "layer", node_layer },
    { "feature", node_feature },
    { "ctx_idx", node_position },
    { "is_target_logit", node_target },
  };

  if (node_table_member (self, key, value, ok, error))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (strcmp (key, members[i].key) == 0)
      {
        *ok = members[i].read (self, value, error);
        return TRUE;
      }
  return FALSE;
}

/* The name that the common dialect has for a member of smaller ones, if the node does
 * not have that member yet. */
static const char *
usual_name (const TrcNode *node, const char *key)
{
  if (strcmp (key, "id") == 0)
    return node->id == NULL ? "node_id" : NULL;
  if (strcmp (key, "position") == 0)
    return node->position < 0 ? "ctx_idx" : NULL;
  if (strcmp (key, "label") == 0)
    return node->label == NULL ? "clerp" : NULL;
  if (strcmp (key, "node_type") == 0)
    return node->type == NULL ? "feature_type" : NULL;
  if (strcmp (key, "feature_idx") == 0 || strcmp (key, "neuron_idx") == 0)
    return node->flags & TRC_NODE_NO_FEATURE ? "feature" : NULL;
  if (strcmp (key, "attribution") == 0)
    return isnan (node->score) ? "score" : NULL;
  return NULL;
}

/* What has another name is understood as far as it can be, and kept as it is. */
static gboolean
node_value (TrcGraphReader *self, const char *key, const TrcJsonValue *value, GError **error)
{
  gboolean ok = TRUE;
  const char *usual;

  if (node_known_member (self, key, value, &ok, error))
    return ok;
  usual = usual_name (&self->node, key);
  if (usual != NULL && value->kind != TRC_JSON_RAW)
    node_known_member (self, usual, value, &ok, NULL);
  if (strcmp (key, "neuron_idx") == 0 && self->node.type == NULL)
    self->node.type = trc_node_type (TRC_NODE_NEURON);
  trc_json_append_member (self->extra, key, value);
  return TRUE;
}

static void
node_begin (TrcGraphReader *self)
{
  self->node = (TrcNode)TRC_NODE_INIT;
  self->node.flags = TRC_NODE_NO_FEATURE;
  g_string_truncate (self->extra, 0);
}

static gboolean
node_end (TrcGraphReader *self, GError **error)
{
  TrcNode *node = &self->node;

  if (node->id == NULL)
    return fail (error, "node %u has no \"node_id\"", self->n_nodes);
  if (self->builder->dialect == TRC_GRAPH_COMMON)
    {
      self->n_untyped += node->type == NULL;
      self->n_unplaced += node->position < 0;
      node->kind = trc_node_kind_from_type (node->type);
    }
  if (self->extra->len > 0)
    node->extra = self->extra->str;
  trc_graph_builder_add_node (self->builder, node);
  self->n_nodes++;
  return TRUE;
}

/* ---- links ---- */

static void
link_begin (TrcGraphReader *self)
{
  self->link_source = self->link_target = TRC_NO_SYMBOL;
  self->link = (TrcEdge){ 0 };
  self->link_has_weight = FALSE;
  g_string_truncate (self->extra, 0);
}

static gboolean
link_end_name (TrcGraphReader *self, const char *key, const TrcJsonValue *value,
               guint32 *symbol, GError **error)
{
  if (value->kind != TRC_JSON_STRING && value->kind != TRC_JSON_NUMBER)
    return wrong_type ("link", self->builder->n_edges, key, "a node's id", value, error);
  *symbol = trc_symbols_add (self->symbols, value->text, value->len);
  return *symbol != TRC_NO_SYMBOL || fail (error, "there is no memory for so many ids");
}

static gboolean
link_value (TrcGraphReader *self, const char *key, const TrcJsonValue *value, GError **error)
{
  if (strcmp (key, "source") == 0)
    return link_end_name (self, key, value, &self->link_source, error);
  if (strcmp (key, "target") == 0)
    return link_end_name (self, key, value, &self->link_target, error);
  if (strcmp (key, "weight") == 0)
    {
      if (!get_number (value, &self->link.weight) || isnan (self->link.weight))
        return wrong_type ("link", self->builder->n_edges, key, "a number", value, error);
      self->link_has_weight = TRUE;
      return TRUE;
    }
  trc_json_append_member (self->extra, key, value);
  return TRUE;
}

static gboolean
link_end (TrcGraphReader *self, GError **error)
{
  const char *missing = self->link_source == TRC_NO_SYMBOL   ? "source"
                        : self->link_target == TRC_NO_SYMBOL ? "target"
                        : !self->link_has_weight             ? "weight"
                                                             : NULL;

  if (missing != NULL)
    return fail (error, "link %" G_GSIZE_FORMAT " has no \"%s\"", self->builder->n_edges,
                 missing);
  if (self->extra->len > 0)
    {
      TrcEdgeExtra extra = { self->builder->n_edges,
                             trc_graph_builder_intern (self->builder, self->extra->str) };
      g_array_append_val (self->builder->edge_extras, extra);
    }
  self->link.source = self->link_source;
  trc_graph_builder_add_edge_full (self->builder, self->link_target, &self->link);
  return !self->builder->no_memory || fail (error, "there is no memory for so many links");
}

/* ---- EAP-IG: nodes and links are members named after themselves ---- */

static gboolean
eap_node_begin (TrcGraphReader *self, const char *name, GError **error)
{
  node_begin (self);
  self->node.id = trc_graph_builder_intern (self->builder, name);
  if (!trc_node_from_eap_name (name, &self->node))
    return fail_at (error, "the node name ", name, " is none of input, a0.h0, m0, logits");
  return TRUE;
}

static gboolean
eap_node_value (TrcGraphReader *self, const char *key, const TrcJsonValue *value,
                GError **error)
{
  if (strcmp (key, "in_graph") == 0 && value->kind == TRC_JSON_BOOL)
    self->node.flags |= value->truth ? TRC_NODE_IN_CIRCUIT : 0;
  else if (strcmp (key, "score") == 0)
    return get_number (value, &self->node.score)
           || wrong_type ("node", self->n_nodes, key, "a number", value, error);
  else
    trc_json_append_member (self->extra, key, value);
  return TRUE;
}

/* "a0.h1->a3.h5<q>" */
static gboolean
eap_link_begin (TrcGraphReader *self, const char *name, GError **error)
{
  const char *arrow = strstr (name, "->");
  gsize len;

  link_begin (self);
  if (arrow == NULL)
    return fail_at (error, "the link name ", name, " has no \"->\" in it");
  len = strlen (arrow + 2);
  if (len > 3 && arrow[len - 1] == '<' && arrow[len + 1] == '>')
    {
      const char *reader = strchr ("qkv", arrow[len]);

      if (reader == NULL)
        return fail_at (error, "the link name ", name, " ends in none of <q>, <k>, <v>");
      self->link.reader = (guint16)(TRC_READER_Q + (reader - strchr ("qkv", 'q')));
      len -= 3;
    }
  self->link_source = trc_symbols_add (self->symbols, name, (gsize)(arrow - name));
  self->link_target = trc_symbols_add (self->symbols, arrow + 2, len);
  return (self->link_source != TRC_NO_SYMBOL && self->link_target != TRC_NO_SYMBOL)
         || fail (error, "there is no memory for so many ids");
}

static gboolean
eap_link_value (TrcGraphReader *self, const char *key, const TrcJsonValue *value,
                GError **error)
{
  if (strcmp (key, "in_graph") == 0 && value->kind == TRC_JSON_BOOL)
    self->link.flags |= value->truth ? TRC_EDGE_IN_CIRCUIT : 0;
  else if (strcmp (key, "score") == 0)
    {
      if (!get_number (value, &self->link.weight))
        return wrong_type ("link", self->builder->n_edges, key, "a number", value, error);
      if (isnan (self->link.weight))
        {
          self->link.weight = 0;
          self->link.flags |= TRC_EDGE_NOT_SCORED;
        }
      self->link_has_weight = TRUE;
    }
  else
    trc_json_append_member (self->extra, key, value);
  return TRUE;
}

/* ---- where we are in the document ---- */

static gboolean
top_enter (TrcGraphReader *self, const char *key, gboolean is_array, gboolean *descend)
{
  static const struct {
    const char *key;
    gboolean is_array;
    TrcReadPlace place;
  } rooms[] = {
    { "metadata", FALSE, TRC_AT_METADATA }, { "qParams", FALSE, TRC_AT_PARAMS },
    { "nodes", TRUE, TRC_AT_NODES },        { "links", TRUE, TRC_AT_LINKS },
    { "edges", TRUE, TRC_AT_LINKS },        { "cfg", FALSE, TRC_AT_METADATA },
    { "nodes", FALSE, TRC_AT_EAP_NODES },   { "edges", FALSE, TRC_AT_EAP_EDGES },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rooms); i++)
    if (is_array == rooms[i].is_array && strcmp (key, rooms[i].key) == 0)
      {
        self->place = rooms[i].place;
        self->seen |= 1u << rooms[i].place;
        if (rooms[i].place == TRC_AT_EAP_NODES || rooms[i].place == TRC_AT_EAP_EDGES)
          self->builder->dialect = TRC_GRAPH_EAP_IG;
        *descend = TRUE;
      }
  return TRUE;
}

static gboolean
on_enter (gpointer data, const char *key, gboolean is_array, gboolean *descend, GError **error)
{
  TrcGraphReader *self = data;

  switch (self->place)
    {
    case TRC_AT_START:
      if (is_array)
        return fail (error, "this is a JSON list, not a graph");
      self->place = TRC_AT_TOP;
      *descend = TRUE;
      return TRUE;
    case TRC_AT_TOP:
      return top_enter (self, key, is_array, descend);
    case TRC_AT_NODES:
      if (is_array)
        return fail (error, "node %u is a list instead of an object", self->n_nodes);
      node_begin (self);
      break;
    case TRC_AT_LINKS:
      if (is_array)
        return fail (error, "link %" G_GSIZE_FORMAT " is a list instead of an object",
                     self->builder->n_edges);
      link_begin (self);
      break;
    case TRC_AT_EAP_NODES:
      if (is_array || !eap_node_begin (self, key, error))
        return is_array ? fail_at (error, "node ", key, " is a list instead of an object")
                        : FALSE;
      break;
    case TRC_AT_EAP_EDGES:
      if (is_array || !eap_link_begin (self, key, error))
        return is_array ? fail_at (error, "link ", key, " is a list instead of an object")
                        : FALSE;
      break;
    default:
      return TRUE; /* metadata, view state and members of nodes: taken whole */
    }
  self->place++; /* from the list to its element */
  *descend = TRUE;
  return TRUE;
}

static gboolean
on_leave (gpointer data, GError **error)
{
  TrcGraphReader *self = data;
  TrcReadPlace place = self->place;

  self->place = place == TRC_AT_TOP ? TRC_AT_START : TRC_AT_TOP;
  switch (place)
    {
    case TRC_AT_NODE:
    case TRC_AT_EAP_NODE:
      self->place = place - 1;
      return node_end (self, error);
    case TRC_AT_LINK:
    case TRC_AT_EAP_EDGE:
      self->place = place - 1;
      return link_end (self, error);
    default:
      return TRUE;
    }
}

/* A member that is kept as it is. */
static void
keep (TrcGraphReader *self, TrcMembers *members, const char *key, const TrcJsonValue *value)
{
  g_string_truncate (self->scratch, 0);
  trc_json_append_value (self->scratch, value);
  trc_members_set (members, self->builder->strings, key, self->scratch->str);
}

static gboolean
on_value (gpointer data, const char *key, const TrcJsonValue *value, GError **error)
{
  TrcGraphReader *self = data;

  switch (self->place)
    {
    case TRC_AT_START:
      return fail (error, "this is JSON, but %s and not a graph", kind_text (value));
    case TRC_AT_TOP:
      if (strcmp (key, "nodes") == 0 || strcmp (key, "links") == 0)
        return fail (error, "\"%s\" is %s instead of a list", key, kind_text (value));
      keep (self, self->builder->others, key, value);
      return TRUE;
    case TRC_AT_METADATA:
      keep (self, self->builder->metadata, key, value);
      return TRUE;
    case TRC_AT_PARAMS:
      keep (self, self->builder->params, key, value);
      return TRUE;
    case TRC_AT_NODES:
      return fail (error, "node %u is %s instead of an object", self->n_nodes,
                   kind_text (value));
    case TRC_AT_LINKS:
      return fail (error, "link %" G_GSIZE_FORMAT " is %s instead of an object",
                   self->builder->n_edges, kind_text (value));
    case TRC_AT_EAP_NODES:
    case TRC_AT_EAP_EDGES:
      return fail_at (error, "", key, " is no object");
    case TRC_AT_NODE:
      return node_value (self, key, value, error);
    case TRC_AT_EAP_NODE:
      return eap_node_value (self, key, value, error);
    case TRC_AT_EAP_EDGE:
      return eap_link_value (self, key, value, error);
    default:
      return link_value (self, key, value, error);
    }
}

/* ---- the whole ---- */

static void
reader_clear (TrcGraphReader *self)
{
  g_clear_pointer (&self->builder, trc_graph_builder_free);
  g_clear_pointer (&self->symbols, trc_symbols_free);
  g_string_free (self->scratch, TRUE);
  g_string_free (self->extra, TRUE);
}

static gboolean
has_graph (const TrcGraphReader *self, const char *name, GError **error)
{
  gboolean nodes = self->seen & (1u << TRC_AT_NODES | 1u << TRC_AT_EAP_NODES);
  gboolean links = self->seen & (1u << TRC_AT_LINKS | 1u << TRC_AT_EAP_EDGES);

  if (nodes && links)
    return TRUE;
  return fail (error, "%s is JSON, but not a graph file: it has no \"%s\".", name,
               nodes ? "links" : "nodes");
}

TrcGraph *
trc_graph_read_stream (GInputStream *stream, goffset size, const char *name,
                       const TrcProgress *progress, GError **error)
{
  static const TrcJsonHandler handler = { on_enter, on_leave, on_value };
  TrcGraphReader self = { .builder = trc_graph_builder_new (),
                          .symbols = trc_symbols_new (),
                          .scratch = g_string_new (NULL),
                          .extra = g_string_new (NULL) };
  TrcGraph *graph = NULL;

  self.builder->from_file = TRUE;
  if (trc_json_stream_read (stream, size, name, &handler, &self, progress, error)
      && has_graph (&self, name, error) && trc_graph_reader_settle (&self, name, error))
    graph = trc_graph_builder_finish (g_steal_pointer (&self.builder), error);
  reader_clear (&self);
  return graph;
}
