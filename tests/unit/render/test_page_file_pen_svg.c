#include "render/page.h"
#include "render/svg/pen_svg.h"
#include "samples.h"

#include <cairo-pdf.h>
#include <locale.h>
#include <math.h>
#include <string.h>

/* What an SVG says, read by an XML parser. */
typedef struct {
  guint elements, circles, rects, paths, texts, titles, groups;
  GHashTable *ids;
  GString *words;    /* text of all text elements, one a line */
  GString *tooltips; /* text of all title elements */
  gboolean in_text, in_title;
} Svg;

static void
start (GMarkupParseContext *context, const char *name, const char **keys, const char **values,
       gpointer data, GError **error)
{
  Svg *svg = data;

  svg->elements++;
  svg->circles += g_str_equal (name, "circle");
  svg->rects += g_str_equal (name, "rect");
  svg->paths += g_str_equal (name, "path");
  svg->texts += svg->in_text = g_str_equal (name, "text");
  svg->titles += svg->in_title = g_str_equal (name, "title");
  svg->groups += g_str_equal (name, "g");
  for (guint i = 0; keys[i] != NULL; i++)
    {
      if (g_str_equal (keys[i], "id"))
        g_assert_true (g_hash_table_add (svg->ids, g_strdup (values[i]))); /* unique */
      g_assert_null (strstr (values[i], "nan"));
      g_assert_null (strstr (values[i], "inf"));
      if (g_str_equal (keys[i], "x") || g_str_equal (keys[i], "d"))
        g_assert_null (strchr (values[i], ',')); /* no decimal comma in any locale */
    }
}

static void
end (GMarkupParseContext *context, const char *name, gpointer data, GError **error)
{
  Svg *svg = data;

  svg->in_text = svg->in_title = FALSE;
}

static void
text (GMarkupParseContext *context, const char *content, gsize len, gpointer data,
      GError **error)
{
  Svg *svg = data;

  if (svg->in_text)
    g_string_append_c (g_string_append_len (svg->words, content, (gssize)len), '\n');
  if (svg->in_title)
    g_string_append_c (g_string_append_len (svg->tooltips, content, (gssize)len), '\n');
}

static Svg
parse (const char *content, gsize len)
{
  static const GMarkupParser parser = { start, end, text, NULL, NULL };
  Svg svg = { .ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
              .words = g_string_new (NULL),
              .tooltips = g_string_new (NULL) };
  GMarkupParseContext *context = g_markup_parse_context_new (&parser, 0, &svg, NULL);
  g_autoptr (GError) error = NULL;

  g_markup_parse_context_parse (context, content, (gssize)len, &error);
  g_assert_no_error (error);
  g_markup_parse_context_end_parse (context, &error);
  g_assert_no_error (error);
  g_markup_parse_context_free (context);
  return svg;
}

static void
svg_clear (Svg *svg)
{
  g_hash_table_unref (svg->ids);
  g_string_free (svg->words, TRUE);
  g_string_free (svg->tooltips, TRUE);
}

static char *
write_svg (const TrcScene *scene, gboolean outlines, const char *caption, gsize *len)
{
  TrcTheme theme;
  TrcPage page;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_page_init (&page, &theme);
  page.outlines = outlines;
  page.caption = caption;
  return trc_page_write_svg (&page, scene, len, NULL);
}

static void
test_structure (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  gsize len;
  g_autofree char *content = write_svg (scene, FALSE, "Figure 1 & more.", &len);
  Svg svg = parse (content, len);

  g_assert_cmpuint (len, ==, strlen (content));
  for (int i = 0; i < S_N; i++)
    {
      g_autofree char *id = g_strdup_printf ("b%d", i);
      g_assert_true (g_hash_table_contains (svg.ids, id));
    }
  g_assert_cmpuint (svg.circles, ==, 3); /* two features and the legend's key */
  const char *words[] = { "Fact: <the> capital\n",
                          "places\n",
                          "say <\"Texas\"> & more\n",
                          "Dallas\n",
                          "Austin 98.4 %\n",
                          "capital\n",
                          "9 features\n",
                          "logit\n",
                          "raises\n",
                          "feature\n",
                          "Figure 1 & more.\n" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (svg.words->str, words[i]) == NULL)
      g_error ("no text element says %s", words[i]);
  g_assert_nonnull (strstr (svg.tooltips->str, "places\nL8"));
  g_assert_nonnull (strstr (content, "font-family=\"Inter"));
  g_assert_nonnull (strstr (content, "textLength="));
  svg_clear (&svg);
}

static void
test_outlines (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  gsize len;
  g_autofree char *content = write_svg (scene, TRUE, NULL, &len);
  Svg svg = parse (content, len);

  g_assert_cmpuint (svg.texts, ==, 0);
  g_assert_nonnull (strstr (content, "aria-label=\"Dallas\""));
  svg_clear (&svg);
}

static void
test_empty_one_many (void)
{
  g_autoptr (TrcScene) empty = sample_empty ();
  g_autoptr (TrcScene) one = sample_one ();
  g_autoptr (TrcScene) many = sample_many (10000);
  const struct {
    const TrcScene *scene;
    guint circles;
  } cases[] = { { empty, 0 }, { one, 1 }, { many, 10000 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gsize len;
      g_autofree char *content = write_svg (cases[i].scene, FALSE, NULL, &len);
      Svg svg = parse (content, len);
      g_assert_cmpuint (svg.circles, ==, cases[i].circles);
      svg_clear (&svg);
    }
}

static void
test_deterministic_in_any_locale (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  gsize n_a, n_b;
  g_autofree char *a = write_svg (scene, FALSE, NULL, &n_a);

  setlocale (LC_NUMERIC, "de_DE.UTF-8"); /* where it exists */
  g_autofree char *b = write_svg (scene, FALSE, NULL, &n_b);
  setlocale (LC_NUMERIC, "C");
  g_assert_cmpmem (a, n_a, b, n_b);
}

static void
test_numbers_and_escapes (void)
{
  const struct {
    double value;
    const char *text;
  } numbers[] = {
    { 0, "0" },           { -0.001, "0" }, { 1.5, "1.5" },          { 100, "100" },
    { 2.345678, "2.35" }, { NAN, "0" },    { 1e300, "1000000000" }, { -12.5, "-12.5" }
  };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (GString) out = g_string_new (NULL);
      trc_svg_number (out, numbers[i].value);
      g_assert_cmpstr (out->str, ==, numbers[i].text);
    }
  g_autoptr (GString) out = g_string_new (NULL);
  trc_svg_escape (out, "<a b=\"c\">&\x01\x1f\xef\xbf\xbe é");
  g_assert_cmpstr (out->str, ==, "&lt;a b=&quot;c&quot;&gt;&amp; é");
}

static void
test_transparent_and_size (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  TrcTheme theme;
  TrcPage page;
  double w, h, w2, h2;

  trc_theme_init (&theme, TRC_THEME_DARK, TRC_SIGN_BLUE_ORANGE);
  trc_page_init (&page, &theme);
  trc_page_measure (&page, scene, &w, &h);
  g_assert_cmpfloat (w, >=, trc_scene_bounds (scene).w);
  g_assert_cmpfloat (h, >, trc_scene_bounds (scene).h);
  page.w = w / 2;
  trc_page_measure (&page, scene, &w2, &h2);
  g_assert_cmpfloat (w2, ==, w / 2);
  g_assert_cmpfloat (h2, <, h);

  g_autofree char *ground = trc_page_write_svg (&page, scene, NULL, NULL);
  page.transparent = TRUE;
  g_autofree char *clear = trc_page_write_svg (&page, scene, NULL, NULL);
  g_assert_cmpuint (strlen (clear), <, strlen (ground));

  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 200, 200);
  cairo_t *cr = cairo_create (surface);
  trc_page_draw (&page, scene, cr, NULL);
  cairo_surface_flush (surface);
  g_assert_cmphex (*(guint32 *)(void *)cairo_image_surface_get_data (surface), ==, 0);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* The painter strokes what the SVG holds: the same code drives both. */
static void
test_same_work (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  TrcDrawStats svg = { 0 }, painted = { 0 };
  TrcTheme theme;
  TrcPage page;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_page_init (&page, &theme);
  g_free (trc_page_write_svg (&page, scene, NULL, &svg));
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 400, 400);
  cairo_t *cr = cairo_create (surface);
  trc_page_draw (&page, scene, cr, &painted);
  g_assert_cmpuint (svg.boxes_drawn, ==, painted.boxes_drawn);
  g_assert_cmpuint (svg.curves_stroked, ==, painted.curves_stroked);
  g_assert_cmpuint (svg.threads_drawn, ==, painted.threads_drawn);
  g_assert_cmpuint (svg.labels_placed, ==, painted.labels_placed);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
}

/* A PDF whose words a reader can find, where pdftotext is there to ask. */
static void
test_pdf (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  g_autofree char *program = g_find_program_in_path ("pdftotext");
  TrcTheme theme;
  TrcPage page;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_page_init (&page, &theme);
  g_autoptr (GByteArray) bytes = trc_page_write_pdf (&page, scene, NULL);
  g_assert_true (g_str_has_prefix ((const char *)bytes->data, "%PDF-"));
  if (program == NULL)
    {
      g_test_skip ("pdftotext is not installed");
      return;
    }
  g_autoptr (GSubprocess) child =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, NULL,
                        program, "-", "-", NULL);
  g_autoptr (GBytes) in = g_bytes_new (bytes->data, bytes->len), out = NULL;
  g_assert_true (g_subprocess_communicate (child, in, NULL, &out, NULL, NULL));
  const char *said = g_bytes_get_data (out, NULL);
  g_assert_nonnull (strstr (said, "Dallas"));
  g_assert_nonnull (strstr (said, "9 features"));
  g_assert_nonnull (strstr (said, "places"));
}

static void
test_png (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  TrcTheme theme;
  TrcPage page;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_page_init (&page, &theme);
  page.w = 360;
  page.h = 270;
  g_autoptr (GByteArray) bytes = trc_page_write_png (&page, scene, 96, NULL);
  const guint8 *size = bytes->data + 16;
  g_assert_cmpmem (bytes->data, 4, "\x89PNG", 4);
  g_assert_cmpuint (size[2] * 256u + size[3], ==, 480);
  g_assert_cmpuint (size[6] * 256u + size[7], ==, 360);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/svg/structure", test_structure);
  g_test_add_func ("/svg/outlines", test_outlines);
  g_test_add_func ("/svg/empty-one-many", test_empty_one_many);
  g_test_add_func ("/svg/deterministic-in-any-locale", test_deterministic_in_any_locale);
  g_test_add_func ("/svg/numbers-and-escapes", test_numbers_and_escapes);
  g_test_add_func ("/page/transparent-and-size", test_transparent_and_size);
  g_test_add_func ("/page/pdf", test_pdf);
  g_test_add_func ("/page/png", test_png);
  g_test_add_func ("/page/same-work", test_same_work);
  return g_test_run ();
}
