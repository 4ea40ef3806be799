/* Shapes, views, host copies and sizes that do not fit. */
#include "compute/tensor.h"

static const float six[] = { 0, 1, 2, 3, 4, 5 };

static void
test_views (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) t =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (3, 2), six, sizeof six, "six", NULL);
  g_autoptr (TrcTensor) rows = trc_tensor_rows (t, 1, 2);
  g_autoptr (TrcTensor) flat = trc_tensor_reshape (rows, TRC_SHAPE (4));
  g_autoptr (TrcTensor) last = trc_tensor_rows (flat, 3, 1);
  float got[4];

  g_assert_cmpuint (trc_tensor_dim (rows, 0), ==, 2);
  g_assert_cmpuint (trc_tensor_dim (rows, -1), ==, 2);
  g_assert_cmpuint (trc_tensor_dim (rows, 5), ==, 1);
  g_assert_true (trc_tensor_read (flat, got, 4, NULL));
  g_assert_cmpfloat (got[0], ==, 2.0f);
  g_assert_true (trc_tensor_write (last, &(float){ 9.0f }, 4, NULL));
  g_clear_pointer (&t, trc_tensor_unref); /* the views keep the memory */
  g_clear_pointer (&flat, trc_tensor_unref);
  g_assert_true (trc_tensor_read (rows, got, 4, NULL));
  g_assert_cmpfloat (got[3], ==, 9.0f);
  g_assert_cmpfloat (got[2], ==, 4.0f);
}

static void
test_parts (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) t =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (6), six, sizeof six, "six", NULL);
  g_autoptr (TrcTensor) zeros = trc_tensor_zeros (dev, TRC_SHAPE (2, 2), "zeros", NULL);
  static const gint32 ids[] = { -1, G_MAXINT32, 7 };
  g_autoptr (TrcTensor) i =
      trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (3), ids, sizeof ids, "ids", NULL);
  float got[4] = { 0 };
  gint32 back[3];

  g_assert_true (trc_tensor_write_part (t, 2, (float[]){ 20, 30 }, 2, NULL));
  g_assert_true (trc_tensor_read_part (t, 1, got, 4, NULL));
  g_assert_cmpmem (got, sizeof got, ((float[]){ 1, 20, 30, 4 }), sizeof got);
  g_assert_true (trc_tensor_read (zeros, got, 4, NULL));
  g_assert_cmpmem (got, sizeof got, ((float[]){ 0, 0, 0, 0 }), sizeof got);
  g_assert_true (trc_tensor_read_i32 (i, back, 3, NULL));
  g_assert_cmpmem (back, sizeof back, ids, sizeof ids);
}

static void
test_wrong_range (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) t = trc_tensor_zeros (dev, TRC_SHAPE (6), "six", NULL);
  float got[8];

  for (guint i = 0; i < 4; i++)
    {
      g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*assertion*");
      if (i == 0)
        g_assert_false (trc_tensor_read (t, got, 8, NULL));
      else if (i == 1)
        g_assert_false (trc_tensor_read_part (t, 5, got, 2, NULL));
      else if (i == 2)
        g_assert_null (trc_tensor_rows (t, 5, 2));
      else
        g_assert_null (trc_tensor_reshape (t, TRC_SHAPE (7)));
      g_test_assert_expected_messages ();
    }
}

static void
test_sizes (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcTensor) empty = trc_tensor_zeros (dev, TRC_SHAPE (0, 5), "empty", &error);
  g_autoptr (TrcTensor) scalar = trc_tensor_zeros (dev, (TrcShape){ 0 }, "scalar", &error);
  g_autoptr (TrcTensor) q8 = trc_tensor_new (dev, TRC_Q8_0, TRC_SHAPE (2, 64), "q8", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (trc_tensor_n (empty), ==, 0);
  g_assert_true (trc_tensor_read (empty, NULL, 0, &error));
  g_assert_cmpuint (trc_tensor_n (scalar), ==, 1);
  g_assert_cmpuint (trc_tensor_bytes (q8), ==, 2 * 2 * 34);
  g_assert_cmpstr (trc_dtype_info (TRC_Q8_0)->name, ==, "q8_0");

  g_assert_null (trc_tensor_new (dev, TRC_Q4_0, TRC_SHAPE (2, 33), "odd", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (trc_tensor_new (
      dev, TRC_F32, TRC_SHAPE (G_MAXUINT32, G_MAXUINT32, G_MAXUINT32), "huge", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_true (g_str_has_prefix (error->message, "huge"));
  g_clear_error (&error);
  g_assert_null (trc_tensor_new (dev, TRC_F32, TRC_SHAPE (1u << 31, 1u << 31), "big", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tensor/views", test_views);
  g_test_add_func ("/compute/tensor/parts", test_parts);
  g_test_add_func ("/compute/tensor/wrong-range", test_wrong_range);
  g_test_add_func ("/compute/tensor/sizes", test_sizes);
  return g_test_run ();
}
