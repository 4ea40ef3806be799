/* compute/task.h - prompts in pairs: what a model does, and what makes it do something else
 *
 * A task is a list of pairs of a clean and a corrupted prompt of the same length with the
 * right answer and a foil; the metric is logit(answer) - logit(foil) at the last position.
 *
 * File     JSON lines, one pair a line; empty lines are skipped:
 *            {"clean": TEXT, "corrupted": TEXT, "answer": TOKEN, "foil": TOKEN}
 *          TEXT is a string or a list of token ids, TOKEN a string ("Mary", "#5") or an id.
 *          Other members are ignored.
 * Errors   TRC_COMPUTE_ERROR and G_IO_ERROR; one sentence with the file and the line.
 * Threads  immutable; any.
 */
#pragma once

#include "compute/model.h"

G_BEGIN_DECLS

typedef struct {
  gint32 *clean, *corrupted; /* n_tokens ids each */
  guint n_tokens;
  gint32 answer, foil;
} TrcTaskPair;

typedef struct _TrcTask TrcTask;

/* Reads a task file for @model. NULL with @error set; a task has at least one pair. */
TrcTask *
trc_task_read (TrcModel *model, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from memory; @name stands for the file in messages. */
TrcTask *trc_task_parse (TrcModel *model, const char *text, gsize length, const char *name,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees; NULL is fine. */
void trc_task_free (TrcTask *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTask, trc_task_free)

/* The pairs, @n of them. Borrowed. */
const TrcTaskPair *trc_task_pairs (const TrcTask *self, guint *n);

/* A short name: the file's without its folder and ending. Borrowed. */
const char *trc_task_name (const TrcTask *self);

G_END_DECLS
