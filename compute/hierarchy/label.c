/* Names for blocks, made of what their members share. */
#include "compute/hierarchy/hierarchy_impl.h"

#include <string.h>

/* What a share of a block's influence must agree on to name it. */
#define MAJORITY 0.5

/* Adds the influence of a member to what is known under @text. */
static void
vote (GHashTable *votes, const char *text, double influence)
{
  double *sum = g_hash_table_lookup (votes, text);

  if (sum == NULL)
    {
      sum = g_new0 (double, 1);
      g_hash_table_insert (votes, g_strdup (text), sum);
    }
  *sum += influence;
}

/* The text with the most votes if it has the majority. */
static const char *
winner (GHashTable *votes, double all)
{
  GHashTableIter iter;
  gpointer text, sum;
  const char *best = NULL;
  double most = MAJORITY * all;

  g_hash_table_iter_init (&iter, votes);
  while (g_hash_table_iter_next (&iter, &text, &sum))
    if (*(double *)sum > most
        || (best != NULL && *(double *)sum == most && strcmp (text, best) < 0))
      {
        most = *(double *)sum;
        best = text;
      }
  return best;
}

static char *
range_text (const char *prefix, const gint32 *range)
{
  if (range[0] < 0)
    return g_strdup ("");
  if (range[0] == range[1])
    return g_strdup_printf (" %s%d", prefix, range[0]);
  return g_strdup_printf (" %s%d\u2013%d", prefix, range[0], range[1]);
}

/* "heads L3-5 at “Dallas”": kind, layers, token. */
static char *
place_text (const TrcHierarchy *self, const TrcBlock *block, const char *kind)
{
  g_autofree char *layers = range_text ("L", block->layers);
  const char *token = block->positions[0] >= 0 && block->positions[0] == block->positions[1]
                          ? trc_graph_token (self->graph, block->positions[0])
                          : NULL;
  g_autofree char *at = NULL;

  if (token != NULL)
    {
      g_autofree char *plain = g_strstrip (g_strdup (token));
      at = g_strdup_printf (" at \u201c%s\u201d", plain);
    }
  return g_strdup_printf ("%s%s%s%s", kind != NULL ? kind : "nodes", kind != NULL ? "s" : "",
                          layers, at != NULL ? at : "");
}

char *
trc_hierarchy_dup_label (const TrcHierarchy *self, guint32 b)
{
  g_return_val_if_fail (b < self->blocks->len, NULL);

  const TrcBlock *block = &g_array_index (self->blocks, TrcBlock, b);
  g_autoptr (GHashTable) labels =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GHashTable) kinds =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  double all = 0;

  if (block->n == 1)
    return trc_graph_dup_label (self->graph, self->members[block->first]);
  if (b == 0)
    return g_strdup ("whole prompt");
  for (guint32 i = block->first; i < block->first + block->n; i++)
    {
      guint32 v = self->members[i];
      const TrcNode *node = trc_graph_node (self->graph, v);
      double weight =
          self->flow->phi[v] + 1e-12; /* so that unvisited nodes vote among themselves */
      all += weight;
      vote (kinds, trc_node_kind_name (node->kind), weight);
      if (node->kind == TRC_NODE_FEATURE || node->kind == TRC_NODE_EMBEDDING)
        {
          g_autofree char *label = trc_graph_dup_label (self->graph, v);
          vote (labels, label, weight);
        }
    }
  const char *common = winner (labels, all);
  if (common != NULL && common[0] != '\0')
    return g_strdup (common);
  return place_text (self, block, winner (kinds, all));
}
