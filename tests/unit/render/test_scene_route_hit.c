#include "samples.h"

#include <math.h>
#include <string.h>

static void
test_empty (void)
{
  g_autoptr (TrcScene) scene = sample_empty ();
  guint n;

  trc_scene_boxes (scene, &n);
  g_assert_cmpuint (n, ==, 0);
  trc_scene_curves (scene, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpfloat (trc_scene_bounds (scene).w, ==, 0);
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 0, 0 }, 10), ==, -1);
  g_assert_cmpint (trc_scene_pick_curve (scene, (TrcPoint){ 0, 0 }, 10, TRUE), ==, -1);
  g_assert_cmpint (trc_scene_find (scene, 0, 0), ==, -1);
  g_assert_cmpint (trc_scene_step (scene, -1, 1, 0), ==, -1);
  g_assert_null (trc_scene_title (scene));
}

static void
test_order (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  guint n;
  const TrcCurve *curve = trc_scene_curves (scene, &n);
  const TrcSceneRow *row = trc_scene_rows (scene, NULL);

  g_assert_cmpuint (n, ==, 5);
  g_assert_true (curve[0].weave);
  for (guint i = 2; i < n; i++)
    {
      g_assert_false (curve[i].weave);
      g_assert_cmpfloat (curve[i - 1].rank, <=, curve[i].rank);
    }
  g_assert_cmpstr (row[0].label, ==, "logit"); /* from top to bottom */
  g_assert_true (trc_scene_columns (scene, NULL)[0].active);
}

/* Upward edges begin on the upper side of the source, end on the lower side of
 * the target, and do so vertically. */
static void
test_routes (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  const TrcBox *box = trc_scene_boxes (scene, NULL);
  guint n;
  const TrcCurve *curve = trc_scene_curves (scene, &n);

  for (guint i = 0; i < n; i++)
    {
      TrcRect a = trc_box_rect (&box[curve[i].from]), b = trc_box_rect (&box[curve[i].to]);
      const TrcPoint *p = curve[i].p;
      g_assert_cmpfloat_with_epsilon (p[0].y, a.y, 1e-9);
      g_assert_cmpfloat_with_epsilon (p[3].y, b.y + b.h, 1e-9);
      g_assert_cmpfloat (p[0].x, >=, a.x);
      g_assert_cmpfloat (p[0].x, <=, a.x + a.w);
      g_assert_cmpfloat_with_epsilon (p[1].x, p[0].x, 1e-9);
      g_assert_cmpfloat_with_epsilon (p[2].x, p[3].x, 1e-9);
      g_assert_cmpfloat (p[1].y, <=, p[0].y);
      g_assert_cmpfloat (p[2].y, >=, p[3].y);
    }
}

/* On a wide box ends stand side by side in the order of their other ends. */
static void
test_ports_do_not_cross (void)
{
  TrcSceneBuilder *b = trc_scene_builder_new ();
  TrcBox card = { .at = { 100, 0 }, .w = 120, .h = 30, .shape = TRC_BOX_CARD, .parent = -1 };

  trc_scene_builder_box (b, &card);
  for (int i = 0; i < 6; i++)
    {
      TrcBox dot = { .at = { (i * 5 % 6) * 40.0, 100 }, .w = 8, .h = 8, .parent = -1 };
      TrcSceneEdge edge = {
        trc_scene_builder_box (b, &dot), 0, 0.1 * i, 0.1 * i, 0.1, 4, FALSE
      };
      trc_scene_builder_edge (b, &edge);
    }
  g_autoptr (TrcScene) scene = trc_scene_builder_end (b);
  guint n;
  const TrcCurve *curve = trc_scene_curves (scene, &n);
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++)
      if (curve[i].p[0].x < curve[j].p[0].x)
        g_assert_cmpfloat (curve[i].p[3].x, <, curve[j].p[3].x);
}

static void
test_pick (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();

  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 151, 97 }, 6), ==, S_INNER);
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 159, 96 }, 6), ==, S_INNER); /* reach */
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 175, 75 }, 6), ==, S_FRAME);
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 100, 150 }, 6), ==, S_CARD);
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ 500, 500 }, 10), ==, -1);
  g_assert_cmpint (trc_scene_pick (scene, (TrcPoint){ NAN, 0 }, 10), ==, -1);
}

/* The grid finds what a scan of all boxes finds. */
static void
test_pick_against_scan (void)
{
  g_autoptr (TrcScene) scene = sample_many (2000);
  guint n;
  const TrcBox *box = trc_scene_boxes (scene, &n);
  TrcRect bounds = trc_scene_bounds (scene);

  for (int k = 0; k < 2000; k++)
    {
      TrcPoint at = { g_test_rand_double_range (bounds.x - 20, bounds.x + bounds.w + 20),
                      g_test_rand_double_range (bounds.y - 20, bounds.y + bounds.h + 20) };
      double best = 8, d = G_MAXDOUBLE;
      for (guint i = 0; i < n; i++)
        d = MIN (d, MAX (0.0, hypot (at.x - box[i].at.x, at.y - box[i].at.y) - 4));
      gint32 hit = trc_scene_pick (scene, at, best);
      if (d > best)
        g_assert_cmpint (hit, ==, -1);
      else
        {
          g_assert_cmpint (hit, >=, 0);
          double got = MAX (0.0, hypot (at.x - box[hit].at.x, at.y - box[hit].at.y) - 4);
          g_assert_cmpfloat_with_epsilon (got, d, 1e-9);
        }
    }
}

static void
test_pick_curve (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  const TrcCurve *curve = trc_scene_curves (scene, NULL);
  guint n;
  const guint32 *of = trc_scene_curves_of (scene, S_TOKEN, &n);
  const TrcPoint *p = curve[of[0]].p;
  TrcPoint middle = { (p[0].x + 3 * p[1].x + 3 * p[2].x + p[3].x) / 8 + 4,
                      (p[0].y + 3 * p[1].y + 3 * p[2].y + p[3].y) / 8 };
  gint32 hit = trc_scene_pick_curve (scene, middle, 10, FALSE);

  g_assert_cmpint (hit, >=, 0);
  g_assert_cmpint (curve[hit].from, ==, S_TOKEN);
  g_assert_cmpint (trc_scene_pick_curve (scene, (TrcPoint){ 500, 10 }, 10, TRUE), ==, -1);

  TrcPoint on_thread = { 320, 190 };
  g_assert_cmpint (trc_scene_pick_curve (scene, on_thread, 6, FALSE), ==, -1);
  hit = trc_scene_pick_curve (scene, on_thread, 6, TRUE);
  g_assert_cmpint (hit, >=, 0);
  g_assert_true (curve[hit].weave);
}

static void
test_neighbours (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();
  const TrcCurve *curve = trc_scene_curves (scene, NULL);
  guint n;
  const guint32 *of = trc_scene_curves_of (scene, S_LOGIT, &n);

  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpint (curve[of[0]].from, ==, S_INNER); /* the strongest first */
  g_assert_cmpint (curve[of[1]].from, ==, S_CARD);
  g_assert_cmpint (curve[of[2]].from, ==, S_ERROR);
}

static void
test_find_and_step (void)
{
  g_autoptr (TrcScene) scene = sample_circuit ();

  g_assert_cmpint (trc_scene_find (scene, 1, 1), ==, S_CARD);
  g_assert_cmpint (trc_scene_find (scene, 0, 3), ==, S_LOGIT);
  g_assert_cmpint (trc_scene_find (scene, 2, 0), ==, -1);
  g_assert_cmpint (trc_scene_step (scene, S_OTHER, 0, 1), ==, S_CARD);
  g_assert_cmpint (trc_scene_step (scene, S_OTHER, -1, 0), ==, S_INNER);
  g_assert_cmpint (trc_scene_step (scene, S_CARD, 0, 1), ==, S_TOKEN);
  g_assert_cmpint (trc_scene_step (scene, S_LOGIT, 0, -1), ==, -1);

  g_autoptr (GArray) in = trc_scene_boxes_in (scene, (TrcRect){ 140, 86, 20, 20 });
  g_assert_cmpuint (in->len, ==, 2); /* the frame and its member */
}

/* Whatever a file calls a node, the scene holds UTF-8. */
static void
test_bad_text (void)
{
  TrcSceneBuilder *b = trc_scene_builder_new ();
  TrcBox box = { .parent = -1,
                 .w = -5,
                 .h = NAN,
                 .label = "a\xff"
                          "b",
                 .fill = 9 };

  trc_scene_builder_box (b, &box);
  trc_scene_builder_words (b, "\xc3", NULL, NULL);
  g_autoptr (TrcScene) scene = trc_scene_builder_end (b);
  g_assert_true (g_utf8_validate (trc_scene_boxes (scene, NULL)[0].label, -1, NULL));
  g_assert_true (g_utf8_validate (trc_scene_title (scene), -1, NULL));
  g_assert_cmpfloat (trc_scene_boxes (scene, NULL)[0].w, ==, 0);
  g_assert_cmpfloat (trc_scene_boxes (scene, NULL)[0].fill, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scene/empty", test_empty);
  g_test_add_func ("/scene/order", test_order);
  g_test_add_func ("/scene/routes", test_routes);
  g_test_add_func ("/scene/ports-do-not-cross", test_ports_do_not_cross);
  g_test_add_func ("/scene/pick", test_pick);
  g_test_add_func ("/scene/pick-against-scan", test_pick_against_scan);
  g_test_add_func ("/scene/pick-curve", test_pick_curve);
  g_test_add_func ("/scene/neighbours", test_neighbours);
  g_test_add_func ("/scene/find-and-step", test_find_and_step);
  g_test_add_func ("/scene/bad-text", test_bad_text);
  return g_test_run ();
}
