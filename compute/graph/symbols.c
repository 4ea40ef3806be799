#include "compute/graph/symbols.h"

#include "compute/graph/graph_impl.h"

#include <string.h>

typedef struct {
  const char *text;
  guint32 len;
  guint32 hash;
} Entry;

struct _TrcSymbols {
  GStringChunk *strings;
  Entry *entries;
  gsize n, room;
  guint32 *slots; /* entry + 1, 0 = free; open addressing, at most half full */
  gsize n_slots;  /* power of two */
};

TrcSymbols *
trc_symbols_new (void)
{
  TrcSymbols *self = g_new0 (TrcSymbols, 1);

  self->strings = g_string_chunk_new (4096);
  return self;
}

void
trc_symbols_free (TrcSymbols *self)
{
  if (self == NULL)
    return;
  g_string_chunk_free (self->strings);
  g_free (self->entries);
  g_free (self->slots);
  g_free (self);
}

/* FNV-1a: ids are short. */
static guint32
hash_text (const char *text, gsize len)
{
  guint32 h = 2166136261u;

  for (gsize i = 0; i < len; i++)
    h = (h ^ (guchar)text[i]) * 16777619u;
  return h;
}

static gboolean
make_room (TrcSymbols *self)
{
  gsize want = MAX (256, self->n_slots * 2);
  guint32 *slots;

  if (!trc_grow ((gpointer *)&self->entries, self->n, &self->room, sizeof (Entry)))
    return FALSE;
  if (self->n * 2 < self->n_slots)
    return TRUE;
  slots = g_try_new0 (guint32, want);
  if (slots == NULL)
    return FALSE;
  g_free (self->slots);
  self->slots = slots;
  self->n_slots = want;
  for (gsize i = 0; i < self->n; i++)
    {
      gsize at = self->entries[i].hash & (want - 1);
      while (slots[at] != 0)
        at = (at + 1) & (want - 1);
      slots[at] = (guint32)i + 1;
    }
  return TRUE;
}

guint32
trc_symbols_add (TrcSymbols *self, const char *text, gsize len)
{
  guint32 hash = hash_text (text, len);
  gsize at;

  if (len >= G_MAXUINT32 || self->n >= G_MAXUINT32 - 2 || !make_room (self))
    return TRC_NO_SYMBOL;
  for (at = hash & (self->n_slots - 1); self->slots[at] != 0;
       at = (at + 1) & (self->n_slots - 1))
    {
      const Entry *e = &self->entries[self->slots[at] - 1];
      if (e->hash == hash && e->len == len && memcmp (e->text, text, len) == 0)
        return self->slots[at] - 1;
    }
  self->entries[self->n] =
      (Entry){ g_string_chunk_insert_len (self->strings, text, (gssize)len), (guint32)len,
               hash };
  self->slots[at] = (guint32)++self->n;
  return (guint32)self->n - 1;
}

guint32
trc_symbols_count (const TrcSymbols *self)
{
  return (guint32)self->n;
}

const char *
trc_symbols_text (const TrcSymbols *self, guint32 symbol)
{
  g_return_val_if_fail (symbol < self->n, "");
  return self->entries[symbol].text;
}
