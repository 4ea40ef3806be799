#include "compute/graph/node_names.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[TRC_N_NODE_KINDS] = { "embedding", "head",  "neuron",
                                                          "feature",   "error", "mlp",
                                                          "logit",     "other" };

/* Texts seen in files; the first of each kind is the one that we write. */
static const struct {
  const char *type;
  TrcNodeKind kind;
} types[] = {
  { "cross layer transcoder", TRC_NODE_FEATURE },
  { "embedding", TRC_NODE_EMBEDDING },
  { "mlp reconstruction error", TRC_NODE_ERROR },
  { "logit", TRC_NODE_LOGIT },
  { "attention head", TRC_NODE_HEAD },
  { "mlp neuron", TRC_NODE_NEURON },
  { "mlp block", TRC_NODE_MLP },
  { "unknown", TRC_NODE_OTHER },
  { "lorsa", TRC_NODE_FEATURE },
  { "lorsa error", TRC_NODE_ERROR },
  { "unexplored node", TRC_NODE_FEATURE },
  { "bias", TRC_NODE_OTHER },
};

const char *
trc_node_kind_name (TrcNodeKind kind)
{
  g_return_val_if_fail ((guint)kind < TRC_N_NODE_KINDS, "other");
  return kind_names[kind];
}

TrcNodeKind
trc_node_kind_from_type (const char *type)
{
  for (gsize i = 0; type != NULL && i < G_N_ELEMENTS (types); i++)
    if (strcmp (types[i].type, type) == 0)
      return types[i].kind;
  for (guint kind = 0; type != NULL && kind < TRC_N_NODE_KINDS; kind++)
    if (strcmp (kind_names[kind], type) == 0)
      return (TrcNodeKind)kind;
  return TRC_NODE_OTHER;
}

const char *
trc_node_type (TrcNodeKind kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].kind == kind)
      return types[i].type;
  return "unknown";
}

gboolean
trc_pair_feature (gint64 layer, gint64 feature, gint64 *paired)
{
  /* Above 2^31 the product leaves 63 bits. */
  if (layer < 0 || feature < 0 || layer + feature >= (G_GINT64_CONSTANT (1) << 31))
    return FALSE;
  *paired = (layer + feature) * (layer + feature + 1) / 2 + feature;
  return TRUE;
}

gboolean
trc_unpair_feature (gint64 paired, gint64 *layer, gint64 *feature)
{
  if (paired < 0 || paired >= (G_GINT64_CONSTANT (1) << 61))
    return FALSE;

  gint64 w = (gint64)floorl ((sqrtl (8.0L * (long double)paired + 1.0L) - 1.0L) / 2.0L);
  while (w * (w + 1) / 2 > paired)
    w--;
  while ((w + 1) * (w + 2) / 2 <= paired)
    w++;
  *feature = paired - w * (w + 1) / 2;
  *layer = w - *feature;
  return TRUE;
}

/* Reads digits at *at and moves past them. */
static gboolean
read_digits (const char **at, gint64 *value)
{
  gint64 v = 0;
  const char *p = *at;

  while (g_ascii_isdigit (*p) && v < G_MAXINT64 / 100)
    v = v * 10 + (*p++ - '0');
  if (p == *at || g_ascii_isdigit (*p))
    return FALSE;
  *at = p;
  *value = v;
  return TRUE;
}

gint64
trc_id_middle_number (const char *id)
{
  gint64 layer, middle, position;
  const char *at = id;

  if (at[0] == 'E' && at[1] == '_')
    at++;
  else if (!read_digits (&at, &layer))
    return -1;
  if (*at++ != '_' || !read_digits (&at, &middle) || *at++ != '_'
      || !read_digits (&at, &position) || *at != '\0')
    return -1;
  return middle;
}

double
trc_label_probability (const char *label)
{
  const char *at = label;
  char *end;
  double p;

  for (const char *next = strstr (at, "(p="); next != NULL; next = strstr (next + 1, "(p="))
    at = next + 3; /* the last one: a token's text may hold anything */
  if (at == label)
    return NAN;
  p = g_ascii_strtod (at, &end);
  return end != at && p >= 0 && p <= 1 ? p : NAN;
}

gboolean
trc_node_from_eap_name (const char *name, TrcNode *node)
{
  const char *at = name;
  gint64 layer, head;

  if (strcmp (name, "input") == 0)
    {
      node->kind = TRC_NODE_EMBEDDING;
      return TRUE;
    }
  if (strcmp (name, "logits") == 0)
    {
      node->kind = TRC_NODE_LOGIT;
      return TRUE;
    }
  if ((*at != 'a' && *at != 'm') || (at++, !read_digits (&at, &layer)) || layer > G_MAXINT16)
    return FALSE;
  node->layer = (gint32)layer;
  if (name[0] == 'm')
    {
      node->kind = TRC_NODE_MLP;
      return *at == '\0';
    }
  node->kind = TRC_NODE_HEAD;
  if (at[0] != '.' || at[1] != 'h' || (at += 2, !read_digits (&at, &head)) || *at != '\0')
    return FALSE;
  node->index = head;
  return TRUE;
}

/* The middle part of a made id: kinds that share a layer must not collide. */
static void
print_middle (const TrcNode *node, char *text, gsize size)
{
  switch (node->kind)
    {
    case TRC_NODE_HEAD:
      g_snprintf (text, size, "h%" G_GINT64_FORMAT, node->index);
      break;
    case TRC_NODE_NEURON:
      g_snprintf (text, size, "n%" G_GINT64_FORMAT, node->index);
      break;
    case TRC_NODE_MLP:
      g_strlcpy (text, "mlp", size);
      break;
    case TRC_NODE_ERROR:
      g_strlcpy (text, "-1", size);
      break;
    case TRC_NODE_OTHER:
      g_snprintf (text, size, "x%" G_GINT64_FORMAT, node->index);
      break;
    default:
      g_snprintf (text, size, "%" G_GINT64_FORMAT, node->index);
    }
}

void
trc_node_make_names (TrcNode *node, GStringChunk *strings)
{
  char layer[24], middle[32], text[96];

  g_snprintf (layer, sizeof layer, "%d", node->layer);
  if (node->kind == TRC_NODE_EMBEDDING)
    g_strlcpy (layer, "E", sizeof layer);
  print_middle (node, middle, sizeof middle);
  if (node->type == NULL)
    node->type = trc_node_type (node->kind);
  if (node->layer_text == NULL)
    node->layer_text = g_string_chunk_insert_const (strings, layer);
  if (node->id == NULL)
    {
      g_snprintf (text, sizeof text, "%s_%s_%d", layer, middle, MAX (node->position, 0));
      node->id = g_string_chunk_insert_const (strings, text);
    }
  if (node->js_id == NULL)
    {
      const char *first = node->kind == TRC_NODE_LOGIT ? "L" : layer;
      gboolean once = node->kind == TRC_NODE_LOGIT || node->kind == TRC_NODE_EMBEDDING
                      || node->kind == TRC_NODE_ERROR;

      if (node->kind == TRC_NODE_ERROR)
        g_snprintf (text, sizeof text, "%s_%d-0", first, MAX (node->position, 0));
      else
        g_snprintf (text, sizeof text, "%s_%s-%d", first, middle,
                    once ? MAX (node->position, 0) : 0);
      node->js_id = g_string_chunk_insert_const (strings, text);
    }
}
