/* compute/model.h - a language model: its shape, its weights, its tokeniser
 *
 * A model is opened from a folder (config.json, model.safetensors or shards with
 * an index, and a tokeniser), or by the name of a bundled one ("modadd-113"). The
 * file stays mapped; weights go to a device when they are first asked for there.
 *
 * Families are rows of a table of differences (names, defaults); everything that
 * computes looks only at TrcModelConfig and at TrcWeight.
 *
 * config.json  The keys of the family's own format, and for "gpt2" these extra
 *   ones, so that small research models need no format of their own:
 *     "normalization"       "layer" (default), "rms" or "none"
 *     "position_embedding"  "learned" (default) or "none"
 *     "activation_function" also "relu"
 *     "head_dim"            width of a head when it is not n_embd / n_head
 *     "attention_bias"      false: no bias in q, k, v and the output
 *     "mlp_bias"            false: no bias in the MLP
 *   A bias that is absent from the file counts as zero unless one of the last
 *   two keys says true.
 *
 * Errors   TRC_COMPUTE_ERROR, one sentence that names the file and the field.
 * Threads  the model is immutable apart from its cache of uploaded weights, which
 *          is locked; tensors belong to their device's thread.
 * Lifetime refcounted; weights live as long as the model.
 */
#pragma once

#include "compute/device.h"
#include "compute/hook.h"
#include "compute/tensor.h"
#include "compute/tokenizer.h"

G_BEGIN_DECLS

#define TRC_NORM_NONE 2 /* beside TRC_NORM_LAYER and TRC_NORM_RMS of shaders/include/params.h */

typedef enum { TRC_POS_NONE, TRC_POS_LEARNED, TRC_POS_ROTARY } TrcPositionKind;

struct _TrcModelConfig {
  const char *family; /* "gpt2", "gpt_neox", "llama"; static text */
  guint n_layers, d_model, n_heads, n_kv_heads, d_head, d_mlp, n_vocab, n_ctx;
  guint norm; /* TRC_NORM_* */
  float norm_eps;
  guint act;         /* TRC_ACT_* of compute/ops.h */
  gboolean gated;    /* MLP is act(gate) * up */
  gboolean parallel; /* attention and MLP both read resid_pre */
  TrcPositionKind positions;
  guint rotary_dims; /* leading dims of a head that are rotated */
  float rotary_base;
  gboolean rotary_interleaved; /* pairs (2i, 2i+1) instead of (i, i + rotary_dims/2) */
  float rotary_factor, rotary_low, rotary_high; /* Llama 3 scaling; factor 0 = none */
  guint rotary_original;
  float attn_scale;          /* 1 / sqrt (d_head) unless the config says otherwise */
  guint attn_bias, mlp_bias; /* 0: as the file has it, 1: must be there, 2: there is none */
  gboolean tied;             /* the unembedding is the embedding */
};

/* What a weight is for. The vectors are biases (_B) and norm scales (_W). */
typedef enum {
  TRC_WEIGHT_EMBED,     /* [n_vocab][d_model] */
  TRC_WEIGHT_POSITIONS, /* [n_ctx][d_model] */
  TRC_WEIGHT_NORM1_W,
  TRC_WEIGHT_NORM1_B,
  TRC_WEIGHT_Q,
  TRC_WEIGHT_Q_B,
  TRC_WEIGHT_K,
  TRC_WEIGHT_K_B,
  TRC_WEIGHT_V,
  TRC_WEIGHT_V_B,
  TRC_WEIGHT_O, /* in = n_heads * d_head */
  TRC_WEIGHT_O_B,
  TRC_WEIGHT_NORM2_W,
  TRC_WEIGHT_NORM2_B,
  TRC_WEIGHT_GATE, /* only when gated */
  TRC_WEIGHT_GATE_B,
  TRC_WEIGHT_UP,
  TRC_WEIGHT_UP_B,
  TRC_WEIGHT_DOWN,
  TRC_WEIGHT_DOWN_B,
  TRC_WEIGHT_NORM_FINAL_W,
  TRC_WEIGHT_NORM_FINAL_B,
  TRC_WEIGHT_UNEMBED, /* in = d_model, out = n_vocab */
  TRC_WEIGHT_UNEMBED_B,
  TRC_N_WEIGHTS
} TrcWeightRole;

/* A weight on one device. Fused projections (GPT-2, GPT-NeoX) are taken apart
 * when they are uploaded, so q, k and v are always three plain matrices.
 * Matrices: tensor [in][out] (y = x W), or [out][in] (y = x W^T) when
 * @out_major. Tables and vectors: as noted above, [1][n] for vectors. */
typedef struct {
  TrcTensor *tensor;
  guint n_in, n_out;
  gboolean out_major;
} TrcWeight;

typedef struct _TrcModel TrcModel;

/* Opens a model folder or a bundled name. */
TrcModel *trc_model_open (const char *path_or_name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One more owner. */
TrcModel *trc_model_ref (TrcModel *self);

/* One owner less; NULL is fine. */
void trc_model_unref (TrcModel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcModel, trc_model_unref)

/* The folder of bundled model @name, or NULL: $TRACERY_DATA/models, the source
 * tree, the installed data, then what data/fetch-smollm2 brought for this user. Free with g_free(). */
char *trc_model_bundled_path (const char *name);

/* Names of all bundled models that are found; NULL-terminated, g_strfreev(). */
char **trc_model_list_bundled (void);

/* The shape of the model. Borrowed. */
const TrcModelConfig *trc_model_config (const TrcModel *self);

/* A short name for people: the folder's base name. Borrowed. */
const char *trc_model_name (const TrcModel *self);

/* A sentence for people about something odd in the files that was read all the same, or NULL.
 * Borrowed. */
const char *trc_model_note (const TrcModel *self);

/* Number of parameters as the forward pass sees them (a tied matrix counts once). */
guint64 trc_model_n_parameters (const TrcModel *self);

/* TRUE when the model has this weight (an absent bias means zero). */
gboolean trc_model_has_weight (const TrcModel *self, TrcWeightRole role, guint layer);

/* The weight on @dev, uploaded on first use; borrowed, lives as long as the
 * model does. @layer is ignored for the roles that are outside the layers. NULL with
 * @error set when memory runs out, and when the model has no such weight. */
const TrcWeight *trc_model_weight (TrcModel *self, TrcDevice *dev, TrcWeightRole role,
                                   guint layer, GError **error);

/* The same in the type that the file has, for packed matrices and embeddings. Everything else
 * is what trc_model_weight() gives. For forward passes; a packed tensor can only be the
 * second factor of a product, or a table. */
const TrcWeight *trc_model_weight_packed (TrcModel *self, TrcDevice *dev, TrcWeightRole role,
                                          guint layer, GError **error);

/* Copies a weight to @dst in host memory as f32 [in][out] whatever the file's own
 * order is (tables and vectors as they are). @n must be in * out. */
gboolean trc_model_weight_host (TrcModel *self, TrcWeightRole role, guint layer, float *dst,
                                gsize n, GError **error);

/* In and out widths of a role in this model: 1 and n for vectors, rows and
 * columns for tables. */
void
trc_model_weight_shape (const TrcModel *self, TrcWeightRole role, guint *n_in, guint *n_out);

/* TRUE for the roles that exist once, outside the layers. */
gboolean trc_weight_is_outer (TrcWeightRole role);

/* Gives back the memory that the weights take on @dev. */
void trc_model_release (TrcModel *self, TrcDevice *dev);

/* The tokeniser, or NULL when the folder holds none. Borrowed. */
const TrcTokenizer *trc_model_tokenizer (const TrcModel *self);

/* Appends the ids of @text to @ids (of guint32) and their places to @spans (of
 * TrcSpan; may be NULL); checks that every id is in the model's vocabulary. */
gboolean trc_model_tokenize (const TrcModel *self, const char *text, GArray *ids, GArray *spans,
                             GError **error);

/* The text of a token for people, or "#id" when there is no tokeniser. Borrowed. */
const char *trc_model_token_text (TrcModel *self, guint32 id);

/* Reads TOKEN or #ID as the command line writes it. */
gboolean
trc_model_parse_token (const TrcModel *self, const char *text, guint32 *id, GError **error);

G_END_DECLS
