/* tracery-cli train toy: trains a small network whose insides are known. */
#include "app/cli/command.h"
#include "compute/train.h"

#include <math.h>

static const char *const tasks[] = { "modadd", NULL };

static const TrcRecipeField fields[] = {
  { "task", .kind = TRC_FIELD_ENUM, .initial = "modadd", .choices = tasks,
    .help = "What is learnt: modadd is a + b mod p" },
  { "p", .kind = TRC_FIELD_INT, .value = "P", .initial = "113", .min = 2, .max = 1000,
    .help = "The modulus" },
  { "seed", .kind = TRC_FIELD_INT, .value = "N", .initial = "0", .min = 0, .max = 4294967295.0,
    .help = "Of the split and of the weights" },
  { "epochs", .kind = TRC_FIELD_INT, .value = "N", .initial = "40000", .min = 1,
    .max = 100000000, .help = "The most epochs, those before a resume included" },
  { "stop-at-accuracy", .kind = TRC_FIELD_DOUBLE, .value = "SHARE", .initial = "0", .min = 0,
    .max = 1, .help = "Stop once this share of all pairs is right; 0: never" },
  { "extra-epochs", .kind = TRC_FIELD_INT, .value = "N", .initial = "0", .min = 0,
    .max = 100000000, .help = "Train on for so many epochs after that" },
  { "width", .kind = TRC_FIELD_INT, .value = "D", .initial = "128", .min = 4, .max = 8192,
    .help = "Width of the residual stream" },
  { "heads", .kind = TRC_FIELD_INT, .value = "H", .initial = "4", .min = 1, .max = 128,
    .help = "Number of heads" },
  { "neurons", .kind = TRC_FIELD_INT, .value = "M", .initial = "512", .min = 1, .max = 65536,
    .help = "Number of MLP neurons" },
  { "train-share", .kind = TRC_FIELD_DOUBLE, .value = "SHARE", .initial = "0.3", .min = 0,
    .max = 1, .help = "Share of the pairs that is trained on" },
  { "report-every", .kind = TRC_FIELD_INT, .value = "N", .initial = "100", .min = 1,
    .max = 100000000, .help = "Epochs between two lines" },
  { "checkpoint-every", .kind = TRC_FIELD_INT, .value = "N", .initial = "500", .min = 1,
    .max = 100000000, .help = "Epochs between two checkpoints" },
  { "resume", .kind = TRC_FIELD_BOOL, .help = "Go on from the checkpoint in the folder" },
  { "output", 'o', TRC_FIELD_FILE, TRC_FIELD_REQUIRED, .value = "FOLDER",
    .help = "Where the model and its checkpoint go" },
  TRC_RECIPE_DEVICE,
  { NULL },
};

static const TrcRecipe recipe = {
  .name = "train toy",
  .summary = "Train a small network whose insides are known",
  .details =
      "The network and the settings of Nanda et al. 2023: one layer, full batch, AdamW with\n"
      "weight decay. Ctrl-C writes a checkpoint; --resume goes on from it. The same seed "
      "gives\nthe same bytes on one machine.",
  .fields = fields,
};

static void
report (const TrcTrainReport *r, gpointer data)
{
  trc_cli_note (
      "epoch %6u of %u  loss %.3e / %.3e  accuracy %6.2f %% / %6.2f %%  %.3f s an epoch, "
      "at most %.0f min left",
      r->epoch, r->epochs, r->train_loss, r->test_loss, 100 * r->train_accuracy,
      100 * r->test_accuracy, r->seconds_per_epoch, ceil (r->seconds_left / 60));
}

static void
print_json (const TrcTrainReport *r)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  json_builder_set_member_name (b, "epoch");
  json_builder_add_int_value (b, r->epoch);
  trc_cli_add_number (b, "train_loss", r->train_loss);
  trc_cli_add_number (b, "test_loss", r->test_loss);
  trc_cli_add_number (b, "train_accuracy", r->train_accuracy);
  trc_cli_add_number (b, "test_accuracy", r->test_accuracy);
  trc_cli_add_number (b, "accuracy", r->accuracy);
  trc_cli_add_number (b, "seconds_per_epoch", r->seconds_per_epoch);
  json_builder_end_object (b);
  g_autoptr (JsonNode) root = json_builder_get_root (b);
  trc_cli_print_json (root);
}

static void
read_params (const TrcRecipeValues *values, TrcTrainParams *p)
{
  trc_train_params_init (p);
  p->p = (guint)trc_recipe_values_int (values, "p");
  p->seed = (guint64)trc_recipe_values_int (values, "seed");
  p->d_model = (guint)trc_recipe_values_int (values, "width");
  p->n_heads = (guint)trc_recipe_values_int (values, "heads");
  p->d_mlp = (guint)trc_recipe_values_int (values, "neurons");
  p->train_share = trc_recipe_values_double (values, "train-share");
  p->epochs = (guint)trc_recipe_values_int (values, "epochs");
  p->stop_at_accuracy = trc_recipe_values_double (values, "stop-at-accuracy");
  p->extra_epochs = (guint)trc_recipe_values_int (values, "extra-epochs");
  p->report_every = (guint)trc_recipe_values_int (values, "report-every");
  p->checkpoint_every = (guint)trc_recipe_values_int (values, "checkpoint-every");
  p->resume = trc_recipe_values_bool (values, "resume");
  p->folder = trc_recipe_values_string (values, "output");
}

static gboolean
run (const TrcRecipeValues *values, TrcCli *cli, GError **error)
{
  g_autoptr (TrcDevice) dev =
      trc_device_open (trc_recipe_values_string (values, "device"), error);
  TrcTrainReport last = { 0 };
  TrcTrainParams params;

  if (dev == NULL)
    return FALSE;
  read_params (values, &params);
  if (!trc_train_modadd (dev, &params, report, NULL, &last, &cli->progress, error))
    return FALSE;
  if (cli->json)
    print_json (&last);
  else
    trc_cli_print (
        "Epoch %u: %.3f %% of all pairs right, loss %.3e (train) and %.3e (test); the "
        "model is in %s.\n",
        last.epoch, 100 * last.accuracy, last.train_loss, last.test_loss, params.folder);
  return TRUE;
}

const TrcCommand trc_cmd_train = { &recipe, run };
