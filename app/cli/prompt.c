#include "app/cli/prompt.h"

#include "app/error.h"

gboolean
trc_cli_parse_ids (const char *text, GArray *ids, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      guint64 value;
      guint32 id;

      if (!g_ascii_string_to_unsigned (g_strstrip (parts[i]), 10, 0, G_MAXUINT32, &value, NULL))
        {
          g_set_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE,
                       "“%s” is no list of token ids; write them like 1,2,3.", text);
          return FALSE;
        }
      id = (guint32)value;
      g_array_append_val (ids, id);
    }
  return TRUE;
}

GArray *
trc_cli_read_prompt (const TrcRecipeValues *values, const char *text, const char *numbers,
                     const TrcModel *model, GError **error)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint32));

  if (trc_recipe_values_given (values, numbers))
    {
      if (!trc_cli_parse_ids (trc_recipe_values_string (values, numbers), ids, error))
        return NULL;
    }
  else if (trc_recipe_values_given (values, text)
           && !trc_model_tokenize (model, trc_recipe_values_string (values, text), ids, NULL,
                                   error))
    return NULL;
  return g_steal_pointer (&ids);
}
