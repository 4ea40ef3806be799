/* compute/formats/json_file.h - members of a JSON object that must be of the right type
 *
 * compute/json.h gives defaults for what it cannot read; a config.json must not be read that
 * way, for a wrong width would be noticed far from its cause.
 *
 * Private to compute.
 *
 * Errors   TRC_COMPUTE_ERROR, one sentence that names the file and the field.
 */
#pragma once

#include <json-glib/json-glib.h>

#include "compute/error.h"

G_BEGIN_DECLS

/* The root object of the file at @path, read by compute/json.h. */
JsonObject *trc_json_load (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Reading members: a missing one (or null) leaves @value as it is; one of another type or out
 * of range is an error that names @path and @key. */
gboolean trc_json_get_uint (JsonObject *object, const char *path, const char *key, guint max,
                            guint *value, GError **error);
/* A finite number. */
gboolean trc_json_get_float (JsonObject *object, const char *path, const char *key,
                             float *value, GError **error);
/* true or false. */
gboolean trc_json_get_bool (JsonObject *object, const char *path, const char *key,
                            gboolean *value, GError **error);
/* A text; borrowed from the object. */
gboolean trc_json_get_string (JsonObject *object, const char *path, const char *key,
                              const char **value, GError **error);
/* An object; borrowed. */
gboolean trc_json_get_object (JsonObject *object, const char *path, const char *key,
                              JsonObject **value, GError **error);

G_END_DECLS
