#include "compute/graph/graph_export.h"

#include "compute/graph/pt_file.h"
#include "compute/graph_file.h"

#include <string.h>

const char *
trc_reader_name (const TrcEdge *edge)
{
  static const char *const names[] = { "", "q", "k", "v" };

  return edge->reader <= TRC_READER_V ? names[edge->reader] : "";
}

gboolean
trc_graph_format_of (const char *path, TrcGraphFormat *format)
{
  static const struct {
    const char *suffix;
    TrcGraphFormat format;
  } formats[] = {
    { ".json", TRC_GRAPH_FORMAT_JSON }, { ".dot", TRC_GRAPH_FORMAT_DOT },
    { ".gv", TRC_GRAPH_FORMAT_DOT },    { ".graphml", TRC_GRAPH_FORMAT_GRAPHML },
    { ".csv", TRC_GRAPH_FORMAT_CSV },   { ".pt", TRC_GRAPH_FORMAT_PT },
  };
  g_autofree char *lower = g_ascii_strdown (path, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (lower, formats[i].suffix))
      {
        *format = formats[i].format;
        return TRUE;
      }
  return FALSE;
}

/* "circuit.csv" -> "circuit-nodes.csv" */
static char *
nodes_path (const char *path)
{
  gsize stem = strlen (path);

  if (stem > 4 && g_ascii_strcasecmp (path + stem - 4, ".csv") == 0)
    stem -= 4;
  g_autofree char *start = g_strndup (path, stem);
  return g_strconcat (start, "-nodes", path + stem, NULL);
}

gboolean
trc_graph_write_as (const TrcGraph *graph, const char *path, TrcGraphFormat format,
                    GError **error)
{
  g_autofree char *nodes = NULL;

  switch (format)
    {
    case TRC_GRAPH_FORMAT_DOT:
      return trc_out_write_file (trc_put_dot, graph, path, error);
    case TRC_GRAPH_FORMAT_GRAPHML:
      return trc_out_write_file (trc_put_graphml, graph, path, error);
    case TRC_GRAPH_FORMAT_PT:
      return trc_pt_write (graph, path, error);
    case TRC_GRAPH_FORMAT_CSV:
      nodes = nodes_path (path);
      return trc_out_write_file (trc_put_csv_nodes, graph, nodes, error)
             && trc_out_write_file (trc_put_csv_links, graph, path, error);
    default:
      return trc_graph_write (graph, path, error);
    }
}
