/* compute/models/family.h - what makes one family of models differ from another
 *
 * Private to compute/models. A family is one row: how its config.json is read, and under
 * which names and in which order its file holds the weights. Everything else is shared.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "compute/model.h"

G_BEGIN_DECLS

/* Where a weight lies inside a tensor of the file that holds several. */
typedef enum {
  TRC_PART_WHOLE,
  TRC_PART_BLOCKS, /* all of q, then all of k, then all of v, along the output */
  TRC_PART_HEADS,  /* q, k, v of head 0, then q, k, v of head 1, ... */
} TrcPart;

typedef struct {
  const char
      *name; /* with %u for the layer; behind the family's prefix unless it begins with '/' */
  const char *other; /* tried when the first is not there, may be NULL */
  TrcPart part;
  gboolean out_major; /* the file has (out, in) */
} TrcWeightName;

typedef struct {
  const char *model_type[4]; /* of config.json, NULL at the end */
  const char *config_family; /* TrcModelConfig.family */
  const char *prefix[3];     /* the first under which the embedding is found */
  TrcWeightName weight[TRC_N_WEIGHTS];
  gboolean (*read_config) (JsonObject *json, const char *path, TrcModelConfig *config,
                           GError **error);
} TrcFamily;

/* Biases that the config says must be in the file; TRC_BIAS_MAY otherwise. */
typedef enum { TRC_BIAS_MAY, TRC_BIAS_MUST, TRC_BIAS_NONE } TrcBiasRule;

/* The family of a model_type, or NULL with a sentence that lists what is read. */
const TrcFamily *trc_family_find (const char *model_type, const char *path, GError **error);

/* The families of GGUF files: q, k and v in one tensor or in three. */
const TrcFamily *trc_family_gguf (gboolean fused);

/* d_head, n_kv_heads and the like where the file says nothing; FALSE when sizes are missing or
 * do not fit each other. */
gboolean trc_config_finish (TrcModelConfig *config, const char *path, GError **error);

/* Reads config.json of a model folder. */
gboolean trc_config_read (const char *path, TrcModelConfig *config, const TrcFamily **family,
                          GError **error);

/* Whether the config wants, allows or forbids this bias. Roles that are no bias: MUST. */
TrcBiasRule trc_config_bias (const TrcModelConfig *config, TrcWeightRole role);

/* A short name of a role for messages, "the query matrix". */
const char *trc_weight_role_name (TrcWeightRole role);

/* TRUE for the roles that exist once in every layer. */
gboolean trc_weight_in_layer (TrcWeightRole role);

G_END_DECLS
