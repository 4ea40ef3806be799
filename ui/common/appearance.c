#define G_LOG_DOMAIN "tracery-ui"

#include "ui/common/appearance.h"

#define STYLE_PATH "/org/tracery/Tracery/style/"
#define PORTAL_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define PORTAL_INTERFACE "org.freedesktop.portal.Settings"
#define PORTAL_NAMESPACE "org.freedesktop.appearance"
#define PORTAL_KEY "color-scheme"

struct _TrcAppearance {
  GObject parent_instance;
  const char *scheme; /* one of the three literals */
  gboolean system_dark;
  gboolean dark;
  GtkCssProvider *palette;
  GtkCssProvider *style;
  GCancellable *cancellable;
  GDBusConnection *bus;
  guint subscription;
};

enum { PROP_0, PROP_DARK, N_PROPS };

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (TrcAppearance, trc_appearance, G_TYPE_OBJECT)

static void
load_palette (TrcAppearance *self)
{
  gtk_css_provider_load_from_resource (self->palette, self->dark ? STYLE_PATH "dark.css"
                                                                 : STYLE_PATH "light.css");
  /* Colour names are looked up again only when the sheet that uses them is read again. */
  gtk_css_provider_load_from_resource (self->style, STYLE_PATH "style.css");
  g_object_set (gtk_settings_get_default (), "gtk-application-prefer-dark-theme", self->dark,
                NULL);
}

static void
update (TrcAppearance *self)
{
  gboolean dark = g_str_equal (self->scheme, "dark")
                  || (g_str_equal (self->scheme, "system") && self->system_dark);

  if (dark == self->dark)
    return;
  self->dark = dark;
  load_palette (self);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_DARK]);
}

/* The portal answers with a number wrapped in one or two variants: 1 prefers dark. */
static void
take_portal_value (TrcAppearance *self, GVariant *value)
{
  g_autoptr (GVariant) inner = g_variant_ref (value);

  while (g_variant_is_of_type (inner, G_VARIANT_TYPE_VARIANT))
    {
      GVariant *next = g_variant_get_variant (inner);

      g_variant_unref (inner);
      inner = next;
    }
  if (!g_variant_is_of_type (inner, G_VARIANT_TYPE_UINT32))
    return;
  self->system_dark = g_variant_get_uint32 (inner) == 1;
  update (self);
}

static void
on_setting_changed (GDBusConnection *bus, const char *sender, const char *path,
                    const char *interface, const char *signal, GVariant *args, gpointer data)
{
  const char *space, *key;
  g_autoptr (GVariant) value = NULL;

  g_variant_get (args, "(&s&s@v)", &space, &key, &value);
  if (g_str_equal (space, PORTAL_NAMESPACE) && g_str_equal (key, PORTAL_KEY))
    take_portal_value (data, value);
}

static void
on_portal_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) value = NULL;

  if (answer == NULL)
    return; /* no portal on this desktop, or we are gone */
  g_variant_get (answer, "(@v)", &value);
  take_portal_value (data, value);
}

static void
on_bus (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_finish (result, NULL);
  TrcAppearance *self = data;

  if (bus == NULL)
    return;
  self->bus = g_steal_pointer (&bus);
  self->subscription = g_dbus_connection_signal_subscribe (
      self->bus, PORTAL_NAME, PORTAL_INTERFACE, "SettingChanged", PORTAL_PATH, PORTAL_NAMESPACE,
      G_DBUS_SIGNAL_FLAGS_NONE, on_setting_changed, self, NULL);
  g_dbus_connection_call (self->bus, PORTAL_NAME, PORTAL_PATH, PORTAL_INTERFACE, "Read",
                          g_variant_new ("(ss)", PORTAL_NAMESPACE, PORTAL_KEY),
                          G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable,
                          on_portal_read, self);
}

/* A desktop names its interface font; where nobody does, GTK falls back to whatever "Sans"
 * happens to be. Then a font made for interfaces is taken, if one is installed. */
static void
choose_font (void)
{
  static const char *const wanted[] = { "Inter", "Cantarell", "Noto Sans", NULL };
  g_autofree char *name = NULL;
  g_autoptr (PangoFontDescription) set = NULL;
  PangoFontMap *map = pango_cairo_font_map_get_default ();

  g_object_get (gtk_settings_get_default (), "gtk-font-name", &name, NULL);
  set = pango_font_description_from_string (name != NULL ? name : "Sans 10");
  if (g_ascii_strcasecmp (pango_font_description_get_family (set), "Sans") != 0)
    return;
  for (guint i = 0; wanted[i] != NULL; i++)
    if (pango_font_map_get_family (map, wanted[i]) != NULL)
      {
        g_autofree char *font = g_strdup_printf ("%s 9.75", wanted[i]);

        g_object_set (gtk_settings_get_default (), "gtk-font-name", font, NULL);
        return;
      }
}

static void
trc_appearance_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_DARK)
    g_value_set_boolean (value, TRC_APPEARANCE (object)->dark);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
trc_appearance_dispose (GObject *object)
{
  TrcAppearance *self = TRC_APPEARANCE (object);

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->subscription != 0)
    g_dbus_connection_signal_unsubscribe (self->bus, self->subscription);
  self->subscription = 0;
  g_clear_object (&self->bus);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->palette);
  g_clear_object (&self->style);
  G_OBJECT_CLASS (trc_appearance_parent_class)->dispose (object);
}

static void
trc_appearance_class_init (TrcAppearanceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = trc_appearance_get_property;
  object_class->dispose = trc_appearance_dispose;
  props[PROP_DARK] = g_param_spec_boolean ("dark", NULL, NULL, FALSE,
                                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
trc_appearance_init (TrcAppearance *self)
{
  self->scheme = "system";
  self->palette = gtk_css_provider_new ();
  self->style = gtk_css_provider_new ();
  self->cancellable = g_cancellable_new ();
}

TrcAppearance *
trc_appearance_new (const char *scheme)
{
  TrcAppearance *self = g_object_new (TRC_TYPE_APPEARANCE, NULL);
  GdkDisplay *display = gdk_display_get_default ();

  g_object_get (gtk_settings_get_default (), "gtk-application-prefer-dark-theme",
                &self->system_dark, NULL);
  choose_font ();
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (self->palette),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
  gtk_style_context_add_provider_for_display (display, GTK_STYLE_PROVIDER (self->style),
                                              GTK_STYLE_PROVIDER_PRIORITY_APPLICATION + 1);
  trc_appearance_set_scheme (self, scheme);
  load_palette (self);
  g_bus_get (G_BUS_TYPE_SESSION, self->cancellable, on_bus, self);
  return self;
}

static void
set_scheme_literal (TrcAppearance *self, const char *scheme)
{
  self->scheme = scheme;
  update (self);
}

void
trc_appearance_set_scheme (TrcAppearance *self, const char *scheme)
{
  g_return_if_fail (TRC_IS_APPEARANCE (self));

  if (g_strcmp0 (scheme, "light") == 0)
    set_scheme_literal (self, "light");
  else if (g_strcmp0 (scheme, "dark") == 0)
    set_scheme_literal (self, "dark");
  else
    set_scheme_literal (self, "system");
}

const char *
trc_appearance_get_scheme (TrcAppearance *self)
{
  return self->scheme;
}

gboolean
trc_appearance_get_dark (TrcAppearance *self)
{
  return self->dark;
}
