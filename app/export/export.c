#include "app/export.h"
#include "app/error.h"
#include "compute/error.h"
#include "render/page.h"

#include <math.h>
#include <string.h>

#define DEFAULT_DPI 192.0
#define MOST_POINTS 14400.0   /* 200 inches, the limit of PDF */
#define MOST_PIXELS 32000.0   /* one side of a PNG; cairo's own limit is a little higher */
#define MOST_MEGAPIXELS 300.0 /* 1.2 GB of memory while drawing */

void
trc_export_options_init (TrcExportOptions *self)
{
  *self = (TrcExportOptions){ .title = TRUE, .legend = TRUE };
}

/* ---- sizes ---- */

/* Points of one unit, 0 for an unknown word. */
static double
unit_points (const char *word)
{
  static const struct {
    const char *word;
    double points;
  } units[] = {
    { "", 1 },           { "pt", 1 },          { "in", 72 },
    { "mm", 72 / 25.4 }, { "cm", 720 / 25.4 }, { "px", 0.75 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (g_ascii_strcasecmp (word, units[i].word) == 0)
      return units[i].points;
  return 0;
}

gboolean
trc_export_parse_size (const char *text, double *w, double *h, GError **error)
{
  char *end;
  double a = g_ascii_strtod (text, &end), b = 0;
  gboolean good = end > text && isfinite (a) && a > 0;

  if (good && (*end == 'x' || *end == 'X'))
    {
      const char *second = end + 1;
      b = g_ascii_strtod (second, &end);
      good = end > second && isfinite (b) && b > 0;
    }
  g_autofree char *word = g_strstrip (g_strdup (good ? end : ""));
  double unit = unit_points (word);
  good = good && unit > 0 && a * unit <= MOST_POINTS && b * unit <= MOST_POINTS && a * unit >= 1
         && (b == 0 || b * unit >= 1);
  if (!good)
    {
      g_set_error (
          error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
          "The size \"%s\" is not understood; write WIDTHxHEIGHT with mm, cm, in, pt or px, "
          "for example 180x120mm, of at most 200 inches.",
          text);
      return FALSE;
    }
  *w = a * unit;
  *h = b * unit;
  return TRUE;
}

/* ---- formats ---- */

static gboolean
format_of (const char *path, TrcExportFormat *format, GError **error)
{
  static const struct {
    const char *suffix;
    TrcExportFormat format;
  } formats[] = { { ".svg", TRC_EXPORT_SVG },
                  { ".pdf", TRC_EXPORT_PDF },
                  { ".png", TRC_EXPORT_PNG } };
  g_autofree char *lower = g_ascii_strdown (path, -1);

  if (*format != TRC_EXPORT_AUTO)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_has_suffix (lower, formats[i].suffix))
      {
        *format = formats[i].format;
        return TRUE;
      }
  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
               "%s: a figure's name ends in .svg, .pdf or .png.", path);
  return FALSE;
}

static gboolean
check_pixels (const TrcPage *page, const TrcScene *scene, double dpi, GError **error)
{
  double w, h;

  trc_page_measure (page, scene, &w, &h);
  w = ceil (w * dpi / 72);
  h = ceil (h * dpi / 72);
  if (w <= MOST_PIXELS && h <= MOST_PIXELS && w * h <= MOST_MEGAPIXELS * 1e6)
    return TRUE;
  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
               "A picture of %.0f x %.0f pixels is too large; choose a smaller size or fewer "
               "dpi, or write SVG or PDF.",
               w, h);
  return FALSE;
}

static GByteArray *
draw (const TrcPage *page, const TrcScene *scene, TrcExportFormat format, double dpi,
      GError **error)
{
  gsize len;
  char *svg;

  switch (format)
    {
    case TRC_EXPORT_PDF:
      return trc_page_write_pdf (page, scene, error);
    case TRC_EXPORT_PNG:
      return check_pixels (page, scene, dpi, error)
                 ? trc_page_write_png (page, scene, dpi, error)
                 : NULL;
    default:
      svg = trc_page_write_svg (page, scene, &len, NULL);
      return g_byte_array_new_take ((guint8 *)svg, len);
    }
}

static gboolean
check_options (const TrcExportOptions *options, GError **error)
{
  gboolean good = options->w >= 0 && options->w <= MOST_POINTS && options->h >= 0
                  && options->h <= MOST_POINTS && (options->dpi == 0 || options->dpi >= 1)
                  && options->dpi <= 4800;

  if (!good)
    g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                 "A page is at most 200 inches wide and high, with 1 to 4800 dpi.");
  return good;
}

gboolean
trc_export_scene (const TrcScene *scene, const char *path, const TrcExportOptions *options,
                  const TrcProgress *progress, GError **error)
{
  TrcExportFormat format = options->format;
  TrcTheme theme;
  TrcPage page;

  if (!check_options (options, error) || !format_of (path, &format, error))
    return FALSE;
  trc_theme_init (&theme, options->theme, options->palette);
  trc_page_init (&page, &theme);
  page.w = options->w;
  page.h = options->h;
  page.font = options->font;
  page.caption = options->caption;
  page.transparent = options->transparent;
  page.title = options->title;
  page.legend = options->legend;
  page.outlines = options->outlines;

  trc_progress_report (progress, 0.5, "drawing");
  g_autoptr (GByteArray) bytes =
      draw (&page, scene, format, options->dpi > 0 ? options->dpi : DEFAULT_DPI, error);
  if (bytes == NULL || trc_progress_cancelled (progress, error))
    return FALSE;
  return g_file_set_contents (path, (const char *)bytes->data, (gssize)bytes->len, error);
}

gboolean
trc_export_file (TrcGraph *graph, const TrcView *view, const char *path,
                 const TrcExportOptions *options, const TrcProgress *progress, GError **error)
{
  TrcExportFormat format = options->format;

  if (!format_of (path, &format, error))
    return FALSE;
  g_autoptr (TrcScene) scene = trc_present_scene (graph, NULL, view, NULL, progress, error);
  return scene != NULL && trc_export_scene (scene, path, options, progress, error);
}
