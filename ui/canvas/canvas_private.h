/* ui/canvas/canvas_private.h - what the files of the canvas share */
#pragma once

#include "ui/canvas/canvas.h"
#include "ui/canvas/picture.h"
#include "ui/canvas/trail.h"

G_BEGIN_DECLS

#define TRC_UNIT_PX (96.0 / 72.0) /* pixels a point at 100 % */

struct _TrcCanvas {
  GtkWidget parent_instance;

  /* The picture */
  TrcPictureMaker *maker;
  TrcPicture *picture; /* on show */
  GskRenderNode *node; /* the picture as it was drawn last, reused while nothing moves */
  GdkTexture *texture; /* of the picture, on GL */
  TrcPainter *painter; /* for what the main thread draws */
  TrcScene *wanted;    /* the scene that was set; shown once it is painted */
  gboolean fresh;      /* fit the camera when the wanted scene is shown */
  TrcTheme theme;
  GBytes *dimmed;  /* for `wanted` */
  guint settle_id; /* timeout: repaint when the camera has come to rest */
  guint n_frames;

  /* The camera */
  TrcCamera camera;
  gboolean fitted; /* nobody has moved it since the last fit */
  TrcTrail *trail;
  TrcCamera flight_from, flight_to;
  gint64 flight_start_us;
  guint tick_id;
  int bottom_inset_px;
  gboolean placed; /* the camera has been given a place */

  /* What is lit */
  gint32 hovered, hovered_curve;
  GArray *refs;     /* of TrcRef: the selection */
  GArray *selected; /* of gint32: the same as boxes of the shown scene */
  GArray *hits;     /* of TrcRef, or NULL */

  /* The pointer */
  double pointer_x, pointer_y; /* -1: outside */
  double drag_x, drag_y;
  TrcCamera drag_camera;
  gboolean dragging;
  gboolean drag_minimap;
  double pinch_zoom;
  GtkWidget *tip;
  char *summary;
};

/* The size of the view in which pinned things stand: the widget less its bottom inset. */
void trc_canvas_view_size (TrcCanvas *self, double *w, double *h);

/* The camera that shows in the view what the widget's camera shows there. */
TrcCamera trc_canvas_view_camera (TrcCanvas *self);

/* Moves the camera now: draws, repaints when due, tells. */
void trc_canvas_move_camera (TrcCanvas *self, TrcCamera camera);

/* Asks for a new picture if the one on show is not good enough. */
void trc_canvas_consider_repaint (TrcCanvas *self, gboolean settled);

/* Flies to @to, or jumps when animations are off. */
void trc_canvas_fly (TrcCanvas *self, TrcCamera to);

/* Ends a flight where it is. */
void trc_canvas_stop_flight (TrcCanvas *self);

/* The camera that shows all of the scene. */
TrcCamera trc_canvas_fit_camera (TrcCanvas *self, TrcScene *scene);

/* The rectangle of the minimap in widget pixels; FALSE while it is not needed. */
gboolean trc_canvas_minimap_area (TrcCanvas *self, TrcRect *area);

/* Adds the gestures. */
void trc_canvas_init_input (TrcCanvas *self);

/* Looks up what lies under the pointer and lights it. */
void trc_canvas_update_hover (TrcCanvas *self);

/* Puts words into the tooltip and shows it, or hides it. */
void trc_canvas_update_tip (TrcCanvas *self);

/* Finds the boxes of the selection in the shown scene again. */
void trc_canvas_resolve_selection (TrcCanvas *self);

/* Tells assistive technology what is shown and selected. */
void trc_canvas_update_accessible (TrcCanvas *self);

/* Emits "select" for a box of the shown scene (-1: nothing). */
void trc_canvas_emit_select (TrcCanvas *self, gint32 box, gboolean add);

/* Emits "activate" for a box of the shown scene. */
void trc_canvas_emit_activate (TrcCanvas *self, gint32 box);

/* Emits "camera-changed". */
void trc_canvas_emit_camera (TrcCanvas *self);

/* Installs the class actions and their keys. */
void trc_canvas_install_actions (GtkWidgetClass *klass);

G_END_DECLS
