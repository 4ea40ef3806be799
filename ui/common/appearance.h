/* ui/common/appearance.h - light, dark or what the system says; palette and font
 *
 * One object for the program. It loads the style sheet, swaps the palette and
 * follows the desktop's colour scheme (the settings portal) without libadwaita.
 * Private to ui.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TRC_TYPE_APPEARANCE (trc_appearance_get_type ())

/* The GObject type; the property "dark" tells which palette is on. */
G_DECLARE_FINAL_TYPE (TrcAppearance, trc_appearance, TRC, APPEARANCE, GObject)

/* Styles the default display. @scheme is "system", "light" or "dark". */
TrcAppearance *trc_appearance_new (const char *scheme);

/* Changes the scheme; anything but "light" and "dark" means "system". */
void trc_appearance_set_scheme (TrcAppearance *self, const char *scheme);

/* The scheme asked for: "system", "light" or "dark". */
const char *trc_appearance_get_scheme (TrcAppearance *self);

/* Whether the dark palette is on. */
gboolean trc_appearance_get_dark (TrcAppearance *self);

G_END_DECLS
