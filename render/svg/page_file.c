#include "render/page.h"

#include <cairo-pdf.h>
#include <math.h>

static cairo_status_t
append_bytes (void *closure, const unsigned char *data, unsigned int length)
{
  g_byte_array_append (closure, data, length);
  return CAIRO_STATUS_SUCCESS;
}

static gboolean
check_cairo (cairo_status_t status, GError **error)
{
  if (status == CAIRO_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "The figure could not be drawn: %s.",
               cairo_status_to_string (status));
  return FALSE;
}

/* Draws and finishes @surface, and takes it. */
static cairo_status_t
draw_on (const TrcPage *self, const TrcScene *scene, cairo_surface_t *surface, double scale)
{
  cairo_t *cr = cairo_create (surface);

  cairo_scale (cr, scale, scale);
  trc_page_draw (self, scene, cr, NULL);
  cairo_show_page (cr);
  cairo_status_t status = cairo_status (cr);
  cairo_destroy (cr);
  return status;
}

GByteArray *
trc_page_write_pdf (const TrcPage *self, const TrcScene *scene, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  const char *title = trc_scene_title (scene);
  double w, h;

  trc_page_measure (self, scene, &w, &h);
  cairo_surface_t *surface = cairo_pdf_surface_create_for_stream (append_bytes, bytes, w, h);
  if (title != NULL)
    cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_TITLE, title);
  cairo_pdf_surface_set_metadata (surface, CAIRO_PDF_METADATA_CREATOR, "Tracery " TRC_VERSION);
  cairo_status_t status = draw_on (self, scene, surface, 1);
  cairo_surface_finish (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_status (surface);
  cairo_surface_destroy (surface);
  return check_cairo (status, error) ? g_steal_pointer (&bytes) : NULL;
}

GByteArray *
trc_page_write_png (const TrcPage *self, const TrcScene *scene, double dpi, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  double w, h;

  trc_page_measure (self, scene, &w, &h);
  /* a size in whole pixels stays what it is: 480 px are 360 pt, not a little more */
  cairo_surface_t *surface = cairo_image_surface_create (
      self->transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24,
      MAX (1, (int)ceil (w * dpi / 72 - 1e-6)), MAX (1, (int)ceil (h * dpi / 72 - 1e-6)));
  cairo_status_t status = draw_on (self, scene, surface, dpi / 72);
  if (status == CAIRO_STATUS_SUCCESS)
    status = cairo_surface_write_to_png_stream (surface, append_bytes, bytes);
  cairo_surface_destroy (surface);
  return check_cairo (status, error) ? g_steal_pointer (&bytes) : NULL;
}
