/* ui/inspector/rows.h - the building blocks of the inspector
 *
 * Private to ui/inspector.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/digest.h"

G_BEGIN_DECLS

/* A link as name, signed bar and number; @strongest is the share that fills the bar. */
GtkWidget *trc_link_row_new (const TrcLinkFact *link, double strongest);

/* A predicted token with its probability on a track. */
GtkWidget *trc_prediction_row_new (const TrcPrediction *prediction);

/* A name and a number in one line. */
GtkWidget *trc_fact_row_new (const char *name, const char *value);

/* The prompt's tokens, tinted by how strongly @facts fires at each. */
GtkWidget *trc_fires_new (const TrcFacts *facts);

G_END_DECLS
