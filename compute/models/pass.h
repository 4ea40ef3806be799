/* compute/models/pass.h - the one description of a transformer, written on a tape
 *
 * Inference, training, attribution and patching all go through these three steps: begin, every
 * layer, end. Errors stay in the tape.
 *
 * Private to compute/models.
 */
#pragma once

#include "compute/models/model_impl.h"
#include "compute/run.h"

G_BEGIN_DECLS

/* Keys (rotated, edited) and values of the positions that earlier passes went through. A pass
 * adds its own behind them; the caller counts n_past on. */
typedef struct {
  TrcTensor **k, **v; /* [n_layers] of [positions][n_kv_heads * d_head] */
  guint n_past;
} TrcPassCache;

typedef struct {
  TrcTape *tape;
  TrcModel *model;
  const TrcModelConfig *config;
  const TrcForwardParams *params;
  TrcForward *out;        /* where every variable is noted down */
  TrcIntervention *edits; /* resolved copies of the params' interventions */
  TrcTensor *ids, *rope;
  const TrcPassCache *cache; /* NULL: every position is in this pass */
  guint past;                /* positions before the first of this pass */
} TrcPass;

/* Checks the params, resolves the hooks, makes what the layers share. */
gboolean trc_pass_init (TrcPass *self, TrcTape *tape, TrcModel *model,
                        const TrcForwardParams *params, GError **error);

/* The same for one prompt that goes on behind what @cache (may be NULL) holds. Positions of the
 * params' interventions count from the first one of this pass. Inference only: no gradient
 * flows through the cache. */
gboolean trc_pass_init_cached (TrcPass *self, TrcTape *tape, TrcModel *model,
                               const TrcForwardParams *params, const TrcPassCache *cache,
                               GError **error);

/* Frees all but the tape, the model and @out, which the caller takes. */
void trc_pass_clear (TrcPass *self);

/* The embeddings, as the first residual stream. */
TrcVar trc_pass_begin (TrcPass *self);

/* One layer: from the stream before it to the stream behind it. */
TrcVar trc_pass_layer (TrcPass *self, guint layer, TrcVar stream);

/* The final norm and the unembedding. */
void trc_pass_end (TrcPass *self, TrcVar stream);

/* --- means (compute/models/run.c) --- */

/* Gives every MEAN of @edits (the params' interventions, copied) without a source one: a run of
 * the same prompts left alone, which the caller frees. *@run stays NULL when none asks. */
gboolean trc_run_baseline (TrcModel *model, TrcDevice *dev, const TrcRunParams *params,
                           TrcIntervention *edits, TrcRun **run, const TrcProgress *progress,
                           GError **error);

/* --- sites (compute/models/site.c) --- */

/* Width of a site's rows; 0 for the pattern. */
guint trc_site_width (TrcSite site, const TrcModelConfig *config);

/* TRUE for the sites that exist once in every layer. */
gboolean trc_site_in_layer (TrcSite site);

/* TRUE when a pass for the last position alone computes this site only there. */
gboolean trc_site_is_last (TrcSite site, guint layer, const TrcModelConfig *config);

/* --- interventions (compute/models/edit.c) --- */

/* Resolves hooks and checks modes and sources; an array of @n to be freed, or NULL. */
TrcIntervention *trc_edits_new (const TrcIntervention *from, guint n,
                                const TrcModelConfig *config, guint n_prompts, guint n_tokens,
                                GError **error);

/* @var with the interventions at this site done to it; @var itself when there are none. */
TrcVar trc_pass_edit (TrcPass *self, TrcSite site, guint layer, TrcVar var);

G_END_DECLS
