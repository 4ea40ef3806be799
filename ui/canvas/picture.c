#define G_LOG_DOMAIN "tracery-ui"

#include "ui/canvas/picture.h"

#include <math.h>
#include <string.h>

static void
spec_copy (TrcPictureSpec *to, const TrcPictureSpec *from)
{
  *to = *from;
  to->scene = trc_scene_ref (from->scene);
  to->dimmed = from->dimmed != NULL ? g_bytes_ref (from->dimmed) : NULL;
}

static void
spec_clear (TrcPictureSpec *self)
{
  g_clear_pointer (&self->scene, trc_scene_unref);
  g_clear_pointer (&self->dimmed, g_bytes_unref);
}

void
trc_picture_free (TrcPicture *self)
{
  if (self == NULL)
    return;
  spec_clear (&self->spec);
  g_clear_pointer (&self->surface, cairo_surface_destroy);
  g_free (self);
}

void
trc_picture_place (const TrcPicture *self, const TrcCamera *camera, int w, int h, double *x,
                   double *y, double *magnify)
{
  const TrcCamera *kept = &self->spec.camera;
  double k = camera->zoom / kept->zoom;
  double full_w = self->spec.w + 2 * TRC_PICTURE_MARGIN;
  double full_h = self->spec.h + 2 * TRC_PICTURE_MARGIN;

  *magnify = k;
  *x = (kept->cx - camera->cx) * camera->zoom + w / 2.0 - k * full_w / 2;
  *y = (kept->cy - camera->cy) * camera->zoom + h / 2.0 - k * full_h / 2;
  if (k == 1)
    {
      *x = round (*x * self->spec.scale) / self->spec.scale;
      *y = round (*y * self->spec.scale) / self->spec.scale;
    }
}

double
trc_picture_margin_left (const TrcPicture *self, const TrcCamera *camera, int w, int h)
{
  double x, y, k;
  double right, bottom;

  trc_picture_place (self, camera, w, h, &x, &y, &k);
  right = x + k * (self->spec.w + 2 * TRC_PICTURE_MARGIN) - w;
  bottom = y + k * (self->spec.h + 2 * TRC_PICTURE_MARGIN) - h;
  return MIN (MIN (-x, -y), MIN (right, bottom));
}

gboolean
trc_picture_differs (const TrcPicture *self, const TrcPictureSpec *wanted)
{
  const TrcPictureSpec *have = &self->spec;

  return have->scene != wanted->scene || have->w != wanted->w || have->h != wanted->h
         || have->scale != wanted->scale || have->dimmed != wanted->dimmed
         || memcmp (&have->theme, &wanted->theme, sizeof have->theme) != 0;
}

/* ---- the maker ---- */

struct _TrcPictureMaker {
  GThreadPool *pool;   /* one thread */
  TrcPainter *painter; /* used by that thread alone */
  char *font;
  TrcPictureReady ready;
  gpointer data;
  gboolean busy;
  gboolean waiting; /* `next` holds a wish */
  TrcPictureSpec next;
  guint n_painted;
  GMutex mutex; /* guards `done` and `idle_id` */
  TrcPicture *done;
  guint idle_id;
};

static gboolean
hand_over (gpointer data)
{
  TrcPictureMaker *self = data;
  TrcPicture *picture;

  g_mutex_lock (&self->mutex);
  picture = g_steal_pointer (&self->done);
  self->idle_id = 0;
  g_mutex_unlock (&self->mutex);

  self->busy = FALSE;
  self->n_painted++;
  if (self->waiting)
    {
      TrcPictureSpec next = self->next;

      self->waiting = FALSE;
      self->next = (TrcPictureSpec){ 0 };
      trc_picture_maker_ask (self, &next);
      spec_clear (&next);
    }
  self->ready (picture, self->data);
  return G_SOURCE_REMOVE;
}

static void
paint (TrcPictureMaker *self, TrcPicture *picture)
{
  const TrcPictureSpec *spec = &picture->spec;
  int w = spec->w + 2 * TRC_PICTURE_MARGIN;
  int h = spec->h + 2 * TRC_PICTURE_MARGIN;
  TrcDrawOptions options;
  cairo_t *cr;

  if (self->painter == NULL)
    self->painter = trc_painter_new (self->font);
  picture->surface =
      cairo_image_surface_create (CAIRO_FORMAT_ARGB32, w * spec->scale, h * spec->scale);
  cairo_surface_set_device_scale (picture->surface, spec->scale, spec->scale);
  cr = cairo_create (picture->surface);
  trc_draw_options_init (&options, &spec->theme, w, h);
  options.ground = TRUE;
  if (spec->dimmed != NULL)
    options.dimmed = g_bytes_get_data (spec->dimmed, NULL);
  trc_draw_scene (self->painter, spec->scene, &spec->camera, &options, cr, &picture->stats);
  cairo_destroy (cr);
  cairo_surface_flush (picture->surface);
}

static void
run_paint (gpointer item, gpointer data)
{
  TrcPictureMaker *self = data;
  TrcPicture *picture = item;

  paint (self, picture);
  g_mutex_lock (&self->mutex);
  self->done = picture;
  self->idle_id = g_idle_add_full (GDK_PRIORITY_REDRAW - 1, hand_over, self, NULL);
  g_mutex_unlock (&self->mutex);
}

TrcPictureMaker *
trc_picture_maker_new (const char *font, TrcPictureReady ready, gpointer data)
{
  TrcPictureMaker *self = g_new0 (TrcPictureMaker, 1);

  g_mutex_init (&self->mutex);
  self->font = g_strdup (font);
  self->ready = ready;
  self->data = data;
  self->pool = g_thread_pool_new (run_paint, self, 1, TRUE, NULL);
  return self;
}

void
trc_picture_maker_free (TrcPictureMaker *self)
{
  if (self == NULL)
    return;
  g_thread_pool_free (self->pool, FALSE, TRUE);
  if (self->idle_id != 0)
    g_source_remove (self->idle_id);
  trc_picture_free (self->done);
  spec_clear (&self->next);
  trc_painter_free (self->painter);
  g_mutex_clear (&self->mutex);
  g_free (self->font);
  g_free (self);
}

void
trc_picture_maker_ask (TrcPictureMaker *self, const TrcPictureSpec *spec)
{
  TrcPicture *picture;

  if (self->busy)
    {
      TrcPictureSpec wish;

      spec_copy (&wish, spec);
      spec_clear (&self->next);
      self->next = wish;
      self->waiting = TRUE;
      return;
    }
  self->busy = TRUE;
  picture = g_new0 (TrcPicture, 1);
  spec_copy (&picture->spec, spec);
  g_thread_pool_push (self->pool, picture, NULL);
}

gboolean
trc_picture_maker_is_busy (TrcPictureMaker *self)
{
  return self->busy;
}

guint
trc_picture_maker_n_painted (TrcPictureMaker *self)
{
  return self->n_painted;
}
