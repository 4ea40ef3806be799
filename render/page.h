/* render/page.h - a figure: title, picture, legend and caption on one page
 *
 * Lays a scene out on a page and draws it with cairo (PDF, PNG) or writes it as
 * SVG with real text. Both run the same drawing code.
 *
 * Units    points.
 * Errors   only those of cairo, from the calls that make a PDF or PNG.
 * Threads  as render/draw.h.
 */
#pragma once

#include "render/draw.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  double w, h;           /* page size; 0 = from the scene at 100 % (both 0) or in proportion */
  const TrcTheme *theme; /* borrowed */
  const char *font;      /* Pango family list or NULL */
  const char *caption;   /* text below the picture, wrapped; NULL: none */
  gboolean transparent;  /* no ground */
  gboolean title;        /* title and facts above the picture */
  gboolean legend;
  gboolean outlines; /* SVG: text as paths instead of text elements */
} TrcPage;

/* A page of the scene's own size with title and legend. */
void trc_page_init (TrcPage *self, const TrcTheme *theme);

/* The size the page will have once its zeros are filled in, in points. */
void trc_page_measure (const TrcPage *self, const TrcScene *scene, double *w, double *h);

/* Draws the page at the origin of @cr, one user unit a point. @stats may be NULL. */
void
trc_page_draw (const TrcPage *self, const TrcScene *scene, cairo_t *cr, TrcDrawStats *stats);

/* The page as one SVG document, UTF-8, the same bytes for the same input in any
 * locale. @stats may be NULL. */
char *trc_page_write_svg (const TrcPage *self, const TrcScene *scene, gsize *len,
                          TrcDrawStats *stats) G_GNUC_WARN_UNUSED_RESULT;

/* The page as a PDF with embedded fonts. NULL with @error (G_IO_ERROR) when cairo
 * gave up. */
GByteArray *trc_page_write_pdf (const TrcPage *self, const TrcScene *scene,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The page as a PNG of @dpi pixels an inch; the caller has seen to it that the
 * picture is of a sane size. NULL with @error as above. */
GByteArray *trc_page_write_png (const TrcPage *self, const TrcScene *scene, double dpi,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
