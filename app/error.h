/* app/error.h - what can go wrong between a person and the engine
 *
 * Errors   USAGE is for what a person typed or chose (exit status 2 on the command line);
 *          FAILED is for work that could not be done (exit status 1). Trouble found by a lower
 *          layer keeps that layer's domain.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  TRC_APP_ERROR_USAGE,  /* a wrong, missing or contradictory option */
  TRC_APP_ERROR_FAILED, /* well asked, but it could not be done */
} TrcAppError;

#define TRC_APP_ERROR (trc_app_error_quark ())

/* The error domain of the app layer. */
GQuark trc_app_error_quark (void);

G_END_DECLS
