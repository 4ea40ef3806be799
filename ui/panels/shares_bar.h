/* ui/panels/shares_bar.h - the two sliders below the canvas: node share, link share
 */
#pragma once

#include <gtk/gtk.h>

#include "app/session.h"

G_BEGIN_DECLS

/* A pill with both sliders that leads and follows @session. */
GtkWidget *trc_shares_bar_new (TrcSession *session);

G_END_DECLS
