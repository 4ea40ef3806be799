/* render/theme.h - the colours of the drawing
 *
 * One struct of named colours, light or dark, plain or high contrast, with a
 * choice of colour-blind-safe pairs for the sign of an effect. Sizes and fonts
 * are the painter's; a theme holds colour only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  float r, g, b, a; /* sRGB 0..1, alpha not premultiplied */
} TrcColour;

typedef enum {
  TRC_THEME_LIGHT,
  TRC_THEME_DARK,
  TRC_THEME_LIGHT_CONTRAST,
  TRC_THEME_DARK_CONTRAST,
  TRC_N_THEMES,
} TrcThemeKind;

typedef enum {
  TRC_SIGN_BLUE_ORANGE,
  TRC_SIGN_PURPLE_GREEN,
  TRC_SIGN_BLUE_RED,
  TRC_SIGN_GREY, /* for print: the sign is told by a dashed line */
  TRC_N_SIGN_PALETTES,
} TrcSignPalette;

typedef struct {
  TrcColour canvas;     /* the ground */
  TrcColour pane;       /* panels that float on it: legend, scores */
  TrcColour hairline;   /* layer rules, borders of panels */
  TrcColour text;       /* names */
  TrcColour dim;        /* second lines, feature labels far out */
  TrcColour faint;      /* layer labels, tokens without a node */
  TrcColour raises;     /* positive effect */
  TrcColour lowers;     /* negative effect */
  TrcColour accent;     /* selection, target */
  TrcColour on_accent;  /* text on the accent */
  TrcColour block;      /* ground of cards and small shapes */
  TrcColour block_line; /* border of cards */
  TrcColour opened;     /* ground of an opened block */
  TrcColour chip;       /* ground of token chips */
  TrcColour weave;      /* weak edges; its alpha is that of one edge */
  gboolean dark;
  gboolean contrast;
  gboolean dash_lowers; /* negative edges are dashed */
} TrcTheme;

/* Fills @self with the colours of @kind and @palette. */
void trc_theme_init (TrcTheme *self, TrcThemeKind kind, TrcSignPalette palette);

/* "light", "dark", "light-contrast" or "dark-contrast"; FALSE for other words. */
gboolean trc_theme_kind_from_name (const char *name, TrcThemeKind *kind);

/* The word that trc_theme_kind_from_name() reads. Static. */
const char *trc_theme_kind_name (TrcThemeKind kind);

/* "blue-orange", "purple-green", "blue-red" or "grey"; FALSE for other words. */
gboolean trc_sign_palette_from_name (const char *name, TrcSignPalette *palette);

/* The word that trc_sign_palette_from_name() reads. Static. */
const char *trc_sign_palette_name (TrcSignPalette palette);

/* The WCAG contrast ratio of two opaque colours, 1 to 21. */
double trc_colour_contrast (TrcColour a, TrcColour b);

/* @a and @b mixed, @t of the way to @b. */
TrcColour trc_colour_mix (TrcColour a, TrcColour b, double t);

/* @c with its alpha multiplied by @alpha. */
TrcColour trc_colour_fade (TrcColour c, double alpha);

G_END_DECLS
