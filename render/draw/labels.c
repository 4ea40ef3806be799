/* Labels around small shapes. A bit map of the view says what is taken; the most
 * important box is served first and tries four places. The map is anchored to
 * the scene, so that labels do not dance while the view is panned. */
#include "render/draw/pen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_PX 3.0
#define MARGIN_PX 60.0 /* boxes just outside the view keep their labels */
#define LABEL_PT 9.0
#define MAX_WIDTH_PT 118.0
#define GAP_PT 3.0
#define MAX_LABELS 400
#define CURVE_STEPS 24

enum { TAKEN = 1, CROSSED = 2 };

typedef struct {
  guint8 *cell;
  int w, h;
  double x0, y0, size; /* view units */
} Map;

typedef struct {
  gint32 box;
  double rank;
} Candidate;

static void
map_init (Map *map, const TrcDrawing *d)
{
  TrcPoint origin = trc_drawing_point (d, (TrcPoint){ 0, 0 });
  double margin = MARGIN_PX * d->opt->unit;

  map->size = CELL_PX * d->opt->unit;
  /* a whole number of cells away from the scene's origin */
  map->x0 = origin.x - ceil ((origin.x + margin) / map->size) * map->size;
  map->y0 = origin.y - ceil ((origin.y + margin) / map->size) * map->size;
  map->w = (int)ceil ((d->opt->w + margin - map->x0) / map->size) + 1;
  map->h = (int)ceil ((d->opt->h + margin - map->y0) / map->size) + 1;
  map->cell = g_malloc0 ((gsize)map->w * (gsize)map->h);
}

static gboolean
map_range (const Map *map, TrcRect r, int *x0, int *y0, int *x1, int *y1)
{
  double fx0 = floor ((r.x - map->x0) / map->size), fy0 = floor ((r.y - map->y0) / map->size);
  double fx1 = floor ((r.x + r.w - map->x0) / map->size),
         fy1 = floor ((r.y + r.h - map->y0) / map->size);

  if (!(fx1 >= 0 && fy1 >= 0 && fx0 < map->w && fy0 < map->h))
    return FALSE;
  *x0 = (int)MAX (fx0, 0);
  *y0 = (int)MAX (fy0, 0);
  *x1 = (int)MIN (fx1, map->w - 1);
  *y1 = (int)MIN (fy1, map->h - 1);
  return TRUE;
}

static void
map_take (Map *map, TrcRect r)
{
  int x0, y0, x1, y1;

  if (!map_range (map, r, &x0, &y0, &x1, &y1))
    return;
  for (int y = y0; y <= y1; y++)
    for (int x = x0; x <= x1; x++)
      map->cell[(gsize)y * map->w + x] |= TAKEN;
}

/* -1: something is there. Else the number of cells that a strong curve crosses. */
static int
map_cost (const Map *map, TrcRect r)
{
  int x0, y0, x1, y1, cost = 0;

  if (r.x < map->x0 || r.y < map->y0 || r.x + r.w >= map->x0 + map->w * map->size
      || r.y + r.h >= map->y0 + map->h * map->size)
    return -1; /* nobody knows what is there */
  if (!map_range (map, r, &x0, &y0, &x1, &y1))
    return -1;
  for (int y = y0; y <= y1; y++)
    for (int x = x0; x <= x1; x++)
      {
        guint8 c = map->cell[(gsize)y * map->w + x];
        if (c & TAKEN)
          return -1;
        cost += (c & CROSSED) != 0;
      }
  return cost;
}

static void
map_curves (Map *map, const TrcDrawing *d)
{
  guint n;
  const TrcCurve *curve = trc_scene_curves (d->scene, &n);

  for (guint i = 0; i < n; i++)
    {
      if (curve[i].weave)
        continue;
      for (int s = 0; s <= CURVE_STEPS; s++)
        {
          double t = s / (double)CURVE_STEPS, u = 1 - t;
          double a = u * u * u, b = 3 * u * u * t, c = 3 * u * t * t, e = t * t * t;
          const TrcPoint *p = curve[i].p;
          TrcPoint at = trc_drawing_point (
              d, (TrcPoint){ a * p[0].x + b * p[1].x + c * p[2].x + e * p[3].x,
                             a * p[0].y + b * p[1].y + c * p[2].y + e * p[3].y });
          int x = (int)floor ((at.x - map->x0) / map->size);
          int y = (int)floor ((at.y - map->y0) / map->size);
          if (x >= 0 && y >= 0 && x < map->w && y < map->h)
            map->cell[(gsize)y * map->w + x] |= CROSSED;
        }
    }
}

static void
map_boxes (Map *map, const TrcDrawing *d)
{
  guint n;
  const TrcBox *box = trc_scene_boxes (d->scene, &n);

  for (guint i = 0; i < n; i++)
    {
      TrcRect r = trc_drawing_rect (d, trc_box_rect (&box[i]));
      if (box[i].shape == TRC_BOX_GROUP)
        r.h = MIN (r.h, 21 * d->zoom); /* its title bar */
      map_take (map, trc_rect_grow (r, 0.5 * d->opt->unit));
    }
}

static int
by_rank (gconstpointer pa, gconstpointer pb)
{
  const Candidate *a = pa, *b = pb;

  if (a->rank != b->rank)
    return a->rank > b->rank ? -1 : 1;
  return (a->box > b->box) - (a->box < b->box);
}

static void
consider (const TrcDrawing *d, gint32 index, gboolean asked, GArray *list)
{
  const TrcBox *box = &trc_scene_boxes (d->scene, NULL)[index];
  double size = MIN (box->w, box->h) * d->zoom / d->opt->unit;
  TrcRect view = trc_rect_grow (d->view, MARGIN_PX * d->opt->unit / d->zoom);
  Candidate candidate = { index, box->weight + (box->style == TRC_STYLE_STRONG ? 10 : 0)
                                     + (box->style == TRC_STYLE_TARGET ? 20 : 0) };

  if (box->place != TRC_LABEL_AROUND || box->label == NULL || *box->label == '\0'
      || trc_drawing_dimmed (d, index) || !trc_rect_holds (view, box->at))
    return;
  if (!asked && (box->style == TRC_STYLE_FAINT || size < 3.2))
    return;
  g_array_append_val (list, candidate);
}

static GArray *
candidates (const TrcDrawing *d, const gint32 *boxes, guint n_boxes)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Candidate));
  guint n;

  trc_scene_boxes (d->scene, &n);
  if (boxes != NULL)
    for (guint i = 0; i < n_boxes; i++)
      consider (d, boxes[i], TRUE, list);
  else
    for (guint i = 0; i < n; i++)
      consider (d, (gint32)i, FALSE, list);
  g_array_sort (list, by_rank);
  return list;
}

static gboolean
within (TrcRect r, TrcRect limit)
{
  return r.x >= limit.x && r.y >= limit.y && r.x + r.w <= limit.x + limit.w
         && r.y + r.h <= limit.y + limit.h;
}

/* A label stays inside the frame its box is in, and a whole box has no cut label. */
static TrcRect
limit_of (const TrcDrawing *d, const TrcBox *box)
{
  TrcRect view = { 0, 0, d->opt->w, d->opt->h };

  if (box->parent >= 0)
    return trc_drawing_rect (d, trc_box_rect (&trc_scene_boxes (d->scene, NULL)[box->parent]));
  if (within (trc_drawing_rect (d, trc_box_rect (box)), view))
    return view;
  return trc_rect_grow (view, 10 * MARGIN_PX * d->opt->unit);
}

/* Right, left, above or below of @box; FALSE when all are taken. */
static gboolean
find_place (const Map *map, const TrcDrawing *d, const TrcBox *box, double w, double h,
            TrcRect *place, int *cost)
{
  TrcRect r = trc_drawing_rect (d, trc_box_rect (box)), limit = limit_of (d, box);
  double gap = GAP_PT * d->opt->unit;
  const TrcRect tries[] = {
    { r.x + r.w + gap, r.y + r.h / 2 - h / 2, w, h },
    { r.x - gap - w, r.y + r.h / 2 - h / 2, w, h },
    { r.x + r.w / 2 - w / 2, r.y - h, w, h },
    { r.x + r.w / 2 - w / 2, r.y + r.h, w, h },
  };
  static const int dislike[] = { 0, 8, 10, 11 };
  int best = G_MAXINT;

  for (guint i = 0; i < G_N_ELEMENTS (tries); i++)
    {
      int crossed = map_cost (map, trc_rect_grow (tries[i], -0.5));
      if (!within (tries[i], limit))
        continue;
      if (crossed < 0 || crossed + dislike[i] >= best)
        continue;
      best = crossed + dislike[i];
      *cost = crossed;
      *place = tries[i];
    }
  return best != G_MAXINT;
}

static void
draw_label (const TrcDrawing *d, gint32 index, const TrcShaped *shaped, TrcRect r, double size,
            gboolean crossed)
{
  const TrcBox *box = &trc_scene_boxes (d->scene, NULL)[index];
  const TrcTheme *theme = d->theme;
  TrcColour ink = trc_colour_mix (theme->dim, theme->text, MIN (1.0, box->weight));
  TrcPaint veil = {
    .fill = trc_colour_fade (box->parent >= 0 ? theme->opened : theme->canvas, 0.78),
  };

  if (box->style == TRC_STYLE_FAINT)
    ink = theme->dim;
  else if (box->style != TRC_STYLE_PLAIN)
    ink = theme->text;
  if (crossed)
    d->pen->klass->mark (d->pen, TRC_MARK_RECT,
                         (TrcRect){ r.x - 1, r.y + r.h * 0.1, r.w + 2, r.h * 0.8 },
                         2 * d->opt->unit, &veil);
  d->pen->klass->text (d->pen, &(TrcPenText){ .shaped = shaped,
                                              .x = r.x,
                                              .y = r.y + r.h / 2,
                                              .size = size,
                                              .align = -1,
                                              .colour = ink });
}

void
trc_paint_labels (const TrcDrawing *d, const gint32 *boxes, guint n_boxes)
{
  g_autoptr (GArray) list = candidates (d, boxes, n_boxes);
  double size = trc_drawing_text_size (d, LABEL_PT, 1.5), k = size / TRC_TEXT_BASE;
  guint placed = 0;
  Map map;

  if (list->len == 0)
    return;
  map_init (&map, d);
  map_boxes (&map, d);
  map_curves (&map, d);
  d->pen->klass->begin (d->pen, NULL, "labels", NULL);
  for (guint i = 0; i < list->len && placed < MAX_LABELS; i++)
    {
      gint32 index = g_array_index (list, Candidate, i).box;
      const TrcBox *box = &trc_scene_boxes (d->scene, NULL)[index];
      const TrcShaped *shaped =
          trc_painter_shape (d->painter, box->label, TRC_WEIGHT_NORMAL,
                             MAX_WIDTH_PT / LABEL_PT * TRC_TEXT_BASE, d->stats);
      TrcRect place;
      int crossed;
      if (!find_place (&map, d, box, shaped->w * k, shaped->h * k, &place, &crossed))
        {
          d->stats->labels_dropped++;
          continue;
        }
      map_take (&map, place);
      draw_label (d, index, shaped, place, size, crossed > 0);
      placed++;
    }
  d->pen->klass->end (d->pen);
  d->stats->labels_placed += placed;
  g_free (map.cell);
}
