/* compute/train/trainer.h - the inside of a training run
 *
 * Private to compute/train.
 */
#pragma once

#include "compute/run.h"
#include "compute/train.h"
#include "compute/base/random.h"

G_BEGIN_DECLS

/* One weight with the optimiser's moments. */
typedef struct {
  TrcWeightRole role;
  char *name; /* in the checkpoint */
  TrcTensor *w, *m, *v;
} TrcTrainWeight;

typedef struct {
  TrcTrainParams params; /* folder borrowed */
  TrcDevice *dev;
  TrcModel *model;
  TrcTape *tape;
  TrcRandom random;
  guint n_pairs, n_train;
  guint32 *pairs; /* a * p + b in random order: the first n_train are trained on */
  TrcTensor *train_ids, *train_targets;
  TrcTensor *test_ids;
  TrcTrainWeight weights[TRC_N_WEIGHTS];
  guint n_weights;
  guint64 step;       /* steps done */
  guint64 reached_at; /* the step at which the wanted accuracy was first seen; 0: not yet */
} TrcTrainer;

/* --- the model folder of a run (compute/train/modadd_folder.c) --- */

/* Writes config.json and vocab.json. */
gboolean trc_modadd_write_config (const TrcTrainParams *params, GError **error);

/* Writes model.safetensors in the GPT-2 layout; @host holds every weight that exists in the
 * order of its role as [in][out]. */
gboolean trc_modadd_write_weights (const TrcTrainParams *params,
                                   float *const host[TRC_N_WEIGHTS], GError **error);

/* In and out width of a role in this network; FALSE when it has no such weight. */
gboolean
trc_modadd_shape (const TrcTrainParams *params, TrcWeightRole role, guint *n_in, guint *n_out);

/* The weights at the start, drawn from @random: [in][out] each, g_free() them. */
void trc_modadd_init_weights (const TrcTrainParams *params, TrcRandom *random,
                              float *host[TRC_N_WEIGHTS]);

/* --- checkpoints (compute/train/checkpoint.c) --- */

/* Writes checkpoint.safetensors and the model itself. */
gboolean trc_checkpoint_write (TrcTrainer *self, GError **error);

/* Puts the trainer back to where the checkpoint of its folder was written, after checking
 * that the parameters are the same. */
gboolean trc_checkpoint_read (TrcTrainer *self, GError **error);

/* Path of the checkpoint of a folder. Free with g_free(). */
char *trc_checkpoint_path (const char *folder);

G_END_DECLS
