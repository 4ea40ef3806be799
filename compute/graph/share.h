/* compute/graph/share.h - the value at which a share of a sum is reached
 *
 * Private to compute/graph.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of @values (none negative) from the largest down: the first at which the sum
 * so far is at least @share of the whole sum; the smallest if rounding keeps it
 * from getting there. Expected O(n), no sort; @values ends up in another order. */
double trc_share_threshold (double *values, gsize n, double share);

G_END_DECLS
