/* Edges run upwards: they leave a source at its upper side and enter a target
 * at its lower side, with vertical tangents, so that a bundle of them reads as
 * strands and not as a hairball. Where a box is wide its edges stand side by
 * side, in the order of their other ends, so that they cross as little as can be. */
#include "render/scene/scene_private.h"

#include <math.h>
#include <stdlib.h>

#define PORT_GAP 13.0   /* between neighbouring ends on one side of a wide box */
#define PORT_INSET 11.0 /* no end nearer to the corner of a box */
#define SIDE_SLACK 2.0  /* vertical room that an upward edge needs */

typedef enum { SIDE_UP, SIDE_DOWN, SIDE_LEFT, SIDE_RIGHT } Side;

typedef struct {
  guint32 box;
  guint8 side;
  guint8 at_target;
  guint32 curve;
  double other; /* x (or y) of the other end: the order along the side */
} End;

static const TrcBox *
box_at (const TrcScene *self, gint32 i)
{
  return &g_array_index (self->boxes, TrcBox, i);
}

/* Sides at which an edge from @a to @b touches its two boxes. */
static void
choose_sides (const TrcBox *a, const TrcBox *b, Side *at_a, Side *at_b)
{
  double up = (a->at.y - a->h / 2) - (b->at.y + b->h / 2);
  double apart = fabs (a->at.x - b->at.x) - (a->w + b->w) / 2;

  if (up >= SIDE_SLACK || apart < 0)
    {
      gboolean upward = a->at.y >= b->at.y;
      *at_a = upward ? SIDE_UP : SIDE_DOWN;
      *at_b = upward ? SIDE_DOWN : SIDE_UP;
      return;
    }
  *at_a = a->at.x < b->at.x ? SIDE_RIGHT : SIDE_LEFT;
  *at_b = a->at.x < b->at.x ? SIDE_LEFT : SIDE_RIGHT;
}

static int
by_side (gconstpointer pa, gconstpointer pb)
{
  const End *a = pa, *b = pb;

  if (a->box != b->box)
    return a->box < b->box ? -1 : 1;
  if (a->side != b->side)
    return (int)a->side - (int)b->side;
  if (a->other != b->other)
    return a->other < b->other ? -1 : 1;
  return (a->curve > b->curve) - (a->curve < b->curve);
}

/* The point @offset away from the middle of one side. */
static TrcPoint
side_point (const TrcBox *box, Side side, double offset)
{
  double w = box->w / 2, h = box->h / 2;

  switch (side)
    {
    case SIDE_UP:
      return (TrcPoint){ box->at.x + offset, box->at.y - h };
    case SIDE_DOWN:
      return (TrcPoint){ box->at.x + offset, box->at.y + h };
    case SIDE_LEFT:
      return (TrcPoint){ box->at.x - w, box->at.y + offset };
    default:
      return (TrcPoint){ box->at.x + w, box->at.y + offset };
    }
}

/* Spreads the strong ends [first, first + n) along their side. */
static void
place_ends (TrcScene *self, const End *end, guint n)
{
  const TrcBox *box = box_at (self, (gint32)end->box);
  gboolean flat = end->side == SIDE_UP || end->side == SIDE_DOWN;
  double length = (flat ? box->w : box->h) - 2 * PORT_INSET;
  double gap = n > 1 ? MIN (PORT_GAP, MAX (0.0, length) / (n - 1)) : 0;

  for (guint i = 0; i < n; i++)
    {
      TrcCurve *curve = &g_array_index (self->curves, TrcCurve, end[i].curve);
      TrcPoint p = side_point (box, end[i].side, (i - (n - 1) / 2.0) * gap);
      curve->p[end[i].at_target ? 3 : 0] = p;
    }
}

static void
bend (TrcCurve *curve, Side at_from, Side at_to)
{
  TrcPoint a = curve->p[0], b = curve->p[3];
  gboolean flat = at_from == SIDE_LEFT || at_from == SIDE_RIGHT;
  double span = flat ? fabs (b.x - a.x) : fabs (b.y - a.y);
  double across = flat ? fabs (b.y - a.y) : fabs (b.x - a.x);
  /* a short edge that goes far aside may swing out, but not loop */
  double reach = CLAMP (span * 0.5, MIN (14.0, across * 0.25), 260.0);
  static const int dx[] = { 0, 0, -1, 1 }, dy[] = { -1, 1, 0, 0 };

  curve->p[1] = (TrcPoint){ a.x + dx[at_from] * reach, a.y + dy[at_from] * reach };
  curve->p[2] = (TrcPoint){ b.x + dx[at_to] * reach, b.y + dy[at_to] * reach };
}

static void
add_end (GArray *ends, const TrcScene *self, guint32 curve, gint32 box, gint32 other, Side side,
         gboolean at_target)
{
  gboolean flat = side == SIDE_UP || side == SIDE_DOWN;
  const TrcBox *far = box_at (self, other);
  End end = { (guint32)box, (guint8)side, (guint8)at_target, curve,
              flat ? far->at.x : far->at.y };

  g_array_append_val (ends, end);
}

void
trc_scene_route (TrcScene *self)
{
  guint m = self->curves->len;
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (End));
  g_autofree guint8 *sides = g_new (guint8, MAX (1, 2 * (gsize)m));

  for (guint i = 0; i < m; i++)
    {
      TrcCurve *curve = &g_array_index (self->curves, TrcCurve, i);
      const TrcBox *a = box_at (self, curve->from), *b = box_at (self, curve->to);
      Side at_a, at_b;

      choose_sides (a, b, &at_a, &at_b);
      sides[2 * i] = (guint8)at_a;
      sides[2 * i + 1] = (guint8)at_b;
      curve->p[0] = side_point (a, at_a, 0);
      curve->p[3] = side_point (b, at_b, 0);
      if (curve->weave)
        continue;
      add_end (ends, self, i, curve->from, curve->to, at_a, FALSE);
      add_end (ends, self, i, curve->to, curve->from, at_b, TRUE);
    }

  g_array_sort (ends, by_side);
  const End *end = (const End *)ends->data;
  for (guint i = 0, n; i < ends->len; i += n)
    {
      for (n = 1;
           i + n < ends->len && end[i + n].box == end[i].box && end[i + n].side == end[i].side;
           n++)
        ;
      place_ends (self, end + i, n);
    }

  for (guint i = 0; i < m; i++)
    bend (&g_array_index (self->curves, TrcCurve, i), sides[2 * i], sides[2 * i + 1]);
}
