#include "compute/graph/graph_export.h"

#include "compute/graph/json_text.h"

#include <math.h>
#include <string.h>

/* Text of an element. XML has no word at all for most control characters. */
static void
put_text (GString *out, const char *text)
{
  g_autofree char *clean = g_strdup (text);

  for (char *c = clean; *c != '\0'; c++)
    if ((guchar)*c < 0x20 && *c != '\n' && *c != '\t')
      *c = ' ';
  g_autofree char *escaped = g_markup_escape_text (clean, -1);
  g_string_append (out, escaped);
}

static void
put_text_data (GString *out, const char *key, const char *text)
{
  g_string_append_printf (out, "<data key=\"%s\">", key);
  put_text (out, text);
  g_string_append (out, "</data>");
}

/* Numbers that are not known have no entry. */
static void
put_number_data (GString *out, const char *key, double value)
{
  if (!isfinite (value))
    return;
  g_string_append_printf (out, "<data key=\"%s\">", key);
  trc_json_append_number (out, value);
  g_string_append (out, "</data>");
}

static void
put_keys (GString *out)
{
  static const char *const keys[][3] = {
    { "node", "id", "string" },         { "node", "label", "string" },
    { "node", "kind", "string" },       { "node", "layer", "int" },
    { "node", "position", "int" },      { "node", "index", "long" },
    { "node", "activation", "double" }, { "node", "influence", "double" },
    { "node", "score", "double" },      { "node", "probability", "double" },
    { "edge", "weight", "double" },     { "edge", "reader", "string" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_string_append_printf (out,
                            "  <key id=\"%s\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>\n",
                            keys[i][1], keys[i][0], keys[i][1], keys[i][2]);
}

static void
put_node (GString *out, const TrcGraph *graph, guint32 i)
{
  const TrcNode *node = trc_graph_node (graph, i);
  g_autofree char *label = trc_graph_dup_label (graph, i);

  g_string_append_printf (out, "    <node id=\"n%u\">", i);
  put_text_data (out, "id", node->id);
  put_text_data (out, "label", label);
  put_text_data (out, "kind", trc_node_kind_name (node->kind));
  put_number_data (out, "layer", node->layer);
  put_number_data (out, "position", node->position);
  g_string_append_printf (out, "<data key=\"index\">%" G_GINT64_FORMAT "</data>", node->index);
  put_number_data (out, "activation", node->activation);
  put_number_data (out, "influence", node->influence);
  put_number_data (out, "score", node->score);
  if (node->kind == TRC_NODE_LOGIT)
    put_number_data (out, "probability", node->token_prob);
  g_string_append (out, "</node>\n");
}

void
trc_put_graphml (TrcOut *out, const TrcGraph *graph)
{
  gsize n;

  g_string_append (out->text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                              "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n");
  put_keys (out->text);
  g_string_append (out->text, "  <graph id=\"circuit\" edgedefault=\"directed\">\n");
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    put_node (out->text, graph, i);
  for (guint32 t = 0; t < trc_graph_n_nodes (graph); t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

      for (gsize k = 0; k < n; k++)
        {
          g_string_append_printf (out->text, "    <edge source=\"n%u\" target=\"n%u\">",
                                  in[k].source, t);
          put_number_data (out->text, "weight", in[k].weight);
          if (in[k].reader != TRC_READER_ANY)
            put_text_data (out->text, "reader", trc_reader_name (&in[k]));
          g_string_append (out->text, "</edge>\n");
        }
      trc_out_flush (out);
    }
  g_string_append (out->text, "  </graph>\n</graphml>\n");
}
