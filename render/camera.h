/* render/camera.h - which part of a scene a view shows
 *
 * Units    scene: points, y down. View: device units (pixels of a widget,
 *          points of a page), origin at its top left. 100 % is the zoom at
 *          which a scene point has its typographic size: 96/72 on an ordinary
 *          screen, 1 on a page.
 */
#pragma once

#include "render/geometry.h"

G_BEGIN_DECLS

typedef struct {
  double cx, cy; /* the scene point in the middle of the view */
  double zoom;   /* device units per point, > 0 */
} TrcCamera;

typedef struct {
  double left, top, right, bottom; /* device units kept free of the picture */
} TrcInsets;

#define TRC_ZOOM_MIN 0.02
#define TRC_ZOOM_MAX 40.0

/* The camera that shows all of @bounds inside a view of @w x @h, less @insets,
 * never closer than @max_zoom. Empty bounds give a camera on their corner. */
TrcCamera
trc_camera_fit (TrcRect bounds, double w, double h, TrcInsets insets, double max_zoom);

/* Zoom by @factor so that the scene point under @at (view units) stays there.
 * Clamped to TRC_ZOOM_MIN and TRC_ZOOM_MAX. */
TrcCamera trc_camera_zoom_at (TrcCamera self, double factor, TrcPoint at, double w, double h);

/* Moves the picture by (@dx, @dy) view units, as a drag does. */
TrcCamera trc_camera_pan (TrcCamera self, double dx, double dy);

/* Where a scene point is in a view of @w x @h. */
TrcPoint trc_camera_to_view (TrcCamera self, TrcPoint p, double w, double h);

/* The scene point under a point of a view of @w x @h. */
TrcPoint trc_camera_to_scene (TrcCamera self, TrcPoint p, double w, double h);

/* The part of the scene that a view of @w x @h shows. */
TrcRect trc_camera_visible (TrcCamera self, double w, double h);

/* The camera a part @t (0..1) of the way from @a to @b; zoom moves by ratio,
 * so that a flight looks even. */
TrcCamera trc_camera_mix (TrcCamera a, TrcCamera b, double t);

G_END_DECLS
