/* compute/graph/node_names.h - how graph files name nodes and their kinds
 *
 * Private to compute/graph. Two notations: circuit-tracer's ids and its paired
 * feature numbers, and the hook-like names of EAP-IG ("a3.h5", "m3").
 */
#pragma once

#include "compute/graph.h"

G_BEGIN_DECLS

/* Kind that a "feature_type" text stands for. */
TrcNodeKind trc_node_kind_from_type (const char *type);

/* The "feature_type" text that we write for @kind. */
const char *trc_node_type (TrcNodeKind kind);

/* Cantor's pairing of schema 1: (layer, feature) in one number. FALSE when it
 * does not fit 63 bits. */
gboolean trc_pair_feature (gint64 layer, gint64 feature, gint64 *paired);

/* The two numbers in @paired; FALSE when it is negative or too large. */
gboolean trc_unpair_feature (gint64 paired, gint64 *layer, gint64 *feature);

/* Middle number of an id of the form layer_number_position, -1 when @id has another form. */
gint64 trc_id_middle_number (const char *id);

/* Probability written in a label as "(p=0.42)", NAN when there is none. */
double trc_label_probability (const char *label);

/* Fills in kind, layer and index from an EAP-IG name; FALSE when it is none. */
gboolean trc_node_from_eap_name (const char *name, TrcNode *node);

/* Fills in the names that are still NULL: id, js_id, type, layer_text. @strings owns them. */
void trc_node_make_names (TrcNode *node, GStringChunk *strings);

G_END_DECLS
