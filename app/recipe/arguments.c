/* The command line of a step, made from its table; GOption does the reading and the help. */
#include "app/recipe.h"
#include "app/error.h"

#include <string.h>

/* What one parse needs while GOption calls back. */
typedef struct {
  TrcRecipeValues *values;
  guint n_positional; /* taken so far */
} Parse;

static const TrcRecipeField *
find_flag (const TrcRecipe *recipe, const char *flag)
{
  for (const TrcRecipeField *field = recipe->fields; field->name != NULL; field++)
    {
      if ((field->flags & TRC_FIELD_POSITIONAL) != 0)
        continue;
      if (g_str_has_prefix (flag, "--") ? strcmp (flag + 2, field->name) == 0
                                        : field->letter != 0 && flag[1] == field->letter)
        return field;
    }
  g_assert_not_reached ();
}

static gboolean
take_flag (const char *flag, const char *text, gpointer data, GError **error)
{
  Parse *parse = data;
  const TrcRecipeField *field = find_flag (trc_recipe_values_recipe (parse->values), flag);

  return trc_recipe_values_set (parse->values, field->name, text, error);
}

/* The positional field number @n; the last one takes all the rest when it is a list. */
static const TrcRecipeField *
positional (const TrcRecipe *recipe, guint n)
{
  guint seen = 0;

  for (const TrcRecipeField *field = recipe->fields; field->name != NULL; field++)
    {
      if ((field->flags & TRC_FIELD_POSITIONAL) == 0)
        continue;
      if (seen == n || field->kind == TRC_FIELD_LIST)
        return field;
      seen++;
    }
  return NULL;
}

static gboolean
take_positional (const char *flag, const char *text, gpointer data, GError **error)
{
  Parse *parse = data;
  const TrcRecipe *recipe = trc_recipe_values_recipe (parse->values);
  const TrcRecipeField *field = positional (recipe, parse->n_positional++);

  if (field == NULL)
    {
      g_autofree char *shown = g_utf8_make_valid (text, -1);

      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                   "“%s” is one argument too many for %s.", shown, recipe->name);
      return FALSE;
    }
  return trc_recipe_values_set (parse->values, field->name, text, error);
}

static const char *
value_word (const TrcRecipeField *field)
{
  static const char *const words[] = {
    [TRC_FIELD_STRING] = "TEXT", [TRC_FIELD_INT] = "N",     [TRC_FIELD_DOUBLE] = "X",
    [TRC_FIELD_BOOL] = NULL,     [TRC_FIELD_ENUM] = "WORD", [TRC_FIELD_FILE] = "FILE",
    [TRC_FIELD_LIST] = "TEXT"
  };

  return field->value != NULL ? field->value : words[field->kind];
}

/* Help of a field with its choices, whether it repeats, and its default. */
static char *
describe (const TrcRecipeField *field)
{
  GString *text = g_string_new (field->help);

  if (field->choices != NULL)
    {
      g_autofree char *words = g_strjoinv (", ", (char **)field->choices);
      g_string_append_printf (text, ": %s", words);
    }
  if (field->kind == TRC_FIELD_LIST)
    g_string_append (text, "; may be repeated");
  if (field->initial != NULL)
    g_string_append_printf (text, " (default %s)", field->initial);
  return g_string_free (text, FALSE);
}

static void
add_flag (GOptionGroup *group, const TrcRecipeField *field, GPtrArray *strings)
{
  char *text = describe (field);
  GOptionEntry entries[2] = {
    { field->name, field->letter,
      field->kind == TRC_FIELD_BOOL ? G_OPTION_FLAG_NO_ARG : G_OPTION_FLAG_FILENAME,
      G_OPTION_ARG_CALLBACK, (gpointer)take_flag, text, value_word (field) },
    { NULL }
  };

  g_ptr_array_add (strings, text);
  g_option_group_add_entries (group, entries);
}

/* "MODEL [FILE]" */
static char *
usage_line (const TrcRecipe *recipe)
{
  GString *text = g_string_new (NULL);

  for (const TrcRecipeField *field = recipe->fields; field->name != NULL; field++)
    {
      gboolean required = (field->flags & TRC_FIELD_REQUIRED) != 0;

      if ((field->flags & TRC_FIELD_POSITIONAL) != 0)
        g_string_append_printf (text, "%s%s%s%s%s", text->len > 0 ? " " : "",
                                required ? "" : "[", value_word (field),
                                field->kind == TRC_FIELD_LIST ? "…" : "", required ? "" : "]");
    }
  return g_string_free (text, FALSE);
}

/* One line for each positional field, between the summary and the options. */
static char *
summary_text (const TrcRecipe *recipe)
{
  GString *text = g_string_new (recipe->summary);

  g_string_append (text, ".");
  for (const TrcRecipeField *field = recipe->fields; field->name != NULL; field++)
    if ((field->flags & TRC_FIELD_POSITIONAL) != 0)
      {
        g_autofree char *help = describe (field);
        g_string_append_printf (text, "\n  %s: %s", value_word (field), help);
      }
  return g_string_free (text, FALSE);
}

/* @strings keeps alive what GOption only borrows. */
static GOptionContext *
make_context (const TrcRecipe *recipe, const GOptionEntry *extra, Parse *parse,
              GPtrArray *strings)
{
  static const GOptionEntry rest[] = { { G_OPTION_REMAINING, 0, G_OPTION_FLAG_FILENAME,
                                         G_OPTION_ARG_CALLBACK, (gpointer)take_positional, NULL,
                                         NULL },
                                       { NULL } };
  char *usage = usage_line (recipe);
  g_autofree char *summary = summary_text (recipe);
  GOptionContext *context = g_option_context_new (usage);
  GOptionGroup *group = g_option_group_new ("step", "", "", parse, NULL);

  g_ptr_array_add (strings, usage);
  for (const TrcRecipeField *field = recipe->fields; field->name != NULL; field++)
    if ((field->flags & TRC_FIELD_POSITIONAL) == 0)
      add_flag (group, field, strings);
  if (parse != NULL)
    g_option_group_add_entries (group, rest);
  if (extra != NULL)
    g_option_group_add_entries (group, extra);
  g_option_context_set_main_group (context, group);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, recipe->details);
  return context;
}

gboolean
trc_recipe_values_parse (TrcRecipeValues *self, const char *const *args,
                         const GOptionEntry *extra, GError **error)
{
  Parse parse = { .values = self };
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) wrong = NULL;

  g_autoptr (GOptionContext) context =
      make_context (trc_recipe_values_recipe (self), extra, &parse, strings);
  g_ptr_array_add (all, g_strdup (g_get_prgname ()));
  for (guint i = 0; args[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup (args[i]));
  g_ptr_array_add (all, NULL);

  char **argv = (char **)g_ptr_array_steal (all, NULL);
  gboolean read = g_option_context_parse_strv (context, &argv, &wrong);
  g_strfreev (argv);
  if (read)
    return TRUE;
  if (wrong->domain == G_OPTION_ERROR)
    g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                 "%s; “%s --help” lists the options.", wrong->message, g_get_prgname ());
  else
    g_propagate_error (error, g_steal_pointer (&wrong));
  return FALSE;
}

char *
trc_recipe_help (const TrcRecipe *recipe, const GOptionEntry *extra)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GOptionContext) context = make_context (recipe, extra, NULL, strings);

  return g_option_context_get_help (context, TRUE, NULL);
}
