#define G_LOG_DOMAIN "tracery-compute"

#include "compute/hook.h"

#include "compute/model.h"

#include <string.h>

static const struct {
  TrcHookKind kind;
  const char *name;
} plain_names[] = {
  { TRC_HOOK_EMBED, "embed" },
  { TRC_HOOK_FINAL, "final" },
  { TRC_HOOK_LOGITS, "logits" },
};

static const struct {
  TrcHookKind kind;
  const char *name;
} layer_names[] = {
  { TRC_HOOK_ATTN, "attn" },
  { TRC_HOOK_MLP, "mlp" },
  { TRC_HOOK_RESID_PRE, "resid_pre" },
  { TRC_HOOK_RESID_MID, "resid_mid" },
  { TRC_HOOK_RESID_POST, "resid_post" },
};

static const struct {
  TrcHookKind kind;
  const char *name;
} head_parts[] = {
  { TRC_HOOK_Q, ".q" },
  { TRC_HOOK_K, ".k" },
  { TRC_HOOK_V, ".v" },
};

/* Takes digits off the front of @text. Nine of them at most for a layer, so
 * that it fits; features have 64 bits. */
static gboolean
take_number (const char **text, guint64 max, guint64 *value)
{
  const char *at = *text;

  *value = 0;
  if (!g_ascii_isdigit (*at))
    return FALSE;
  for (; g_ascii_isdigit (*at); at++)
    if (!g_uint64_checked_mul (value, *value, 10)
        || !g_uint64_checked_add (value, *value, (guint64)(*at - '0')) || *value > max)
      return FALSE;
  *text = at;
  return TRUE;
}

static gboolean
take_signed (const char **text, gint64 *value)
{
  guint64 size;
  gboolean minus = **text == '-';

  *text += minus;
  if (!take_number (text, G_MAXINT32, &size))
    return FALSE;
  *value = minus ? -(gint64)size : (gint64)size;
  return !minus || size > 0;
}

static gboolean
take_word (const char **text, const char *word)
{
  if (!g_str_has_prefix (*text, word))
    return FALSE;
  *text += strlen (word);
  return TRUE;
}

/* H5, H5.q, n120, f1207, or one of the plain names behind "L3." */
static gboolean
take_in_layer (const char **text, TrcHook *hook)
{
  static const struct {
    char letter;
    TrcHookKind kind;
    guint64 max;
  } numbered[] = { { 'H', TRC_HOOK_HEAD, G_MAXINT32 },
                   { 'n', TRC_HOOK_NEURON, G_MAXINT32 },
                   { 'f', TRC_HOOK_FEATURE, G_MAXUINT64 } };

  for (gsize i = 0; i < G_N_ELEMENTS (numbered); i++)
    if (**text == numbered[i].letter && g_ascii_isdigit ((*text)[1]))
      {
        (*text)++;
        hook->kind = numbered[i].kind;
        if (!take_number (text, numbered[i].max, &hook->index))
          return FALSE;
        for (gsize k = 0; k < G_N_ELEMENTS (head_parts) && hook->kind == TRC_HOOK_HEAD; k++)
          if (take_word (text, head_parts[k].name))
            hook->kind = head_parts[k].kind;
        return TRUE;
      }
  for (gsize i = 0; i < G_N_ELEMENTS (layer_names); i++)
    if (take_word (text, layer_names[i].name))
      {
        hook->kind = layer_names[i].kind;
        return TRUE;
      }
  return FALSE;
}

static gboolean
take_place (const char **text, TrcHook *hook)
{
  guint64 layer;

  if (**text == 'L' && g_ascii_isdigit ((*text)[1]))
    {
      (*text)++;
      if (!take_number (text, G_MAXINT32, &layer) || !take_word (text, "."))
        return FALSE;
      hook->layer = (guint)layer;
      return take_in_layer (text, hook);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (plain_names); i++)
    if (take_word (text, plain_names[i].name))
      {
        hook->kind = plain_names[i].kind;
        return TRUE;
      }
  return FALSE;
}

gboolean
trc_hook_parse (const char *text, TrcHook *hook, GError **error)
{
  TrcHook found = { 0 };
  const char *at = text;

  if (!take_place (&at, &found) || (*at != '\0' && *at != '@'))
    {
      g_set_error (
          error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
          "\"%s\" names no place in a model; write embed, L0.H1, L0.H1.q, L0.attn, L0.mlp, "
          "L0.n12, L0.f12, L0.resid_pre, L0.resid_mid, L0.resid_post, final or logits.",
          text);
      return FALSE;
    }
  if (take_word (&at, "@"))
    {
      found.has_position = TRUE;
      if (!take_signed (&at, &found.first))
        at = "?";
      found.last = found.first;
      if (*at == '-' && (at++, !take_signed (&at, &found.last)))
        at = "?";
      if (*at != '\0')
        {
          g_set_error (
              error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
              "The position in \"%s\" is no position; write @4, @-1 for the last one, or "
              "@2-5.",
              text);
          return FALSE;
        }
    }
  *hook = found;
  return TRUE;
}

static gboolean
check_below (guint64 value, guint64 n, const char *what, GError **error)
{
  if (value < n)
    return TRUE;
  g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
               "There is no %s %" G_GUINT64_FORMAT "; this model has %" G_GUINT64_FORMAT
               ", counted from 0.",
               what, value, n);
  return FALSE;
}

static gboolean
resolve_position (gint64 *position, guint n_tokens, GError **error)
{
  gint64 at = *position < 0 ? *position + n_tokens : *position;

  if (at < 0 || at >= n_tokens)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND,
                   "There is no position %" G_GINT64_FORMAT "; the prompt has %u tokens.",
                   *position, n_tokens);
      return FALSE;
    }
  *position = at;
  return TRUE;
}

gboolean
trc_hook_resolve (TrcHook *hook, const TrcModelConfig *config, guint n_tokens, GError **error)
{
  TrcHook found = *hook;
  gboolean in_layer = hook->kind != TRC_HOOK_EMBED && hook->kind != TRC_HOOK_FINAL
                      && hook->kind != TRC_HOOK_LOGITS;
  gboolean in_head = hook->kind == TRC_HOOK_HEAD || hook->kind == TRC_HOOK_Q
                     || hook->kind == TRC_HOOK_K || hook->kind == TRC_HOOK_V;

  if (in_layer && !check_below (hook->layer, config->n_layers, "layer", error))
    return FALSE;
  if (in_head && !check_below (hook->index, config->n_heads, "head", error))
    return FALSE;
  if (hook->kind == TRC_HOOK_NEURON
      && !check_below (hook->index, config->d_mlp, "neuron", error))
    return FALSE;
  if (!found.has_position)
    {
      found.first = 0;
      found.last = (gint64)n_tokens - 1;
    }
  else if (!resolve_position (&found.first, n_tokens, error)
           || !resolve_position (&found.last, n_tokens, error))
    return FALSE;
  if (found.first > found.last)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                   "The positions %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT " run backwards.",
                   found.first, found.last);
      return FALSE;
    }
  *hook = found;
  return TRUE;
}

static void
format_place (const TrcHook *hook, GString *out)
{
  for (gsize i = 0; i < G_N_ELEMENTS (plain_names); i++)
    if (plain_names[i].kind == hook->kind)
      {
        g_string_append (out, plain_names[i].name);
        return;
      }
  g_string_append_printf (out, "L%u.", hook->layer);
  for (gsize i = 0; i < G_N_ELEMENTS (layer_names); i++)
    if (layer_names[i].kind == hook->kind)
      {
        g_string_append (out, layer_names[i].name);
        return;
      }
  g_string_append_c (out, hook->kind == TRC_HOOK_NEURON    ? 'n'
                          : hook->kind == TRC_HOOK_FEATURE ? 'f'
                                                           : 'H');
  g_string_append_printf (out, "%" G_GUINT64_FORMAT, hook->index);
  for (gsize i = 0; i < G_N_ELEMENTS (head_parts); i++)
    if (head_parts[i].kind == hook->kind)
      g_string_append (out, head_parts[i].name);
}

char *
trc_hook_format (const TrcHook *hook)
{
  GString *out = g_string_new (NULL);

  format_place (hook, out);
  if (hook->has_position)
    {
      g_string_append_printf (out, "@%" G_GINT64_FORMAT, hook->first);
      if (hook->last != hook->first)
        g_string_append_printf (out, "-%" G_GINT64_FORMAT, hook->last);
    }
  return g_string_free (out, FALSE);
}
