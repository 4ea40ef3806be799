#include "render/page.h"
#include "render/svg/pen_svg.h"

#include <math.h>
#include <string.h>

#define MARGIN 14.0
#define TITLE_PT 13.0
#define FACTS_PT 9.0
#define CAPTION_PT 9.0
#define CAPTION_LINE 13.0
#define LEGEND_GAP 8.0
#define LEAST_OWN 420.0 /* points: the narrowest page that nobody asked for */
#define LEAST 40.0      /* points: the smallest side of a page */
#define MOST 14400.0    /* the largest that PDF viewers take */

void
trc_page_init (TrcPage *self, const TrcTheme *theme)
{
  *self = (TrcPage){ .theme = theme, .title = TRUE, .legend = TRUE };
}

/* Where the parts of a page are. */
typedef struct {
  double w, h;
  TrcRect picture;
  double title_y, facts_y, scores_y; /* middles, 0 when absent */
  double legend_y, caption_y;
  GPtrArray *caption; /* wrapped lines */
} Plan;

/* Breaks at spaces so that no line is wider than @w; a word too long stays whole
 * and is cut when drawn. */
static GPtrArray *
wrap (TrcPainter *painter, const char *text, double w, TrcDrawStats *stats)
{
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) words = g_strsplit_set (text, " \n\t", -1);
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = 0; words[i] != NULL; i++)
    {
      if (*words[i] == '\0')
        continue;
      g_autofree char *tried =
          line->len > 0 ? g_strconcat (line->str, " ", words[i], NULL) : g_strdup (words[i]);
      double width = trc_painter_shape (painter, tried, TRC_WEIGHT_NORMAL, 0, stats)->w;
      if (line->len > 0 && width * CAPTION_PT / TRC_TEXT_BASE > w)
        {
          g_ptr_array_add (lines, g_strdup (line->str));
          g_string_assign (line, words[i]);
        }
      else
        g_string_assign (line, tried);
    }
  if (line->len > 0)
    g_ptr_array_add (lines, g_strdup (line->str));
  return lines;
}

static TrcDrawOptions
options_of (const TrcPage *page, double w, double h)
{
  TrcDrawOptions opt;

  trc_draw_options_init (&opt, page->theme, w, h);
  opt.unit = 1;
  opt.ground = !page->transparent;
  return opt;
}

/* Facts and scores in one line where there is room. */
static char *
facts_line (const TrcScene *scene)
{
  const char *scores = trc_scene_chip (scene);

  return scores != NULL ? g_strconcat (trc_scene_facts (scene), "  \302\267  ", scores, NULL)
                        : g_strdup (trc_scene_facts (scene));
}

static gboolean
fits_one_line (TrcPen *pen, const TrcScene *scene, double w)
{
  g_autofree char *line = facts_line (scene);
  const TrcShaped *shaped =
      trc_painter_shape (pen->painter, line, TRC_WEIGHT_NORMAL, 0, pen->stats);

  return trc_scene_chip (scene) == NULL || shaped->w * FACTS_PT / TRC_TEXT_BASE <= w;
}

/* Heights above and below the picture for a page of width @w. */
static void
plan_bands (const TrcPage *page, const TrcScene *scene, TrcPen *pen, double w, Plan *plan,
            double *above, double *below)
{
  double y = MARGIN;

  if (page->title && trc_scene_title (scene) != NULL)
    {
      plan->title_y = y + TITLE_PT * 0.65;
      y += TITLE_PT * 1.4;
    }
  if (page->title && trc_scene_facts (scene) != NULL)
    {
      plan->facts_y = y + FACTS_PT * 0.7;
      y += FACTS_PT * 1.5;
      if (!fits_one_line (pen, scene, w - 2 * MARGIN))
        {
          plan->scores_y = y + FACTS_PT * 0.7;
          y += FACTS_PT * 1.5;
        }
    }
  *above = y + (y > MARGIN ? 4 : 0);

  double under = MARGIN;
  if (page->caption != NULL && *page->caption != '\0')
    {
      g_autofree char *valid = g_utf8_make_valid (page->caption, -1);
      plan->caption = wrap (pen->painter, valid, MAX (LEAST, w - 2 * MARGIN), pen->stats);
      under += plan->caption->len * CAPTION_LINE;
      plan->caption_y = under; /* from the lower edge of the page */
      under += 4;
    }
  if (page->legend)
    {
      TrcDrawOptions opt = options_of (page, w, 100);
      TrcCamera camera = { 0, 0, 1 };
      TrcDrawing drawing;
      trc_drawing_init (&drawing, pen, scene, &camera, &opt);
      double h = trc_paint_legend (&drawing, 0, 0, w - 2 * MARGIN, FALSE, NULL);
      if (h > 0)
        {
          under += h;
          plan->legend_y = under;
          under += LEGEND_GAP;
        }
    }
  *below = under;
}

static void
plan_clear (Plan *plan)
{
  g_clear_pointer (&plan->caption, g_ptr_array_unref);
}

static TrcInsets
picture_insets (const TrcPage *page, const TrcScene *scene)
{
  TrcDrawOptions opt = options_of (page, 100, 100);
  TrcInsets insets = trc_draw_insets (scene, &opt);

  insets.top = insets.bottom = 10;
  insets.right = 14;
  return insets;
}

static void
plan_page (const TrcPage *page, const TrcScene *scene, TrcPen *pen, Plan *plan)
{
  TrcRect bounds = trc_scene_bounds (scene);
  TrcInsets in = picture_insets (page, scene);
  double natural_w = MAX (LEAST, bounds.w + in.left + in.right), above, below;
  double natural_h = MAX (LEAST, bounds.h + in.top + in.bottom);

  *plan = (Plan){ 0 };
  plan->w = page->w > 0 ? page->w : 0;
  if (plan->w <= 0 && page->h > 0)
    plan->w = natural_w * page->h / (natural_h + 60);
  if (plan->w <= 0)
    plan->w = MAX (natural_w, LEAST_OWN);
  plan->w = CLAMP (plan->w, LEAST, MOST);

  plan_bands (page, scene, pen, plan->w, plan, &above, &below);
  plan->h = page->h > 0 ? page->h : natural_h * MIN (1.0, plan->w / natural_w) + above + below;
  plan->h = CLAMP (plan->h, LEAST, MOST);
  plan->picture = (TrcRect){ 0, above, plan->w, MAX (10.0, plan->h - above - below) };
}

static void
paint_words (const TrcPage *page, const TrcScene *scene, const TrcDrawing *d, const Plan *plan)
{
  const TrcTheme *theme = page->theme;
  double room = plan->w - 2 * MARGIN;

  if (plan->title_y > 0)
    trc_paint_text (d, trc_scene_title (scene),
                    (TrcPenText){ .x = MARGIN,
                                  .y = plan->title_y,
                                  .size = TITLE_PT,
                                  .align = -1,
                                  .weight = TRC_WEIGHT_BOLD,
                                  .colour = theme->text },
                    room);
  TrcPenText small = {
    .x = MARGIN, .y = plan->facts_y, .size = FACTS_PT, .align = -1, .colour = theme->dim
  };
  if (plan->facts_y > 0)
    {
      g_autofree char *line =
          plan->scores_y > 0 ? g_strdup (trc_scene_facts (scene)) : facts_line (scene);
      trc_paint_text (d, line, small, room);
    }
  small.y = plan->scores_y;
  if (plan->scores_y > 0)
    trc_paint_text (d, trc_scene_chip (scene), small, room);
  if (plan->legend_y > 0)
    trc_paint_legend (d, MARGIN, plan->h - plan->legend_y, room, TRUE, NULL);
  for (guint i = 0; plan->caption != NULL && i < plan->caption->len; i++)
    trc_paint_text (d, plan->caption->pdata[i],
                    (TrcPenText){ .x = MARGIN,
                                  .y = plan->h - plan->caption_y + (i + 0.5) * CAPTION_LINE,
                                  .size = CAPTION_PT,
                                  .align = -1,
                                  .colour = theme->text },
                    room);
}

/* The picture is drawn with its own origin; pens know no translation, so it goes
 * into the camera: a view as large as the page whose middle is moved. */
static void
paint_page (const TrcPage *page, const TrcScene *scene, TrcPen *pen, const Plan *plan)
{
  TrcDrawOptions opt = options_of (page, plan->w, plan->h);
  TrcInsets in = picture_insets (page, scene);
  TrcDrawing drawing;

  in.top += plan->picture.y;
  in.bottom += plan->h - plan->picture.y - plan->picture.h;
  TrcCamera camera = trc_camera_fit (trc_scene_bounds (scene), plan->w, plan->h, in, 1.0);
  trc_drawing_init (&drawing, pen, scene, &camera, &opt);
  trc_paint_scene (&drawing);
  trc_paint_overlay (&drawing, TRC_OVERLAY_ROWS);
  pen->klass->begin (pen, NULL, "words", NULL);
  paint_words (page, scene, &drawing, plan);
  pen->klass->end (pen);
}

void
trc_page_measure (const TrcPage *self, const TrcScene *scene, double *w, double *h)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (self->font);
  TrcDrawStats stats = { 0 };
  TrcPen pen = { NULL, painter, &stats };
  Plan plan;

  plan_page (self, scene, &pen, &plan);
  *w = plan.w;
  *h = plan.h;
  plan_clear (&plan);
}

void
trc_page_draw (const TrcPage *self, const TrcScene *scene, cairo_t *cr, TrcDrawStats *stats)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (self->font);
  TrcDrawStats none = { 0 };
  TrcCairoPen pen;
  Plan plan;

  trc_cairo_pen_init (&pen, painter, cr, stats != NULL ? stats : &none);
  plan_page (self, scene, &pen.base, &plan);
  cairo_save (cr);
  if (!self->transparent)
    {
      TrcColour c = self->theme->canvas;
      cairo_set_source_rgb (cr, c.r, c.g, c.b);
      cairo_paint (cr); /* pixels that the page fills only partly, too */
    }
  paint_page (self, scene, &pen.base, &plan);
  cairo_restore (cr);
  plan_clear (&plan);
}

static void
write_head (const TrcPage *self, const TrcScene *scene, const TrcPainter *painter,
            const Plan *plan, GString *out)
{
  g_string_append (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"");
  trc_svg_number (out, plan->w);
  g_string_append (out, "pt\" height=\"");
  trc_svg_number (out, plan->h);
  g_string_append (out, "pt\" viewBox=\"0 0 ");
  trc_svg_number (out, plan->w);
  g_string_append_c (out, ' ');
  trc_svg_number (out, plan->h);
  g_string_append (out, "\" font-family=\"");
  trc_svg_escape (out, trc_painter_font (painter));
  g_string_append (out, "\">\n");
  if (trc_scene_title (scene) != NULL)
    {
      g_string_append (out, "<title>");
      trc_svg_escape (out, trc_scene_title (scene));
      g_string_append (out, "</title>\n");
    }
}

char *
trc_page_write_svg (const TrcPage *self, const TrcScene *scene, gsize *len, TrcDrawStats *stats)
{
  g_autoptr (TrcPainter) painter = trc_painter_new (self->font);
  GString *out = g_string_new (NULL);
  TrcDrawStats none = { 0 };
  TrcSvgPen pen;
  Plan plan;

  trc_svg_pen_init (&pen, painter, out, self->outlines, stats != NULL ? stats : &none);
  plan_page (self, scene, &pen.base, &plan);
  write_head (self, scene, painter, &plan, out);
  if (!self->transparent)
    {
      TrcPaint ground = { .fill = self->theme->canvas };
      pen.base.klass->mark (&pen.base, TRC_MARK_RECT, (TrcRect){ 0, 0, plan.w, plan.h }, 0,
                            &ground);
    }
  paint_page (self, scene, &pen.base, &plan);
  g_string_append (out, "</svg>\n");
  trc_svg_pen_clear (&pen);
  plan_clear (&plan);
  if (len != NULL)
    *len = out->len;
  return g_string_free (out, FALSE);
}
