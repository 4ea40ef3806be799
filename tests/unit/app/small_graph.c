#include "small_graph.h"

static void
add (TrcGraphBuilder *builder, TrcNodeKind kind, int layer, int position, gint64 index,
     double activation, double probability, const char *label)
{
  TrcNode node = TRC_NODE_INIT;

  node.kind = kind;
  node.layer = layer;
  node.position = position;
  node.index = index;
  node.activation = activation;
  node.token_prob = probability;
  node.label = label;
  if (probability > 0.5)
    node.flags |= TRC_NODE_IS_TARGET;
  trc_graph_builder_add_node (builder, &node);
}

TrcGraph *
small_graph_new (void)
{
  static const guint32 a[] = { SMALL_A, SMALL_A_TOO }, b[] = { SMALL_B };
  static const TrcSupernode groups[] = { { "first", a, 2 }, { "second", b, 1 } };
  static const char *const tokens[] = { "one", " two", NULL };
  TrcGraphMarks marks = { .supernodes = groups, .n_supernodes = 2, .clicked = -1 };
  TrcGraphBuilder *builder = trc_graph_builder_new ();
  GError *error = NULL;
  TrcGraph *graph;

  add (builder, TRC_NODE_EMBEDDING, -1, 0, 11, NAN, NAN, "one");
  add (builder, TRC_NODE_EMBEDDING, -1, 1, 12, NAN, NAN, " two");
  add (builder, TRC_NODE_FEATURE, 0, 0, 70, 2, NAN, "a");
  add (builder, TRC_NODE_FEATURE, 0, 1, 70, 6, NAN, "a again");
  add (builder, TRC_NODE_FEATURE, 1, 1, 80, 3, NAN, "b");
  add (builder, TRC_NODE_ERROR, 1, 1, -1, NAN, NAN, "");
  add (builder, TRC_NODE_LOGIT, 2, 1, 90, NAN, 0.75, "three");
  add (builder, TRC_NODE_LOGIT, 2, 1, 91, NAN, 0.25, "four");
  trc_graph_builder_add_edge (builder, SMALL_TOKEN_0, SMALL_A, 2);
  trc_graph_builder_add_edge (builder, SMALL_TOKEN_1, SMALL_A_TOO, 3);
  trc_graph_builder_add_edge (builder, SMALL_A, SMALL_B, 3);
  trc_graph_builder_add_edge (builder, SMALL_A_TOO, SMALL_B, 2);
  trc_graph_builder_add_edge (builder, SMALL_TOKEN_1, SMALL_B, -5);
  trc_graph_builder_add_edge (builder, SMALL_TOKEN_1, SMALL_REST, 1);
  trc_graph_builder_add_edge (builder, SMALL_B, SMALL_LOGIT, 6);
  trc_graph_builder_add_edge (builder, SMALL_REST, SMALL_LOGIT, 2);
  trc_graph_builder_add_edge (builder, SMALL_B, SMALL_LOGIT_2, -1);
  trc_graph_builder_set_prompt (builder, "one two", tokens, 2);
  trc_graph_builder_set_text (builder, "slug", "small");
  trc_graph_builder_set_text (builder, "scan", "tiny");
  trc_graph_builder_set_marks (builder, &marks);
  graph = trc_graph_builder_finish (builder, &error);
  g_assert_no_error (error);
  return graph;
}
