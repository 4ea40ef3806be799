/* app/present/present_private.h - what is shown, before it is a scene
 *
 * A plan holds one item for everything that gets a box: single nodes, closed
 * supernodes (cards), opened ones (frames) and their members, and the logits.
 * present.c fills it step by step:
 *
 *   trc_plan_new     graph, influence, what pruning keeps
 *   trc_plan_items   items with kind, place in the grid, label, size    items.c
 *   trc_plan_links   edges between items, with share and rank           links.c
 *   trc_plan_place   x and y                                            place.c
 *   trc_plan_scene   boxes, curves, rows, columns, legend, words        build.c
 *
 * Private to app/present.
 */
#pragma once

#include "app/present.h"
#include "render/draw.h"
#include "render/layout.h"

G_BEGIN_DECLS

typedef enum {
  TRC_ITEM_NODE,
  TRC_ITEM_CARD,   /* closed supernode: carries the edges of its members */
  TRC_ITEM_FRAME,  /* opened supernode: carries none itself */
  TRC_ITEM_HEADER, /* a column's chip without a node */
} TrcItemKind;

typedef struct {
  TrcItemKind kind;
  guint32 ref;   /* node, supernode or column */
  gint32 parent; /* item of the frame it lies in, or -1 */
  gint32 row, last_row, column;
  gboolean anchored; /* a block stands above the tokens of its members */
  double anchor;     /* their mean column */
  TrcBoxShape shape;
  TrcBoxStyle style;
  gboolean background; /* shown, but not part of what somebody picked out */
  TrcLabelPlace label_place;
  const char *label, *sublabel, *tooltip; /* in the plan's string chunk */
  double w, h;                            /* of the shape */
  double label_w;                         /* room for a label right of it; 0 none */
  double mass;                            /* influence and probability, summed over members */
  double weight;                          /* 0..1, for labels and ink */
  TrcPoint at;
  gint32 box; /* index in the scene, set when built */
} TrcItem;

typedef struct {
  guint32 from, to;    /* items */
  double score;        /* how much of the whole output runs over it */
  double signed_score; /* the same with the signs of the weights */
  double rank;         /* 0..1 among strong links, or among the others */
  double share;        /* of the target's input, 0..1 */
  gboolean strong;     /* a curve; else a thread of the weave */
} TrcLink;

typedef struct {
  TrcGraph *graph;
  const TrcView *view;
  const TrcProgress *progress;
  TrcPainter *painter; /* measures text */
  GStringChunk *strings;
  guint32 n_nodes;
  const TrcNode *nodes;
  const double *h; /* influence by node, borrowed from the pruner */
  TrcGraphScores scores;
  TrcPruned *kept;
  gint32 *group_of;   /* supernode of each node, -1 none */
  gint32 *item_of;    /* item that carries a node's edges, -1 not shown */
  double *mass_of;    /* influence + probability of each node */
  GArray *items;      /* TrcItem */
  GArray *links;      /* TrcLink, weakest first */
  gint64 target;      /* the logit that is explained, -1 none */
  gboolean named;     /* features have names; those without stay without a label */
  gboolean cards;     /* supernodes are drawn as cards */
  gboolean positions; /* columns are tokens; else components (EAP-IG) */
  gboolean split;     /* attention and MLP have rows of their own */
  guint n_rows, n_columns;
  double *row_y, *column_x, *column_w; /* after placing; NULL for dot */
  guint nodes_shown;
  guint64 edges_shown;
  gboolean fell_back;
  char *message;
} TrcPlan;

/* Frees all of it. Accepts NULL. */
void trc_plan_free (TrcPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcPlan, trc_plan_free)

/* Items of everything shown. */
void trc_plan_items (TrcPlan *self);

/* Links between items, ranked; the strongest are marked. */
void trc_plan_links (TrcPlan *self);

/* Places of all items. FALSE only when cancelled. */
gboolean trc_plan_place (TrcPlan *self, GError **error);

/* The scene. */
TrcScene *trc_plan_scene (TrcPlan *self);

/* The row of a node in the grid, 0 = tokens. */
gint32 trc_plan_row (const TrcPlan *self, const TrcNode *node);

/* Row of layer @layer's middle on the page; valid after placing. */
double trc_plan_layer_y (const TrcPlan *self, gint32 layer);

/* A token as it stands in a chip: trimmed, blanks made visible. Free it. */
char *trc_present_token_text (const char *token);

/* TRUE when somebody or some tool gave the node a name. */
gboolean trc_present_has_name (const TrcGraph *graph, guint32 node);

G_END_DECLS
