/* render/geometry.h - points and rectangles of the drawing
 *
 * Units    points (1/72 inch) unless a name says otherwise; y grows downwards.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double x, y;
} TrcPoint;

/* Top left corner and size. An empty rectangle has w or h of zero or less. */
typedef struct {
  double x, y, w, h;
} TrcRect;

/* TRUE when the two rectangles share any point, their edges included. */
static inline gboolean
trc_rect_meets (TrcRect a, TrcRect b)
{
  return a.x <= b.x + b.w && b.x <= a.x + a.w && a.y <= b.y + b.h && b.y <= a.y + a.h;
}

/* TRUE when @p lies inside @r or on its edge. */
static inline gboolean
trc_rect_holds (TrcRect r, TrcPoint p)
{
  return p.x >= r.x && p.x <= r.x + r.w && p.y >= r.y && p.y <= r.y + r.h;
}

/* @r grown by @by on all four sides. */
static inline TrcRect
trc_rect_grow (TrcRect r, double by)
{
  return (TrcRect){ r.x - by, r.y - by, r.w + 2 * by, r.h + 2 * by };
}

G_END_DECLS
