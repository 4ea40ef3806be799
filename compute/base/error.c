#include "compute/error.h"

G_DEFINE_QUARK (trc-compute-error-quark, trc_compute_error)
