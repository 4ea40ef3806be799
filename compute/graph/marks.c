/* The view state of graph files, "qParams". Every member is optional, and each
 * has two forms in the wild: a JSON value, or text that holds it. */

#include "compute/graph/graph_impl.h"
#include "compute/graph/json_text.h"

#include <math.h>
#include <string.h>

typedef struct {
  TrcGraph *graph;
  guint n_unknown; /* ids that name nothing */
  char *first_unknown;
} Resolver;

static const char *
node_text (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
                 && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* The member as an array, also when it is text that holds one. */
static JsonNode *
dup_array (const TrcGraph *graph, const char *key)
{
  g_autoptr (JsonNode) node = trc_members_lookup (graph->params, key);
  const char *text = node_text (node);

  if (text != NULL)
    {
      JsonNode *inner = trc_json_parse_value (text);
      g_clear_pointer (&node, json_node_unref);
      node = inner;
    }
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return NULL;
  return g_steal_pointer (&node);
}

/* The number of the node called @id, or -1 with a note for the warning. */
static gint64
resolve (Resolver *self, const char *id)
{
  gint64 node = id != NULL ? trc_graph_find (self->graph, id) : -1;

  if (node < 0 && id != NULL && *id != '\0')
    {
      self->n_unknown++;
      if (self->first_unknown == NULL)
        self->first_unknown = trc_json_dup_short (id);
    }
  return node;
}

static void
add_id (Resolver *self, GArray *to, const char *id)
{
  gint64 node = resolve (self, id);
  guint32 number = (guint32)node;

  if (node >= 0)
    g_array_append_val (to, number);
}

/* Ids of an array, or of one text with commas. */
static guint32 *
parse_ids (Resolver *self, const char *key, gsize *n)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (JsonNode) list = dup_array (self->graph, key);
  g_autoptr (JsonNode) plain = trc_members_lookup (self->graph->params, key);

  if (list != NULL)
    {
      JsonArray *array = json_node_get_array (list);
      for (guint i = 0; i < json_array_get_length (array); i++)
        add_id (self, ids, node_text (json_array_get_element (array, i)));
    }
  else if (node_text (plain) != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (node_text (plain), ",", -1);
      for (char **p = parts; *p != NULL; p++)
        add_id (self, ids, g_strstrip (*p));
    }
  *n = ids->len;
  return (guint32 *)(void *)g_array_free (ids, FALSE);
}

/* [[label, id, id, ...], ...] */
static TrcSupernode *
parse_supernodes (Resolver *self, gsize *n)
{
  g_autoptr (JsonNode) list = dup_array (self->graph, "supernodes");
  GArray *groups = g_array_new (FALSE, FALSE, sizeof (TrcSupernode));
  guint n_items = list != NULL ? json_array_get_length (json_node_get_array (list)) : 0;

  for (guint i = 0; i < n_items; i++)
    {
      JsonNode *item = json_array_get_element (json_node_get_array (list), i);
      JsonArray *parts = JSON_NODE_HOLDS_ARRAY (item) ? json_node_get_array (item) : NULL;

      if (parts == NULL || json_array_get_length (parts) == 0)
        continue;

      GArray *members = g_array_new (FALSE, FALSE, sizeof (guint32));
      const char *label = node_text (json_array_get_element (parts, 0));
      TrcSupernode group;

      for (guint k = 1; k < json_array_get_length (parts); k++)
        add_id (self, members, node_text (json_array_get_element (parts, k)));
      group.label =
          g_string_chunk_insert_const (self->graph->strings, label != NULL ? label : "");
      group.n_members = members->len;
      group.members = (guint32 *)(void *)g_array_free (members, FALSE);
      g_array_append_val (groups, group);
    }
  *n = groups->len;
  return (TrcSupernode *)(void *)g_array_free (groups, FALSE);
}

/* [[id, label], ...] */
static TrcNodeLabel *
parse_labels (Resolver *self, gsize *n)
{
  g_autoptr (JsonNode) list = dup_array (self->graph, "clerps");
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (TrcNodeLabel));
  guint n_items = list != NULL ? json_array_get_length (json_node_get_array (list)) : 0;

  for (guint i = 0; i < n_items; i++)
    {
      JsonNode *item = json_array_get_element (json_node_get_array (list), i);
      JsonArray *parts = JSON_NODE_HOLDS_ARRAY (item) ? json_node_get_array (item) : NULL;

      if (parts == NULL || json_array_get_length (parts) < 2)
        continue;

      const char *text = node_text (json_array_get_element (parts, 1));
      gint64 node = resolve (self, node_text (json_array_get_element (parts, 0)));
      if (node < 0 || text == NULL)
        continue;

      TrcNodeLabel label = { (guint32)node,
                             g_string_chunk_insert_const (self->graph->strings, text) };
      g_array_append_val (labels, label);
    }
  *n = labels->len;
  return (TrcNodeLabel *)(void *)g_array_free (labels, FALSE);
}

/* "x y x y ..." */
static double *
parse_places (const TrcGraph *graph, gsize *n)
{
  g_autoptr (JsonNode) node = trc_members_lookup (graph->params, "sg_pos");
  GArray *places = g_array_new (FALSE, FALSE, sizeof (double));
  const char *at = node_text (node);

  while (at != NULL && *at != '\0')
    {
      char *end;
      double value = g_ascii_strtod (at, &end);

      if (end == at || !isfinite (value))
        break;
      g_array_append_val (places, value);
      for (at = end; *at == ',' || g_ascii_isspace (*at); at++)
        ;
    }
  *n = places->len / 2;
  return (double *)(void *)g_array_free (places, FALSE);
}

/* A number, or text that holds one. */
static double
parse_number (const TrcGraph *graph, const char *key)
{
  g_autoptr (JsonNode) node = trc_members_lookup (graph->params, key);
  const char *text = node_text (node);
  double value;

  if (text != NULL)
    return trc_json_parse_number (text, strlen (text), &value) ? value : NAN;
  return node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_double (node) : NAN;
}

void
trc_marks_parse (TrcGraph *graph, GPtrArray *warnings)
{
  Resolver resolver = { .graph = graph };
  TrcGraphMarks *marks = &graph->marks;
  g_autoptr (JsonNode) clicked = trc_members_lookup (graph->params, "clickedId");
  g_autoptr (JsonNode) link_type = trc_members_lookup (graph->params, "linkType");

  marks->pins = parse_ids (&resolver, "pinnedIds", &marks->n_pins);
  marks->hidden = parse_ids (&resolver, "hiddenIds", &marks->n_hidden);
  marks->supernodes = parse_supernodes (&resolver, &marks->n_supernodes);
  marks->labels = parse_labels (&resolver, &marks->n_labels);
  marks->places = parse_places (graph, &marks->n_places);
  marks->clicked = resolve (&resolver, node_text (clicked));
  marks->link_type = node_text (link_type) != NULL
                         ? g_string_chunk_insert_const (graph->strings, node_text (link_type))
                         : NULL;
  marks->pruning_threshold = parse_number (graph, "pruningThreshold");
  marks->density_threshold = parse_number (graph, "densityThreshold");
  if (resolver.n_unknown > 0)
    g_ptr_array_add (warnings,
                     g_strdup_printf ("%u of the pins, groups and labels name nodes that the "
                                      "graph does not have, the first is \"%s\".",
                                      resolver.n_unknown, resolver.first_unknown));
  g_free (resolver.first_unknown);
}

TrcGraphMarks *
trc_marks_copy (const TrcGraphMarks *marks, GStringChunk *strings)
{
  TrcGraphMarks *copy = g_memdup2 (marks, sizeof *marks);
  TrcSupernode *groups = g_new (TrcSupernode, marks->n_supernodes + 1);
  TrcNodeLabel *labels = g_new (TrcNodeLabel, marks->n_labels + 1);

  copy->pins = g_memdup2 (marks->pins, marks->n_pins * sizeof (guint32));
  copy->hidden = g_memdup2 (marks->hidden, marks->n_hidden * sizeof (guint32));
  copy->places = g_memdup2 (marks->places, marks->n_places * 2 * sizeof (double));
  for (gsize i = 0; i < marks->n_supernodes; i++)
    {
      groups[i] = marks->supernodes[i];
      groups[i].label = g_string_chunk_insert_const (strings, groups[i].label);
      groups[i].members = g_memdup2 (groups[i].members, groups[i].n_members * sizeof (guint32));
    }
  for (gsize i = 0; i < marks->n_labels; i++)
    labels[i] = (TrcNodeLabel){ marks->labels[i].node,
                                g_string_chunk_insert_const (strings, marks->labels[i].label) };
  copy->supernodes = groups;
  copy->labels = labels;
  if (marks->link_type != NULL)
    copy->link_type = g_string_chunk_insert_const (strings, marks->link_type);
  return copy;
}

void
trc_marks_clear (TrcGraphMarks *marks)
{
  for (gsize i = 0; i < marks->n_supernodes; i++)
    g_free ((gpointer)marks->supernodes[i].members);
  g_free ((gpointer)marks->supernodes);
  g_free ((gpointer)marks->pins);
  g_free ((gpointer)marks->hidden);
  g_free ((gpointer)marks->labels);
  g_free ((gpointer)marks->places);
  memset (marks, 0, sizeof *marks);
}

static void
append_id (const TrcGraph *graph, GString *json, guint32 node)
{
  const char *id = node < graph->n_nodes ? graph->nodes[node].id : "";

  trc_json_append_string (json, id, strlen (id));
}

static void
store (TrcGraph *graph, const char *key, GString *json)
{
  trc_members_set (graph->params, graph->strings, key, json->str);
  g_string_free (json, TRUE);
}

static void
store_ids (TrcGraph *graph, const char *key, const guint32 *ids, gsize n)
{
  GString *json = g_string_new ("[");

  for (gsize i = 0; i < n; i++)
    {
      g_string_append (json, i > 0 ? ", " : "");
      append_id (graph, json, ids[i]);
    }
  g_string_append_c (json, ']');
  store (graph, key, json);
}

static void
store_supernodes (TrcGraph *graph, const TrcGraphMarks *marks)
{
  GString *json = g_string_new ("[");

  for (gsize i = 0; i < marks->n_supernodes; i++)
    {
      const TrcSupernode *group = &marks->supernodes[i];

      g_string_append (json, i > 0 ? ", [" : "[");
      trc_json_append_string (json, group->label, strlen (group->label));
      for (gsize k = 0; k < group->n_members; k++)
        {
          g_string_append (json, ", ");
          append_id (graph, json, group->members[k]);
        }
      g_string_append_c (json, ']');
    }
  g_string_append_c (json, ']');
  store (graph, "supernodes", json);
}

static void
store_labels (TrcGraph *graph, const TrcGraphMarks *marks)
{
  GString *json = g_string_new ("[");

  for (gsize i = 0; i < marks->n_labels; i++)
    {
      g_string_append (json, i > 0 ? ", [" : "[");
      append_id (graph, json, marks->labels[i].node);
      g_string_append (json, ", ");
      trc_json_append_string (json, marks->labels[i].label, strlen (marks->labels[i].label));
      g_string_append_c (json, ']');
    }
  g_string_append_c (json, ']');
  store (graph, "clerps", json);
}

static void
store_number (TrcGraph *graph, const char *key, double value)
{
  GString *json = g_string_new (NULL);

  if (isnan (value))
    {
      trc_members_remove (graph->params, key);
      g_string_free (json, TRUE);
      return;
    }
  trc_json_append_number (json, value);
  store (graph, key, json);
}

void
trc_marks_store (TrcGraph *graph, const TrcGraphMarks *marks)
{
  GString *places = g_string_new ("\""), *clicked = g_string_new (NULL);
  g_autoptr (GPtrArray) none = g_ptr_array_new_with_free_func (g_free);

  store_ids (graph, "pinnedIds", marks->pins, marks->n_pins);
  if (marks->n_hidden > 0 || trc_members_get (graph->params, "hiddenIds") != NULL)
    store_ids (graph, "hiddenIds", marks->hidden, marks->n_hidden);
  store_supernodes (graph, marks);
  if (marks->n_labels > 0 || trc_members_get (graph->params, "clerps") != NULL)
    store_labels (graph, marks);
  for (gsize i = 0; i < 2 * marks->n_places; i++)
    {
      g_string_append (places, i > 0 ? " " : "");
      trc_json_append_number (places, marks->places[i]);
    }
  g_string_append_c (places, '"');
  store (graph, "sg_pos", places);
  if (marks->clicked >= 0)
    append_id (graph, clicked, (guint32)marks->clicked);
  else
    g_string_append (clicked, "\"\"");
  store (graph, "clickedId", clicked);
  if (marks->link_type != NULL)
    {
      GString *link_type = g_string_new (NULL);
      trc_json_append_string (link_type, marks->link_type, strlen (marks->link_type));
      store (graph, "linkType", link_type);
    }
  store_number (graph, "pruningThreshold", marks->pruning_threshold);
  store_number (graph, "densityThreshold", marks->density_threshold);
  /* What was written is what a reader would see. */
  trc_marks_parse (graph, none);
}
