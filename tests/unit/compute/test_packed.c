#include "compute/base/packed.h"

#include "compute/formats/gguf.h"
#include "compute/base/half.h"
#include "compute/json.h"
#include "tests/support/shared_data.h"

#include <math.h>

/* Every half there is goes to f32 and back unchanged. */
static void
test_half (void)
{
  for (guint h = 0; h < 65536; h++)
    {
      float f = trc_half_to_float ((guint16)h);
      if (isnan (f))
        g_assert_true (isnan (trc_half_to_float (trc_float_to_half (f))));
      else
        g_assert_cmpuint (trc_float_to_half (f), ==, h);
    }
  g_assert_cmpuint (trc_float_to_half (1e9f), ==, 0x7c00);
  g_assert_cmpuint (trc_float_to_half (1e-9f), ==, 0);
  g_assert_cmpuint (trc_float_to_half (1 + 0x1p-11f), ==, 0x3c00); /* tie to even */
  g_assert_cmpuint (trc_float_to_half (1 + 3 * 0x1p-11f), ==, 0x3c02);
}

/* Packing and expanding loses no more than the type must: half a step, and the
 * rounding of the scale. */
static void
test_pack (void)
{
  static const struct {
    TrcDType type;
    float loss; /* as a share of the block's largest magnitude, 1 here */
  } cases[] = { { TRC_F32, 0 },        { TRC_F16, 0x1p-11f }, { TRC_BF16, 0x1p-8f },
                { TRC_Q8_0, 0.0045f }, { TRC_Q4_0, 0.127f },  { TRC_Q4_1, 0.068f } };
  float in[64], out[64];
  guint8 packed[64 * 4];

  for (int i = 0; i < 64; i++)
    in[i] = sinf ((float)i * 1.7f) * (i < 32 ? 1.f : 0.01f);
  for (guint k = 0; k < G_N_ELEMENTS (cases); k++)
    {
      g_assert_true (trc_packed_write (cases[k].type, in, 64, packed));
      trc_packed_expand (cases[k].type, packed, 64, out);
      for (int i = 0; i < 64; i++)
        g_assert_cmpfloat (fabsf (out[i] - in[i]), <=, cases[k].loss * (i < 32 ? 1.f : 0.01f));
    }
}

/* A block written by hand for each five-bit type. */
static void
test_five_bits (void)
{
  guint8 block[24] = { 0 };
  float out[32];
  guint16 one = 0x3c00, two = 0x4000;

  memcpy (block, &one, 2);
  block[2 + 0] = 0x01; /* fifth bit of element 0 */
  block[2 + 2] = 0x02; /* and of element 17 */
  block[6] = 0x03;     /* element 0: 3, element 16: 0 */
  block[7] = 0x50;     /* element 1: 0, element 17: 5 */
  trc_packed_expand (TRC_Q5_0, block, 32, out);
  g_assert_cmpfloat (out[0], ==, 3);
  g_assert_cmpfloat (out[1], ==, -16);
  g_assert_cmpfloat (out[16], ==, -16);
  g_assert_cmpfloat (out[17], ==, 5);

  memmove (block + 8, block + 6, 16);
  memmove (block + 4, block + 2, 4);
  memcpy (block + 2, &two, 2);
  trc_packed_expand (TRC_Q5_1, block, 32, out);
  g_assert_cmpfloat (out[0], ==, 19 + 2);
  g_assert_cmpfloat (out[1], ==, 2);
  g_assert_cmpfloat (out[17], ==, 21 + 2);
}

/* k-quants against values another program dequantised. */
static void
test_k_quants (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = trc_test_shared ("data/models/hf-tiny-fixtures/tiny_kquant.gguf");
  g_autofree char *ref = trc_test_shared ("data/models/hf-tiny-fixtures/tiny_kquant_ref.json");
  static const char *const names[] = { "Q4_K", "Q5_K", "Q6_K" };
  static const TrcDType types[] = { TRC_Q4_K, TRC_Q5_K, TRC_Q6_K };

  if (path == NULL || ref == NULL)
    return;
  g_autoptr (JsonNode) root = trc_json_read (ref, 1 << 20, &error);
  g_assert_no_error (error);
  JsonObject *values = trc_json_object (json_node_get_object (root), "dequant");
  g_autofree char *data = NULL;
  gsize len;
  g_assert_true (g_file_get_contents (path, &data, &len, NULL));
  for (guint k = 0; k < G_N_ELEMENTS (names); k++)
    {
      /* the file also holds a Q2_K tensor, which Tracery refuses, so its bytes are read here */
      static const gsize offsets[] = { 4096, 4672, 5376 };
      float out[1024];
      JsonArray *expected = trc_json_array (values, names[k]);
      g_assert_nonnull (expected);
      gsize start = len - (6240 + 352) + offsets[k];
      trc_packed_expand (types[k], (guint8 *)data + start, 1024, out);
      for (guint i = 0; i < 1024; i++)
        g_assert_cmpfloat_with_epsilon (out[i], json_array_get_double_element (expected, i),
                                        1e-5);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/packed/half", test_half);
  g_test_add_func ("/packed/pack", test_pack);
  g_test_add_func ("/packed/five-bits", test_five_bits);
  g_test_add_func ("/packed/k-quants", test_k_quants);
  return g_test_run ();
}
