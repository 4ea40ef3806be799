/* app/cli/prompt.h - what the commands that run a model share: MODEL, prompts, device
 *
 * Errors   those of the compute layer, and TRC_APP_ERROR_USAGE for text that is no list of ids.
 */
#pragma once

#include "app/recipe.h"
#include "compute/model.h"

G_BEGIN_DECLS

/* The ids of a prompt given either as text in field @text or as "1,2,3" in field @numbers; an
 * array of guint32, or NULL with @error set. Empty when neither field was given. */
GArray *trc_cli_read_prompt (const TrcRecipeValues *values, const char *text,
                             const char *numbers, const TrcModel *model,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends the ids of "1,2,3" to @ids (of guint32). */
gboolean trc_cli_parse_ids (const char *text, GArray *ids, GError **error);

G_END_DECLS
