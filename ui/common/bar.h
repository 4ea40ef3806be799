/* ui/common/bar.h - one horizontal bar, as long as its fraction says
 *
 * The colour is the CSS colour of the node "trcbar" (classes raises, lowers,
 * plain, track). A bar of class "track" is as wide as its full length and shows
 * the rest of it; any other is as wide as its fraction, so that a number can
 * stand right behind it. The number is what assistive technology reads.
 * Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TRC_TYPE_BAR (trc_bar_get_type ())

/* The GObject type. */
G_DECLARE_FINAL_TYPE (TrcBar, trc_bar, TRC, BAR, GtkWidget)

/* A bar of @fraction (0 to 1) of @full_px, with the CSS class @style_class. */
GtkWidget *trc_bar_new (double fraction, int full_px, const char *style_class);

/* How much of the bar is filled, 0 to 1. */
double trc_bar_get_fraction (TrcBar *self);

G_END_DECLS
