/* ui/common/words.h - small texts: refs as action targets, numbers as people read them
 *
 * Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

#include "app/digest.h"

G_BEGIN_DECLS

/* "node:12", "group:3" or "token:4". Free it. */
char *trc_ref_to_text (TrcRef ref);

/* Reads what trc_ref_to_text() writes. */
gboolean trc_ref_from_text (const char *text, TrcRef *ref);

/* "+0.42" or "−0.03", with a real minus sign. Free it. */
char *trc_signed_text (double value);

/* "98.4 %", "0.02 %", "< 0.01 %". Free it. */
char *trc_percent_text (double fraction);

/* "about 14 s left", "about 3 min left", or NULL while nobody can tell. Free it. */
char *trc_time_left_text (double seconds);

/* A token as it can be read: spaces and line ends made visible. Free it. */
char *trc_token_text (const char *token);

/* A label of the CSS class @style_class, left aligned. */
GtkWidget *trc_label_new (const char *text, const char *style_class);

/* A heading with an optional dim word at its right end. */
GtkWidget *trc_heading_new (const char *text, const char *note);

/* Names @widget for assistive technology and, with @tip, shows the name as tooltip. */
void trc_name_widget (GtkWidget *widget, const char *name, gboolean tip);

G_END_DECLS
