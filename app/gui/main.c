#include <locale.h>

#include <glib/gi18n.h>

#include "ui/application.h"

int
main (int argc, char **argv)
{
  g_autoptr (TrcApplication) application = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, TRC_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  trc_application_choose_renderer ();
  application = trc_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
