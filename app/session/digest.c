#define G_LOG_DOMAIN "tracery-app"

#include "app/digest.h"

#include <string.h>

#include "compute/graph.h"
#include "compute/prune.h"

struct _TrcDigest {
  TrcGraph *graph;
  TrcPruner *pruner;
  double *in_sum;    /* per node: sum of the sizes of its links in */
  double *influence; /* per node: share of the whole */
  double *cumulative;
  gint64 *group_of; /* per node: supernode or -1 */
  TrcGraphScores scores;
  GArray *predictions; /* of TrcPrediction */
};

static void
clear_prediction (gpointer item)
{
  g_free (((TrcPrediction *)item)->label);
}

static void
digest_clear (gpointer data)
{
  TrcDigest *self = data;

  trc_pruner_free (self->pruner);
  g_clear_pointer (&self->graph, trc_graph_unref);
  g_free (self->in_sum);
  g_free (self->influence);
  g_free (self->cumulative);
  g_free (self->group_of);
  g_clear_pointer (&self->predictions, g_array_unref);
}

TrcDigest *
trc_digest_ref (TrcDigest *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_digest_unref (TrcDigest *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, digest_clear);
}

static void
sum_inputs (TrcDigest *self)
{
  guint32 n = trc_graph_n_nodes (self->graph);

  for (guint32 t = 0; t < n; t++)
    {
      gsize n_in;
      const TrcEdge *in = trc_graph_in_edges (self->graph, t, &n_in);

      for (gsize k = 0; k < n_in; k++)
        self->in_sum[t] += fabs (in[k].weight);
    }
}

static void
take_influence (TrcDigest *self, const TrcPruner *pruner)
{
  guint32 n = trc_graph_n_nodes (self->graph);
  const double *influence = trc_pruner_influence (pruner);
  double total = 0;

  for (guint32 i = 0; i < n; i++)
    if (trc_graph_node (self->graph, i)->kind != TRC_NODE_LOGIT)
      total += influence[i];
  for (guint32 i = 0; i < n; i++)
    self->influence[i] = total > 0 ? influence[i] / total : 0;
  memcpy (self->cumulative, trc_pruner_cumulative (pruner), n * sizeof *self->cumulative);
  self->scores = trc_pruner_scores (pruner);
}

static void
take_groups (TrcDigest *self)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);
  guint32 n = trc_graph_n_nodes (self->graph);

  for (guint32 i = 0; i < n; i++)
    self->group_of[i] = -1;
  for (gsize g = 0; g < marks->n_supernodes; g++)
    for (gsize m = 0; m < marks->supernodes[g].n_members; m++)
      self->group_of[marks->supernodes[g].members[m]] = (gint64)g;
}

static int
compare_predictions (gconstpointer a, gconstpointer b)
{
  double pa = ((const TrcPrediction *)a)->probability;
  double pb = ((const TrcPrediction *)b)->probability;

  return (pa < pb) - (pa > pb);
}

/* The name of a logit without the probability that the drawing puts behind it. */
static char *
prediction_label (const TrcDigest *self, guint32 node)
{
  char *label = trc_present_node_label (self->graph, node);
  char *space = strrchr (label, ' ');

  if (space != NULL && isfinite (trc_graph_node (self->graph, node)->token_prob))
    *space = '\0';
  return label;
}

static void
take_predictions (TrcDigest *self)
{
  self->predictions = g_array_new (FALSE, FALSE, sizeof (TrcPrediction));
  g_array_set_clear_func (self->predictions, clear_prediction);
  for (guint32 i = 0; i < trc_graph_n_nodes (self->graph); i++)
    {
      const TrcNode *node = trc_graph_node (self->graph, i);
      TrcPrediction item = { .node = i,
                             .probability = isnan (node->token_prob) ? 0 : node->token_prob,
                             .is_target = (node->flags & TRC_NODE_IS_TARGET) != 0 };

      if (node->kind != TRC_NODE_LOGIT)
        continue;
      item.label = prediction_label (self, i);
      g_array_append_val (self->predictions, item);
    }
  g_array_sort (self->predictions, compare_predictions);
}

TrcDigest *
trc_digest_new (TrcGraph *graph, const TrcProgress *progress, GError **error)
{
  g_autoptr (TrcDigest) self = g_atomic_rc_box_new0 (TrcDigest);
  guint32 n = trc_graph_n_nodes (graph);
  gsize room = MAX (n, 1u);

  self->graph = trc_graph_ref (graph);
  self->in_sum = g_new0 (double, room);
  self->influence = g_new0 (double, room);
  self->cumulative = g_new0 (double, room);
  self->group_of = g_new0 (gint64, room);
  self->pruner = trc_pruner_new (graph, progress, error);
  if (self->pruner == NULL)
    return NULL;
  sum_inputs (self);
  take_influence (self, self->pruner);
  take_groups (self);
  take_predictions (self);
  return g_steal_pointer (&self);
}

TrcGraph *
trc_digest_graph (const TrcDigest *self)
{
  return self->graph;
}

TrcPruner *
trc_digest_pruner (const TrcDigest *self)
{
  return self->pruner;
}

void
trc_digest_size (const TrcDigest *self, guint *n_nodes, guint64 *n_links)
{
  *n_nodes = trc_graph_n_nodes (self->graph);
  *n_links = trc_graph_n_edges (self->graph);
}

void
trc_digest_scores (const TrcDigest *self, double *replacement, double *completeness)
{
  *replacement = self->scores.replacement;
  *completeness = self->scores.completeness;
}

const char *
trc_digest_prompt (const TrcDigest *self)
{
  return trc_graph_prompt (self->graph);
}

const char *
trc_digest_model (const TrcDigest *self)
{
  const char *model = trc_graph_text (self->graph, "scan");

  if (model == NULL || model[0] == '\0')
    model = trc_graph_text (self->graph, "model");
  return model != NULL ? model : "";
}

const char *
trc_digest_estimator (const TrcDigest *self)
{
  return trc_graph_text (self->graph, "tracery.estimator");
}

static double
agreement (const TrcDigest *self, const char *rule, const char *figure)
{
  g_autofree char *key = g_strdup_printf ("tracery.agreement.%s.%s", rule, figure);

  return trc_graph_number (self->graph, key);
}

double
trc_digest_trust (const TrcDigest *self, double *low, double *high)
{
  const char *rule = trc_digest_estimator (self);

  *low = *high = NAN;
  if (rule == NULL)
    return NAN;
  *low = agreement (self, rule, "pearson_low");
  *high = agreement (self, rule, "pearson_high");
  return agreement (self, rule, "pearson");
}

const char *const *
trc_digest_warnings (const TrcDigest *self)
{
  return trc_graph_warnings (self->graph);
}

const GArray *
trc_digest_predictions (const TrcDigest *self)
{
  return self->predictions;
}

guint
trc_digest_n_tokens (const TrcDigest *self)
{
  return (guint)MAX (trc_graph_n_positions (self->graph), 0);
}

const char *
trc_digest_token (const TrcDigest *self, guint position)
{
  const char *text = trc_graph_token (self->graph, (gint32)position);

  return text != NULL ? text : "";
}

double
trc_digest_influence (const TrcDigest *self, guint32 node)
{
  return node < trc_graph_n_nodes (self->graph) ? self->influence[node] : NAN;
}

gint64
trc_digest_group_of (const TrcDigest *self, guint32 node)
{
  return node < trc_graph_n_nodes (self->graph) ? self->group_of[node] : -1;
}

/* ---- facts ---- */

static void
clear_link (gpointer item)
{
  g_free (((TrcLinkFact *)item)->label);
}

static int
compare_links (gconstpointer a, gconstpointer b)
{
  const TrcLinkFact *la = a, *lb = b;
  double sa = fabs (la->share), sb = fabs (lb->share);

  if (sa != sb)
    return sa < sb ? 1 : -1;
  return (la->ref.id > lb->ref.id) - (la->ref.id < lb->ref.id);
}

/* What a link end is called: the node, or the supernode it lies in. */
static TrcRef
ref_of (const TrcDigest *self, guint32 node, gboolean by_group)
{
  if (by_group && self->group_of[node] >= 0)
    return (TrcRef){ TRC_REF_GROUP, (guint64)self->group_of[node] };
  return (TrcRef){ TRC_REF_NODE, node };
}

static char *
ref_label (const TrcDigest *self, TrcRef ref)
{
  if (ref.kind == TRC_REF_GROUP)
    return g_strdup (trc_graph_marks (self->graph)->supernodes[ref.id].label);
  return trc_present_node_label (self->graph, (guint32)ref.id);
}

/* Sums of the links by the ref at their far end. */
typedef struct {
  const TrcDigest *digest;
  gboolean by_group;
  GHashTable *sums; /* packed ref -> TrcLinkFact */
} Tally;

static void
tally_add (Tally *self, guint32 node, double share, double weight)
{
  TrcRef ref = ref_of (self->digest, node, self->by_group);
  gint64 key = (gint64)(ref.id << 2 | (guint64)ref.kind);
  TrcLinkFact *fact = g_hash_table_lookup (self->sums, &key);

  if (fact == NULL)
    {
      gint64 *stored = g_new (gint64, 1);

      *stored = key;
      fact = g_new0 (TrcLinkFact, 1);
      fact->ref = ref;
      g_hash_table_insert (self->sums, stored, fact);
    }
  fact->share += share;
  fact->weight += weight;
}

/* The strongest @n of the tally as an array; frees the table. */
static GArray *
tally_end (Tally *self, guint n, guint *n_all)
{
  GArray *links = g_array_new (FALSE, FALSE, sizeof (TrcLinkFact));
  GHashTableIter iter;
  gpointer fact;

  g_array_set_clear_func (links, clear_link);
  g_hash_table_iter_init (&iter, self->sums);
  while (g_hash_table_iter_next (&iter, NULL, &fact))
    if (((TrcLinkFact *)fact)->weight != 0)
      g_array_append_vals (links, fact, 1);
  g_array_sort (links, compare_links);
  *n_all = links->len;
  if (links->len > n)
    g_array_set_size (links, n);
  for (guint i = 0; i < links->len; i++)
    {
      TrcLinkFact *link = &g_array_index (links, TrcLinkFact, i);

      link->label = ref_label (self->digest, link->ref);
    }
  g_hash_table_unref (self->sums);
  return links;
}

static Tally
tally_begin (const TrcDigest *digest, gboolean by_group)
{
  return (Tally){ digest, by_group,
                  g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free) };
}

/* Whether @node is one of the things whose links are told. */
static gboolean
is_member (const TrcDigest *self, TrcRef ref, guint32 node)
{
  return ref.kind == TRC_REF_GROUP ? self->group_of[node] == (gint64)ref.id : ref.id == node;
}

static void
gather_inputs (const TrcDigest *self, TrcFacts *facts, const guint32 *members, gsize n,
               gboolean by_group, guint n_links)
{
  Tally tally = tally_begin (self, by_group);
  double outside = 0;

  for (gsize m = 0; m < n; m++)
    {
      gsize n_in;
      const TrcEdge *in = trc_graph_in_edges (self->graph, members[m], &n_in);

      for (gsize k = 0; k < n_in; k++)
        if (!is_member (self, facts->ref, in[k].source))
          {
            outside += fabs (in[k].weight);
            tally_add (&tally, in[k].source, in[k].weight, in[k].weight);
          }
    }
  facts->inputs = tally_end (&tally, n_links, &facts->n_inputs);
  for (guint i = 0; i < facts->inputs->len && outside > 0; i++)
    g_array_index (facts->inputs, TrcLinkFact, i).share /= outside;
}

static void
gather_outputs (const TrcDigest *self, TrcFacts *facts, const guint32 *members, gsize n,
                gboolean by_group, guint n_links)
{
  Tally tally = tally_begin (self, by_group);

  for (gsize m = 0; m < n; m++)
    {
      gsize n_out;
      const TrcOutEdge *out = trc_graph_out_edges (self->graph, members[m], &n_out);

      for (gsize k = 0; k < n_out; k++)
        {
          double weight = trc_graph_out_edge (self->graph, &out[k])->weight;
          double sum = self->in_sum[out[k].target];

          if (!is_member (self, facts->ref, out[k].target) && sum > 0)
            tally_add (&tally, out[k].target, weight / sum, weight);
        }
    }
  facts->outputs = tally_end (&tally, n_links, &facts->n_outputs);
}

/* Activation by token: of the thing itself at every position where it is a node. */
static void
gather_fires (const TrcDigest *self, TrcFacts *facts, const guint32 *members, gsize n)
{
  facts->n_tokens = trc_digest_n_tokens (self);
  facts->tokens = g_new0 (char *, (gsize)facts->n_tokens + 1);
  facts->fires = g_new (double, MAX (facts->n_tokens, 1u));
  for (guint t = 0; t < facts->n_tokens; t++)
    {
      facts->tokens[t] = g_strdup (trc_digest_token (self, t));
      facts->fires[t] = NAN;
    }
  for (gsize m = 0; m < n; m++)
    {
      const TrcNode *one = trc_graph_node (self->graph, members[m]);

      for (guint32 i = 0; i < trc_graph_n_nodes (self->graph); i++)
        {
          const TrcNode *node = trc_graph_node (self->graph, i);

          if (node->kind != one->kind || node->layer != one->layer || node->index != one->index
              || node->position < 0 || (guint)node->position >= facts->n_tokens
              || isnan (node->activation) || (n > 1 && i != members[m]))
            continue;
          facts->fires[node->position] =
              isnan (facts->fires[node->position])
                  ? node->activation
                  : MAX (facts->fires[node->position], node->activation);
        }
    }
}

static void
node_facts (const TrcDigest *self, TrcFacts *facts)
{
  guint32 i = (guint32)facts->ref.id;
  const TrcNode *node = trc_graph_node (self->graph, i);

  facts->title = trc_present_node_label (self->graph, i);
  facts->kind_line = trc_present_node_facts (self->graph, i);
  facts->n_members = 1;
  facts->activation = node->activation;
  facts->influence = self->influence[i];
  facts->cumulative = self->cumulative[i];
  facts->score = node->score;
  facts->probability = node->kind == TRC_NODE_LOGIT ? node->token_prob : NAN;
}

static void
group_facts (const TrcDigest *self, TrcFacts *facts, const guint32 *members, gsize n)
{
  gint32 low = G_MAXINT32, high = -1;

  facts->title = ref_label (self, facts->ref);
  facts->n_members = (guint)n;
  facts->activation = facts->cumulative = facts->score = facts->probability = NAN;
  for (gsize m = 0; m < n; m++)
    {
      gint32 layer = trc_graph_node (self->graph, members[m])->layer;

      low = MIN (low, layer);
      high = MAX (high, layer);
      facts->influence += self->influence[members[m]];
    }
  facts->kind_line =
      low == high ? g_strdup_printf ("block · %u nodes · layer %d", (guint)n, low)
                  : g_strdup_printf ("block · %u nodes · layers %d–%d", (guint)n, low, high);
}

gboolean
trc_digest_resolve (const TrcDigest *self, TrcRef *ref)
{
  if (ref->kind == TRC_REF_GROUP)
    return ref->id < trc_graph_marks (self->graph)->n_supernodes;
  if (ref->kind == TRC_REF_NODE)
    return ref->id < trc_graph_n_nodes (self->graph);
  for (guint32 i = 0; i < trc_graph_n_nodes (self->graph); i++)
    {
      const TrcNode *node = trc_graph_node (self->graph, i);

      if (node->kind == TRC_NODE_EMBEDDING && (guint64)node->position == ref->id)
        {
          *ref = (TrcRef){ TRC_REF_NODE, i };
          return TRUE;
        }
    }
  return FALSE;
}

TrcFacts *
trc_digest_facts (const TrcDigest *self, TrcRef ref, gboolean by_group, guint n_links)
{
  TrcFacts *facts;
  guint32 single;
  const guint32 *members = &single;
  gsize n = 1;

  g_return_val_if_fail (self != NULL, NULL);
  if (!trc_digest_resolve (self, &ref))
    return NULL;
  facts = g_new0 (TrcFacts, 1);
  facts->ref = ref;
  if (ref.kind == TRC_REF_GROUP)
    {
      const TrcSupernode *group = &trc_graph_marks (self->graph)->supernodes[ref.id];

      members = group->members;
      n = group->n_members;
      group_facts (self, facts, members, n);
    }
  else
    {
      single = (guint32)ref.id;
      node_facts (self, facts);
    }
  gather_inputs (self, facts, members, n, by_group, n_links);
  gather_outputs (self, facts, members, n, by_group, n_links);
  gather_fires (self, facts, members, n);
  return facts;
}

void
trc_facts_free (TrcFacts *self)
{
  if (self == NULL)
    return;
  g_free (self->title);
  g_free (self->kind_line);
  g_clear_pointer (&self->inputs, g_array_unref);
  g_clear_pointer (&self->outputs, g_array_unref);
  g_strfreev (self->tokens);
  g_free (self->fires);
  g_free (self);
}

char *
trc_count_text (guint64 n)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, n);
  gsize len = strlen (digits);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < len; i++)
    {
      if (i > 0 && (len - i) % 3 == 0)
        g_string_append_c (text, ',');
      g_string_append_c (text, digits[i]);
    }
  return g_string_free (text, FALSE);
}

/* ---- search ---- */

static gboolean
matches_all (const char *haystack, char **words)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (words[i][0] != '\0' && strstr (haystack, words[i]) == NULL)
      return FALSE;
  return TRUE;
}

typedef struct {
  guint32 node;
  double influence;
} Hit;

static int
compare_hits (gconstpointer a, gconstpointer b)
{
  const Hit *ha = a, *hb = b;

  if (ha->influence != hb->influence)
    return ha->influence < hb->influence ? 1 : -1;
  return (ha->node > hb->node) - (ha->node < hb->node);
}

GArray *
trc_digest_search (const TrcDigest *self, const char *query)
{
  g_autofree char *folded = g_utf8_casefold (query, -1);
  g_auto (GStrv) words = g_strsplit_set (folded, " \t", -1);
  g_autoptr (GArray) hits = g_array_new (FALSE, FALSE, sizeof (Hit));
  GArray *nodes = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint32 i = 0; i < trc_graph_n_nodes (self->graph); i++)
    {
      g_autofree char *label = trc_present_node_label (self->graph, i);
      g_autofree char *facts = trc_present_node_facts (self->graph, i);
      g_autofree char *text =
          g_strjoin ("\n", label, facts, trc_graph_node (self->graph, i)->id, NULL);
      g_autofree char *haystack = g_utf8_casefold (text, -1);
      Hit hit = { i, self->influence[i] };

      if (matches_all (haystack, words))
        g_array_append_val (hits, hit);
    }
  g_array_sort (hits, compare_hits);
  for (guint i = 0; i < hits->len; i++)
    g_array_append_val (nodes, g_array_index (hits, Hit, i).node);
  return nodes;
}
