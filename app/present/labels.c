#include "app/present/present_private.h"

#include <math.h>
#include <string.h>

char *
trc_present_token_text (const char *token)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  gboolean inside = FALSE;

  if (token == NULL)
    return g_strdup ("");
  g_autofree char *valid = g_utf8_make_valid (token, -1);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (c == '\n')
        g_string_append (shown, "\342\217\216");
      else if (c == '\t')
        g_string_append (shown, "\342\207\245");
      else if (g_unichar_isspace (c) && inside)
        g_string_append_c (shown, ' ');
      else if (!g_unichar_isspace (c))
        g_string_append_unichar (shown, c);
      inside = shown->len > 0;
    }
  g_strchomp (shown->str);
  return g_strdup (*shown->str != '\0' ? shown->str : "\342\220\243");
}

/* Files say `Output "Austin" (p=0.984)`, perhaps with a supernode's name in
 * brackets before it; what is wanted is the token between the quotes. */
static char *
quoted_token (const char *label)
{
  const char *first = strchr (label, '"'), *last = strrchr (label, '"');

  if (first == NULL || last <= first)
    return NULL;
  g_autofree char *token = g_strndup (first + 1, (gsize)(last - first - 1));
  return trc_present_token_text (token);
}

static char *
logit_label (const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);
  g_autofree char *full = trc_graph_dup_label (graph, i);
  g_autofree char *token = quoted_token (full);

  if (token == NULL)
    token = trc_present_token_text (full);
  if (!isfinite (node->token_prob))
    return g_steal_pointer (&token);
  if (node->token_prob < 0.001)
    return g_strdup_printf ("%s <0.1\342\200\257%%", token);
  return g_strdup_printf ("%s %.1f\342\200\257%%", token, 100 * node->token_prob);
}

/* Whether somebody has called the node something, whatever the file calls it. */
static gboolean
has_given_name (const TrcGraph *graph, guint32 i)
{
  const TrcGraphMarks *marks = trc_graph_marks (graph);

  for (gsize k = 0; k < marks->n_labels; k++)
    if (marks->labels[k].node == i && *marks->labels[k].label != '\0')
      return TRUE;
  return FALSE;
}

gboolean
trc_present_has_name (const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);

  if (has_given_name (graph, i))
    return TRUE;
  return node->label != NULL && strspn (node->label, " \t\n") != strlen (node->label);
}

static char *
unnamed (const TrcNode *node)
{
  switch (node->kind)
    {
    case TRC_NODE_HEAD:
      return g_strdup_printf ("L%d H%" G_GINT64_FORMAT, node->layer, node->index);
    case TRC_NODE_NEURON:
      return g_strdup_printf ("n%" G_GINT64_FORMAT, node->index);
    case TRC_NODE_FEATURE:
      return g_strdup_printf ("f%" G_GINT64_FORMAT, node->index);
    case TRC_NODE_MLP:
      return g_strdup_printf ("MLP %d", node->layer);
    case TRC_NODE_ERROR:
      return g_strdup_printf ("L%d rest", node->layer);
    default:
      return NULL;
    }
}

char *
trc_present_node_label (const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);
  g_autofree char *label = NULL;

  if (node->kind == TRC_NODE_LOGIT)
    return logit_label (graph, i);
  if (has_given_name (graph, i))
    label = trc_graph_dup_label (graph, i);
  if (label == NULL && node->kind == TRC_NODE_EMBEDDING)
    {
      const char *token = trc_graph_token (graph, node->position);
      if (token != NULL)
        return trc_present_token_text (token);
    }
  if (label == NULL
      && (node->kind == TRC_NODE_HEAD || node->kind == TRC_NODE_NEURON
          || node->kind == TRC_NODE_MLP || !trc_present_has_name (graph, i)))
    label = unnamed (node);
  if (label == NULL)
    label = trc_graph_dup_label (graph, i);
  return g_strdup (g_strstrip (label));
}

char *
trc_present_node_facts (const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);
  const char *token = node->position >= 0 ? trc_graph_token (graph, node->position) : NULL;
  g_autoptr (GString) facts = g_string_new (trc_node_kind_name (node->kind));

  if (node->index >= 0 && node->kind != TRC_NODE_ERROR)
    g_string_append_printf (facts, " %" G_GINT64_FORMAT, node->index);
  if (node->layer >= 0 && node->kind != TRC_NODE_LOGIT)
    g_string_append_printf (facts, " \302\267 L%d", node->layer);
  if (token != NULL)
    {
      g_autofree char *shown = trc_present_token_text (token);
      g_string_append_printf (facts, " \302\267 \342\200\234%s\342\200\235", shown);
    }
  if (isfinite (node->activation))
    g_string_append_printf (facts, " \302\267 activation %.3g", node->activation);
  return g_strdup (facts->str);
}
