#include "compute/attribution/tracer.h"

#include <math.h>

static double
length (const float *x, guint n)
{
  double sum = 0;
  for (guint i = 0; i < n; i++)
    sum += (double)x[i] * x[i];
  return sqrt (sum);
}

static void
add_embeddings (const TrcTracer *t, TrcGraphBuilder *b, const double *scores)
{
  for (guint p = 0; p < t->n_tokens; p++)
    {
      TrcNode node = TRC_NODE_INIT;
      node.kind = TRC_NODE_EMBEDDING;
      node.position = p;
      node.index = t->ids[p];
      node.score = scores[p];
      node.label = trc_model_token_text (t->model, t->ids[p]);
      trc_graph_builder_add_node (b, &node);
    }
}

static void
add_unit (const TrcTracer *t, TrcGraphBuilder *b, TrcPlace at, double score)
{
  const TrcModelConfig *c = t->config;
  gboolean is_head = at.kind == TRC_KIND_HEAD;
  TrcNode node = TRC_NODE_INIT;
  g_autofree char *label =
      g_strdup_printf (is_head ? "L%u H%u" : "L%u n%u", at.layer, at.index);

  node.kind = is_head ? TRC_NODE_HEAD : TRC_NODE_NEURON;
  node.layer = at.layer;
  node.position = at.position;
  node.index = at.index;
  node.score = score;
  node.label = label;
  node.activation =
      is_head ? length (t->clean->z[at.layer]
                            + ((gsize)at.position * c->n_heads + at.index) * c->d_head,
                        c->d_head)
              : t->clean->act[at.layer][(gsize)at.position * c->d_mlp + at.index];
  trc_graph_builder_add_node (b, &node);
}

static void
add_rest (TrcGraphBuilder *b, guint layer, guint position)
{
  TrcNode node = TRC_NODE_INIT;
  g_autofree char *label = g_strdup_printf ("L%u rest", layer);

  node.kind = TRC_NODE_ERROR;
  node.layer = layer;
  node.position = position;
  node.label = label;
  trc_graph_builder_add_node (b, &node);
}

/* The order in which trc_chosen_new() numbered the nodes. */
static void
add_layer (const TrcTracer *t, const TrcChosen *chosen, TrcGraphBuilder *b, guint l,
           const double *scores)
{
  const TrcModelConfig *c = t->config;
  gsize n_heads = (gsize)t->n_tokens * c->n_heads, n_neurons = (gsize)t->n_tokens * c->d_mlp;

  for (gsize i = 0; i < n_heads; i++)
    if (chosen->head[l][i] >= 0)
      add_unit (t, b, (TrcPlace){ TRC_KIND_HEAD, l, i % c->n_heads, i / c->n_heads },
                scores[chosen->head[l][i]]);
  for (gsize i = 0; i < n_neurons; i++)
    if (chosen->neuron[l][i] >= 0)
      add_unit (t, b, (TrcPlace){ TRC_KIND_NEURON, l, i % c->d_mlp, i / c->d_mlp },
                scores[chosen->neuron[l][i]]);
  for (guint p = 0; p < t->n_tokens; p++)
    if (chosen->rest[(gsize)l * t->n_tokens + p] >= 0)
      add_rest (b, l, p);
}

static void
add_logits (const TrcTracer *t, TrcGraphBuilder *b)
{
  for (guint j = 0; j < t->n_logits; j++)
    {
      TrcNode node = TRC_NODE_INIT;
      const char *token = trc_model_token_text (t->model, t->logit_token[j]);
      g_autofree char *label =
          t->is_direction ? g_strdup_printf ("%s − %s", token,
                                             trc_model_token_text (t->model, t->params->foil))
                          : g_strdup (token);
      node.kind = TRC_NODE_LOGIT;
      node.layer = t->config->n_layers;
      node.position = t->n_tokens - 1;
      node.index = t->logit_token[j];
      node.token_prob = t->logit_prob[j];
      node.flags = j == 0 ? TRC_NODE_IS_TARGET : 0;
      node.label = label;
      trc_graph_builder_add_node (b, &node);
    }
}

static void
set_prompt (const TrcTracer *t, TrcGraphBuilder *b)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree const char **tokens = g_new0 (const char *, t->n_tokens + 1);

  for (guint p = 0; p < t->n_tokens; p++)
    {
      tokens[p] = trc_model_token_text (t->model, t->ids[p]);
      g_string_append_printf (text, "%s%s", p > 0 ? " " : "", tokens[p]);
    }
  trc_graph_builder_set_prompt (b, t->params->prompt != NULL ? t->params->prompt : text->str,
                                tokens, t->n_tokens);
}

TrcGraph *
trc_assemble (TrcTracer *tracer, const TrcChosen *chosen, const double *scores,
              TrcTarget *targets, guint n_targets, GError **error)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();

  set_prompt (tracer, b);
  add_embeddings (tracer, b, scores);
  for (guint l = 0; l < tracer->config->n_layers; l++)
    add_layer (tracer, chosen, b, l, scores);
  add_logits (tracer, b);
  for (guint k = 0; k < n_targets; k++)
    for (guint i = 0; i < targets[k].links->len; i++)
      {
        const TrcLink *link = &g_array_index (targets[k].links, TrcLink, i);
        trc_graph_builder_add_edge (b, link->source, targets[k].node, link->weight);
      }
  trc_graph_builder_set_text (b, "scan", trc_model_name (tracer->model));
  trc_graph_builder_set_text (b, "slug", trc_model_name (tracer->model));
  return trc_graph_builder_finish (b, error);
}
