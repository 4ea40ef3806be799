/* ui/canvas/trail.h - where the camera has been: back and forward
 *
 * Like a browser's history: a jump puts a new place behind the present one and
 * forgets what lay forward. Small moves change the present place.
 * Private to ui.
 */
#pragma once

#include "render/camera.h"

G_BEGIN_DECLS

typedef struct _TrcTrail TrcTrail;

/* An empty trail. */
TrcTrail *trc_trail_new (void);

/* Frees; NULL is fine. */
void trc_trail_free (TrcTrail *self);

/* Forgets everything and begins at @camera. */
void trc_trail_reset (TrcTrail *self, TrcCamera camera);

/* The present place has moved a little to @camera. */
void trc_trail_move (TrcTrail *self, TrcCamera camera);

/* A jump to @camera: the present place can be gone back to. */
void trc_trail_jump (TrcTrail *self, TrcCamera camera);

/* The place before; FALSE when there is none. */
gboolean trc_trail_back (TrcTrail *self, TrcCamera *camera);

/* The place after; FALSE when there is none. */
gboolean trc_trail_forward (TrcTrail *self, TrcCamera *camera);

/* Whether trc_trail_back() would go anywhere. */
gboolean trc_trail_can_back (const TrcTrail *self);

/* Whether trc_trail_forward() would go anywhere. */
gboolean trc_trail_can_forward (const TrcTrail *self);

G_END_DECLS
