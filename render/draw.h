/* render/draw.h - one pure function from scene, camera and options to cairo
 *
 * The window, PNG and PDF draw through these calls; the SVG writer runs the
 * same drawing code with another pen (render/page.h), so all show one picture.
 *
 * Three parts, so that a window can keep the dear one:
 *   trc_draw_scene      the picture; keep it, move it, repaint it in a worker
 *   trc_draw_overlay    what is pinned to the view: layer labels at the left,
 *                       tokens at the bottom, legend, scores; cheap
 *   trc_draw_highlight  hover and selection with signed neighbours; cheap
 * Typical frame: blit of the kept picture, then overlay and highlight.
 *
 * Units    the cairo_t is in view units (see render/camera.h) when called; its
 *          matrix may scale (HiDPI) and translate, nothing else.
 * Threads  a TrcPainter holds fonts and shaped labels and is used by one thread
 *          at a time; it may move between threads. Scenes are shared freely.
 * Errors   none: cairo keeps its own status.
 */
#pragma once

#include <cairo.h>

#include "render/camera.h"
#include "render/scene.h"
#include "render/theme.h"

G_BEGIN_DECLS

typedef struct _TrcPainter TrcPainter;

/* @font is a Pango family list, NULL for the default ("Inter, Cantarell, ...,
 * sans-serif"). About 15 ms for the first one in a process. */
TrcPainter *trc_painter_new (const char *font);

/* Frees the painter and its labels. Accepts NULL. */
void trc_painter_free (TrcPainter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPainter, trc_painter_free)

/* Width of one line of @text in points at a size of @points, for making boxes
 * that hold their label. */
double
trc_painter_text_width (TrcPainter *self, const char *text, double points, gboolean bold);

typedef struct {
  double w, h;           /* the view, device units */
  double unit;           /* device units of a point at 100 %: 96/72 on screen, 1 on a page */
  double text_scale;     /* 1; presenter mode up to 2.5 */
  const TrcTheme *theme; /* borrowed */
  gboolean ground;       /* paint the canvas colour first */
  gboolean weave;        /* draw the weak bulk */
  gboolean labels;       /* draw labels around small shapes */
  double edge_floor;     /* curves of a smaller strength are faded (slider preview); 0 */
  const guint8 *dimmed;  /* one byte a box: 1 = faded (search misses), or NULL */
} TrcDrawOptions;

/* The part of the overlay to draw. */
typedef enum {
  TRC_OVERLAY_ROWS = 1 << 0,   /* layer labels along the left edge */
  TRC_OVERLAY_TOKENS = 1 << 1, /* token chips along the lower edge when out of view */
  TRC_OVERLAY_LEGEND = 1 << 2, /* panel at the top left */
  TRC_OVERLAY_SCORES = 1 << 3, /* chip above the legend */
  TRC_OVERLAY_ALL = 0xf,
} TrcOverlayParts;

/* What a call has done: for tests and for the bench, so that work is asserted
 * and not time. Calls add to it. */
typedef struct {
  guint boxes_drawn;
  guint boxes_culled;
  guint curves_stroked; /* by cairo */
  guint threads_drawn;  /* weave, by the pixel loop */
  guint labels_placed;
  guint labels_dropped; /* no room */
  guint labels_shaped;  /* Pango layouts made: label cache misses */
} TrcDrawStats;

/* Sensible values: unit 96/72, everything on, no ground. */
void trc_draw_options_init (TrcDrawOptions *self, const TrcTheme *theme, double w, double h);

/* The insets of trc_camera_fit() that leave room for layer labels and tokens. */
TrcInsets trc_draw_insets (const TrcScene *scene, const TrcDrawOptions *opt);

/* Draws what meets the view. @painter and @stats may be NULL. Same input, same
 * pixels, on any thread. Saves and restores @cr. */
void trc_draw_scene (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                     const TrcDrawOptions *opt, cairo_t *cr, TrcDrawStats *stats);

/* Draws the pinned parts named by @parts (TrcOverlayParts). */
void trc_draw_overlay (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                       const TrcDrawOptions *opt, guint parts, cairo_t *cr,
                       TrcDrawStats *stats);

typedef struct {
  gint32 hovered;         /* box under the pointer or -1 */
  gint32 hovered_curve;   /* curve under the pointer or -1 */
  const gint32 *selected; /* boxes */
  guint n_selected;
  guint max_curves;    /* signed neighbours drawn for each box; 0 = 40 */
  gboolean focus_ring; /* keyboard focus: a second ring around the first selected box */
  double veil;         /* 0..1: how far the picture below is faded first; 0 = not */
} TrcHighlight;

/* Draws rings around the boxes of @hl, their strongest curves in sign colours
 * above the picture, their neighbours and those neighbours' labels. */
void trc_draw_highlight (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                         const TrcDrawOptions *opt, const TrcHighlight *hl, cairo_t *cr,
                         TrcDrawStats *stats);

/* A small map of the whole scene inside @area (view units) with the rectangle
 * that @camera shows; for the corner of a window. */
void trc_draw_minimap (const TrcScene *scene, const TrcCamera *camera,
                       const TrcDrawOptions *opt, TrcRect area, cairo_t *cr);

/* The scene point under @at (view units) of a minimap drawn into @area. */
TrcPoint trc_minimap_to_scene (const TrcScene *scene, TrcRect area, TrcPoint at);

G_END_DECLS
