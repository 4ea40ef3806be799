#include "compute/error.h"
#include "tests/device/vk_fixture.h"

#include <string.h>

typedef struct {
  TrcVkDevice device;
  TrcVkMemory memory;
} World;

static gboolean
open_world (World *w, guint64 limit, const TrcVkParams *params)
{
  g_autoptr (GError) error = NULL;

  if (!vk_fixture_device (&w->device, params))
    return FALSE;
  gboolean ok = trc_vk_memory_init (&w->memory, &w->device, limit, FALSE, &error);
  g_assert_no_error (error);
  return ok;
}

static void
close_world (World *w)
{
  trc_vk_memory_clear (&w->memory);
  trc_vk_memory_clear (&w->memory);
  vk_fixture_device_close (&w->device);
}

static void
test_ranges (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  TrcVkRange range[64] = { 0 };
  World w;

  if (!open_world (&w, 0, NULL))
    return;
  for (int round = 0; round < 2000; round++)
    {
      TrcVkRange *r = &range[g_rand_int_range (rand, 0, 64)];
      if (r->block != NULL)
        trc_vk_memory_free (&w.memory, r, 0);
      else
        {
          guint64 bytes = (guint64)g_rand_int_range (rand, 0, 40000);
          g_assert_true (trc_vk_memory_alloc (&w.memory, bytes, "a test", r, NULL));
          g_assert_cmpuint (r->offset % TRC_VK_ALIGN, ==, 0);
          g_assert_cmpuint (r->size, >=, MAX (bytes, 1));
          g_assert_cmpuint (r->offset + r->size, <=, r->block->size);
          for (int i = 0; i < 64; i++)
            if (&range[i] != r && range[i].block == r->block)
              g_assert_true (range[i].offset + range[i].size <= r->offset
                             || r->offset + r->size <= range[i].offset);
        }
    }
  for (int i = 0; i < 64; i++)
    trc_vk_memory_free (&w.memory, &range[i], 0);
  /* One block again, with one hole: nothing has leaked or splintered. */
  g_assert_cmpuint (w.memory.blocks->len, ==, 1);
  TrcVkBlock *block = w.memory.blocks->pdata[0];
  g_assert_cmpuint (block->used, ==, 0);
  g_assert_cmpuint (block->holes->len, ==, 1);
  close_world (&w);
}

static void
test_limit (void)
{
  g_autoptr (GError) error = NULL;
  TrcVkRange a = { 0 }, b = { 0 };
  World w;

  if (!open_world (&w, 1 << 20, NULL))
    return;
  g_assert_true (trc_vk_memory_alloc (&w.memory, 1 << 20, "first", &a, &error));
  g_assert_false (trc_vk_memory_alloc (&w.memory, 4096, "the second one", &b, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_nonnull (strstr (error->message, "the second one"));
  g_clear_error (&error);
  trc_vk_memory_free (&w.memory, &a, 0);
  g_assert_true (trc_vk_memory_alloc (&w.memory, 4096, "again", &b, &error));
  trc_vk_memory_free (&w.memory, &b, 0);
  close_world (&w);
}

static void
test_absurd_sizes (void)
{
  const guint64 sizes[] = { G_MAXUINT64, G_MAXUINT64 - 100, G_MAXINT64, 1ull << 50 };
  TrcVkRange range = { 0 };
  World w;

  if (!open_world (&w, 0, NULL))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (trc_vk_memory_alloc (&w.memory, sizes[i], "too much", &range, &error));
      g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
    }
  close_world (&w);
}

/* The driver refuses the comfortable block, then everything. */
static void
test_refused (void)
{
  VkTrouble trouble = { "AllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY };
  const TrcVkParams params = vk_fixture_trouble (&trouble);
  g_autoptr (GError) error = NULL;
  TrcVkRange range = { 0 };
  World w;

  if (!open_world (&w, 0, &params))
    return;
  trouble.armed = TRUE;
  g_assert_false (trc_vk_memory_alloc (&w.memory, 4096, "weights", &range, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_OUT_OF_MEMORY);
  g_assert_cmpint (trouble.calls, ==, 2); /* a large block, then exactly this */
  g_assert_cmpuint (w.memory.total, ==, 0);
  g_assert_null (trc_vk_memory_staging_new (&w.memory, 4096, NULL));
  trouble.armed = FALSE;
  g_clear_error (&error);
  g_assert_true (trc_vk_memory_alloc (&w.memory, 4096, "weights", &range, &error));
  trc_vk_memory_free (&w.memory, &range, 0);
  close_world (&w);
}

/* A block of its own is destroyed only after the clock has passed its last use. */
static void
test_retired (void)
{
  TrcVkRange small, large;
  World w;

  if (!open_world (&w, 0, NULL))
    return;
  g_assert_true (trc_vk_memory_alloc (&w.memory, 100, "small", &small, NULL));
  g_assert_true (trc_vk_memory_alloc (&w.memory, 40 << 20, "large", &large, NULL));
  g_assert_cmpuint (w.memory.blocks->len, ==, 2);
  trc_vk_memory_free (&w.memory, &large, 1);
  g_assert_cmpuint (w.memory.blocks->len, ==, 1);
  g_assert_cmpuint (w.memory.retired->len, ==, 1);
  trc_vk_memory_free (&w.memory, &small, 0);
  g_assert_cmpuint (w.memory.retired->len, ==, 1);
  w.device.lost = TRUE; /* then nothing runs any more */
  w.device.last_value = 1;
  trc_vk_memory_collect (&w.memory);
  g_assert_cmpuint (w.memory.retired->len, ==, 0);
  w.device.lost = FALSE;
  close_world (&w);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/vk/memory/ranges", test_ranges);
  g_test_add_func ("/vk/memory/limit", test_limit);
  g_test_add_func ("/vk/memory/absurd-sizes", test_absurd_sizes);
  g_test_add_func ("/vk/memory/refused", test_refused);
  g_test_add_func ("/vk/memory/retired", test_retired);
  return g_test_run ();
}
