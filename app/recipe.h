/* app/recipe.h - a step of the pipeline as one typed table
 *
 * A step (trace, train, export, ...) is described once: its fields with kind, default, range,
 * choices and help, and the rules between them. From that table come the flags and the --help
 * of the command line, the check of what was given, and the form in the window.
 *
 *   static const TrcRecipeField fields[] = {
 *     { "graph", .kind = TRC_FIELD_FILE, .flags = TRC_FIELD_POSITIONAL | TRC_FIELD_REQUIRED,
 *       .value = "GRAPH", .help = "The graph file to prune" },
 *     { "node-share", .kind = TRC_FIELD_DOUBLE, .initial = "0.8", .min = 0, .max = 1,
 *       .help = "Share of the influence that the kept nodes carry" },
 *     { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_REQUIRED, .value = "OUT", .help = "..." },
 *     { NULL }
 *   };
 *
 * Errors   TRC_APP_ERROR_USAGE, one sentence that names the field and what it wants. Asking for
 *          a field that the table does not have is a caller's bug, g_assert.
 * Threads  a table is constant; values belong to one thread.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  TRC_FIELD_STRING, /* any UTF-8 text */
  TRC_FIELD_INT,    /* whole number */
  TRC_FIELD_DOUBLE, /* finite number */
  TRC_FIELD_BOOL,   /* a flag: absent is FALSE */
  TRC_FIELD_ENUM,   /* one word out of choices */
  TRC_FIELD_FILE,   /* a path or the name of something bundled, in the file system's bytes */
  TRC_FIELD_LIST,   /* text, may be given more than once */
} TrcFieldKind;

typedef enum {
  TRC_FIELD_OPTIONAL = 0,
  TRC_FIELD_POSITIONAL = 1 << 0, /* given by place, in the order of the table */
  TRC_FIELD_REQUIRED = 1 << 1,
} TrcFieldFlags;

typedef struct {
  const char *name; /* long flag without dashes, "node-share" */
  char letter;      /* short flag, or 0 */
  TrcFieldKind kind;
  TrcFieldFlags flags;
  const char *value;          /* what --help calls the value, "TEXT"; NULL: after the kind */
  const char *initial;        /* default, as it would be typed; NULL: none */
  double min, max;            /* inclusive; no limits when both are 0 */
  const char *const *choices; /* of an enum, ending in NULL */
  const char *help;           /* one line, no full stop */
} TrcRecipeField;

typedef enum {
  TRC_RULE_ONE_OF,      /* exactly one of the fields is given */
  TRC_RULE_AT_MOST_ONE, /* at most one of the fields is given */
  TRC_RULE_NEEDS,       /* the first field makes sense only with the second */
} TrcRuleKind;

typedef struct {
  TrcRuleKind kind;
  const char *fields[5]; /* names, ending in NULL */
} TrcRecipeRule;

typedef struct {
  const char *name;             /* "trace", or two words, "train toy" */
  const char *summary;          /* one line */
  const char *details;          /* paragraphs below the options in --help, or NULL */
  const TrcRecipeField *fields; /* ends with a field without a name */
  const TrcRecipeRule *rules;   /* NULL, or ends with a rule without fields */
} TrcRecipe;

/* The field every step that runs a model has. */
#define TRC_RECIPE_DEVICE                                                                      \
  {                                                                                            \
    "device", .kind = TRC_FIELD_STRING, .value = "SPEC", .initial = "auto",                    \
              .help = "Where to compute: auto, cpu, vulkan or vulkan:PART-OF-NAME"             \
  }

typedef struct _TrcRecipeValues TrcRecipeValues;

/* The values of a step with every default filled in. @recipe is borrowed and must outlive it.
 */
TrcRecipeValues *trc_recipe_values_new (const TrcRecipe *recipe) G_GNUC_WARN_UNUSED_RESULT;

/* Frees the values; NULL is fine. */
void trc_recipe_values_free (TrcRecipeValues *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcRecipeValues, trc_recipe_values_free)

/* The table the values belong to, borrowed. */
const TrcRecipe *trc_recipe_values_recipe (const TrcRecipeValues *self);

/* Sets a field from the text a person typed, checking kind, range and choices; a list grows by
 * one. @text NULL or "true"/"false" for a bool. */
gboolean trc_recipe_values_set (TrcRecipeValues *self, const char *name, const char *text,
                                GError **error);

/* Checks the required fields and the rules. */
gboolean trc_recipe_values_check (const TrcRecipeValues *self, GError **error);

/* Reads flags and positional arguments from @args (without the program's own name), together
 * with the caller's @extra entries (NULL: none). Does not call trc_recipe_values_check(), so
 * that --help works on its own. */
gboolean trc_recipe_values_parse (TrcRecipeValues *self, const char *const *args,
                                  const GOptionEntry *extra, GError **error);

/* The text of --help for the program called g_get_prgname(). Owned by the caller. */
char *
trc_recipe_help (const TrcRecipe *recipe, const GOptionEntry *extra) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the field was set, as opposed to left at its default. */
gboolean trc_recipe_values_given (const TrcRecipeValues *self, const char *name);

/* Text of a string, enum or file field, borrowed; NULL when neither given nor defaulted. */
const char *trc_recipe_values_string (const TrcRecipeValues *self, const char *name);

/* Number of an int field; 0 when neither given nor defaulted. */
gint64 trc_recipe_values_int (const TrcRecipeValues *self, const char *name);

/* Number of a double field; 0 when neither given nor defaulted. */
double trc_recipe_values_double (const TrcRecipeValues *self, const char *name);

/* State of a flag. */
gboolean trc_recipe_values_bool (const TrcRecipeValues *self, const char *name);

/* Index of an enum field's value among the choices, -1 when neither given nor defaulted. */
int trc_recipe_values_choice (const TrcRecipeValues *self, const char *name);

/* Texts of a list field in the order given, ending in NULL, borrowed. Never NULL. */
const char *const *trc_recipe_values_list (const TrcRecipeValues *self, const char *name);

G_END_DECLS
