#include "compute/graph/graph_export.h"

#include "compute/graph/json_text.h"

#include <math.h>
#include <string.h>

/* A field; quoted where it has to be. A spreadsheet takes a text that begins with one of
 * =+-@ for a formula, and labels come from anywhere: those get an apostrophe. */
static void
put_text (GString *out, const char *text)
{
  gboolean formula = *text != '\0' && strchr ("=+-@\t\r", *text) != NULL;
  gboolean quote = formula || strpbrk (text, ",\"\r\n") != NULL;

  if (!quote)
    {
      g_string_append (out, text);
      return;
    }
  g_string_append (out, formula ? "\"'" : "\"");
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '"')
        g_string_append_c (out, '"');
      g_string_append_c (out, *c);
    }
  g_string_append_c (out, '"');
}

/* Nothing for a number that is not known. */
static void
put_number (GString *out, double value)
{
  g_string_append_c (out, ',');
  if (isfinite (value))
    trc_json_append_number (out, value);
}

void
trc_put_csv_nodes (TrcOut *out, const TrcGraph *graph)
{
  g_string_append (out->text, "node,id,kind,layer,position,index,activation,influence,score,"
                              "probability,label\r\n");
  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      g_autofree char *label = trc_graph_dup_label (graph, i);

      g_string_append_printf (out->text, "%u,", i);
      put_text (out->text, node->id);
      g_string_append_printf (out->text, ",%s,%d,%d,%" G_GINT64_FORMAT,
                              trc_node_kind_name (node->kind), node->layer, node->position,
                              node->index);
      put_number (out->text, node->activation);
      put_number (out->text, node->influence);
      put_number (out->text, node->score);
      put_number (out->text, node->kind == TRC_NODE_LOGIT ? node->token_prob : NAN);
      g_string_append_c (out->text, ',');
      put_text (out->text, label);
      g_string_append (out->text, "\r\n");
      trc_out_flush (out);
    }
}

void
trc_put_csv_links (TrcOut *out, const TrcGraph *graph)
{
  gsize n;

  g_string_append (out->text, "source,target,weight,reader,source_id,target_id\r\n");
  for (guint32 t = 0; t < trc_graph_n_nodes (graph); t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

      for (gsize k = 0; k < n; k++)
        {
          g_string_append_printf (out->text, "%u,%u", in[k].source, t);
          put_number (out->text, in[k].weight);
          g_string_append_printf (out->text, ",%s,", trc_reader_name (&in[k]));
          put_text (out->text, trc_graph_node (graph, in[k].source)->id);
          g_string_append_c (out->text, ',');
          put_text (out->text, trc_graph_node (graph, t)->id);
          g_string_append (out->text, "\r\n");
        }
      trc_out_flush (out);
    }
}
