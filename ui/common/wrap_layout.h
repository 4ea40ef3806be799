/* ui/common/wrap_layout.h - children in lines, broken where the width ends
 *
 * What words do in a paragraph, for widgets: used for rows of tokens.
 * Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TRC_TYPE_WRAP_LAYOUT (trc_wrap_layout_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcWrapLayout, trc_wrap_layout, TRC, WRAP_LAYOUT, GtkLayoutManager)

/* A layout with @gap_px between children of a line and @line_gap_px between lines. */
GtkLayoutManager *trc_wrap_layout_new (int gap_px, int line_gap_px);

/* A box whose children wrap, ready for use. */
GtkWidget *trc_wrap_box_new (int gap_px, int line_gap_px);

/* Takes every child out of @box. */
void trc_wrap_box_clear (GtkWidget *box);

G_END_DECLS
