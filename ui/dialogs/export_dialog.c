#define G_LOG_DOMAIN "tracery-ui"

#include "ui/dialogs/export_dialog.h"

#include <glib/gi18n.h>
#include <string.h>

#include "render/page.h"
#include "ui/common/words.h"
#include "ui/dialogs/form.h"

#define PREVIEW_H 220

struct _TrcExportDialog {
  GtkWindow parent_instance;
  TrcSession *session;
  GtkWidget *path, *format, *width, *unit, *dpi, *theme, *signs;
  GtkWidget *transparent, *title, *legend, *outlines, *caption;
  GtkWidget *preview, *note, *go;
  GtkNativeDialog *chooser;
  char *of_title;         /* the document that the path was made for */
  cairo_surface_t *drawn; /* the preview, redrawn when an option changes */
};

G_DEFINE_FINAL_TYPE (TrcExportDialog, trc_export_dialog, GTK_TYPE_WINDOW)

static const char *const formats[] = { "SVG", "PDF", "PNG", NULL };
static const char *const suffixes[] = { ".svg", ".pdf", ".png" };
static const char *const units[] = { "mm", "in", "px", NULL };
static const double points_of_unit[] = { 72 / 25.4, 72, 0.75 };
static const char *const themes[] = { "light", "dark", "light-contrast", "dark-contrast",
                                      NULL };
static const char *const palettes[] = { "blue-orange", "purple-green", "blue-red", "grey",
                                        NULL };

/* ---- options ---- */

static guint
chosen (GtkWidget *choice)
{
  return gtk_drop_down_get_selected (GTK_DROP_DOWN (choice));
}

static gboolean
checked (GtkWidget *check)
{
  return gtk_check_button_get_active (GTK_CHECK_BUTTON (check));
}

static void
read_options (TrcExportDialog *self, TrcExportOptions *options)
{
  const char *caption = gtk_editable_get_text (GTK_EDITABLE (self->caption));

  trc_export_options_init (options);
  options->w = gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->width))
               * points_of_unit[chosen (self->unit)];
  options->dpi = gtk_spin_button_get_value (GTK_SPIN_BUTTON (self->dpi));
  options->theme = (TrcThemeKind)chosen (self->theme);
  options->palette = (TrcSignPalette)chosen (self->signs);
  options->transparent = checked (self->transparent);
  options->title = checked (self->title);
  options->legend = checked (self->legend);
  options->outlines = checked (self->outlines);
  options->caption = caption[0] != '\0' ? caption : NULL;
}

/* ---- preview ---- */

static void
draw_page (TrcExportDialog *self, cairo_t *cr, int width, int height)
{
  TrcScene *scene = trc_session_get_scene (self->session);
  TrcExportOptions options;
  TrcTheme theme;
  TrcPage page;
  double w, h, scale;

  if (scene == NULL)
    return;
  read_options (self, &options);
  trc_theme_init (&theme, options.theme, options.palette);
  trc_page_init (&page, &theme);
  page.w = options.w;
  page.caption = options.caption;
  page.transparent = options.transparent;
  page.title = options.title;
  page.legend = options.legend;
  trc_page_measure (&page, scene, &w, &h);
  if (w <= 0 || h <= 0)
    return;
  scale = MIN (width / w, height / h);
  cairo_translate (cr, (width - scale * w) / 2, (height - scale * h) / 2);
  cairo_scale (cr, scale, scale);
  trc_page_draw (&page, scene, cr, NULL);
}

static void
on_draw_preview (GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer data)
{
  TrcExportDialog *self = data;

  if (self->drawn == NULL)
    {
      int scale = gtk_widget_get_scale_factor (GTK_WIDGET (area));
      cairo_t *own;

      self->drawn =
          cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width * scale, height * scale);
      cairo_surface_set_device_scale (self->drawn, scale, scale);
      own = cairo_create (self->drawn);
      draw_page (self, own, width, height);
      cairo_destroy (own);
    }
  cairo_set_source_surface (cr, self->drawn, 0, 0);
  cairo_paint (cr);
}

static void
redraw_preview (TrcExportDialog *self)
{
  g_clear_pointer (&self->drawn, cairo_surface_destroy);
  gtk_widget_queue_draw (self->preview);
}

static void
on_preview_resized (GtkDrawingArea *area, int width, int height, TrcExportDialog *self)
{
  g_clear_pointer (&self->drawn, cairo_surface_destroy);
}

/* ---- the file ---- */

/* "fact-the-capital-of.svg" in the folder that figures usually go to. */
static char *
default_path (TrcExportDialog *self)
{
  g_autoptr (GString) name = g_string_new (NULL);
  const char *folder = g_get_user_special_dir (G_USER_DIRECTORY_PICTURES);

  for (const char *c = trc_session_get_title (self->session); *c != '\0' && name->len < 40; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (name, g_ascii_tolower (*c));
    else if (name->len > 0 && name->str[name->len - 1] != '-')
      g_string_append_c (name, '-');
  while (name->len > 0 && name->str[name->len - 1] == '-')
    g_string_truncate (name, name->len - 1);
  if (name->len == 0)
    g_string_append (name, "graph");
  g_string_append (name, ".svg");
  return g_build_filename (folder != NULL ? folder : g_get_home_dir (), name->str, NULL);
}

static void
on_format (TrcExportDialog *self)
{
  const char *path = gtk_editable_get_text (GTK_EDITABLE (self->path));
  const char *dot = strrchr (path, '.');
  gsize stem = dot != NULL && strchr (dot, '/') == NULL ? (gsize)(dot - path) : strlen (path);
  g_autofree char *changed =
      g_strdup_printf ("%.*s%s", (int)stem, path, suffixes[chosen (self->format)]);

  gtk_editable_set_text (GTK_EDITABLE (self->path), changed);
  gtk_widget_set_sensitive (self->dpi, chosen (self->format) == 2);
  gtk_widget_set_sensitive (self->outlines, chosen (self->format) == 0);
}

static void
on_path_chosen (GtkNativeDialog *dialog, int response, TrcExportDialog *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
      g_autofree char *path = g_file_get_path (file);

      if (path != NULL)
        gtk_editable_set_text (GTK_EDITABLE (self->path), path);
    }
  g_clear_object (&self->chooser);
}

static void
on_browse (TrcExportDialog *self)
{
  g_autofree char *name =
      g_path_get_basename (gtk_editable_get_text (GTK_EDITABLE (self->path)));
  GtkFileChooserNative *chooser =
      gtk_file_chooser_native_new (_ ("Export the figure"), GTK_WINDOW (self),
                                   GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Choose"), NULL);

  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (chooser), name);
  g_signal_connect (chooser, "response", G_CALLBACK (on_path_chosen), self);
  g_clear_object (&self->chooser);
  self->chooser = GTK_NATIVE_DIALOG (chooser);
  gtk_native_dialog_show (self->chooser);
}

static void
on_go (TrcExportDialog *self)
{
  const char *path = gtk_editable_get_text (GTK_EDITABLE (self->path));
  TrcExportOptions options;

  if (path[0] == '\0')
    {
      gtk_label_set_text (GTK_LABEL (self->note), _ ("Say which file to write."));
      return;
    }
  read_options (self, &options);
  options.format = (TrcExportFormat)(TRC_EXPORT_SVG + chosen (self->format));
  trc_session_export (self->session, path, &options);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

/* Shown again: the drawing may be another one. */
static void
on_map (TrcExportDialog *self)
{
  if (g_strcmp0 (self->of_title, trc_session_get_title (self->session)) != 0)
    {
      g_autofree char *path = default_path (self);

      g_free (self->of_title);
      self->of_title = g_strdup (trc_session_get_title (self->session));
      gtk_editable_set_text (GTK_EDITABLE (self->path), path);
      on_format (self);
    }
  redraw_preview (self);
}

/* ---- construction ---- */

static void
trc_export_dialog_dispose (GObject *object)
{
  TrcExportDialog *self = TRC_EXPORT_DIALOG (object);

  g_clear_object (&self->session);
  g_clear_object (&self->chooser);
  g_clear_pointer (&self->drawn, cairo_surface_destroy);
  g_clear_pointer (&self->of_title, g_free);
  G_OBJECT_CLASS (trc_export_dialog_parent_class)->dispose (object);
}

static void
trc_export_dialog_class_init (TrcExportDialogClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = trc_export_dialog_dispose;
}

static void
trc_export_dialog_init (TrcExportDialog *self)
{
}

static GtkWidget *
check_new (TrcExportDialog *self, const char *name, gboolean active)
{
  GtkWidget *check = gtk_check_button_new_with_label (name);

  gtk_check_button_set_active (GTK_CHECK_BUTTON (check), active);
  trc_name_widget (check, name, FALSE);
  g_signal_connect_swapped (check, "toggled", G_CALLBACK (redraw_preview), self);
  return check;
}

static GtkWidget *
choice_new (TrcExportDialog *self, const char *const *words, guint first)
{
  GtkWidget *choice = trc_form_choice_new (words);

  gtk_drop_down_set_selected (GTK_DROP_DOWN (choice), first);
  g_signal_connect_swapped (choice, "notify::selected", G_CALLBACK (redraw_preview), self);
  return choice;
}

static GtkWidget *
size_row (TrcExportDialog *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);

  self->width = gtk_spin_button_new_with_range (10, 10000, 1);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->width), 180);
  trc_name_widget (self->width, _ ("Width"), FALSE);
  g_signal_connect_swapped (self->width, "value-changed", G_CALLBACK (redraw_preview), self);
  self->unit = choice_new (self, units, 0);
  trc_name_widget (self->unit, _ ("Unit"), FALSE);
  trc_name_widget (gtk_widget_get_first_child (self->unit), _ ("Unit"), FALSE);
  self->dpi = gtk_spin_button_new_with_range (36, 1200, 12);
  gtk_spin_button_set_value (GTK_SPIN_BUTTON (self->dpi), 300);
  trc_name_widget (self->dpi, _ ("Dots per inch"), FALSE);
  gtk_widget_set_sensitive (self->dpi, FALSE);
  gtk_box_append (GTK_BOX (box), self->width);
  gtk_box_append (GTK_BOX (box), self->unit);
  gtk_box_append (GTK_BOX (box), self->dpi);
  gtk_box_append (GTK_BOX (box), trc_label_new (_ ("dpi"), "trc-note"));
  return box;
}

static GtkWidget *
path_row (TrcExportDialog *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *browse = gtk_button_new_with_label (_ ("Browse…"));

  self->path = gtk_entry_new ();
  gtk_widget_set_hexpand (self->path, TRUE);
  trc_name_widget (self->path, _ ("File"), FALSE);
  g_signal_connect_swapped (self->path, "activate", G_CALLBACK (on_go), self);
  gtk_widget_add_css_class (browse, "trc-button");
  trc_name_widget (browse, _ ("Browse…"), FALSE);
  g_signal_connect_swapped (browse, "clicked", G_CALLBACK (on_browse), self);
  gtk_box_append (GTK_BOX (box), self->path);
  gtk_box_append (GTK_BOX (box), browse);
  return box;
}

static GtkWidget *
checks_row (TrcExportDialog *self)
{
  GtkWidget *box = gtk_grid_new ();

  gtk_grid_set_column_spacing (GTK_GRID (box), 16);
  gtk_grid_set_row_spacing (GTK_GRID (box), 4);
  self->title = check_new (self, _ ("Title"), TRUE);
  self->legend = check_new (self, _ ("Legend"), TRUE);
  self->transparent = check_new (self, _ ("Transparent ground"), FALSE);
  self->outlines = check_new (self, _ ("Text as outlines"), FALSE);
  gtk_grid_attach (GTK_GRID (box), self->title, 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (box), self->legend, 0, 1, 1, 1);
  gtk_grid_attach (GTK_GRID (box), self->transparent, 1, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (box), self->outlines, 1, 1, 1, 1);
  return box;
}

static void
add_preview (TrcExportDialog *self, GtkWidget *box)
{
  self->preview = gtk_drawing_area_new ();
  gtk_drawing_area_set_content_height (GTK_DRAWING_AREA (self->preview), PREVIEW_H);
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->preview), on_draw_preview, self,
                                  NULL);
  g_signal_connect (self->preview, "resize", G_CALLBACK (on_preview_resized), self);
  gtk_widget_add_css_class (self->preview, "trc-preview");
  trc_name_widget (self->preview, _ ("Preview of the figure"), FALSE);
  gtk_box_append (GTK_BOX (box), self->preview);
}

GtkWidget *
trc_export_dialog_new (GtkWindow *parent, TrcSession *session)
{
  TrcExportDialog *self = g_object_new (TRC_TYPE_EXPORT_DIALOG, NULL);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *form = trc_form_new ();

  self->session = g_object_ref (session);
  add_preview (self, box);
  self->format = choice_new (self, formats, 0);
  g_signal_connect_swapped (self->format, "notify::selected", G_CALLBACK (on_format), self);
  self->theme = choice_new (self, themes, 0);
  self->signs = choice_new (self, palettes, 0);
  self->caption = gtk_entry_new ();
  g_signal_connect_swapped (self->caption, "changed", G_CALLBACK (redraw_preview), self);
  trc_form_add (form, _ ("Format"), self->format);
  trc_form_add (form, _ ("Width"), size_row (self));
  trc_form_add (form, _ ("Colours"), self->theme);
  trc_form_add (form, _ ("Signs"), self->signs);
  trc_form_add (form, _ ("With"), checks_row (self));
  trc_form_add (form, _ ("Caption"), self->caption);
  trc_form_add (form, _ ("File"), path_row (self));
  self->note = trc_label_new ("", "trc-faint");
  gtk_box_append (GTK_BOX (box), form);
  gtk_box_append (GTK_BOX (box), self->note);
  gtk_box_append (GTK_BOX (box),
                  trc_form_buttons_new (GTK_WINDOW (self), _ ("Export"),
                                        _ ("Export the chosen figure"), &self->go));
  g_signal_connect_swapped (self->go, "clicked", G_CALLBACK (on_go), self);
  g_signal_connect (self, "map", G_CALLBACK (on_map), NULL);
  trc_form_init_window (GTK_WINDOW (self), parent, _ ("Export the figure"), box);
  return GTK_WIDGET (self);
}
