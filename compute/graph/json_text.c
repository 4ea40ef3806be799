#include "compute/graph/json_text.h"

#include <errno.h>
#include <float.h>
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

#if LDBL_MANT_DIG == 64

/* Up to 19 digits and 27 of them behind the point: both the digits and the power of ten
 * are exact in 64 bits, so the quotient is right to half a unit of 64 bits. Rounding it
 * to 53 bits is right too, unless it lies next to the middle of two doubles: those few
 * are left to strtod(), and so is every other form. Several times faster. */
static gboolean
parse_short_number (const char *text, gsize len, double *value)
{
  static const long double powers[] = { 1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                        1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                        1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                        1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L };
  gboolean negative = len > 0 && text[0] == '-';
  guint64 digits = 0, mantissa;
  guint n_digits = 0, n_behind = 0;
  gboolean point = FALSE;

  for (gsize i = negative; i < len; i++)
    {
      if (text[i] == '.' && !point)
        point = TRUE;
      else if (!g_ascii_isdigit (text[i]) || n_digits == 19)
        return FALSE;
      else
        {
          digits = digits * 10 + (guint64)(text[i] - '0');
          n_digits += digits > 0; /* zeros in front cost nothing */
          n_behind += point;
        }
    }
  if (digits == 0 || n_behind >= G_N_ELEMENTS (powers))
    return FALSE;
  long double quotient = (long double)digits / powers[n_behind];
  memcpy (&mantissa, &quotient, sizeof mantissa);
  if ((mantissa & 0x7ff) >= 0x3ff && (mantissa & 0x7ff) <= 0x401)
    return FALSE;
  *value = negative ? -(double)quotient : (double)quotient;
  return TRUE;
}

#else

static gboolean
parse_short_number (const char *text, gsize len, double *value)
{
  return FALSE;
}

#endif

gboolean
trc_json_parse_number (const char *text, gsize len, double *value)
{
  char copy[MAX_NUMBER + 1];
  char *end;

  if (len == 0 || len > MAX_NUMBER)
    return FALSE;
  if (parse_short_number (text, len, value))
    return TRUE;
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
