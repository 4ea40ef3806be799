/* What can only be done once the whole file has been read. */

#include "compute/graph/graph_reader.h"

#include "compute/error.h"
#include "compute/graph/json_text.h"
#include "compute/graph/node_names.h"

#include <string.h>

#define NO_NODE G_MAXUINT32

/* Which nodes an id names: mostly one, in some files two. */
typedef struct {
  guint32 *first; /* by symbol; NO_NODE = none */
  guint32 *next;  /* by node: the next node of the same id */
  guint32 n_shared;
  guint32 example; /* a node whose id another one has */
} Names;

static void
names_clear (Names *names)
{
  g_free (names->first);
  g_free (names->next);
}

static gboolean
names_init (Names *names, TrcGraphReader *self)
{
  TrcGraphBuilder *b = self->builder;
  g_autofree guint32 *symbols = g_try_new (guint32, b->n_nodes + 1);
  gsize n;

  *names = (Names){ .next = g_try_new (guint32, b->n_nodes + 1) };
  if (symbols == NULL || names->next == NULL)
    return FALSE;
  for (gsize i = 0; i < b->n_nodes; i++)
    {
      symbols[i] = trc_symbols_add (self->symbols, b->nodes[i].id, strlen (b->nodes[i].id));
      if (symbols[i] == TRC_NO_SYMBOL)
        return FALSE;
    }
  n = trc_symbols_count (self->symbols);
  names->first = g_try_new (guint32, n + 1);
  if (names->first == NULL)
    return FALSE;
  memset (names->first, 0xff, n * sizeof names->first[0]);
  /* From the back, so that chains run in file order. */
  for (gsize i = b->n_nodes; i-- > 0;)
    {
      names->next[i] = names->first[symbols[i]];
      names->first[symbols[i]] = (guint32)i;
      if (names->next[i] != NO_NODE)
        {
          names->n_shared++;
          names->example = (guint32)i;
        }
    }
  return TRUE;
}

static gboolean
is_shared (const Names *names, guint32 symbol)
{
  return names->next[names->first[symbol]] != NO_NODE;
}

/* Embeddings and errors have no inputs, so a target is something else. */
static guint32
pick_target (const Names *names, const TrcNode *nodes, guint32 symbol)
{
  for (guint32 c = names->first[symbol]; c != NO_NODE; c = names->next[c])
    if (nodes[c].kind != TRC_NODE_EMBEDDING && nodes[c].kind != TRC_NODE_ERROR)
      return c;
  return names->first[symbol];
}

/* The node before or after link @e's source in a target's row, if that is certain. */
static guint32
neighbour (const Names *names, const TrcGraphBuilder *b, gsize e, int step,
           const guint32 *symbols)
{
  gsize other = e + (gsize)step;

  if ((step < 0 && e == 0) || other >= b->n_edges || b->targets[other] != b->targets[e]
      || is_shared (names, symbols[other]))
    return NO_NODE;
  return names->first[symbols[other]];
}

/* Writers go through a target's sources in the order of the nodes, so a link
 * stands between its neighbours; if that does not tell, links run upwards. */
static guint32
pick_source (const Names *names, const TrcGraphBuilder *b, gsize e, const guint32 *symbols)
{
  guint32 before = neighbour (names, b, e, -1, symbols);
  guint32 after = neighbour (names, b, e, 1, symbols);
  guint32 fits = NO_NODE, forward = NO_NODE;
  guint n_fits = 0;

  for (guint32 c = names->first[symbols[e]]; c != NO_NODE; c = names->next[c])
    {
      if ((before != NO_NODE || after != NO_NODE) && (before == NO_NODE || before < c)
          && (after == NO_NODE || c < after))
        {
          fits = c;
          n_fits++;
        }
      if (forward == NO_NODE && b->nodes[c].layer < b->nodes[b->targets[e]].layer)
        forward = c;
    }
  if (n_fits == 1)
    return fits;
  return forward != NO_NODE ? forward : names->first[symbols[e]];
}

static gboolean
check_names (TrcGraphReader *self, const Names *names, const char *name, GError **error)
{
  const TrcGraphBuilder *b = self->builder;

  for (gsize e = 0; e < b->n_edges; e++)
    {
      gboolean source_missing = names->first[b->edges[e].source] == NO_NODE;

      if (!source_missing && names->first[b->targets[e]] != NO_NODE)
        continue;
      g_autofree char *id = trc_json_dup_short (trc_symbols_text (
          self->symbols, source_missing ? b->edges[e].source : b->targets[e]));
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "%s: the %s of link %" G_GSIZE_FORMAT " is \"%s\", but no node has "
                   "that id.",
                   name, source_missing ? "source" : "target", e, id);
      return FALSE;
    }
  return TRUE;
}

/* From symbols to nodes. */
static gboolean
settle_links (TrcGraphReader *self, const Names *names)
{
  TrcGraphBuilder *b = self->builder;
  g_autofree guint32 *symbols = NULL;

  if (names->n_shared == 0)
    {
      for (gsize e = 0; e < b->n_edges; e++)
        {
          b->edges[e].source = names->first[b->edges[e].source];
          b->targets[e] = names->first[b->targets[e]];
        }
      return TRUE;
    }
  symbols = g_try_new (guint32, b->n_edges + 1);
  if (symbols == NULL)
    return FALSE;
  for (gsize e = 0; e < b->n_edges; e++)
    {
      symbols[e] = b->edges[e].source;
      b->targets[e] = pick_target (names, b->nodes, b->targets[e]);
    }
  for (gsize e = 0; e < b->n_edges; e++)
    b->edges[e].source = is_shared (names, symbols[e]) ? pick_source (names, b, e, symbols)
                                                       : names->first[symbols[e]];
  return TRUE;
}

/* ---- nodes ---- */

/* The feature's own number: in the id, paired with the layer, or plain. */
static gint64
feature_index (const TrcNode *node, gboolean paired)
{
  gint64 middle = trc_id_middle_number (node->id), layer, feature;
  gint64 raw = node->raw_feature;

  if (middle >= 0)
    return middle;
  if (paired && trc_unpair_feature (raw, &layer, &feature) && layer == node->layer)
    return feature;
  /* Old gemma files put the layer before five digits. */
  if (!paired && node->layer > 0 && raw >= 100000 && raw / 100000 == node->layer)
    return raw % 100000;
  return raw;
}

static void
settle_nodes (TrcGraphReader *self)
{
  TrcGraphBuilder *b = self->builder;
  const char *schema = trc_members_get (b->metadata, "schema_version");
  gboolean paired = schema != NULL && g_ascii_strtod (schema, NULL) >= 1;

  for (gsize i = 0; i < b->n_nodes; i++)
    {
      TrcNode *node = &b->nodes[i];
      gint64 middle = b->dialect == TRC_GRAPH_COMMON ? trc_id_middle_number (node->id) : -1;

      switch (node->kind)
        {
        case TRC_NODE_FEATURE:
          node->index = feature_index (node, paired);
          break;
        case TRC_NODE_EMBEDDING:
          node->layer = -1;
          node->index = middle;
          break;
        case TRC_NODE_LOGIT:
          node->index = middle >= 0 ? middle : node->raw_feature;
          if (isnan (node->token_prob))
            node->token_prob = trc_label_probability (node->label);
          break;
        case TRC_NODE_HEAD:
        case TRC_NODE_NEURON:
          if (b->dialect == TRC_GRAPH_COMMON)
            node->index = node->raw_feature;
          break;
        default:
          break;
        }
    }
}

/* ---- what is odd ---- */

typedef struct {
  guint64 zero, self_links, backward, twice;
} Oddities;

static gboolean
runs_backward (const TrcNode *source, const TrcNode *target)
{
  if (source->kind == TRC_NODE_EMBEDDING || target->kind == TRC_NODE_LOGIT)
    return source->position > target->position && target->kind != TRC_NODE_LOGIT;
  return source->layer > target->layer || source->position > target->position
         || source->kind == TRC_NODE_LOGIT || target->kind == TRC_NODE_EMBEDDING;
}

/* Links of one target mostly follow each other, so one stamp a source finds doubles. */
static void
count_oddities (const TrcGraphBuilder *b, Oddities *odd)
{
  g_autofree guint64 *stamp = g_try_new0 (guint64, b->n_nodes + 1);

  for (gsize e = 0; e < b->n_edges; e++)
    {
      const TrcEdge *edge = &b->edges[e];
      guint64 mark = (guint64)edge->reader << 32 | (b->targets[e] + 1u);

      odd->zero += edge->weight == 0;
      odd->self_links += edge->source == b->targets[e];
      if (b->dialect == TRC_GRAPH_COMMON && edge->source != b->targets[e])
        odd->backward += runs_backward (&b->nodes[edge->source], &b->nodes[b->targets[e]]);
      if (stamp != NULL)
        {
          odd->twice += stamp[edge->source] == mark;
          stamp[edge->source] = mark;
        }
    }
}

static void
warn_count (TrcGraphBuilder *b, guint64 n, const char *what)
{
  if (n > 0)
    trc_graph_builder_warn (b, "%" G_GUINT64_FORMAT " %s.", n, what);
}

static gboolean
has_influence (const TrcGraphBuilder *b)
{
  for (gsize i = 0; i < b->n_nodes; i++)
    if (isfinite (b->nodes[i].influence) && b->nodes[i].influence != 0)
      return TRUE;
  return FALSE;
}

static void
note_oddities (TrcGraphReader *self, const Names *names)
{
  TrcGraphBuilder *b = self->builder;
  Oddities odd = { 0 };
  g_autofree char *example =
      trc_json_dup_short (names->n_shared > 0 ? b->nodes[names->example].id : "");

  count_oddities (b, &odd);
  if (names->n_shared > 0)
    trc_graph_builder_warn (b,
                            "Ids that another node has too: %u, for example \"%s\"; the "
                            "links of these nodes were told apart by their order.",
                            names->n_shared, example);
  warn_count (b, odd.zero, "of the links have weight 0");
  warn_count (b, odd.self_links, "of the links run from a node to itself");
  warn_count (b, odd.backward, "of the links run to a lower layer or an earlier token");
  warn_count (b, odd.twice, "of the links have the same ends as the link before them");
  warn_count (b, self->n_untyped, "of the nodes have no \"feature_type\"");
  warn_count (b, self->n_unplaced, "of the nodes have no \"ctx_idx\"");
  if (has_influence (b) && !trc_influence_is_cumulative (b->nodes, b->n_nodes))
    trc_graph_builder_warn (b, "\"influence\" holds plain scores instead of cumulative shares, "
                               "so pruning computes its own.");
  if (trc_members_get (b->metadata, "schema_version") == NULL && b->dialect == TRC_GRAPH_COMMON)
    trc_graph_builder_warn (b, "The file has no \"schema_version\", so feature numbers were "
                               "taken as plain numbers.");
}

/* Smaller dialects have no metadata and say what the prompt was beside the nodes. */
static void
settle_prompt (TrcGraphReader *self)
{
  static const char *const names[][2] = { { "prompt", "prompt" },
                                          { "prompt_tokens", "prompt_tokens" },
                                          { "prompt_tokens", "token_strings" } };
  TrcGraphBuilder *b = self->builder;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *json = trc_members_get (b->others, names[i][1]);

      if (json != NULL && trc_members_get (b->metadata, names[i][0]) == NULL)
        trc_members_set (b->metadata, b->strings, names[i][0], json);
    }
}

gboolean
trc_graph_reader_settle (TrcGraphReader *self, const char *name, GError **error)
{
  Names names;
  gboolean ok = names_init (&names, self);

  if (!ok)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                 "There is no memory for the ids of %s.", name);
  else if ((ok = check_names (self, &names, name, error)))
    {
      settle_nodes (self);
      if (self->builder->dialect == TRC_GRAPH_COMMON)
        settle_prompt (self);
      ok = settle_links (self, &names);
      if (!ok)
        g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY,
                     "There is no memory for the links of %s.", name);
      else
        note_oddities (self, &names);
    }
  names_clear (&names);
  return ok;
}
