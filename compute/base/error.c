#include "compute/error.h"

/* Not by G_DEFINE_QUARK: the formatter would pull its dashed name apart. */
GQuark
trc_compute_error_quark (void)
{
  return g_quark_from_static_string ("trc-compute-error-quark");
}
