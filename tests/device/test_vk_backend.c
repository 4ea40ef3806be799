#include "compute/error.h"
#include "tests/device/vk_fixture.h"

#include <math.h>
#include <string.h>

static TrcTensor *
tensor_of (TrcVkBackend *b, guint32 n, float first)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *data = g_new (float, n);

  for (guint32 i = 0; i < n; i++)
    data[i] = first + (float)i;
  TrcTensor *tensor =
      trc_tensor_from_data (&b->base, TRC_F32, TRC_SHAPE (n), data, n * 4, "a test", &error);
  g_assert_no_error (error);
  return tensor;
}

static void
test_counters (void)
{
  TrcVkBackend *b = vk_fixture_open (NULL);
  float got[100];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 100, 0);
  g_autoptr (TrcTensor) y = tensor_of (b, 100, 1000);
  for (int i = 0; i < 5; i++)
    g_assert_true (trc_op_add_scaled (x, 1.0f, y, NULL));
  TrcDeviceCounters c = trc_device_counters (&b->base);
  g_assert_cmpuint (c.dispatches, ==, 5);
  g_assert_cmpuint (c.submits, ==, 0); /* still collecting */
  g_assert_cmpuint (c.bytes_uploaded, ==, 800);
  g_assert_cmpuint (c.bytes_live, ==, 1024);
  g_assert_true (trc_tensor_read (y, got, 100, NULL));
  g_assert_cmpfloat (got[99], ==, 1099 + 5 * 99);
  c = trc_device_counters (&b->base);
  g_assert_cmpuint (c.submits, ==, 1);
  g_assert_cmpuint (c.bytes_downloaded, ==, 400);
  for (int i = 0; i < 250; i++)
    g_assert_true (trc_op_add_scaled (x, 1.0f, y, NULL));
  c = trc_device_counters (&b->base);
  g_assert_cmpuint (c.submits, ==, 3); /* about one a hundred dispatches */
  g_clear_pointer (&x, trc_tensor_unref);
  g_clear_pointer (&y, trc_tensor_unref);
  g_assert_cmpuint (trc_device_counters (&b->base).bytes_live, ==, 0);
  vk_fixture_close (b);
}

/* A tensor that dies while its kernel is queued, and whose memory is written again at once. */
static void
test_recycled_in_flight (void)
{
  TrcVkBackend *b = vk_fixture_open (NULL);
  float got[64];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) sum = tensor_of (b, 64, 0);
  g_assert_true (trc_op_set (sum, 0, NULL));
  for (int i = 0; i < 300; i++)
    {
      g_autoptr (TrcTensor) x = tensor_of (b, 64, (float)i);
      g_assert_true (trc_op_add_scaled (x, 1.0f, sum, NULL));
    }
  g_assert_true (trc_tensor_read (sum, got, 64, NULL));
  for (int j = 0; j < 64; j++)
    g_assert_cmpfloat (got[j], ==, 299 * 300 / 2 + 300 * j);
  g_clear_pointer (&sum, trc_tensor_unref);
  vk_fixture_close (b);
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcVkBackend *b = vk_fixture_open (NULL);
  float got[8];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 8, 1);
  trc_device_set_cancellable (&b->base, cancellable);
  g_assert_true (trc_op_set (x, 3, &error));
  g_cancellable_cancel (cancellable);
  g_assert_false (trc_op_set (x, 4, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (trc_device_sync (&b->base, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  trc_device_set_cancellable (&b->base, NULL); /* and the device goes on */
  g_assert_true (trc_tensor_read (x, got, 8, &error));
  g_assert_cmpfloat (got[0], ==, 3);
  g_clear_pointer (&x, trc_tensor_unref);
  vk_fixture_close (b);
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (50 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

/* Somebody else cancels in the middle of much work: the next call stops, the rest is not
 * queued, and the device can be used again. */
static void
test_cancel_midway (void)
{
  const TrcMatmulParams p = { .m = 96,
                              .n = 96,
                              .k = 96,
                              .ld_a = 96,
                              .ld_b = 96,
                              .ld_c = 96,
                              .alpha = 1,
                              .n_outer = 1,
                              .n_inner = 1,
                              .b_group = 1 };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  TrcVkBackend *b = vk_fixture_open (NULL);
  guint queued = 0;

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 96 * 96, 0);
  g_autoptr (TrcTensor) y = tensor_of (b, 96 * 96, 0);
  trc_device_set_cancellable (&b->base, cancellable);
  GThread *other = g_thread_new ("cancel", cancel_soon, cancellable);
  while (queued < 1000000 && trc_op_matmul (x, x, NULL, y, &p, &error))
    queued++;
  g_thread_join (other);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (queued, <, 1000000);
  trc_device_set_cancellable (&b->base, NULL);
  g_clear_error (&error);
  g_assert_true (trc_device_sync (&b->base, &error));
  g_clear_pointer (&x, trc_tensor_unref);
  g_clear_pointer (&y, trc_tensor_unref);
  vk_fixture_close (b);
}

/* A loss in @function is one sentence, then every call fails the same way, and closing the
 * device leaks nothing (the validation layer and the sanitizer would tell). */
static void
lose_at (const char *function)
{
  VkTrouble trouble = { function, VK_ERROR_DEVICE_LOST };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;
  float got[8];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 8, 1);
  g_assert_true (trc_op_set (x, 3, &error));
  g_assert_true (trc_device_sync (&b->base, &error));
  g_assert_true (trc_op_set (x, 4, &error));
  trouble.armed = TRUE;
  g_assert_false (trc_tensor_read (x, got, 8, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  g_assert_nonnull (strstr (error->message, "CPU device"));
  trouble.armed = FALSE;

  for (int i = 0; i < 5; i++)
    {
      g_autoptr (GError) again = NULL;
      gboolean ok = i == 0   ? trc_op_set (x, 4, &again)
                    : i == 1 ? trc_tensor_read (x, got, 8, &again)
                    : i == 2 ? trc_tensor_write (x, got, 32, &again)
                    : i == 3 ? trc_device_sync (&b->base, &again)
                             : trc_device_status (&b->base, &again);
      g_assert_false (ok);
      g_assert_error (again, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
      g_assert_cmpstr (again->message, ==, error->message);
    }
  g_assert_null (trc_tensor_new (&b->base, TRC_F32, TRC_SHAPE (4), "late", NULL));
  g_clear_pointer (&x, trc_tensor_unref);
  b->device.instance.api.DeviceWaitIdle (b->device.device); /* it only pretended */
  vk_fixture_close (b);
}

static void
test_lost_in_submit (void)
{
  lose_at ("QueueSubmit");
}

static void
test_lost_in_wait (void)
{
  lose_at ("WaitSemaphores");
}

static void
test_out_of_memory (void)
{
  VkTrouble trouble = { "AllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;

  if (b == NULL)
    return;
  trouble.armed = TRUE;
  g_assert_null (
      trc_tensor_new (&b->base, TRC_F32, TRC_SHAPE (64, 1024, 1024), "the weights", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "the weights"));
  g_assert_nonnull (strstr (error->message, "256"));
  trouble.armed = FALSE;
  g_clear_error (&error);
  g_assert_true (trc_device_status (&b->base, &error)); /* the device lives on */
  g_autoptr (TrcTensor) small = tensor_of (b, 8, 0);
  g_clear_pointer (&small, trc_tensor_unref);
  vk_fixture_close (b);
}

/* Memory that runs out in the middle of recording is an error of that call alone. */
static void
test_out_of_sets (void)
{
  VkTrouble trouble = { "AllocateDescriptorSets", VK_ERROR_OUT_OF_POOL_MEMORY };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;
  float got[8];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 8, 1);
  g_assert_true (trc_op_set (x, 3, &error));
  trouble.armed = TRUE;
  g_assert_false (trc_op_set (x, 4, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  trouble.armed = FALSE;
  g_assert_true (trc_tensor_read (x, got, 8, NULL));
  g_assert_cmpfloat (got[0], ==, 3);
  g_clear_pointer (&x, trc_tensor_unref);
  vk_fixture_close (b);
}

/* An artificial budget: the pool is given up, retired blocks are waited for. */
static void
test_budget (void)
{
  const TrcVkParams params = { .memory_limit = 8 << 20 };
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;

  if (b == NULL)
    return;
  for (guint32 i = 0; i < 12; i++)
    {
      /* Every size is new, so the pool never has one and must be emptied. */
      g_autoptr (TrcTensor) x =
          trc_tensor_new (&b->base, TRC_F32, TRC_SHAPE ((900 << 10) + i * 1024), "big", &error);
      g_assert_no_error (error);
      g_assert_true (trc_op_set (x, (float)i, &error));
      g_assert_no_error (error);
    }
  g_assert_null (trc_tensor_new (&b->base, TRC_F32, TRC_SHAPE (3 << 20), "too big", &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  vk_fixture_close (b);
}

/* A row that one binding cannot hold is refused with a sentence; nothing else suffers. */
static void
test_too_long_a_row (void)
{
  const TrcVkParams params = { .max_bind_bytes = 4096 };
  TrcVkBackend *b = vk_fixture_open (&params);
  g_autoptr (GError) error = NULL;
  float got;

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 2000, 1);
  g_autoptr (TrcTensor) sum = tensor_of (b, 1, 5);
  TrcReduceParams p = { .rows = 1, .cols = 2000, .ld_a = 2000, .alpha = 1 };
  g_assert_false (trc_op_sum_rows (x, sum, &p, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "sum_rows"));
  p.cols = 1000;
  g_clear_error (&error);
  g_assert_true (trc_op_sum_rows (x, sum, &p, &error));
  g_assert_true (trc_tensor_read (sum, &got, 1, &error));
  g_assert_cmpfloat (got, ==, 500500);
  g_clear_pointer (&x, trc_tensor_unref);
  g_clear_pointer (&sum, trc_tensor_unref);
  vk_fixture_close (b);
}

/* GPT-2's embedding, 147 MiB, is more than llvmpipe binds: looked up and multiplied with all
 * the same, in pieces, with the real limit of the device. */
static void
test_large_embedding (void)
{
  enum { VOCAB = 50257, D = 768, N = 4 };
  static const gint32 ids[N] = { 0, 44000, 50256, -1 };
  const TrcEmbedParams look = { .n = N, .d = D, .n_table = VOCAB, .ld_table = D, .ld_out = D };
  const TrcMatmulParams mul = { .m = N,
                                .n = VOCAB,
                                .k = D,
                                .ld_a = D,
                                .ld_b = D,
                                .ld_c = VOCAB,
                                .trans_b = 1,
                                .alpha = 1,
                                .n_outer = 1,
                                .n_inner = 1,
                                .b_group = 1 };
  TrcVkBackend *b = vk_fixture_open (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree float *row = g_new (float, D);
  g_autofree float *logits = g_new (float, N *VOCAB);

  if (b == NULL)
    return;
  TrcDevice *dev = &b->base;
  g_autoptr (TrcTensor) table =
      trc_tensor_new (dev, TRC_F32, TRC_SHAPE (VOCAB, D), "embedding", &error);
  g_autoptr (TrcTensor) which =
      trc_tensor_from_data (dev, TRC_I32, TRC_SHAPE (N), ids, sizeof ids, "ids", &error);
  g_autoptr (TrcTensor) x = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (N, D), "x", &error);
  g_autoptr (TrcTensor) y = trc_tensor_new (dev, TRC_F32, TRC_SHAPE (N, VOCAB), "y", &error);
  g_assert_no_error (error);
  g_assert_true (trc_op_set (table, 0.5f, &error));
  for (int i = 0; i < 3; i++)
    {
      for (int j = 0; j < D; j++)
        row[j] = (float)(i + 1);
      g_assert_true (trc_tensor_write_part (table, (gsize)ids[i] * D, row, D, &error));
    }
  g_assert_true (trc_op_embed (table, which, x, &look, &error));
  g_assert_true (trc_op_matmul (x, table, NULL, y, &mul, &error));
  g_assert_true (trc_tensor_read (y, logits, N * VOCAB, &error));
  g_assert_no_error (error);
  for (int i = 0; i < N; i++) /* the row of id -1 is zeros */
    {
      const float own = i < 3 ? (float)(i + 1) : 0.0f;

      for (int j = 0; j < 3; j++)
        g_assert_cmpfloat (logits[i * VOCAB + ids[j]], ==, own * (float)(j + 1) * D);
      g_assert_cmpfloat (logits[i * VOCAB + 1], ==, own * 0.5f * D);
      g_assert_cmpfloat (logits[i * VOCAB + VOCAB - 2], ==, own * 0.5f * D);
    }
  g_clear_pointer (&table, trc_tensor_unref);
  g_clear_pointer (&which, trc_tensor_unref);
  g_clear_pointer (&x, trc_tensor_unref);
  g_clear_pointer (&y, trc_tensor_unref);
  vk_fixture_close (b);
}

/* With TRACERY_VULKAN_VALIDATE=1 what the layer says ends the work with that text. */
static void
test_strict (void)
{
  const VkBufferCreateInfo empty = { .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT };
  const TrcVkParams params = { .part = vk_fixture_part () };
  g_autoptr (GError) error = NULL;
  VkBuffer buffer = VK_NULL_HANDLE;

  if (!vk_fixture_available ())
    return;
  g_setenv ("TRACERY_VULKAN_VALIDATE", "1", TRUE);
  TrcVkBackend *b = trc_vk_backend_new (&params, &error);
  g_unsetenv ("TRACERY_VULKAN_VALIDATE");
  if (b == NULL)
    {
      g_assert_nonnull (strstr (error->message, "VK_LAYER_KHRONOS_validation"));
      return;
    }
  g_autoptr (TrcTensor) x = tensor_of (b, 8, 1);
  g_assert_true (trc_device_sync (&b->base, &error));
  b->device.instance.api.CreateBuffer (b->device.device, &empty, NULL, &buffer);
  if (buffer != VK_NULL_HANDLE)
    b->device.instance.api.DestroyBuffer (b->device.device, buffer, NULL);
  g_assert_false (trc_device_sync (&b->base, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  g_assert_nonnull (strstr (error->message, "VkBufferCreateInfo"));
  g_clear_pointer (&x, trc_tensor_unref);
  trc_device_unref (&b->base);
}

/* Work that is queued again and again keeps its order though it may overlap otherwise. */
static void
test_dependencies (void)
{
  TrcVkBackend *b = vk_fixture_open (NULL);
  float got[4];

  if (b == NULL)
    return;
  g_autoptr (TrcTensor) x = tensor_of (b, 4, 1);
  g_autoptr (TrcTensor) y = tensor_of (b, 4, 0);
  for (int i = 0; i < 20; i++) /* y = x, x = 2 y: doubles each time */
    {
      g_assert_true (trc_op_copy (x, y, NULL));
      g_assert_true (trc_op_add_scaled (y, 1.0f, x, NULL));
    }
  g_assert_true (trc_tensor_read (x, got, 4, NULL));
  for (int i = 0; i < 4; i++)
    g_assert_cmpfloat (got[i], ==, ldexpf ((float)(i + 1), 20));
  g_clear_pointer (&x, trc_tensor_unref);
  g_clear_pointer (&y, trc_tensor_unref);
  vk_fixture_close (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/backend/counters", test_counters);
  g_test_add_func ("/vk/backend/recycled-in-flight", test_recycled_in_flight);
  g_test_add_func ("/vk/backend/cancel", test_cancel);
  g_test_add_func ("/vk/backend/cancel-midway", test_cancel_midway);
  g_test_add_func ("/vk/backend/lost-in-submit", test_lost_in_submit);
  g_test_add_func ("/vk/backend/lost-in-wait", test_lost_in_wait);
  g_test_add_func ("/vk/backend/out-of-memory", test_out_of_memory);
  g_test_add_func ("/vk/backend/out-of-sets", test_out_of_sets);
  g_test_add_func ("/vk/backend/budget", test_budget);
  g_test_add_func ("/vk/backend/too-long-a-row", test_too_long_a_row);
  g_test_add_func ("/vk/backend/large-embedding", test_large_embedding);
  g_test_add_func ("/vk/backend/strict", test_strict);
  g_test_add_func ("/vk/backend/dependencies", test_dependencies);
  return g_test_run ();
}
