/* The actions of a window. Their names are stable: menus, keys, tests and scripts use them. */
#define G_LOG_DOMAIN "tracery-ui"

#include <glib/gi18n.h>

#include "ui/common/words.h"
#include "ui/dialogs/export_dialog.h"
#include "ui/dialogs/trace_dialog.h"
#include "ui/inspector/inspector.h"
#include "ui/window/window_private.h"

#define ZOOM_STEP 1.25

/* ---- files ---- */

static void
on_open_response (GtkNativeDialog *dialog, int response, TrcWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
      g_autofree char *path = g_file_get_path (file);

      if (path != NULL)
        trc_window_open_path (self, path);
    }
  g_clear_object (&self->chooser);
}

static void
on_save_response (GtkNativeDialog *dialog, int response, TrcWindow *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GFile) file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
      g_autofree char *path = g_file_get_path (file);
      TrcExportOptions options;

      trc_export_options_init (&options);
      if (path != NULL && g_str_has_suffix (path, ".json"))
        trc_session_export (self->session, path, &options);
      else if (path != NULL)
        trc_window_say (self, _ ("The name of a graph file has to end in .json."), TRUE);
    }
  g_clear_object (&self->chooser);
}

static void
show_chooser (TrcWindow *self, const char *title, GtkFileChooserAction action,
              const char *accept, GCallback on_response)
{
  GtkFileChooserNative *chooser =
      gtk_file_chooser_native_new (title, GTK_WINDOW (self), action, accept, NULL);
  GtkFileFilter *graphs = gtk_file_filter_new ();
  GtkFileFilter *all = gtk_file_filter_new ();

  gtk_file_filter_set_name (graphs, _ ("Graph files (JSON)"));
  gtk_file_filter_add_pattern (graphs, "*.json");
  gtk_file_filter_add_pattern (graphs, "*.json.gz");
  gtk_file_filter_set_name (all, _ ("All files"));
  gtk_file_filter_add_pattern (all, "*");
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), graphs);
  gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (chooser), all);
  g_object_unref (graphs); /* the chooser holds them */
  g_object_unref (all);
  if (action == GTK_FILE_CHOOSER_ACTION_SAVE)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (chooser), "graph.json");
  g_signal_connect (chooser, "response", on_response, self);
  g_set_object (&self->chooser, GTK_NATIVE_DIALOG (chooser));
  g_object_unref (chooser); /* the window holds it until it answers */
  gtk_native_dialog_show (self->chooser);
}

static void
on_open (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  show_chooser (data, _ ("Open a graph"), GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"),
                G_CALLBACK (on_open_response));
}

static void
on_save_as (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  show_chooser (data, _ ("Save the graph"), GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"),
                G_CALLBACK (on_save_response));
}

static void
on_open_path (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  trc_window_open_path (data, g_variant_get_string (parameter, NULL));
}

static void
on_open_example (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  trc_window_open_example (data);
}

static void
on_export_path (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcWindow *self = data;
  TrcExportOptions options;

  trc_export_options_init (&options);
  if (trc_session_get_scene (self->session) != NULL)
    trc_session_export (self->session, g_variant_get_string (parameter, NULL), &options);
}

static void
on_close (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  gtk_window_close (data);
}

/* ---- dialogs ---- */

/* A dialog is made when it is first wanted and then kept, with what was typed. */
static void
present_dialog (TrcWindow *self, GtkWidget **place,
                GtkWidget *(*make) (GtkWindow *parent, TrcSession *session))
{
  if (*place == NULL)
    *place = make (GTK_WINDOW (self), self->session);
  gtk_window_present (GTK_WINDOW (*place));
}

static void
on_trace (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  present_dialog (data, &TRC_WINDOW (data)->trace_dialog, trc_trace_dialog_new);
}

static void
on_export (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  present_dialog (data, &TRC_WINDOW (data)->export_dialog, trc_export_dialog_new);
}

static void
on_cancel_jobs (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  trc_session_cancel_all (TRC_WINDOW (data)->session);
}

/* ---- the view ---- */

static void
on_undo (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  trc_session_undo (TRC_WINDOW (data)->session);
}

static void
on_redo (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  trc_session_redo (TRC_WINDOW (data)->session);
}

/* The name is typed in the inspector, which is brought out when it is hidden. */
static void
on_rename (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcWindow *self = data;

  g_action_group_change_action_state (G_ACTION_GROUP (self), "right-pane",
                                      g_variant_new_boolean (TRUE));
  trc_inspector_begin_rename (TRC_INSPECTOR (self->right));
}

static void
on_rename_to (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcSession *session = TRC_WINDOW (data)->session;
  guint32 node;

  if (trc_session_get_node (session, &node))
    trc_session_rename (session, node, g_variant_get_string (parameter, NULL));
}

static void
on_pin (GSimpleAction *action, GVariant *value, gpointer data)
{
  TrcSession *session = TRC_WINDOW (data)->session;
  guint32 node;

  if (trc_session_get_node (session, &node))
    trc_session_set_pinned (session, node, g_variant_get_boolean (value));
}

static void
on_node_share (GSimpleAction *action, GVariant *value, gpointer data)
{
  trc_session_set_node_share (TRC_WINDOW (data)->session, g_variant_get_double (value));
}

static void
on_edge_share (GSimpleAction *action, GVariant *value, gpointer data)
{
  trc_session_set_edge_share (TRC_WINDOW (data)->session, g_variant_get_double (value));
}

static void
on_blocks (GSimpleAction *action, GVariant *value, gpointer data)
{
  trc_session_set_groups (TRC_WINDOW (data)->session,
                          g_variant_get_boolean (value) ? TRC_GROUPS_AUTO : TRC_GROUPS_FLAT);
}

static void
on_errors (GSimpleAction *action, GVariant *value, gpointer data)
{
  trc_session_set_hide_errors (TRC_WINDOW (data)->session, !g_variant_get_boolean (value));
}

static void
on_dot (GSimpleAction *action, GVariant *value, gpointer data)
{
  trc_session_set_layout (TRC_WINDOW (data)->session,
                          g_variant_get_boolean (value) ? TRC_VIEW_DOT : TRC_VIEW_OWN);
}

static void
on_pane (GSimpleAction *action, GVariant *value, gpointer data)
{
  TrcWindow *self = data;
  gboolean left = g_str_equal (g_action_get_name (G_ACTION (action)), "left-pane");

  gtk_widget_set_visible (left ? self->left : self->right, g_variant_get_boolean (value));
  g_simple_action_set_state (action, value);
}

/* ---- the camera and the selection ---- */

static void
on_camera (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcCanvas *canvas = TRC_CANVAS (TRC_WINDOW (data)->canvas);
  const char *name = g_action_get_name (G_ACTION (action));

  if (g_str_equal (name, "zoom-in"))
    trc_canvas_zoom (canvas, ZOOM_STEP);
  else if (g_str_equal (name, "zoom-out"))
    trc_canvas_zoom (canvas, 1 / ZOOM_STEP);
  else if (g_str_equal (name, "zoom-fit"))
    trc_canvas_zoom_fit (canvas);
  else if (g_str_equal (name, "zoom-selection"))
    trc_canvas_zoom_selection (canvas);
  else
    trc_canvas_go (canvas, g_str_equal (name, "forward"));
}

static void
on_select (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  TrcWindow *self = data;
  const char *text = g_variant_get_string (parameter, NULL);
  TrcRef ref;

  if (text[0] == '\0')
    trc_session_select (self->session, NULL, 0);
  else if (trc_ref_from_text (text, &ref))
    trc_session_select (self->session, &ref, 1);
}

static void
on_search (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  gtk_widget_grab_focus (TRC_WINDOW (data)->search);
}

static void
on_focus_canvas (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  gtk_widget_grab_focus (TRC_WINDOW (data)->canvas);
}

/* The window of shortcuts is built when it is first asked for: not at every start. */
static void
on_shortcuts (GSimpleAction *action, GVariant *parameter, gpointer data)
{
  GtkApplicationWindow *window = data;

  if (gtk_application_window_get_help_overlay (window) == NULL)
    {
      g_autoptr (GtkBuilder) builder =
          gtk_builder_new_from_resource ("/org/tracery/Tracery/window/shortcuts.ui");

      gtk_application_window_set_help_overlay (
          window, GTK_SHORTCUTS_WINDOW (gtk_builder_get_object (builder, "shortcuts")));
    }
  gtk_window_present (GTK_WINDOW (gtk_application_window_get_help_overlay (window)));
}

/* ---- states ---- */

void
trc_window_set_state (TrcWindow *self, const char *name, GVariant *state)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), name);
  g_autoptr (GVariant) held = g_variant_ref_sink (state);
  g_autoptr (GVariant) old = g_action_get_state (action);

  if (!g_variant_equal (old, held))
    g_simple_action_set_state (G_SIMPLE_ACTION (action), held);
}

static void
enable (TrcWindow *self, const char *name, gboolean enabled)
{
  g_simple_action_set_enabled (
      G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self), name)), enabled);
}

static char *
job_words (TrcSession *session)
{
  g_autoptr (TrcJob) job = g_list_model_get_item (trc_session_get_jobs (session), 0);

  return job != NULL ? g_strdup (trc_job_get_title (job)) : g_strdup ("");
}

static char *
selection_words (TrcSession *session)
{
  g_autoptr (GString) words = g_string_new (NULL);
  guint n;
  const TrcRef *refs = trc_session_get_selection (session, &n);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *one = trc_ref_to_text (refs[i]);

      g_string_append_printf (words, "%s%s", i > 0 ? " " : "", one);
    }
  return g_strdup (words->str);
}

/* What the selected node is called and whether it is pinned. */
static void
update_marks (TrcWindow *self)
{
  guint32 node;
  gboolean is_node = trc_session_get_node (self->session, &node);
  g_autofree char *name = is_node ? trc_session_dup_name (self->session, node) : g_strdup ("");

  enable (self, "rename", is_node);
  enable (self, "rename-to", is_node);
  enable (self, "pin", is_node);
  trc_window_set_state (self, "name", g_variant_new_string (name));
  trc_window_set_state (
      self, "pin",
      g_variant_new_boolean (is_node && trc_session_is_pinned (self->session, node)));
}

static void
update_states (TrcWindow *self)
{
  const TrcView *view = trc_session_get_view (self->session);
  const TrcPresentInfo *info = trc_session_get_info (self->session);
  g_autofree char *job = job_words (self->session);
  g_autofree char *selection = selection_words (self->session);
  TrcCamera camera = trc_canvas_get_camera (TRC_CANVAS (self->canvas));
  guint n_painted = 0, n_frames = 0;

  trc_window_set_state (self, "job", g_variant_new_string (job));
  trc_window_set_state (self, "selection", g_variant_new_string (selection));
  trc_window_set_state (self, "graph",
                        g_variant_new_string (trc_session_get_title (self->session)));
  trc_window_set_state (self, "zoom",
                        g_variant_new_double (trc_canvas_get_zoom (TRC_CANVAS (self->canvas))));
  trc_window_set_state (self, "camera", g_variant_new ("(dd)", camera.cx, camera.cy));
  trc_window_set_state (self, "node-share", g_variant_new_double (view->node_share));
  trc_window_set_state (self, "edge-share", g_variant_new_double (view->edge_share));
  trc_window_set_state (self, "blocks",
                        g_variant_new_boolean (view->groups != TRC_GROUPS_FLAT));
  trc_window_set_state (self, "errors", g_variant_new_boolean (!view->hide_errors));
  trc_window_set_state (self, "dot", g_variant_new_boolean (view->layout == TRC_VIEW_DOT));
  trc_window_set_state (self, "shown",
                        g_variant_new ("(utu)", info->nodes_shown, info->edges_shown,
                                       trc_session_get_n_scenes (self->session)));
  if (gtk_widget_get_realized (self->canvas))
    trc_canvas_counts (TRC_CANVAS (self->canvas), &n_painted, &n_frames);
  trc_window_set_state (self, "pictures", g_variant_new_uint32 (n_painted));
}

void
trc_window_update_actions (TrcWindow *self)
{
  gboolean has_scene = trc_session_get_scene (self->session) != NULL;
  guint n_selected;
  static const char *const need_scene[] = { "export",   "export-path", "save-as", "zoom-in",
                                            "zoom-out", "zoom-fit",    "search" };

  trc_session_get_selection (self->session, &n_selected);
  for (guint i = 0; i < G_N_ELEMENTS (need_scene); i++)
    enable (self, need_scene[i], has_scene);
  enable (self, "zoom-selection", n_selected > 0);
  enable (self, "undo", trc_session_can_undo (self->session) != NULL);
  enable (self, "redo", trc_session_can_redo (self->session) != NULL);
  enable (self, "back", trc_canvas_can_go (TRC_CANVAS (self->canvas), FALSE));
  enable (self, "forward", trc_canvas_can_go (TRC_CANVAS (self->canvas), TRUE));
  enable (self, "cancel-jobs", trc_session_get_busy (self->session));
  update_marks (self);
  update_states (self);
}

void
trc_window_add_actions (TrcWindow *self)
{
  static const GActionEntry entries[] = {
    { .name = "open", .activate = on_open },
    { .name = "open-path", .activate = on_open_path, .parameter_type = "s" },
    { .name = "open-example", .activate = on_open_example },
    { .name = "save-as", .activate = on_save_as },
    { .name = "export", .activate = on_export },
    { .name = "export-path", .activate = on_export_path, .parameter_type = "s" },
    { .name = "trace", .activate = on_trace },
    { .name = "cancel-jobs", .activate = on_cancel_jobs },
    { .name = "close", .activate = on_close },
    { .name = "undo", .activate = on_undo },
    { .name = "redo", .activate = on_redo },
    { .name = "rename", .activate = on_rename },
    { .name = "rename-to", .activate = on_rename_to, .parameter_type = "s" },
    { .name = "pin", .state = "false", .change_state = on_pin },
    { .name = "zoom-in", .activate = on_camera },
    { .name = "zoom-out", .activate = on_camera },
    { .name = "zoom-fit", .activate = on_camera },
    { .name = "zoom-selection", .activate = on_camera },
    { .name = "back", .activate = on_camera },
    { .name = "forward", .activate = on_camera },
    { .name = "select", .activate = on_select, .parameter_type = "s" },
    { .name = "search", .activate = on_search },
    { .name = "show-help-overlay", .activate = on_shortcuts },
    { .name = "focus-canvas", .activate = on_focus_canvas },
    { .name = "node-share", .state = "0.8", .change_state = on_node_share },
    { .name = "edge-share", .state = "0.98", .change_state = on_edge_share },
    { .name = "blocks", .state = "true", .change_state = on_blocks },
    { .name = "errors", .state = "true", .change_state = on_errors },
    { .name = "dot", .state = "false", .change_state = on_dot },
    { .name = "left-pane", .state = "true", .change_state = on_pane },
    { .name = "right-pane", .state = "true", .change_state = on_pane },
  };
  static const struct {
    const char *name, *state;
  } facts[] = {
    { "selection", "''" },
    { "name", "''" },
    { "zoom", "1.0" },
    { "camera", "(0.0, 0.0)" },
    { "jobs", "@u 0" },
    { "job", "''" },
    { "message", "''" },
    { "graph", "''" },
    { "hits", "-1" },
    { "pictures", "@u 0" },
    { "shown", "(@u 0, @t 0, @u 0)" },
  };

  g_action_map_add_action_entries (G_ACTION_MAP (self), entries, G_N_ELEMENTS (entries), self);
  for (guint i = 0; i < G_N_ELEMENTS (facts); i++)
    {
      g_autoptr (GVariant) state = g_variant_parse (NULL, facts[i].state, NULL, NULL, NULL);
      g_autoptr (GSimpleAction) action =
          g_simple_action_new_stateful (facts[i].name, NULL, g_steal_pointer (&state));

      g_simple_action_set_enabled (action, FALSE); /* told, not set */
      g_action_map_add_action (G_ACTION_MAP (self), G_ACTION (action));
    }
}
