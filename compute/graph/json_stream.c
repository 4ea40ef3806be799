#include "compute/graph/json_stream.h"

#include "compute/error.h"
#include "compute/graph/json_text.h"

#include <string.h>
#include <yajl/yajl_parse.h>

#define CHUNK_BYTES (256 * 1024)

typedef struct {
  const TrcJsonHandler *handler;
  gpointer data;
  char *key; /* of the value that comes next; ends in NUL */
  gsize key_room;
  GString *piece; /* what is taken whole */
  gboolean comma; /* in @piece: the next value needs one */
  guint depth;
  guint piece_depth; /* depth at which the piece began, 0 = not taking one */
  GError *error;
} Stream;

gboolean
trc_json_value_is (const TrcJsonValue *value, const char *text)
{
  return value->kind == TRC_JSON_STRING && strlen (text) == value->len
         && memcmp (value->text, text, value->len) == 0;
}

void
trc_json_append_value (GString *out, const TrcJsonValue *value)
{
  switch (value->kind)
    {
    case TRC_JSON_NULL:
      g_string_append (out, "null");
      break;
    case TRC_JSON_BOOL:
      g_string_append (out, value->truth ? "true" : "false");
      break;
    case TRC_JSON_STRING:
      trc_json_append_string (out, value->text, value->len);
      break;
    default:
      g_string_append_len (out, value->text, (gssize)value->len);
    }
}

void
trc_json_append_member (GString *out, const char *key, const TrcJsonValue *value)
{
  if (out->len > 0)
    g_string_append_c (out, ',');
  trc_json_append_string (out, key, strlen (key));
  g_string_append_c (out, ':');
  trc_json_append_value (out, value);
}

/* ---- what yajl calls ---- */

static int
on_value (Stream *self, const TrcJsonValue *value)
{
  if (self->piece_depth > 0)
    {
      if (self->comma)
        g_string_append_c (self->piece, ',');
      trc_json_append_value (self->piece, value);
      self->comma = TRUE;
      return 1;
    }
  return self->handler->value (self->data, self->key, value, &self->error);
}

static int
on_null (void *ctx)
{
  return on_value (ctx, &(TrcJsonValue){ .kind = TRC_JSON_NULL });
}

static int
on_boolean (void *ctx, int truth)
{
  return on_value (ctx, &(TrcJsonValue){ .kind = TRC_JSON_BOOL, .truth = truth });
}

static int
on_number (void *ctx, const char *text, size_t len)
{
  Stream *self = ctx;
  TrcJsonValue value = { .kind = TRC_JSON_NUMBER, .text = text, .len = len };

  if (!trc_json_parse_number (text, len, &value.number))
    {
      g_set_error (&self->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
                   "the number %.*s%s is too large", (int)MIN (len, 24), text,
                   len > 24 ? "..." : "");
      return 0;
    }
  return on_value (self, &value);
}

static int
on_string (void *ctx, const unsigned char *text, size_t len)
{
  return on_value (
      ctx, &(TrcJsonValue){ .kind = TRC_JSON_STRING, .text = (const char *)text, .len = len });
}

static int
on_key (void *ctx, const unsigned char *text, size_t len)
{
  Stream *self = ctx;

  if (self->piece_depth > 0)
    {
      if (self->comma)
        g_string_append_c (self->piece, ',');
      trc_json_append_string (self->piece, (const char *)text, len);
      g_string_append_c (self->piece, ':');
      self->comma = FALSE;
      return 1;
    }
  if (len >= self->key_room)
    {
      self->key_room = len + 64;
      self->key = g_realloc (self->key, self->key_room);
    }
  memcpy (self->key, text, len);
  self->key[len] = '\0';
  return 1;
}

static int
on_start (Stream *self, gboolean is_array)
{
  gboolean descend = FALSE;

  if (++self->depth > TRC_JSON_MAX_DEPTH)
    {
      g_set_error (&self->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "the JSON is nested deeper than %d levels", TRC_JSON_MAX_DEPTH);
      return 0;
    }
  if (self->piece_depth == 0)
    {
      if (!self->handler->enter (self->data, self->key, is_array, &descend, &self->error))
        return 0;
      if (descend)
        {
          self->key[0] = '\0';
          return 1;
        }
      self->piece_depth = self->depth;
      self->comma = FALSE;
      g_string_truncate (self->piece, 0);
    }
  if (self->comma)
    g_string_append_c (self->piece, ',');
  g_string_append_c (self->piece, is_array ? '[' : '{');
  self->comma = FALSE;
  return 1;
}

static int
on_end (Stream *self, char bracket)
{
  guint depth = self->depth--;

  if (self->piece_depth == 0)
    {
      self->key[0] = '\0'; /* what follows is no member of this one */
      return self->handler->leave (self->data, &self->error);
    }
  g_string_append_c (self->piece, bracket);
  self->comma = TRUE;
  if (depth != self->piece_depth)
    return 1;
  self->piece_depth = 0;
  return on_value (self, &(TrcJsonValue){ .kind = TRC_JSON_RAW,
                                          .text = self->piece->str,
                                          .len = self->piece->len });
}

static int
on_start_map (void *ctx)
{
  return on_start (ctx, FALSE);
}

static int
on_end_map (void *ctx)
{
  return on_end (ctx, '}');
}

static int
on_start_array (void *ctx)
{
  return on_start (ctx, TRUE);
}

static int
on_end_array (void *ctx)
{
  return on_end (ctx, ']');
}

static const yajl_callbacks callbacks = {
  .yajl_null = on_null,
  .yajl_boolean = on_boolean,
  .yajl_number = on_number,
  .yajl_string = on_string,
  .yajl_start_map = on_start_map,
  .yajl_map_key = on_key,
  .yajl_end_map = on_end_map,
  .yajl_start_array = on_start_array,
  .yajl_end_array = on_end_array,
};

/* ---- reading ---- */

/* Eight bytes at a time: every chunk passes through here, for the sake of the one
 * message that may come. The sum sets the top bit of each byte that is not zero; the
 * product adds those bits up. */
static guint64
count_lines (const char *text, gsize len)
{
  const guint64 low = 0x7f7f7f7f7f7f7f7f, ones = 0x0101010101010101;
  guint64 n = 0, word;
  gsize i = 0;

  for (; i + sizeof word <= len; i += sizeof word)
    {
      memcpy (&word, text + i, sizeof word);
      word ^= ones * '\n';
      word = ((word & low) + low) | word;
      n += 8 - ((word >> 7 & ones) * ones >> 56);
    }
  for (; i < len; i++)
    n += text[i] == '\n';
  return n;
}

/* Python writes NaN and Infinity, which JSON does not have: say so by name. */
static const char *
non_number_near (const char *chunk, gsize len, gsize at)
{
  static const char *const words[] = { "NaN", "Infinity" };
  gsize from = at > 9 ? at - 9 : 0;

  for (gsize w = 0; w < G_N_ELEMENTS (words); w++)
    if (g_strstr_len (chunk + from, (gssize)MIN (len - from, 24), words[w]) != NULL)
      return words[w];
  return NULL;
}

/* Says what yajl did not like; @line counts from 1. */
static void
set_syntax_error (yajl_handle yajl, const char *chunk, gsize len, gsize at, const char *name,
                  guint64 line, GError **error)
{
  unsigned char *text = yajl_get_error (yajl, 0, (const unsigned char *)chunk, len);
  const char *what = text != NULL ? (const char *)text : "";
  const char *colon = strstr (what, "error: ");
  const char *word = non_number_near (chunk, len, at);
  g_autofree char *reason = g_strdup (colon != NULL ? colon + strlen ("error: ") : what);

  g_strstrip (reason);
  if (g_str_has_suffix (reason, "."))
    reason[strlen (reason) - 1] = '\0';
  if (word != NULL)
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NUMERIC,
                 "%s, line %" G_GUINT64_FORMAT ": %s is no number in JSON; write the graph "
                 "again without it.",
                 name, line, word);
  else
    g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                 "%s, line %" G_GUINT64_FORMAT ": this is not valid JSON (%s).", name, line,
                 reason);
  yajl_free_error (yajl, text);
}

/* Puts file and line before what the handler said. */
static void
tell (Stream *self, const char *name, guint64 line, GError **error)
{
  const GError *cause = self->error;
  gboolean open = !g_str_has_suffix (cause->message, ".");

  g_set_error (error, cause->domain, cause->code, "%s, line %" G_GUINT64_FORMAT ": %s%s", name,
               line, cause->message, open ? "." : "");
  g_clear_error (&self->error);
}

/* One chunk through yajl. @line is the line that it starts in. */
static gboolean
feed (Stream *self, yajl_handle yajl, const char *chunk, gsize len, const char *name,
      guint64 line, GError **error)
{
  yajl_status status = yajl_parse (yajl, (const unsigned char *)chunk, len);
  gsize at = MIN (yajl_get_bytes_consumed (yajl), len);

  if (status == yajl_status_ok)
    return TRUE;
  line += count_lines (chunk, at);
  if (status == yajl_status_client_canceled)
    tell (self, name, line, error);
  else
    set_syntax_error (yajl, chunk, len, at, name, line, error);
  return FALSE;
}

/* The end: what is still open was cut off. */
static gboolean
finish (Stream *self, yajl_handle yajl, const char *name, guint64 bytes, guint64 line,
        GError **error)
{
  if (bytes == 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID, "%s is empty.", name);
      return FALSE;
    }
  if (yajl_complete_parse (yajl) == yajl_status_ok)
    return TRUE;
  if (self->error != NULL)
    {
      tell (self, name, line, error);
      return FALSE;
    }
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
               "%s ends in the middle of the JSON (line %" G_GUINT64_FORMAT
               ", byte %" G_GUINT64_FORMAT "): it was cut off; copy or download it again.",
               name, line, bytes);
  return FALSE;
}

static gboolean
run (Stream *self, yajl_handle yajl, GInputStream *stream, goffset size, const char *name,
     const TrcProgress *progress, GError **error)
{
  g_autofree char *chunk = g_malloc (CHUNK_BYTES);
  GCancellable *cancellable = progress != NULL ? progress->cancellable : NULL;
  guint64 line = 1, bytes = 0;

  for (;;)
    {
      GError *inner = NULL;
      gssize n = g_input_stream_read (stream, chunk, CHUNK_BYTES, cancellable, &inner);

      if (n < 0)
        {
          if (g_error_matches (inner, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            g_propagate_error (error, inner);
          else
            {
              g_set_error (error, inner->domain, inner->code, "%s cannot be read: %s.", name,
                           inner->message);
              g_error_free (inner);
            }
          return FALSE;
        }
      if (n == 0)
        return finish (self, yajl, name, bytes, line, error);
      if (!feed (self, yajl, chunk, (gsize)n, name, line, error))
        return FALSE;
      line += count_lines (chunk, (gsize)n);
      bytes += (guint64)n;
      trc_progress_report (progress, size > 0 ? MIN (1.0, (double)bytes / (double)size) : -1,
                           "reading the graph");
    }
}

gboolean
trc_json_stream_read (GInputStream *stream, goffset size, const char *name,
                      const TrcJsonHandler *handler, gpointer data, const TrcProgress *progress,
                      GError **error)
{
  Stream self = { .handler = handler, .data = data };
  yajl_handle yajl = yajl_alloc (&callbacks, NULL, &self);
  gboolean ok;

  self.key_room = 64;
  self.key = g_malloc0 (self.key_room);
  self.piece = g_string_new (NULL);
  ok = run (&self, yajl, stream, size, name, progress, error);
  yajl_free (yajl);
  g_free (self.key);
  g_string_free (self.piece, TRUE);
  g_clear_error (&self.error);
  return ok;
}
