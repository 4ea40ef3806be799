#include "render/draw/pen.h"

void
trc_draw_options_init (TrcDrawOptions *self, const TrcTheme *theme, double w, double h)
{
  *self = (TrcDrawOptions){
    .w = w,
    .h = h,
    .unit = 96.0 / 72.0,
    .text_scale = 1,
    .theme = theme,
    .weave = TRUE,
    .labels = TRUE,
  };
}

TrcInsets
trc_draw_insets (const TrcScene *scene, const TrcDrawOptions *opt)
{
  double pt = opt->unit * opt->text_scale;
  guint n_rows;

  trc_scene_rows (scene, &n_rows);
  return (TrcInsets){
    .left = (n_rows > 0 ? 44 : 16) * pt, .top = 20 * pt, .right = 18 * pt, .bottom = 16 * pt
  };
}

/* A painter and a place for statistics, the caller's or ours. */
typedef struct {
  TrcPainter *painter, *own;
  TrcDrawStats here;
  TrcCairoPen pen;
  TrcDrawing drawing;
  cairo_t *cr;
} Session;

static void
session_begin (Session *s, TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
               const TrcDrawOptions *opt, cairo_t *cr)
{
  s->own = painter == NULL ? trc_painter_new (NULL) : NULL;
  s->painter = painter != NULL ? painter : s->own;
  s->here = (TrcDrawStats){ 0 };
  s->cr = cr;
  trc_painter_tidy (s->painter);
  cairo_save (cr);
  cairo_rectangle (cr, 0, 0, opt->w, opt->h);
  cairo_clip (cr);
  trc_cairo_pen_init (&s->pen, s->painter, cr, &s->here);
  trc_drawing_init (&s->drawing, &s->pen.base, scene, camera, opt);
}

static void
session_end (Session *s, TrcDrawStats *stats)
{
  cairo_restore (s->cr);
  g_clear_pointer (&s->own, trc_painter_free);
  if (stats == NULL)
    return;
  stats->boxes_drawn += s->here.boxes_drawn;
  stats->boxes_culled += s->here.boxes_culled;
  stats->curves_stroked += s->here.curves_stroked;
  stats->threads_drawn += s->here.threads_drawn;
  stats->labels_placed += s->here.labels_placed;
  stats->labels_dropped += s->here.labels_dropped;
  stats->labels_shaped += s->here.labels_shaped;
}

void
trc_draw_scene (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                const TrcDrawOptions *opt, cairo_t *cr, TrcDrawStats *stats)
{
  Session s;

  session_begin (&s, painter, scene, camera, opt, cr);
  if (opt->ground)
    {
      TrcColour c = opt->theme->canvas;
      cairo_set_source_rgba (cr, c.r, c.g, c.b, c.a);
      cairo_paint (cr);
    }
  trc_paint_scene (&s.drawing);
  session_end (&s, stats);
}

void
trc_draw_overlay (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                  const TrcDrawOptions *opt, guint parts, cairo_t *cr, TrcDrawStats *stats)
{
  Session s;

  session_begin (&s, painter, scene, camera, opt, cr);
  trc_paint_overlay (&s.drawing, parts);
  session_end (&s, stats);
}

/* ---- hover and selection ---- */

#define DEFAULT_CURVES 40

static void
add_box (GArray *list, gint32 box)
{
  for (guint i = 0; i < list->len; i++)
    if (g_array_index (list, gint32, i) == box)
      return;
  g_array_append_val (list, box);
}

static void
lift_curve (const TrcDrawing *d, guint32 index, GArray *lit)
{
  const TrcCurve *curve = &trc_scene_curves (d->scene, NULL)[index];

  trc_paint_curve (d, curve, 1.8, 1.3);
  add_box (lit, curve->from);
  add_box (lit, curve->to);
}

static void
lift_neighbours (const TrcDrawing *d, const TrcHighlight *hl, gint32 box, GArray *lit)
{
  guint n, most = hl->max_curves > 0 ? hl->max_curves : DEFAULT_CURVES;
  const guint32 *curve = trc_scene_curves_of (d->scene, box, &n);

  for (guint i = MIN (n, most); i-- > 0;) /* the strongest last, on top */
    lift_curve (d, curve[i], lit);
}

static void
ring (const TrcDrawing *d, gint32 index, double distance, double width)
{
  const TrcBox *box = &trc_scene_boxes (d->scene, NULL)[index];
  TrcRect r = trc_rect_grow (trc_drawing_rect (d, trc_box_rect (box)), distance * d->opt->unit);
  TrcPaint paint = { .stroke = d->theme->accent, .width = width * d->opt->unit };
  double radius = box->shape == TRC_BOX_PILL ? r.h / 2 : 8 * d->zoom;

  if (box->shape == TRC_BOX_CIRCLE)
    d->pen->klass->mark (d->pen, TRC_MARK_ELLIPSE, r, 0, &paint);
  else if (box->shape == TRC_BOX_DIAMOND)
    d->pen->klass->mark (d->pen, TRC_MARK_DIAMOND, trc_rect_grow (r, 1.5), 0, &paint);
  else
    d->pen->klass->mark (d->pen, TRC_MARK_RECT, r, box->shape < TRC_BOX_CHIP ? 3 : radius,
                         &paint);
}

static void
paint_highlight (const TrcDrawing *d, const TrcHighlight *hl)
{
  g_autoptr (GArray) lit = g_array_new (FALSE, FALSE, sizeof (gint32));
  guint n_boxes, n_curves;
  const TrcBox *box = trc_scene_boxes (d->scene, &n_boxes);

  trc_scene_curves (d->scene, &n_curves);
  if (hl->veil > 0)
    d->pen->klass->mark (d->pen, TRC_MARK_RECT, (TrcRect){ 0, 0, d->opt->w, d->opt->h }, 0,
                         &(TrcPaint){ .fill = trc_colour_fade (d->theme->canvas, hl->veil) });
  for (guint i = 0; i < hl->n_selected; i++)
    if (hl->selected[i] >= 0 && hl->selected[i] < (gint32)n_boxes)
      {
        lift_neighbours (d, hl, hl->selected[i], lit);
        add_box (lit, hl->selected[i]);
      }
  if (hl->hovered >= 0 && hl->hovered < (gint32)n_boxes)
    {
      lift_neighbours (d, hl, hl->hovered, lit);
      add_box (lit, hl->hovered);
    }
  if (hl->hovered_curve >= 0 && hl->hovered_curve < (gint32)n_curves)
    lift_curve (d, (guint32)hl->hovered_curve, lit);

  for (guint i = 0; i < lit->len; i++)
    {
      gint32 index = g_array_index (lit, gint32, i);
      if (box[index].shape != TRC_BOX_GROUP)
        trc_paint_box (d, index);
    }
  for (guint i = 0; i < hl->n_selected; i++)
    if (hl->selected[i] >= 0 && hl->selected[i] < (gint32)n_boxes)
      ring (d, hl->selected[i], 2.0, 1.8);
  if (hl->hovered >= 0 && hl->hovered < (gint32)n_boxes)
    ring (d, hl->hovered, 1.2, 1.4);
  if (hl->focus_ring && hl->n_selected > 0 && hl->selected[0] >= 0
      && hl->selected[0] < (gint32)n_boxes)
    ring (d, hl->selected[0], 5.0, 1.0);
  if (lit->len > 0 && d->opt->labels)
    trc_paint_labels (d, (const gint32 *)lit->data, lit->len);
}

void
trc_draw_highlight (TrcPainter *painter, const TrcScene *scene, const TrcCamera *camera,
                    const TrcDrawOptions *opt, const TrcHighlight *hl, cairo_t *cr,
                    TrcDrawStats *stats)
{
  Session s;

  if (hl->hovered < 0 && hl->hovered_curve < 0 && hl->n_selected == 0)
    return;
  session_begin (&s, painter, scene, camera, opt, cr);
  paint_highlight (&s.drawing, hl);
  session_end (&s, stats);
}

/* ---- minimap ---- */

static TrcCamera
minimap_camera (const TrcScene *scene, TrcRect area)
{
  return trc_camera_fit (trc_scene_bounds (scene), area.w, area.h, (TrcInsets){ 6, 6, 6, 6 },
                         TRC_ZOOM_MAX);
}

TrcPoint
trc_minimap_to_scene (const TrcScene *scene, TrcRect area, TrcPoint at)
{
  TrcPoint inside = { at.x - area.x, at.y - area.y };

  return trc_camera_to_scene (minimap_camera (scene, area), inside, area.w, area.h);
}

static void
map_box (cairo_t *cr, const TrcTheme *theme, const TrcBox *box, TrcPoint at, double zoom)
{
  TrcColour c = box->style == TRC_STYLE_TARGET  ? theme->accent
                : box->style == TRC_STYLE_FAINT ? theme->hairline
                                                : theme->faint;
  double w = MAX (2.0, box->w * zoom), h = MAX (2.0, box->h * zoom);

  cairo_set_source_rgba (cr, c.r, c.g, c.b, box->shape == TRC_BOX_GROUP ? 0.3 : 0.9);
  cairo_rectangle (cr, at.x - w / 2, at.y - h / 2, w, h);
  cairo_fill (cr);
}

void
trc_draw_minimap (const TrcScene *scene, const TrcCamera *camera, const TrcDrawOptions *opt,
                  TrcRect area, cairo_t *cr)
{
  const TrcTheme *theme = opt->theme;
  TrcCamera map = minimap_camera (scene, area);
  TrcRect seen = trc_camera_visible (*camera, opt->w, opt->h);
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);

  cairo_save (cr);
  cairo_rectangle (cr, area.x, area.y, area.w, area.h);
  cairo_set_source_rgba (cr, theme->pane.r, theme->pane.g, theme->pane.b, 0.92);
  cairo_fill_preserve (cr);
  cairo_set_source_rgba (cr, theme->hairline.r, theme->hairline.g, theme->hairline.b, 1);
  cairo_set_line_width (cr, 1);
  cairo_stroke_preserve (cr);
  cairo_clip (cr);
  cairo_translate (cr, area.x, area.y);
  for (guint i = 0; i < n; i++)
    map_box (cr, theme, &box[i], trc_camera_to_view (map, box[i].at, area.w, area.h), map.zoom);

  TrcPoint p = trc_camera_to_view (map, (TrcPoint){ seen.x, seen.y }, area.w, area.h);
  cairo_set_source_rgba (cr, theme->accent.r, theme->accent.g, theme->accent.b, 1);
  cairo_set_line_width (cr, 1.5);
  cairo_rectangle (cr, p.x, p.y, seen.w * map.zoom, seen.h * map.zoom);
  cairo_stroke (cr);
  cairo_restore (cr);
}
