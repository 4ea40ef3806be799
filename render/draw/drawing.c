/* The picture itself: rules, weave, curves, boxes. Labels are in labels.c. */
#include "render/draw/pen.h"

#include <math.h>

#define NAME_PT 10.5
#define FACT_PT 9.0
#define TOKEN_PT 9.5
#define CHIP_H 18.0 /* points: the heights that go with these sizes of text */
#define PILL_H 22.0
#define SMALL_PILL_H 17.0
#define MOST_THREADS 60000u /* of the weave; the weaker ones add nothing that is seen */
#define RULE_GAP_PX 72.0    /* between two layer rules, view units at 100 % */
#define FAR_PART 0.8        /* of its size at 100 %: labels, far out */
#define SMALLEST_PT 5.8     /* text inside boxes, far out */
#define DOT_PX 3.2          /* shapes smaller than this are dots */

void
trc_drawing_init (TrcDrawing *self, TrcPen *pen, const TrcScene *scene, const TrcCamera *camera,
                  const TrcDrawOptions *opt)
{
  *self = (TrcDrawing){
    .pen = pen,
    .painter = pen->painter,
    .scene = scene,
    .camera = *camera,
    .opt = opt,
    .theme = opt->theme,
    .stats = pen->stats,
    .zoom = camera->zoom,
    .pt = opt->unit * opt->text_scale,
    .view = trc_camera_visible (*camera, opt->w, opt->h),
  };
}

TrcPoint
trc_drawing_point (const TrcDrawing *self, TrcPoint p)
{
  return trc_camera_to_view (self->camera, p, self->opt->w, self->opt->h);
}

TrcRect
trc_drawing_rect (const TrcDrawing *self, TrcRect r)
{
  TrcPoint p = trc_drawing_point (self, (TrcPoint){ r.x, r.y });

  return (TrcRect){ p.x, p.y, r.w * self->zoom, r.h * self->zoom };
}

TrcColour
trc_drawing_sign (const TrcDrawing *self, int sign)
{
  return sign > 0 ? self->theme->raises : sign < 0 ? self->theme->lowers : self->theme->dim;
}

double
trc_drawing_text_size (const TrcDrawing *self, double points, double most)
{
  return points * self->pt * CLAMP (self->zoom / self->opt->unit, FAR_PART, most);
}

gboolean
trc_drawing_dimmed (const TrcDrawing *self, gint32 index)
{
  return self->opt->dimmed != NULL && self->opt->dimmed[index];
}

/* Mean distance of neighbouring layers in view units. */
static double
layer_pitch (const TrcDrawing *self)
{
  guint n;
  const TrcSceneRow *row = trc_scene_rows (self->scene, &n);
  double y0 = 0, y1 = 0;
  gint32 lo = G_MAXINT32, hi = G_MININT32;

  for (guint i = 0; i < n; i++)
    {
      if (row[i].ordinal < 0)
        continue;
      if (row[i].ordinal < lo)
        {
          lo = row[i].ordinal;
          y0 = row[i].y;
        }
      if (row[i].ordinal > hi)
        {
          hi = row[i].ordinal;
          y1 = row[i].y;
        }
    }
  return hi > lo ? fabs (y1 - y0) / (hi - lo) * self->zoom : RULE_GAP_PX * self->opt->unit;
}

gboolean
trc_drawing_row_shown (const TrcDrawing *self, guint index)
{
  guint n;
  const TrcSceneRow *row = trc_scene_rows (self->scene, &n);
  double pitch = MAX (1e-6, layer_pitch (self)), want = RULE_GAP_PX * self->opt->unit * 0.75;
  gint32 stride = 1;

  if (row[index].label == NULL)
    return FALSE;
  if (row[index].ordinal < 0)
    return TRUE;
  while (stride < 1024 && stride * pitch < want)
    stride *= 2;
  if (row[index].ordinal % stride != 0)
    return FALSE;
  for (guint i = 0; i < n; i++)
    if (row[i].ordinal < 0 && row[i].label != NULL
        && fabs (row[i].y - row[index].y) * self->zoom < want * 0.35)
      return FALSE;
  return TRUE;
}

static void
paint_rules (const TrcDrawing *self)
{
  guint n_rows, n_columns;
  const TrcSceneRow *row = trc_scene_rows (self->scene, &n_rows);
  const TrcSceneColumn *column = trc_scene_columns (self->scene, &n_columns);
  TrcRect bounds = trc_drawing_rect (self, trc_scene_bounds (self->scene));
  TrcPen *pen = self->pen;

  pen->klass->begin (pen, NULL, "rules", NULL);
  for (guint i = 0; i < n_rows; i++)
    {
      double y = floor (trc_drawing_point (self, (TrcPoint){ 0, row[i].y }).y) + 0.5;
      if (y < 0 || y > self->opt->h || !trc_drawing_row_shown (self, i))
        continue;
      pen->klass->line (pen, (TrcPoint){ 0, y }, (TrcPoint){ self->opt->w, y },
                        trc_colour_fade (self->theme->hairline, 0.55), 1, 0);
    }
  for (guint i = 0; i < n_columns; i++)
    {
      double x = floor (trc_drawing_point (self, (TrcPoint){ column[i].x, 0 }).x) + 0.5;
      if (x < 0 || x > self->opt->w)
        continue;
      pen->klass->line (pen, (TrcPoint){ x, MAX (0.0, bounds.y) },
                        (TrcPoint){ x, MIN (self->opt->h, bounds.y + bounds.h) },
                        trc_colour_fade (self->theme->hairline, 0.5), 1, 2);
    }
  pen->klass->end (pen);
}

/* ---- edges ---- */

static double
floor_fade (const TrcDrawing *self, const TrcCurve *curve)
{
  double fade = curve->strength < self->opt->edge_floor ? 0.12 : 1;

  if (self->opt->dimmed != NULL
      && (self->opt->dimmed[curve->from] || self->opt->dimmed[curve->to]))
    fade *= 0.2;
  return fade;
}

static void
curve_points (const TrcDrawing *self, const TrcCurve *curve, TrcPoint p[4])
{
  for (int k = 0; k < 4; k++)
    p[k] = trc_drawing_point (self, curve->p[k]);
}

static TrcRect
hull (const TrcCurve *c)
{
  double x0 = MIN (MIN (c->p[0].x, c->p[1].x), MIN (c->p[2].x, c->p[3].x));
  double x1 = MAX (MAX (c->p[0].x, c->p[1].x), MAX (c->p[2].x, c->p[3].x));
  double y0 = MIN (MIN (c->p[0].y, c->p[1].y), MIN (c->p[2].y, c->p[3].y));
  double y1 = MAX (MAX (c->p[0].y, c->p[1].y), MAX (c->p[2].y, c->p[3].y));

  return trc_rect_grow ((TrcRect){ x0, y0, x1 - x0, y1 - y0 }, c->width);
}

static void
paint_weave (const TrcDrawing *self)
{
  guint n, used = 0;
  const TrcCurve *curve = trc_scene_curves (self->scene, &n);
  guint n_weave = 0;

  while (n_weave < n && curve[n_weave].weave)
    n_weave++;
  if (n_weave == 0 || !self->opt->weave)
    return;

  /* Many threads are fainter each: the eye sees the sum. */
  double each =
      CLAMP (sqrt (700.0 / n_weave), 0.1, 1.0) * CLAMP (self->zoom / self->opt->unit, 0.4, 1.0);
  guint first = n_weave > MOST_THREADS ? n_weave - MOST_THREADS : 0;
  TrcThread *thread = g_new (TrcThread, n_weave - first);
  for (guint i = first; i < n_weave; i++)
    {
      if (!trc_rect_meets (hull (&curve[i]), self->view))
        continue;
      double load = 0.08 + 0.92 * curve[i].rank * curve[i].rank;
      curve_points (self, &curve[i], thread[used].p);
      thread[used++].load = (float)(each * load * floor_fade (self, &curve[i]));
    }
  self->pen->klass->begin (self->pen, NULL, "weave", NULL);
  self->pen->klass->threads (self->pen, thread, used, self->theme->weave, self->theme->canvas);
  self->pen->klass->end (self->pen);
  g_free (thread);
}

void
trc_paint_curve (const TrcDrawing *self, const TrcCurve *curve, double alpha, double min_width)
{
  TrcPoint p[4];
  double width = MAX (min_width * self->opt->unit, curve->width * self->zoom);
  double opacity = 0.26 + 0.62 * pow (curve->rank, 1.5);
  double dash = curve->sign < 0 && self->theme->dash_lowers ? 3 * width + 2 : 0;

  if (self->theme->contrast)
    opacity = 0.5 + opacity / 2;
  curve_points (self, curve, p);
  self->pen->klass->curve (
      self->pen, p,
      trc_colour_fade (trc_drawing_sign (self, curve->sign), MIN (1.0, opacity * alpha)),
      MAX (0.5, width), dash);
}

static gboolean
in_group (const TrcDrawing *self, gint32 box)
{
  return trc_scene_boxes (self->scene, NULL)[box].parent >= 0;
}

/* Edges of members lie above the frame that holds them, all others below. */
static void
paint_curves (const TrcDrawing *self, gboolean of_members)
{
  guint n;
  const TrcCurve *curve = trc_scene_curves (self->scene, &n);
  const TrcBox *box = trc_scene_boxes (self->scene, NULL);
  TrcPen *pen = self->pen;

  pen->klass->begin (pen, NULL, of_members ? "edges inner" : "edges", NULL);
  for (guint i = 0; i < n; i++)
    {
      gboolean inner = in_group (self, curve[i].from) || in_group (self, curve[i].to);
      if (curve[i].weave || inner != of_members
          || !trc_rect_meets (hull (&curve[i]), self->view))
        continue;
      g_autofree char *title = g_strdup_printf (
          "%s \342\206\222 %s  %+.3g",
          box[curve[i].from].label != NULL ? box[curve[i].from].label : "",
          box[curve[i].to].label != NULL ? box[curve[i].to].label : "", (double)curve[i].value);
      pen->klass->begin (pen, NULL, NULL, title);
      trc_paint_curve (self, &curve[i], floor_fade (self, &curve[i]), 0);
      pen->klass->end (pen);
    }
  pen->klass->end (pen);
}

/* ---- boxes ---- */

double
trc_paint_text (const TrcDrawing *self, const char *text, TrcPenText at, double max_w)
{
  double k = TRC_TEXT_BASE / at.size;

  at.shaped = trc_painter_shape (self->painter, text, at.weight, max_w > 0 ? max_w * k : 0,
                                 self->stats);
  self->pen->klass->text (self->pen, &at);
  return at.shaped->w / k;
}

static void
paint_small (const TrcDrawing *self, const TrcBox *box, double alpha)
{
  static const TrcMark marks[TRC_N_BOX_SHAPES] = {
    [TRC_BOX_CIRCLE] = TRC_MARK_ELLIPSE,  [TRC_BOX_DIAMOND] = TRC_MARK_DIAMOND,
    [TRC_BOX_SQUARE] = TRC_MARK_RECT,     [TRC_BOX_TRIANGLE] = TRC_MARK_TRIANGLE,
    [TRC_BOX_HEXAGON] = TRC_MARK_HEXAGON,
  };
  const TrcTheme *theme = self->theme;
  TrcRect r = trc_drawing_rect (self, trc_box_rect (box));
  TrcColour line = trc_colour_mix (theme->dim, theme->text, MIN (1.0, box->weight));
  double size = MIN (r.w, r.h), width = CLAMP (size * 0.125, 0.6, 2.4);

  if (box->style == TRC_STYLE_FAINT)
    line = theme->faint;
  else if (box->style == TRC_STYLE_STRONG)
    width *= 1.35;
  else if (box->style == TRC_STYLE_TARGET)
    line = theme->accent;

  if (size < DOT_PX)
    {
      TrcPaint dot = { .fill = trc_colour_fade (line, alpha * 0.8) };
      double half = MAX (1.2, size) / 2;
      TrcRect at = { r.x + r.w / 2 - half, r.y + r.h / 2 - half, 2 * half, 2 * half };
      self->pen->klass->mark (self->pen, TRC_MARK_RECT, at, 0, &dot);
      return;
    }

  TrcPaint paint = {
    .fill =
        trc_colour_fade (box->style == TRC_STYLE_TARGET ? theme->accent : theme->block, alpha),
    .stroke = trc_colour_fade (line, alpha),
    .width = width,
  };
  self->pen->klass->mark (self->pen, marks[box->shape], r,
                          box->shape == TRC_BOX_SQUARE ? size * 0.14 : 0, &paint);
  if (box->fill > 0)
    {
      TrcPaint core = { .fill = trc_colour_fade (line, alpha) };
      double k = 0.62 * sqrt (box->fill) / 2;
      TrcRect inner = { r.x + r.w * (0.5 - k), r.y + r.h * (0.5 - k), r.w * 2 * k,
                        r.h * 2 * k };
      self->pen->klass->mark (self->pen, marks[box->shape], inner, 0, &core);
    }
}

static void
paint_frame (const TrcDrawing *self, const TrcBox *box, double alpha)
{
  const TrcTheme *theme = self->theme;
  TrcRect r = trc_drawing_rect (self, trc_box_rect (box));
  double size = trc_drawing_text_size (self, NAME_PT, 2.5), pad = 12 * self->zoom;
  TrcPaint paint = {
    .fill = theme->opened,
    .stroke = trc_colour_fade (theme->accent, alpha),
    .width = MAX (1.0, 1.4 * self->zoom),
  };
  double y = r.y + MAX (size, 14 * self->zoom), used = 0;

  self->pen->klass->mark (self->pen, TRC_MARK_RECT, r, 9 * self->zoom, &paint);
  if (r.w < 5 * size || r.h < 2 * size)
    return;
  if (box->label != NULL)
    used = trc_paint_text (self, box->label,
                           (TrcPenText){ .x = r.x + pad,
                                         .y = y,
                                         .size = size,
                                         .align = -1,
                                         .weight = TRC_WEIGHT_BOLD,
                                         .colour = trc_colour_fade (theme->text, alpha) },
                           r.w - 2 * pad);
  size = trc_drawing_text_size (self, FACT_PT, 2.5);
  if (box->sublabel != NULL && r.w - 2 * pad - used > 6 * size)
    trc_paint_text (self, box->sublabel,
                    (TrcPenText){ .x = r.x + r.w - pad,
                                  .y = y,
                                  .size = size,
                                  .align = 1,
                                  .colour = trc_colour_fade (theme->dim, alpha) },
                    r.w - 2 * pad - used - size);
}

static TrcPaint
plate_paint (const TrcDrawing *self, const TrcBox *box, double alpha)
{
  const TrcTheme *theme = self->theme;
  TrcPaint paint = { .fill = theme->block,
                     .stroke = theme->block_line,
                     .width = CLAMP (self->zoom, 0.6, 1.6) };

  if (box->style == TRC_STYLE_TARGET)
    paint = (TrcPaint){ .fill = theme->accent };
  else if (box->shape == TRC_BOX_CHIP)
    {
      paint.fill = theme->chip;
      if (box->style != TRC_STYLE_STRONG && !theme->contrast)
        paint.stroke.a = 0;
    }
  paint.fill = trc_colour_fade (paint.fill, alpha);
  paint.stroke = trc_colour_fade (paint.stroke, alpha);
  return paint;
}

static TrcColour
plate_ink (const TrcDrawing *self, const TrcBox *box)
{
  if (box->style == TRC_STYLE_TARGET)
    return self->theme->on_accent;
  return box->style == TRC_STYLE_FAINT ? self->theme->dim : self->theme->text;
}

/* Text inside a box shrinks with the box, but not to nothing. */
static double
plate_size (const TrcDrawing *self, double points)
{
  double zoom = self->zoom / self->opt->unit;

  return self->pt * CLAMP (points * zoom, MIN (points, SMALLEST_PT), points * 8);
}

/* Chips and pills may be made larger than usual; their text grows with them. */
static double
name_points (const TrcBox *box)
{
  gboolean target = box->style == TRC_STYLE_TARGET;

  if (box->shape == TRC_BOX_CHIP)
    return TOKEN_PT * MAX (1.0, box->h / CHIP_H);
  if (box->shape == TRC_BOX_PILL)
    return target ? NAME_PT * MAX (1.0, box->h / PILL_H)
                  : FACT_PT * MAX (1.0, box->h / SMALL_PILL_H);
  return NAME_PT;
}

static gboolean
is_bold (const TrcBox *box)
{
  return box->style == TRC_STYLE_TARGET || box->style == TRC_STYLE_STRONG
         || box->shape == TRC_BOX_CARD;
}

static double
text_extent (const TrcDrawing *self, const char *text, double size, gboolean bold)
{
  return trc_painter_shape (self->painter, text, bold ? TRC_WEIGHT_BOLD : TRC_WEIGHT_NORMAL, 0,
                            self->stats)
             ->w
         * size / TRC_TEXT_BASE;
}

/* Far out a chip may take the room of its column to keep its token readable. */
static TrcRect
chip_rect (const TrcDrawing *self, const TrcBox *box, TrcRect r)
{
  double size = plate_size (self, name_points (box)), most = r.w;
  guint n;
  const TrcSceneColumn *column = trc_scene_columns (self->scene, &n);
  const TrcBox *boxes = trc_scene_boxes (self->scene, NULL);

  if (box->label == NULL || self->zoom >= self->opt->unit)
    return r;
  for (guint i = 0; i < n; i++)
    if (column[i].box >= 0 && &boxes[column[i].box] == box)
      most = MAX (most, 0.96 * column[i].w * self->zoom);
  double w = CLAMP (text_extent (self, box->label, size, TRUE) + size, r.w, most);
  double h = MAX (r.h, 1.5 * size);
  return (TrcRect){ r.x + (r.w - w) / 2, r.y + (r.h - h) / 2, w, h };
}

/* Name, and the line of facts where there is room for both. */
static void
plate_text (const TrcDrawing *self, const TrcBox *box, TrcRect r, double alpha)
{
  double name = plate_size (self, name_points (box)), fact = plate_size (self, FACT_PT);
  double room = r.w - 6 * self->zoom;
  gboolean two = box->sublabel != NULL && r.h >= 1.3 * (name + fact)
                 && text_extent (self, box->sublabel, fact, FALSE) <= 1.25 * room;
  TrcPenText at = { .x = r.x + r.w / 2,
                    .y = r.y + r.h / 2,
                    .size = name,
                    .weight = is_bold (box) ? TRC_WEIGHT_BOLD : TRC_WEIGHT_NORMAL,
                    .colour = trc_colour_fade (plate_ink (self, box), alpha) };

  if (box->label == NULL || r.h < 0.95 * name
      || room < MIN (1.6 * name, text_extent (self, box->label, name, is_bold (box))))
    return;
  if (two)
    at.y -= 0.58 * fact;
  trc_paint_text (self, box->label, at, room);
  if (!two)
    return;
  at.y += 0.58 * (fact + name) + 0.16 * fact;
  at.size = fact;
  at.weight = TRC_WEIGHT_NORMAL;
  at.colour = trc_colour_fade (
      box->style == TRC_STYLE_TARGET ? self->theme->on_accent : self->theme->dim, alpha);
  trc_paint_text (self, box->sublabel, at, room);
}

static void
paint_plate (const TrcDrawing *self, const TrcBox *box, double alpha)
{
  TrcRect r = trc_drawing_rect (self, trc_box_rect (box));
  if (box->shape == TRC_BOX_CHIP)
    r = chip_rect (self, box, r);
  double radius = box->shape == TRC_BOX_PILL   ? r.h / 2
                  : box->shape == TRC_BOX_CARD ? 7 * self->zoom
                                               : 3 * self->zoom;
  TrcPaint paint = plate_paint (self, box, alpha);

  if (box->shape == TRC_BOX_CARD && r.h > 10)
    {
      TrcRect below = { r.x, r.y + 1.4 * self->zoom, r.w, r.h };
      TrcColour shade = { 0, 0, 0, (float)(self->theme->dark ? 0.28 : 0.06) };
      TrcPaint shadow = { .fill = trc_colour_fade (shade, alpha) };
      self->pen->klass->mark (self->pen, TRC_MARK_RECT, below, radius, &shadow);
    }
  self->pen->klass->mark (self->pen, TRC_MARK_RECT, r, radius, &paint);
  plate_text (self, box, r, alpha);
}

void
trc_paint_box (const TrcDrawing *self, gint32 index)
{
  static const char *const klass[TRC_N_BOX_SHAPES] = { "feature", "error", "head",
                                                       "neuron",  "layer", "token",
                                                       "logit",   "block", "group" };
  const TrcBox *box = &trc_scene_boxes (self->scene, NULL)[index];
  double alpha = trc_drawing_dimmed (self, index) ? 0.25 : 1;
  g_autofree char *id = g_strdup_printf ("b%d", index);

  self->pen->klass->begin (self->pen, id, klass[box->shape],
                           box->tooltip != NULL ? box->tooltip : box->label);
  if (box->shape == TRC_BOX_GROUP)
    paint_frame (self, box, alpha);
  else if (box->shape == TRC_BOX_CHIP || box->shape == TRC_BOX_PILL
           || box->shape == TRC_BOX_CARD)
    paint_plate (self, box, alpha);
  else
    paint_small (self, box, alpha);
  self->pen->klass->end (self->pen);
}

static void
paint_boxes (const TrcDrawing *self, gboolean frames)
{
  guint n;
  const TrcBox *box = trc_scene_boxes (self->scene, &n);

  self->pen->klass->begin (self->pen, NULL, frames ? "groups" : "nodes", NULL);
  for (guint i = 0; i < n; i++)
    {
      if ((box[i].shape == TRC_BOX_GROUP) != frames)
        continue;
      if (!trc_rect_meets (trc_rect_grow (trc_box_rect (&box[i]), 2), self->view))
        {
          self->stats->boxes_culled++;
          continue;
        }
      trc_paint_box (self, (gint32)i);
      self->stats->boxes_drawn++;
    }
  self->pen->klass->end (self->pen);
}

void
trc_paint_scene (const TrcDrawing *self)
{
  paint_rules (self);
  paint_weave (self);
  paint_curves (self, FALSE);
  paint_boxes (self, TRUE);
  paint_curves (self, TRUE);
  paint_boxes (self, FALSE);
  if (self->opt->labels)
    trc_paint_labels (self, NULL, 0);
}
