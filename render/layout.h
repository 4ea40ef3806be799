/* render/layout.h - where the nodes of a layered graph stand
 *
 * Two ways, one input: our own layered layout (milliseconds, in this process),
 * and Graphviz dot in the helper process `tracery-layout` (small graphs only;
 * killable, with a deadline and memory limit). Both give middles of nodes;
 * edges are routed by the scene.
 *
 * Shapes   row 0 is the lowest (tokens), the last one the highest (logits).
 * Units    points, y down.
 * Errors   TRC_LAYOUT_ERROR, or G_IO_ERROR_CANCELLED.
 * Threads  pure: any thread.
 */
#pragma once

#include <gio/gio.h>

#include "render/geometry.h"

G_BEGIN_DECLS

typedef enum {
  TRC_LAYOUT_ERROR_TOO_LARGE, /* more than dot is given without being forced */
  TRC_LAYOUT_ERROR_HELPER,    /* tracery-layout is missing or cannot be started */
  TRC_LAYOUT_ERROR_CRASHED,   /* it died, was killed or ran into its limits */
  TRC_LAYOUT_ERROR_TIMEOUT,   /* it missed the deadline and was killed */
  TRC_LAYOUT_ERROR_REPLY,     /* it answered with something else than a layout */
} TrcLayoutError;

#define TRC_LAYOUT_ERROR (trc_layout_error_quark ())

/* The error domain of layouts. */
GQuark trc_layout_error_quark (void);

#define TRC_DOT_MAX_NODES 200
#define TRC_DOT_MAX_EDGES 1000

typedef struct {
  gint32 row;      /* 0 .. n_rows - 1 */
  gint32 last_row; /* >= row: a block that spans rows stands in their middle; = row otherwise */
  gint32 column;   /* 0 .. n_columns - 1, or -1: free, placed by its neighbours */
  double w, h;     /* size of the box with the room its label wants */
  double pull;     /* >= 0: how much its edges move it; 0 counts as 1 */
  gboolean anchored; /* a free node that belongs above the column @anchor */
  double anchor;     /* may lie between two columns, 2.5 */
  gboolean centred;  /* stands in the middle of its column (alone in its cell) */
} TrcLayoutNode;

typedef struct {
  guint32 from, to;
  double weight; /* >= 0 */
} TrcLayoutEdge;

typedef struct {
  const TrcLayoutNode *nodes;
  guint n_nodes;
  const TrcLayoutEdge *edges;
  guint n_edges;
  guint n_rows;
  guint n_columns;
  const double *column_w; /* least width of each column, or NULL */
  double gap_x, gap_y;    /* free room between neighbours; 0 = 8 and 14 points */
  double row_h;           /* least height of a row; 0 = 24 */
  double aspect;          /* width / height to aim at by packing cells; 0 = 1.5 */
} TrcLayoutInput;

typedef struct {
  guint n_nodes;
  TrcPoint *at; /* middles */
  guint n_rows;
  double *row_y, *row_h; /* middle and height */
  guint n_columns;
  double *column_x, *column_w; /* middle and width */
  TrcRect bounds;
  gboolean fell_back; /* dot was asked for and our own layout is what you have */
  char *message;      /* why, one sentence; NULL when nothing is to be said */
  guint sweeps;       /* barycentre sweeps done, for tests */
} TrcLayout;

/* Frees a layout. Accepts NULL. */
void trc_layout_free (TrcLayout *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcLayout, trc_layout_free)

/* Our own layered layout: rows by layer, columns by token, several nodes of one
 * cell packed, order by barycentre sweeps. Deterministic; no two boxes overlap.
 * Returns NULL only when cancelled. */
TrcLayout *
trc_layout_layered (const TrcLayoutInput *in, GCancellable *cancellable, GError **error);

typedef struct {
  double deadline_s;  /* 0 = 5 */
  gboolean force;     /* send even more than TRC_DOT_MAX_NODES or _EDGES */
  const char *helper; /* path of tracery-layout, NULL: searched for */
} TrcDotParams;

/* Graphviz dot in the helper process. @params may be NULL. The helper is gone
 * when this returns, whatever happened. */
TrcLayout *trc_layout_dot (const TrcLayoutInput *in, const TrcDotParams *params,
                           GCancellable *cancellable, GError **error);

/* Dot if it can, else our own layout with fell_back and message set. NULL only
 * when cancelled. */
TrcLayout *trc_layout_dot_or_layered (const TrcLayoutInput *in, const TrcDotParams *params,
                                      GCancellable *cancellable, GError **error);

/* The path of tracery-layout: $TRACERY_LIBEXEC, beside the running program, the
 * build tree, the install prefix, in this order. NULL with @error set. */
char *trc_layout_find_helper (GError **error);

G_END_DECLS
