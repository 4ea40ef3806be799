#include "compute/error.h"

/* Not by G_DEFINE_QUARK: the formatter would pull its dashed name apart. */
GQuark
trc_compute_error_quark (void)
{
  return g_quark_from_static_string ("trc-compute-error-quark");
}

#define MAX_QUOTED 300

char *
trc_error_quotable (const char *text)
{
  g_autofree char *part = g_strndup (text, MAX_QUOTED);

  for (char *at = part; *at != '\0'; at++)
    if (g_ascii_iscntrl (*at))
      *at = ' ';
  return g_utf8_make_valid (part, -1);
}
