/* render/scene.h - an immutable drawing: boxes, curves, labels, rows, columns
 *
 * A scene knows shapes and style classes, nothing of models or features. The
 * window, the exporters and the tests draw and search the same scene. What a
 * box stands for is the caller's business: ref_kind and ref come back from a
 * pick exactly as they were given.
 *
 * Units    points (1/72 inch), y grows downwards, logits above tokens.
 * Threads  a TrcScene never changes: any thread may read it. A builder belongs
 *          to one thread.
 * Lifetime reference counted; strings belong to the scene.
 * Errors   none: a bad index is a caller's bug (g_return_if_fail).
 */
#pragma once

#include "render/geometry.h"

G_BEGIN_DECLS

/* What a box looks like. Kinds are told by shape before colour. */
typedef enum {
  TRC_BOX_CIRCLE,   /* feature */
  TRC_BOX_DIAMOND,  /* error, rest */
  TRC_BOX_SQUARE,   /* attention head */
  TRC_BOX_TRIANGLE, /* neuron */
  TRC_BOX_HEXAGON,  /* a whole MLP or attention layer */
  TRC_BOX_CHIP,     /* token, label inside */
  TRC_BOX_PILL,     /* logit, label inside */
  TRC_BOX_CARD,     /* block: name and one line of facts inside */
  TRC_BOX_GROUP,    /* opened block: a frame with its members inside */
  TRC_N_BOX_SHAPES,
} TrcBoxShape;

/* How loud a box is. */
typedef enum {
  TRC_STYLE_PLAIN,
  TRC_STYLE_FAINT,  /* errors, tokens outside the circuit, small predictions */
  TRC_STYLE_STRONG, /* pinned, or a token in the circuit: bold, with a border */
  TRC_STYLE_TARGET, /* filled with the accent */
} TrcBoxStyle;

/* Where the label of a box stands. */
typedef enum {
  TRC_LABEL_INSIDE, /* chips, pills, cards, groups */
  TRC_LABEL_AROUND, /* right, left, above or below: where there is room */
  TRC_LABEL_NEVER,  /* only in the tooltip */
} TrcLabelPlace;

typedef struct {
  TrcPoint at; /* middle */
  double w, h;
  TrcBoxShape shape;
  TrcBoxStyle style;
  TrcLabelPlace place;
  double label_room;    /* points right of the shape that belong to its label */
  gint32 parent;        /* the group this box lies in, or -1; always a smaller index */
  double weight;        /* >= 0: who gets a label first, and stays far out */
  double fill;          /* 0..1: how much of a small shape is filled (activation); 0 = open */
  guint ref_kind;       /* the caller's, see app/present.h */
  guint64 ref;          /* the caller's */
  const char *label;    /* may be NULL */
  const char *sublabel; /* second line of a card, right corner of a group; may be NULL */
  const char *tooltip;  /* plain text, may hold line breaks; may be NULL */
} TrcBox;

typedef struct {
  gint32 from, to; /* boxes: source (below), target (above) */
  TrcPoint p[4];   /* one cubic, computed by the builder */
  float width;     /* points */
  float strength;  /* 0..1, share of the target's input */
  float rank;      /* 0..1, how much runs over it among its like: opacity, order of drawing */
  float value;     /* the caller's number, signed: what a tooltip says */
  gint8 sign;      /* +1 raises, -1 lowers, 0 without sign */
  guint8 weave;    /* 1: one of the weak bulk, drawn as a barely visible thread */
} TrcCurve;

typedef struct {
  double y; /* middle of the row */
  gint32
      ordinal; /* layer; rows that do not fit are thinned to every 2nd, 4th, ...; -1: stays */
  const char *label; /* "L12", "logit"; NULL: a rule without a label */
} TrcSceneRow;

typedef struct {
  double x, w;       /* middle and width of the column */
  gint32 box;        /* its chip, or -1 */
  gboolean active;   /* some box that is not a chip stands in the column */
  const char *label; /* the token; NULL: a rule without a label */
} TrcSceneColumn;

/* One entry of the legend: a line (curve TRUE) or a shape, with its word. */
typedef struct {
  gboolean curve;
  gint8 sign;
  TrcBoxShape shape;
  TrcBoxStyle style;
  const char *label;
} TrcLegendEntry;

/* What a caller says of an edge. */
typedef struct {
  gint32 from, to;
  double share;     /* 0..1, of the target's input: width, by its root */
  double rank;      /* 0..1, among edges of its like: opacity and order */
  double value;     /* signed, for the tooltip and the sign */
  double max_width; /* points, for a share of 1 */
  gboolean weave;   /* a thread of the weak bulk */
} TrcSceneEdge;

typedef struct _TrcScene TrcScene;
typedef struct _TrcSceneBuilder TrcSceneBuilder;

/* A builder for an empty scene. */
TrcSceneBuilder *trc_scene_builder_new (void);

/* Gives up a builder without a scene. Accepts NULL. */
void trc_scene_builder_free (TrcSceneBuilder *self);

/* Copies @box with its strings; returns its index. Boxes are drawn in order,
 * groups first. A parent must have been added before its members. */
gint32 trc_scene_builder_box (TrcSceneBuilder *self, const TrcBox *box);

/* Adds an edge; its path is found when the scene is made. */
void trc_scene_builder_edge (TrcSceneBuilder *self, const TrcSceneEdge *edge);

/* A layer row, from any order; the scene keeps them sorted by y. */
void trc_scene_builder_row (TrcSceneBuilder *self, double y, gint32 ordinal, const char *label);

/* A token column with its chip (or -1); kept sorted by x. */
void trc_scene_builder_column (TrcSceneBuilder *self, double x, double w, gint32 box,
                               const char *label);

/* Adds one entry to the legend, in reading order. */
void trc_scene_builder_legend (TrcSceneBuilder *self, const TrcLegendEntry *entry);

/* @title is one line; @facts a second, dim one ("94 nodes, 2,205 edges"); @chip
 * the words of the scores chip ("replacement .69  completeness .93"). NULL: none. */
void trc_scene_builder_words (TrcSceneBuilder *self, const char *title, const char *facts,
                              const char *chip);

/* Routes the edges, builds the hit index and returns the scene. Frees @self. */
TrcScene *trc_scene_builder_end (TrcSceneBuilder *self) G_GNUC_WARN_UNUSED_RESULT;

/* Takes a reference; any thread. */
TrcScene *trc_scene_ref (TrcScene *self);

/* Drops a reference; any thread. Accepts NULL. */
void trc_scene_unref (TrcScene *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcScene, trc_scene_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcSceneBuilder, trc_scene_builder_free)

/* All boxes, in the order they were added. Borrowed. */
const TrcBox *trc_scene_boxes (const TrcScene *self, guint *n);

/* All curves: the weave first, then by growing rank, which is the order in
 * which they are drawn. Borrowed. */
const TrcCurve *trc_scene_curves (const TrcScene *self, guint *n);

/* Rows from top to bottom. Borrowed. */
const TrcSceneRow *trc_scene_rows (const TrcScene *self, guint *n);

/* Columns from left to right. Borrowed. */
const TrcSceneColumn *trc_scene_columns (const TrcScene *self, guint *n);

/* Entries of the legend. Borrowed. */
const TrcLegendEntry *trc_scene_legend (const TrcScene *self, guint *n);

/* The title line, or NULL. Borrowed. */
const char *trc_scene_title (const TrcScene *self);

/* The dim second line, or NULL. Borrowed. */
const char *trc_scene_facts (const TrcScene *self);

/* The words of the scores chip, or NULL. Borrowed. */
const char *trc_scene_chip (const TrcScene *self);

/* The smallest rectangle around everything drawn; empty for an empty scene. */
TrcRect trc_scene_bounds (const TrcScene *self);

/* The rectangle of one box. */
TrcRect trc_box_rect (const TrcBox *box);

/* The box at @at, or the nearest within @reach points, or -1. A member beats the
 * group around it, which is hit only where no member is
 * near. Cost: the boxes of a few grid cells. */
gint32 trc_scene_pick (const TrcScene *self, TrcPoint at, double reach);

/* The curve nearest to @at within @reach points, or -1. Threads of the weave are
 * found only with @weave, and lose against stronger curves. */
gint32 trc_scene_pick_curve (const TrcScene *self, TrcPoint at, double reach, gboolean weave);

/* Every box that meets @area, in index order; for a lasso or a culled drawing. */
GArray *trc_scene_boxes_in (const TrcScene *self, TrcRect area) G_GNUC_WARN_UNUSED_RESULT;

/* The curves that begin or end at @box (guint32 indices, strongest first).
 * Borrowed. */
const guint32 *trc_scene_curves_of (const TrcScene *self, gint32 box, guint *n);

/* The box with this @ref_kind and @ref, or -1; for keeping a selection from one
 * scene to the next. Cost: a binary search. */
gint32 trc_scene_find (const TrcScene *self, guint ref_kind, guint64 ref);

/* The box of the smallest move from @box into a direction (dx, dy), for the arrow
 * keys; -1 when there is none. @box of -1 gives the heaviest box. */
gint32 trc_scene_step (const TrcScene *self, gint32 box, int dx, int dy);

G_END_DECLS
