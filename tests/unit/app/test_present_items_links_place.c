#include "app/present.h"
#include "compute/graph_file.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

/* Two tokens, five features of which two are grouped, an error, two logits. */
enum { N_A, N_B, N_F0, N_F1, N_F2, N_F3, N_F4, N_ERR, N_YES, N_NO, N_NODES };

static TrcGraph *
small_graph (gboolean with_group)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  const char *tokens[] = { "The", " \n" };
  const struct {
    TrcNodeKind kind;
    gint32 layer, position;
    const char *label;
  } nodes[N_NODES] = {
    [N_A] = { TRC_NODE_EMBEDDING, -1, 0, "" },
    [N_B] = { TRC_NODE_EMBEDDING, -1, 1, "" },
    [N_F0] = { TRC_NODE_FEATURE, 0, 0, "zero" },
    [N_F1] = { TRC_NODE_FEATURE, 1, 1, "one" },
    [N_F2] = { TRC_NODE_FEATURE, 1, 1, "two" },
    [N_F3] = { TRC_NODE_FEATURE, 2, 1, "three" },
    [N_F4] = { TRC_NODE_FEATURE, 2, 1, "" },
    [N_ERR] = { TRC_NODE_ERROR, 1, 1, "" },
    [N_YES] = { TRC_NODE_LOGIT, 3, 1, "Output \" yes\" (p=0.7)" },
    [N_NO] = { TRC_NODE_LOGIT, 3, 1, "Output \"no\" (p=0.2)" },
  };
  static const struct {
    guint32 from, to;
    double weight;
  } edges[] = { { N_A, N_F0, 4 },     { N_B, N_F1, 2 },   { N_F0, N_F1, -2 },
                { N_F0, N_F2, 1 },    { N_F1, N_F3, 3 },  { N_F2, N_F3, 1 },
                { N_F3, N_YES, 5 },   { N_F1, N_YES, 1 }, { N_ERR, N_YES, 1 },
                { N_F4, N_YES, 0.1 }, { N_F3, N_NO, -1 }, { N_F2, N_F4, 1 } };

  for (guint32 i = 0; i < N_NODES; i++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = nodes[i].kind;
      node.layer = nodes[i].layer;
      node.position = nodes[i].position;
      node.label = nodes[i].label;
      node.index = 100 + i;
      node.token_prob = i == N_YES ? 0.7 : i == N_NO ? 0.2 : NAN;
      trc_graph_builder_add_node (b, &node);
    }
  for (guint e = 0; e < G_N_ELEMENTS (edges); e++)
    trc_graph_builder_add_edge (b, edges[e].from, edges[e].to, edges[e].weight);
  trc_graph_builder_set_prompt (b, "<bos>The \n", tokens, 2);
  if (with_group)
    {
      const guint32 members[] = { N_F1, N_F2 };
      const TrcSupernode group = { "middle", members, 2 };
      const TrcGraphMarks marks = { .supernodes = &group,
                                    .n_supernodes = 1,
                                    .clicked = -1,
                                    .pruning_threshold = NAN,
                                    .density_threshold = NAN };
      trc_graph_builder_set_marks (b, &marks);
    }
  g_autoptr (GError) error = NULL;
  TrcGraph *graph = trc_graph_builder_finish (b, &error);
  g_assert_no_error (error);
  return graph;
}

static TrcScene *
present (TrcGraph *graph, const TrcView *view, TrcPresentInfo *info)
{
  g_autoptr (GError) error = NULL;
  TrcScene *scene = trc_present_scene (graph, NULL, view, info, NULL, &error);

  g_assert_no_error (error);
  return scene;
}

static const TrcBox *
box_of (const TrcScene *scene, guint kind, guint64 ref)
{
  gint32 i = trc_scene_find (scene, kind, ref);

  g_assert_cmpint (i, >=, 0);
  return &trc_scene_boxes (scene, NULL)[i];
}

static const TrcCurve *
curve_of (const TrcScene *scene, const TrcBox *from, const TrcBox *to)
{
  guint n;
  const TrcCurve *curve = trc_scene_curves (scene, &n);
  const TrcBox *boxes = trc_scene_boxes (scene, NULL);

  for (guint i = 0; i < n; i++)
    if (&boxes[curve[i].from] == from && &boxes[curve[i].to] == to)
      return &curve[i];
  return NULL;
}

static void
test_kinds (void)
{
  g_autoptr (TrcGraph) graph = small_graph (FALSE);
  TrcPresentInfo info;
  TrcView view;

  trc_view_init (&view);
  view.node_share = view.edge_share = 1;
  g_autoptr (TrcScene) scene = present (graph, &view, &info);
  g_assert_cmpuint (info.nodes_shown, ==, info.nodes_total);
  g_assert_cmpuint (box_of (scene, TRC_REF_NODE, N_F0)->shape, ==, TRC_BOX_CIRCLE);
  g_assert_cmpuint (box_of (scene, TRC_REF_NODE, N_ERR)->shape, ==, TRC_BOX_DIAMOND);
  g_assert_cmpuint (box_of (scene, TRC_REF_NODE, N_A)->shape, ==, TRC_BOX_CHIP);
  g_assert_cmpuint (box_of (scene, TRC_REF_NODE, N_YES)->style, ==, TRC_STYLE_TARGET);
  g_assert_cmpuint (box_of (scene, TRC_REF_NODE, N_NO)->style, ==, TRC_STYLE_PLAIN);
  g_assert_cmpstr (box_of (scene, TRC_REF_NODE, N_YES)->label, ==, "yes 70.0\u202f%");
  g_assert_cmpstr (box_of (scene, TRC_REF_NODE, N_F0)->label, ==, "zero");
  g_assert_cmpstr (box_of (scene, TRC_REF_NODE, N_B)->label, ==, "⏎");
  g_assert_cmpstr (trc_scene_title (scene), ==, "The");

  view.hide_errors = TRUE;
  g_autoptr (TrcScene) without = present (graph, &view, NULL);
  g_assert_cmpint (trc_scene_find (without, TRC_REF_NODE, N_ERR), ==, -1);
}

/* Higher layers stand higher, tokens at the bottom in order, logits on top. */
static void
test_places (void)
{
  g_autoptr (TrcGraph) graph = small_graph (FALSE);
  TrcView view;

  trc_view_init (&view);
  view.node_share = view.edge_share = 1;
  g_autoptr (TrcScene) scene = present (graph, &view, NULL);
  const guint32 upwards[] = { N_B, N_F0, N_F1, N_F3, N_YES };
  for (guint i = 1; i < G_N_ELEMENTS (upwards); i++)
    g_assert_cmpfloat (box_of (scene, TRC_REF_NODE, upwards[i])->at.y, <,
                       box_of (scene, TRC_REF_NODE, upwards[i - 1])->at.y);
  g_assert_cmpfloat (box_of (scene, TRC_REF_NODE, N_A)->at.x, <,
                     box_of (scene, TRC_REF_NODE, N_B)->at.x);
  guint n_rows, n_columns;
  const TrcSceneRow *row = trc_scene_rows (scene, &n_rows);
  const TrcSceneColumn *column = trc_scene_columns (scene, &n_columns);
  g_assert_cmpuint (n_rows, ==, 4); /* three layers and the logits */
  g_assert_cmpstr (row[0].label, ==, "logit");
  g_assert_cmpuint (n_columns, ==, 2);
  g_assert_cmpfloat_with_epsilon (column[0].x, box_of (scene, TRC_REF_NODE, N_A)->at.x, 1e-9);
}

/* Width and value are the share of the target's whole input, with its sign. */
static void
test_shares (void)
{
  g_autoptr (TrcGraph) graph = small_graph (FALSE);
  TrcView view;

  trc_view_init (&view);
  view.node_share = view.edge_share = 1;
  g_autoptr (TrcScene) scene = present (graph, &view, NULL);
  const TrcCurve *curve =
      curve_of (scene, box_of (scene, TRC_REF_NODE, N_F0), box_of (scene, TRC_REF_NODE, N_F1));
  g_assert_nonnull (curve);
  g_assert_cmpfloat_with_epsilon (curve->strength, 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon (curve->value, -0.5, 1e-6);
  g_assert_cmpint (curve->sign, ==, -1);
  curve =
      curve_of (scene, box_of (scene, TRC_REF_NODE, N_F1), box_of (scene, TRC_REF_NODE, N_F3));
  g_assert_cmpfloat_with_epsilon (curve->value, 0.75, 1e-6);

  view.max_curves = 3;
  g_autoptr (TrcScene) few = present (graph, &view, NULL);
  guint n, strong = 0;
  const TrcCurve *all = trc_scene_curves (few, &n);
  for (guint i = 0; i < n; i++)
    strong += !all[i].weave;
  g_assert_cmpuint (n, ==, 12);
  g_assert_cmpuint (strong, ==, 3);
}

/* A closed group is one card that carries its members' edges; an opened one is a
 * frame with them inside. No edge is lost either way. */
static void
test_groups (void)
{
  g_autoptr (TrcGraph) graph = small_graph (TRUE);
  const guint32 opened[] = { 0 };
  TrcView view;

  trc_view_init (&view);
  view.node_share = view.edge_share = 1;
  g_autoptr (TrcScene) closed = present (graph, &view, NULL);
  const TrcBox *card = box_of (closed, TRC_REF_GROUP, 0);
  g_assert_cmpuint (card->shape, ==, TRC_BOX_CARD);
  g_assert_cmpstr (card->label, ==, "middle");
  g_assert_cmpstr (card->sublabel, ==, "2 features · L1");
  g_assert_cmpint (trc_scene_find (closed, TRC_REF_NODE, N_F1), ==, -1);
  g_assert_nonnull (curve_of (closed, card, box_of (closed, TRC_REF_NODE, N_F3)));
  g_assert_nonnull (curve_of (closed, card, box_of (closed, TRC_REF_NODE, N_YES)));

  view.opened = opened;
  view.n_opened = 1;
  g_autoptr (TrcScene) open = present (graph, &view, NULL);
  const TrcBox *frame = box_of (open, TRC_REF_GROUP, 0),
               *member = box_of (open, TRC_REF_NODE, N_F1);
  g_assert_cmpuint (frame->shape, ==, TRC_BOX_GROUP);
  g_assert_cmpint (member->parent, ==, trc_scene_find (open, TRC_REF_GROUP, 0));
  g_assert_true (trc_rect_holds (trc_box_rect (frame), member->at));
  guint n;
  trc_scene_curves (open, &n);
  g_assert_cmpuint (n, ==, 12);

  view.groups = TRC_GROUPS_FLAT;
  g_autoptr (TrcScene) flat = present (graph, &view, NULL);
  g_assert_cmpint (trc_scene_find (flat, TRC_REF_GROUP, 0), ==, -1);
}

static void
test_dot (void)
{
  g_autoptr (TrcGraph) graph = small_graph (FALSE);
  TrcPresentInfo info;
  TrcView view;

  trc_view_init (&view);
  view.node_share = view.edge_share = 1;
  view.layout = TRC_VIEW_DOT;
  g_autoptr (TrcScene) scene = present (graph, &view, &info);
  g_assert_false (info.fell_back);
  guint n;
  trc_scene_rows (scene, &n);
  g_assert_cmpuint (n, ==, 0); /* dot's ranks are no layers */
  g_assert_cmpfloat (box_of (scene, TRC_REF_NODE, N_YES)->at.y, <,
                     box_of (scene, TRC_REF_NODE, N_F3)->at.y);
}

static void
test_empty_and_cancelled (void)
{
  g_autoptr (TrcGraph) none = trc_graph_builder_finish (trc_graph_builder_new (), NULL);
  g_autoptr (TrcGraph) graph = small_graph (FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TrcProgress progress = { .cancellable = cancellable };
  g_autoptr (GError) error = NULL;
  TrcView view;

  trc_view_init (&view);
  g_autoptr (TrcScene) scene = present (none, &view, NULL);
  guint n;
  trc_scene_boxes (scene, &n);
  g_assert_cmpuint (n, ==, 0);

  g_cancellable_cancel (cancellable);
  g_assert_null (trc_present_scene (graph, NULL, &view, NULL, &progress, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
assert_apart (const TrcScene *scene, const char *name)
{
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);

  for (guint i = 0; i < n; i++)
    for (guint j = i + 1; j < n; j++)
      {
        if (box[i].shape == TRC_BOX_GROUP || box[j].shape == TRC_BOX_GROUP)
          continue;
        TrcRect a = trc_rect_grow (trc_box_rect (&box[i]), -0.01);
        TrcRect b = trc_rect_grow (trc_box_rect (&box[j]), -0.01);
        if (trc_rect_meets (a, b))
          g_error ("%s: \"%s\" and \"%s\" overlap", name, box[i].label, box[j].label);
      }
}

/* Real graphs: what is counted is what pruning keeps, and no two boxes overlap. */
static void
test_real (void)
{
  static const struct {
    const char *name;
    guint nodes;
    guint64 edges;
  } files[] = {
    { "gemma2-clt-bee", 77, 969 },
    { "gemma2-clt-meow-tiny", 43, 206 },
    { "llama32-clt-dallas", 108, 2130 },
    { "llama32-clt-puppy-dense", 185, 5407 },
    { "gemma2-plt-ngsa", 120, 1592 },
    { "gemma2-plt-dollar-duplicate-id", 0, 0 },
    { "gpt2-eapig-ioi", 81, 756 },
    { "haiku-clt-dallas-annotated", 0, 0 },
    { "gemma2-plt-small-big-annotated", 0, 0 },
    { "llama32-clt-subset-zero-weights", 16, 101 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *rel = g_strdup_printf ("graphs/%s.json", files[i].name);
      g_autofree char *path = trc_test_shared (rel);
      if (path == NULL)
        return;
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcGraph) graph = trc_graph_read (path, NULL, &error);
      TrcPresentInfo info;
      TrcView view;
      g_assert_no_error (error);
      trc_view_init (&view);
      g_autoptr (TrcScene) scene = present (graph, &view, &info);
      if (files[i].nodes > 0)
        {
          g_assert_cmpuint (info.nodes_shown, ==, files[i].nodes);
          g_assert_cmpuint (info.edges_shown, ==, files[i].edges);
        }
      assert_apart (scene, files[i].name);
      g_autoptr (TrcScene) again = present (graph, &view, NULL);
      guint n, m;
      const TrcCurve *a = trc_scene_curves (scene, &n), *b = trc_scene_curves (again, &m);
      g_assert_cmpmem (a, n * sizeof *a, b, m * sizeof *b);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/present/kinds", test_kinds);
  g_test_add_func ("/present/places", test_places);
  g_test_add_func ("/present/shares", test_shares);
  g_test_add_func ("/present/groups", test_groups);
  g_test_add_func ("/present/dot", test_dot);
  g_test_add_func ("/present/empty-and-cancelled", test_empty_and_cancelled);
  g_test_add_func ("/present/real", test_real);
  return g_test_run ();
}
