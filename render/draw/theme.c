#include "render/theme.h"

#include <math.h>
#include <string.h>

#define RGB(hex)                                                                               \
  {                                                                                            \
    ((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f, ((hex)&255) / 255.0f, 1.0f      \
  }
#define RGBA(hex, alpha)                                                                       \
  {                                                                                            \
    ((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f, ((hex)&255) / 255.0f, alpha     \
  }

/* The signs are filled in from the palette. */
static const TrcTheme themes[TRC_N_THEMES] = {
  [TRC_THEME_LIGHT] = {
    .canvas = RGB (0xfcfcfb), .pane = RGB (0xf4f4f2), .hairline = RGB (0xdededb),
    .text = RGB (0x1e1e22), .dim = RGB (0x6d6d74), .faint = RGB (0xa5a5ab),
    .accent = RGB (0x0b7a75), .on_accent = RGB (0xffffff), .block = RGB (0xffffff),
    .block_line = RGB (0xc9c9c6), .opened = RGB (0xf5f8f8), .chip = RGB (0xececea),
    .weave = RGBA (0x3c3c46, 0.17f),
  },
  [TRC_THEME_DARK] = {
    .canvas = RGB (0x1b1c1f), .pane = RGB (0x232428), .hairline = RGB (0x34353a),
    .text = RGB (0xececee), .dim = RGB (0xa0a1a8), .faint = RGB (0x6b6c73),
    .accent = RGB (0x4fc4bd), .on_accent = RGB (0x10201f), .block = RGB (0x27282d),
    .block_line = RGB (0x45464d), .opened = RGB (0x1e2224), .chip = RGB (0x2c2d32),
    .weave = RGBA (0xdcdce6, 0.15f), .dark = TRUE,
  },
  [TRC_THEME_LIGHT_CONTRAST] = {
    .canvas = RGB (0xffffff), .pane = RGB (0xffffff), .hairline = RGB (0x8c8c8c),
    .text = RGB (0x000000), .dim = RGB (0x2c2c30), .faint = RGB (0x55555a),
    .accent = RGB (0x00534f), .on_accent = RGB (0xffffff), .block = RGB (0xffffff),
    .block_line = RGB (0x3a3a3e), .opened = RGB (0xffffff), .chip = RGB (0xf0f0f0),
    .weave = RGBA (0x3c3c46, 0.34f), .contrast = TRUE,
  },
  [TRC_THEME_DARK_CONTRAST] = {
    .canvas = RGB (0x000000), .pane = RGB (0x000000), .hairline = RGB (0x8a8a8f),
    .text = RGB (0xffffff), .dim = RGB (0xdadade), .faint = RGB (0xb0b0b6),
    .accent = RGB (0x7ff0e8), .on_accent = RGB (0x000000), .block = RGB (0x0c0c0e),
    .block_line = RGB (0xc8c8cc), .opened = RGB (0x000000), .chip = RGB (0x1c1c20),
    .weave = RGBA (0xdcdce6, 0.30f), .dark = TRUE, .contrast = TRUE,
  },
};

/* [palette][dark][raises, lowers] */
static const TrcColour signs[TRC_N_SIGN_PALETTES][2][2] = {
  [TRC_SIGN_BLUE_ORANGE] = { { RGB (0x2f6db5), RGB (0xd2752a) },
                             { RGB (0x7fb2ee), RGB (0xf0a35e) } },
  [TRC_SIGN_PURPLE_GREEN] = { { RGB (0x7a3f9d), RGB (0x2f8a4c) },
                              { RGB (0xc7a2ea), RGB (0x7fd09a) } },
  [TRC_SIGN_BLUE_RED] = { { RGB (0x2f6db5), RGB (0xc23b3b) },
                          { RGB (0x7fb2ee), RGB (0xf28b82) } },
  [TRC_SIGN_GREY] = { { RGB (0x3c3c42), RGB (0x77777e) }, { RGB (0xd8d8dc), RGB (0x9a9aa2) } },
};

static const char *const kind_names[TRC_N_THEMES] = { "light", "dark", "light-contrast",
                                                      "dark-contrast" };
static const char *const palette_names[TRC_N_SIGN_PALETTES] = { "blue-orange", "purple-green",
                                                                "blue-red", "grey" };

static float
luminance (TrcColour c)
{
  float v[3] = { c.r, c.g, c.b };

  for (int i = 0; i < 3; i++)
    v[i] = v[i] <= 0.03928f ? v[i] / 12.92f : powf ((v[i] + 0.055f) / 1.055f, 2.4f);
  return 0.2126f * v[0] + 0.7152f * v[1] + 0.0722f * v[2];
}

double
trc_colour_contrast (TrcColour a, TrcColour b)
{
  double la = luminance (a) + 0.05, lb = luminance (b) + 0.05;

  return MAX (la, lb) / MIN (la, lb);
}

TrcColour
trc_colour_mix (TrcColour a, TrcColour b, double t)
{
  float f = (float)t;

  return (TrcColour){ a.r + (b.r - a.r) * f, a.g + (b.g - a.g) * f, a.b + (b.b - a.b) * f,
                      a.a + (b.a - a.a) * f };
}

TrcColour
trc_colour_fade (TrcColour c, double alpha)
{
  c.a *= (float)alpha;
  return c;
}

void
trc_theme_init (TrcTheme *self, TrcThemeKind kind, TrcSignPalette palette)
{
  g_return_if_fail (kind < TRC_N_THEMES && palette < TRC_N_SIGN_PALETTES);

  *self = themes[kind];
  self->raises = signs[palette][self->dark][0];
  self->lowers = signs[palette][self->dark][1];
  self->dash_lowers = palette == TRC_SIGN_GREY;
  if (self->contrast)
    {
      self->raises = trc_colour_mix (self->raises, self->text, 0.35);
      self->lowers = trc_colour_mix (self->lowers, self->text, 0.35);
    }
}

static gboolean
find_name (const char *const *names, guint n, const char *name, guint *found)
{
  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (names[i], name) == 0)
      {
        *found = i;
        return TRUE;
      }
  return FALSE;
}

gboolean
trc_theme_kind_from_name (const char *name, TrcThemeKind *kind)
{
  guint i;

  if (!find_name (kind_names, TRC_N_THEMES, name, &i))
    return FALSE;
  *kind = (TrcThemeKind)i;
  return TRUE;
}

const char *
trc_theme_kind_name (TrcThemeKind kind)
{
  g_return_val_if_fail (kind < TRC_N_THEMES, "light");
  return kind_names[kind];
}

gboolean
trc_sign_palette_from_name (const char *name, TrcSignPalette *palette)
{
  guint i;

  if (!find_name (palette_names, TRC_N_SIGN_PALETTES, name, &i))
    return FALSE;
  *palette = (TrcSignPalette)i;
  return TRUE;
}

const char *
trc_sign_palette_name (TrcSignPalette palette)
{
  g_return_val_if_fail (palette < TRC_N_SIGN_PALETTES, "blue-orange");
  return palette_names[palette];
}
