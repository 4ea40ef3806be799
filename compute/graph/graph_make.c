#include "compute/graph_make.h"

#include "compute/error.h"

#define N_LOGITS 10
#define MIN_NODES 24
#define TRIES 12 /* for one more link of a target, before it has enough */

typedef struct {
  TrcGraphBuilder *builder;
  GRand *rand;
  guint32 n, n_logits;
  gint32 n_layers, n_tokens;
  guint32 *layer_end; /* by layer: nodes up to and with it, in the order of adding */
  gint32 *positions;  /* by node */
  gint32 *layers;
  guint32 *stamp; /* by source: target + 1 that it last fed */
} Maker;

static void
add_node (Maker *self, TrcNodeKind kind, gint32 layer, gint32 position, gint64 index)
{
  TrcNode node = TRC_NODE_INIT;
  guint32 i;

  node.kind = kind;
  node.layer = layer;
  node.position = position;
  node.index = index;
  if (kind == TRC_NODE_FEATURE)
    node.activation = exp (g_rand_double_range (self->rand, -2, 4));
  if (kind == TRC_NODE_LOGIT)
    {
      node.token_prob = 0.5 / (1 << (index % N_LOGITS));
      node.flags = index % N_LOGITS == 0 ? TRC_NODE_IS_TARGET : 0;
    }
  i = trc_graph_builder_add_node (self->builder, &node);
  self->positions[i] = position;
  self->layers[i] = layer;
}

static void
add_nodes (Maker *self)
{
  guint32 inner = self->n - (guint32)self->n_tokens - self->n_logits;

  for (gint32 t = 0; t < self->n_tokens; t++)
    add_node (self, TRC_NODE_EMBEDDING, -1, t, 1000 + t);
  for (gint32 layer = 0; layer < self->n_layers; layer++)
    {
      guint32 first = (guint32)((guint64)inner * (guint64)layer / (guint64)self->n_layers);
      guint32 end = (guint32)((guint64)inner * ((guint64)layer + 1) / (guint64)self->n_layers);

      for (guint32 k = 0; k < end - first; k++)
        {
          gint32 position = (gint32)((guint64)k * (guint64)self->n_tokens / (end - first));
          gboolean is_error =
              k == 0
              || position
                     != (gint32)((guint64)(k - 1) * (guint64)self->n_tokens / (end - first));
          if (is_error)
            add_node (self, TRC_NODE_ERROR, layer, position, -1);
          else
            add_node (self, TRC_NODE_FEATURE, layer, position, 100 + k);
        }
      self->layer_end[layer] = trc_graph_builder_n_nodes (self->builder);
    }
  for (guint32 k = 0; k < self->n_logits; k++)
    add_node (self, TRC_NODE_LOGIT, self->n_layers, self->n_tokens - 1, 5000 + k);
}

/* One more link into @t from a node below that does not feed it yet. */
static gboolean
add_link (Maker *self, guint32 t)
{
  gint32 layer = self->layers[t];
  guint32 below =
      layer == 0 ? (guint32)self->n_tokens : self->layer_end[MIN (layer, self->n_layers) - 1];

  for (guint k = 0; k < TRIES; k++)
    {
      guint32 s = (guint32)g_rand_int_range (self->rand, 0, (gint32)below);
      double size = exp (g_rand_double_range (self->rand, -7, 3));

      if (self->positions[s] > self->positions[t] || self->stamp[s] == t + 1)
        continue;
      self->stamp[s] = t + 1;
      trc_graph_builder_add_edge (self->builder, s, t,
                                  g_rand_double (self->rand) < 0.35 ? -size : size);
      return TRUE;
    }
  return FALSE;
}

/* Spreads the links over the targets; what one cannot take, the next ones do. */
static void
add_links (Maker *self, guint64 n_edges)
{
  guint32 first = (guint32)self->n_tokens, done = 0;
  guint32 n_targets = 0;
  g_autofree gboolean *is_target = g_new0 (gboolean, self->n);

  for (guint32 t = first; t < self->n; t++)
    {
      is_target[t] = trc_graph_builder_node (self->builder, t)->kind != TRC_NODE_ERROR;
      n_targets += is_target[t];
    }
  for (guint32 t = first; t < self->n; t++)
    {
      guint64 want = n_targets > done ? n_edges / (n_targets - done) : 0;

      if (!is_target[t])
        continue;
      for (guint64 k = 0; k < want && add_link (self, t); k++)
        n_edges--;
      done++;
    }
}

static void
set_prompt (Maker *self)
{
  g_autoptr (GPtrArray) tokens = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) prompt = g_string_new (NULL);

  for (gint32 t = 0; t < self->n_tokens; t++)
    {
      g_ptr_array_add (tokens, g_strdup_printf (" word%d", t));
      g_string_append_printf (prompt, " word%d", t);
    }
  trc_graph_builder_set_prompt (self->builder, prompt->str, (const char *const *)tokens->pdata,
                                tokens->len);
  trc_graph_builder_set_text (self->builder, "slug", "made");
  trc_graph_builder_set_text (self->builder, "scan", "made");
}

TrcGraph *
trc_graph_make (const TrcGraphMakeParams *params, GError **error)
{
  Maker self = { .n = MAX (params->n_nodes, MIN_NODES),
                 .n_logits = N_LOGITS,
                 .n_layers = params->n_layers > 0 ? params->n_layers : 26 };

  self.n_layers = MIN (self.n_layers, (gint32)(self.n / 2));
  self.n_tokens = params->n_tokens > 0 ? params->n_tokens : (gint32)CLAMP (self.n / 120, 5, 64);
  self.n_tokens = MIN (self.n_tokens, (gint32)(self.n / 4));
  self.positions = g_try_new0 (gint32, self.n);
  self.layers = g_try_new0 (gint32, self.n);
  self.stamp = g_try_new0 (guint32, self.n);
  self.layer_end = g_try_new0 (guint32, self.n_layers);
  TrcGraph *graph = NULL;
  if (self.positions != NULL && self.layers != NULL && self.stamp != NULL
      && self.layer_end != NULL)
    {
      self.builder = trc_graph_builder_new ();
      self.rand = g_rand_new_with_seed (params->seed);
      add_nodes (&self);
      add_links (&self, params->n_edges);
      set_prompt (&self);
      g_rand_free (self.rand);
      graph = trc_graph_builder_finish (self.builder, error);
    }
  else
    g_set_error_literal (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                         "There is no memory for a graph of this size.");
  g_free (self.positions);
  g_free (self.layers);
  g_free (self.stamp);
  g_free (self.layer_end);
  return graph;
}
