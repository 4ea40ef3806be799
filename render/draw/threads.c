/* cairo needs 40-90 us for a stroke; a file has tens of thousands of weak edges.
 * They are added up as coverage in a buffer of numbers and laid on the picture
 * once, through a curve that saturates: the weave stays barely visible however
 * many threads cross in one place. */
#include "render/draw/pen.h"

#include <math.h>

#define FULL 256u       /* density of one whole thread over one pixel */
#define SEGMENT_PX 10.0 /* flatness: pixels of one straight piece */
#define MAX_SEGMENTS 28
#define SOFT 1.6 /* crossing threads at which the weave has 63 % of its strength */

typedef struct {
  guint16 *at;
  int w, h;
} Density;

static inline void
add (Density *d, int x, int y, double coverage)
{
  if (x < 0 || y < 0 || x >= d->w || y >= d->h)
    return;
  guint16 *cell = &d->at[(gsize)y * d->w + x];
  guint v = *cell + (guint)(coverage + 0.5);
  *cell = (guint16)MIN (v, 65535u);
}

/* One anti-aliased piece without its end: pieces of one thread do not add up
 * where they meet. */
static void
add_piece (Density *d, TrcPoint a, TrcPoint b, double load)
{
  gboolean steep = fabs (b.y - a.y) > fabs (b.x - a.x);
  double u0 = steep ? a.y : a.x, v0 = steep ? a.x : a.y;
  double u1 = steep ? b.y : b.x, v1 = steep ? b.x : b.y;

  if (u0 > u1)
    {
      double t = u0;
      u0 = u1;
      u1 = t;
      t = v0;
      v0 = v1;
      v1 = t;
    }
  double limit = steep ? d->h : d->w, across = (steep ? d->w : d->h) + 1;
  if (!(u1 >= 0 && u0 <= limit))
    return; /* also what is not a number; what follows casts to int */
  int first = (int)ceil (MAX (u0, 0.0)), last = (int)ceil (MIN (u1, limit)) - 1;
  double slope = u1 > u0 ? (v1 - v0) / (u1 - u0) : 0;
  for (int u = first; u <= last; u++)
    {
      double v = v0 + (u - u0) * slope, base = floor (v), part = v - base;
      if (!(v >= -2 && v <= across))
        continue;
      int i = (int)base;
      if (steep)
        {
          add (d, i, u, FULL * load * (1 - part));
          add (d, i + 1, u, FULL * load * part);
        }
      else
        {
          add (d, u, i, FULL * load * (1 - part));
          add (d, u, i + 1, FULL * load * part);
        }
    }
}

static gboolean
outside (const TrcPoint p[4], double w, double h)
{
  double x0 = MIN (MIN (p[0].x, p[1].x), MIN (p[2].x, p[3].x));
  double x1 = MAX (MAX (p[0].x, p[1].x), MAX (p[2].x, p[3].x));
  double y0 = MIN (MIN (p[0].y, p[1].y), MIN (p[2].y, p[3].y));
  double y1 = MAX (MAX (p[0].y, p[1].y), MAX (p[2].y, p[3].y));

  return !(x1 >= 0 && x0 <= w && y1 >= 0 && y0 <= h); /* NaN is outside, too */
}

static void
add_thread (Density *d, const TrcPoint p[4], double load)
{
  if (outside (p, d->w, d->h))
    return;

  double len = hypot (p[1].x - p[0].x, p[1].y - p[0].y)
               + hypot (p[2].x - p[1].x, p[2].y - p[1].y)
               + hypot (p[3].x - p[2].x, p[3].y - p[2].y);
  int n = (int)CLAMP (len / SEGMENT_PX, 3, MAX_SEGMENTS);
  TrcPoint last = p[0];
  for (int i = 1; i <= n; i++)
    {
      double t = i / (double)n, s = 1 - t;
      double a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, e = t * t * t;
      TrcPoint next = { a * p[0].x + b * p[1].x + c * p[2].x + e * p[3].x,
                        a * p[0].y + b * p[1].y + c * p[2].y + e * p[3].y };
      add_piece (d, last, next, load);
      last = next;
    }
}

/* Alpha of 0..255 for a density in steps of FULL / 16. */
static void
fill_curve (guint8 *curve, gsize n, double alpha)
{
  for (gsize i = 0; i < n; i++)
    {
      double part = alpha * (1 - exp (-(double)i / 16 / SOFT));
      curve[i] = (guint8)lrint (255 * MIN (1.0, part));
    }
}

static inline guint32
over (guint32 under, const guint8 rgb[3], guint alpha)
{
  guint keep = 255 - alpha, out = 0;

  for (int shift = 24; shift >= 0; shift -= 8)
    {
      guint top = shift == 24 ? 255u : rgb[(16 - shift) / 8];
      guint v = top * alpha + (under >> shift & 255) * keep + 127;
      out |= (v / 255 & 255) << shift;
    }
  return out;
}

static void
lay_on (const Density *d, cairo_surface_t *image, TrcColour colour)
{
  guint8 curve[16 * 16],
      rgb[3] = { (guint8)lrint (colour.r * 255), (guint8)lrint (colour.g * 255),
                 (guint8)lrint (colour.b * 255) };
  int stride = cairo_image_surface_get_stride (image);
  guint8 *data = cairo_image_surface_get_data (image);

  fill_curve (curve, G_N_ELEMENTS (curve), colour.a);
  for (int y = 0; y < d->h; y++)
    {
      guint32 *row = (guint32 *)(void *)(data + (gsize)y * stride);
      const guint16 *from = d->at + (gsize)y * d->w;
      for (int x = 0; x < d->w; x++)
        if (from[x] != 0)
          row[x] = over (row[x], rgb, curve[MIN ((from[x] + 8) >> 4, (int)sizeof curve - 1)]);
    }
}

TrcColour
trc_thread_colour (TrcColour colour, TrcColour ground, double load)
{
  TrcColour limit = trc_colour_mix (ground, colour, colour.a);

  limit.a = (float)CLAMP (load * (1 - exp (-1 / SOFT)), 0.008, 1.0);
  return limit;
}

gboolean
trc_threads_to_pixels (cairo_t *cr, const TrcThread *thread, guint n, TrcColour colour)
{
  cairo_surface_t *image = cairo_get_group_target (cr);
  cairo_matrix_t m;
  double off_x, off_y;

  cairo_get_matrix (cr, &m);
  if (cairo_surface_get_type (image) != CAIRO_SURFACE_TYPE_IMAGE || m.xy != 0 || m.yx != 0)
    return FALSE;
  cairo_format_t format = cairo_image_surface_get_format (image);
  if (format != CAIRO_FORMAT_ARGB32 && format != CAIRO_FORMAT_RGB24)
    return FALSE;

  Density d = { NULL, cairo_image_surface_get_width (image),
                cairo_image_surface_get_height (image) };
  if (d.w <= 0 || d.h <= 0)
    return TRUE;
  d.at = g_try_new0 (guint16, (gsize)d.w * (gsize)d.h);
  if (d.at == NULL)
    return FALSE;

  double sx, sy;
  cairo_surface_get_device_scale (image, &sx, &sy);
  cairo_surface_get_device_offset (image, &off_x, &off_y);
  for (guint i = 0; i < n; i++)
    {
      TrcPoint p[4];
      for (int k = 0; k < 4; k++)
        p[k] = (TrcPoint){ (thread[i].p[k].x * m.xx + m.x0) * sx + off_x - 0.5,
                           (thread[i].p[k].y * m.yy + m.y0) * sy + off_y - 0.5 };
      add_thread (&d, p, thread[i].load);
    }
  cairo_surface_flush (image);
  lay_on (&d, image, colour);
  cairo_surface_mark_dirty (image);
  g_free (d.at);
  return TRUE;
}
