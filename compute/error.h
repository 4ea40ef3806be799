/* compute/error.h - what can go wrong with data, devices and memory
 *
 * Every fallible call of the compute layer sets a GError of this domain, or
 * G_IO_ERROR_CANCELLED when its cancellable was triggered. Messages are whole
 * sentences that name the file, the field and what to do.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  TRC_COMPUTE_ERROR_INVALID,     /* the data is wrong: truncated, contradictory, out of range */
  TRC_COMPUTE_ERROR_UNSUPPORTED, /* well-formed, but something Tracery does not read or do */
  TRC_COMPUTE_ERROR_NOT_FOUND,   /* a name that names nothing */
  TRC_COMPUTE_ERROR_OUT_OF_MEMORY, /* on the host or the device */
  TRC_COMPUTE_ERROR_DEVICE_LOST, /* sticky: every later call on that device fails the same way */
  TRC_COMPUTE_ERROR_NUMERIC,     /* NaN or infinity where a finite number must be */
} TrcComputeError;

#define TRC_COMPUTE_ERROR (trc_compute_error_quark ())

/* The error domain of the compute layer. */
GQuark trc_compute_error_quark (void);

/* A text out of a file, fit to be part of a sentence: valid UTF-8, on one line, not long. Free
 * with g_free(). */
char *trc_error_quotable (const char *text);

G_END_DECLS
