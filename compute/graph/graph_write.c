/* The writer of graph files: one line a node and a link, so that two files can
 * be compared by eye. */

#include "compute/graph_file.h"

#include "compute/graph/graph_impl.h"
#include "compute/graph/json_text.h"
#include "compute/graph/out_file.h"

#include <string.h>

static void
put_string (GString *out, const char *key, const char *value)
{
  g_string_append_printf (out, "\"%s\": ", key);
  trc_json_append_string (out, value, strlen (value));
}

static void
put_number (GString *out, const char *key, double value)
{
  g_string_append_printf (out, "\"%s\": ", key);
  trc_json_append_number (out, value);
}

/* ---- the common dialect ---- */

static void
put_node (GString *out, const TrcNode *node)
{
  put_string (out, "node_id", node->id);
  if (node->flags & TRC_NODE_FEATURE_IS_NULL)
    g_string_append (out, ", \"feature\": null");
  else
    g_string_append_printf (out, ", \"feature\": %" G_GINT64_FORMAT, node->raw_feature);
  if (node->flags & TRC_NODE_LAYER_IS_NUMBER)
    g_string_append_printf (out, ", \"layer\": %s, ", node->layer_text);
  else
    {
      g_string_append (out, ", ");
      put_string (out, "layer", node->layer_text);
      g_string_append (out, ", ");
    }
  g_string_append_printf (out, "\"ctx_idx\": %d, ", node->position);
  put_string (out, "feature_type", node->type);
  if (node->flags & TRC_NODE_HAS_TOKEN_PROB)
    {
      g_string_append (out, ", ");
      put_number (out, "token_prob", node->token_prob);
    }
  if (node->flags & TRC_NODE_HAS_IS_TARGET)
    g_string_append (out, node->flags & TRC_NODE_IS_TARGET ? ", \"is_target_logit\": true"
                                                           : ", \"is_target_logit\": false");
  if (node->extra != NULL)
    g_string_append_printf (out, ", %s", node->extra);
  g_string_append (out, ", ");
  put_string (out, "jsNodeId", node->js_id);
  g_string_append (out, ", ");
  put_string (out, "clerp", node->label);
  if (node->flags & TRC_NODE_HAS_INFLUENCE)
    {
      g_string_append (out, ", ");
      put_number (out, "influence", node->influence);
    }
  if (node->flags & TRC_NODE_HAS_ACTIVATION)
    {
      g_string_append (out, ", ");
      put_number (out, "activation", node->activation);
    }
  if (!isnan (node->score))
    {
      g_string_append (out, ", ");
      put_number (out, "score", node->score);
    }
}

/* The members of link @e that we do not model; links are asked for in order. */
static const char *
edge_extra (const TrcGraph *graph, guint64 e, gsize *next)
{
  while (*next < graph->n_edge_extras && graph->edge_extras[*next].edge < e)
    (*next)++;
  return *next < graph->n_edge_extras && graph->edge_extras[*next].edge == e
             ? graph->edge_extras[*next].json
             : NULL;
}

/* The four members that readers insist on. */
static void
put_metadata (GString *out, const TrcGraph *graph)
{
  static const char *const required[][2] = {
    { "slug", "\"graph\"" },
    { "scan", "\"tracery\"" },
    { "prompt_tokens", "[]" },
    { "prompt", "\"\"" },
  };
  g_autoptr (GStringChunk) strings = g_string_chunk_new (256);
  g_autoptr (GArray) metadata = trc_members_copy (graph->metadata, strings);

  for (gsize i = 0; i < G_N_ELEMENTS (required); i++)
    if (trc_members_get (metadata, required[i][0]) == NULL)
      trc_members_set (metadata, strings, required[i][0], required[i][1]);
  g_string_append (out, "\"metadata\": ");
  trc_members_append (metadata, out);
}

static void
put_others (GString *out, const TrcGraph *graph)
{
  for (guint i = 0; i < graph->others->len; i++)
    {
      const TrcMember *m = &g_array_index (graph->others, TrcMember, i);

      g_string_append (out, ",\n");
      trc_json_append_string (out, m->key, strlen (m->key));
      g_string_append_printf (out, ": %s", m->json);
    }
}

static void
put_common (TrcOut *self, const TrcGraph *graph)
{
  GString *out = self->text;
  gsize next = 0, n;

  g_string_append (out, "{\n");
  put_metadata (out, graph);
  g_string_append (out, ",\n\"qParams\": ");
  trc_members_append (graph->params, out);
  g_string_append (out, ",\n\"nodes\": [");
  for (guint32 i = 0; i < graph->n_nodes; i++)
    {
      g_string_append (out, i > 0 ? ",\n  {" : "\n  {");
      put_node (out, &graph->nodes[i]);
      g_string_append_c (out, '}');
      trc_out_flush (self);
    }
  g_string_append (out, "\n],\n\"links\": [");
  for (guint32 t = 0; t < graph->n_nodes; t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

      for (gsize k = 0; k < n; k++)
        {
          guint64 e = graph->offsets[t] + k;
          const char *extra = edge_extra (graph, e, &next);

          g_string_append (out, e > 0 ? ",\n  {" : "\n  {");
          put_string (out, "source", graph->nodes[in[k].source].id);
          g_string_append (out, ", ");
          put_string (out, "target", graph->nodes[t].id);
          g_string_append (out, ", ");
          put_number (out, "weight", in[k].weight);
          if (extra != NULL)
            g_string_append_printf (out, ", %s", extra);
          g_string_append_c (out, '}');
        }
      trc_out_flush (self);
    }
  g_string_append (out, "\n]");
  put_others (out, graph);
  g_string_append (out, "\n}\n");
}

/* ---- EAP-IG ---- */

static void
put_eap_node (GString *out, const TrcNode *node)
{
  trc_json_append_string (out, node->id, strlen (node->id));
  g_string_append_printf (out, ": {\"in_graph\": %s",
                          node->flags & TRC_NODE_IN_CIRCUIT ? "true" : "false");
  if (!isnan (node->score))
    {
      g_string_append (out, ", ");
      put_number (out, "score", node->score);
    }
  if (node->extra != NULL)
    g_string_append_printf (out, ", %s", node->extra);
  g_string_append_c (out, '}');
}

static void
put_eap_edge (GString *out, const TrcGraph *graph, guint32 target, const TrcEdge *edge,
              const char *extra)
{
  static const char *const readers[] = { "", "<q>", "<k>", "<v>" };
  g_autofree char *name =
      g_strconcat (graph->nodes[edge->source].id, "->", graph->nodes[target].id,
                   edge->reader <= TRC_READER_V ? readers[edge->reader] : "", NULL);

  trc_json_append_string (out, name, strlen (name));
  g_string_append (out, ": {");
  put_number (out, "score", edge->flags & TRC_EDGE_NOT_SCORED ? NAN : edge->weight);
  g_string_append_printf (out, ", \"in_graph\": %s",
                          edge->flags & TRC_EDGE_IN_CIRCUIT ? "true" : "false");
  if (extra != NULL)
    g_string_append_printf (out, ", %s", extra);
  g_string_append_c (out, '}');
}

static void
put_eap (TrcOut *self, const TrcGraph *graph)
{
  GString *out = self->text;
  gsize next = 0, n;

  g_string_append (out, "{\n\"cfg\": ");
  trc_members_append (graph->metadata, out);
  g_string_append (out, ",\n\"nodes\": {");
  for (guint32 i = 0; i < graph->n_nodes; i++)
    {
      g_string_append (out, i > 0 ? ",\n  " : "\n  ");
      put_eap_node (out, &graph->nodes[i]);
    }
  g_string_append (out, "\n},\n\"edges\": {");
  for (guint32 t = 0; t < graph->n_nodes; t++)
    {
      const TrcEdge *in = trc_graph_in_edges (graph, t, &n);

      for (gsize k = 0; k < n; k++)
        {
          guint64 e = graph->offsets[t] + k;

          g_string_append (out, e > 0 ? ",\n  " : "\n  ");
          put_eap_edge (out, graph, t, &in[k], edge_extra (graph, e, &next));
        }
      trc_out_flush (self);
    }
  g_string_append (out, "\n}");
  if (graph->params->len > 0)
    {
      g_string_append (out, ",\n\"qParams\": ");
      trc_members_append (graph->params, out);
    }
  put_others (out, graph);
  g_string_append (out, "\n}\n");
}

static void
put_graph (TrcOut *self, const TrcGraph *graph)
{
  if (graph->dialect == TRC_GRAPH_EAP_IG)
    put_eap (self, graph);
  else
    put_common (self, graph);
}

GString *
trc_graph_to_json (const TrcGraph *graph)
{
  TrcOut out = { .text = g_string_new (NULL), .fd = -1 };

  put_graph (&out, graph);
  return out.text;
}

gboolean
trc_graph_write (const TrcGraph *graph, const char *path, GError **error)
{
  return trc_out_write_file (put_graph, graph, path, error);
}
