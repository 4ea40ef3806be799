#include "app/outline.h"
#include "small_graph.h"

static GListModel *
outline_new (TrcGraph *graph, TrcViewGroups groups)
{
  g_autoptr (TrcDigest) digest = trc_digest_new (graph, NULL, NULL);
  g_autoptr (TrcScene) scene = NULL;
  TrcView view;
  GError *error = NULL;

  trc_view_init (&view);
  view.node_share = 1;
  view.groups = groups;
  scene = trc_present_scene (graph, trc_digest_pruner (digest), &view, NULL, NULL, &error);
  g_assert_no_error (error);
  return trc_outline_new (digest, scene);
}

static TrcOutlineItem *
find (GListModel *list, const char *label)
{
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TrcOutlineItem) item = g_list_model_get_item (list, i);

      if (g_str_equal (trc_outline_item_get_label (item), label))
        return item; /* the list holds it */
    }
  return NULL;
}

static void
test_supernodes (void)
{
  g_autoptr (TrcGraph) graph = small_graph_new ();
  g_autoptr (GListModel) list = outline_new (graph, TRC_GROUPS_CARDS);
  g_autoptr (TrcOutlineItem) root = g_list_model_get_item (list, 0);
  GListModel *groups = trc_outline_item_get_children (root);
  TrcOutlineItem *first = find (groups, "first");
  TrcRef ref;

  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 1);
  g_assert_cmpfloat_with_epsilon (trc_outline_item_get_share (root), 1, 1e-9);
  g_assert_false (trc_outline_item_get_ref (root, &ref));
  g_assert_nonnull (first);
  g_assert_true (trc_outline_item_get_ref (first, &ref));
  g_assert_cmpint (ref.kind, ==, TRC_REF_GROUP);
  g_assert_cmpuint (g_list_model_get_n_items (trc_outline_item_get_children (first)), ==, 2);
  g_assert_nonnull (find (groups, "predictions"));
  g_assert_nonnull (find (groups, "tokens"));
}

static void
test_layers_and_order (void)
{
  g_autoptr (TrcGraph) graph = small_graph_new ();
  g_autoptr (GListModel) list = outline_new (graph, TRC_GROUPS_FLAT);
  g_autoptr (TrcOutlineItem) root = g_list_model_get_item (list, 0);
  GListModel *groups = trc_outline_item_get_children (root);
  double last = 2;

  g_assert_null (find (groups, "first"));
  g_assert_nonnull (find (groups, "L0 features"));
  for (guint i = 0; i < g_list_model_get_n_items (groups); i++)
    {
      g_autoptr (TrcOutlineItem) item = g_list_model_get_item (groups, i);
      double share = trc_outline_item_get_share (item);

      g_assert_nonnull (trc_outline_item_get_children (item));
      if (isnan (share))
        continue; /* predictions have none */
      g_assert_cmpfloat (share, <=, last);
      last = share;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outline/supernodes", test_supernodes);
  g_test_add_func ("/outline/layers", test_layers_and_order);
  return g_test_run ();
}
