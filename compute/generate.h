/* compute/generate.h - text that a model writes on from a prompt, with interventions
 *
 * The prompt goes through the model once; each token after it is one pass of one position,
 * which reads the keys and values that the earlier passes left behind.
 *
 * Interventions act at every position that they name, those being written included. Without a
 * position they act everywhere. Positions from the end count from the end of the prompt. PATCH
 * acts in the prompt alone, since its source has no more; a MEAN without a source takes the
 * mean over the prompt left alone.
 *
 * Errors   TRC_COMPUTE_ERROR, G_IO_ERROR_CANCELLED.
 * Threads  those of the device.
 */
#pragma once

#include "compute/run.h"

G_BEGIN_DECLS

typedef enum {
  TRC_STOP_COUNT,  /* as many tokens as were asked for */
  TRC_STOP_END,    /* the model wrote its end-of-text token, which is not among the ids */
  TRC_STOP_FULL,   /* the context has no room for another */
  TRC_STOP_CALLER, /* the callback said so */
} TrcStopReason;

typedef struct {
  const guint32 *ids; /* the prompt */
  guint n_tokens;
  guint n_new;        /* how many tokens are wanted at most */
  double temperature; /* 0: always the likeliest token, the lowest id among equals */
  guint64 seed;       /* equal seeds draw equal tokens; unused at temperature 0 */
  const TrcIntervention *interventions;
  guint n_interventions;
  gboolean (*token) (guint32 id, gpointer data); /* per token, may be NULL; FALSE stops */
  gpointer data;
} TrcGenerateParams;

/* What was done. */
typedef struct {
  guint n_passes;    /* the prompt's and those of one position */
  guint n_positions; /* rows that went through the layers, all passes together */
  TrcStopReason stop;
} TrcGenerateWork;

/* Appends what the model writes to @ids (of guint32); tokens written before a failure or a
 * cancellation stay there. @work may be NULL. */
gboolean trc_generate (TrcModel *model, TrcDevice *dev, const TrcGenerateParams *params,
                       GArray *ids, TrcGenerateWork *work, const TrcProgress *progress,
                       GError **error);

G_END_DECLS
