#include "compute/text/bpe.h"

#include <string.h>

/* left id, right id -> rank and the joined id; open addressing. */
typedef struct {
  guint64 pair;
  guint32 rank, joined;
} Merge;

typedef struct {
  TrcBytes text;
  float score;
} Token;

struct _TrcBpe {
  GArray *tokens; /* Token */
  GStringChunk *chunk;
  GHashTable *ids; /* TrcBytes * inside `tokens` is not stable: keys are own copies */
  Merge *merges;
  gsize n_merges, n_slots; /* n_slots is a power of two */
  TrcBpeUnits units;
  gboolean scored, whole, fuse_unknown;
  guint32 unknown;
  guint32 byte_ids[256];
};

/* A node of the list of symbols; len 0 marks one that was joined to its left. */
typedef struct {
  guint32 id, start, len;
  gint32 prev, next;
} Symbol;

/* Joining `left` and its right neighbour, valid while they cover `len` bytes. */
typedef struct {
  double cost;
  guint32 left, len, joined;
} Candidate;

static const guint64 EMPTY = G_MAXUINT64;

static guint
bytes_hash (gconstpointer key)
{
  const TrcBytes *b = key;
  guint64 h = 0xcbf29ce484222325u;

  for (gsize i = 0; i < b->len; i++)
    h = (h ^ (guint8)b->data[i]) * 0x100000001b3u;
  return (guint)(h ^ h >> 32);
}

static gboolean
bytes_equal (gconstpointer a, gconstpointer b)
{
  const TrcBytes *x = a, *y = b;

  return x->len == y->len && memcmp (x->data, y->data, x->len) == 0;
}

TrcBpe *
trc_bpe_new (void)
{
  TrcBpe *self = g_new0 (TrcBpe, 1);

  self->tokens = g_array_new (FALSE, FALSE, sizeof (Token));
  self->chunk = g_string_chunk_new (1 << 16);
  self->ids = g_hash_table_new_full (bytes_hash, bytes_equal, g_free, NULL);
  self->unknown = TRC_BPE_NONE;
  return self;
}

void
trc_bpe_free (TrcBpe *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->ids);
  g_array_unref (self->tokens);
  g_string_chunk_free (self->chunk);
  g_free (self->merges);
  g_free (self);
}

void
trc_bpe_add (TrcBpe *self, TrcBytes text, float score, gboolean matchable)
{
  const char *copy = g_string_chunk_insert_len (self->chunk, text.data == NULL ? "" : text.data,
                                                (gssize)text.len);
  Token token = { { copy, text.len }, score };

  g_array_append_val (self->tokens, token);
  if (matchable && text.len > 0 && !g_hash_table_contains (self->ids, &token.text))
    g_hash_table_insert (self->ids, g_memdup2 (&token.text, sizeof token.text),
                         GUINT_TO_POINTER (self->tokens->len));
}

guint
trc_bpe_n_tokens (const TrcBpe *self)
{
  return self->tokens->len;
}

TrcBytes
trc_bpe_token (const TrcBpe *self, guint32 id)
{
  return g_array_index (self->tokens, Token, id).text;
}

guint32
trc_bpe_find (const TrcBpe *self, TrcBytes text)
{
  /* stored one higher, so that a miss (0) becomes TRC_BPE_NONE */
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->ids, &text)) - 1;
}

static gsize
merge_slot (const TrcBpe *self, guint64 pair)
{
  gsize i = (pair * 0x9e3779b97f4a7c15u) >> 20 & (self->n_slots - 1);

  while (self->merges[i].pair != EMPTY && self->merges[i].pair != pair)
    i = (i + 1) & (self->n_slots - 1);
  return i;
}

static void
merges_grow (TrcBpe *self)
{
  Merge *old = self->merges;
  gsize n_old = self->n_slots;

  self->n_slots = n_old == 0 ? 1024 : n_old * 2;
  self->merges = g_new (Merge, self->n_slots);
  for (gsize i = 0; i < self->n_slots; i++)
    self->merges[i].pair = EMPTY;
  for (gsize i = 0; i < n_old; i++)
    if (old[i].pair != EMPTY)
      self->merges[merge_slot (self, old[i].pair)] = old[i];
  g_free (old);
}

gboolean
trc_bpe_add_merge (TrcBpe *self, TrcBytes left, TrcBytes right)
{
  guint32 a = trc_bpe_find (self, left), b = trc_bpe_find (self, right);
  g_autoptr (GString) both = g_string_new_len (left.data, (gssize)left.len);

  g_string_append_len (both, right.data, (gssize)right.len);
  guint32 joined = trc_bpe_find (self, (TrcBytes){ both->str, both->len });
  if (a == TRC_BPE_NONE || b == TRC_BPE_NONE || joined == TRC_BPE_NONE)
    return FALSE;
  if (self->n_merges * 2 >= self->n_slots)
    merges_grow (self);
  guint64 pair = (guint64)a << 32 | b;
  gsize slot = merge_slot (self, pair);
  if (self->merges[slot].pair == EMPTY) /* the first mention counts */
    self->merges[slot] = (Merge){ pair, (guint32)self->n_merges, joined };
  self->n_merges++;
  return TRUE;
}

void
trc_bpe_finish (TrcBpe *self, TrcBpeUnits units, gboolean scored, gboolean whole,
                guint32 unknown, gboolean fuse_unknown)
{
  self->units = units;
  self->scored = scored;
  self->whole = whole;
  self->unknown = unknown;
  self->fuse_unknown = fuse_unknown;
  if (self->n_slots == 0)
    merges_grow (self);
  for (guint b = 0; b < 256; b++)
    {
      char name[8], byte = (char)b;
      g_snprintf (name, sizeof name, "<0x%02X>", b);
      self->byte_ids[b] = units == TRC_BPE_BYTES ? trc_bpe_find (self, (TrcBytes){ &byte, 1 })
                                                 : trc_bpe_find (self, (TrcBytes){ name, 6 });
    }
}

gboolean
trc_bpe_words_are_separate (const TrcBpe *self)
{
  static const char space[] = "\xe2\x96\x81";

  for (guint i = 0; i < self->tokens->len; i++)
    {
      TrcBytes t = g_array_index (self->tokens, Token, i).text;
      gsize lead = 0;
      while (t.len - lead >= 3 && memcmp (t.data + lead, space, 3) == 0)
        lead += 3;
      if (g_strstr_len (t.data + lead, (gssize)(t.len - lead), space) != NULL)
        return FALSE;
    }
  return TRUE;
}

static gboolean
heap_less (const Candidate *a, const Candidate *b)
{
  return a->cost < b->cost || (a->cost == b->cost && a->left < b->left);
}

static void
heap_push (GArray *heap, Candidate c)
{
  g_array_append_val (heap, c);
  Candidate *h = (Candidate *)heap->data;
  guint i = heap->len - 1;
  for (guint up; i > 0 && heap_less (&c, &h[up = (i - 1) / 2]); i = up)
    h[i] = h[up];
  h[i] = c;
}

static Candidate
heap_pop (GArray *heap)
{
  Candidate *h = (Candidate *)heap->data, top = h[0], last = h[heap->len - 1];
  guint n = heap->len - 1, i = 0;

  g_array_set_size (heap, n);
  for (guint child = 1; child < n; child = 2 * i + 1)
    {
      if (child + 1 < n && heap_less (&h[child + 1], &h[child]))
        child++;
      if (!heap_less (&h[child], &last))
        break;
      h[i] = h[child];
      i = child;
    }
  if (n > 0)
    h[i] = last;
  return top;
}

/* Queues the join of symbol @left with its neighbour if there is one. */
static void
consider (const TrcBpe *self, TrcBytes piece, TrcBpeWork *work, gint32 left)
{
  const Symbol *s = (const Symbol *)work->symbols->data;

  if (left < 0 || s[left].next < 0)
    return;
  const Symbol *a = &s[left], *b = &s[a->next];
  Candidate c = { 0, (guint32)left, a->len + b->len, TRC_BPE_NONE };
  if (self->scored)
    {
      c.joined = trc_bpe_find (self, (TrcBytes){ piece.data + a->start, c.len });
      if (c.joined == TRC_BPE_NONE)
        return;
      c.cost = -g_array_index (self->tokens, Token, c.joined).score;
    }
  else
    {
      const Merge *m = &self->merges[merge_slot (self, (guint64)a->id << 32 | b->id)];
      if (m->pair == EMPTY)
        return;
      c.cost = m->rank;
      c.joined = m->joined;
    }
  heap_push (work->heap, c);
}

static void
push_symbol (TrcBpeWork *work, guint32 id, guint32 start, guint32 len)
{
  gint32 i = (gint32)work->symbols->len;
  Symbol s = { id, start, len, i - 1, i + 1 };

  g_array_append_val (work->symbols, s);
}

/* A character that is no token: its bytes, or the unknown token. */
static void
push_unknown (const TrcBpe *self, TrcBytes piece, guint32 start, guint32 len, TrcBpeWork *work)
{
  gboolean bytes = self->units == TRC_BPE_BYTE_FALLBACK && !self->scored;

  for (guint32 i = 0; bytes && i < len; i++)
    bytes = self->byte_ids[(guint8)piece.data[start + i]] != TRC_BPE_NONE;
  if (bytes)
    for (guint32 i = 0; i < len; i++)
      push_symbol (work, self->byte_ids[(guint8)piece.data[start + i]], start + i, 1);
  else if (self->scored)
    push_symbol (work, TRC_BPE_NONE, start, len); /* may still be joined; settled at the end */
  else
    {
      Symbol *last = work->symbols->len == 0
                         ? NULL
                         : &g_array_index (work->symbols, Symbol, work->symbols->len - 1);
      if (self->fuse_unknown && last != NULL && last->id == self->unknown
          && self->unknown != TRC_BPE_NONE)
        last->len += len;
      else
        push_symbol (work, self->unknown, start, len);
    }
}

static void
split_units (const TrcBpe *self, TrcBytes piece, TrcBpeWork *work)
{
  for (gsize at = 0, len; at < piece.len; at += len)
    {
      len = self->units == TRC_BPE_BYTES ? 1 : g_utf8_skip[(guint8)piece.data[at]];
      len = MIN (len, piece.len - at);
      guint32 id = self->units == TRC_BPE_BYTES
                       ? self->byte_ids[(guint8)piece.data[at]]
                       : trc_bpe_find (self, (TrcBytes){ piece.data + at, len });
      if (id != TRC_BPE_NONE)
        push_symbol (work, id, (guint32)at, (guint32)len);
      else
        push_unknown (self, piece, (guint32)at, (guint32)len, work);
    }
  if (work->symbols->len > 0)
    g_array_index (work->symbols, Symbol, work->symbols->len - 1).next = -1;
}

static void
join_all (const TrcBpe *self, TrcBytes piece, TrcBpeWork *work)
{
  Symbol *s = (Symbol *)work->symbols->data;

  for (guint i = 0; i + 1 < work->symbols->len; i++)
    consider (self, piece, work, (gint32)i);
  while (work->heap->len > 0)
    {
      Candidate c = heap_pop (work->heap);
      Symbol *a = &s[c.left];
      if (a->len == 0 || a->next < 0 || a->len + s[a->next].len != c.len)
        continue; /* one of the two has changed since */
      Symbol *b = &s[a->next];
      a->id = c.joined;
      a->len = c.len;
      b->len = 0;
      a->next = b->next;
      if (b->next >= 0)
        s[b->next].prev = (gint32)c.left;
      consider (self, piece, work, a->prev);
      consider (self, piece, work, (gint32)c.left);
    }
}

/* A scored symbol that never became a token: bytes, or the unknown token. */
static void
emit_unknown (const TrcBpe *self, TrcBytes piece, const Symbol *s, GArray *out)
{
  gboolean bytes = self->units == TRC_BPE_BYTE_FALLBACK;

  for (guint32 i = 0; bytes && i < s->len; i++)
    bytes = self->byte_ids[(guint8)piece.data[s->start + i]] != TRC_BPE_NONE;
  for (guint32 i = 0; bytes && i < s->len; i++)
    {
      guint32 id = self->byte_ids[(guint8)piece.data[s->start + i]];
      TrcBpeToken token = { id, s->start + i, 1 };
      g_array_append_val (out, token);
    }
  if (!bytes)
    {
      TrcBpeToken token = { self->unknown, s->start, s->len };
      g_array_append_val (out, token);
    }
}

void
trc_bpe_encode (const TrcBpe *self, TrcBytes piece, TrcBpeWork *work, GArray *out)
{
  guint32 whole = self->whole ? trc_bpe_find (self, piece) : TRC_BPE_NONE;

  if (whole != TRC_BPE_NONE)
    {
      TrcBpeToken token = { whole, 0, (guint32)piece.len };
      g_array_append_val (out, token);
      return;
    }
  g_array_set_size (work->symbols, 0);
  g_array_set_size (work->heap, 0);
  split_units (self, piece, work);
  join_all (self, piece, work);

  const Symbol *s = (const Symbol *)work->symbols->data;
  for (gint32 i = work->symbols->len == 0 ? -1 : 0; i >= 0; i = s[i].next)
    {
      TrcBpeToken token = { s[i].id, s[i].start, s[i].len };
      if (token.id == TRC_BPE_NONE)
        emit_unknown (self, piece, &s[i], out);
      else
        g_array_append_val (out, token);
    }
}

void
trc_bpe_work_init (TrcBpeWork *work)
{
  work->symbols = g_array_new (FALSE, FALSE, sizeof (Symbol));
  work->heap = g_array_new (FALSE, FALSE, sizeof (Candidate));
}

void
trc_bpe_work_clear (TrcBpeWork *work)
{
  g_array_unref (work->symbols);
  g_array_unref (work->heap);
}
