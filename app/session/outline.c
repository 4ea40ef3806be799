#define G_LOG_DOMAIN "tracery-app"

#include "app/outline.h"

#include <math.h>

#include "compute/graph.h"

struct _TrcOutlineItem {
  GObject parent_instance;
  char *label;
  double share;
  gboolean has_ref;
  TrcRef ref;
  gint64 order;         /* among items of equal share */
  GListStore *children; /* NULL: a leaf */
};

G_DEFINE_FINAL_TYPE (TrcOutlineItem, trc_outline_item, G_TYPE_OBJECT)

static void
trc_outline_item_finalize (GObject *object)
{
  TrcOutlineItem *self = TRC_OUTLINE_ITEM (object);

  g_free (self->label);
  g_clear_object (&self->children);
  G_OBJECT_CLASS (trc_outline_item_parent_class)->finalize (object);
}

static void
trc_outline_item_class_init (TrcOutlineItemClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = trc_outline_item_finalize;
}

static void
trc_outline_item_init (TrcOutlineItem *self)
{
  self->share = NAN;
}

const char *
trc_outline_item_get_label (TrcOutlineItem *self)
{
  return self->label;
}

double
trc_outline_item_get_share (TrcOutlineItem *self)
{
  return self->share;
}

gboolean
trc_outline_item_get_ref (TrcOutlineItem *self, TrcRef *ref)
{
  if (self->has_ref)
    *ref = self->ref;
  return self->has_ref;
}

GListModel *
trc_outline_item_get_children (TrcOutlineItem *self)
{
  return self->children != NULL ? G_LIST_MODEL (self->children) : NULL;
}

static TrcOutlineItem *
item_new (char *label, double share, gint64 order)
{
  TrcOutlineItem *item = g_object_new (TRC_TYPE_OUTLINE_ITEM, NULL);

  item->label = label;
  item->share = share;
  item->order = order;
  return item;
}

static void
item_add (TrcOutlineItem *parent, TrcOutlineItem *child)
{
  if (parent->children == NULL)
    parent->children = g_list_store_new (TRC_TYPE_OUTLINE_ITEM);
  g_list_store_append (parent->children, child);
}

/* Largest share first; rows without a share (predictions) before all others. */
static int
compare_items (gconstpointer a, gconstpointer b, gpointer data)
{
  const TrcOutlineItem *ia = a, *ib = b;
  double sa = isnan (ia->share) ? 2 : ia->share;
  double sb = isnan (ib->share) ? 2 : ib->share;

  if (sa != sb)
    return sa < sb ? 1 : -1;
  return (ia->order > ib->order) - (ia->order < ib->order);
}

typedef struct {
  const TrcDigest *digest;
  TrcGraph *graph;
  GHashTable *groups; /* key text -> TrcOutlineItem (borrowed from the root's list) */
  TrcOutlineItem *root;
} Tree;

static char *
layer_group_name (const TrcNode *node)
{
  switch (node->kind)
    {
    case TRC_NODE_LOGIT:
      return g_strdup ("predictions");
    case TRC_NODE_EMBEDDING:
      return g_strdup ("tokens");
    case TRC_NODE_ERROR:
      return g_strdup ("unexplained");
    case TRC_NODE_HEAD:
      return g_strdup_printf ("L%d heads", node->layer);
    case TRC_NODE_NEURON:
      return g_strdup_printf ("L%d neurons", node->layer);
    case TRC_NODE_FEATURE:
      return g_strdup_printf ("L%d features", node->layer);
    case TRC_NODE_MLP:
      return g_strdup ("MLP blocks");
    default:
      return g_strdup ("others");
    }
}

static TrcOutlineItem *
ensure_group (Tree *tree, const char *name, gboolean no_share)
{
  TrcOutlineItem *group = g_hash_table_lookup (tree->groups, name);

  if (group != NULL)
    return group;
  group = item_new (g_strdup (name), no_share ? NAN : 0, g_hash_table_size (tree->groups));
  item_add (tree->root, group);
  g_hash_table_insert (tree->groups, g_strdup (name), group);
  g_object_unref (group); /* the root's list holds it */
  return group;
}

static void
add_node (Tree *tree, TrcOutlineItem *group, guint32 i)
{
  const TrcNode *node = trc_graph_node (tree->graph, i);
  gboolean logit = node->kind == TRC_NODE_LOGIT;
  double influence = trc_digest_influence (tree->digest, i);
  g_autoptr (TrcOutlineItem) item =
      item_new (trc_present_node_label (tree->graph, i), logit ? NAN : influence, i);

  item->has_ref = TRUE;
  item->ref = (TrcRef){ TRC_REF_NODE, i };
  item_add (group, item);
  if (!logit && !isnan (group->share))
    group->share += influence;
}

static void
add_supernode (Tree *tree, guint64 id)
{
  const TrcSupernode *super = &trc_graph_marks (tree->graph)->supernodes[id];
  g_autofree char *key = g_strdup_printf ("\001%" G_GUINT64_FORMAT, id);
  TrcOutlineItem *group;

  if (g_hash_table_contains (tree->groups, key))
    return;
  group = ensure_group (tree, key, FALSE);
  g_free (group->label);
  group->label = g_strdup (super->label);
  group->has_ref = TRUE;
  group->ref = (TrcRef){ TRC_REF_GROUP, id };
  for (gsize m = 0; m < super->n_members; m++)
    add_node (tree, group, super->members[m]);
}

static void
add_box (Tree *tree, const TrcBox *box)
{
  if (box->ref_kind == TRC_REF_GROUP)
    add_supernode (tree, box->ref);
  else if (box->ref_kind == TRC_REF_NODE)
    {
      gint64 super = trc_digest_group_of (tree->digest, (guint32)box->ref);
      const TrcNode *node = trc_graph_node (tree->graph, (guint32)box->ref);
      g_autofree char *name = layer_group_name (node);

      if (super >= 0 && box->parent >= 0)
        return; /* told with its supernode */
      add_node (tree, ensure_group (tree, name, node->kind == TRC_NODE_LOGIT),
                (guint32)box->ref);
    }
}

GListModel *
trc_outline_new (const TrcDigest *digest, const TrcScene *scene)
{
  GListStore *list = g_list_store_new (TRC_TYPE_OUTLINE_ITEM);
  g_autoptr (TrcOutlineItem) root = item_new (g_strdup ("whole prompt"), 0, 0);
  Tree tree = { digest, trc_digest_graph (digest), NULL, root };
  guint n;
  const TrcBox *boxes = trc_scene_boxes (scene, &n);

  tree.groups = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  root->children = g_list_store_new (TRC_TYPE_OUTLINE_ITEM);
  for (guint i = 0; i < n; i++)
    add_box (&tree, &boxes[i]);
  g_hash_table_unref (tree.groups);

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (root->children)); i++)
    {
      g_autoptr (TrcOutlineItem) group =
          g_list_model_get_item (G_LIST_MODEL (root->children), i);

      if (!isnan (group->share))
        root->share += group->share;
      if (group->children != NULL)
        g_list_store_sort (group->children, compare_items, NULL);
    }
  g_list_store_sort (root->children, compare_items, NULL);
  g_list_store_append (list, root);
  return G_LIST_MODEL (list);
}
