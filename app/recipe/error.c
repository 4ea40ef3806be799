#include "app/error.h"

G_DEFINE_QUARK (trc - app - error - quark, trc_app_error)
