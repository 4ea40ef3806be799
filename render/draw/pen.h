/* render/draw/pen.h - the few marks a drawing is made of
 *
 * The drawing code speaks to a pen; one pen draws with cairo, the other writes
 * SVG. So the window, PNG, PDF and SVG cannot drift apart.
 *
 * Private to render. Units: view units; the camera is already applied.
 */
#pragma once

#include <pango/pangocairo.h>

#include "render/draw.h"

G_BEGIN_DECLS

typedef enum {
  TRC_WEIGHT_NORMAL,
  TRC_WEIGHT_MEDIUM,
  TRC_WEIGHT_BOLD,
  TRC_N_WEIGHTS
} TrcTextWeight;

/* One shaped line of text, at a size of TRC_TEXT_BASE; scales linearly, since
 * metrics are not hinted. */
typedef struct {
  char *text; /* what is shown: perhaps cut, with an ellipsis */
  PangoLayout *layout;
  double w, h, baseline; /* at TRC_TEXT_BASE */
} TrcShaped;

#define TRC_TEXT_BASE 16.0

/* @text on one line; with @max_w > 0 (in units of TRC_TEXT_BASE) cut to that
 * width. Borrowed from the painter's cache until the next drawing call. */
const TrcShaped *trc_painter_shape (TrcPainter *self, const char *text, TrcTextWeight weight,
                                    double max_w, TrcDrawStats *stats);

/* Makes room in the cache; called between drawings, never within one. */
void trc_painter_tidy (TrcPainter *self);

/* The families a painter asks for, for the SVG's font-family. Borrowed. */
const char *trc_painter_font (const TrcPainter *self);

typedef struct {
  const TrcShaped *shaped;
  double x;    /* left, middle or right by @align */
  double y;    /* vertical middle */
  double size; /* view units */
  int align;   /* -1 starts at x, 0 centred, +1 ends at x */
  TrcTextWeight weight;
  TrcColour colour;
} TrcPenText;

typedef struct {
  TrcColour fill;   /* alpha 0: none */
  TrcColour stroke; /* alpha 0: none */
  double width;
  double dash; /* length of dashes and gaps; 0: solid */
} TrcPaint;

typedef enum {
  TRC_MARK_RECT, /* with a corner radius */
  TRC_MARK_ELLIPSE,
  TRC_MARK_DIAMOND,
  TRC_MARK_TRIANGLE,
  TRC_MARK_HEXAGON,
} TrcMark;

/* A thread of the weave: a curve and how much of a thread it is, 0..1. */
typedef struct {
  TrcPoint p[4];
  float load;
} TrcThread;

#define TRC_THREAD_WIDTH 0.7 /* where a thread is a stroke */

typedef struct _TrcPen TrcPen;

typedef struct {
  /* Things drawn between begin and end belong together; @id, @klass and @title may be NULL. */
  void (*begin) (TrcPen *self, const char *id, const char *klass, const char *title);
  void (*end) (TrcPen *self);
  void (*mark) (TrcPen *self, TrcMark mark, TrcRect r, double radius, const TrcPaint *paint);
  void (*curve) (TrcPen *self, const TrcPoint p[4], TrcColour colour, double width,
                 double dash);
  void (*line) (TrcPen *self, TrcPoint a, TrcPoint b, TrcColour colour, double width,
                double dash);
  /* @colour over @ground is what any number of crossing threads comes near to. */
  void (*threads) (TrcPen *self, const TrcThread *thread, guint n, TrcColour colour,
                   TrcColour ground);
  void (*text) (TrcPen *self, const TrcPenText *text);
  void (*clip) (TrcPen *self, TrcRect r); /* until the matching end() */
} TrcPenClass;

struct _TrcPen {
  const TrcPenClass *klass;
  TrcPainter *painter;
  TrcDrawStats *stats; /* never NULL */
};

/* A pen that draws on a cairo_t; lives on the caller's stack. */
typedef struct {
  TrcPen base;
  cairo_t *cr;
} TrcCairoPen;

/* Sets up @self to draw on @cr. */
void
trc_cairo_pen_init (TrcCairoPen *self, TrcPainter *painter, cairo_t *cr, TrcDrawStats *stats);

/* Draws threads as one density picture straight into the pixels of the image
 * under @cr; FALSE when it is no image or its matrix turns, nothing drawn then. */
gboolean
trc_threads_to_pixels (cairo_t *cr, const TrcThread *thread, guint n, TrcColour colour);

/* Where threads are strokes: a colour and an opacity for one of @load that add up as
 * the density picture does. */
TrcColour trc_thread_colour (TrcColour colour, TrcColour ground, double load);

/* Everything a part of the drawing needs to know. */
typedef struct {
  TrcPen *pen;
  TrcPainter *painter;
  const TrcScene *scene;
  TrcCamera camera;
  const TrcDrawOptions *opt;
  const TrcTheme *theme;
  TrcDrawStats *stats;
  double zoom;  /* of the camera */
  double pt;    /* view units of one point of text at 100 %, text_scale included */
  TrcRect view; /* the view in scene points */
} TrcDrawing;

/* Fills @self; @pen carries painter and stats. */
void trc_drawing_init (TrcDrawing *self, TrcPen *pen, const TrcScene *scene,
                       const TrcCamera *camera, const TrcDrawOptions *opt);

/* Where a scene point is in the view. */
TrcPoint trc_drawing_point (const TrcDrawing *self, TrcPoint p);

/* Where a scene rectangle is in the view. */
TrcRect trc_drawing_rect (const TrcDrawing *self, TrcRect r);

/* The colour of an edge of this sign. */
TrcColour trc_drawing_sign (const TrcDrawing *self, int sign);

/* Size in view units of a text of @points: at 100 % that, far out a little less,
 * growing with the zoom up to @most times that. */
double trc_drawing_text_size (const TrcDrawing *self, double points, double most);

/* Layer rows are thinned to every 1st, 2nd, 4th, ...: TRUE if this one stays. */
gboolean trc_drawing_row_shown (const TrcDrawing *self, guint row);

/* TRUE when box @index is not searched for (TrcDrawOptions.dimmed). */
gboolean trc_drawing_dimmed (const TrcDrawing *self, gint32 index);

/* The parts of trc_draw_scene() for any pen. */
void trc_paint_scene (const TrcDrawing *self);

/* The parts of trc_draw_overlay() for any pen. */
void trc_paint_overlay (const TrcDrawing *self, guint parts);

/* One box with the text inside it, without a label around it. */
void trc_paint_box (const TrcDrawing *self, gint32 index);

/* One curve at @alpha of its usual opacity and at least @min_width points wide. */
void
trc_paint_curve (const TrcDrawing *self, const TrcCurve *curve, double alpha, double min_width);

/* Places and draws the labels around small shapes, the most important first, none
 * over a box or another label. @boxes: only these (any order), or NULL: all. */
void trc_paint_labels (const TrcDrawing *self, const gint32 *boxes, guint n_boxes);

/* The legend in one or more lines inside a width; @draw FALSE only measures.
 * Returns its height. */
double trc_paint_legend (const TrcDrawing *self, double x, double y, double max_w,
                         gboolean draw, double *used_w);

/* Text at a place, cut to @max_w view units when that is > 0. Returns its width. */
double trc_paint_text (const TrcDrawing *self, const char *text, TrcPenText at, double max_w);

G_END_DECLS
