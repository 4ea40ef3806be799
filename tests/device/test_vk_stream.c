#include "compute/error.h"
#include "tests/device/vk_fixture.h"

#include <string.h>

typedef struct {
  TrcVkDevice device;
  TrcVkMemory memory;
  TrcVkStream stream;
  TrcVkRange range; /* 64 KiB, mapped */
} World;

static gboolean
open_world (World *w, const TrcVkParams *params)
{
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_device (&w->device, params))
    return FALSE;
  g_assert_true (trc_vk_memory_init (&w->memory, &w->device, 0, FALSE, &error));
  g_assert_true (trc_vk_stream_init (&w->stream, &w->device, &error));
  g_assert_true (trc_vk_memory_alloc (&w->memory, 65536, "a test", &w->range, &error));
  g_assert_no_error (error);
  if (w->range.block->mapped == NULL)
    {
      g_test_skip ("this device shares no memory with the host");
      return FALSE;
    }
  return TRUE;
}

static void
close_world (World *w)
{
  trc_vk_stream_clear (&w->stream);
  trc_vk_stream_clear (&w->stream);
  trc_vk_memory_clear (&w->memory);
  vk_fixture_device_close (&w->device);
}

static TrcVkSpan
words (World *w, guint64 first, guint64 n)
{
  return (TrcVkSpan){ w->range.block->buffer, w->range.offset + first * 4, n * 4, n * 4 };
}

static const guint32 *
contents (World *w)
{
  return (const guint32 *)(void *)(w->range.block->mapped + w->range.offset);
}

static void
test_order (void)
{
  const guint32 pair[2] = { 77, 78 };
  World w;

  if (!open_world (&w, NULL))
    return;
  TrcVkSpan all = words (&w, 0, 64), head = words (&w, 0, 8), tail = words (&w, 56, 8);
  TrcVkSpan two = words (&w, 2, 2);
  g_assert_true (trc_vk_stream_idle (&w.stream));
  g_assert_true (trc_vk_stream_fill (&w.stream, &all, 5, NULL));
  g_assert_true (trc_vk_stream_update (&w.stream, &two, pair, NULL));
  g_assert_true (trc_vk_stream_copy (&w.stream, &head, &tail, NULL));
  g_assert_false (trc_vk_stream_idle (&w.stream));
  g_assert_cmpuint (trc_vk_stream_next_value (&w.stream), ==, 1);
  g_assert_cmpuint (w.stream.n_submits, ==, 0);
  g_assert_true (trc_vk_stream_finish (&w.stream, NULL));
  g_assert_true (trc_vk_stream_idle (&w.stream));
  g_assert_cmpuint (w.stream.n_submits, ==, 1);
  g_assert_cmpuint (contents (&w)[0], ==, 5);
  g_assert_cmpuint (contents (&w)[2], ==, 77);
  g_assert_cmpuint (contents (&w)[58], ==, 77);
  g_assert_cmpuint (contents (&w)[59], ==, 78);
  g_assert_cmpuint (contents (&w)[60], ==, 5);
  close_world (&w);
}

/* Writes that do not meet need no barrier; those that do need one each. */
static void
test_barriers (void)
{
  World w;

  if (!open_world (&w, NULL))
    return;
  TrcVkSpan first = words (&w, 0, 64), second = words (&w, 64, 64), third = words (&w, 128, 64);
  g_assert_true (trc_vk_stream_fill (&w.stream, &first, 1, NULL));
  guint64 before = w.stream.n_barriers; /* the one that opens the command buffer */
  g_assert_true (trc_vk_stream_fill (&w.stream, &second, 2, NULL));
  g_assert_cmpuint (w.stream.n_barriers, ==, before);
  g_assert_true (trc_vk_stream_copy (&w.stream, &first, &third, NULL)); /* reads a write */
  g_assert_cmpuint (w.stream.n_barriers, ==, before + 1);
  g_assert_true (trc_vk_stream_copy (&w.stream, &first, &second, NULL)); /* reads a read */
  g_assert_cmpuint (w.stream.n_barriers, ==, before + 1);
  g_assert_true (trc_vk_stream_fill (&w.stream, &first, 3, NULL)); /* writes a read */
  g_assert_cmpuint (w.stream.n_barriers, ==, before + 2);
  g_assert_true (trc_vk_stream_fill (&w.stream, &first, 4, NULL)); /* writes a write */
  g_assert_cmpuint (w.stream.n_barriers, ==, before + 3);
  g_assert_true (trc_vk_stream_finish (&w.stream, NULL));
  g_assert_cmpuint (contents (&w)[0], ==, 4);
  g_assert_cmpuint (contents (&w)[64], ==, 1);
  g_assert_cmpuint (contents (&w)[128], ==, 1);
  close_world (&w);
}

/* More commands than four command buffers hold: they go round, in order. */
static void
test_many (void)
{
  World w;

  if (!open_world (&w, NULL))
    return;
  for (guint32 i = 0; i < 4000; i++)
    {
      TrcVkSpan one = words (&w, i % 7, 1);
      g_assert_true (trc_vk_stream_fill (&w.stream, &one, i, NULL));
    }
  g_assert_true (trc_vk_stream_finish (&w.stream, NULL));
  for (guint32 i = 3993; i < 4000; i++)
    g_assert_cmpuint (contents (&w)[i % 7], ==, i);
  g_assert_cmpuint (w.stream.n_submits, >, TRC_VK_SLOTS);
  close_world (&w);
}

static void
test_empty (void)
{
  World w;

  if (!open_world (&w, NULL))
    return;
  TrcVkSpan none = words (&w, 0, 0);
  g_assert_true (trc_vk_stream_fill (&w.stream, &none, 1, NULL));
  g_assert_true (trc_vk_stream_copy (&w.stream, &none, &none, NULL));
  g_assert_true (trc_vk_stream_update (&w.stream, &none, "", NULL));
  g_assert_true (trc_vk_stream_finish (&w.stream, NULL));
  g_assert_cmpuint (w.stream.n_submits, ==, 0);
  close_world (&w);
}

static void
test_cancel (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  World w;

  if (!open_world (&w, NULL))
    return;
  TrcVkSpan all = words (&w, 0, 64);
  trc_vk_stream_set_cancellable (&w.stream, cancellable);
  g_assert_true (trc_vk_stream_fill (&w.stream, &all, 1, &error));
  g_cancellable_cancel (cancellable);
  g_assert_false (trc_vk_stream_fill (&w.stream, &all, 2, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  trc_vk_stream_set_cancellable (&w.stream, NULL);
  g_assert_true (trc_vk_stream_finish (&w.stream, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (contents (&w)[0], ==, 1); /* what was queued before stays in order */
  close_world (&w);
}

/* A submission that fails leaves a hole in the results: nothing after it may be trusted. */
static void
test_failed_submit (void)
{
  VkTrouble trouble = { "QueueSubmit", VK_ERROR_OUT_OF_HOST_MEMORY };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  g_autoptr (GError) error = NULL;
  World w;

  if (!open_world (&w, &params))
    return;
  TrcVkSpan all = words (&w, 0, 64);
  g_assert_true (trc_vk_stream_fill (&w.stream, &all, 1, &error));
  trouble.armed = TRUE;
  g_assert_false (trc_vk_stream_submit (&w.stream, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_true (w.device.lost);
  trouble.armed = FALSE;
  g_clear_error (&error);
  g_assert_false (trc_vk_stream_fill (&w.stream, &all, 1, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_DEVICE_LOST);
  close_world (&w);
}

static void
test_half_built (void)
{
  VkTrouble trouble = { "CreateCommandPool", VK_ERROR_OUT_OF_DEVICE_MEMORY, .after = 2,
                        .armed = TRUE };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  g_autoptr (GError) error = NULL;
  TrcVkDevice device;
  TrcVkStream stream;

  if (!vk_fixture_device (&device, &params))
    return;
  g_assert_false (trc_vk_stream_init (&stream, &device, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  vk_fixture_device_close (&device); /* the layer would tell of objects left behind */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/stream/order", test_order);
  g_test_add_func ("/vk/stream/barriers", test_barriers);
  g_test_add_func ("/vk/stream/many", test_many);
  g_test_add_func ("/vk/stream/empty", test_empty);
  g_test_add_func ("/vk/stream/cancel", test_cancel);
  g_test_add_func ("/vk/stream/failed-submit", test_failed_submit);
  g_test_add_func ("/vk/stream/half-built", test_half_built);
  return g_test_run ();
}
