#include "app/error.h"
#include "app/recipe.h"

static const char *const estimators[] = { "auto", "relp", "exact", NULL };

static const TrcRecipeField fields[] = {
  { "graph", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
    .value = "GRAPH", .help = "The graph to read" },
  { "share", .kind = TRC_FIELD_DOUBLE, .initial = "0.8", .min = 0, .max = 1, .help = "Share" },
  { "ratio", .kind = TRC_FIELD_DOUBLE, .help = "Any number" },
  { "seed", .kind = TRC_FIELD_INT, .min = 0, .max = 99, .help = "Seed" },
  { "offset", .kind = TRC_FIELD_INT, .help = "Any whole number" },
  { "estimator", .kind = TRC_FIELD_ENUM, .initial = "auto", .choices = estimators,
    .help = "How" },
  { "mode", .kind = TRC_FIELD_ENUM, .choices = estimators, .help = "No default" },
  { "prompt", .kind = TRC_FIELD_STRING, .help = "Text" },
  { "ids", .kind = TRC_FIELD_STRING, .help = "Ids" },
  { "target", .kind = TRC_FIELD_STRING, .help = "Token" },
  { "foil", .kind = TRC_FIELD_STRING, .help = "Token" },
  { "ablate", .kind = TRC_FIELD_LIST, .help = "Node" },
  { "quick", .kind = TRC_FIELD_BOOL, .help = "Flag" },
  { NULL }
};

static const TrcRecipeRule rules[] = { { TRC_RULE_ONE_OF, { "prompt", "ids" } },
                                       { TRC_RULE_NEEDS, { "foil", "target" } },
                                       { TRC_RULE_AT_MOST_ONE, { "seed", "offset" } },
                                       { .fields = { NULL } } };

static const TrcRecipe recipe = { "probe", "Tries things", NULL, .fields = fields,
                                  .rules = rules };

static void
test_defaults (void)
{
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);

  g_assert_true (trc_recipe_values_recipe (values) == &recipe);
  g_assert_cmpfloat (trc_recipe_values_double (values, "share"), ==, 0.8);
  g_assert_false (trc_recipe_values_given (values, "share"));
  g_assert_cmpstr (trc_recipe_values_string (values, "estimator"), ==, "auto");
  g_assert_cmpint (trc_recipe_values_choice (values, "estimator"), ==, 0);
  g_assert_cmpint (trc_recipe_values_choice (values, "mode"), ==, -1);
  g_assert_null (trc_recipe_values_string (values, "prompt"));
  g_assert_cmpint (trc_recipe_values_int (values, "seed"), ==, 0);
  g_assert_false (trc_recipe_values_bool (values, "quick"));
  g_assert_null (trc_recipe_values_list (values, "ablate")[0]);
}

static void
test_set (void)
{
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);
  g_autoptr (GError) error = NULL;

  trc_recipe_values_set (values, "share", "1", &error);
  trc_recipe_values_set (values, "ratio", "-1e-3", &error);
  trc_recipe_values_set (values, "seed", "99", &error);
  trc_recipe_values_set (values, "offset", "-7", &error);
  trc_recipe_values_set (values, "estimator", "exact", &error);
  trc_recipe_values_set (values, "prompt", "37 + 95 =", &error);
  trc_recipe_values_set (values, "prompt", "1 + 2 =", &error);
  trc_recipe_values_set (values, "ablate", "L0.H1", &error);
  trc_recipe_values_set (values, "ablate", "L3.n7", &error);
  trc_recipe_values_set (values, "quick", NULL, &error);
  g_assert_no_error (error);
  g_assert_true (trc_recipe_values_given (values, "share"));
  g_assert_cmpfloat (trc_recipe_values_double (values, "share"), ==, 1.0);
  g_assert_cmpfloat (trc_recipe_values_double (values, "ratio"), ==, -1e-3);
  g_assert_cmpint (trc_recipe_values_int (values, "seed"), ==, 99);
  g_assert_cmpint (trc_recipe_values_int (values, "offset"), ==, -7);
  g_assert_cmpint (trc_recipe_values_choice (values, "estimator"), ==, 2);
  g_assert_cmpstr (trc_recipe_values_string (values, "prompt"), ==, "1 + 2 =");
  const char *const *nodes = trc_recipe_values_list (values, "ablate");
  g_assert_cmpstr (nodes[0], ==, "L0.H1");
  g_assert_cmpstr (nodes[1], ==, "L3.n7");
  g_assert_null (nodes[2]);
  g_assert_true (trc_recipe_values_bool (values, "quick"));
  g_assert_true (trc_recipe_values_set (values, "quick", "false", NULL));
  g_assert_false (trc_recipe_values_bool (values, "quick"));
}

static void
test_refused (void)
{
  static const struct {
    const char *name, *text, *sentence;
  } cases[] = {
    { "share", "2", "--share wants a number from 0 to 1, not “2”." },
    { "share", "nan", "--share wants a number from 0 to 1, not “nan”." },
    { "share", "", "--share wants a number from 0 to 1, not “”." },
    { "ratio", "1x", "--ratio wants a number, not “1x”." },
    { "ratio", "inf", "--ratio wants a number, not “inf”." },
    { "seed", "100", "--seed wants a whole number from 0 to 99, not “100”." },
    { "offset", "1.5", "--offset wants a whole number, not “1.5”." },
    { "offset", "99999999999999999999",
      "--offset wants a whole number, not “99999999999999999999”." },
    { "estimator", "magic", "--estimator wants one of auto, relp, exact, not “magic”." },
    { "prompt", "\xff", "--prompt wants UTF-8 text, not “\xef\xbf\xbd”." },
    { "ablate", "\xff", "--ablate wants UTF-8 text, not “\xef\xbf\xbd”." },
    { "graph", "", "GRAPH wants a file name, not “”." },
    { "quick", "maybe", "--quick wants true or false, not “maybe”." },
  };
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (trc_recipe_values_set (values, cases[i].name, cases[i].text, &error));
      g_assert_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE);
      g_assert_cmpstr (error->message, ==, cases[i].sentence);
      g_assert_false (trc_recipe_values_given (values, cases[i].name));
    }
  g_assert_true (trc_recipe_values_set (values, "graph", "\xff.json", NULL));
}

static void
assert_check (TrcRecipeValues *values, const char *sentence)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (trc_recipe_values_check (values, &error), ==, sentence == NULL);
  g_assert_cmpstr (error != NULL ? error->message : NULL, ==, sentence);
}

static void
test_rules (void)
{
  g_autoptr (TrcRecipeValues) values = trc_recipe_values_new (&recipe);

  assert_check (values, "GRAPH is missing: The graph to read.");
  g_assert_true (trc_recipe_values_set (values, "graph", "g.json", NULL));
  assert_check (values, "Give --prompt or --ids.");
  g_assert_true (trc_recipe_values_set (values, "prompt", "x", NULL));
  assert_check (values, NULL);
  g_assert_true (trc_recipe_values_set (values, "foil", "y", NULL));
  assert_check (values, "--foil needs --target.");
  g_assert_true (trc_recipe_values_set (values, "target", "z", NULL));
  g_assert_true (trc_recipe_values_set (values, "seed", "1", NULL));
  assert_check (values, NULL);
  g_assert_true (trc_recipe_values_set (values, "offset", "1", NULL));
  assert_check (values, "Give only one of --seed or --offset.");
  trc_recipe_values_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/values/defaults", test_defaults);
  g_test_add_func ("/values/set", test_set);
  g_test_add_func ("/values/refused", test_refused);
  g_test_add_func ("/values/rules", test_rules);
  return g_test_run ();
}
