/* ui/canvas/picture.h - the kept picture of a scene, painted in a worker
 *
 * A TrcPicture is the scene as one camera saw it: the view and a margin around
 * it. While a person pans or zooms, the picture is moved and scaled; a new one
 * is painted meanwhile. At most one is being painted; what is asked for in the
 * meantime replaces what waited.
 *
 * Units    view units are the widget's pixels (unscaled).
 * Threads  main thread; painting happens in the maker's own thread.
 * Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

#include "render/draw.h"

G_BEGIN_DECLS

#define TRC_PICTURE_MARGIN 256 /* pixels around the view that are painted too */

/* Everything a picture depends on; a new one is due when any of it changes. */
typedef struct {
  TrcScene *scene;
  TrcCamera camera;
  int w, h;  /* the view */
  int scale; /* device pixels a pixel */
  TrcTheme theme;
  GBytes *dimmed; /* see TrcDrawOptions, or NULL */
} TrcPictureSpec;

typedef struct {
  TrcPictureSpec spec;
  cairo_surface_t *surface; /* view and margin, device scale set */
  TrcDrawStats stats;
} TrcPicture;

/* Frees a picture; NULL is fine. */
void trc_picture_free (TrcPicture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPicture, trc_picture_free)

/* Where the picture's top left corner stands in a view seen by @camera, and how
 * much it is magnified. At the same zoom the corner falls on whole device pixels. */
void trc_picture_place (const TrcPicture *self, const TrcCamera *camera, int w, int h,
                        double *x, double *y, double *magnify);

/* How many pixels of painted margin are left outside the view; negative when the
 * view shows ground that was not painted. */
double trc_picture_margin_left (const TrcPicture *self, const TrcCamera *camera, int w, int h);

/* Whether a picture of @wanted would look different apart from the camera. */
gboolean trc_picture_differs (const TrcPicture *self, const TrcPictureSpec *wanted);

typedef struct _TrcPictureMaker TrcPictureMaker;

/* Called in the main thread with a new picture, which the callee owns. */
typedef void (*TrcPictureReady) (TrcPicture *picture, gpointer data);

/* A maker with its own thread. @font is a Pango family list or NULL. */
TrcPictureMaker *trc_picture_maker_new (const char *font, TrcPictureReady ready, gpointer data);

/* Waits for the picture being painted and frees; NULL is fine. */
void trc_picture_maker_free (TrcPictureMaker *self);

/* Asks for a picture; copies @spec. */
void trc_picture_maker_ask (TrcPictureMaker *self, const TrcPictureSpec *spec);

/* Whether a picture is being painted. */
gboolean trc_picture_maker_is_busy (TrcPictureMaker *self);

/* Number of pictures painted so far. */
guint trc_picture_maker_n_painted (TrcPictureMaker *self);

G_END_DECLS
