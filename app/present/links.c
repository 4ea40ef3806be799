#include "app/present/present_private.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_CURVES 24
#define MOST_CURVES 200
#define ERROR_DISCOUNT 0.1 /* what no feature explains is not what a reader looks for */

static int
by_ends (gconstpointer pa, gconstpointer pb)
{
  const TrcLink *a = pa, *b = pb;

  if (a->from != b->from)
    return a->from < b->from ? -1 : 1;
  return (a->to > b->to) - (a->to < b->to);
}

static int
by_score (gconstpointer pa, gconstpointer pb)
{
  const TrcLink *a = pa, *b = pb;

  if (a->score != b->score)
    return a->score < b->score ? -1 : 1;
  return by_ends (pa, pb);
}

static void
add_links_into (TrcPlan *self, guint32 target)
{
  const TrcGraph *graph = self->graph;
  guint64 first = trc_graph_offsets (graph)[target];
  gint32 to = self->item_of[target];
  double total = 0;
  gsize n;
  const TrcEdge *in = trc_graph_in_edges (graph, target, &n);

  if (to < 0)
    return;
  for (gsize k = 0; k < n; k++)
    total += fabs (in[k].weight);
  for (gsize k = 0; k < n; k++)
    {
      gint32 from = self->item_of[in[k].source];
      if (from < 0 || from == to || in[k].weight == 0 || !self->kept->edges[first + k])
        continue;
      double part = self->mass_of[target] * in[k].weight / MAX (1e-10, total);
      TrcLink link = { (guint32)from, (guint32)to, fabs (part), part, 0, 0, FALSE };
      g_array_append_val (self->links, link);
      self->edges_shown++;
    }
}

/* Edges between the same two items become one: its score is the sum, its sign
 * that of the signed sum. */
static void
merge (GArray *links)
{
  TrcLink *link = (TrcLink *)links->data;
  guint n = 0;

  if (links->len == 0)
    return;
  qsort (link, links->len, sizeof (TrcLink), by_ends);
  for (guint i = 1; i < links->len; i++)
    if (link[i].from == link[n].from && link[i].to == link[n].to)
      {
        link[n].score += link[i].score;
        link[n].signed_score += link[i].signed_score;
      }
    else
      link[++n] = link[i];
  g_array_set_size (links, n + 1);
}

/* The strongest links between items in the foreground, as many as a reader can
 * follow; ranks run over the chosen and over the rest by themselves. */
static void
choose_strong (TrcPlan *self)
{
  const TrcItem *item = (const TrcItem *)self->items->data;
  guint n = self->links->len, front = 0, strong = 0, most = self->view->max_curves;

  for (guint i = 0; i < self->items->len; i++)
    front += item[i].kind != TRC_ITEM_HEADER && !item[i].background;
  if (most == 0)
    most = CLAMP (12 + front * 7 / 10, LEAST_CURVES, MOST_CURVES);
  for (guint i = n; i-- > 0 && strong < most;)
    {
      TrcLink *link = &g_array_index (self->links, TrcLink, i);
      link->strong =
          !item[link->from].background && !item[link->to].background && link->score > 0;
      strong += link->strong;
    }
  for (guint i = 0, s = 0, w = 0; i < n; i++)
    {
      TrcLink *link = &g_array_index (self->links, TrcLink, i);
      link->rank = link->strong ? (++s) / (double)strong : (++w) / (double)(n - strong);
    }
}

static gboolean
is_error (const TrcItem *item)
{
  return item->shape == TRC_BOX_DIAMOND;
}

void
trc_plan_links (TrcPlan *self)
{
  const TrcItem *item;

  for (guint32 t = 0; t < self->n_nodes; t++)
    add_links_into (self, t);
  merge (self->links);

  item = (const TrcItem *)self->items->data;
  for (guint i = 0; i < self->links->len; i++)
    {
      TrcLink *link = &g_array_index (self->links, TrcLink, i);
      double mass = item[link->to].mass;
      /* what a card nets out to, not what flows back and forth inside the sum */
      link->share = mass > 0 ? fabs (link->signed_score) / mass : 0;
      link->score =
          fabs (link->signed_score)
          * (is_error (&item[link->from]) || is_error (&item[link->to]) ? ERROR_DISCOUNT : 1);
    }
  if (self->links->len > 1)
    qsort (self->links->data, self->links->len, sizeof (TrcLink), by_score);
  choose_strong (self);
}
