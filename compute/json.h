/* compute/json.h - small JSON documents, read safely
 *
 * json-glib descends recursively, so a hostile file of ten million brackets
 * would end the process; these calls look at the nesting first. Large graph
 * files are streamed elsewhere.
 *
 * Errors   TRC_COMPUTE_ERROR_INVALID with the name of the file, the line and
 *          what is wrong.
 * Threads  any.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Parses @len bytes; @name stands for the source in messages. Owned by the
 * caller; NULL with @error set. */
JsonNode *trc_json_parse (const char *data, gsize len, const char *name,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a file of at most @max_bytes. */
JsonNode *
trc_json_read (const char *path, gsize max_bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Members of an object, with a default where they are missing, null or of
 * another type. @object may be NULL. Strings and objects are borrowed. */
const char *trc_json_string (JsonObject *object, const char *member, const char *fallback);
/* See trc_json_string(). */
gint64 trc_json_int (JsonObject *object, const char *member, gint64 fallback);
/* See trc_json_string(). */
double trc_json_double (JsonObject *object, const char *member, double fallback);
/* See trc_json_string(). */
gboolean trc_json_bool (JsonObject *object, const char *member, gboolean fallback);
/* See trc_json_string(); NULL when there is no such object. */
JsonObject *trc_json_object (JsonObject *object, const char *member);
/* See trc_json_string(); NULL when there is no such array. */
JsonArray *trc_json_array (JsonObject *object, const char *member);

/* Element @i of @array as an object, or NULL. */
JsonObject *trc_json_element_object (JsonArray *array, guint i);
/* Element @i of @array as a string, or NULL. */
const char *trc_json_element_string (JsonArray *array, guint i);

G_END_DECLS
