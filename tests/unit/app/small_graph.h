/* tests/unit/app/small_graph.h - a graph of eight nodes and two supernodes for the tests of app */
#pragma once

#include "compute/graph.h"

G_BEGIN_DECLS

enum {
  SMALL_TOKEN_0,
  SMALL_TOKEN_1,
  SMALL_A,     /* layer 0, position 0, group 0 */
  SMALL_A_TOO, /* the same feature at position 1, group 0 */
  SMALL_B,     /* layer 1, position 1, group 1 */
  SMALL_REST,
  SMALL_LOGIT, /* the target, 0.75 */
  SMALL_LOGIT_2,
  SMALL_N,
};

/* The graph; links are written where it is made. */
TrcGraph *small_graph_new (void);

G_END_DECLS
