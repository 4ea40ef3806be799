#include "compute/cpu/fast.h"

#include <string.h>

extern const TrcFastTable trc_fast_base_table;
#ifdef TRC_HAVE_FAST_V3
extern const TrcFastTable trc_fast_v3_table;
#endif
#ifdef TRC_HAVE_FAST_V4
extern const TrcFastTable trc_fast_v4_table;
#endif

/* TRACERY_CPU=base|v3 keeps newer variants out. */
static gboolean
allowed (const char *variant)
{
  const char *wanted = g_getenv ("TRACERY_CPU");

  return wanted == NULL || strcmp (wanted, variant) >= 0;
}

const TrcFastTable *
trc_fast_table (void)
{
#ifdef TRC_HAVE_FAST_V4
  if (allowed ("v4") && __builtin_cpu_supports ("avx512f")
      && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("fma"))
    return &trc_fast_v4_table;
#endif
#ifdef TRC_HAVE_FAST_V3
  if (allowed ("v3") && __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return &trc_fast_v3_table;
#endif
  return &trc_fast_base_table;
}
