#include "compute/text/split.h"

#include <string.h>

typedef struct {
  GRegex *regex;
  TrcSplitKind kind;
  gboolean invert;
} Step;

struct _TrcSplitter {
  GArray *steps; /* Step */
};

const char trc_split_gpt2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static const char llama3[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

static const char one_digit[] = "\\p{N}";

static void
step_clear (gpointer data)
{
  g_regex_unref (((Step *)data)->regex);
}

TrcSplitter *
trc_splitter_new (void)
{
  TrcSplitter *self = g_new0 (TrcSplitter, 1);

  self->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (self->steps, step_clear);
  return self;
}

void
trc_splitter_free (TrcSplitter *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->steps);
  g_free (self);
}

gboolean
trc_splitter_add (TrcSplitter *self, const char *pattern, TrcSplitKind kind, gboolean invert,
                  const char *name, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GRegex *regex = g_regex_new (pattern, G_REGEX_OPTIMIZE, 0, &cause);

  if (regex == NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "%s: the pattern of the pre-tokeniser is not understood (%s).", name,
                   cause->message);
      return FALSE;
    }
  Step step = { regex, kind, invert };
  g_array_append_val (self->steps, step);
  return TRUE;
}

static void
put (GArray *out, gsize first, gsize end)
{
  TrcSpan span = { first, end };

  if (end > first)
    g_array_append_val (out, span);
}

/* Cuts one piece; @open is where the piece being gathered began. */
static void
put_match (const Step *step, TrcSpan gap, TrcSpan match, gsize *open, GArray *out)
{
  if (step->invert) /* the gap plays the match, the match the gap */
    {
      put (out, step->kind == TRC_SPLIT_REMOVED ? gap.end : gap.first, gap.end);
      put (out, match.first, match.end);
      *open = match.end;
      return;
    }
  switch (step->kind)
    {
    case TRC_SPLIT_ISOLATED:
      put (out, gap.first, gap.end);
      put (out, match.first, match.end);
      *open = match.end;
      break;
    case TRC_SPLIT_REMOVED:
      put (out, gap.first, gap.end);
      *open = match.end;
      break;
    case TRC_SPLIT_WITH_PREVIOUS:
      put (out, *open, match.end);
      *open = match.end;
      break;
    case TRC_SPLIT_WITH_NEXT:
      put (out, *open, gap.end);
      *open = match.first;
      break;
    }
}

static gboolean
run_step (const Step *step, const char *text, TrcSpan piece, GArray *out, GError **error)
{
  g_autoptr (GMatchInfo) info = NULL;
  g_autoptr (GError) cause = NULL;
  gsize at = piece.first, open = piece.first;
  /* matched from the piece's first byte, so that look-behind ends there too */
  const char *base = text + piece.first;

  g_regex_match_full (step->regex, base, (gssize)(piece.end - piece.first), 0, 0, &info,
                      &cause);
  while (cause == NULL && g_match_info_matches (info))
    {
      int a, b;
      g_match_info_fetch_pos (info, 0, &a, &b);
      TrcSpan match = { piece.first + a, piece.first + b };
      if (b > a)
        {
          put_match (step, (TrcSpan){ at, match.first }, match, &open, out);
          at = match.end;
        }
      g_match_info_next (info, &cause);
    }
  if (cause != NULL)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The text cannot be cut into words (%s).", cause->message);
      return FALSE;
    }
  if (!(step->invert && step->kind == TRC_SPLIT_REMOVED))
    put (out, open, piece.end);
  return TRUE;
}

gboolean
trc_splitter_run (const TrcSplitter *self, const char *text, gsize len, GArray *out,
                  GError **error)
{
  g_autoptr (GArray) pieces = g_array_new (FALSE, FALSE, sizeof (TrcSpan));

  put (pieces, 0, len);
  for (guint k = 0; k < self->steps->len; k++)
    {
      g_autoptr (GArray) next = g_array_sized_new (FALSE, FALSE, sizeof (TrcSpan), pieces->len);
      for (guint i = 0; i < pieces->len; i++)
        if (!run_step (&g_array_index (self->steps, Step, k), text,
                       g_array_index (pieces, TrcSpan, i), next, error))
          return FALSE;
      g_array_unref (pieces);
      pieces = g_steal_pointer (&next);
    }
  if (pieces->len > 0)
    g_array_append_vals (out, pieces->data, pieces->len);
  return TRUE;
}

const char *const *
trc_split_gguf (const char *pre)
{
  static const char *const gpt2[] = { trc_split_gpt2, NULL };
  static const char *const digits[] = { one_digit, trc_split_gpt2, NULL };
  static const char *const llama[] = { llama3, NULL };
  static const struct {
    const char *name;
    const char *const *patterns;
  } known[] = {
    { "gpt-2", gpt2 },       { "gpt-neox", gpt2 },    { "olmo", gpt2 },
    { "phi-2", gpt2 },       { "llama-bpe", llama },  { "llama3", llama },
    { "llama-v3", llama },   { "smollm", digits },    { "starcoder", digits },
    { "codeshell", digits }, { "command-r", digits },
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i].name, pre))
      return known[i].patterns;
  return NULL;
}
