/* Pointer, wheel and touch on the canvas, and what hovering says. */
#define G_LOG_DOMAIN "tracery-ui"

#include "ui/canvas/canvas_private.h"

#include <glib/gi18n.h>
#include <math.h>

#define REACH_PX 8
#define REACH_CURVE_PX 5
#define DRAG_PX 4
#define WHEEL_FACTOR 1.2
#define KEY_PAN_PX 80

static TrcPoint
to_scene (TrcCanvas *self, double x, double y)
{
  return trc_camera_to_scene (self->camera, (TrcPoint){ x, y },
                              gtk_widget_get_width (GTK_WIDGET (self)),
                              gtk_widget_get_height (GTK_WIDGET (self)));
}

static gint32
pick (TrcCanvas *self, double x, double y)
{
  if (self->picture == NULL)
    return -1;
  return trc_scene_pick (self->picture->spec.scene, to_scene (self, x, y),
                         REACH_PX / self->camera.zoom);
}

/* ---- hover ---- */

static char *
curve_words (TrcScene *scene, gint32 index)
{
  guint n;
  const TrcCurve *curve = &trc_scene_curves (scene, &n)[index];
  const TrcBox *boxes = trc_scene_boxes (scene, &n);
  const char *from = boxes[curve->from].label;
  const char *to = boxes[curve->to].label;

  return g_strdup_printf (_ ("%s → %s\n%s by %.4g · %.1f %% of its input"),
                          from != NULL ? from : "", to != NULL ? to : "",
                          curve->sign < 0 ? _ ("lowers") : _ ("raises"), fabs (curve->value),
                          100.0 * curve->strength);
}

static char *
box_words (const TrcBox *box)
{
  if (box->tooltip != NULL)
    return g_strdup (box->tooltip);
  if (box->label != NULL && box->sublabel != NULL)
    return g_strdup_printf ("%s\n%s", box->label, box->sublabel);
  return g_strdup (box->label);
}

void
trc_canvas_update_tip (TrcCanvas *self)
{
  g_autofree char *words = NULL;
  TrcScene *scene = trc_canvas_get_scene (self);
  guint n;

  if (scene != NULL && !self->dragging && self->pointer_x >= 0)
    {
      if (self->hovered >= 0)
        words = box_words (&trc_scene_boxes (scene, &n)[self->hovered]);
      else if (self->hovered_curve >= 0)
        words = curve_words (scene, self->hovered_curve);
    }
  if (words != NULL)
    gtk_label_set_text (GTK_LABEL (self->tip), words);
  gtk_widget_set_visible (self->tip, words != NULL);
  if (words != NULL)
    gtk_widget_queue_allocate (GTK_WIDGET (self));
}

void
trc_canvas_update_hover (TrcCanvas *self)
{
  gint32 box = -1, curve = -1;

  if (self->pointer_x >= 0 && self->picture != NULL && !self->dragging)
    {
      box = pick (self, self->pointer_x, self->pointer_y);
      if (box < 0)
        curve = trc_scene_pick_curve (self->picture->spec.scene,
                                      to_scene (self, self->pointer_x, self->pointer_y),
                                      REACH_CURVE_PX / self->camera.zoom, FALSE);
    }
  if (box == self->hovered && curve == self->hovered_curve)
    return;
  self->hovered = box;
  self->hovered_curve = curve;
  gtk_widget_set_cursor_from_name (GTK_WIDGET (self), box >= 0 ? "pointer" : NULL);
  trc_canvas_update_tip (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
on_motion (GtkEventControllerMotion *motion, double x, double y, TrcCanvas *self)
{
  self->pointer_x = x;
  self->pointer_y = y;
  trc_canvas_update_hover (self);
  if (gtk_widget_get_visible (self->tip))
    gtk_widget_queue_allocate (GTK_WIDGET (self));
}

static void
on_leave (GtkEventControllerMotion *motion, TrcCanvas *self)
{
  self->pointer_x = self->pointer_y = -1;
  trc_canvas_update_hover (self);
}

/* ---- wheel, touchpad, pinch ---- */

static gboolean
on_scroll (GtkEventControllerScroll *scroll, double dx, double dy, TrcCanvas *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (scroll));
  gboolean wheel = gtk_event_controller_scroll_get_unit (scroll) == GDK_SCROLL_UNIT_WHEEL;

  if (wheel && (state & GDK_SHIFT_MASK) == 0)
    trc_canvas_zoom (self, pow (WHEEL_FACTOR, -dy));
  else if ((state & GDK_CONTROL_MASK) != 0)
    trc_canvas_zoom (self, exp (-dy / 100));
  else
    {
      double by = wheel ? KEY_PAN_PX : 1;

      if (wheel && dx == 0)
        {
          dx = dy;
          dy = 0;
        }
      trc_canvas_stop_flight (self);
      self->fitted = FALSE;
      trc_canvas_move_camera (self, trc_camera_pan (self->camera, -dx * by, -dy * by));
    }
  return GDK_EVENT_STOP;
}

static void
on_pinch_begin (GtkGesture *gesture, GdkEventSequence *sequence, TrcCanvas *self)
{
  self->pinch_zoom = 1;
}

static void
on_pinch (GtkGestureZoom *gesture, double scale, TrcCanvas *self)
{
  double x, y;

  if (gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, &y))
    {
      self->pointer_x = x;
      self->pointer_y = y;
    }
  trc_canvas_zoom (self, scale / self->pinch_zoom);
  self->pinch_zoom = scale;
}

/* ---- drag and click ---- */

static void
go_to_minimap (TrcCanvas *self, TrcRect area, double x, double y)
{
  TrcCamera camera = self->camera;
  TrcPoint at = trc_minimap_to_scene (self->picture->spec.scene, area, (TrcPoint){ x, y });

  camera.cx = at.x;
  camera.cy = at.y;
  self->fitted = FALSE;
  trc_canvas_move_camera (self, camera);
}

static void
on_drag_begin (GtkGestureDrag *gesture, double x, double y, TrcCanvas *self)
{
  TrcRect area;

  gtk_widget_grab_focus (GTK_WIDGET (self));
  trc_canvas_stop_flight (self);
  self->drag_x = x;
  self->drag_y = y;
  self->drag_camera = self->camera;
  self->dragging = FALSE;
  self->drag_minimap =
      trc_canvas_minimap_area (self, &area) && trc_rect_holds (area, (TrcPoint){ x, y });
  if (self->drag_minimap)
    go_to_minimap (self, area, x, y);
}

static void
on_drag_update (GtkGestureDrag *gesture, double dx, double dy, TrcCanvas *self)
{
  TrcRect area;

  if (self->drag_minimap)
    {
      trc_canvas_minimap_area (self, &area);
      go_to_minimap (self, area, self->drag_x + dx, self->drag_y + dy);
      return;
    }
  if (!self->dragging && hypot (dx, dy) < DRAG_PX)
    return;
  if (!self->dragging)
    {
      self->dragging = TRUE;
      gtk_widget_set_cursor_from_name (GTK_WIDGET (self), "grabbing");
      trc_canvas_update_tip (self);
    }
  self->fitted = FALSE;
  trc_canvas_move_camera (self, trc_camera_pan (self->drag_camera, dx, dy));
}

static void
on_drag_end (GtkGestureDrag *gesture, double dx, double dy, TrcCanvas *self)
{
  if (self->dragging)
    gtk_widget_set_cursor_from_name (GTK_WIDGET (self), NULL);
  self->dragging = FALSE;
  self->drag_minimap = FALSE;
  trc_canvas_update_hover (self);
}

static void
on_released (GtkGestureClick *gesture, int n_press, double x, double y, TrcCanvas *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (gesture));
  gint32 box;
  TrcRect area;

  if (self->dragging || hypot (x - self->drag_x, y - self->drag_y) >= DRAG_PX
      || (trc_canvas_minimap_area (self, &area) && trc_rect_holds (area, (TrcPoint){ x, y })))
    return;
  box = pick (self, x, y);
  if (n_press == 2)
    trc_canvas_emit_activate (self, box);
  else if (n_press == 1)
    trc_canvas_emit_select (self, box, (state & GDK_CONTROL_MASK) != 0);
}

static gboolean
on_key (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType state,
        TrcCanvas *self)
{
  double dx = key == GDK_KEY_Left ? 1 : key == GDK_KEY_Right ? -1 : 0;
  double dy = key == GDK_KEY_Up ? 1 : key == GDK_KEY_Down ? -1 : 0;

  if ((state & GDK_SHIFT_MASK) == 0 || (dx == 0 && dy == 0))
    return GDK_EVENT_PROPAGATE;
  self->fitted = FALSE;
  trc_canvas_move_camera (self,
                          trc_camera_pan (self->camera, dx * KEY_PAN_PX, dy * KEY_PAN_PX));
  return GDK_EVENT_STOP;
}

static void
add_drag (TrcCanvas *self, guint button)
{
  GtkGesture *drag = gtk_gesture_drag_new ();

  gtk_gesture_single_set_button (GTK_GESTURE_SINGLE (drag), button);
  g_signal_connect (drag, "drag-begin", G_CALLBACK (on_drag_begin), self);
  g_signal_connect (drag, "drag-update", G_CALLBACK (on_drag_update), self);
  g_signal_connect (drag, "drag-end", G_CALLBACK (on_drag_end), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drag));
}

void
trc_canvas_init_input (TrcCanvas *self)
{
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll =
      gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkGesture *click = gtk_gesture_click_new ();
  GtkGesture *pinch = gtk_gesture_zoom_new ();

  g_signal_connect (motion, "enter", G_CALLBACK (on_motion), self);
  g_signal_connect (motion, "motion", G_CALLBACK (on_motion), self);
  g_signal_connect (motion, "leave", G_CALLBACK (on_leave), self);
  g_signal_connect (scroll, "scroll", G_CALLBACK (on_scroll), self);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key), self);
  g_signal_connect (click, "released", G_CALLBACK (on_released), self);
  g_signal_connect (pinch, "begin", G_CALLBACK (on_pinch_begin), self);
  g_signal_connect (pinch, "scale-changed", G_CALLBACK (on_pinch), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), scroll);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (pinch));
  add_drag (self, GDK_BUTTON_PRIMARY);
  add_drag (self, GDK_BUTTON_MIDDLE);
}
