/* What every device does - counters, pool of buffers, cancelling, sticky loss - on the CPU
 * device, and what only the CPU device does. */
#include "compute/base/device_impl.h"
#include "compute/cpu/cpu_device.h"
#include "compute/error.h"

static void
test_counters (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (100), "a", NULL);
  g_autoptr (TrcTensor) b = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (100), "b", NULL);
  float got[100] = { 0 };
  TrcDeviceCounters c;

  g_assert_true (trc_tensor_write (b, got, sizeof got, NULL));
  g_assert_true (trc_op_copy (a, b, NULL));
  g_assert_true (trc_tensor_read (b, got, 100, NULL));
  c = trc_device_counters (dev);
  g_assert_cmpuint (c.dispatches, ==, 2); /* fill, copy */
  g_assert_cmpuint (c.submits, ==, 2);
  g_assert_cmpuint (c.allocations, ==, 2);
  g_assert_cmpuint (c.bytes_uploaded, ==, 400);
  g_assert_cmpuint (c.bytes_downloaded, ==, 400);
  g_assert_cmpuint (c.bytes_live, ==, 2 * 512);
  g_clear_pointer (&b, trc_tensor_unref);
  c = trc_device_counters (dev);
  g_assert_cmpuint (c.bytes_live, ==, 512);
  g_assert_cmpuint (c.bytes_peak, ==, 1024);
  g_assert_cmpuint (c.bytes_pooled, ==, 512);
}

static void
test_pool (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (100), "a", NULL);
      g_autoptr (TrcTensor) b = trc_tensor_zeros (dev, TRC_SHAPE (1000), "b", NULL);
      g_assert_true (a != NULL && b != NULL);
    }
  g_assert_cmpuint (trc_device_counters (dev).allocations, ==, 2);
  trc_device_trim (dev);
  g_assert_cmpuint (trc_device_counters (dev).bytes_pooled, ==, 0);
  g_autoptr (TrcTensor) c = trc_tensor_zeros (dev, TRC_SHAPE (100), "c", NULL);
  g_assert_cmpuint (trc_device_counters (dev).allocations, ==, 3);
}

static void
test_cancel (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (GCancellable) stop = g_cancellable_new ();
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (4), "a", NULL);
  g_autoptr (GError) error = NULL;

  trc_device_set_cancellable (dev, stop);
  g_assert_true (trc_op_set (a, 1.0f, &error));
  g_cancellable_cancel (stop);
  g_assert_false (trc_op_set (a, 2.0f, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_cmpuint (trc_device_counters (dev).dispatches, ==, 2);
  trc_device_set_cancellable (dev, NULL); /* cancelling is not for ever */
  g_assert_true (trc_op_set (a, 2.0f, &error));
}

static void
test_lost (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (4), "a", NULL);
  g_autoptr (GError) error = NULL;
  float got[4];

  g_assert_true (trc_device_status (dev, &error));
  g_assert_false (trc_device_set_lost (dev, "The device went away.", NULL));
  g_assert_false (trc_device_set_lost (dev, "A later message.", NULL));
  g_assert_false (trc_op_set (a, 1.0f, NULL));
  g_assert_false (trc_tensor_write (a, got, sizeof got, NULL));
  g_assert_false (trc_tensor_read (a, got, 4, NULL));
  g_assert_false (trc_device_sync (dev, NULL));
  g_assert_null (trc_tensor_new (dev, TRC_F32, TRC_SHAPE (4), "b", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  g_assert_cmpstr (error->message, ==, "The device went away.");
}

static void
test_names (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (2);
  TrcDeviceInfo *info = trc_cpu_device_info (TRUE);

  g_assert_cmpstr (trc_device_name (dev), ==, "CPU, 2 threads");
  g_assert_cmpint (trc_device_kind (dev), ==, TRC_DEVICE_CPU);
  g_assert_true (trc_device_sync (dev, NULL));
  g_assert_cmpstr (info->spec, ==, "cpu");
  g_assert_cmpuint (info->memory_bytes, >, 1 << 20);
  g_assert_true (info->is_auto);
  g_free (info->spec);
  g_free (info->name);
  g_free (info);
}

/* The same kernels with the same number of threads give the same bytes. */
static void
test_same_bytes (void)
{
  enum { N = 96 };
  g_autofree float *x = g_new (float, N *N), *first = g_new (float, N *N);
  g_autofree float *got = g_new (float, N *N);

  for (guint i = 0; i < N * N; i++)
    x[i] = (float)((i * 7919u) % 1000u) / 500.0f - 1.0f;
  for (guint pass = 0; pass < 6; pass++)
    {
      g_autoptr (TrcDevice) dev = trc_device_open_cpu (3);
      g_autoptr (TrcTensor) a =
          trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (N, N), x, N * N * 4, "a", NULL);
      g_autoptr (TrcTensor) b = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (N, N), "b", NULL);
      TrcMatmulParams p = { .m = N,
                            .n = N,
                            .k = N,
                            .ld_a = N,
                            .ld_b = N,
                            .ld_c = N,
                            .alpha = 0.1f,
                            .n_outer = 1,
                            .n_inner = 1,
                            .b_group = 1 };
      TrcSoftmaxParams s = { .rows = N, .cols = N, .ld_x = N, .ld_y = N, .scale = 1.0f };
      g_assert_true (trc_op_matmul (a, a, NULL, b, &p, NULL));
      g_assert_true (trc_op_softmax (b, b, &s, NULL));
      g_assert_true (trc_tensor_read (b, pass == 0 ? first : got, N * N, NULL));
      if (pass > 0)
        g_assert_cmpmem (first, N * N * 4, got, N * N * 4);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/cpu_device/counters", test_counters);
  g_test_add_func ("/compute/cpu_device/pool", test_pool);
  g_test_add_func ("/compute/cpu_device/cancel", test_cancel);
  g_test_add_func ("/compute/cpu_device/lost", test_lost);
  g_test_add_func ("/compute/cpu_device/names", test_names);
  g_test_add_func ("/compute/cpu_device/same-bytes", test_same_bytes);
  return g_test_run ();
}
