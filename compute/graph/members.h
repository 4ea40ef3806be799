/* compute/graph/members.h - the members of a JSON object, each as its own text
 *
 * Private to compute/graph. Metadata and view state are kept this way: what we
 * do not understand is written back byte for byte, what we need is parsed when
 * it is asked for. Documents are small; nothing here is for links.
 *
 * Lifetime  keys and values belong to the string chunk that is passed in.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *key;
  const char *json; /* one JSON value */
} TrcMember;

/* In file order, one entry a key. */
typedef GArray TrcMembers;

/* An empty list. Free with g_array_unref(). */
TrcMembers *trc_members_new (void);

/* A copy whose strings live in @strings. */
TrcMembers *trc_members_copy (const TrcMembers *self, GStringChunk *strings);

/* JSON text of member @key, or NULL. */
const char *trc_members_get (const TrcMembers *self, const char *key);

/* Sets or replaces a member. */
void
trc_members_set (TrcMembers *self, GStringChunk *strings, const char *key, const char *json);

/* Removes a member; it need not be there. */
void trc_members_remove (TrcMembers *self, const char *key);

/* The value at a path with dots, parsed; NULL when absent. A whole key that
 * holds dots wins over a path. */
JsonNode *trc_members_lookup (const TrcMembers *self, const char *path);

/* Sets the value at a path with at most one dot, making the object on the way. */
void
trc_members_store (TrcMembers *self, GStringChunk *strings, const char *path, const char *json);

/* { "key": value, ... } */
void trc_members_append (const TrcMembers *self, GString *out);

/* Parses one JSON value; NULL when it is none. */
JsonNode *trc_json_parse_value (const char *json);

G_END_DECLS
