#include <math.h>

#include "ui/canvas/picture.h"

static TrcScene *
two_boxes (void)
{
  TrcSceneBuilder *builder = trc_scene_builder_new ();
  TrcBox box = {
    .at = { 0, 0 }, .w = 12, .h = 12, .shape = TRC_BOX_CIRCLE, .parent = -1, .label = "source"
  };
  gint32 from = trc_scene_builder_box (builder, &box);

  box.at = (TrcPoint){ 40, -60 };
  box.label = "target";
  trc_scene_builder_edge (builder, &(TrcSceneEdge){ .from = from,
                                                    .to = trc_scene_builder_box (builder, &box),
                                                    .share = 0.5,
                                                    .value = 0.5,
                                                    .max_width = 6 });
  return trc_scene_builder_end (builder);
}

static TrcPicture
picture_at (TrcCamera camera, int scale)
{
  return (TrcPicture){ .spec = { .camera = camera, .w = 800, .h = 600, .scale = scale } };
}

/* A scene point must come out where the camera says, whatever camera painted it. */
static void
test_place_agrees_with_camera (void)
{
  TrcCamera painted = { 10, 20, 2 };
  TrcPicture picture = picture_at (painted, 1);
  const TrcCamera cameras[] = {
    { 10, 20, 2 }, { 60, -5, 2 }, { 10, 20, 3.1 }, { -40, 33, 0.7 }
  };
  TrcPoint point = { 17, 29 };

  for (guint i = 0; i < G_N_ELEMENTS (cameras); i++)
    {
      double x, y, k;
      TrcPoint wanted = trc_camera_to_view (cameras[i], point, 800, 600);
      TrcPoint inside = trc_camera_to_view (painted, point, 800, 600);

      trc_picture_place (&picture, &cameras[i], 800, 600, &x, &y, &k);
      g_assert_cmpfloat_with_epsilon (k, cameras[i].zoom / painted.zoom, 1e-12);
      /* at the same zoom the corner is rounded to whole pixels */
      g_assert_cmpfloat_with_epsilon (x + k * (inside.x + TRC_PICTURE_MARGIN), wanted.x, 0.51);
      g_assert_cmpfloat_with_epsilon (y + k * (inside.y + TRC_PICTURE_MARGIN), wanted.y, 0.51);
    }
}

static void
test_whole_pixels (void)
{
  TrcPicture picture = picture_at ((TrcCamera){ 0, 0, 1.3 }, 2);
  double x, y, k;

  trc_picture_place (&picture, &(TrcCamera){ 3.3, 7.77, 1.3 }, 801, 601, &x, &y, &k);
  g_assert_cmpfloat (k, ==, 1);
  g_assert_cmpfloat (x * 2, ==, round (x * 2));
  g_assert_cmpfloat (y * 2, ==, round (y * 2));
}

static void
test_margin (void)
{
  TrcPicture picture = picture_at ((TrcCamera){ 0, 0, 1 }, 1);

  g_assert_cmpfloat (trc_picture_margin_left (&picture, &(TrcCamera){ 0, 0, 1 }, 800, 600), ==,
                     TRC_PICTURE_MARGIN);
  g_assert_cmpfloat (trc_picture_margin_left (&picture, &(TrcCamera){ 100, 0, 1 }, 800, 600),
                     ==, TRC_PICTURE_MARGIN - 100);
  g_assert_cmpfloat (trc_picture_margin_left (&picture, &(TrcCamera){ 0, -300, 1 }, 800, 600),
                     <, 0);
  g_assert_cmpfloat (trc_picture_margin_left (&picture, &(TrcCamera){ 0, 0, 0.4 }, 800, 600), <,
                     0);
}

typedef struct {
  GMainLoop *loop;
  guint n;
  TrcCamera last;
  guint boxes;
} Got;

static void
on_ready (TrcPicture *picture, gpointer data)
{
  Got *got = data;

  got->n++;
  got->last = picture->spec.camera;
  got->boxes = picture->stats.boxes_drawn;
  g_assert_cmpint (cairo_surface_status (picture->surface), ==, CAIRO_STATUS_SUCCESS);
  g_assert_cmpint (cairo_image_surface_get_width (picture->surface), ==,
                   2 * (200 + 2 * TRC_PICTURE_MARGIN));
  trc_picture_free (picture);
  g_main_loop_quit (got->loop);
}

/* Many wishes while one is being painted: the first and the last are painted. */
static void
test_maker_keeps_the_last_wish (void)
{
  g_autoptr (TrcScene) scene = two_boxes ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Got got = { .loop = loop };
  TrcPictureMaker *maker = trc_picture_maker_new (NULL, on_ready, &got);
  TrcPictureSpec spec = {
    .scene = scene, .camera = { 20, -30, 1 }, .w = 200, .h = 150, .scale = 2
  };

  trc_theme_init (&spec.theme, TRC_THEME_LIGHT, TRC_SIGN_BLUE_ORANGE);
  for (guint i = 0; i < 20; i++)
    {
      spec.camera.zoom = 1 + i;
      trc_picture_maker_ask (maker, &spec);
    }
  g_main_loop_run (loop);
  g_assert_true (trc_picture_maker_is_busy (maker));
  g_assert_cmpfloat (got.last.zoom, ==, 1);
  g_assert_cmpuint (got.boxes, ==, 2);
  g_main_loop_run (loop);
  g_assert_cmpfloat (got.last.zoom, ==, 20);
  g_assert_cmpuint (trc_picture_maker_n_painted (maker), ==, 2);
  g_assert_false (trc_picture_maker_is_busy (maker));
  trc_picture_maker_free (maker);
}

/* Freed while it paints and while a wish waits: nothing is delivered afterwards. */
static void
test_maker_freed_in_flight (void)
{
  g_autoptr (TrcScene) scene = two_boxes ();
  Got got = { 0 };
  TrcPictureMaker *maker = trc_picture_maker_new (NULL, on_ready, &got);
  TrcPictureSpec spec = {
    .scene = scene, .camera = { 20, -30, 1 }, .w = 200, .h = 150, .scale = 2
  };

  trc_theme_init (&spec.theme, TRC_THEME_DARK, TRC_SIGN_BLUE_ORANGE);
  trc_picture_maker_ask (maker, &spec);
  trc_picture_maker_ask (maker, &spec);
  trc_picture_maker_free (maker);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (got.n, ==, 0);
}

static void
test_differs (void)
{
  g_autoptr (TrcScene) scene = two_boxes ();
  TrcPicture picture = { .spec = { .scene = scene, .w = 10, .h = 10, .scale = 1 } };
  TrcPictureSpec same = picture.spec;
  TrcPictureSpec other = picture.spec;

  same.camera.cx = 99;
  g_assert_false (trc_picture_differs (&picture, &same));
  other.scale = 2;
  g_assert_true (trc_picture_differs (&picture, &other));
  other = picture.spec;
  other.theme.accent.r = 0.5f;
  g_assert_true (trc_picture_differs (&picture, &other));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture/place", test_place_agrees_with_camera);
  g_test_add_func ("/picture/whole-pixels", test_whole_pixels);
  g_test_add_func ("/picture/margin", test_margin);
  g_test_add_func ("/picture/differs", test_differs);
  g_test_add_func ("/picture/last-wish", test_maker_keeps_the_last_wish);
  g_test_add_func ("/picture/freed-in-flight", test_maker_freed_in_flight);
  return g_test_run ();
}
