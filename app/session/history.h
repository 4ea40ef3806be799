/* app/session/history.h - what can be taken back: a stack of named states
 *
 * A state is an immutable GVariant, so a step costs as much as it differs in
 * size and nothing can be half undone. Steps with the same name within a
 * second count as one: a slider is dragged, not clicked a hundred times; a step
 * at a negative time always counts by itself.
 * Private to the session. Main thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TrcHistory TrcHistory;

/* A history whose present state is @state (sunk). */
TrcHistory *trc_history_new (GVariant *state);

/* Frees; NULL is fine. */
void trc_history_free (TrcHistory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcHistory, trc_history_free)

/* The present state is now @state (sunk), reached by @name at @now_us. Returns
 * FALSE, changing nothing, when that is what it was already. */
gboolean trc_history_push (TrcHistory *self, const char *name, GVariant *state, gint64 now_us);

/* Name of the step that undo would take back, or NULL. Borrowed. */
const char *trc_history_undo_name (const TrcHistory *self);

/* Name of the step that redo would do again, or NULL. Borrowed. */
const char *trc_history_redo_name (const TrcHistory *self);

/* Goes back one step and returns the state there (borrowed), or NULL. */
GVariant *trc_history_undo (TrcHistory *self);

/* Goes forward one step and returns the state there (borrowed), or NULL. */
GVariant *trc_history_redo (TrcHistory *self);

G_END_DECLS
