/* compute/models/model_impl.h - the inside of a TrcModel
 *
 * Private to compute/models.
 */
#pragma once

#include "compute/model.h"
#include "compute/models/family.h"
#include "compute/models/sources.h"

G_BEGIN_DECLS

/* Weights of one model on one device. */
typedef struct {
  TrcDevice *dev;
  TrcWeight *weights; /* [2][(n_layers + 1) * TRC_N_WEIGHTS]: as f32, then as the file has it;
                       * tensor NULL: not there yet */
  TrcTensor *rope;    /* cosines and sines of all positions, or NULL */
} TrcUpload;

struct _TrcModel {
  char *path, *name;
  TrcModelConfig config;
  const TrcFamily *family;
  TrcSources *files;
  const TrcSource **sources; /* [(n_layers + 1) * TRC_N_WEIGHTS], NULL: there is none */
  TrcTokenizer *tokenizer;
  char *note;          /* something odd, or NULL */
  char *no_tokenizer;  /* why there is none */
  GPtrArray *id_names; /* "#12" texts that were handed out */
  GMutex lock;
  GPtrArray *uploads; /* of TrcUpload */
};

/* Drops the tensors of an upload, not its device. */
void trc_upload_clear (TrcModel *self, TrcUpload *upload);

/* For GPtrArray: frees the struct and its device. */
void trc_upload_free (gpointer data);

/* Index of a weight in the arrays above. */
gsize trc_model_slot (const TrcModel *self, TrcWeightRole role, guint layer);

/* The role whose data this role is read from: the embedding for a tied unembedding. */
TrcWeightRole trc_model_source_role (const TrcModel *self, TrcWeightRole role);

/* Finds all weights in the files, and checks every shape. */
gboolean trc_model_find_weights (TrcModel *self, GError **error);

/* The weight as f32 in the file's own orientation, q, k and v taken apart; @n as by
 * trc_model_weight_shape(). */
gboolean trc_model_fetch (const TrcModel *self, TrcWeightRole role, guint layer, float *dst);

/* Whether a weight lies in its file in a packed type and in rows of whole blocks. */
gboolean trc_model_is_packed (const TrcModel *self, TrcWeightRole role, guint layer);

/* The same as trc_model_fetch() for such a weight, in the file's own type. */
void
trc_model_fetch_packed (const TrcModel *self, TrcWeightRole role, guint layer, guint8 *dst);

/* The config, family and files of a GGUF file, or of a llama2.c model file. */
gboolean trc_model_open_gguf (TrcModel *self, const char *path, GError **error);
/* See trc_model_open_gguf(). */
gboolean trc_model_open_llama2c (TrcModel *self, const char *path, GError **error);

/* Whether the weight is stored (out, in). */
gboolean trc_model_is_out_major (const TrcModel *self, TrcWeightRole role);

/* Cosines and sines of at least @n_positions rotary positions on @dev: a new reference, or NULL
 * with @error. */
TrcTensor *trc_model_rope_table (TrcModel *self, TrcDevice *dev, guint n_positions,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
