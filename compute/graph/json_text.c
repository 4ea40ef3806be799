#include "compute/graph/json_text.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest number that we look at: 17 digits need 24 characters; files with
 * more digits than this are hostile. */
#define MAX_NUMBER 400

static locale_t
c_locale (void)
{
  static locale_t locale;
  static gsize once;

  if (g_once_init_enter (&once))
    {
      locale = newlocale (LC_ALL_MASK, "C", (locale_t)0);
      g_once_init_leave (&once, 1);
    }
  return locale;
}

void
trc_json_append_string (GString *out, const char *text, gsize len)
{
  gsize clean = 0; /* start of the part that needs no escape */

  g_string_append_c (out, '"');
  for (gsize i = 0; i < len; i++)
    {
      guchar c = (guchar)text[i];
      char escape[8];

      if (c >= 0x20 && c != '"' && c != '\\')
        continue;
      g_string_append_len (out, text + clean, i - clean);
      clean = i + 1;
      if (c == '"' || c == '\\')
        g_snprintf (escape, sizeof escape, "\\%c", c);
      else if (c == '\n')
        g_strlcpy (escape, "\\n", sizeof escape);
      else if (c == '\t')
        g_strlcpy (escape, "\\t", sizeof escape);
      else
        g_snprintf (escape, sizeof escape, "\\u%04x", c);
      g_string_append (out, escape);
    }
  g_string_append_len (out, text + clean, len - clean);
  g_string_append_c (out, '"');
}

/* 15 digits are enough for what people type, 17 always are. */
void
trc_json_append_number (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], shorter[G_ASCII_DTOSTR_BUF_SIZE];

  if (!isfinite (value))
    {
      g_string_append (out, "null");
      return;
    }
  if (value == trunc (value) && fabs (value) < 1e15)
    {
      g_string_append_printf (out, "%" G_GINT64_FORMAT, (gint64)value);
      return;
    }
  g_ascii_formatd (text, sizeof text, "%.16g", value);
  if (strtod_l (text, NULL, c_locale ()) != value)
    g_ascii_formatd (text, sizeof text, "%.17g", value);
  else
    {
      g_ascii_formatd (shorter, sizeof shorter, "%.15g", value);
      if (strtod_l (shorter, NULL, c_locale ()) == value)
        memcpy (text, shorter, sizeof text);
    }
  g_string_append (out, text);
}

gboolean
trc_json_parse_number (const char *text, gsize len, double *value)
{
  char copy[MAX_NUMBER + 1];
  char *end;

  if (len == 0 || len > MAX_NUMBER)
    return FALSE;
  memcpy (copy, text, len);
  copy[len] = '\0';
  *value = strtod_l (copy, &end, c_locale ());
  return *end == '\0' && isfinite (*value);
}

gboolean
trc_json_parse_integer (const char *text, gsize len, gint64 *value)
{
  char copy[32];
  char *end;
  double real;

  if (len > 0 && len < sizeof copy && memchr (text, '.', len) == NULL
      && memchr (text, 'e', len) == NULL && memchr (text, 'E', len) == NULL)
    {
      memcpy (copy, text, len);
      copy[len] = '\0';
      if (g_ascii_isspace (copy[0]))
        return FALSE;
      errno = 0;
      *value = g_ascii_strtoll (copy, &end, 10);
      return errno == 0 && *end == '\0' && end != copy;
    }
  if (!trc_json_parse_number (text, len, &real) || real != trunc (real) || fabs (real) > 9e15)
    return FALSE;
  *value = (gint64)real;
  return TRUE;
}

char *
trc_json_dup_short (const char *text)
{
  g_autofree char *start = g_strndup (text, 200);
  g_autofree char *valid = g_utf8_make_valid (start, -1);
  gboolean longer = g_utf8_strlen (valid, -1) > 40;
  g_autofree char *cut = g_utf8_substring (valid, 0, longer ? 40 : -1);

  for (char *c = cut; *c != '\0'; c++)
    if ((guchar)*c < 0x20 || *c == 0x7f)
      *c = ' ';
  return g_strconcat (cut, longer ? "..." : "", NULL);
}
