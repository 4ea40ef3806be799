/* render/scene/scene_private.h - the inside of a scene, for scene.c, route.c, hit.c
 *
 * Private to render/scene.
 */
#pragma once

#include "render/scene.h"

G_BEGIN_DECLS

/* Which boxes meet which cell of a regular grid, by compressed rows. */
typedef struct {
  TrcRect area;
  double cell; /* points */
  guint n_x, n_y;
  guint32 *first; /* n_x * n_y + 1 */
  guint32 *item;
} TrcHitGrid;

/* A box by its caller's name, sorted for binary search. */
typedef struct {
  guint64 ref;
  guint kind;
  gint32 box;
} TrcSceneRef;

struct _TrcScene {
  GStringChunk *strings;
  GArray *boxes, *curves, *rows, *columns, *legend;
  const char *title, *facts, *chip;
  TrcRect bounds;
  TrcHitGrid grid;
  guint32 *curve_first, *curve_item; /* curves of each box */
  TrcSceneRef *refs;
};

struct _TrcSceneBuilder {
  TrcScene *scene;
};

/* Computes the path of every curve from the boxes at its ends. */
void trc_scene_route (TrcScene *self);

/* Fills the grid with all boxes that are not frames. */
void trc_hit_grid_build (TrcHitGrid *grid, const TrcScene *scene);

/* Frees what the grid holds. */
void trc_hit_grid_clear (TrcHitGrid *grid);

G_END_DECLS
