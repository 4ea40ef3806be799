#include "app/cli/graph_figures.h"

#include <math.h>

static void
count_kinds (const TrcGraph *graph, guint32 counts[TRC_N_NODE_KINDS])
{
  const TrcNode *nodes = trc_graph_nodes (graph);

  for (guint kind = 0; kind < TRC_N_NODE_KINDS; kind++)
    counts[kind] = 0;
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    counts[nodes[i].kind]++;
}

void
trc_cli_add_graph_figures (JsonBuilder *builder, const TrcGraph *graph,
                           const TrcGraphScores *scores)
{
  guint32 counts[TRC_N_NODE_KINDS];

  count_kinds (graph, counts);
  json_builder_set_member_name (builder, "n_nodes");
  json_builder_add_int_value (builder, trc_graph_n_nodes (graph));
  json_builder_set_member_name (builder, "n_links");
  json_builder_add_int_value (builder, (gint64)trc_graph_n_edges (graph));
  json_builder_set_member_name (builder, "by_kind");
  json_builder_begin_object (builder);
  for (guint kind = 0; kind < TRC_N_NODE_KINDS; kind++)
    {
      json_builder_set_member_name (builder, trc_node_kind_name (kind));
      json_builder_add_int_value (builder, counts[kind]);
    }
  json_builder_end_object (builder);
  trc_cli_add_number (builder, "replacement", scores->replacement);
  trc_cli_add_number (builder, "completeness", scores->completeness);
  trc_cli_add_number (builder, "logit_probability", scores->logit_probability);
}

static void
print_score (const char *name, double value)
{
  if (isfinite (value))
    trc_cli_print ("%-14s %.4f\n", name, value);
  else
    trc_cli_print ("%-14s unknown: the graph has no logit or nothing that leads to one\n",
                   name);
}

void
trc_cli_print_graph_figures (const TrcGraph *graph, const TrcGraphScores *scores)
{
  guint32 counts[TRC_N_NODE_KINDS];

  count_kinds (graph, counts);
  trc_cli_print ("%-14s %u:", "nodes", trc_graph_n_nodes (graph));
  for (guint kind = 0; kind < TRC_N_NODE_KINDS; kind++)
    if (counts[kind] > 0)
      trc_cli_print (" %s %u", trc_node_kind_name (kind), counts[kind]);
  trc_cli_print ("\n%-14s %" G_GUINT64_FORMAT "\n", "links", trc_graph_n_edges (graph));
  print_score ("replacement", scores->replacement);
  print_score ("completeness", scores->completeness);
}
