/* render/layout/layout_private.h - what both ways of laying out share
 *
 * Private to render/layout.
 */
#pragma once

#include "render/layout.h"

G_BEGIN_DECLS

/* A layout with room for the nodes, rows and columns of @in, all zero. */
TrcLayout *trc_layout_alloc (const TrcLayoutInput *in);

/* Sets bounds from the places and sizes of the nodes. */
void trc_layout_bound (TrcLayout *self, const TrcLayoutInput *in);

G_END_DECLS
