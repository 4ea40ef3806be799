#include "render/svg/pen_svg.h"

#include <math.h>
#include <string.h>

void
trc_svg_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    value = 0;
  value = CLAMP (value, -1e9, 1e9);
  g_ascii_formatd (text, sizeof text, "%.2f", value);
  char *end = text + strlen (text);
  while (end[-1] == '0')
    *--end = '\0';
  if (end[-1] == '.')
    *--end = '\0';
  g_string_append (out, strcmp (text, "-0") == 0 ? "0" : text);
}

/* XML 1.0 allows tab, line feed, carriage return and everything from space up
 * but surrogates and the two non-characters. */
static gboolean
xml_char (gunichar c)
{
  return c == '\t' || c == '\n' || c == '\r'
         || (c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && c != 0xfffe && c != 0xffff);
}

void
trc_svg_escape (GString *out, const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (!xml_char (c))
        continue;
      if (c == '&')
        g_string_append (out, "&amp;");
      else if (c == '<')
        g_string_append (out, "&lt;");
      else if (c == '>')
        g_string_append (out, "&gt;");
      else if (c == '"')
        g_string_append (out, "&quot;");
      else
        g_string_append_unichar (out, c);
    }
}

/* ` name="number"` */
static void
attr (GString *out, const char *name, double value)
{
  g_string_append_printf (out, " %s=\"", name);
  trc_svg_number (out, value);
  g_string_append_c (out, '"');
}

/* Opacities of threads are of the order of hundredths: three decimals. */
static void
attr_fine (GString *out, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (out, " %s=\"%s\"", name,
                          g_ascii_formatd (text, sizeof text, "%.3f", value));
}

static void
attr_colour (GString *out, const char *name, TrcColour c)
{
  g_string_append_printf (out, " %s=\"#%02x%02x%02x\"", name, (guint)lrint (c.r * 255),
                          (guint)lrint (c.g * 255), (guint)lrint (c.b * 255));
  if (c.a < 0.999f)
    {
      g_autofree char *opacity = g_strconcat (name, "-opacity", NULL);
      attr_fine (out, opacity, c.a);
    }
}

static void
attr_stroke (GString *out, TrcColour c, double width, double dash)
{
  attr_colour (out, "stroke", c);
  attr (out, "stroke-width", width);
  if (dash > 0)
    attr (out, "stroke-dasharray", dash);
}

static void
pair (GString *out, double x, double y)
{
  trc_svg_number (out, x);
  g_string_append_c (out, ' ');
  trc_svg_number (out, y);
}

static void
pen_begin (TrcPen *pen, const char *id, const char *klass, const char *title)
{
  TrcSvgPen *self = (TrcSvgPen *)pen;
  guint none = 0;

  g_array_append_val (self->open_clips, none);
  g_string_append (self->out, "<g");
  if (id != NULL)
    {
      g_string_append (self->out, " id=\"");
      trc_svg_escape (self->out, id);
      g_string_append_c (self->out, '"');
    }
  if (klass != NULL)
    g_string_append_printf (self->out, " class=\"%s\"", klass);
  g_string_append_c (self->out, '>');
  if (title != NULL && *title != '\0')
    {
      g_string_append (self->out, "<title>");
      trc_svg_escape (self->out, title);
      g_string_append (self->out, "</title>");
    }
  g_string_append_c (self->out, '\n');
}

static void
pen_end (TrcPen *pen)
{
  TrcSvgPen *self = (TrcSvgPen *)pen;
  guint clips = g_array_index (self->open_clips, guint, self->open_clips->len - 1);

  g_array_set_size (self->open_clips, self->open_clips->len - 1);
  while (clips-- > 0)
    g_string_append (self->out, "</g>");
  g_string_append (self->out, "</g>\n");
}

static void
attr_rect (GString *out, TrcRect r)
{
  attr (out, "x", r.x);
  attr (out, "y", r.y);
  attr (out, "width", MAX (0.0, r.w));
  attr (out, "height", MAX (0.0, r.h));
}

static void
pen_clip (TrcPen *pen, TrcRect r)
{
  TrcSvgPen *self = (TrcSvgPen *)pen;

  g_string_append_printf (self->out, "<clipPath id=\"clip%u\"><rect", self->n_clips);
  attr_rect (self->out, r);
  g_string_append_printf (self->out, "/></clipPath><g clip-path=\"url(#clip%u)\">\n",
                          self->n_clips);
  self->n_clips++;
  g_array_index (self->open_clips, guint, self->open_clips->len - 1)++;
}

static void
polygon (GString *out, TrcRect r, const double (*corner)[2], int n)
{
  g_string_append (out, "<path d=\"M");
  for (int i = 0; i < n; i++)
    {
      if (i > 0)
        g_string_append_c (out, 'L');
      pair (out, r.x + corner[i][0] * r.w, r.y + corner[i][1] * r.h);
    }
  g_string_append (out, "Z\"");
}

static void
pen_mark (TrcPen *pen, TrcMark mark, TrcRect r, double radius, const TrcPaint *paint)
{
  static const double diamond[][2] = { { 0.5, 0 }, { 1, 0.5 }, { 0.5, 1 }, { 0, 0.5 } };
  static const double triangle[][2] = { { 0.5, 0 }, { 1, 1 }, { 0, 1 } };
  static const double hexagon[][2] = { { 0.25, 0 }, { 0.75, 0 }, { 1, 0.5 },
                                       { 0.75, 1 }, { 0.25, 1 }, { 0, 0.5 } };
  GString *out = ((TrcSvgPen *)pen)->out;

  if (paint->fill.a <= 0 && (paint->stroke.a <= 0 || paint->width <= 0))
    return;
  switch (mark)
    {
    case TRC_MARK_RECT:
      g_string_append (out, "<rect");
      attr_rect (out, r);
      if (radius > 0.5)
        attr (out, "rx", MIN (radius, MIN (r.w, r.h) / 2));
      break;
    case TRC_MARK_ELLIPSE:
      g_string_append (out, "<circle");
      attr (out, "cx", r.x + r.w / 2);
      attr (out, "cy", r.y + r.h / 2);
      attr (out, "r", r.w / 2);
      break;
    case TRC_MARK_DIAMOND:
      polygon (out, r, diamond, 4);
      break;
    case TRC_MARK_TRIANGLE:
      polygon (out, r, triangle, 3);
      break;
    case TRC_MARK_HEXAGON:
      polygon (out, r, hexagon, 6);
      break;
    }
  if (paint->fill.a > 0)
    attr_colour (out, "fill", paint->fill);
  else
    g_string_append (out, " fill=\"none\"");
  if (paint->stroke.a > 0 && paint->width > 0)
    attr_stroke (out, paint->stroke, paint->width, paint->dash);
  g_string_append (out, "/>\n");
}

static void
curve_data (GString *out, const TrcPoint p[4])
{
  g_string_append (out, "<path d=\"M");
  pair (out, p[0].x, p[0].y);
  g_string_append_c (out, 'C');
  for (int k = 1; k < 4; k++)
    {
      if (k > 1)
        g_string_append_c (out, ' ');
      pair (out, p[k].x, p[k].y);
    }
  g_string_append_c (out, '"');
}

static void
pen_curve (TrcPen *pen, const TrcPoint p[4], TrcColour colour, double width, double dash)
{
  GString *out = ((TrcSvgPen *)pen)->out;

  curve_data (out, p);
  g_string_append (out, " fill=\"none\" stroke-linecap=\"round\"");
  attr_stroke (out, colour, width, dash);
  g_string_append (out, "/>\n");
  pen->stats->curves_stroked++;
}

static void
pen_line (TrcPen *pen, TrcPoint a, TrcPoint b, TrcColour colour, double width, double dash)
{
  GString *out = ((TrcSvgPen *)pen)->out;

  g_string_append (out, "<path d=\"M");
  pair (out, a.x, a.y);
  g_string_append_c (out, 'L');
  pair (out, b.x, b.y);
  g_string_append (out, "\" fill=\"none\"");
  attr_stroke (out, colour, width, dash);
  g_string_append (out, "/>\n");
}

/* Colour and width stand once on the group; threads come in a few loads, so that
 * each element is only its path. */
static void
pen_threads (TrcPen *pen, const TrcThread *thread, guint n, TrcColour colour, TrcColour ground)
{
  enum { LOADS = 6 };
  GString *out = ((TrcSvgPen *)pen)->out;
  float most = 1e-6f;

  for (guint i = 0; i < n; i++)
    most = MAX (most, thread[i].load);
  for (int load = 0; load < LOADS; load++)
    {
      gboolean open = FALSE;
      for (guint i = 0; i < n; i++)
        {
          if ((int)CLAMP (thread[i].load / most * LOADS, 0, LOADS - 1) != load)
            continue;
          if (!open)
            {
              double middle = most * (load + 0.5) / LOADS;
              g_string_append (out, "<g fill=\"none\"");
              attr_stroke (out, trc_thread_colour (colour, ground, middle), TRC_THREAD_WIDTH,
                           0);
              g_string_append (out, ">\n");
              open = TRUE;
            }
          curve_data (out, thread[i].p);
          g_string_append (out, "/>\n");
          pen->stats->threads_drawn++;
        }
      if (open)
        g_string_append (out, "</g>\n");
    }
}

static void
text_outline (TrcSvgPen *self, const TrcPenText *text, double x, double y, double k)
{
  cairo_surface_t *surface = cairo_recording_surface_create (CAIRO_CONTENT_ALPHA, NULL);
  cairo_t *cr = cairo_create (surface);
  static const char letter[] = { [CAIRO_PATH_MOVE_TO] = 'M',
                                 [CAIRO_PATH_LINE_TO] = 'L',
                                 [CAIRO_PATH_CURVE_TO] = 'C',
                                 [CAIRO_PATH_CLOSE_PATH] = 'Z' };

  pango_cairo_layout_path (cr, text->shaped->layout);
  cairo_path_t *path = cairo_copy_path (cr);
  g_string_append (self->out, "<path aria-label=\"");
  trc_svg_escape (self->out, text->shaped->text);
  g_string_append (self->out, "\" d=\"");
  for (int i = 0; i < path->num_data; i += path->data[i].header.length)
    {
      const cairo_path_data_t *d = &path->data[i];
      g_string_append_c (self->out, letter[d->header.type]);
      for (int j = 1; j < d->header.length; j++)
        {
          if (j > 1)
            g_string_append_c (self->out, ' ');
          pair (self->out, x + d[j].point.x * k, y + d[j].point.y * k);
        }
    }
  g_string_append_c (self->out, '"');
  attr_colour (self->out, "fill", text->colour);
  g_string_append (self->out, "/>\n");
  cairo_path_destroy (path);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

static void
pen_text (TrcPen *pen, const TrcPenText *text)
{
  static const char *const weights[TRC_N_WEIGHTS] = { NULL, "500", "600" };
  static const char *const anchors[] = { NULL, "middle", "end" };
  TrcSvgPen *self = (TrcSvgPen *)pen;
  const TrcShaped *shaped = text->shaped;
  double k = text->size / TRC_TEXT_BASE, top = text->y - shaped->h * k / 2;
  GString *out = self->out;

  if (self->outlines)
    {
      text_outline (self, text, text->x - shaped->w * k * (text->align + 1) / 2, top, k);
      return;
    }
  g_string_append (out, "<text");
  attr (out, "x", text->x);
  attr (out, "y", top + shaped->baseline * k);
  attr (out, "font-size", text->size);
  if (anchors[text->align + 1] != NULL)
    g_string_append_printf (out, " text-anchor=\"%s\"", anchors[text->align + 1]);
  if (weights[text->weight] != NULL)
    g_string_append_printf (out, " font-weight=\"%s\"", weights[text->weight]);
  if (g_utf8_strlen (shaped->text, -1) > 1)
    attr (out, "textLength", shaped->w * k);
  attr_colour (out, "fill", text->colour);
  g_string_append_c (out, '>');
  trc_svg_escape (out, shaped->text);
  g_string_append (out, "</text>\n");
}

static const TrcPenClass svg_pen_class = {
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
trc_svg_pen_init (TrcSvgPen *self, TrcPainter *painter, GString *out, gboolean outlines,
                  TrcDrawStats *stats)
{
  *self = (TrcSvgPen){ { &svg_pen_class, painter, stats }, out, outlines, 0, NULL };
  self->open_clips = g_array_new (FALSE, FALSE, sizeof (guint));
}

void
trc_svg_pen_clear (TrcSvgPen *self)
{
  g_clear_pointer (&self->open_clips, g_array_unref);
}
