/* render/layout/helper_format.h - what a layout helper is told and what it answers
 *
 * Lines of text, numbers in the C locale, sizes and places in points.
 *
 *   stdin    tracery-layout 1 CPU_SECONDS MEMORY_MIB
 *            nodes N
 *            W H RANK             N times; RANK 0 free, 1 lowest, 2 highest
 *            edges M
 *            FROM TO WEIGHT       M times; WEIGHT an integer of 1 to 100
 *            end
 *   stdout   layout 1 N
 *            X Y                  N times; y grows downwards
 *            end
 *
 * Anything else is an error: exit status 1, nothing on stdout. Private to
 * render/layout; the helper is written against this text alone.
 */
#pragma once

#define TRC_HELPER_ASK "tracery-layout 1"
#define TRC_HELPER_ANSWER "layout 1"
#define TRC_HELPER_MAX_NODES 20000u
#define TRC_HELPER_MAX_EDGES 200000u
#define TRC_HELPER_MEMORY_MIB 1024u
