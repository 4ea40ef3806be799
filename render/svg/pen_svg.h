/* render/svg/pen_svg.h - a pen that writes SVG elements
 *
 * Private to render/svg. Numbers are written with two decimals and a point,
 * whatever the locale. Text is text (font-family list, textLength so that
 * another font keeps the width), or paths when outlines are asked for.
 */
#pragma once

#include "render/draw/pen.h"

G_BEGIN_DECLS

typedef struct {
  TrcPen base;
  GString *out;
  gboolean outlines;
  guint n_clips;
  GArray *open_clips; /* guint: <g clip-path> elements opened inside each begin() */
} TrcSvgPen;

/* Sets up @self to append to @out. */
void trc_svg_pen_init (TrcSvgPen *self, TrcPainter *painter, GString *out, gboolean outlines,
                       TrcDrawStats *stats);

/* Frees what the pen holds besides @out. */
void trc_svg_pen_clear (TrcSvgPen *self);

/* Appends a number: two decimals at most, no exponent, never "-0". */
void trc_svg_number (GString *out, double value);

/* Appends @text for use in content or attributes: escaped, characters that XML
 * forbids dropped. */
void trc_svg_escape (GString *out, const char *text);

G_END_DECLS
