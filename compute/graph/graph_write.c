/* The writer of graph files: one line a node and a link, so that two files can
 * be compared by eye, and a temporary file that becomes the real one at the end. */

#include "compute/graph_file.h"

#include "compute/error.h"
#include "compute/graph/graph_impl.h"
#include "compute/graph/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES (256 * 1024)

/* Text on its way out. Without a file everything stays in @text. */
typedef struct {
  GString *text;
  int fd;     /* -1: keep */
  int failed; /* errno of the first failure */
} Out;

static void
out_flush (Out *self, gsize keep)
{
  const char *at = self->text->str;
  gsize left = self->text->len;

  if (self->fd < 0 || left <= keep)
    return;
  while (left > 0 && self->failed == 0)
    {
      gssize n = write (self->fd, at, left);

      if (n < 0 && errno != EINTR)
        self->failed = errno;
      else if (n > 0)
        {
          at += n;
          left -= (gsize)n;
        }
    }
  g_string_truncate (self->text, 0);
}

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
put_common (Out *self, const TrcGraph *graph)
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
      out_flush (self, FLUSH_BYTES);
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
      out_flush (self, FLUSH_BYTES);
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
put_eap (Out *self, const TrcGraph *graph)
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
      out_flush (self, FLUSH_BYTES);
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
put_graph (Out *self, const TrcGraph *graph)
{
  if (graph->dialect == TRC_GRAPH_EAP_IG)
    put_eap (self, graph);
  else
    put_common (self, graph);
}

GString *
trc_graph_to_json (const TrcGraph *graph)
{
  Out out = { .text = g_string_new (NULL), .fd = -1 };

  put_graph (&out, graph);
  return out.text;
}

/* ---- the file ---- */

static gboolean
set_write_error (const char *name, int code, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               "%s cannot be written: %s. Nothing was changed.", name, g_strerror (code));
  return FALSE;
}

/* Something that is no file (a pipe, a terminal) is written to as it is. */
static gboolean
is_special (const char *path)
{
  GStatBuf info;

  return g_stat (path, &info) == 0 && !S_ISREG (info.st_mode) && !S_ISDIR (info.st_mode);
}

static gboolean
write_special (const TrcGraph *graph, const char *path, const char *name, GError **error)
{
  Out out = { .fd = g_open (path, O_WRONLY | O_CLOEXEC, 0) };

  if (out.fd < 0)
    return set_write_error (name, errno, error);
  out.text = g_string_new (NULL);
  put_graph (&out, graph);
  out_flush (&out, 0);
  g_string_free (out.text, TRUE);
  close (out.fd);
  return out.failed == 0 || set_write_error (name, out.failed, error);
}

/* What open() would have given the file, or what the old file had. */
static mode_t
mode_for (const char *path)
{
  GStatBuf info;
  mode_t mask;

  if (g_stat (path, &info) == 0)
    return info.st_mode & 0777;
  mask = umask (022);
  umask (mask);
  return 0666 & ~mask;
}

gboolean
trc_graph_write (const TrcGraph *graph, const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  g_autofree char *real = realpath (path, NULL);
  const char *target = real != NULL ? real : path; /* a link keeps being one */
  g_autofree char *temporary = g_strconcat (target, ".XXXXXX", NULL);
  Out out = { 0 };

  if (is_special (path))
    return write_special (graph, path, name, error);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return set_write_error (name, EISDIR, error);
  out.fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (out.fd < 0)
    return set_write_error (name, errno, error);
  out.text = g_string_new (NULL);
  put_graph (&out, graph);
  out_flush (&out, 0);
  g_string_free (out.text, TRUE);
  if (out.failed == 0 && fchmod (out.fd, mode_for (target)) != 0)
    out.failed = errno;
  if (close (out.fd) != 0 && out.failed == 0)
    out.failed = errno;
  if (out.failed == 0 && g_rename (temporary, target) != 0)
    out.failed = errno;
  if (out.failed == 0)
    return TRUE;
  g_unlink (temporary);
  return set_write_error (name, out.failed, error);
}
