#include "render/scene/scene_private.h"

#include <math.h>

#define CELL 32.0     /* points; a few small boxes each */
#define MAX_CELLS 512 /* along one axis; larger scenes get larger cells */
#define CURVE_STEPS 16

static void
cell_range (const TrcHitGrid *grid, TrcRect r, guint *x0, guint *y0, guint *x1, guint *y1)
{
  double fx0 = floor ((r.x - grid->area.x) / grid->cell);
  double fy0 = floor ((r.y - grid->area.y) / grid->cell);
  double fx1 = floor ((r.x + r.w - grid->area.x) / grid->cell);
  double fy1 = floor ((r.y + r.h - grid->area.y) / grid->cell);

  *x0 = (guint)CLAMP (fx0, 0, grid->n_x - 1.0);
  *y0 = (guint)CLAMP (fy0, 0, grid->n_y - 1.0);
  *x1 = (guint)CLAMP (fx1, 0, grid->n_x - 1.0);
  *y1 = (guint)CLAMP (fy1, 0, grid->n_y - 1.0);
}

/* Calls for every cell that box @i covers: once to count, once to fill. */
static void
enter_box (TrcHitGrid *grid, const TrcBox *box, guint32 i, guint32 *count, guint32 *at)
{
  guint x0, y0, x1, y1;

  if (box->shape == TRC_BOX_GROUP)
    return;
  cell_range (grid, trc_box_rect (box), &x0, &y0, &x1, &y1);
  for (guint y = y0; y <= y1; y++)
    for (guint x = x0; x <= x1; x++)
      {
        gsize cell = (gsize)y * grid->n_x + x;
        if (at == NULL)
          count[cell + 1]++;
        else
          grid->item[at[cell]++] = i;
      }
}

void
trc_hit_grid_build (TrcHitGrid *grid, const TrcScene *scene)
{
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);

  grid->area = trc_scene_bounds (scene);
  grid->cell = MAX (CELL, MAX (grid->area.w, grid->area.h) / MAX_CELLS);
  grid->n_x = 1 + (guint)(MAX (0.0, grid->area.w) / grid->cell);
  grid->n_y = 1 + (guint)(MAX (0.0, grid->area.h) / grid->cell);

  gsize n_cells = (gsize)grid->n_x * grid->n_y;
  grid->first = g_new0 (guint32, n_cells + 1);
  for (guint i = 0; i < n; i++)
    enter_box (grid, &box[i], i, grid->first, NULL);
  for (gsize c = 0; c < n_cells; c++)
    grid->first[c + 1] += grid->first[c];

  grid->item = g_new (guint32, MAX (1, grid->first[n_cells]));
  g_autofree guint32 *at = g_memdup2 (grid->first, sizeof (guint32) * (n_cells + 1));
  for (guint i = 0; i < n; i++)
    enter_box (grid, &box[i], i, NULL, at);
}

void
trc_hit_grid_clear (TrcHitGrid *grid)
{
  g_clear_pointer (&grid->first, g_free);
  g_clear_pointer (&grid->item, g_free);
}

/* Distance from @p to the rectangle of @box; 0 inside. */
static double
box_distance (const TrcBox *box, TrcPoint p)
{
  double dx = MAX (0.0, fabs (p.x - box->at.x) - box->w / 2);
  double dy = MAX (0.0, fabs (p.y - box->at.y) - box->h / 2);

  if (box->shape == TRC_BOX_CIRCLE)
    return MAX (0.0, hypot (p.x - box->at.x, p.y - box->at.y) - box->w / 2);
  return hypot (dx, dy);
}

/* A frame counts as hit anywhere inside, but only after its members lost. */
static gint32
pick_frame (const TrcScene *self, TrcPoint at, double reach)
{
  guint n;
  const TrcBox *box = trc_scene_boxes (self, &n);

  for (guint i = n; i-- > 0;)
    if (box[i].shape == TRC_BOX_GROUP
        && trc_rect_holds (trc_rect_grow (trc_box_rect (&box[i]), reach), at))
      return (gint32)i;
  return -1;
}

gint32
trc_scene_pick (const TrcScene *self, TrcPoint at, double reach)
{
  const TrcHitGrid *grid = &self->grid;
  TrcRect around = { at.x - reach, at.y - reach, 2 * reach, 2 * reach };
  double best = G_MAXDOUBLE, best_middle = G_MAXDOUBLE;
  gint32 hit = -1;
  guint x0, y0, x1, y1;

  if (self->boxes->len == 0 || !isfinite (at.x) || !isfinite (at.y))
    return -1;

  cell_range (grid, around, &x0, &y0, &x1, &y1);
  for (guint y = y0; y <= y1; y++)
    for (guint x = x0; x <= x1; x++)
      {
        gsize cell = (gsize)y * grid->n_x + x;
        for (guint32 k = grid->first[cell]; k < grid->first[cell + 1]; k++)
          {
            const TrcBox *box = &g_array_index (self->boxes, TrcBox, grid->item[k]);
            double d = box_distance (box, at), m = hypot (at.x - box->at.x, at.y - box->at.y);
            if (d > reach || d > best || (d == best && m >= best_middle))
              continue;
            best = d;
            best_middle = m;
            hit = (gint32)grid->item[k];
          }
      }
  return hit >= 0 ? hit : pick_frame (self, at, reach);
}

static double
segment_distance (TrcPoint a, TrcPoint b, TrcPoint p)
{
  double dx = b.x - a.x, dy = b.y - a.y, len = dx * dx + dy * dy;
  double t = len > 0 ? CLAMP (((p.x - a.x) * dx + (p.y - a.y) * dy) / len, 0.0, 1.0) : 0;

  return hypot (a.x + t * dx - p.x, a.y + t * dy - p.y);
}

static TrcPoint
cubic_at (const TrcPoint p[4], double t)
{
  double s = 1 - t, a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, d = t * t * t;

  return (TrcPoint){ a * p[0].x + b * p[1].x + c * p[2].x + d * p[3].x,
                     a * p[0].y + b * p[1].y + c * p[2].y + d * p[3].y };
}

static double
curve_distance (const TrcCurve *curve, TrcPoint at)
{
  TrcPoint last = curve->p[0];
  double best = G_MAXDOUBLE;

  for (int i = 1; i <= CURVE_STEPS; i++)
    {
      TrcPoint next = cubic_at (curve->p, i / (double)CURVE_STEPS);
      best = MIN (best, segment_distance (last, next, at));
      last = next;
    }
  return MAX (0.0, best - curve->width / 2);
}

/* The control polygon holds the curve: a cheap way to say no. */
static gboolean
curve_may_reach (const TrcCurve *c, TrcPoint at, double reach)
{
  double far = reach + c->width;
  double x0 = MIN (MIN (c->p[0].x, c->p[1].x), MIN (c->p[2].x, c->p[3].x));
  double x1 = MAX (MAX (c->p[0].x, c->p[1].x), MAX (c->p[2].x, c->p[3].x));
  double y0 = MIN (MIN (c->p[0].y, c->p[1].y), MIN (c->p[2].y, c->p[3].y));
  double y1 = MAX (MAX (c->p[0].y, c->p[1].y), MAX (c->p[2].y, c->p[3].y));

  return at.x >= x0 - far && at.x <= x1 + far && at.y >= y0 - far && at.y <= y1 + far;
}

gint32
trc_scene_pick_curve (const TrcScene *self, TrcPoint at, double reach, gboolean weave)
{
  gint32 hit = -1;
  double best = reach;

  /* Strongest first, so that of two equally near curves the upper one wins. */
  for (guint i = self->curves->len; i-- > 0;)
    {
      const TrcCurve *curve = &g_array_index (self->curves, TrcCurve, i);
      if (curve->weave && (!weave || hit >= 0))
        break;
      if (!curve_may_reach (curve, at, best))
        continue;
      double d = curve_distance (curve, at);
      if (d < best || (hit < 0 && d <= best))
        {
          best = d;
          hit = (gint32)i;
        }
    }
  return hit;
}

GArray *
trc_scene_boxes_in (const TrcScene *self, TrcRect area)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (gint32));

  for (guint i = 0; i < self->boxes->len; i++)
    {
      gint32 index = (gint32)i;
      if (trc_rect_meets (trc_box_rect (&g_array_index (self->boxes, TrcBox, i)), area))
        g_array_append_val (found, index);
    }
  return found;
}

static gint32
heaviest (const TrcScene *self)
{
  gint32 best = -1;
  double weight = -1;

  for (guint i = 0; i < self->boxes->len; i++)
    {
      const TrcBox *box = &g_array_index (self->boxes, TrcBox, i);
      if (box->shape != TRC_BOX_GROUP && box->weight > weight)
        {
          weight = box->weight;
          best = (gint32)i;
        }
    }
  return best;
}

gint32
trc_scene_step (const TrcScene *self, gint32 box, int dx, int dy)
{
  if (box < 0 || box >= (gint32)self->boxes->len)
    return heaviest (self);

  TrcPoint from = g_array_index (self->boxes, TrcBox, box).at;
  double best = G_MAXDOUBLE;
  gint32 hit = -1;
  for (guint i = 0; i < self->boxes->len; i++)
    {
      const TrcBox *to = &g_array_index (self->boxes, TrcBox, i);
      double along = (to->at.x - from.x) * dx + (to->at.y - from.y) * dy;
      double aside = fabs ((to->at.x - from.x) * dy) + fabs ((to->at.y - from.y) * dx);
      double cost = along + 2 * aside;
      if ((gint32)i == box || to->shape == TRC_BOX_GROUP || along <= 0.5 || cost >= best)
        continue;
      best = cost;
      hit = (gint32)i;
    }
  return hit;
}
