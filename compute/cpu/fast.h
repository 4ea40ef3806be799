/* compute/cpu/fast.h - the fast paths of the CPU device
 *
 * Private to compute. The fast_*.c files are compiled once for any processor of the
 * architecture and, on x86-64, once more each for AVX2 with FMA and for AVX-512;
 * trc_fast_table() picks at start. Results of them differ in the last digits; on one machine
 * they are always the same bytes.
 */
#pragma once

#include "compute/ops.h"

G_BEGIN_DECLS

typedef void (*TrcFastFunc) (const TrcKernelArgs *args, TrcPool *pool);

typedef struct {
  const char *name; /* of the variant */
  TrcFastFunc run[TRC_N_OPS];
} TrcFastTable;

/* The best variant for this processor; TRACERY_CPU=base|v3 keeps newer ones out. */
const TrcFastTable *trc_fast_table (void);

G_END_DECLS
