#include "tests/device/vk_fixture.h"

#include <string.h>

/* Writes and reads @bytes at odd places, with work queued in between or not. */
static void
round_trip (gboolean force_staging, guint64 bytes)
{
  const TrcVkParams params = { .force_staging = force_staging };
  g_autoptr (GError) error = NULL;
  TrcVkBackend *b = vk_fixture_open (&params);
  TrcVkRange range;

  if (b == NULL)
    return;
  g_assert_cmpint (b->memory.host_visible && force_staging, ==, FALSE);
  g_autofree guint8 *sent = g_malloc (bytes + 16);
  g_autofree guint8 *got = g_malloc0 (bytes + 16);
  for (guint64 i = 0; i < bytes + 16; i++)
    sent[i] = (guint8)(i * 31 + i / 251);
  g_assert_true (trc_vk_memory_alloc (&b->memory, bytes + 16, "a test", &range, &error));

  g_assert_true (trc_vk_transfer_write (&b->transfer, &range, 0, sent, bytes + 16, &error));
  const TrcVkSpan head = { range.block->buffer, range.offset, 8, 8 };
  g_assert_true (trc_vk_stream_fill (&b->stream, &head, 0, &error)); /* the stream is busy */
  g_assert_true (trc_vk_transfer_write (&b->transfer, &range, 6, sent + 6, bytes, &error));
  g_assert_true (trc_vk_transfer_read (&b->transfer, &range, 0, got, bytes + 16, &error));
  memset (sent, 0, 6);
  g_assert_cmpmem (sent, bytes + 16, got, bytes + 16);
  memset (got, 0, bytes);
  g_assert_true (trc_vk_transfer_read (&b->transfer, &range, 3, got, bytes, &error));
  g_assert_cmpmem (sent + 3, bytes, got, bytes);
  g_assert_no_error (error);
  trc_vk_memory_free (&b->memory, &range, trc_vk_stream_next_value (&b->stream));
  vk_fixture_close (b);
}

static void
test_mapped (void)
{
  round_trip (FALSE, 1000);
  round_trip (FALSE, 300000);
}

static void
test_staged (void)
{
  round_trip (TRUE, 1000);
  round_trip (TRUE, 2 * TRC_VK_STAGING_BYTES + 4096 + 2); /* more than both halves */
}

/* A small write behind queued work waits for nothing. */
static void
test_inline (void)
{
  const guint32 word = 9;
  TrcVkBackend *b = vk_fixture_open (NULL);
  TrcVkRange range;
  guint32 got;

  if (b == NULL)
    return;
  g_assert_true (trc_vk_memory_alloc (&b->memory, 1024, "a test", &range, NULL));
  const TrcVkSpan all = { range.block->buffer, range.offset, 1024, 1024 };
  g_assert_true (trc_vk_stream_fill (&b->stream, &all, 1, NULL));
  g_assert_true (trc_vk_transfer_write (&b->transfer, &range, 8, &word, 4, NULL));
  g_assert_cmpuint (b->stream.n_submits, ==, 0);
  g_assert_true (trc_vk_transfer_write (&b->transfer, &range, 8, &word, 0, NULL));
  g_assert_true (trc_vk_transfer_read (&b->transfer, &range, 8, &got, 4, NULL));
  g_assert_cmpuint (got, ==, 9);
  g_assert_true (trc_vk_transfer_read (&b->transfer, &range, 12, &got, 4, NULL));
  g_assert_cmpuint (got, ==, 1);
  g_assert_true (trc_vk_transfer_read (&b->transfer, &range, 0, NULL, 0, NULL));
  trc_vk_memory_free (&b->memory, &range, 0);
  vk_fixture_close (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/transfer/mapped", test_mapped);
  g_test_add_func ("/vk/transfer/staged", test_staged);
  g_test_add_func ("/vk/transfer/inline", test_inline);
  return g_test_run ();
}
