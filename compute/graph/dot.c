/* Graphs for Graphviz. Ids are node numbers, since two nodes may share an id. */

#include "compute/graph/graph_export.h"

#include "compute/graph/json_text.h"

#include <math.h>
#include <string.h>

/* A quoted text: only the quote and the backslash mean something in it. */
static void
put_text (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '"' || *c == '\\')
      g_string_append_printf (out, "\\%c", *c);
    else if (*c == '\n')
      g_string_append (out, "\\n");
    else if ((guchar)*c >= 0x20)
      g_string_append_c (out, *c);
  g_string_append_c (out, '"');
}

static const char *
shape_of (TrcNodeKind kind)
{
  switch (kind)
    {
    case TRC_NODE_EMBEDDING:
    case TRC_NODE_LOGIT:
      return "box";
    case TRC_NODE_ERROR:
      return "diamond";
    case TRC_NODE_HEAD:
    case TRC_NODE_MLP:
      return "hexagon";
    default:
      return "ellipse";
    }
}

static void
put_node (GString *out, const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);
  g_autofree char *label = trc_graph_dup_label (graph, i);

  g_string_append_printf (out, "  n%u [label=", i);
  put_text (out, label);
  g_string_append_printf (
      out, ", shape=%s, kind=\"%s\", layer=%d, position=%d, id=", shape_of (node->kind),
      trc_node_kind_name (node->kind), node->layer, node->position);
  put_text (out, node->id);
  g_string_append (out, "];\n");
}

/* Nodes of one layer in one rank, from the embeddings up. */
static void
put_ranks (GString *out, const TrcGraph *graph)
{
  for (gint32 layer = -1; layer <= trc_graph_n_layers (graph); layer++)
    {
      guint n = 0;

      for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
        if (trc_graph_node (graph, i)->layer == layer)
          g_string_append_printf (out, n++ == 0 ? "  { rank=same; n%u" : "; n%u", i);
      if (n > 0)
        g_string_append (out, " }\n");
    }
}

void
trc_put_dot (TrcOut *out, const TrcGraph *graph)
{
  const TrcEdge *edges = trc_graph_edges (graph);
  double largest = 0;
  gsize n;

  for (guint64 e = 0; e < trc_graph_n_edges (graph); e++)
    largest = MAX (largest, fabs (edges[e].weight));
  g_string_append (out->text,
                   "digraph circuit {\n  rankdir=BT;\n  node [fontname=\"sans\"];\n");
  if (*trc_graph_prompt (graph) != '\0')
    {
      g_string_append (out->text, "  label=");
      put_text (out->text, trc_graph_prompt (graph));
      g_string_append (out->text, ";\n");
    }
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    put_node (out->text, graph, i);
  put_ranks (out->text, graph);
  for (guint32 t = 0; t < trc_graph_n_nodes (graph); t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

      for (gsize k = 0; k < n; k++)
        {
          double share = largest > 0 ? fabs (in[k].weight) / largest : 0;

          g_string_append_printf (out->text, "  n%u -> n%u [value=", in[k].source, t);
          trc_json_append_number (out->text, in[k].weight);
          g_string_append_printf (out->text, ", color=\"%s\", penwidth=%.2f",
                                  in[k].weight < 0 ? "#c8641e" : "#2864b4", 0.3 + 3.7 * share);
          if (in[k].reader != TRC_READER_ANY)
            g_string_append_printf (out->text, ", reader=\"%s\"", trc_reader_name (&in[k]));
          g_string_append (out->text, "];\n");
        }
      trc_out_flush (out);
    }
  g_string_append (out->text, "}\n");
}
