#include "render/draw/pen.h"

#include <math.h>
#include <string.h>

#define DEFAULT_FONT "Inter, Cantarell, Noto Sans, Liberation Sans, DejaVu Sans, sans-serif"
#define MAX_SHAPED 6000 /* about 6 MB of layouts */

struct _TrcPainter {
  char *font;
  PangoFontMap *map;
  PangoContext *context;
  PangoFontDescription *fonts[TRC_N_WEIGHTS];
  GHashTable *shaped; /* key: weight, width, text -> TrcShaped */
};

static void
shaped_free (gpointer data)
{
  TrcShaped *self = data;

  g_free (self->text);
  g_clear_object (&self->layout);
  g_free (self);
}

/* Metrics without hinting: a label has the same shape at every zoom, so one
 * layout serves all. A font map of its own lets a painter change threads. */
TrcPainter *
trc_painter_new (const char *font)
{
  static const PangoWeight weights[] = { PANGO_WEIGHT_NORMAL, PANGO_WEIGHT_MEDIUM,
                                         PANGO_WEIGHT_SEMIBOLD };
  TrcPainter *self = g_new0 (TrcPainter, 1);
  cairo_font_options_t *options = cairo_font_options_create ();

  self->font = g_strdup (font != NULL ? font : DEFAULT_FONT);
  self->map = pango_cairo_font_map_new ();
  pango_cairo_font_map_set_resolution (PANGO_CAIRO_FONT_MAP (self->map), 72);
  self->context = pango_font_map_create_context (self->map);
  pango_context_set_round_glyph_positions (self->context, FALSE);
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  pango_cairo_context_set_font_options (self->context, options);
  cairo_font_options_destroy (options);

  for (int i = 0; i < TRC_N_WEIGHTS; i++)
    {
      self->fonts[i] = pango_font_description_new ();
      pango_font_description_set_family (self->fonts[i], self->font);
      pango_font_description_set_absolute_size (self->fonts[i], TRC_TEXT_BASE * PANGO_SCALE);
      pango_font_description_set_weight (self->fonts[i], weights[i]);
    }
  self->shaped = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, shaped_free);
  return self;
}

void
trc_painter_free (TrcPainter *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->shaped);
  for (int i = 0; i < TRC_N_WEIGHTS; i++)
    pango_font_description_free (self->fonts[i]);
  g_object_unref (self->context);
  g_object_unref (self->map);
  g_free (self->font);
  g_free (self);
}

const char *
trc_painter_font (const TrcPainter *self)
{
  return self->font;
}

void
trc_painter_tidy (TrcPainter *self)
{
  if (g_hash_table_size (self->shaped) > MAX_SHAPED)
    g_hash_table_remove_all (self->shaped);
}

/* Line breaks and other control characters become spaces: a label is one line. */
static char *
one_line (const char *text)
{
  GString *line = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029)
        g_string_append_c (line, ' ');
      else
        g_string_append_unichar (line, c);
    }
  return g_string_free (line, FALSE);
}

static double
layout_width (PangoLayout *layout, const char *text, gssize len)
{
  PangoRectangle r;

  pango_layout_set_text (layout, text, (int)len);
  pango_layout_get_extents (layout, NULL, &r);
  return r.width / (double)PANGO_SCALE;
}

/* The longest beginning of @line that fits @max_w with an ellipsis. */
static char *
cut_line (PangoLayout *layout, const char *line, double max_w)
{
  glong lo = 0, hi = g_utf8_strlen (line, -1);

  while (lo < hi)
    {
      glong mid = (lo + hi + 1) / 2;
      g_autofree char *head = g_utf8_substring (line, 0, mid);
      g_autofree char *tried = g_strconcat (g_strchomp (head), "\u2026", NULL);
      if (layout_width (layout, tried, -1) <= max_w)
        lo = mid;
      else
        hi = mid - 1;
    }
  g_autofree char *head = g_utf8_substring (line, 0, lo);
  return g_strconcat (g_strchomp (head), "\u2026", NULL);
}

static TrcShaped *
shape (TrcPainter *self, const char *text, TrcTextWeight weight, double max_w)
{
  TrcShaped *shaped = g_new0 (TrcShaped, 1);
  PangoAttrList *attrs = pango_attr_list_new ();
  PangoRectangle r;

  shaped->layout = pango_layout_new (self->context);
  pango_layout_set_font_description (shaped->layout, self->fonts[weight]);
  pango_attr_list_insert (attrs, pango_attr_font_features_new ("tnum=1"));
  pango_layout_set_attributes (shaped->layout, attrs);
  pango_attr_list_unref (attrs);
  pango_layout_set_single_paragraph_mode (shaped->layout, TRUE);

  shaped->text = one_line (text);
  if (max_w > 0 && layout_width (shaped->layout, shaped->text, -1) > max_w)
    {
      char *cut = cut_line (shaped->layout, shaped->text, max_w);
      g_free (shaped->text);
      shaped->text = cut;
    }
  pango_layout_set_text (shaped->layout, shaped->text, -1);
  pango_layout_get_extents (shaped->layout, NULL, &r);
  shaped->w = r.width / (double)PANGO_SCALE;
  shaped->h = r.height / (double)PANGO_SCALE;
  shaped->baseline = pango_layout_get_baseline (shaped->layout) / (double)PANGO_SCALE;
  return shaped;
}

const TrcShaped *
trc_painter_shape (TrcPainter *self, const char *text, TrcTextWeight weight, double max_w,
                   TrcDrawStats *stats)
{
  /* Widths in whole units keep the number of cut variants small while zooming. */
  double limit = max_w > 0 ? MAX (1.0, floor (max_w)) : 0;
  g_autofree char *key = g_strdup_printf ("%d %.0f %s", (int)weight, limit, text);
  TrcShaped *shaped = g_hash_table_lookup (self->shaped, key);

  if (shaped == NULL)
    {
      shaped = shape (self, text, weight, limit);
      g_hash_table_insert (self->shaped, g_steal_pointer (&key), shaped);
      stats->labels_shaped++;
    }
  return shaped;
}

double
trc_painter_text_width (TrcPainter *self, const char *text, double points, gboolean bold)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  TrcDrawStats none = { 0 };

  return trc_painter_shape (self, valid, bold ? TRC_WEIGHT_BOLD : TRC_WEIGHT_NORMAL, 0, &none)
             ->w
         * points / TRC_TEXT_BASE;
}
