/* app/export.h - a graph as a figure file
 *
 * SVG with real text, PDF with embedded fonts, PNG. What comes out is what the
 * window shows, at full detail. Files are written beside their name and moved
 * over it when complete: an export that fails leaves nothing behind.
 *
 * Units    points (1/72 inch); dpi only sets the pixels of a PNG.
 * Errors   TRC_APP_ERROR for wrong wishes, G_FILE_ERROR or G_IO_ERROR for
 *          the disk, G_IO_ERROR_CANCELLED.
 * Threads  pure: runs in a worker.
 */
#pragma once

#include "app/present.h"
#include "render/theme.h"

G_BEGIN_DECLS

typedef enum {
  TRC_EXPORT_AUTO, /* by the suffix of the path */
  TRC_EXPORT_SVG,
  TRC_EXPORT_PDF,
  TRC_EXPORT_PNG,
} TrcExportFormat;

typedef struct {
  TrcExportFormat format;
  double w, h; /* page in points; 0 = from the scene, or in proportion */
  double dpi;  /* PNG; 0 = 192 */
  TrcThemeKind theme;
  TrcSignPalette palette;
  gboolean transparent;
  gboolean title;
  gboolean legend;
  gboolean outlines;   /* SVG text as paths */
  const char *caption; /* borrowed; NULL: none */
  const char *font;    /* borrowed Pango family list; NULL: default */
} TrcExportOptions;

/* Light, with title and legend, the scene's own size, 192 dpi. */
void trc_export_options_init (TrcExportOptions *self);

/* "180x120mm", "7x5in", "1600x1000px" (96 a inch), "500x400pt" (or without unit), or
 * one number with unit: the width. FALSE with @error for anything else. */
gboolean trc_export_parse_size (const char *text, double *w, double *h, GError **error);

/* Draws @scene into @path. @progress may be NULL. */
gboolean trc_export_scene (const TrcScene *scene, const char *path,
                           const TrcExportOptions *options, const TrcProgress *progress,
                           GError **error);

/* Presents @graph as @view says and draws it into @path. */
gboolean trc_export_file (TrcGraph *graph, const TrcView *view, const char *path,
                          const TrcExportOptions *options, const TrcProgress *progress,
                          GError **error);

G_END_DECLS
