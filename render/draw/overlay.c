/* What stays in place while the picture moves: layer labels, tokens, legend, scores. */
#include "render/draw/pen.h"

#include <math.h>
#include <string.h>

#define SMALL_PT 9.0
#define TOKEN_PT 9.5
#define INSET_PT 10.0
#define CHIP_H_PT 18.0

static TrcPenText
text_at (const TrcDrawing *d, double x, double y, int align, TrcColour colour)
{
  return (
      TrcPenText){ .x = x, .y = y, .size = SMALL_PT * d->pt, .align = align, .colour = colour };
}

static double
text_width (const TrcDrawing *d, const char *text, double points)
{
  return trc_painter_shape (d->painter, text, TRC_WEIGHT_NORMAL, 0, d->stats)->w * points
         * d->pt / TRC_TEXT_BASE;
}

/* Layer labels keep clear of the panels in the corner, which end at @top. */
static void
paint_row_labels (const TrcDrawing *d, double top)
{
  guint n;
  const TrcSceneRow *row = trc_scene_rows (d->scene, &n);
  double h = SMALL_PT * 1.4 * d->pt;

  for (guint i = 0; i < n; i++)
    {
      double y = trc_drawing_point (d, (TrcPoint){ 0, row[i].y }).y;
      if (y < MAX (h / 2, top) || y > d->opt->h - h / 2 || !trc_drawing_row_shown (d, i))
        continue;
      TrcPaint ground = { .fill =
                              trc_colour_fade (d->theme->canvas, d->opt->ground ? 0.9 : 0.0) };
      double w = text_width (d, row[i].label, SMALL_PT);
      TrcRect r = { 0, y - h / 2, INSET_PT * d->opt->unit + w + 4 * d->opt->unit, h };
      d->pen->klass->mark (d->pen, TRC_MARK_RECT, r, 0, &ground);
      trc_paint_text (d, row[i].label,
                      text_at (d, INSET_PT * d->opt->unit, y, -1, d->theme->faint), 0);
    }
}

/* ---- tokens pinned to the lower edge ---- */

/* TRUE when the chips of the scene are to be seen where they stand. */
static gboolean
chips_in_view (const TrcDrawing *d)
{
  guint n;
  const TrcSceneColumn *column = trc_scene_columns (d->scene, &n);
  const TrcBox *box = trc_scene_boxes (d->scene, NULL);

  for (guint i = 0; i < n; i++)
    if (column[i].box >= 0)
      {
        double y = trc_drawing_point (d, box[column[i].box].at).y;
        double half = box[column[i].box].h / 2 * d->zoom;
        return y + half * 0.4 < d->opt->h && half * 2 >= 0.5 * SMALL_PT * d->pt;
      }
  return FALSE;
}

static void
paint_pinned_chip (const TrcDrawing *d, const TrcSceneColumn *column, double x, double y,
                   double room)
{
  const TrcTheme *theme = d->theme;
  double pad = 8 * d->pt, w = MIN (text_width (d, column->label, TOKEN_PT) + 2 * pad, room);
  TrcRect r = { x - w / 2, y - CHIP_H_PT * d->pt / 2, w, CHIP_H_PT * d->pt };
  TrcPaint paint = { .fill = theme->chip,
                     .stroke = trc_colour_fade (theme->block_line, column->active ? 1 : 0),
                     .width = 1 };
  TrcPenText at = text_at (d, x, y, 0, column->active ? theme->text : theme->dim);

  if (w < 10 * d->pt)
    return;
  at.size = TOKEN_PT * d->pt;
  at.weight = column->active ? TRC_WEIGHT_BOLD : TRC_WEIGHT_NORMAL;
  d->pen->klass->mark (d->pen, TRC_MARK_RECT, r, 3 * d->pt, &paint);
  trc_paint_text (d, column->label, at, w - pad);
}

static void
paint_pinned_tokens (const TrcDrawing *d)
{
  guint n;
  const TrcSceneColumn *column = trc_scene_columns (d->scene, &n);
  double band = (CHIP_H_PT + 12) * d->pt, y = d->opt->h - band / 2;
  TrcPaint ground = { .fill = trc_colour_fade (d->theme->canvas, 0.94) };

  if (n == 0 || chips_in_view (d))
    return;
  d->pen->klass->mark (d->pen, TRC_MARK_RECT, (TrcRect){ 0, d->opt->h - band, d->opt->w, band },
                       0, &ground);
  d->pen->klass->line (d->pen, (TrcPoint){ 0, floor (d->opt->h - band) + 0.5 },
                       (TrcPoint){ d->opt->w, floor (d->opt->h - band) + 0.5 },
                       d->theme->hairline, 1, 0);
  for (guint i = 0; i < n; i++)
    {
      double x = trc_drawing_point (d, (TrcPoint){ column[i].x, 0 }).x;
      double w = column[i].w * d->zoom;
      if (column[i].label == NULL || x + w / 2 < 0 || x - w / 2 > d->opt->w)
        continue;
      /* a column wider than the view keeps its token in sight */
      double left = MAX (x - w / 2, 0), right = MIN (x + w / 2, d->opt->w);
      if (x < 0 || x > d->opt->w)
        x = (left + right) / 2;
      paint_pinned_chip (d, &column[i], x, y, right - left - 3 * d->pt);
    }
}

/* ---- legend ---- */

static double
paint_key (const TrcDrawing *d, const TrcLegendEntry *entry, double x, double y)
{
  double pt = d->pt;

  if (entry->curve)
    {
      TrcPoint p[4] = { { x, y }, { x + 7 * pt, y }, { x + 14 * pt, y }, { x + 20 * pt, y } };
      d->pen->klass->line (d->pen, p[0], p[3], trc_drawing_sign (d, entry->sign), 2.6 * pt,
                           entry->sign < 0 && d->theme->dash_lowers ? 4 * pt : 0);
      return 20 * pt;
    }

  static const TrcMark marks[TRC_N_BOX_SHAPES] = {
    [TRC_BOX_CIRCLE] = TRC_MARK_ELLIPSE,  [TRC_BOX_DIAMOND] = TRC_MARK_DIAMOND,
    [TRC_BOX_SQUARE] = TRC_MARK_RECT,     [TRC_BOX_TRIANGLE] = TRC_MARK_TRIANGLE,
    [TRC_BOX_HEXAGON] = TRC_MARK_HEXAGON, [TRC_BOX_CHIP] = TRC_MARK_RECT,
    [TRC_BOX_PILL] = TRC_MARK_RECT,       [TRC_BOX_CARD] = TRC_MARK_RECT,
    [TRC_BOX_GROUP] = TRC_MARK_RECT,
  };
  gboolean wide = entry->shape >= TRC_BOX_CHIP;
  double w = (wide ? 14 : 7.5) * pt, h = (wide ? 8.5 : 7.5) * pt;
  gboolean target = entry->style == TRC_STYLE_TARGET;
  TrcPaint paint = {
    .fill = target                         ? d->theme->accent
            : entry->shape == TRC_BOX_CHIP ? d->theme->chip
                                           : d->theme->block,
    .stroke = target                            ? (TrcColour){ 0 }
              : entry->style == TRC_STYLE_FAINT ? d->theme->faint
              : wide                            ? d->theme->block_line
                                                : d->theme->text,
    .width = 1.1 * d->opt->unit,
  };
  double radius = entry->shape == TRC_BOX_PILL ? h / 2 : wide ? 2.5 * pt : 1 * pt;
  d->pen->klass->mark (d->pen, marks[entry->shape], (TrcRect){ x, y - h / 2, w, h }, radius,
                       &paint);
  return w;
}

static double
key_width (const TrcDrawing *d, const TrcLegendEntry *entry)
{
  return (entry->curve ? 20 : entry->shape >= TRC_BOX_CHIP ? 14 : 7.5) * d->pt;
}

double
trc_paint_legend (const TrcDrawing *d, double x, double y, double max_w, gboolean draw,
                  double *used_w)
{
  guint n;
  const TrcLegendEntry *entry = trc_scene_legend (d->scene, &n);
  double line_h = 16 * d->pt, at = 0, gap = 14 * d->pt, line = 0, widest = 0;

  for (guint i = 0; i < n; i++)
    {
      const char *label = entry[i].label != NULL ? entry[i].label : "";
      double w = key_width (d, &entry[i]) + 5 * d->pt + text_width (d, label, SMALL_PT);
      gboolean turn = i > 0 && entry[i - 1].curve && !entry[i].curve && max_w < 260 * d->pt;
      if (at > 0 && (at + w > max_w || turn))
        {
          at = 0;
          line++;
        }
      if (draw)
        {
          double mid = y + (line + 0.5) * line_h;
          double key = paint_key (d, &entry[i], x + at, mid);
          trc_paint_text (d, label,
                          text_at (d, x + at + key + 5 * d->pt, mid, -1, d->theme->dim), 0);
        }
      at += w + gap;
      widest = MAX (widest, at - gap);
    }
  if (used_w != NULL)
    *used_w = widest;
  return n > 0 ? (line + 1) * line_h : 0;
}

static void
paint_panel (const TrcDrawing *d, TrcRect r)
{
  TrcPaint paint = { .fill = trc_colour_fade (d->theme->pane, 0.92),
                     .stroke = d->theme->hairline,
                     .width = 1 };

  r = (TrcRect){ floor (r.x) + 0.5, floor (r.y) + 0.5, ceil (r.w), ceil (r.h) };
  d->pen->klass->mark (d->pen, TRC_MARK_RECT, r, 4 * d->opt->unit, &paint);
}

/* Returns where the panels end. */
static double
paint_corner (const TrcDrawing *d, guint parts)
{
  double inset = INSET_PT * d->opt->unit, pad = 9 * d->pt, y = inset;
  const char *chip = trc_scene_chip (d->scene);
  guint n_legend;

  trc_scene_legend (d->scene, &n_legend);
  if ((parts & TRC_OVERLAY_SCORES) && chip != NULL)
    {
      double w = text_width (d, chip, SMALL_PT), h = 20 * d->pt;
      paint_panel (d, (TrcRect){ inset, y, w + 2 * pad, h });
      trc_paint_text (d, chip, text_at (d, inset + pad, y + h / 2, -1, d->theme->dim), 0);
      y += h + 6 * d->pt;
    }
  if ((parts & TRC_OVERLAY_LEGEND) && n_legend > 0)
    {
      double used, h = trc_paint_legend (d, 0, 0, 165 * d->pt, FALSE, &used);
      paint_panel (d, (TrcRect){ inset, y, used + 2 * pad, h + pad });
      trc_paint_legend (d, inset + pad, y + pad / 2, 165 * d->pt, TRUE, NULL);
      y += h + pad + 6 * d->pt;
    }
  return y > inset ? y : 0;
}

void
trc_paint_overlay (const TrcDrawing *d, guint parts)
{
  d->pen->klass->begin (d->pen, NULL, "overlay", NULL);
  double top = paint_corner (d, parts);
  if (parts & TRC_OVERLAY_ROWS)
    paint_row_labels (d, top);
  if (parts & TRC_OVERLAY_TOKENS)
    paint_pinned_tokens (d);
  d->pen->klass->end (d->pen);
}
