/* The camera of the canvas: zoom, fit, flights, the trail, and the named actions. */
#define G_LOG_DOMAIN "tracery-ui"

#include "ui/canvas/canvas_private.h"

#include <math.h>

#define FLIGHT_US 220000
#define SETTLE_MS 70
#define ZOOM_STEP 1.25
#define LABEL_PX 32 /* labels right of the last node stand outside the bounds */
#define FIT_MAX_ZOOM (1.25 * TRC_UNIT_PX) /* small graphs are not blown up */

static gboolean
on_settled (gpointer data)
{
  TrcCanvas *self = data;

  self->settle_id = 0;
  trc_trail_move (self->trail, self->camera);
  trc_canvas_consider_repaint (self, TRUE);
  return G_SOURCE_REMOVE;
}

void
trc_canvas_move_camera (TrcCanvas *self, TrcCamera camera)
{
  self->camera = camera;
  self->placed = TRUE;
  g_clear_pointer (&self->node, gsk_render_node_unref);
  g_clear_handle_id (&self->settle_id, g_source_remove);
  self->settle_id = g_timeout_add (SETTLE_MS, on_settled, self);
  trc_canvas_consider_repaint (self, FALSE);
  trc_canvas_update_hover (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  trc_canvas_emit_camera (self);
}

/* ---- flights ---- */

void
trc_canvas_stop_flight (TrcCanvas *self)
{
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
}

static gboolean
on_tick (GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
  TrcCanvas *self = TRC_CANVAS (widget);
  double t =
      (double)(gdk_frame_clock_get_frame_time (clock) - self->flight_start_us) / FLIGHT_US;
  double eased = 1 - pow (1 - CLAMP (t, 0, 1), 3);

  if (t >= 1)
    self->tick_id = 0;
  trc_canvas_move_camera (self,
                          t >= 1 ? self->flight_to
                                 : trc_camera_mix (self->flight_from, self->flight_to, eased));
  return t < 1 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
trc_canvas_fly (TrcCanvas *self, TrcCamera to)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (GTK_WIDGET (self));
  gboolean animate;

  trc_canvas_stop_flight (self);
  g_object_get (gtk_widget_get_settings (GTK_WIDGET (self)), "gtk-enable-animations", &animate,
                NULL);
  if (!animate || clock == NULL || self->picture == NULL)
    {
      trc_canvas_move_camera (self, to);
      return;
    }
  self->flight_from = self->camera;
  self->flight_to = to;
  self->flight_start_us = gdk_frame_clock_get_frame_time (clock);
  self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), on_tick, NULL, NULL);
}

static void
jump (TrcCanvas *self, TrcCamera to)
{
  trc_trail_jump (self->trail, to);
  trc_canvas_fly (self, to);
}

/* ---- zoom and fit ---- */

TrcCamera
trc_canvas_fit_camera (TrcCanvas *self, TrcScene *scene)
{
  TrcDrawOptions options;
  TrcCamera camera;
  TrcInsets insets;
  double w, h;

  trc_canvas_view_size (self, &w, &h);
  trc_draw_options_init (&options, &self->theme, w, h);
  insets = trc_draw_insets (scene, &options);
  insets.right += LABEL_PX;
  camera = trc_camera_fit (trc_scene_bounds (scene), w, h, insets, FIT_MAX_ZOOM);
  camera.cy += self->bottom_inset_px / (2.0 * camera.zoom);
  return camera;
}

double
trc_canvas_get_zoom (TrcCanvas *self)
{
  return self->camera.zoom / TRC_UNIT_PX;
}

TrcCamera
trc_canvas_get_camera (TrcCanvas *self)
{
  return self->camera;
}

void
trc_canvas_set_camera (TrcCanvas *self, TrcCamera camera)
{
  trc_canvas_stop_flight (self);
  self->fitted = FALSE;
  trc_canvas_move_camera (self, camera);
}

void
trc_canvas_zoom (TrcCanvas *self, double factor)
{
  double w = gtk_widget_get_width (GTK_WIDGET (self));
  double h = gtk_widget_get_height (GTK_WIDGET (self));
  TrcPoint at = { self->pointer_x, self->pointer_y };

  if (self->pointer_x < 0)
    at = (TrcPoint){ w / 2, h / 2 };
  trc_canvas_stop_flight (self);
  self->fitted = FALSE;
  trc_canvas_move_camera (self, trc_camera_zoom_at (self->camera, factor, at, w, h));
}

void
trc_canvas_zoom_fit (TrcCanvas *self)
{
  if (self->picture == NULL)
    return;
  self->fitted = TRUE;
  jump (self, trc_canvas_fit_camera (self, self->picture->spec.scene));
}

static void
grow_to_hold (TrcRect *all, TrcRect one, gboolean first)
{
  double right, bottom;

  if (first)
    {
      *all = one;
      return;
    }
  right = MAX (all->x + all->w, one.x + one.w);
  bottom = MAX (all->y + all->h, one.y + one.h);
  all->x = MIN (all->x, one.x);
  all->y = MIN (all->y, one.y);
  all->w = right - all->x;
  all->h = bottom - all->y;
}

#define FIT_NEIGHBOURS 6 /* strongest ones taken into the picture */

void
trc_canvas_zoom_selection (TrcCanvas *self)
{
  TrcScene *scene = trc_canvas_get_scene (self);
  const TrcBox *boxes;
  const TrcCurve *curves;
  TrcRect all = { 0 };
  TrcCamera camera;
  double w, h;
  guint n, n_curves;

  if (scene == NULL || self->selected->len == 0)
    return;
  boxes = trc_scene_boxes (scene, &n);
  curves = trc_scene_curves (scene, &n_curves);
  for (guint i = 0; i < self->selected->len; i++)
    {
      gint32 box = g_array_index (self->selected, gint32, i);
      guint n_of;
      const guint32 *of = trc_scene_curves_of (scene, box, &n_of);

      grow_to_hold (&all, trc_box_rect (&boxes[box]), i == 0);
      for (guint k = 0; k < MIN (n_of, FIT_NEIGHBOURS); k++)
        {
          grow_to_hold (&all, trc_box_rect (&boxes[curves[of[k]].from]), FALSE);
          grow_to_hold (&all, trc_box_rect (&boxes[curves[of[k]].to]), FALSE);
        }
    }
  trc_canvas_view_size (self, &w, &h);
  camera = trc_camera_fit (all, w, h, (TrcInsets){ 90, 70, 90, 70 }, 2 * TRC_UNIT_PX);
  camera.cy += self->bottom_inset_px / (2.0 * camera.zoom);
  self->fitted = FALSE;
  jump (self, camera);
}

void
trc_canvas_go (TrcCanvas *self, gboolean forward)
{
  TrcCamera camera;

  if (forward ? trc_trail_forward (self->trail, &camera)
              : trc_trail_back (self->trail, &camera))
    {
      self->fitted = FALSE;
      trc_canvas_fly (self, camera);
    }
}

gboolean
trc_canvas_can_go (TrcCanvas *self, gboolean forward)
{
  return forward ? trc_trail_can_forward (self->trail) : trc_trail_can_back (self->trail);
}

/* ---- walking with the keyboard ---- */

/* Brings @box into view, moving no further than needed. */
static void
reveal (TrcCanvas *self, gint32 box)
{
  TrcScene *scene = trc_canvas_get_scene (self);
  guint n;
  const TrcBox *boxes = trc_scene_boxes (scene, &n);
  TrcCamera camera = trc_canvas_view_camera (self);
  double w, h, dx = 0, dy = 0;
  TrcPoint at;

  trc_canvas_view_size (self, &w, &h);
  at = trc_camera_to_view (camera, boxes[box].at, w, h);
  if (at.x < 60)
    dx = 60 - at.x;
  else if (at.x > w - 60)
    dx = w - 60 - at.x;
  if (at.y < 50)
    dy = 50 - at.y;
  else if (at.y > h - 50)
    dy = h - 50 - at.y;
  if (dx != 0 || dy != 0)
    trc_canvas_fly (self, trc_camera_pan (self->camera, dx, dy));
}

void
trc_canvas_step (TrcCanvas *self, int dx, int dy)
{
  TrcScene *scene = trc_canvas_get_scene (self);
  gint32 from = self->selected->len > 0 ? g_array_index (self->selected, gint32, 0) : -1;
  gint32 to;

  if (scene == NULL)
    return;
  to = trc_scene_step (scene, from, dx, dy);
  if (to < 0)
    return;
  trc_canvas_emit_select (self, to, FALSE);
  reveal (self, to);
}

/* The next box in reading order of the scene, round and round. */
static void
select_next (TrcCanvas *self, int by)
{
  TrcScene *scene = trc_canvas_get_scene (self);
  gint32 at = self->selected->len > 0 ? g_array_index (self->selected, gint32, 0) : -1;
  guint n;

  if (scene == NULL)
    return;
  trc_scene_boxes (scene, &n);
  if (n == 0)
    return;
  at = at < 0 ? (by > 0 ? 0 : (gint32)n - 1) : (at + by + (gint32)n) % (gint32)n;
  trc_canvas_emit_select (self, at, FALSE);
  reveal (self, at);
}

/* ---- class actions: the same for keys, menus, assistive technology ---- */

static void
on_action (GtkWidget *widget, const char *name, GVariant *parameter)
{
  TrcCanvas *self = TRC_CANVAS (widget);

  if (g_str_equal (name, "canvas.zoom-in"))
    trc_canvas_zoom (self, ZOOM_STEP);
  else if (g_str_equal (name, "canvas.zoom-out"))
    trc_canvas_zoom (self, 1 / ZOOM_STEP);
  else if (g_str_equal (name, "canvas.zoom-fit"))
    trc_canvas_zoom_fit (self);
  else if (g_str_equal (name, "canvas.zoom-selection"))
    trc_canvas_zoom_selection (self);
  else if (g_str_equal (name, "canvas.back"))
    trc_canvas_go (self, FALSE);
  else if (g_str_equal (name, "canvas.forward"))
    trc_canvas_go (self, TRUE);
  else if (g_str_equal (name, "canvas.select-next"))
    select_next (self, 1);
  else if (g_str_equal (name, "canvas.select-previous"))
    select_next (self, -1);
  else if (g_str_equal (name, "canvas.select-left"))
    trc_canvas_step (self, -1, 0);
  else if (g_str_equal (name, "canvas.select-right"))
    trc_canvas_step (self, 1, 0);
  else if (g_str_equal (name, "canvas.select-up"))
    trc_canvas_step (self, 0, -1);
  else if (g_str_equal (name, "canvas.select-down"))
    trc_canvas_step (self, 0, 1);
  else if (g_str_equal (name, "canvas.clear"))
    trc_canvas_emit_select (self, -1, FALSE);
  else if (g_str_equal (name, "canvas.activate") && self->selected->len > 0)
    trc_canvas_emit_activate (self, g_array_index (self->selected, gint32, 0));
}

void
trc_canvas_install_actions (GtkWidgetClass *klass)
{
  static const struct {
    const char *name;
    guint key;
  } actions[] = {
    { "canvas.zoom-in", GDK_KEY_plus },     { "canvas.zoom-out", GDK_KEY_minus },
    { "canvas.zoom-fit", GDK_KEY_0 },       { "canvas.zoom-selection", GDK_KEY_9 },
    { "canvas.back", GDK_KEY_VoidSymbol },  { "canvas.forward", GDK_KEY_VoidSymbol },
    { "canvas.select-next", GDK_KEY_n },    { "canvas.select-previous", GDK_KEY_b },
    { "canvas.select-left", GDK_KEY_Left }, { "canvas.select-right", GDK_KEY_Right },
    { "canvas.select-up", GDK_KEY_Up },     { "canvas.select-down", GDK_KEY_Down },
    { "canvas.activate", GDK_KEY_Return },  { "canvas.clear", GDK_KEY_Escape },
  };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      gtk_widget_class_install_action (klass, actions[i].name, NULL, on_action);
      if (actions[i].key != GDK_KEY_VoidSymbol)
        gtk_widget_class_add_binding_action (klass, actions[i].key, 0, actions[i].name, NULL);
    }
  /* Plain letters are keys of the canvas alone: elsewhere they are typed. */
  gtk_widget_class_add_binding_action (klass, GDK_KEY_r, 0, "win.rename", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_p, 0, "win.pin", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_equal, 0, "canvas.zoom-in", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_KP_Add, 0, "canvas.zoom-in", NULL);
  gtk_widget_class_add_binding_action (klass, GDK_KEY_KP_Subtract, 0, "canvas.zoom-out", NULL);
}
