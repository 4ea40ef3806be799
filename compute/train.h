/* compute/train.h - trains the small networks whose insides are known
 *
 * One task so far: modular addition, [a, b, "="] -> (a + b) mod p, trained full
 * batch with AdamW until it groks. A run is a folder: the model itself
 * (config.json, vocab.json, model.safetensors) and checkpoint.safetensors with the
 * weights, the optimiser's moments, the step and the state of the random numbers.
 *
 * Determinism  the same parameters, device and machine give the same bytes, also
 *          when the run is stopped and resumed.
 * Errors   TRC_COMPUTE_ERROR; a loss that is no finite number is
 *          TRC_COMPUTE_ERROR_NUMERIC and names the step and the tensor; cancel
 *          writes a checkpoint first and then is G_IO_ERROR_CANCELLED.
 * Threads  the device's thread.
 */
#pragma once

#include "compute/device.h"
#include "compute/progress.h"

G_BEGIN_DECLS

typedef struct {
  guint p;      /* the modulus */
  guint64 seed; /* of the split and of the weights */
  guint d_model, n_heads, d_mlp;
  double train_share; /* of the p * p pairs */
  double lr, weight_decay, beta1, beta2, eps;
  guint warmup;            /* steps of linear warm-up */
  guint epochs;            /* in all, those before a resume included */
  double stop_at_accuracy; /* stop once the accuracy over all pairs is this; 0: never */
  guint extra_epochs;      /* train on for so many epochs after that */
  guint report_every;      /* epochs between two evaluations */
  guint checkpoint_every;  /* epochs between two checkpoints */
  gboolean resume;         /* go on from the checkpoint in @folder */
  const char *folder;      /* made when missing */
} TrcTrainParams;

/* How a run stands. Losses are means over the last position. */
typedef struct {
  guint epoch, epochs;
  double train_loss, test_loss;         /* NaN when not evaluated yet */
  double train_accuracy, test_accuracy; /* of the pairs in and outside the training set */
  double accuracy;                      /* over all pairs */
  double seconds_per_epoch, seconds_left;
} TrcTrainReport;

typedef void (*TrcTrainFunc) (const TrcTrainReport *report, gpointer data);

/* The network and hyperparameters of Nanda et al. for modulus 113. */
void trc_train_params_init (TrcTrainParams *params);

/* Trains, calling @report (may be NULL) after every evaluation. @last, when not
 * NULL, receives the final state. The folder holds a loadable model afterwards. */
gboolean trc_train_modadd (TrcDevice *dev, const TrcTrainParams *params, TrcTrainFunc report,
                           gpointer data, TrcTrainReport *last, const TrcProgress *progress,
                           GError **error);

G_END_DECLS
