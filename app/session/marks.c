#define G_LOG_DOMAIN "tracery-app"

#include "app/session/session_private.h"

static GVariant *
pack (const GArray *pins, GVariantBuilder *labels, const GArray *places)
{
  return g_variant_new ("(@aua(us)@ad)",
                        g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, pins->data, pins->len,
                                                   sizeof (guint32)),
                        labels,
                        g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, places->data,
                                                   places->len, sizeof (double)));
}

static GArray *
array_of (GVariant *marks, gsize child, gsize item_size)
{
  g_autoptr (GVariant) value = g_variant_get_child_value (marks, child);
  gsize n;
  gconstpointer data = g_variant_get_fixed_array (value, &n, item_size);
  GArray *array = g_array_new (FALSE, FALSE, (guint)item_size);

  if (n > 0)
    g_array_append_vals (array, data, (guint)n);
  return array;
}

GVariant *
trc_session_marks_of (const TrcGraph *graph)
{
  const TrcGraphMarks *marks = trc_graph_marks (graph);
  g_autoptr (GArray) pins = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (double));
  GVariantBuilder labels;

  if (marks->n_pins > 0)
    g_array_append_vals (pins, marks->pins, (guint)marks->n_pins);
  if (marks->n_places > 0)
    g_array_append_vals (places, marks->places, (guint)(2 * marks->n_places));
  g_variant_builder_init (&labels, G_VARIANT_TYPE ("a(us)"));
  for (gsize i = 0; i < marks->n_labels; i++)
    {
      g_autofree char *text = g_utf8_make_valid (marks->labels[i].label, -1);

      g_variant_builder_add (&labels, "(us)", marks->labels[i].node, text);
    }
  return pack (pins, &labels, places);
}

TrcGraph *
trc_session_marked_graph (const TrcGraph *graph, GVariant *value, GError **error)
{
  TrcGraphBuilder *builder = trc_graph_builder_new_from (graph);
  TrcGraphMarks marks = *trc_graph_marks (graph);
  g_autoptr (GArray) pins = array_of (value, 0, sizeof (guint32));
  g_autoptr (GArray) places = array_of (value, 2, sizeof (double));
  g_autoptr (GVariant) texts = g_variant_get_child_value (value, 1);
  gsize n_labels = g_variant_n_children (texts);
  g_autofree TrcNodeLabel *labels = g_new0 (TrcNodeLabel, MAX (n_labels, 1));

  for (gsize i = 0; i < n_labels; i++)
    g_variant_get_child (texts, i, "(u&s)", &labels[i].node, &labels[i].label);
  marks.pins = (const guint32 *)(gpointer)pins->data;
  marks.n_pins = pins->len;
  marks.labels = labels;
  marks.n_labels = n_labels;
  marks.places = (const double *)(gpointer)places->data;
  marks.n_places = places->len / 2;
  trc_graph_builder_set_marks (builder, &marks);
  return trc_graph_builder_finish (builder, error);
}

gboolean
trc_session_get_node (TrcSession *self, guint32 *node)
{
  TrcRef ref;

  if (self->digest == NULL || self->selection->len == 0)
    return FALSE;
  ref = g_array_index (self->selection, TrcRef, 0);
  if (!trc_digest_resolve (self->digest, &ref) || ref.kind != TRC_REF_NODE)
    return FALSE;
  *node = (guint32)ref.id;
  return TRUE;
}

/* ---- names ---- */

static char *
given_name (GVariant *marks, guint32 node)
{
  g_autoptr (GVariant) labels = g_variant_get_child_value (marks, 1);
  GVariantIter iter;
  const char *text;
  guint32 i;

  g_variant_iter_init (&iter, labels);
  while (g_variant_iter_next (&iter, "(u&s)", &i, &text))
    if (i == node)
      return g_strdup (text);
  return NULL;
}

char *
trc_session_dup_name (TrcSession *self, guint32 node)
{
  const TrcNode *facts;
  char *given;

  if (self->digest == NULL || node >= trc_graph_n_nodes (trc_digest_graph (self->digest)))
    return g_strdup ("");
  given = given_name (self->marks, node);
  if (given != NULL)
    return given;
  facts = trc_graph_node (trc_digest_graph (self->digest), node);
  return g_utf8_make_valid (facts->label != NULL ? facts->label : "", -1);
}

/* The labels of @marks without that of @node, which becomes @name unless that is empty. */
static void
labels_with (GVariant *marks, guint32 node, const char *name, GVariantBuilder *to)
{
  g_autoptr (GVariant) labels = g_variant_get_child_value (marks, 1);
  gboolean placed = name[0] == '\0';
  GVariantIter iter;
  const char *text;
  guint32 i;

  g_variant_builder_init (to, G_VARIANT_TYPE ("a(us)"));
  g_variant_iter_init (&iter, labels);
  while (g_variant_iter_next (&iter, "(u&s)", &i, &text))
    if (i != node)
      g_variant_builder_add (to, "(us)", i, text);
    else if (!placed)
      {
        g_variant_builder_add (to, "(us)", node, name);
        placed = TRUE;
      }
  if (!placed)
    g_variant_builder_add (to, "(us)", node, name);
}

static void
take_marks (TrcSession *self, GVariant *marks, const char *step)
{
  g_variant_unref (self->marks);
  self->marks = g_variant_ref_sink (marks);
  trc_session_marks_changed (self, step);
}

void
trc_session_rename (TrcSession *self, guint32 node, const char *name)
{
  g_autofree char *text = g_utf8_make_valid (name, -1);
  g_autofree char *old = NULL;
  g_autoptr (GArray) pins = NULL;
  g_autoptr (GArray) places = NULL;
  GVariantBuilder labels;

  if (self->digest == NULL || node >= trc_graph_n_nodes (trc_digest_graph (self->digest)))
    return;
  old = trc_session_dup_name (self, node);
  g_strstrip (text);
  if (g_str_equal (old, text))
    return;
  pins = array_of (self->marks, 0, sizeof (guint32));
  places = array_of (self->marks, 2, sizeof (double));
  labels_with (self->marks, node, text, &labels);
  take_marks (self, pack (pins, &labels, places), "renaming a node");
}

/* ---- pins ---- */

static gint
find_pin (const GArray *pins, guint32 node)
{
  for (guint i = 0; i < pins->len; i++)
    if (g_array_index (pins, guint32, i) == node)
      return (gint)i;
  return -1;
}

gboolean
trc_session_is_pinned (TrcSession *self, guint32 node)
{
  g_autoptr (GArray) pins = array_of (self->marks, 0, sizeof (guint32));

  return find_pin (pins, node) >= 0;
}

/* Places belong to the groups and then to the pins that are in none: those of the others
 * have to stay theirs when the pin @at goes. */
static void
drop_place (TrcSession *self, const GArray *pins, guint at, GArray *places)
{
  guint32 node = g_array_index (pins, guint32, at);
  gsize place = trc_graph_marks (trc_digest_graph (self->digest))->n_supernodes;

  if (trc_digest_group_of (self->digest, node) >= 0)
    return;
  for (guint i = 0; i < at; i++)
    if (trc_digest_group_of (self->digest, g_array_index (pins, guint32, i)) < 0)
      place++;
  if (2 * place + 1 < places->len)
    g_array_remove_range (places, (guint)(2 * place), 2);
}

void
trc_session_set_pinned (TrcSession *self, guint32 node, gboolean pinned)
{
  g_autoptr (GArray) pins = array_of (self->marks, 0, sizeof (guint32));
  g_autoptr (GArray) places = array_of (self->marks, 2, sizeof (double));
  gint at = find_pin (pins, node);
  GVariantBuilder labels;
  g_autoptr (GVariant) texts = NULL;

  if (self->digest == NULL || node >= trc_graph_n_nodes (trc_digest_graph (self->digest))
      || pinned == (at >= 0))
    return;
  if (pinned)
    g_array_append_val (pins, node);
  else
    {
      drop_place (self, pins, (guint)at, places);
      g_array_remove_index (pins, (guint)at);
    }
  texts = g_variant_get_child_value (self->marks, 1);
  g_variant_builder_init (&labels, G_VARIANT_TYPE ("a(us)"));
  for (gsize i = 0; i < g_variant_n_children (texts); i++)
    {
      g_autoptr (GVariant) one = g_variant_get_child_value (texts, i);

      g_variant_builder_add_value (&labels, one);
    }
  take_marks (self, pack (pins, &labels, places), pinned ? "pinning" : "unpinning");
}
