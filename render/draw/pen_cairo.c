#include "render/draw/pen.h"

#include <math.h>

static void
set_colour (cairo_t *cr, TrcColour c)
{
  cairo_set_source_rgba (cr, c.r, c.g, c.b, c.a);
}

static void
pen_begin (TrcPen *pen, const char *id, const char *klass, const char *title)
{
  cairo_save (((TrcCairoPen *)pen)->cr);
}

static void
pen_end (TrcPen *pen)
{
  cairo_restore (((TrcCairoPen *)pen)->cr);
}

static void
pen_clip (TrcPen *pen, TrcRect r)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;

  cairo_rectangle (cr, r.x, r.y, r.w, r.h);
  cairo_clip (cr);
}

static void
round_rect (cairo_t *cr, TrcRect r, double radius)
{
  double k = MIN (radius, MIN (r.w, r.h) / 2);

  cairo_new_sub_path (cr);
  cairo_arc (cr, r.x + r.w - k, r.y + k, k, -G_PI / 2, 0);
  cairo_arc (cr, r.x + r.w - k, r.y + r.h - k, k, 0, G_PI / 2);
  cairo_arc (cr, r.x + k, r.y + r.h - k, k, G_PI / 2, G_PI);
  cairo_arc (cr, r.x + k, r.y + k, k, G_PI, 3 * G_PI / 2);
  cairo_close_path (cr);
}

static void
polygon (cairo_t *cr, TrcRect r, const double (*corner)[2], int n)
{
  for (int i = 0; i < n; i++)
    cairo_line_to (cr, r.x + corner[i][0] * r.w, r.y + corner[i][1] * r.h);
  cairo_close_path (cr);
}

static void
mark_path (cairo_t *cr, TrcMark mark, TrcRect r, double radius)
{
  static const double diamond[][2] = { { 0.5, 0 }, { 1, 0.5 }, { 0.5, 1 }, { 0, 0.5 } };
  static const double triangle[][2] = { { 0.5, 0 }, { 1, 1 }, { 0, 1 } };
  static const double hexagon[][2] = { { 0.25, 0 }, { 0.75, 0 }, { 1, 0.5 },
                                       { 0.75, 1 }, { 0.25, 1 }, { 0, 0.5 } };

  cairo_new_path (cr);
  switch (mark)
    {
    case TRC_MARK_RECT:
      if (radius > 0.5)
        round_rect (cr, r, radius);
      else
        cairo_rectangle (cr, r.x, r.y, r.w, r.h);
      break;
    case TRC_MARK_ELLIPSE:
      cairo_arc (cr, r.x + r.w / 2, r.y + r.h / 2, r.w / 2, 0, 2 * G_PI);
      break;
    case TRC_MARK_DIAMOND:
      polygon (cr, r, diamond, 4);
      break;
    case TRC_MARK_TRIANGLE:
      polygon (cr, r, triangle, 3);
      break;
    case TRC_MARK_HEXAGON:
      polygon (cr, r, hexagon, 6);
      break;
    }
}

static void
set_stroke (cairo_t *cr, double width, double dash)
{
  cairo_set_line_width (cr, width);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  if (dash > 0)
    cairo_set_dash (cr, &dash, 1, 0);
  else
    cairo_set_dash (cr, NULL, 0, 0);
}

static void
pen_mark (TrcPen *pen, TrcMark mark, TrcRect r, double radius, const TrcPaint *paint)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;

  mark_path (cr, mark, r, radius);
  if (paint->fill.a > 0)
    {
      set_colour (cr, paint->fill);
      cairo_fill_preserve (cr);
    }
  if (paint->stroke.a > 0 && paint->width > 0)
    {
      set_colour (cr, paint->stroke);
      set_stroke (cr, paint->width, paint->dash);
      cairo_stroke_preserve (cr);
    }
  cairo_new_path (cr);
}

static void
pen_curve (TrcPen *pen, const TrcPoint p[4], TrcColour colour, double width, double dash)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;

  cairo_new_path (cr);
  cairo_move_to (cr, p[0].x, p[0].y);
  cairo_curve_to (cr, p[1].x, p[1].y, p[2].x, p[2].y, p[3].x, p[3].y);
  set_colour (cr, colour);
  set_stroke (cr, width, dash);
  cairo_stroke (cr);
  pen->stats->curves_stroked++;
}

static void
pen_line (TrcPen *pen, TrcPoint a, TrcPoint b, TrcColour colour, double width, double dash)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;

  cairo_new_path (cr);
  cairo_move_to (cr, a.x, a.y);
  cairo_line_to (cr, b.x, b.y);
  set_colour (cr, colour);
  set_stroke (cr, width, dash);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_BUTT);
  cairo_stroke (cr);
}

static void
pen_threads (TrcPen *pen, const TrcThread *thread, guint n, TrcColour colour, TrcColour ground)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;

  if (trc_threads_to_pixels (cr, thread, n, colour))
    {
      pen->stats->threads_drawn += n;
      return;
    }
  for (guint i = 0; i < n; i++)
    pen_curve (pen, thread[i].p, trc_thread_colour (colour, ground, thread[i].load),
               TRC_THREAD_WIDTH, 0);
}

static void
pen_text (TrcPen *pen, const TrcPenText *text)
{
  cairo_t *cr = ((TrcCairoPen *)pen)->cr;
  double k = text->size / TRC_TEXT_BASE;
  const TrcShaped *shaped = text->shaped;

  cairo_save (cr);
  cairo_translate (cr, text->x - shaped->w * k * (text->align + 1) / 2,
                   text->y - shaped->h * k / 2);
  cairo_scale (cr, k, k);
  cairo_move_to (cr, 0, 0);
  set_colour (cr, text->colour);
  pango_cairo_show_layout (cr, shaped->layout);
  cairo_restore (cr);
}

static const TrcPenClass cairo_pen_class = {
  .begin = pen_begin,
  .end = pen_end,
  .mark = pen_mark,
  .curve = pen_curve,
  .line = pen_line,
  .threads = pen_threads,
  .text = pen_text,
  .clip = pen_clip,
};

void
trc_cairo_pen_init (TrcCairoPen *self, TrcPainter *painter, cairo_t *cr, TrcDrawStats *stats)
{
  self->base.klass = &cairo_pen_class;
  self->base.painter = painter;
  self->base.stats = stats;
  self->cr = cr;
}
