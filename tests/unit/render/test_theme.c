#include "render/theme.h"

static void
test_names (void)
{
  for (guint i = 0; i < TRC_N_THEMES; i++)
    {
      TrcThemeKind kind;
      g_assert_true (trc_theme_kind_from_name (trc_theme_kind_name ((TrcThemeKind)i), &kind));
      g_assert_cmpuint (kind, ==, i);
    }
  for (guint i = 0; i < TRC_N_SIGN_PALETTES; i++)
    {
      TrcSignPalette palette;
      g_assert_true (
          trc_sign_palette_from_name (trc_sign_palette_name ((TrcSignPalette)i), &palette));
      g_assert_cmpuint (palette, ==, i);
    }
  TrcThemeKind kind = TRC_THEME_DARK;
  g_assert_false (trc_theme_kind_from_name ("sepia", &kind));
  g_assert_false (trc_theme_kind_from_name (NULL, &kind));
  g_assert_cmpuint (kind, ==, TRC_THEME_DARK);
}

/* Text is readable on what it stands on, in every theme and with every palette. */
static void
test_contrast (void)
{
  for (guint t = 0; t < TRC_N_THEMES; t++)
    for (guint p = 0; p < TRC_N_SIGN_PALETTES; p++)
      {
        TrcTheme theme;
        trc_theme_init (&theme, (TrcThemeKind)t, (TrcSignPalette)p);
        g_assert_cmpfloat (trc_colour_contrast (theme.text, theme.canvas), >=, 7);
        g_assert_cmpfloat (trc_colour_contrast (theme.text, theme.block), >=, 7);
        g_assert_cmpfloat (trc_colour_contrast (theme.text, theme.chip), >=, 7);
        g_assert_cmpfloat (trc_colour_contrast (theme.dim, theme.canvas), >=, 4.5);
        g_assert_cmpfloat (trc_colour_contrast (theme.on_accent, theme.accent), >=, 4.5);
        g_assert_cmpfloat (trc_colour_contrast (theme.raises, theme.canvas), >=, 3);
        g_assert_cmpfloat (trc_colour_contrast (theme.lowers, theme.canvas), >=, 3);
        if (theme.contrast)
          {
            g_assert_cmpfloat (trc_colour_contrast (theme.dim, theme.canvas), >=, 7);
            g_assert_cmpfloat (trc_colour_contrast (theme.faint, theme.canvas), >=, 4.5);
          }
      }
}

static void
test_known_contrast (void)
{
  TrcColour black = { 0, 0, 0, 1 }, white = { 1, 1, 1, 1 };

  g_assert_cmpfloat_with_epsilon (trc_colour_contrast (black, white), 21, 1e-3);
  g_assert_cmpfloat_with_epsilon (trc_colour_contrast (white, white), 1, 1e-6);
  g_assert_cmpfloat_with_epsilon (trc_colour_mix (black, white, 0.25).g, 0.25, 1e-6);
  g_assert_cmpfloat_with_epsilon (trc_colour_fade (white, 0.5).a, 0.5, 1e-6);
}

static void
test_grey_dashes (void)
{
  TrcTheme theme;

  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_GREY);
  g_assert_true (theme.dash_lowers);
  trc_theme_init (&theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  g_assert_false (theme.dash_lowers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/theme/names", test_names);
  g_test_add_func ("/theme/contrast", test_contrast);
  g_test_add_func ("/theme/known-contrast", test_known_contrast);
  g_test_add_func ("/theme/grey-dashes", test_grey_dashes);
  return g_test_run ();
}
