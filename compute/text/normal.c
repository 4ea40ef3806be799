#include "compute/text/normal.h"

#include <string.h>

void
trc_normal_init (TrcNormal *self, TrcBytes piece, gsize base)
{
  *self = (TrcNormal){ g_string_new_len (piece.data, (gssize)piece.len), base, NULL, NULL };
}

void
trc_normal_clear (TrcNormal *self)
{
  g_string_free (self->text, TRUE);
  g_clear_pointer (&self->first, g_array_unref);
  g_clear_pointer (&self->end, g_array_unref);
}

/* A rewritten copy that grows from left to right and then takes the old one's place. */
typedef struct {
  GString *text;
  GArray *first, *end;
} Rewrite;

static void
rewrite_begin (Rewrite *r, const TrcNormal *self)
{
  r->text = g_string_sized_new (self->text->len + 8);
  r->first = g_array_sized_new (FALSE, FALSE, sizeof (guint32), (guint)self->text->len + 8);
  r->end = g_array_sized_new (FALSE, FALSE, sizeof (guint32), (guint)self->text->len + 8);
}

/* Appends bytes that all stand for @source. */
static void
rewrite_put (Rewrite *r, const char *bytes, gsize len, TrcSpan source)
{
  guint32 first = (guint32)source.first, end = (guint32)source.end;

  g_string_append_len (r->text, bytes, (gssize)len);
  for (gsize i = 0; i < len; i++)
    {
      g_array_append_val (r->first, first);
      g_array_append_val (r->end, end);
    }
}

static void
rewrite_copy (Rewrite *r, const TrcNormal *self, gsize start, gsize len)
{
  for (gsize i = start; i < start + len; i++)
    rewrite_put (r, self->text->str + i, 1, trc_normal_span (self, i, 1));
}

static void
rewrite_end (Rewrite *r, TrcNormal *self)
{
  gsize base = self->base;

  trc_normal_clear (self);
  *self = (TrcNormal){ r->text, base, r->first, r->end };
}

TrcSpan
trc_normal_span (const TrcNormal *self, gsize start, gsize len)
{
  if (len == 0)
    return (TrcSpan){ self->base, self->base };
  if (self->first == NULL)
    return (TrcSpan){ self->base + start, self->base + start + len };
  return (TrcSpan){ g_array_index (self->first, guint32, start),
                    g_array_index (self->end, guint32, start + len - 1) };
}

void
trc_normal_prepend (TrcNormal *self, const char *what)
{
  TrcSpan nothing = trc_normal_span (self, 0, self->text->len > 0 ? 1 : 0);
  Rewrite r;

  rewrite_begin (&r, self);
  nothing.end = nothing.first;
  rewrite_put (&r, what, strlen (what), nothing);
  rewrite_copy (&r, self, 0, self->text->len);
  rewrite_end (&r, self);
}

void
trc_normal_replace (TrcNormal *self, const char *from, const char *to)
{
  gsize n_from = strlen (from), n_to = strlen (to), at = 0;
  const char *hit;
  Rewrite r;

  if (strstr (self->text->str, from) == NULL)
    return;
  rewrite_begin (&r, self);
  while ((hit = strstr (self->text->str + at, from)) != NULL)
    {
      gsize start = hit - self->text->str;
      rewrite_copy (&r, self, at, start - at);
      rewrite_put (&r, to, n_to, trc_normal_span (self, start, n_from));
      at = start + n_from;
    }
  rewrite_copy (&r, self, at, self->text->len - at);
  rewrite_end (&r, self);
}

/* TRUE if normalising can never join @c to the character before it. */
static gboolean
starts_cluster (gunichar c)
{
  return c < 0x300
         || (g_unichar_combining_class (c) == 0 && !g_unichar_ismark (c)
             && !(c >= 0x1160 && c < 0x1200)); /* Hangul vowels and finals */
}

void
trc_normal_form (TrcNormal *self, GNormalizeMode mode)
{
  g_autofree char *all = g_utf8_normalize (self->text->str, (gssize)self->text->len, mode);
  const char *end = self->text->str + self->text->len;
  Rewrite r;

  if (all == NULL || strcmp (all, self->text->str) == 0)
    return;
  rewrite_begin (&r, self);
  for (const char *p = self->text->str, *next; p < end; p = next)
    {
      for (next = g_utf8_next_char (p); next < end && !starts_cluster (g_utf8_get_char (next));)
        next = g_utf8_next_char (next);
      g_autofree char *part = g_utf8_normalize (p, next - p, mode);
      rewrite_put (&r, part, strlen (part),
                   trc_normal_span (self, p - self->text->str, next - p));
    }
  rewrite_end (&r, self);
}
