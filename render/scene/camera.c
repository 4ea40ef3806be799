#include "render/camera.h"

#include <math.h>

TrcCamera
trc_camera_fit (TrcRect bounds, double w, double h, TrcInsets insets, double max_zoom)
{
  double free_w = MAX (1.0, w - insets.left - insets.right);
  double free_h = MAX (1.0, h - insets.top - insets.bottom);
  double zoom = CLAMP (max_zoom, TRC_ZOOM_MIN, TRC_ZOOM_MAX);

  if (bounds.w > 0)
    zoom = MIN (zoom, free_w / bounds.w);
  if (bounds.h > 0)
    zoom = MIN (zoom, free_h / bounds.h);
  zoom = MAX (zoom, TRC_ZOOM_MIN);

  /* The middle of the free area is not the middle of the view. */
  double off_x = (insets.left - insets.right) / 2, off_y = (insets.top - insets.bottom) / 2;
  return (TrcCamera){
    .cx = bounds.x + MAX (0.0, bounds.w) / 2 - off_x / zoom,
    .cy = bounds.y + MAX (0.0, bounds.h) / 2 - off_y / zoom,
    .zoom = zoom,
  };
}

TrcCamera
trc_camera_zoom_at (TrcCamera self, double factor, TrcPoint at, double w, double h)
{
  TrcPoint keep = trc_camera_to_scene (self, at, w, h);

  self.zoom = CLAMP (self.zoom * factor, TRC_ZOOM_MIN, TRC_ZOOM_MAX);
  self.cx = keep.x - (at.x - w / 2) / self.zoom;
  self.cy = keep.y - (at.y - h / 2) / self.zoom;
  return self;
}

TrcCamera
trc_camera_pan (TrcCamera self, double dx, double dy)
{
  self.cx -= dx / self.zoom;
  self.cy -= dy / self.zoom;
  return self;
}

TrcPoint
trc_camera_to_view (TrcCamera self, TrcPoint p, double w, double h)
{
  return (TrcPoint){ (p.x - self.cx) * self.zoom + w / 2, (p.y - self.cy) * self.zoom + h / 2 };
}

TrcPoint
trc_camera_to_scene (TrcCamera self, TrcPoint p, double w, double h)
{
  return (TrcPoint){ (p.x - w / 2) / self.zoom + self.cx, (p.y - h / 2) / self.zoom + self.cy };
}

TrcRect
trc_camera_visible (TrcCamera self, double w, double h)
{
  return (TrcRect){ self.cx - w / 2 / self.zoom, self.cy - h / 2 / self.zoom, w / self.zoom,
                    h / self.zoom };
}

TrcCamera
trc_camera_mix (TrcCamera a, TrcCamera b, double t)
{
  return (TrcCamera){
    .cx = a.cx + (b.cx - a.cx) * t,
    .cy = a.cy + (b.cy - a.cy) * t,
    .zoom = a.zoom * pow (b.zoom / a.zoom, t),
  };
}
