#include "app/recipe.h"
#include "app/error.h"

#include <math.h>
#include <string.h>

typedef struct {
  gboolean given;
  char *text;      /* as typed; of a string, enum or file */
  gint64 whole;    /* int, bool, index of an enum */
  double real;     /* double */
  GPtrArray *list; /* list, always ending in NULL */
} Value;

struct _TrcRecipeValues {
  const TrcRecipe *recipe;
  guint n_fields;
  Value *values;
};

static guint
field_index (const TrcRecipe *recipe, const char *name)
{
  guint i = 0;

  while (recipe->fields[i].name != NULL && strcmp (recipe->fields[i].name, name) != 0)
    i++;
  if (recipe->fields[i].name == NULL)
    g_error ("The step “%s” has no field “%s”.", recipe->name, name);
  return i;
}

/* How a sentence names the field: MODEL for a positional one, --node-share otherwise. */
static char *
field_title (const TrcRecipeField *field)
{
  if ((field->flags & TRC_FIELD_POSITIONAL) == 0)
    return g_strconcat ("--", field->name, NULL);
  return field->value != NULL ? g_strdup (field->value) : g_ascii_strup (field->name, -1);
}

static gboolean
refuse (const TrcRecipeField *field, const char *wants, const char *text, GError **error)
{
  g_autofree char *title = field_title (field);
  g_autofree char *shown = g_utf8_make_valid (text, -1);

  g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "%s wants %s, not “%s”.", title,
               wants, shown);
  return FALSE;
}

static gboolean
has_range (const TrcRecipeField *field)
{
  return field->min != 0 || field->max != 0;
}

static gboolean
set_int (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  gint64 low = has_range (field) ? (gint64)field->min : G_MININT64;
  gint64 high = has_range (field) ? (gint64)field->max : G_MAXINT64;

  if (g_ascii_string_to_signed (text, 10, low, high, &value->whole, NULL))
    return TRUE;
  if (!has_range (field))
    return refuse (field, "a whole number", text, error);
  g_autofree char *wants = g_strdup_printf (
      "a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, low, high);
  return refuse (field, wants, text, error);
}

static gboolean
set_double (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  char *end = NULL;
  double number = g_ascii_strtod (text, &end);
  gboolean well_formed = end != text && *end == '\0' && isfinite (number);

  if (well_formed && (!has_range (field) || (number >= field->min && number <= field->max)))
    {
      value->real = number;
      return TRUE;
    }
  if (!has_range (field))
    return refuse (field, "a number", text, error);
  g_autofree char *wants = g_strdup_printf ("a number from %g to %g", field->min, field->max);
  return refuse (field, wants, text, error);
}

static gboolean
set_bool (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  value->whole = text == NULL || strcmp (text, "true") == 0;
  if (text == NULL || value->whole || strcmp (text, "false") == 0)
    return TRUE;
  return refuse (field, "true or false", text, error);
}

static gboolean
set_enum (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  for (guint i = 0; field->choices[i] != NULL; i++)
    if (strcmp (field->choices[i], text) == 0)
      {
        value->whole = i;
        g_free (value->text);
        value->text = g_strdup (text);
        return TRUE;
      }
  g_autofree char *words = g_strjoinv (", ", (char **)field->choices);
  g_autofree char *wants = g_strconcat ("one of ", words, NULL);
  return refuse (field, wants, text, error);
}

static gboolean
set_text (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  if (field->kind != TRC_FIELD_FILE && !g_utf8_validate (text, -1, NULL))
    return refuse (field, "UTF-8 text", text, error);
  if (field->kind == TRC_FIELD_FILE && *text == '\0')
    return refuse (field, "a file name", text, error);
  g_free (value->text);
  value->text = g_strdup (text);
  return TRUE;
}

static gboolean
append_text (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  if (!g_utf8_validate (text, -1, NULL))
    return refuse (field, "UTF-8 text", text, error);
  g_ptr_array_insert (value->list, (int)value->list->len - 1, g_strdup (text));
  return TRUE;
}

static gboolean
set_value (const TrcRecipeField *field, Value *value, const char *text, GError **error)
{
  switch (field->kind)
    {
    case TRC_FIELD_INT:
      return set_int (field, value, text, error);
    case TRC_FIELD_DOUBLE:
      return set_double (field, value, text, error);
    case TRC_FIELD_BOOL:
      return set_bool (field, value, text, error);
    case TRC_FIELD_ENUM:
      return set_enum (field, value, text, error);
    case TRC_FIELD_LIST:
      return append_text (field, value, text, error);
    case TRC_FIELD_STRING:
    case TRC_FIELD_FILE:
      return set_text (field, value, text, error);
    }
  g_assert_not_reached ();
}

TrcRecipeValues *
trc_recipe_values_new (const TrcRecipe *recipe)
{
  TrcRecipeValues *self = g_new0 (TrcRecipeValues, 1);

  self->recipe = recipe;
  while (recipe->fields[self->n_fields].name != NULL)
    self->n_fields++;
  self->values = g_new0 (Value, self->n_fields);
  for (guint i = 0; i < self->n_fields; i++)
    {
      const TrcRecipeField *field = &recipe->fields[i];
      g_autoptr (GError) error = NULL;

      if (field->kind == TRC_FIELD_ENUM)
        self->values[i].whole = -1;
      self->values[i].list = g_ptr_array_new_with_free_func (g_free);
      g_ptr_array_add (self->values[i].list, NULL);
      if (field->initial != NULL
          && !set_value (field, &self->values[i], field->initial, &error))
        g_error ("The default of a field of “%s” is wrong: %s", recipe->name, error->message);
    }
  return self;
}

void
trc_recipe_values_free (TrcRecipeValues *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < self->n_fields; i++)
    {
      g_free (self->values[i].text);
      g_ptr_array_unref (self->values[i].list);
    }
  g_free (self->values);
  g_free (self);
}

const TrcRecipe *
trc_recipe_values_recipe (const TrcRecipeValues *self)
{
  return self->recipe;
}

gboolean
trc_recipe_values_set (TrcRecipeValues *self, const char *name, const char *text,
                       GError **error)
{
  guint i = field_index (self->recipe, name);

  g_return_val_if_fail (text != NULL || self->recipe->fields[i].kind == TRC_FIELD_BOOL, FALSE);

  if (!set_value (&self->recipe->fields[i], &self->values[i], text, error))
    return FALSE;
  self->values[i].given = TRUE;
  return TRUE;
}

/* "--prompt or --ids" */
static char *
rule_titles (const TrcRecipe *recipe, const TrcRecipeRule *rule)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; rule->fields[i] != NULL; i++)
    {
      g_autofree char *title =
          field_title (&recipe->fields[field_index (recipe, rule->fields[i])]);
      const char *joint = rule->fields[i + 1] == NULL ? " or " : ", ";

      g_string_append_printf (text, "%s%s", i == 0 ? "" : joint, title);
    }
  return g_string_free (text, FALSE);
}

static gboolean
check_rule (const TrcRecipeValues *self, const TrcRecipeRule *rule, GError **error)
{
  g_autofree char *titles = rule_titles (self->recipe, rule);
  guint n_given = 0;

  if (rule->kind == TRC_RULE_NEEDS)
    {
      if (!trc_recipe_values_given (self, rule->fields[0])
          || trc_recipe_values_given (self, rule->fields[1]))
        return TRUE;
      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "--%s needs --%s.",
                   rule->fields[0], rule->fields[1]);
      return FALSE;
    }
  for (guint i = 0; rule->fields[i] != NULL; i++)
    n_given += trc_recipe_values_given (self, rule->fields[i]) ? 1 : 0;
  if (n_given > 1)
    g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "Give only one of %s.", titles);
  else if (n_given == 0 && rule->kind == TRC_RULE_ONE_OF)
    g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "Give %s.", titles);
  else
    return TRUE;
  return FALSE;
}

gboolean
trc_recipe_values_check (const TrcRecipeValues *self, GError **error)
{
  for (guint i = 0; i < self->n_fields; i++)
    {
      const TrcRecipeField *field = &self->recipe->fields[i];
      g_autofree char *title = field_title (field);

      if ((field->flags & TRC_FIELD_REQUIRED) == 0 || self->values[i].given)
        continue;
      g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE, "%s is missing: %s.", title,
                   field->help);
      return FALSE;
    }
  for (guint i = 0; self->recipe->rules != NULL && self->recipe->rules[i].fields[0] != NULL;
       i++)
    if (!check_rule (self, &self->recipe->rules[i], error))
      return FALSE;
  return TRUE;
}

static const Value *
get (const TrcRecipeValues *self, const char *name, guint kinds)
{
  guint i = field_index (self->recipe, name);

  g_assert ((kinds & 1u << self->recipe->fields[i].kind) != 0);
  return &self->values[i];
}

gboolean
trc_recipe_values_given (const TrcRecipeValues *self, const char *name)
{
  return self->values[field_index (self->recipe, name)].given;
}

const char *
trc_recipe_values_string (const TrcRecipeValues *self, const char *name)
{
  return get (self, name, 1u << TRC_FIELD_STRING | 1u << TRC_FIELD_ENUM | 1u << TRC_FIELD_FILE)
      ->text;
}

gint64
trc_recipe_values_int (const TrcRecipeValues *self, const char *name)
{
  return get (self, name, 1u << TRC_FIELD_INT)->whole;
}

double
trc_recipe_values_double (const TrcRecipeValues *self, const char *name)
{
  return get (self, name, 1u << TRC_FIELD_DOUBLE)->real;
}

gboolean
trc_recipe_values_bool (const TrcRecipeValues *self, const char *name)
{
  return get (self, name, 1u << TRC_FIELD_BOOL)->whole != 0;
}

int
trc_recipe_values_choice (const TrcRecipeValues *self, const char *name)
{
  return (int)get (self, name, 1u << TRC_FIELD_ENUM)->whole;
}

const char *const *
trc_recipe_values_list (const TrcRecipeValues *self, const char *name)
{
  return (const char *const *)get (self, name, 1u << TRC_FIELD_LIST)->list->pdata;
}
