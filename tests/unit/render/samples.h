/* tests/unit/render/samples.h - small scenes that several tests draw
 *
 * None of them depends on a font: sizes of boxes are given.
 */
#pragma once

#include "render/scene.h"

G_BEGIN_DECLS

/* Nothing at all. */
static inline TrcScene *
sample_empty (void)
{
  return trc_scene_builder_end (trc_scene_builder_new ());
}

/* One feature with a label. */
static inline TrcScene *
sample_one (void)
{
  TrcSceneBuilder *b = trc_scene_builder_new ();
  TrcBox box = { .at = { 100, 50 },
                 .w = 8,
                 .h = 8,
                 .parent = -1,
                 .place = TRC_LABEL_AROUND,
                 .weight = 1,
                 .label = "Texas",
                 .ref = 7 };

  trc_scene_builder_box (b, &box);
  return trc_scene_builder_end (b);
}

enum { S_FRAME, S_INNER, S_OTHER, S_TOKEN, S_LOGIT, S_CARD, S_ERROR, S_N };

/* An opened block with two members, a token, a logit, a card and an error node;
 * five edges, two rows, one column, a legend, words that need escaping. */
static inline TrcScene *
sample_circuit (void)
{
  TrcSceneBuilder *b = trc_scene_builder_new ();
  const TrcBox boxes[S_N] = {
    [S_FRAME] = { .at = { 200, 100 },
                  .w = 160,
                  .h = 80,
                  .shape = TRC_BOX_GROUP,
                  .parent = -1,
                  .label = "Texas-related",
                  .sublabel = "2 features",
                  .ref_kind = 1,
                  .ref = 0 },
    [S_INNER] = { .at = { 150, 96 },
                  .w = 8,
                  .h = 8,
                  .parent = S_FRAME,
                  .place = TRC_LABEL_AROUND,
                  .weight = 0.9,
                  .label = "places",
                  .ref = 0,
                  .tooltip = "places\nL8" },
    [S_OTHER] = { .at = { 160, 122 },
                  .w = 8,
                  .h = 8,
                  .parent = S_FRAME,
                  .place = TRC_LABEL_AROUND,
                  .weight = 0.5,
                  .label = "say <\"Texas\"> & more",
                  .ref = 1 },
    [S_TOKEN] = { .at = { 200, 300 },
                  .w = 60,
                  .h = 18,
                  .shape = TRC_BOX_CHIP,
                  .parent = -1,
                  .style = TRC_STYLE_STRONG,
                  .label = "Dallas",
                  .ref = 2 },
    [S_LOGIT] = { .at = { 230, 10 },
                  .w = 90,
                  .h = 22,
                  .shape = TRC_BOX_PILL,
                  .parent = -1,
                  .style = TRC_STYLE_TARGET,
                  .label = "Austin 98.4 %",
                  .ref = 3 },
    [S_CARD] = { .at = { 60, 160 },
                 .w = 100,
                 .h = 36,
                 .shape = TRC_BOX_CARD,
                 .parent = -1,
                 .label = "capital",
                 .sublabel = "9 features",
                 .ref_kind = 1,
                 .ref = 1 },
    [S_ERROR] = { .at = { 320, 200 },
                  .w = 8,
                  .h = 8,
                  .shape = TRC_BOX_DIAMOND,
                  .parent = -1,
                  .style = TRC_STYLE_FAINT,
                  .place = TRC_LABEL_NEVER,
                  .label = "rest",
                  .ref = 4 },
  };
  const TrcSceneEdge edges[] = {
    { S_TOKEN, S_OTHER, 0.8, 1.0, 0.8, 6, FALSE },
    { S_OTHER, S_INNER, 0.3, 0.5, -0.3, 3, FALSE },
    { S_INNER, S_LOGIT, 0.5, 0.75, 0.5, 4, FALSE },
    { S_CARD, S_LOGIT, 0.2, 0.25, -0.2, 6, FALSE },
    { S_ERROR, S_LOGIT, 0.01, 0.1, 0.01, 3, TRUE },
  };

  for (int i = 0; i < S_N; i++)
    trc_scene_builder_box (b, &boxes[i]);
  for (guint i = 0; i < G_N_ELEMENTS (edges); i++)
    trc_scene_builder_edge (b, &edges[i]);
  trc_scene_builder_row (b, 200, 0, "L0");
  trc_scene_builder_row (b, 10, -1, "logit");
  trc_scene_builder_column (b, 200, 80, S_TOKEN, "Dallas");
  trc_scene_builder_legend (b,
                            &(TrcLegendEntry){ .curve = TRUE, .sign = 1, .label = "raises" });
  trc_scene_builder_legend (b,
                            &(TrcLegendEntry){ .shape = TRC_BOX_CIRCLE, .label = "feature" });
  trc_scene_builder_words (b, "Fact: <the> capital", "94 nodes, 2,205 edges",
                           "replacement .69  completeness .93");
  return trc_scene_builder_end (b);
}

/* @n features in rows of 100 with labels, each joined to four above it by a
 * curve or, for all but every tenth node, a thread of the weave. */
static inline TrcScene *
sample_many (guint n)
{
  TrcSceneBuilder *b = trc_scene_builder_new ();

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *label = g_strdup_printf ("f%u", i);
      TrcBox box = { .at = { 30.0 * (i % 100), -30.0 * (i / 100) },
                     .w = 8,
                     .h = 8,
                     .parent = -1,
                     .place = TRC_LABEL_AROUND,
                     .weight = (i * 7919 % n) / (double)n,
                     .label = label,
                     .ref = i };
      trc_scene_builder_box (b, &box);
    }
  for (guint i = 0; i + 100 < n; i++)
    for (guint k = 0; k < 4; k++)
      {
        gint32 to = (gint32)MIN (n - 1, i + 100 + k * 37);
        TrcSceneEdge edge = {
          (gint32)i, to, 0.25, k / 4.0, k % 2 ? 0.25 : -0.25, 3, i % 10 != 0
        };
        trc_scene_builder_edge (b, &edge);
      }
  return trc_scene_builder_end (b);
}

G_END_DECLS
