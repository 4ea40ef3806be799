/* ui/canvas/canvas.h - the widget that shows a scene: zoom, pan, hover, select
 *
 * The scene is painted in a worker (ui/canvas/picture.h); the widget moves the
 * kept picture, and draws what is pinned to the view and what is lit up over it.
 *
 * Signals  select (kind, id, add)   a click or an arrow key; kind -1: nothing
 *          activate (kind, id)      double click or Enter
 *          camera-changed           zoom, place or trail
 * Actions  canvas.zoom-in, zoom-out, zoom-fit, zoom-selection, back, forward,
 *          select-next, select-left/right/up/down, activate, clear
 * Units    a zoom of 1 shows type at its typographic size.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/digest.h"
#include "render/draw.h"

G_BEGIN_DECLS

#define TRC_TYPE_CANVAS (trc_canvas_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcCanvas, trc_canvas, TRC, CANVAS, GtkWidget)

/* An empty canvas. */
GtkWidget *trc_canvas_new (void);

/* Shows @scene as soon as it is painted; the old picture stays up until then.
 * With @fresh (another graph) the camera fits it. NULL empties the canvas. */
void trc_canvas_set_scene (TrcCanvas *self, TrcScene *scene, gboolean fresh);

/* Which palette to draw with. */
void trc_canvas_set_dark (TrcCanvas *self, gboolean dark);

/* Pixels at the lower edge that something floats over; kept free of the picture. */
void trc_canvas_set_bottom_inset (TrcCanvas *self, int inset_px);

/* Rings around these, the first one with the focus ring. */
void trc_canvas_set_selection (TrcCanvas *self, const TrcRef *refs, guint n);

/* Fades every box that is not one of @refs (search); NULL shows all again. */
void trc_canvas_set_hits (TrcCanvas *self, const TrcRef *refs, guint n);

/* One line for assistive technology: what the picture shows. */
void trc_canvas_set_summary (TrcCanvas *self, const char *summary);

/* The scene on show, which may lag behind the one that was set; borrowed. */
TrcScene *trc_canvas_get_scene (TrcCanvas *self);

/* Zoom, 1 = 100 %. */
double trc_canvas_get_zoom (TrcCanvas *self);

/* The camera as it is now. */
TrcCamera trc_canvas_get_camera (TrcCanvas *self);

/* Puts the camera somewhere, without flight. */
void trc_canvas_set_camera (TrcCanvas *self, TrcCamera camera);

/* Zooms by @factor around the pointer, or the middle. */
void trc_canvas_zoom (TrcCanvas *self, double factor);

/* Flies to where everything is seen. */
void trc_canvas_zoom_fit (TrcCanvas *self);

/* Flies to the selection and its neighbours. */
void trc_canvas_zoom_selection (TrcCanvas *self);

/* Goes back, or forward, along the trail of camera places. */
void trc_canvas_go (TrcCanvas *self, gboolean forward);

/* Whether trc_canvas_go() would go anywhere. */
gboolean trc_canvas_can_go (TrcCanvas *self, gboolean forward);

/* Moves the selection to the neighbour in a direction. */
void trc_canvas_step (TrcCanvas *self, int dx, int dy);

/* Pictures painted in the worker, and frames drawn from them: what tests and the
 * bench count. */
void trc_canvas_counts (TrcCanvas *self, guint *n_painted, guint *n_frames);

G_END_DECLS
