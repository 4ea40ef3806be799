#include "compute/cpu/fast.h"

#include <string.h>

extern const TrcFastTable trc_fast_base_table;
#ifdef TRC_HAVE_FAST_V3
extern const TrcFastTable trc_fast_v3_table;
#endif

const TrcFastTable *
trc_fast_table (void)
{
#ifdef TRC_HAVE_FAST_V3
  if (g_strcmp0 (g_getenv ("TRACERY_CPU"), "base") != 0 && __builtin_cpu_supports ("avx2")
      && __builtin_cpu_supports ("fma"))
    return &trc_fast_v3_table;
#endif
  return &trc_fast_base_table;
}
