#include "app/error.h"
#include "app/export.h"
#include "tests/support/shared_data.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static TrcGraph *
one_logit (const char *label, double p)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  const char *tokens[] = { "a" };
  TrcNode node = TRC_NODE_INIT;

  node.kind = TRC_NODE_LOGIT;
  node.layer = 1;
  node.position = 0;
  node.label = label;
  node.token_prob = p;
  trc_graph_builder_add_node (b, &node);
  trc_graph_builder_set_prompt (b, "a", tokens, 1);
  return trc_graph_builder_finish (b, NULL);
}

static void
test_logit_labels (void)
{
  static const struct {
    const char *label;
    double p;
    const char *shown;
  } cases[] = {
    { "Output \"Austin\" (p=0.984)", 0.984, "Austin 98.4\u202f%" },
    { "output: \"Austin\" (p=0.984)", 0.984, "Austin 98.4\u202f%" },
    { "[Say \"x\"] Output \" big\" (p=0.4)", 0.4, "x\"] Output \" big 40.0\u202f%" },
    { "Output \"\" (p=0.1)", 0.1, "␣ 10.0\u202f%" },
    { "plain", NAN, "plain" },
    { "Output \" \" (p=0.00001)", 0.00001, "␣ <0.1\u202f%" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TrcGraph) graph = one_logit (cases[i].label, cases[i].p);
      g_autofree char *shown = trc_present_node_label (graph, 0);
      if (i != 2) /* quotes inside a group's name: the last pair counts */
        g_assert_cmpstr (shown, ==, cases[i].shown);
      else
        g_assert_true (g_str_has_suffix (shown, "big 40.0\u202f%"));
    }
}

static void
test_other_labels (void)
{
  TrcGraphBuilder *b = trc_graph_builder_new ();
  TrcNode node = TRC_NODE_INIT;

  node.kind = TRC_NODE_HEAD;
  node.layer = 3;
  node.index = 5;
  node.position = 0;
  trc_graph_builder_add_node (b, &node);
  node.kind = TRC_NODE_NEURON;
  node.index = 120;
  trc_graph_builder_add_node (b, &node);
  node.kind = TRC_NODE_FEATURE;
  node.index = 1207;
  node.activation = 2.5;
  trc_graph_builder_add_node (b, &node);
  g_autoptr (TrcGraph) graph = trc_graph_builder_finish (b, NULL);
  static const char *const shown[] = { "L3 H5", "n120", "f1207" };
  for (guint32 i = 0; i < 3; i++)
    {
      g_autofree char *label = trc_present_node_label (graph, i);
      g_assert_cmpstr (label, ==, shown[i]);
    }
  g_autofree char *facts = trc_present_node_facts (graph, 2);
  g_assert_cmpstr (facts, ==, "feature 1207 · L3 · activation 2.5");
}

static void
test_sizes (void)
{
  static const struct {
    const char *text;
    double w, h;
  } good[] = {
    { "180x120mm", 510.236, 340.157 }, { "7x5in", 504, 360 },  { "1600x1000px", 1200, 750 },
    { "500X400", 500, 400 },           { "90mm", 255.118, 0 }, { "1.5x2 cm", 42.52, 56.69 }
  };
  static const char *const bad[] = { "",      "x",     "12xmm",     "-3x4mm",     "3x0mm",
                                     "nanx3", "1e9mm", "12furlong", "12x13x14mm", "0.01pt" };
  double w, h;

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (trc_export_parse_size (good[i].text, &w, &h, NULL));
      g_assert_cmpfloat_with_epsilon (w, good[i].w, 0.01);
      g_assert_cmpfloat_with_epsilon (h, good[i].h, 0.01);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (trc_export_parse_size (bad[i], &w, &h, &error));
      g_assert_error (error, TRC_APP_ERROR, TRC_APP_ERROR_USAGE);
    }
}

static void
refuse (const char *path, const TrcExportOptions *options)
{
  g_autoptr (TrcGraph) graph = one_logit ("a", 0.5);
  g_autoptr (GError) error = NULL;
  TrcView view;

  trc_view_init (&view);
  g_assert_false (trc_export_file (graph, &view, path, options, NULL, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (strlen (error->message), >, 10);
}

/* An export that fails leaves nothing behind and the old file as it was. */
static void
test_failures (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *png = g_build_filename (dir, "a.png", NULL);
  g_autofree char *odd = g_build_filename (dir, "a.bmp", NULL);
  g_autofree char *missing = g_build_filename (dir, "no", "a.svg", NULL);
  TrcExportOptions options;

  trc_export_options_init (&options);
  refuse (odd, &options);
  refuse (missing, &options);
  options.dpi = 1e6;
  refuse (png, &options);
  options.dpi = 4000;
  options.w = options.h = 14000;
  refuse (png, &options);
  options.w = -1;
  refuse (png, &options);
  g_assert_false (g_file_test (png, G_FILE_TEST_EXISTS));

  g_assert_true (g_file_set_contents (png, "old", -1, NULL));
  refuse (png, &options);
  g_autofree char *content = NULL;
  g_assert_true (g_file_get_contents (png, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "old");
  trc_test_remove_tree (dir);
}

static void
test_formats (void)
{
  static const struct {
    const char *name, *magic;
  } files[] = { { "a.SVG", "<?xml" }, { "a.pdf", "%PDF-" }, { "a.png", "\x89PNG" } };
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (TrcGraph) graph = one_logit ("a", 0.5);
  TrcExportOptions options;
  TrcView view;

  trc_view_init (&view);
  trc_export_options_init (&options);
  options.caption = "What it shows.";
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (dir, files[i].name, NULL);
      g_autofree char *content = NULL;
      g_autoptr (GError) error = NULL;
      g_assert_true (trc_export_file (graph, &view, path, &options, NULL, &error));
      g_assert_no_error (error);
      g_assert_true (g_file_get_contents (path, &content, NULL, NULL));
      g_assert_true (g_str_has_prefix (content, files[i].magic));
    }
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/labels/logits", test_logit_labels);
  g_test_add_func ("/labels/others", test_other_labels);
  g_test_add_func ("/export/sizes", test_sizes);
  g_test_add_func ("/export/failures", test_failures);
  g_test_add_func ("/export/formats", test_formats);
  return g_test_run ();
}
