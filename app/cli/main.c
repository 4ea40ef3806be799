/* tracery-cli: finds the command, reads its arguments, runs it, and turns the outcome into an
 * exit status: 0 done, 1 failed with a sentence, 2 wrong usage, 130 cancelled. */
#include "app/cli/command.h"
#include "app/error.h"

#include <gio/gio.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM "tracery-cli"

#define COMMAND(name) extern const TrcCommand trc_cmd_##name;
#include "app/cli/commands.inc"
#undef COMMAND

#define COMMAND(name) &trc_cmd_##name,
static const TrcCommand *const commands[] = {
#include "app/cli/commands.inc"
  NULL
};
#undef COMMAND

typedef struct {
  gboolean json, progress, help;
} FrameFlags;

static gboolean
ends_sentence (const char *text)
{
  return g_str_has_suffix (text, ".") || g_str_has_suffix (text, "!")
         || g_str_has_suffix (text, "?");
}

static int
fail (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      fputs ("Cancelled.\n", stderr);
      return 130;
    }
  /* What a library says may lack its full stop. */
  fprintf (stderr, "%s%s\n", error->message, ends_sentence (error->message) ? "" : ".");
  return g_error_matches (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE) ? 2 : 1;
}

/* How many of @args spell the command's name (one or two words); 0 when they do not. */
static guint
words_matched (const TrcCommand *command, const char *const *args)
{
  g_auto (GStrv) words = g_strsplit (command->recipe->name, " ", -1);
  guint n = 0;

  while (words[n] != NULL && args[n] != NULL && strcmp (words[n], args[n]) == 0)
    n++;
  return words[n] == NULL ? n : 0;
}

static const TrcCommand *
find_command (const char *const *args, guint *n_words)
{
  const TrcCommand *found = NULL;

  *n_words = 0;
  for (guint i = 0; commands[i] != NULL; i++)
    {
      guint n = words_matched (commands[i], args);

      if (n > *n_words)
        {
          *n_words = n;
          found = commands[i];
        }
    }
  return found;
}

/* The commands whose names begin with @prefix, one a line. */
static char *
list_commands (const char *prefix)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; commands[i] != NULL; i++)
    if (g_str_has_prefix (commands[i]->recipe->name, prefix))
      g_string_append_printf (text, "  %-18s %s\n", commands[i]->recipe->name,
                              commands[i]->recipe->summary);
  return g_string_free (text, FALSE);
}

static void
print_help (FILE *file)
{
  g_autofree char *list = list_commands ("");

  fprintf (file,
           "Usage:\n"
           "  " PROGRAM " COMMAND [OPTION…]\n\n"
           "Traces what a language model computes, and draws it.\n\n"
           "Commands:\n%s\n"
           "“" PROGRAM " COMMAND --help” tells more. Every command takes --json.\n"
           "Exit status: 0 done, 1 failed, 2 wrong usage, 130 cancelled.\n",
           list);
}

/* The first word of a pair ("train") or nothing known. */
static int
no_such_command (const char *const *args)
{
  g_autofree char *prefix = g_strconcat (args[0], " ", NULL);
  g_autofree char *list = list_commands (prefix);
  g_autofree char *shown = g_utf8_make_valid (args[0], -1);

  if (*list == '\0')
    fprintf (stderr, "There is no command “%s”; “" PROGRAM " --help” lists them.\n", shown);
  else if (args[1] != NULL && strcmp (args[1], "--help") == 0)
    {
      printf ("Commands:\n%s", list);
      return 0;
    }
  else
    fprintf (stderr, "“%s” needs a second word; “" PROGRAM " %s --help” lists them.\n", shown,
             shown);
  return 2;
}

static gboolean
run_parsed (const TrcCommand *command, const TrcRecipeValues *values, const FrameFlags *flags,
            GError **error)
{
  TrcCli cli = { .json = flags->json };

  if (!trc_recipe_values_check (values, error))
    return FALSE;
  trc_console_start (&cli, flags->progress);
  gboolean done = command->run (values, &cli, error);
  gboolean written = trc_console_finish (done ? error : NULL);
  g_object_unref (cli.progress.cancellable);
  return done && written;
}

static int
run_command (const TrcCommand *command, const char *const *args)
{
  FrameFlags flags = { 0 };
  const GOptionEntry extra[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &flags.json, "Print the result as JSON", NULL },
    { "progress", 0, 0, G_OPTION_ARG_NONE, &flags.progress,
      "Report progress even when standard error is not a terminal", NULL },
    { "help", 'h', 0, G_OPTION_ARG_NONE, &flags.help, "Print this help", NULL },
    { NULL },
  };
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (command->recipe);
  g_autofree char *program = g_strconcat (PROGRAM, " ", command->recipe->name, NULL);
  g_autoptr (GError) error = NULL;

  g_set_prgname (program);
  if (!trc_recipe_values_parse (values, args, extra, &error))
    return fail (error);
  if (flags.help)
    {
      g_autofree char *help = trc_recipe_help (command->recipe, extra);
      fputs (help, stdout);
      return 0;
    }
  return run_parsed (command, values, &flags, &error) ? 0 : fail (error);
}

int
main (int argc, char **argv)
{
  const char *const *args = (const char *const *)argv + 1;
  guint n_words;

  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C"); /* figures are read by programs too */
  g_set_prgname (PROGRAM);
  if (argc < 2)
    {
      print_help (stderr);
      return 2;
    }
  if (strcmp (args[0], "--version") == 0)
    {
      puts (PROGRAM " " TRC_VERSION);
      return 0;
    }
  if (strcmp (args[0], "--help") == 0 || strcmp (args[0], "-h") == 0
      || strcmp (args[0], "help") == 0)
    {
      print_help (stdout);
      return 0;
    }
  const TrcCommand *command = find_command (args, &n_words);
  return command != NULL ? run_command (command, args + n_words) : no_such_command (args);
}
