/* app/outline.h - the drawing as a tree: what a keyboard and a screen reader walk
 *
 * The same things as on the canvas: the whole prompt, below it the supernodes
 * of the file (or layers by kind), below these their nodes, each with its
 * share of the influence, largest first.
 *
 * Threads  built in a worker, then owned by the main thread.
 */
#pragma once

#include <gio/gio.h>

#include "app/digest.h"

G_BEGIN_DECLS

#define TRC_TYPE_OUTLINE_ITEM (trc_outline_item_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcOutlineItem, trc_outline_item, TRC, OUTLINE_ITEM, GObject)

/* The tree for what @scene shows of @digest: a list with one item, the root. */
GListModel *
trc_outline_new (const TrcDigest *digest, const TrcScene *scene) G_GNUC_WARN_UNUSED_RESULT;

/* The name; borrowed. */
const char *trc_outline_item_get_label (TrcOutlineItem *self);

/* Share of the influence, or NAN. */
double trc_outline_item_get_share (TrcOutlineItem *self);

/* What it stands for; FALSE for a row that only groups others. */
gboolean trc_outline_item_get_ref (TrcOutlineItem *self, TrcRef *ref);

/* The rows below, or NULL for a leaf; borrowed. */
GListModel *trc_outline_item_get_children (TrcOutlineItem *self);

G_END_DECLS
