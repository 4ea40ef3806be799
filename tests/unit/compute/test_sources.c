/* The table of tensors over all formats: types are expanded, owners freed, names replaced. */
#include "compute/models/sources.h"

#include "tests/support/shared_data.h"

#include <string.h>

static void
count (gpointer data)
{
  (*(guint *)data)++;
}

static void
test_table (void)
{
  TrcSources *sources = trc_sources_new ();
  guint freed = 0;
  char name[] = "a";
  const TrcSource first = { .name = name, .n_elements = 1 };
  const TrcSource second = { .name = "a", .n_elements = 2 };

  trc_sources_take (sources, &freed, count);
  trc_sources_take (sources, &freed, count);
  trc_sources_add (sources, &first);
  name[0] = 'b';
  g_assert_cmpuint (trc_sources_find (sources, "a")->n_elements, ==, 1);
  g_assert_null (trc_sources_find (sources, "b"));
  trc_sources_add (sources, &second);
  g_assert_cmpuint (trc_sources_find (sources, "a")->n_elements, ==, 2);
  g_assert_cmpuint (freed, ==, 0);
  trc_sources_free (sources);
  g_assert_cmpuint (freed, ==, 2);
  trc_sources_free (NULL);
}

static void
test_types (void)
{
  const double doubles[2] = { 1.5, -2.25 };
  const guint16 halves[3] = { 0x3c00, 0xc000, 0x3800 };
  guint8 q8[2 * 34] = { 0 };
  float out[32];

  g_assert_true (trc_source_to_f32 (
      &(TrcSource){ .is_f64 = TRUE, .n_elements = 2, .data = (const guint8 *)doubles }, 1, 1,
      out));
  g_assert_cmpfloat (out[0], ==, -2.25f);
  g_assert_true (trc_source_to_f32 (
      &(TrcSource){ .dtype = TRC_F16, .n_elements = 3, .data = (const guint8 *)halves }, 1, 2,
      out));
  g_assert_cmpfloat (out[0], ==, -2);
  g_assert_cmpfloat (out[1], ==, 0.5f);
  q8[34] = 0x00, q8[35] = 0x3c; /* scale 1 of the second block */
  for (guint i = 0; i < 32; i++)
    q8[36 + i] = (guint8)(i - 16);
  g_assert_true (trc_source_to_f32 (
      &(TrcSource){ .dtype = TRC_Q8_0, .n_elements = 64, .data = q8 }, 32, 32, out));
  for (guint i = 0; i < 32; i++)
    g_assert_cmpfloat (out[i], ==, (float)i - 16);
}

static void
test_folder (void)
{
  g_autofree char *folder = trc_test_source ("data/models/modadd-113");
  TrcSources *sources = trc_sources_new ();
  g_autoptr (GError) error = NULL;
  const TrcSource *w;

  g_assert_true (trc_sources_add_folder (sources, folder, &error));
  g_assert_no_error (error);
  w = trc_sources_find (sources, "transformer.h.0.attn.c_attn.weight");
  g_assert_true (w->n_axes == 2 && w->shape[0] == 128 && w->shape[1] == 384);
  g_assert_false (trc_sources_add_folder (sources, "/nowhere", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_NOT_FOUND);
  trc_sources_free (sources);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sources/table", test_table);
  g_test_add_func ("/sources/types", test_types);
  g_test_add_func ("/sources/folder", test_folder);
  return g_test_run ();
}
