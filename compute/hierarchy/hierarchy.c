#include "compute/hierarchy/hierarchy_impl.h"

#include "compute/error.h"
#include "compute/hierarchy/split.h"

#include <string.h>

static const char *const rule_names[TRC_N_COARSEN_RULES] = { "directed", "role", "architecture",
                                                             "paper" };

const char *
trc_coarsen_rule_name (TrcCoarsenRule rule)
{
  g_return_val_if_fail (rule < TRC_N_COARSEN_RULES, NULL);
  return rule_names[rule];
}

gboolean
trc_coarsen_rule_parse (const char *name, TrcCoarsenRule *rule)
{
  for (guint i = 0; i < TRC_N_COARSEN_RULES; i++)
    if (g_str_equal (rule_names[i], name))
      {
        *rule = (TrcCoarsenRule)i;
        return TRUE;
      }
  return FALSE;
}

static void
unref_array (gpointer data)
{
  if (data != NULL)
    g_array_unref (data);
}

static TrcHierarchy *
hierarchy_new (TrcGraph *graph, const TrcCoarsenParams *params)
{
  TrcHierarchy *self = g_atomic_rc_box_new0 (TrcHierarchy);
  guint32 n = trc_graph_n_nodes (graph);

  self->graph = trc_graph_ref (graph);
  self->params = *params;
  self->params.branching = CLAMP (params->branching, 2, 32);
  self->blocks = g_array_new (FALSE, FALSE, sizeof (TrcBlock));
  self->members = g_new (guint32, n + 1);
  self->leaf = g_new0 (guint32, n + 1);
  self->meta = g_ptr_array_new_with_free_func (unref_array);
  g_mutex_init (&self->lock);
  for (guint32 i = 0; i < n; i++)
    self->members[i] = i;
  return self;
}

static void
hierarchy_clear (gpointer data)
{
  TrcHierarchy *self = data;

  g_ptr_array_unref (self->meta);
  g_array_unref (self->blocks);
  g_free (self->members);
  g_free (self->leaf);
  trc_flow_free (self->flow);
  trc_graph_unref (self->graph);
  g_mutex_clear (&self->lock);
}

TrcHierarchy *
trc_hierarchy_ref (TrcHierarchy *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_hierarchy_unref (TrcHierarchy *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, hierarchy_clear);
}

/* --- building --- */

static void
add_block (TrcHierarchy *self, guint32 parent, guint32 first, guint32 n, guint32 depth)
{
  TrcBlock block = { .parent = parent, .first = first, .n = n, .depth = depth };

  g_array_append_val (self->blocks, block);
  self->n_levels = MAX (self->n_levels, depth + 1);
}

static void
widen (gint32 *range, gint32 value)
{
  if (value < 0)
    return;
  range[0] = range[0] < 0 ? value : MIN (range[0], value);
  range[1] = MAX (range[1], value);
}

/* What a block says of its nodes, and which block each node ends in. */
static void
describe_blocks (TrcHierarchy *self)
{
  for (guint32 b = 0; b < self->blocks->len; b++)
    {
      TrcBlock *block = &g_array_index (self->blocks, TrcBlock, b);
      block->layers[0] = block->layers[1] = block->positions[0] = block->positions[1] = -1;
      block->influence = 0;
      for (guint32 i = block->first; i < block->first + block->n; i++)
        {
          const TrcNode *node = trc_graph_node (self->graph, self->members[i]);
          if (node->kind != TRC_NODE_EMBEDDING && node->kind != TRC_NODE_LOGIT)
            widen (block->layers, node->layer);
          widen (block->positions, node->position);
          block->influence += self->flow->phi[self->members[i]];
          if (block->n_children == 0)
            self->leaf[self->members[i]] = b;
        }
    }
  g_ptr_array_set_size (self->meta, (gint)self->n_levels);
}

/* Cuts blocks breadth first, so that siblings stand side by side. */
static gboolean
grow (TrcHierarchy *self, TrcCutter *cutter, const TrcProgress *progress, GError **error)
{
  guint32 n = trc_graph_n_nodes (self->graph), done = 0;
  g_autofree guint32 *sizes = g_new (guint32, n + 1);

  for (guint32 b = 0; b < self->blocks->len; b++)
    {
      TrcBlock block = g_array_index (self->blocks, TrcBlock, b);
      if (block.n < 2)
        {
          done += block.n;
          continue;
        }
      if (trc_progress_cancelled (progress, error))
        return FALSE;
      trc_progress_report (progress, (double)done / n, "cutting blocks");
      guint32 first = block.first, first_child = self->blocks->len;
      guint32 n_parts = trc_split (cutter, self->members + block.first, block.n,
                                   self->params.seed + b, sizes);
      for (guint32 p = 0; p < n_parts; p++)
        {
          add_block (self, b, first, sizes[p], block.depth + 1);
          first += sizes[p];
        }
      TrcBlock *parent = &g_array_index (self->blocks, TrcBlock, b);
      parent->first_child = first_child;
      parent->n_children = n_parts;
    }
  return TRUE;
}

TrcHierarchy *
trc_hierarchy_new (TrcGraph *graph, const TrcCoarsenParams *params, const TrcProgress *progress,
                   GError **error)
{
  g_autoptr (TrcHierarchy) self = hierarchy_new (graph, params);
  gboolean ok;

  self->flow = trc_flow_new (graph, error);
  if (self->flow == NULL)
    return NULL;
  TrcCutter cutter = { .graph = graph, .flow = self->flow, .params = &self->params };
  trc_spectral_init (&cutter.spectral, self->flow);
  add_block (self, 0, 0, trc_graph_n_nodes (graph), 0);
  ok = grow (self, &cutter, progress, error);
  trc_spectral_clear (&cutter.spectral);
  if (!ok)
    return NULL;
  describe_blocks (self);
  return g_steal_pointer (&self);
}

/* --- restricting --- */

/* By node of the old graph: its number in the new one, or G_MAXUINT32. */
static guint32 *
match_nodes (const TrcGraph *old, const TrcGraph *part)
{
  guint32 n = trc_graph_n_nodes (old);
  guint32 *to = g_new (guint32, n + 1);

  for (guint32 i = 0; i < n; i++)
    to[i] = G_MAXUINT32;
  for (guint32 i = 0; i < trc_graph_n_nodes (part); i++)
    {
      gint64 from = trc_graph_find (old, trc_graph_node (part, i)->id);
      if (from >= 0)
        to[from] = i;
    }
  return to;
}

/* The block that block @b of @old becomes: itself, or the only child that has nodes left. */
static guint32
descend (const TrcHierarchy *old, const guint32 *left, guint32 b)
{
  for (;;)
    {
      const TrcBlock *block = &g_array_index (old->blocks, TrcBlock, b);
      guint32 with = 0, only = b;
      for (guint32 c = block->first_child; c < block->first_child + block->n_children; c++)
        if (left[c] > 0)
          {
            with++;
            only = c;
          }
      if (with != 1)
        return b;
      b = only;
    }
}

static void
copy_tree (TrcHierarchy *self, const TrcHierarchy *old, const guint32 *left)
{
  g_autoptr (GArray) from = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint32 b = descend (old, left, 0);

  add_block (self, 0, 0, left[0], 0);
  g_array_append_val (from, b);
  for (guint32 i = 0; i < self->blocks->len; i++)
    {
      TrcBlock here = g_array_index (self->blocks, TrcBlock, i);
      const TrcBlock *source =
          &g_array_index (old->blocks, TrcBlock, g_array_index (from, guint32, i));
      guint32 first = here.first, first_child = self->blocks->len;
      for (guint32 c = source->first_child; c < source->first_child + source->n_children; c++)
        if (left[c] > 0)
          {
            guint32 child = descend (old, left, c);
            add_block (self, i, first, left[c], here.depth + 1);
            g_array_append_val (from, child);
            first += left[c];
          }
      TrcBlock *block = &g_array_index (self->blocks, TrcBlock, i);
      block->first_child = first_child;
      block->n_children = self->blocks->len - first_child;
    }
}

TrcHierarchy *
trc_hierarchy_restrict (const TrcHierarchy *old, TrcGraph *part, GError **error)
{
  g_autoptr (TrcHierarchy) self = hierarchy_new (part, &old->params);
  g_autofree guint32 *to = match_nodes (old->graph, part);
  g_autofree guint32 *left = g_new0 (guint32, old->blocks->len);
  guint32 n = 0;

  self->flow = trc_flow_new (part, error);
  if (self->flow == NULL)
    return NULL;
  for (guint32 i = 0; i < trc_graph_n_nodes (old->graph); i++)
    if (to[old->members[i]] != G_MAXUINT32)
      self->members[n++] = to[old->members[i]];
  if (n != trc_graph_n_nodes (part))
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The graph is no part of the one that the hierarchy was made for.");
      return NULL;
    }
  for (guint32 b = old->blocks->len; b > 0; b--)
    {
      const TrcBlock *block = &g_array_index (old->blocks, TrcBlock, b - 1);
      if (block->n_children == 0)
        for (guint32 i = block->first; i < block->first + block->n; i++)
          left[b - 1] += to[old->members[i]] != G_MAXUINT32;
      if (b > 1)
        left[block->parent] += left[b - 1];
    }
  copy_tree (self, old, left);
  describe_blocks (self);
  return g_steal_pointer (&self);
}

/* --- looking --- */

TrcGraph *
trc_hierarchy_graph (const TrcHierarchy *self)
{
  return self->graph;
}

const TrcCoarsenParams *
trc_hierarchy_params (const TrcHierarchy *self)
{
  return &self->params;
}

const TrcBlock *
trc_hierarchy_blocks (const TrcHierarchy *self, guint32 *n)
{
  *n = self->blocks->len;
  return (const TrcBlock *)(const void *)self->blocks->data;
}

const guint32 *
trc_hierarchy_members (const TrcHierarchy *self)
{
  return self->members;
}

guint32
trc_hierarchy_leaf (const TrcHierarchy *self, guint32 node)
{
  g_return_val_if_fail (node < trc_graph_n_nodes (self->graph), 0);
  return self->leaf[node];
}

guint
trc_hierarchy_n_levels (const TrcHierarchy *self)
{
  return self->n_levels;
}

guint32
trc_hierarchy_block_at (const TrcHierarchy *self, guint level, guint32 node)
{
  guint32 b = trc_hierarchy_leaf (self, node);
  const TrcBlock *blocks = (const TrcBlock *)(const void *)self->blocks->data;

  while (blocks[b].depth > level)
    b = blocks[b].parent;
  return b;
}

guint32
trc_hierarchy_level_size (const TrcHierarchy *self, guint level)
{
  guint32 n = 0;

  for (guint32 b = 0; b < self->blocks->len; b++)
    {
      const TrcBlock *block = &g_array_index (self->blocks, TrcBlock, b);
      n += block->depth == level || (block->depth < level && block->n_children == 0);
    }
  return n;
}

guint32 *
trc_hierarchy_partition (const TrcHierarchy *self, guint level)
{
  guint32 n = trc_graph_n_nodes (self->graph);
  guint32 *block = g_new (guint32, n + 1);

  for (guint32 i = 0; i < n; i++)
    block[i] = trc_hierarchy_block_at (self, level, i);
  return block;
}
