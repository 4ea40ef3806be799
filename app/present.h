/* app/present.h - from a graph and a view of it to a scene
 *
 * Decides which nodes and edges are shown (pruning by share of influence), what
 * each looks like, what its label says, and where it stands. The only place
 * where features, heads and tokens become circles, squares and chips.
 *
 * Threads  pure: runs in a worker; the graph and the scene are immutable.
 * Errors   G_IO_ERROR_CANCELLED, or what pruning reports.
 */
#pragma once

#include "compute/prune.h"
#include "render/scene.h"

G_BEGIN_DECLS

/* TrcBox.ref_kind: what TrcBox.ref counts. */
typedef enum {
  TRC_REF_NODE,  /* a node of the graph (0 .. trc_graph_n_nodes - 1) */
  TRC_REF_GROUP, /* a supernode of the file (its index there) */
  TRC_REF_TOKEN, /* a position of the prompt without a shown node */
} TrcRefKind;

typedef enum {
  TRC_VIEW_OWN, /* layers as rows, tokens as columns */
  TRC_VIEW_DOT, /* Graphviz, up to about 200 nodes */
} TrcViewLayout;

typedef enum {
  TRC_GROUPS_AUTO, /* cards when the file has supernodes */
  TRC_GROUPS_CARDS,
  TRC_GROUPS_FLAT, /* ignore supernodes: every node by itself */
} TrcViewGroups;

typedef struct {
  double node_share; /* of influence kept, 0..1; 1 = every node */
  double edge_share; /* the same for edges */
  TrcViewLayout layout;
  gboolean force_dot; /* also above the size that dot is given */
  TrcViewGroups groups;
  const guint32 *opened; /* supernodes drawn opened, with members inside; borrowed */
  guint n_opened;
  gboolean hide_errors; /* leave out error and rest nodes */
  guint max_curves;     /* strongest edges drawn as curves, the rest is weave; 0 = 320 */
} TrcView;

typedef struct {
  guint nodes_shown, nodes_total; /* of the graph, members of closed cards included */
  guint64 edges_shown, edges_total;
  gboolean fell_back; /* dot was asked for, our own layout was taken */
  char *message;      /* why, or NULL */
} TrcPresentInfo;

/* node share 0.8, edge share 0.98, own layout, cards when there are supernodes. */
void trc_view_init (TrcView *self);

/* As trc_view_init(), but a graph small enough to be seen whole is shown whole. */
void trc_view_init_for (TrcView *self, const TrcGraph *graph);

/* Makes the scene. @pruner is one made from @graph and kept for the next slider
 * step, or NULL: one is made for this call. @info may be NULL; clear it with
 * trc_present_info_clear(). Milliseconds for a thousand nodes. */
TrcScene *trc_present_scene (TrcGraph *graph, TrcPruner *pruner, const TrcView *view,
                             TrcPresentInfo *info, const TrcProgress *progress,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees what the struct holds, not the struct. */
void trc_present_info_clear (TrcPresentInfo *self);

/* The short name of a node as it stands in the scene: "Austin 98.4 %", "L3 H5",
 * "Texas-related". Free it. */
char *trc_present_node_label (const TrcGraph *graph, guint32 node);

/* One dim line about a node: "feature 1207 · L12 · token \"Dallas\"". Free it. */
char *trc_present_node_facts (const TrcGraph *graph, guint32 node);

G_END_DECLS
