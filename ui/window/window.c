#define G_LOG_DOMAIN "tracery-ui"

#include "ui/window.h"

#include <glib/gi18n.h>

#include "ui/application.h"
#include "ui/common/words.h"
#include "ui/inspector/inspector.h"
#include "ui/panels/left_pane.h"
#include "ui/panels/shares_bar.h"
#include "ui/window/window_private.h"

#define DEFAULT_WIDTH 1440
#define DEFAULT_HEIGHT 900
#define LEFT_PX 249
#define RIGHT_PX 304
#define SHARES_INSET_PX 46
#define TELL_MS 120

G_DEFINE_FINAL_TYPE (TrcWindow, trc_window, GTK_TYPE_APPLICATION_WINDOW)

/* ---- following the session ---- */

static void
on_graph_changed (TrcWindow *self)
{
  g_autofree char *title =
      g_strdup_printf ("%s – Tracery", trc_session_get_title (self->session));

  self->new_graph = TRUE;
  gtk_label_set_text (GTK_LABEL (self->title), trc_session_get_title (self->session));
  gtk_label_set_text (GTK_LABEL (self->subtitle), trc_session_get_subtitle (self->session));
  gtk_window_set_title (GTK_WINDOW (self), title);
  gtk_editable_set_text (GTK_EDITABLE (self->search), "");
  gtk_widget_set_visible (self->empty, FALSE);
  trc_window_update_actions (self);
}

static void
on_scene_changed (TrcWindow *self)
{
  TrcScene *scene = trc_session_get_scene (self->session);
  const char *facts = trc_scene_facts (scene);

  trc_canvas_set_scene (TRC_CANVAS (self->canvas), scene, self->new_graph);
  trc_canvas_set_summary (TRC_CANVAS (self->canvas), facts);
  self->new_graph = FALSE;
  trc_window_update_actions (self);
}

static void
on_selection_changed (TrcWindow *self)
{
  guint n;
  const TrcRef *refs = trc_session_get_selection (self->session, &n);

  trc_canvas_set_selection (TRC_CANVAS (self->canvas), refs, n);
  trc_window_update_actions (self);
}

static void
on_message (TrcSession *session, const char *sentence, gboolean is_error, TrcWindow *self)
{
  trc_window_say (self, sentence, is_error);
}

static void
on_jobs_changed (GListModel *jobs, guint position, guint removed, guint added, TrcWindow *self)
{
  self->n_jobs += added;
  trc_window_set_state (self, "jobs", g_variant_new_uint32 (self->n_jobs));
}

void
trc_window_say (TrcWindow *self, const char *sentence, gboolean is_error)
{
  trc_messages_show (TRC_MESSAGES (self->messages), sentence, is_error);
  trc_window_set_state (self, "message", g_variant_new_string (sentence));
}

/* ---- following the canvas ---- */

static void
on_canvas_select (TrcCanvas *canvas, int kind, guint64 id, gboolean add, TrcWindow *self)
{
  TrcRef ref = { (TrcRefKind)MAX (kind, 0), id };
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (TrcRef));
  guint n;
  const TrcRef *old = trc_session_get_selection (self->session, &n);
  gboolean had = FALSE;

  for (guint i = 0; add && i < n; i++)
    if (kind >= 0 && old[i].kind == ref.kind && old[i].id == ref.id)
      had = TRUE; /* Ctrl+click on a selected thing takes it out */
    else
      g_array_append_val (refs, old[i]);
  if (kind >= 0 && !had)
    g_array_append_val (refs, ref);
  trc_session_select (self->session, (const TrcRef *)(gpointer)refs->data, refs->len);
}

static void
on_canvas_activate (TrcCanvas *canvas, int kind, guint64 id, TrcWindow *self)
{
  if (kind == TRC_REF_GROUP)
    trc_session_toggle_group (self->session, (guint32)id);
  else
    trc_canvas_zoom_selection (canvas);
}

static gboolean
on_camera_told (gpointer data)
{
  TrcWindow *self = data;

  self->camera_id = 0;
  trc_window_update_actions (self);
  return G_SOURCE_REMOVE;
}

/* Action states go over the bus: told some times a second, not at every frame of a pan. */
static void
on_camera_changed (TrcCanvas *canvas, TrcWindow *self)
{
  if (self->camera_id == 0)
    self->camera_id = g_timeout_add (TELL_MS, on_camera_told, self);
}

/* ---- search ---- */

void
trc_window_search (TrcWindow *self, const char *query)
{
  TrcDigest *digest = trc_session_get_digest (self->session);
  g_autoptr (GArray) refs = NULL;

  g_clear_pointer (&self->hits, g_array_unref);
  self->next_hit = 0;
  if (digest == NULL || query[0] == '\0')
    {
      trc_canvas_set_hits (TRC_CANVAS (self->canvas), NULL, 0);
      trc_window_set_state (self, "hits", g_variant_new_int32 (-1));
      return;
    }
  self->hits = trc_digest_search (digest, query);
  refs = g_array_new (FALSE, FALSE, sizeof (TrcRef));
  for (guint i = 0; i < self->hits->len; i++)
    {
      guint32 node = g_array_index (self->hits, guint32, i);
      TrcRef ref = { TRC_REF_NODE, node };
      gint64 group = trc_digest_group_of (digest, node);
      TrcRef card = { TRC_REF_GROUP, (guint64)MAX (group, 0) };

      g_array_append_val (refs, ref);
      if (group >= 0)
        g_array_append_val (refs, card);
    }
  trc_canvas_set_hits (TRC_CANVAS (self->canvas), (const TrcRef *)(gpointer)refs->data,
                       refs->len);
  trc_window_set_state (self, "hits", g_variant_new_int32 ((gint32)self->hits->len));
}

/* The next hit that is drawn; hits outside the shares are passed over. */
void
trc_window_next_hit (TrcWindow *self)
{
  TrcScene *scene = trc_session_get_scene (self->session);

  for (guint tries = 0; self->hits != NULL && scene != NULL && tries < self->hits->len; tries++)
    {
      guint32 node = g_array_index (self->hits, guint32, self->next_hit);
      TrcRef ref = { TRC_REF_NODE, node };

      self->next_hit = (self->next_hit + 1) % self->hits->len;
      if (trc_scene_find (scene, ref.kind, ref.id) < 0)
        continue;
      trc_session_select (self->session, &ref, 1);
      trc_canvas_zoom_selection (TRC_CANVAS (self->canvas));
      return;
    }
  trc_window_say (self, _ ("Nothing that is shown matches; raise the node share to see more."),
                  FALSE);
}

/* ---- construction ---- */

static gboolean
on_drop (GtkDropTarget *target, const GValue *value, double x, double y, TrcWindow *self)
{
  GSList *files = g_value_get_boxed (value);
  g_autofree char *path = files != NULL ? g_file_get_path (files->data) : NULL;

  if (path == NULL)
    return FALSE;
  trc_window_open_path (self, path);
  return TRUE;
}

static void
add_drop_target (TrcWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

static GtkWidget *
canvas_overlay_new (TrcWindow *self)
{
  GtkWidget *overlay = gtk_overlay_new ();

  self->canvas = trc_canvas_new ();
  self->shares = trc_shares_bar_new (self->session);
  self->messages = trc_messages_new ();
  self->empty =
      trc_label_new (_ ("Open a graph, drop a file here, or trace a prompt."), "trc-note");
  gtk_widget_set_halign (self->empty, GTK_ALIGN_CENTER);
  gtk_widget_set_valign (self->empty, GTK_ALIGN_CENTER);
  trc_canvas_set_bottom_inset (TRC_CANVAS (self->canvas), SHARES_INSET_PX);
  gtk_widget_set_hexpand (self->canvas, TRUE);
  gtk_widget_set_vexpand (self->canvas, TRUE);
  gtk_overlay_set_child (GTK_OVERLAY (overlay), self->canvas);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->empty);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->shares);
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->messages);
  g_signal_connect (self->canvas, "select", G_CALLBACK (on_canvas_select), self);
  g_signal_connect (self->canvas, "activate", G_CALLBACK (on_canvas_activate), self);
  g_signal_connect (self->canvas, "camera-changed", G_CALLBACK (on_camera_changed), self);
  return overlay;
}

static GtkWidget *
body_new (TrcWindow *self)
{
  GtkWidget *body = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);

  self->left = trc_left_pane_new (self->session);
  self->right = trc_inspector_new (self->session);
  gtk_widget_set_size_request (self->left, LEFT_PX, -1);
  gtk_widget_set_size_request (self->right, RIGHT_PX, -1);
  gtk_widget_set_hexpand (self->left, FALSE);
  gtk_widget_set_hexpand (self->right, FALSE);
  gtk_box_append (GTK_BOX (body), self->left);
  gtk_box_append (GTK_BOX (body), canvas_overlay_new (self));
  gtk_box_append (GTK_BOX (body), self->right);
  return body;
}

static void
follow_session (TrcWindow *self)
{
  static const struct {
    const char *signal;
    void (*handler) (TrcWindow *);
  } plain[] = {
    { "graph-changed", on_graph_changed },
    { "scene-changed", on_scene_changed },
    { "selection-changed", on_selection_changed },
    { "view-changed", trc_window_update_actions },
    { "busy-changed", trc_window_update_actions },
  };

  for (guint i = 0; i < G_N_ELEMENTS (plain); i++)
    g_signal_connect_object (self->session, plain[i].signal, G_CALLBACK (plain[i].handler),
                             self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->session, "message", G_CALLBACK (on_message), self, 0);
  g_signal_connect_object (trc_session_get_jobs (self->session), "items-changed",
                           G_CALLBACK (on_jobs_changed), self, 0);
}

static void
on_dark_changed (TrcApplication *application, TrcWindow *self)
{
  trc_canvas_set_dark (TRC_CANVAS (self->canvas), trc_application_get_dark (application));
}

static gboolean
trc_window_close_request (GtkWindow *window)
{
  TrcWindow *self = TRC_WINDOW (window);

  trc_session_close (self->session);
  return GTK_WINDOW_CLASS (trc_window_parent_class)->close_request (window);
}

static void
trc_window_dispose (GObject *object)
{
  TrcWindow *self = TRC_WINDOW (object);

  if (self->session != NULL)
    trc_session_close (self->session);
  g_clear_handle_id (&self->camera_id, g_source_remove);
  g_clear_object (&self->chooser);
  if (self->trace_dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (g_steal_pointer (&self->trace_dialog)));
  if (self->export_dialog != NULL)
    gtk_window_destroy (GTK_WINDOW (g_steal_pointer (&self->export_dialog)));
  g_clear_pointer (&self->hits, g_array_unref);
  G_OBJECT_CLASS (trc_window_parent_class)->dispose (object);
  g_clear_object (&self->session);
}

static void
trc_window_class_init (TrcWindowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = trc_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = trc_window_close_request;
}

static void
trc_window_init (TrcWindow *self)
{
  self->session = trc_session_new ();
  gtk_widget_add_css_class (GTK_WIDGET (self), "tracery");
  gtk_window_set_title (GTK_WINDOW (self), "Tracery");
  gtk_window_set_default_size (GTK_WINDOW (self), DEFAULT_WIDTH, DEFAULT_HEIGHT);
  gtk_window_set_titlebar (GTK_WINDOW (self), trc_window_header_new (self));
  gtk_window_set_child (GTK_WINDOW (self), body_new (self));
  trc_window_add_actions (self);
  add_drop_target (self);
  follow_session (self);
  trc_window_update_actions (self);
}

TrcWindow *
trc_window_new (GtkApplication *application)
{
  TrcWindow *self = g_object_new (TRC_TYPE_WINDOW, "application", application, NULL);

  g_signal_connect_object (application, "dark-changed", G_CALLBACK (on_dark_changed), self, 0);
  on_dark_changed (TRC_APPLICATION (application), self);
  gtk_widget_grab_focus (self->canvas);
  return self;
}

void
trc_window_open_example (TrcWindow *self)
{
  g_autofree char *path = trc_session_example_path ();

  if (path != NULL)
    trc_session_open (self->session, path);
  else
    trc_window_say (self, _ ("The bundled example is not installed; open a graph instead."),
                    TRUE);
}

void
trc_window_open_path (TrcWindow *self, const char *path)
{
  trc_session_open (self->session, path);
}

TrcSession *
trc_window_get_session (TrcWindow *self)
{
  return self->session;
}

TrcCanvas *
trc_window_get_canvas (TrcWindow *self)
{
  return TRC_CANVAS (self->canvas);
}
