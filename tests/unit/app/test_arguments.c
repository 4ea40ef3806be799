#include "app/error.h"
#include "app/recipe.h"

#include <string.h>

static const char *const shapes[] = { "round", "square", NULL };

static const TrcRecipeField fields[] = {
  { "model", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "MODEL", .help = "The model" },
  { "second", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL, .value = "SECOND",
    .help = "Another" },
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_REQUIRED, .value = "OUT", .help = "Result" },
  { "node-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.8", .max = 1, .help = "Share" },
  { "shape", .kind = TRC_FIELD_ENUM, .choices = shapes, .help = "Shape" },
  { "set", .kind = TRC_FIELD_LIST, .value = "NODE=VALUE", .help = "Fixes a node" },
  { "quick", 'q', TRC_FIELD_BOOL, .help = "Hurry" },
  TRC_RECIPE_DEVICE,
  { NULL }
};

static const TrcRecipeField many_fields[] = {
  { "first", .kind = TRC_FIELD_STRING, .flags = TRC_FIELD_POSITIONAL, .help = "One" },
  { "files", .kind = TRC_FIELD_LIST, .flags = TRC_FIELD_POSITIONAL, .help = "Others" },
  { NULL }
};

static const TrcRecipe recipe = { "probe", "Tries things", "A closing word.", fields, NULL };
static const TrcRecipe many = { "many", "Takes many", NULL, many_fields, NULL };

static gboolean json;
static const GOptionEntry extra[] = {
  { "json", 0, 0, G_OPTION_ARG_NONE, &json, "Machine-readable", NULL }, { NULL }
};

static TrcRecipeValues *
parse (const TrcRecipe *step, const char *const *args)
{
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (step);
  g_autoptr (GError) error = NULL;

  trc_recipe_values_parse (values, args, extra, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&values);
}

static void
test_flags (void)
{
  g_autoptr (TrcRecipeValues) values =
      parse (&recipe, (const char *[]){ "m", "--node-share=0.5", "-o", "x y.json", "--set",
                                        "L3.H5=-1", "--json", "--set=L0.n1=2", "-q", NULL });

  g_assert_true (trc_recipe_values_check (values, NULL));
  g_assert_cmpstr (trc_recipe_values_string (values, "model"), ==, "m");
  g_assert_null (trc_recipe_values_string (values, "second"));
  g_assert_cmpstr (trc_recipe_values_string (values, "output"), ==, "x y.json");
  g_assert_cmpfloat (trc_recipe_values_double (values, "node-share"), ==, 0.5);
  g_assert_cmpstr (trc_recipe_values_list (values, "set")[0], ==, "L3.H5=-1");
  g_assert_cmpstr (trc_recipe_values_list (values, "set")[1], ==, "L0.n1=2");
  g_assert_true (trc_recipe_values_bool (values, "quick"));
  g_assert_cmpstr (trc_recipe_values_string (values, "device"), ==, "auto");
  g_assert_true (json);
}

static void
test_positional (void)
{
  g_autoptr (TrcRecipeValues) two =
      parse (&recipe, (const char *[]){ "a", "-q", "--", "--odd-name", NULL });
  g_autoptr (TrcRecipeValues) list =
      parse (&many, (const char *[]){ "a", "b", "c", "d", NULL });

  g_assert_cmpstr (trc_recipe_values_string (two, "model"), ==, "a");
  g_assert_cmpstr (trc_recipe_values_string (two, "second"), ==, "--odd-name");
  g_assert_cmpstr (trc_recipe_values_string (list, "first"), ==, "a");
  g_assert_cmpuint (g_strv_length ((char **)trc_recipe_values_list (list, "files")), ==, 3);
  g_assert_cmpstr (trc_recipe_values_list (list, "files")[2], ==, "d");
}

static void
test_wrong (void)
{
  static const struct {
    const char *args[4], *sentence;
  } cases[] = {
    { { "a", "b", "c" }, "“c” is one argument too many for probe." },
    { { "--node-share", "3" }, "--node-share wants a number from 0 to 1, not “3”." },
    { { "--shape=odd" }, "--shape wants one of round, square, not “odd”." },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);
      g_autoptr (GError) error = NULL;

      g_assert_false (trc_recipe_values_parse (values, cases[i].args, extra, &error));
      g_assert_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE);
      g_assert_cmpstr (error->message, ==, cases[i].sentence);
    }
}

static void
test_unknown (void)
{
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);
  g_autoptr (GError) error = NULL;

  g_assert_false (
      trc_recipe_values_parse (values, (const char *[]){ "--nonsense", NULL }, NULL, &error));
  g_assert_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "--nonsense"));
  g_assert_nonnull (strstr (error->message, "--help"));
}

static void
test_help (void)
{
  static const char *const wanted[] = {
    "MODEL [SECOND]",   "Tries things.",       "MODEL: The model",  "-o, --output",
    "--set=NODE=VALUE", "Share (default 0.8)", "round, square",     "may be repeated",
    "--json",           "--device=SPEC",       "Where to compute:", "A closing word."
  };
  g_autofree char *help = trc_recipe_help (&recipe, extra);

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    if (strstr (help, wanted[i]) == NULL)
      g_error ("“%s” is missing in:\n%s", wanted[i], help);
}

int
main (int argc, char **argv)
{
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_set_prgname ("tracery-cli probe");
  g_test_add_func ("/arguments/flags", test_flags);
  g_test_add_func ("/arguments/positional", test_positional);
  g_test_add_func ("/arguments/wrong", test_wrong);
  g_test_add_func ("/arguments/unknown", test_unknown);
  g_test_add_func ("/arguments/help", test_help);
  return g_test_run ();
}
