#include "compute/graph/pt_file.h"

#include "compute/error.h"
#include "compute/graph/out_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a pickle: the few instructions that the file needs ---- */

static void
put_bytes (GByteArray *to, const void *bytes, gsize n)
{
  g_byte_array_append (to, bytes, (guint)n);
}

static void
put_op (GByteArray *to, guint8 op)
{
  g_byte_array_append (to, &op, 1);
}

static void
put_text (GByteArray *to, const char *text)
{
  guint32 len = GUINT32_TO_LE ((guint32)strlen (text));

  put_op (to, 'X');
  put_bytes (to, &len, 4);
  put_bytes (to, text, strlen (text));
}

static void
put_int (GByteArray *to, gint64 number)
{
  gint64 little = GINT64_TO_LE (number);

  put_op (to, 0x8a); /* LONG1 */
  put_op (to, 8);
  put_bytes (to, &little, 8);
}

static void
put_global (GByteArray *to, const char *module, const char *name)
{
  g_autofree char *text = g_strdup_printf ("c%s\n%s\n", module, name);

  put_bytes (to, text, strlen (text));
}

static void
put_pair (GByteArray *to, gint64 a, gint64 b, gboolean both)
{
  put_int (to, a);
  if (both)
    put_int (to, b);
  put_op (to, both ? 0x86 : 0x85); /* TUPLE2, TUPLE1 */
}

/* "key": a tensor in member data/@storage of [n] or [n][m] numbers. */
static void
put_tensor (GByteArray *to, const char *key, const char *storage, const char *type, gint64 n,
            gint64 m)
{
  put_text (to, key);
  put_global (to, "torch._utils", "_rebuild_tensor_v2");
  put_op (to, '(');
  put_op (to, '(');
  put_text (to, "storage");
  put_global (to, "torch", type);
  put_text (to, storage);
  put_text (to, "cpu");
  put_int (to, n * MAX (m, 1));
  put_op (to, 't');
  put_op (to, 'Q'); /* BINPERSID */
  put_int (to, 0);
  put_pair (to, n, m, m > 0);
  if (m > 0)
    put_pair (to, m, 1, TRUE);
  else
    put_pair (to, 1, 0, FALSE);
  put_op (to, 0x89); /* NEWFALSE */
  put_global (to, "collections", "OrderedDict");
  put_op (to, ')');
  put_op (to, 'R');
  put_op (to, 't');
  put_op (to, 'R');
}

static void
put_int_member (GByteArray *to, const char *key, gint64 number)
{
  put_text (to, key);
  put_int (to, number);
}

static void
put_text_member (GByteArray *to, const char *key, const char *text)
{
  put_text (to, key);
  if (text != NULL)
    put_text (to, text);
  else
    put_op (to, 'N');
}

/* ---- where each node stands in the matrix ---- */

typedef struct {
  const TrcGraph *graph;
  guint32 *place;   /* by node: row of the matrix */
  guint32 *node_at; /* by row: node, or NONE */
  gint64 n_features, n_layers, n_tokens, n_logits, n;
  guint32 *features; /* nodes, sorted */
  guint32 *logits;
} Plan;

#define NONE G_MAXUINT32

static void
plan_clear (Plan *self)
{
  g_free (self->place);
  g_free (self->node_at);
  g_free (self->features);
  g_free (self->logits);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Plan, plan_clear)

static gint
compare_features (gconstpointer a, gconstpointer b, gpointer data)
{
  const TrcNode *x = trc_graph_node (data, *(const guint32 *)a);
  const TrcNode *y = trc_graph_node (data, *(const guint32 *)b);

  if (x->layer != y->layer)
    return x->layer < y->layer ? -1 : 1;
  if (x->position != y->position)
    return x->position < y->position ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

static gboolean
refuse (const char *name, const char *what, GError **error)
{
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
               "%s: a .pt graph has room for features, errors, tokens and logits only, but %s; "
               "write .json instead.",
               name, what);
  return FALSE;
}

static gboolean
sort_nodes (Plan *self, const char *name, GError **error)
{
  guint32 n = trc_graph_n_nodes (self->graph);

  self->features = g_new (guint32, (gsize)n + 1);
  self->logits = g_new (guint32, (gsize)n + 1);
  for (guint32 i = 0; i < n; i++)
    {
      const TrcNode *node = trc_graph_node (self->graph, i);

      if (node->kind == TRC_NODE_FEATURE && node->layer >= 0 && node->position >= 0)
        self->features[self->n_features++] = i;
      else if (node->kind == TRC_NODE_LOGIT)
        self->logits[self->n_logits++] = i;
      else if ((node->kind != TRC_NODE_ERROR || node->layer < 0)
               && node->kind != TRC_NODE_EMBEDDING)
        {
          g_autofree char *what =
              g_strdup_printf ("this one has a node of kind %s without a place there",
                               trc_node_kind_name (node->kind));
          return refuse (name, what, error);
        }
    }
  g_qsort_with_data (self->features, (gint)self->n_features, sizeof (guint32), compare_features,
                     (gpointer)self->graph);
  return TRUE;
}

static gboolean
set_place (Plan *self, guint32 node, gint64 row)
{
  if (row < 0 || row >= self->n || self->node_at[row] != NONE)
    return FALSE;
  self->node_at[row] = node;
  self->place[node] = (guint32)row;
  return TRUE;
}

static gboolean
make_plan (Plan *self, const char *name, GError **error)
{
  guint32 n_nodes = trc_graph_n_nodes (self->graph);
  gboolean ok = TRUE;

  if (!sort_nodes (self, name, error))
    return FALSE;
  self->n_layers = trc_graph_n_layers (self->graph);
  self->n_tokens = trc_graph_n_positions (self->graph);
  self->n =
      self->n_features + self->n_layers * self->n_tokens + self->n_tokens + self->n_logits;
  if (self->n_tokens == 0 || self->n_logits == 0)
    return refuse (name, "this one has no prompt or no logit", error);
  if (self->n > G_MAXUINT16 * 16)
    return refuse (name, "its matrix would be too large", error);
  self->place = g_new (guint32, (gsize)n_nodes + 1);
  self->node_at = g_new (guint32, (gsize)self->n + 1);
  memset (self->node_at, 0xff, (gsize)self->n * sizeof (guint32));
  for (gint64 i = 0; i < self->n_features; i++)
    ok = ok && set_place (self, self->features[i], i);
  for (gint64 i = 0; i < self->n_logits; i++)
    ok = ok && set_place (self, self->logits[i], self->n - self->n_logits + i);
  for (guint32 i = 0; i < n_nodes; i++)
    {
      const TrcNode *node = trc_graph_node (self->graph, i);
      gint64 layer = node->kind == TRC_NODE_ERROR ? node->layer : self->n_layers;

      if (node->kind == TRC_NODE_ERROR || node->kind == TRC_NODE_EMBEDDING)
        ok = ok
             && set_place (self, i, self->n_features + layer * self->n_tokens + node->position);
    }
  return ok || refuse (name, "two nodes of this one want the same place", error);
}

/* ---- the pickle of the graph ---- */

/* What stands in quotes in a logit's label, or all of it. */
static char *
token_of (const char *label)
{
  const char *first = strchr (label, '"');
  const char *last = g_strrstr (label, "\"");

  return first != NULL && last > first ? g_strndup (first + 1, (gsize)(last - first - 1))
                                       : g_strdup (label);
}

static void
put_logit_targets (GByteArray *to, const Plan *plan)
{
  put_text (to, "logit_targets");
  put_op (to, ']');
  put_op (to, '(');
  for (gint64 i = 0; i < plan->n_logits; i++)
    {
      const TrcNode *node = trc_graph_node (plan->graph, plan->logits[i]);
      g_autofree char *token = token_of (node->label);

      put_global (to, "circuit_tracer.attribution.targets", "LogitTarget");
      put_text (to, token);
      put_int (to, node->index);
      put_op (to, 0x86); /* TUPLE2 */
      put_op (to, 0x81); /* NEWOBJ */
    }
  put_op (to, 'e');
}

/* The configuration class of circuit-tracer, with what the graph knows of it. */
static void
put_config (GByteArray *to, const Plan *plan, gint64 n_vocab)
{
  static const char *const unknown[] = { "d_model", "d_head", "n_heads", "d_mlp" };
  static const char *const names[] = { "tokenizer_name", "model_name",
                                       "original_architecture" };
  const char *scan = trc_graph_text (plan->graph, "scan");

  put_text (to, "cfg");
  put_global (to, "circuit_tracer.utils.tl_nnsight_mapping", "UnifiedConfig");
  put_op (to, ')');
  put_op (to, 0x81); /* NEWOBJ */
  put_op (to, '}');
  put_op (to, '(');
  put_int_member (to, "n_layers", plan->n_layers);
  put_int_member (to, "d_vocab", n_vocab);
  for (gsize i = 0; i < G_N_ELEMENTS (unknown); i++)
    put_int_member (to, unknown[i], 0);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    put_text_member (to, names[i], scan != NULL ? scan : "");
  put_text_member (to, "n_key_value_heads", NULL);
  put_text_member (to, "dtype", NULL);
  put_op (to, 'u');
  put_op (to, 'b');
}

static gint64
vocabulary (const TrcGraph *graph)
{
  gint64 n = 0;

  for (guint32 i = 0; i < trc_graph_n_nodes (graph); i++)
    {
      const TrcNode *node = trc_graph_node (graph, i);
      if (node->kind == TRC_NODE_LOGIT || node->kind == TRC_NODE_EMBEDDING)
        n = MAX (n, node->index + 1);
    }
  return n;
}

static GByteArray *
make_pickle (const Plan *plan)
{
  GByteArray *to = g_byte_array_new ();

  put_op (to, 0x80);
  put_op (to, 2); /* protocol */
  put_op (to, '}');
  put_op (to, '(');
  put_text_member (to, "input_string", trc_graph_prompt (plan->graph));
  put_tensor (to, "adjacency_matrix", "0", "FloatStorage", plan->n, plan->n);
  put_config (to, plan, vocabulary (plan->graph));
  put_tensor (to, "active_features", "1", "LongStorage", plan->n_features, 3);
  put_logit_targets (to, plan);
  put_tensor (to, "logit_probabilities", "2", "FloatStorage", plan->n_logits, 0);
  put_int_member (to, "vocab_size", vocabulary (plan->graph));
  put_tensor (to, "input_tokens", "3", "LongStorage", plan->n_tokens, 0);
  put_tensor (to, "selected_features", "4", "LongStorage", plan->n_features, 0);
  put_tensor (to, "activation_values", "5", "FloatStorage", plan->n_features, 0);
  put_text_member (to, "scan_name", trc_graph_text (plan->graph, "scan"));
  put_op (to, 'u');
  put_op (to, '.');
  return to;
}

/* ---- the zip ---- */

static gboolean
begin_member (struct archive *zip, const char *name, gint64 size)
{
  struct archive_entry *entry = archive_entry_new ();
  int status;

  archive_entry_set_pathname (entry, name);
  archive_entry_set_size (entry, size);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, 0644);
  status = archive_write_header (zip, entry);
  archive_entry_free (entry);
  return status == ARCHIVE_OK;
}

static gboolean
write_data (struct archive *zip, const void *data, gsize n)
{
  return archive_write_data (zip, data, n) == (la_ssize_t)n;
}

static gboolean
write_member (struct archive *zip, const char *name, const void *data, gsize n)
{
  return begin_member (zip, name, (gint64)n) && (n == 0 || write_data (zip, data, n));
}

/* Row by row, so that a matrix of gigabytes needs one row of memory. */
static gboolean
write_matrix (struct archive *zip, const Plan *plan)
{
  g_autofree float *row = g_new (float, (gsize)plan->n + 1);

  if (!begin_member (zip, "graph/data/0", plan->n * plan->n * 4))
    return FALSE;
  for (gint64 r = 0; r < plan->n; r++)
    {
      gsize n = 0;
      const TrcEdge *in = plan->node_at[r] != NONE
                              ? trc_graph_in_edges (plan->graph, plan->node_at[r], &n)
                              : NULL;

      memset (row, 0, (gsize)plan->n * sizeof row[0]);
      for (gsize k = 0; k < n; k++)
        row[plan->place[in[k].source]] += (float)in[k].weight;
      if (!write_data (zip, row, (gsize)plan->n * sizeof row[0]))
        return FALSE;
    }
  return TRUE;
}

static gboolean
write_vectors (struct archive *zip, const Plan *plan)
{
  g_autofree gint64 *active = g_new (gint64, 3 * (gsize)plan->n_features + 1);
  g_autofree gint64 *selected = g_new (gint64, (gsize)plan->n_features + 1);
  g_autofree float *activations = g_new (float, (gsize)plan->n_features + 1);
  g_autofree float *probabilities = g_new (float, (gsize)plan->n_logits + 1);
  g_autofree gint64 *tokens = g_new0 (gint64, (gsize)plan->n_tokens + 1);

  for (gint64 i = 0; i < plan->n_features; i++)
    {
      const TrcNode *node = trc_graph_node (plan->graph, plan->features[i]);
      active[3 * i] = node->layer;
      active[3 * i + 1] = node->position;
      active[3 * i + 2] = node->index;
      selected[i] = i;
      activations[i] = isfinite (node->activation) ? (float)node->activation : 0;
    }
  for (gint64 i = 0; i < plan->n_logits; i++)
    {
      double p = trc_graph_node (plan->graph, plan->logits[i])->token_prob;
      probabilities[i] = isfinite (p) ? (float)p : 0;
    }
  for (gint64 i = 0; i < plan->n_tokens; i++)
    {
      guint32 node = plan->node_at[plan->n_features + plan->n_layers * plan->n_tokens + i];
      tokens[i] = node != NONE ? MAX (0, trc_graph_node (plan->graph, node)->index) : 0;
    }
  return write_member (zip, "graph/data/1", active, 24 * (gsize)plan->n_features)
         && write_member (zip, "graph/data/2", probabilities, 4 * (gsize)plan->n_logits)
         && write_member (zip, "graph/data/3", tokens, 8 * (gsize)plan->n_tokens)
         && write_member (zip, "graph/data/4", selected, 8 * (gsize)plan->n_features)
         && write_member (zip, "graph/data/5", activations, 4 * (gsize)plan->n_features);
}

static void
put_pt (TrcOut *out, const TrcGraph *graph)
{
  struct archive *zip = archive_write_new ();
  g_auto (Plan) plan = { .graph = graph };
  g_autoptr (GByteArray) pickle = NULL;
  const char *order = G_BYTE_ORDER == G_LITTLE_ENDIAN ? "little" : "big";
  gboolean ok;

  archive_write_set_format_zip (zip);
  archive_write_zip_set_compression_store (zip);
  archive_write_set_bytes_in_last_block (zip, 1);
  ok = make_plan (&plan, "", NULL);
  pickle = ok ? make_pickle (&plan) : NULL;
  ok = ok && archive_write_open_fd (zip, out->fd) == ARCHIVE_OK
       && write_member (zip, "graph/data.pkl", pickle->data, pickle->len)
       && write_member (zip, "graph/byteorder", order, strlen (order))
       && write_matrix (zip, &plan) && write_vectors (zip, &plan)
       && write_member (zip, "graph/version", "3\n", 2)
       && archive_write_close (zip) == ARCHIVE_OK;
  if (!ok)
    out->failed = archive_errno (zip) > 0 ? archive_errno (zip) : EIO;
  archive_write_free (zip);
}

gboolean
trc_pt_write (const TrcGraph *graph, const char *path, GError **error)
{
  g_auto (Plan) plan = { .graph = graph };
  g_autofree char *name = g_filename_display_name (path);

  return make_plan (&plan, name, error) && trc_out_write_file (put_pt, graph, path, error);
}
