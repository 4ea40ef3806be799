#define G_LOG_DOMAIN "tracery-ui"

#include "ui/application.h"

#include <glib/gi18n.h>

#include "ui/common/appearance.h"
#include "ui/window.h"

struct _TrcApplication {
  GtkApplication parent_instance;
  TrcAppearance *appearance;
};

enum { DARK_CHANGED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (TrcApplication, trc_application, GTK_TYPE_APPLICATION)

/* Software GL draws slower than GTK's cairo renderer and takes twice the memory, so GL is
 * left to machines with a render node. */
void
trc_application_choose_renderer (void)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;

  if (g_getenv ("GSK_RENDERER") != NULL)
    return;
  folder = g_dir_open ("/dev/dri", 0, NULL);
  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    if (g_str_has_prefix (name, "renderD"))
      return;
  g_setenv ("GSK_RENDERER", "cairo", TRUE);
}

/* ---- actions ---- */

static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GList *windows = g_list_copy (gtk_application_get_windows (data));

  for (GList *item = windows; item != NULL; item = item->next)
    gtk_window_close (item->data);
  g_list_free (windows);
}

static void
on_about (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  gtk_show_about_dialog (
      gtk_application_get_active_window (data), "program-name", "Tracery", "version",
      TRC_VERSION, "logo-icon-name", "org.tracery.Tracery", "license-type", GTK_LICENSE_GPL_3_0,
      "comments", _ ("See how a language model gets from a prompt to its next token."), NULL);
}

static void
on_new_window (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcWindow *window = trc_window_new (data);

  trc_window_open_example (window);
  gtk_window_present (GTK_WINDOW (window));
}

static void
on_theme (GSimpleAction *action, GVariant *value, gpointer data)
{
  TrcApplication *self = data;

  trc_appearance_set_scheme (self->appearance, g_variant_get_string (value, NULL));
  g_simple_action_set_state (
      action, g_variant_new_string (trc_appearance_get_scheme (self->appearance)));
}

static void
add_actions (TrcApplication *self)
{
  static const GActionEntry entries[] = {
    { .name = "quit", .activate = on_quit },
    { .name = "about", .activate = on_about },
    { .name = "new-window", .activate = on_new_window },
    { .name = "theme", .parameter_type = "s", .state = "'system'", .change_state = on_theme },
  };
  static const struct {
    const char *action;
    const char *keys[4];
  } keys[] = {
    { "app.quit", { "<Control>q" } },
    { "app.new-window", { "<Control>n" } },
    { "win.open", { "<Control>o" } },
    { "win.trace", { "<Control>t" } },
    { "win.export", { "<Control>e" } },
    { "win.save-as", { "<Control><Shift>s" } },
    { "win.close", { "<Control>w" } },
    { "win.undo", { "<Control>z" } },
    { "win.redo", { "<Control><Shift>z", "<Control>y" } },
    { "win.rename", { "F2" } },
    { "win.zoom-in", { "<Control>plus", "<Control>equal", "<Control>KP_Add" } },
    { "win.zoom-out", { "<Control>minus", "<Control>KP_Subtract" } },
    { "win.zoom-fit", { "<Control>0", "<Control>KP_0" } },
    { "win.zoom-selection", { "<Control>9", "<Control>KP_9" } },
    { "win.back", { "<Alt>Left" } },
    { "win.forward", { "<Alt>Right" } },
    { "win.search", { "<Control>f" } },
    { "win.left-pane", { "F9" } },
    { "win.right-pane", { "<Shift>F9" } },
    { "win.cancel-jobs", { "<Control>period" } },
    { "win.focus-canvas", { "<Control>g" } },
    { "win.show-help-overlay", { "<Control>question", "F1" } },
  };

  g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), keys[i].action,
                                           keys[i].keys);
}

/* ---- life ---- */

static void
on_dark (TrcApplication *self)
{
  g_signal_emit (self, signals[DARK_CHANGED], 0);
}

static void
trc_application_startup (GApplication *application)
{
  TrcApplication *self = TRC_APPLICATION (application);

  G_APPLICATION_CLASS (trc_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name ("org.tracery.Tracery");
  self->appearance = trc_appearance_new (g_getenv ("TRACERY_THEME"));
  g_signal_connect_object (self->appearance, "notify::dark", G_CALLBACK (on_dark), self,
                           G_CONNECT_SWAPPED);
  add_actions (self);
}

static void
trc_application_activate (GApplication *application)
{
  TrcWindow *window = trc_window_new (GTK_APPLICATION (application));

  trc_window_open_example (window);
  gtk_window_present (GTK_WINDOW (window));
}

static void
trc_application_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  for (int i = 0; i < n_files; i++)
    {
      TrcWindow *window = trc_window_new (GTK_APPLICATION (application));
      g_autofree char *path = g_file_get_path (files[i]);

      if (path != NULL)
        trc_window_open_path (window, path);
      gtk_window_present (GTK_WINDOW (window));
    }
}

static void
trc_application_shutdown (GApplication *application)
{
  TrcApplication *self = TRC_APPLICATION (application);

  g_clear_object (&self->appearance);
  G_APPLICATION_CLASS (trc_application_parent_class)->shutdown (application);
}

static void
trc_application_class_init (TrcApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  application_class->startup = trc_application_startup;
  application_class->activate = trc_application_activate;
  application_class->open = trc_application_open;
  application_class->shutdown = trc_application_shutdown;
  signals[DARK_CHANGED] = g_signal_new ("dark-changed", TRC_TYPE_APPLICATION, G_SIGNAL_RUN_LAST,
                                        0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
trc_application_init (TrcApplication *self)
{
}

TrcApplication *
trc_application_new (void)
{
  return g_object_new (TRC_TYPE_APPLICATION, "application-id", "org.tracery.Tracery", "flags",
                       G_APPLICATION_HANDLES_OPEN, "resource-base-path", "/org/tracery/Tracery",
                       NULL);
}

gboolean
trc_application_get_dark (TrcApplication *self)
{
  return self->appearance != NULL && trc_appearance_get_dark (self->appearance);
}
