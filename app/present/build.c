#include "app/present/present_private.h"

#include <math.h>
#include <string.h>

#define WIDE_PT 6.5 /* a full share between large boxes */
#define THIN_PT 3.0 /* between small shapes */

static gboolean
is_large (const TrcItem *item)
{
  return item->shape >= TRC_BOX_CHIP;
}

/* Tokens from which a drawn edge starts are in the circuit, the others are faint. */
static void
mark_tokens (TrcPlan *self)
{
  TrcItem *item = (TrcItem *)self->items->data;

  for (guint i = 0; i < self->items->len; i++)
    if (item[i].shape == TRC_BOX_CHIP)
      item[i].style = TRC_STYLE_FAINT;
  for (guint i = 0; i < self->links->len; i++)
    {
      const TrcLink *link = &g_array_index (self->links, TrcLink, i);
      if (link->strong && item[link->from].shape == TRC_BOX_CHIP)
        item[link->from].style = TRC_STYLE_STRONG;
    }
}

static void
mark_pins (TrcPlan *self)
{
  const TrcGraphMarks *marks = trc_graph_marks (self->graph);
  TrcItem *item = (TrcItem *)self->items->data;

  for (gsize k = 0; k < marks->n_pins; k++)
    {
      gint32 i = self->item_of[marks->pins[k]];
      if (i >= 0 && item[i].kind == TRC_ITEM_NODE && item[i].style == TRC_STYLE_PLAIN)
        item[i].style = TRC_STYLE_STRONG;
    }
}

static void
add_boxes (TrcPlan *self, TrcSceneBuilder *builder)
{
  TrcItem *item = (TrcItem *)self->items->data;

  for (guint i = 0; i < self->items->len; i++)
    {
      TrcBox box = {
        .at = item[i].at,
        .w = item[i].w,
        .h = item[i].h,
        .shape = item[i].shape,
        .style = item[i].style,
        .place = item[i].label_place,
        .label_room = item[i].label_w,
        .parent = item[i].parent >= 0 ? item[item[i].parent].box : -1,
        .weight = item[i].weight,
        .ref_kind = item[i].kind == TRC_ITEM_NODE     ? TRC_REF_NODE
                    : item[i].kind == TRC_ITEM_HEADER ? TRC_REF_TOKEN
                                                      : TRC_REF_GROUP,
        .ref = item[i].ref,
        .label = item[i].label,
        .sublabel = item[i].sublabel,
        .tooltip = item[i].tooltip,
      };
      if (item[i].kind == TRC_ITEM_HEADER && self->column_x == NULL)
        continue; /* dot has no columns */
      item[i].box = trc_scene_builder_box (builder, &box);
    }
}

/* The whole input of an unlikely prediction is a small thing. */
static double
logit_scale (const TrcPlan *self, const TrcItem *to)
{
  double most = self->target >= 0 ? self->mass_of[self->target] : 0;

  if (to->shape != TRC_BOX_PILL || !(most > 0))
    return 1;
  return CLAMP (sqrt (to->mass / most), 0.2, 1.0);
}

static void
add_edges (TrcPlan *self, TrcSceneBuilder *builder)
{
  const TrcItem *item = (const TrcItem *)self->items->data;

  for (guint i = 0; i < self->links->len; i++)
    {
      const TrcLink *link = &g_array_index (self->links, TrcLink, i);
      gboolean large = is_large (&item[link->from]) && is_large (&item[link->to]);
      double value = link->signed_score < 0 ? -link->share : link->share;
      TrcSceneEdge edge = {
        .from = item[link->from].box,
        .to = item[link->to].box,
        .share = link->share,
        .rank = link->rank,
        .value = value,
        .max_width = (large ? WIDE_PT : THIN_PT) * logit_scale (self, &item[link->to]),
        .weave = !link->strong,
      };
      trc_scene_builder_edge (builder, &edge);
    }
}

static void
add_grid (TrcPlan *self, TrcSceneBuilder *builder)
{
  const TrcItem *item = (const TrcItem *)self->items->data;
  gint32 n_layers = trc_graph_n_layers (self->graph);
  gboolean logits = FALSE;

  if (self->row_y == NULL)
    return;
  for (guint i = 0; i < self->items->len; i++)
    {
      logits |= item[i].row == (gint32)self->n_rows - 1;
      if (item[i].shape == TRC_BOX_CHIP && item[i].column >= 0)
        trc_scene_builder_column (builder, self->column_x[item[i].column],
                                  self->column_w[item[i].column], item[i].box, item[i].label);
    }
  for (gint32 l = 0; l < n_layers; l++)
    {
      g_autofree char *label = g_strdup_printf ("L%d", l);
      trc_scene_builder_row (builder, trc_plan_layer_y (self, l), l, label);
    }
  if (logits)
    trc_scene_builder_row (builder, self->row_y[self->n_rows - 1], -1, "logit");
}

static void
add_legend (TrcPlan *self, TrcSceneBuilder *builder)
{
  static const TrcLegendEntry shapes[] = {
    { .shape = TRC_BOX_CIRCLE, .label = "feature" },
    { .shape = TRC_BOX_SQUARE, .label = "head" },
    { .shape = TRC_BOX_TRIANGLE, .label = "neuron" },
    { .shape = TRC_BOX_HEXAGON, .label = "MLP" },
    { .shape = TRC_BOX_DIAMOND, .style = TRC_STYLE_FAINT, .label = "error" },
    { .shape = TRC_BOX_CARD, .label = "block" },
  };
  guint seen[TRC_N_BOX_SHAPES] = { 0 };
  gboolean raises = FALSE, lowers = FALSE;

  for (guint i = 0; i < self->items->len; i++)
    seen[g_array_index (self->items, TrcItem, i).shape]++;
  for (guint i = 0; i < self->links->len; i++)
    {
      const TrcLink *link = &g_array_index (self->links, TrcLink, i);
      raises |= link->strong && link->signed_score > 0;
      lowers |= link->strong && link->signed_score < 0;
    }
  if (raises)
    trc_scene_builder_legend (builder,
                              &(TrcLegendEntry){ .curve = TRUE, .sign = 1, .label = "raises" });
  if (lowers)
    trc_scene_builder_legend (
        builder, &(TrcLegendEntry){ .curve = TRUE, .sign = -1, .label = "lowers" });
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    if (seen[shapes[i].shape] > 0)
      trc_scene_builder_legend (builder, &shapes[i]);
}

/* 2205 -> "2,205" */
static char *
grouped (guint64 n)
{
  g_autofree char *digits = g_strdup_printf ("%" G_GUINT64_FORMAT, n);
  GString *out = g_string_new (NULL);
  gsize len = strlen (digits);

  for (gsize i = 0; i < len; i++)
    {
      if (i > 0 && (len - i) % 3 == 0)
        g_string_append_c (out, ',');
      g_string_append_c (out, digits[i]);
    }
  return g_string_free (out, FALSE);
}

static char *
facts_line (const TrcPlan *self)
{
  const char *scan = trc_graph_text (self->graph, "scan");
  g_autofree char *nodes = grouped (self->n_nodes);
  g_autofree char *edges = grouped (trc_graph_n_edges (self->graph));
  g_autofree char *shown = grouped (self->edges_shown);
  GString *out = g_string_new (NULL);

  if (scan != NULL && *scan != '\0' && strlen (scan) < 60)
    g_string_append_printf (out, "%s \302\267 ", scan);
  g_string_append_printf (out, "%s nodes, %s edges", nodes, edges);
  if (self->nodes_shown < self->n_nodes || self->edges_shown < trc_graph_n_edges (self->graph))
    g_string_append_printf (out, " \302\267 %u and %s shown", self->nodes_shown, shown);
  return g_string_free (out, FALSE);
}

/* 0.6947 -> ".69" */
static void
append_score (GString *out, const char *word, double value)
{
  if (!isfinite (value))
    return;
  int hundredths = (int)lrint (100 * CLAMP (value, 0.0, 1.0));
  if (out->len > 0)
    g_string_append (out, "  ");
  if (hundredths >= 100)
    g_string_append_printf (out, "%s 1.0", word);
  else
    g_string_append_printf (out, "%s .%02d", word, hundredths);
}

/* The prompt without the marks that tokenisers put before it. */
static char *
title_of (const char *prompt)
{
  static const char *const marks[] = { "<bos>",         "<s>",
                                       "<EOT>",         "<|begin_of_text|>",
                                       "<|endoftext|>", "\342\206\221" };
  g_autofree char *title = g_strstrip (g_strdup (prompt));
  const char *at = title;

  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    if (g_str_has_prefix (at, marks[i]))
      at += strlen (marks[i]);
  return g_strstrip (g_strdup (at));
}

static void
add_words (TrcPlan *self, TrcSceneBuilder *builder)
{
  const char *prompt = trc_graph_prompt (self->graph),
             *slug = trc_graph_text (self->graph, "slug");
  const char *fallback =
      trc_graph_dialect (self->graph) == TRC_GRAPH_EAP_IG ? "EAP-IG circuit" : NULL;
  g_autofree char *facts = facts_line (self);
  g_autoptr (GString) chip = g_string_new (NULL);
  g_autofree char *title =
      *prompt != '\0' ? title_of (prompt) : g_strdup (slug != NULL ? slug : fallback);

  if (trc_graph_dialect (self->graph) == TRC_GRAPH_COMMON) /* edge scores are no shares */
    {
      append_score (chip, "replacement", self->scores.replacement);
      append_score (chip, "completeness", self->scores.completeness);
    }
  trc_scene_builder_words (builder, title, facts, chip->len > 0 ? chip->str : NULL);
}

TrcScene *
trc_plan_scene (TrcPlan *self)
{
  TrcSceneBuilder *builder = trc_scene_builder_new ();

  mark_tokens (self);
  mark_pins (self);
  add_boxes (self, builder);
  add_edges (self, builder);
  add_grid (self, builder);
  add_legend (self, builder);
  add_words (self, builder);
  return trc_scene_builder_end (builder);
}
