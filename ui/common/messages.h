/* ui/common/messages.h - the bar that says one sentence and goes away
 *
 * Errors stay until closed or replaced; notes leave after a few seconds. There
 * are no modal message boxes in the program. Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TRC_TYPE_MESSAGES (trc_messages_get_type ())

/* The GObject type; the property "text" is the sentence shown, or "". */
G_DECLARE_FINAL_TYPE (TrcMessages, trc_messages, TRC, MESSAGES, GtkWidget)

/* An empty, invisible bar. */
GtkWidget *trc_messages_new (void);

/* Shows @sentence; an error stays, a note leaves after some seconds. */
void trc_messages_show (TrcMessages *self, const char *sentence, gboolean is_error);

/* The sentence on show, or "". Borrowed. */
const char *trc_messages_get_text (TrcMessages *self);

G_END_DECLS
