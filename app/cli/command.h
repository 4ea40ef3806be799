/* app/cli/command.h - what a command of tracery-cli is made of
 *
 * A command is a file cmd_NAME.c that defines `const TrcCommand trc_cmd_NAME` and one line in
 * commands.inc. Its recipe is the table its flags and help come from; the frame (main.c) adds
 * --json, --progress and --help, reads the arguments, checks them, and calls run().
 *
 * Output   run() prints its result to standard output with trc_cli_print(), or with
 *          trc_cli_print_json() when cli->json is set, and nothing else there. Progress and
 *          notes go to standard error.
 * Errors   run() returns FALSE with a GError; the frame prints its one sentence and ends with
 *          2 for TRC_APP_ERROR_USAGE, 130 for G_IO_ERROR_CANCELLED and 1 for all others.
 * Threads  Ctrl-C triggers cli->progress.cancellable from a thread of its own.
 */
#pragma once

#include "app/recipe.h"
#include "compute/progress.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
  gboolean json;        /* the result is wanted as JSON */
  TrcProgress progress; /* hand it to every long call */
} TrcCli;

typedef struct {
  const TrcRecipe *recipe;
  gboolean (*run) (const TrcRecipeValues *values, TrcCli *cli, GError **error);
} TrcCommand;

/* Prints to standard output; a full disk is noticed at the end, by trc_console_finish(). */
void trc_cli_print (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Prints one JSON document, indented, with a final newline. @root is borrowed. */
void trc_cli_print_json (JsonNode *root);

/* Adds a member whose value is @number, or null where JSON has no word for it (NaN, infinity).
 * @name NULL adds an element to an array. */
void trc_cli_add_number (JsonBuilder *builder, const char *name, double number);

/* Adds a member that counts something. */
void trc_cli_add_count (JsonBuilder *builder, const char *name, guint64 count);

/* One line on standard error, for what a person should know though nothing failed. */
void trc_cli_note (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Makes the console ready: Ctrl-C cancels (a second one ends the program at once), progress is
 * drawn when standard error is a terminal or @want_progress. Once per process. */
void trc_console_start (TrcCli *cli, gboolean want_progress);

/* Takes the progress line off the terminal and flushes; FALSE when the output was not written.
 */
gboolean trc_console_finish (GError **error);

G_END_DECLS
