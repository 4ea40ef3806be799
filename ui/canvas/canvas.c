#define G_LOG_DOMAIN "tracery-ui"

#include "ui/canvas/canvas.h"

#include <glib/gi18n.h>
#include <math.h>

#include "ui/canvas/canvas_private.h"

#define MINIMAP_W 124
#define MINIMAP_H 92
#define MINIMAP_GAP 14
#define TIP_GAP 14

enum { SELECT, ACTIVATE, CAMERA_CHANGED, N_SIGNALS };

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (TrcCanvas, trc_canvas, GTK_TYPE_WIDGET)

/* ---- signals ---- */

void
trc_canvas_emit_select (TrcCanvas *self, gint32 box, gboolean add)
{
  const TrcBox *boxes;
  guint n;

  if (self->picture == NULL)
    return;
  boxes = trc_scene_boxes (self->picture->spec.scene, &n);
  if (box < 0 || (guint)box >= n)
    g_signal_emit (self, signals[SELECT], 0, -1, (guint64)0, add);
  else
    g_signal_emit (self, signals[SELECT], 0, (int)boxes[box].ref_kind, boxes[box].ref, add);
}

void
trc_canvas_emit_activate (TrcCanvas *self, gint32 box)
{
  const TrcBox *boxes;
  guint n;

  if (self->picture == NULL || box < 0)
    return;
  boxes = trc_scene_boxes (self->picture->spec.scene, &n);
  g_signal_emit (self, signals[ACTIVATE], 0, (int)boxes[box].ref_kind, boxes[box].ref);
}

void
trc_canvas_emit_camera (TrcCanvas *self)
{
  g_signal_emit (self, signals[CAMERA_CHANGED], 0);
}

/* ---- drawing ---- */

void
trc_canvas_view_size (TrcCanvas *self, double *w, double *h)
{
  *w = gtk_widget_get_width (GTK_WIDGET (self));
  *h = MAX (gtk_widget_get_height (GTK_WIDGET (self)) - self->bottom_inset_px, 1);
}

TrcCamera
trc_canvas_view_camera (TrcCanvas *self)
{
  TrcCamera camera = self->camera;

  camera.cy -= self->bottom_inset_px / (2.0 * camera.zoom);
  return camera;
}

static void
init_options (TrcCanvas *self, TrcDrawOptions *options)
{
  double w, h;

  trc_canvas_view_size (self, &w, &h);
  trc_draw_options_init (options, &self->theme, w, h);
}

gboolean
trc_canvas_minimap_area (TrcCanvas *self, TrcRect *area)
{
  TrcCamera camera = trc_canvas_view_camera (self);
  TrcRect seen, all;
  double w, h;

  trc_canvas_view_size (self, &w, &h);
  *area = (TrcRect){ MINIMAP_GAP, h - MINIMAP_H - MINIMAP_GAP - 34, MINIMAP_W, MINIMAP_H };
  if (self->picture == NULL || w < 4 * MINIMAP_W || h < 5 * MINIMAP_H)
    return FALSE;
  seen = trc_camera_visible (camera, w, h);
  all = trc_scene_bounds (self->picture->spec.scene);
  return seen.x > all.x || seen.y > all.y || seen.x + seen.w < all.x + all.w
         || seen.y + seen.h < all.y + all.h;
}

static gboolean
on_cairo_renderer (TrcCanvas *self)
{
  GtkNative *native = gtk_widget_get_native (GTK_WIDGET (self));
  GskRenderer *renderer = native != NULL ? gtk_native_get_renderer (native) : NULL;

  return renderer == NULL || g_str_equal (G_OBJECT_TYPE_NAME (renderer), "GskCairoRenderer");
}

static void
ensure_texture (TrcCanvas *self)
{
  cairo_surface_t *surface = self->picture->surface;
  int stride = cairo_image_surface_get_stride (surface);
  int height = cairo_image_surface_get_height (surface);
  g_autoptr (GBytes) bytes = NULL;

  if (self->texture != NULL)
    return;
  bytes = g_bytes_new_with_free_func (
      cairo_image_surface_get_data (surface), (gsize)stride * (gsize)height,
      (GDestroyNotify)cairo_surface_destroy, cairo_surface_reference (surface));
  self->texture = gdk_memory_texture_new (cairo_image_surface_get_width (surface), height,
                                          GDK_MEMORY_DEFAULT, bytes, (gsize)stride);
}

/* A blit on the cairo renderer; a texture, uploaded once, on GL. */
static void
append_picture (TrcCanvas *self, GtkSnapshot *snapshot, int width, int height)
{
  int full_w = self->picture->spec.w + 2 * TRC_PICTURE_MARGIN;
  int full_h = self->picture->spec.h + 2 * TRC_PICTURE_MARGIN;
  double x, y, k;

  trc_picture_place (self->picture, &self->camera, width, height, &x, &y, &k);
  if (!on_cairo_renderer (self))
    {
      ensure_texture (self);
      gtk_snapshot_append_texture (
          snapshot, self->texture,
          &GRAPHENE_RECT_INIT ((float)x, (float)y, (float)(k * full_w), (float)(k * full_h)));
      return;
    }
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));
  cairo_translate (cr, x, y);
  cairo_scale (cr, k, k);
  cairo_set_source_surface (cr, self->picture->surface, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr),
                            k == 1 ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_BILINEAR);
  cairo_paint (cr);
  cairo_destroy (cr);
}

/* What floats over the lower edge stands on the ground, not on the picture. */
static void
cover_inset (TrcCanvas *self, cairo_t *cr, int width, int height)
{
  const TrcColour *ground = &self->theme.canvas;

  cairo_set_source_rgb (cr, ground->r, ground->g, ground->b);
  cairo_rectangle (cr, 0, height - self->bottom_inset_px, width, self->bottom_inset_px);
  cairo_fill (cr);
}

static void
append_minimap (TrcCanvas *self, cairo_t *cr, const TrcDrawOptions *options)
{
  TrcCamera camera = trc_canvas_view_camera (self);
  TrcRect area;

  if (trc_canvas_minimap_area (self, &area))
    trc_draw_minimap (self->picture->spec.scene, &camera, options, area, cr);
}

static void
append_over (TrcCanvas *self, GtkSnapshot *snapshot, int width, int height)
{
  TrcScene *scene = self->picture->spec.scene;
  TrcCamera camera = trc_canvas_view_camera (self);
  TrcDrawOptions options;
  TrcHighlight highlight = { .hovered = self->hovered,
                             .hovered_curve = self->hovered_curve,
                             .selected = (const gint32 *)(gpointer)self->selected->data,
                             .n_selected = self->selected->len,
                             .focus_ring = gtk_widget_has_focus (GTK_WIDGET (self))
                                           && gtk_window_get_focus_visible (GTK_WINDOW (
                                               gtk_widget_get_root (GTK_WIDGET (self)))) };
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));

  init_options (self, &options);
  if (self->hovered >= 0 || self->hovered_curve >= 0 || self->selected->len > 0)
    trc_draw_highlight (self->painter, scene, &camera, &options, &highlight, cr, NULL);
  cover_inset (self, cr, width, height);
  trc_draw_overlay (self->painter, scene, &camera, &options, TRC_OVERLAY_ALL, cr, NULL);
  append_minimap (self, cr, &options);
  cairo_destroy (cr);
}

static void
trc_canvas_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  TrcCanvas *self = TRC_CANVAS (widget);
  int width = gtk_widget_get_width (widget);
  int height = gtk_widget_get_height (widget);

  self->n_frames++;
  if (self->picture == NULL)
    return;
  gtk_snapshot_push_clip (snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));
  if (self->node == NULL)
    {
      GtkSnapshot *own = gtk_snapshot_new ();

      append_picture (self, own, width, height);
      self->node = gtk_snapshot_free_to_node (own);
    }
  if (self->node != NULL)
    gtk_snapshot_append_node (snapshot, self->node);
  append_over (self, snapshot, width, height);
  gtk_snapshot_pop (snapshot);
  if (gtk_widget_get_visible (self->tip))
    gtk_widget_snapshot_child (widget, self->tip, snapshot);
}

/* ---- pictures ---- */

static void
fill_spec (TrcCanvas *self, TrcPictureSpec *spec)
{
  *spec = (TrcPictureSpec){ .scene = self->wanted,
                            .camera = self->camera,
                            .w = gtk_widget_get_width (GTK_WIDGET (self)),
                            .h = gtk_widget_get_height (GTK_WIDGET (self)),
                            .scale = gtk_widget_get_scale_factor (GTK_WIDGET (self)),
                            .dimmed = self->dimmed };
  /* memcmp() compares themes, so padding must be the same too. */
  memcpy (&spec->theme, &self->theme, sizeof spec->theme);
}

void
trc_canvas_consider_repaint (TrcCanvas *self, gboolean settled)
{
  TrcPictureSpec spec;
  double magnify, margin;

  fill_spec (self, &spec);
  if (self->wanted == NULL || spec.w <= 0 || spec.h <= 0)
    return;
  if (self->picture != NULL && !trc_picture_differs (self->picture, &spec))
    {
      magnify = self->camera.zoom / self->picture->spec.camera.zoom;
      margin = trc_picture_margin_left (self->picture, &self->camera, spec.w, spec.h);
      if (magnify == 1 && margin >= TRC_PICTURE_MARGIN / 2.0)
        return;
      if (!settled && magnify != 1 && magnify > 0.7 && magnify < 1.5 && margin >= 0)
        return;
    }
  else if (self->fresh || (self->fitted && self->picture != NULL))
    spec.camera = trc_canvas_fit_camera (self, self->wanted);
  trc_picture_maker_ask (self->maker, &spec);
}

/* The picture of a new scene brings its camera with it if the view was fitted. */
static void
show_scene_of (TrcCanvas *self, TrcPicture *picture)
{
  gboolean another = self->picture == NULL || self->picture->spec.scene != picture->spec.scene;

  if (another && (self->fresh || self->fitted))
    {
      trc_canvas_stop_flight (self);
      self->camera = picture->spec.camera;
      self->fitted = TRUE;
      if (self->fresh)
        trc_trail_reset (self->trail, self->camera);
      else
        trc_trail_move (self->trail, self->camera);
      self->fresh = FALSE;
      self->placed = TRUE;
    }
  if (another)
    self->hovered = self->hovered_curve = -1;
}

static void
on_picture (TrcPicture *picture, gpointer data)
{
  TrcCanvas *self = data;

  if (self->wanted == NULL
      || (picture->spec.scene != self->wanted && (self->fresh || self->picture == NULL)))
    {
      trc_picture_free (picture); /* of a graph that is gone */
      trc_canvas_consider_repaint (self, FALSE);
      return;
    }
  show_scene_of (self, picture);
  trc_picture_free (self->picture);
  self->picture = picture;
  g_clear_object (&self->texture);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  trc_canvas_resolve_selection (self);
  trc_canvas_update_hover (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  trc_canvas_emit_camera (self);
  if (!trc_picture_maker_is_busy (self->maker))
    trc_canvas_consider_repaint (self, self->settle_id == 0 && self->tick_id == 0);
}

/* ---- what is set from outside ---- */

static void
make_dimmed (TrcCanvas *self)
{
  guint n;
  guint8 *bytes;

  g_clear_pointer (&self->dimmed, g_bytes_unref);
  if (self->hits == NULL || self->wanted == NULL)
    return;
  trc_scene_boxes (self->wanted, &n);
  bytes = g_malloc (MAX (n, 1u));
  memset (bytes, 1, MAX (n, 1u));
  for (guint i = 0; i < self->hits->len; i++)
    {
      TrcRef ref = g_array_index (self->hits, TrcRef, i);
      gint32 box = trc_scene_find (self->wanted, ref.kind, ref.id);

      if (box >= 0)
        bytes[box] = 0;
    }
  self->dimmed = g_bytes_new_take (bytes, MAX (n, 1u));
}

void
trc_canvas_set_scene (TrcCanvas *self, TrcScene *scene, gboolean fresh)
{
  g_return_if_fail (TRC_IS_CANVAS (self));

  if (scene != NULL)
    trc_scene_ref (scene);
  g_clear_pointer (&self->wanted, trc_scene_unref);
  self->wanted = scene;
  self->fresh = self->fresh || fresh;
  make_dimmed (self);
  if (scene == NULL)
    {
      g_clear_pointer (&self->picture, trc_picture_free);
      g_clear_pointer (&self->node, gsk_render_node_unref);
      gtk_widget_queue_draw (GTK_WIDGET (self));
    }
  else
    trc_canvas_consider_repaint (self, TRUE);
}

void
trc_canvas_set_dark (TrcCanvas *self, gboolean dark)
{
  memset (&self->theme, 0, sizeof self->theme);
  trc_theme_init (&self->theme, dark ? TRC_THEME_DARK : TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  trc_canvas_consider_repaint (self, TRUE);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
trc_canvas_set_bottom_inset (TrcCanvas *self, int inset_px)
{
  self->bottom_inset_px = inset_px;
}

void
trc_canvas_set_selection (TrcCanvas *self, const TrcRef *refs, guint n)
{
  g_array_set_size (self->refs, 0);
  if (n > 0)
    g_array_append_vals (self->refs, refs, n);
  trc_canvas_resolve_selection (self);
  trc_canvas_update_accessible (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
trc_canvas_set_hits (TrcCanvas *self, const TrcRef *refs, guint n)
{
  g_clear_pointer (&self->hits, g_array_unref);
  if (refs != NULL)
    {
      self->hits = g_array_new (FALSE, FALSE, sizeof (TrcRef));
      g_array_append_vals (self->hits, refs, n);
    }
  make_dimmed (self);
  trc_canvas_consider_repaint (self, TRUE);
}

void
trc_canvas_set_summary (TrcCanvas *self, const char *summary)
{
  g_free (self->summary);
  self->summary = g_strdup (summary);
  trc_canvas_update_accessible (self);
}

void
trc_canvas_resolve_selection (TrcCanvas *self)
{
  g_array_set_size (self->selected, 0);
  for (guint i = 0; self->picture != NULL && i < self->refs->len; i++)
    {
      TrcRef ref = g_array_index (self->refs, TrcRef, i);
      gint32 box = trc_scene_find (self->picture->spec.scene, ref.kind, ref.id);

      if (box >= 0)
        g_array_append_val (self->selected, box);
    }
}

void
trc_canvas_update_accessible (TrcCanvas *self)
{
  g_autoptr (GString) label = g_string_new (_ ("Attribution graph"));

  if (self->summary != NULL)
    g_string_append_printf (label, ". %s", self->summary);
  if (self->selected->len > 0)
    {
      guint n;
      const TrcBox *boxes = trc_scene_boxes (self->picture->spec.scene, &n);
      const TrcBox *box = &boxes[g_array_index (self->selected, gint32, 0)];

      g_string_append (label, ". ");
      g_string_append_printf (label, _ ("Selected: %s"), box->label != NULL ? box->label : "");
    }
  gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  label->str, -1);
}

TrcScene *
trc_canvas_get_scene (TrcCanvas *self)
{
  return self->picture != NULL ? self->picture->spec.scene : NULL;
}

void
trc_canvas_counts (TrcCanvas *self, guint *n_painted, guint *n_frames)
{
  *n_painted = trc_picture_maker_n_painted (self->maker);
  *n_frames = self->n_frames;
}

/* ---- the widget ---- */

static void
allocate_tip (TrcCanvas *self, int width, int height)
{
  GtkRequisition size;
  int x, y;

  if (!gtk_widget_get_visible (self->tip))
    return;
  gtk_widget_get_preferred_size (self->tip, NULL, &size);
  x = (int)self->pointer_x + TIP_GAP;
  y = (int)self->pointer_y + TIP_GAP;
  if (x + size.width > width - 4)
    x = (int)self->pointer_x - TIP_GAP - size.width;
  if (y + size.height > height - 4)
    y = (int)self->pointer_y - TIP_GAP - size.height;
  gtk_widget_size_allocate (
      self->tip, &(GtkAllocation){ MAX (x, 4), MAX (y, 4), size.width, size.height }, -1);
}

static void
trc_canvas_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  TrcCanvas *self = TRC_CANVAS (widget);
  gboolean changed = self->picture == NULL || self->picture->spec.w != width
                     || self->picture->spec.h != height;

  allocate_tip (self, width, height);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  if (!changed)
    return;
  if (self->fitted && self->picture != NULL && self->tick_id == 0)
    self->camera = trc_canvas_fit_camera (self, self->picture->spec.scene);
  trc_canvas_consider_repaint (self, TRUE);
}

static void
trc_canvas_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  int tip_minimum, tip_natural;

  /* Measured because GTK asks for it before allocating; the canvas takes what it gets. */
  gtk_widget_measure (TRC_CANVAS (widget)->tip, orientation, -1, &tip_minimum, &tip_natural,
                      NULL, NULL);
  *minimum = 200;
  *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 900 : 700;
}

static void
trc_canvas_realize (GtkWidget *widget)
{
  TrcCanvas *self = TRC_CANVAS (widget);
  g_autofree char *name = NULL;

  GTK_WIDGET_CLASS (trc_canvas_parent_class)->realize (widget);
  if (self->painter != NULL)
    return;
  g_object_get (gtk_widget_get_settings (widget), "gtk-font-name", &name, NULL);
  {
    g_autoptr (PangoFontDescription) font =
        pango_font_description_from_string (name != NULL ? name : "");
    const char *family = pango_font_description_get_family (font);

    self->painter = trc_painter_new (family);
    self->maker = trc_picture_maker_new (family, on_picture, self);
  }
  trc_canvas_consider_repaint (self, TRUE);
}

static void
trc_canvas_dispose (GObject *object)
{
  TrcCanvas *self = TRC_CANVAS (object);

  g_clear_handle_id (&self->settle_id, g_source_remove);
  trc_canvas_stop_flight (self);
  g_clear_pointer (&self->maker, trc_picture_maker_free);
  g_clear_pointer (&self->painter, trc_painter_free);
  g_clear_pointer (&self->picture, trc_picture_free);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  g_clear_object (&self->texture);
  g_clear_pointer (&self->wanted, trc_scene_unref);
  g_clear_pointer (&self->dimmed, g_bytes_unref);
  g_clear_pointer (&self->hits, g_array_unref);
  g_clear_pointer (&self->tip, gtk_widget_unparent);
  G_OBJECT_CLASS (trc_canvas_parent_class)->dispose (object);
}

static void
trc_canvas_finalize (GObject *object)
{
  TrcCanvas *self = TRC_CANVAS (object);

  trc_trail_free (self->trail);
  g_array_unref (self->refs);
  g_array_unref (self->selected);
  g_free (self->summary);
  G_OBJECT_CLASS (trc_canvas_parent_class)->finalize (object);
}

static void
trc_canvas_class_init (TrcCanvasClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = trc_canvas_dispose;
  object_class->finalize = trc_canvas_finalize;
  widget_class->snapshot = trc_canvas_snapshot;
  widget_class->measure = trc_canvas_measure;
  widget_class->size_allocate = trc_canvas_size_allocate;
  widget_class->realize = trc_canvas_realize;
  gtk_widget_class_set_css_name (widget_class, "trccanvas");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
  trc_canvas_install_actions (widget_class);

  signals[SELECT] =
      g_signal_new ("select", TRC_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 3, G_TYPE_INT, G_TYPE_UINT64, G_TYPE_BOOLEAN);
  signals[ACTIVATE] = g_signal_new ("activate", TRC_TYPE_CANVAS, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 2, G_TYPE_INT, G_TYPE_UINT64);
  signals[CAMERA_CHANGED] = g_signal_new ("camera-changed", TRC_TYPE_CANVAS, G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
trc_canvas_init (TrcCanvas *self)
{
  self->camera = (TrcCamera){ 0, 0, TRC_UNIT_PX };
  self->trail = trc_trail_new ();
  self->refs = g_array_new (FALSE, FALSE, sizeof (TrcRef));
  self->selected = g_array_new (FALSE, FALSE, sizeof (gint32));
  self->hovered = self->hovered_curve = -1;
  self->pointer_x = self->pointer_y = -1;
  self->fitted = TRUE;
  memset (&self->theme, 0, sizeof self->theme);
  trc_theme_init (&self->theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);

  self->tip = gtk_label_new (NULL);
  gtk_widget_add_css_class (self->tip, "trc-tip");
  gtk_widget_set_can_target (self->tip, FALSE);
  gtk_label_set_xalign (GTK_LABEL (self->tip), 0);
  gtk_widget_set_visible (self->tip, FALSE);
  gtk_widget_set_parent (self->tip, GTK_WIDGET (self));

  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
  trc_canvas_init_input (self);
  trc_canvas_update_accessible (self);
}

GtkWidget *
trc_canvas_new (void)
{
  return g_object_new (TRC_TYPE_CANVAS, NULL);
}
