/* A kernel that is called wrongly is refused before it touches anything. */
#include "compute/error.h"
#include "compute/ops.h"

typedef struct {
  const char *what;
  TrcOpCall call;
} Wrong;

static void
refused (const Wrong *wrong)
{
  g_autoptr (GError) error = NULL;
  gboolean ok;

  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, wrong->what);
  ok = trc_op_dispatch (&wrong->call, &error);
  g_test_assert_expected_messages ();
  g_assert_false (ok);
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
}

static void
test_refused (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcDevice) other = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (10), "a", NULL);
  g_autoptr (TrcTensor) b = trc_tensor_zeros (dev, TRC_SHAPE (10), "b", NULL);
  g_autoptr (TrcTensor) far = trc_tensor_zeros (other, TRC_SHAPE (10), "far", NULL);
  g_autoptr (TrcTensor) ids = trc_tensor_new (dev, TRC_I32, TRC_SHAPE (10), "ids", NULL);
  TrcOpParams fits = { .axpby = { .rows = 2, .cols = 5, .ld_x = 5, .ld_y = 5, .alpha = 1.0f } };
  TrcOpParams beyond = fits, shifted = fits;
  guint64 before = trc_device_counters (dev).dispatches;

  beyond.axpby.ld_y = 6;
  shifted.off[0] = 1;
  const Wrong cases[] = {
    { "*missing*", { .op = TRC_OP_AXPBY, .tensor = { a, NULL }, .params = fits } },
    { "*too small*", { .op = TRC_OP_AXPBY, .tensor = { a, b }, .params = beyond } },
    { "*too small*", { .op = TRC_OP_AXPBY, .tensor = { a, b }, .params = shifted } },
    { "*wrong type*", { .op = TRC_OP_AXPBY, .tensor = { a, ids }, .params = fits } },
    { "*another device*", { .op = TRC_OP_AXPBY, .tensor = { a, far }, .params = fits } },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    refused (&cases[i]);
  g_assert_cmpuint (trc_device_counters (dev).dispatches, ==, before);
  g_assert_true (trc_op_dispatch (
      &(TrcOpCall){ .op = TRC_OP_AXPBY, .tensor = { a, b }, .params = fits }, NULL));
  g_assert_cmpuint (trc_device_counters (dev).dispatches, ==, before + 1);
}

/* Offsets count from the view, not from the memory under it. */
static void
test_views (void)
{
  static const float x[] = { 0, 1, 2, 3, 4, 5 };
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTensor) a =
      trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (3, 2), x, sizeof x, "a", NULL);
  g_autoptr (TrcTensor) lower = trc_tensor_rows (a, 1, 2);
  g_autoptr (TrcTensor) out = trc_tensor_zeros (dev, TRC_SHAPE (1), "out", NULL);
  TrcAxpbyParams p = { .off = { 3 }, .rows = 1, .cols = 1, .alpha = 1.0f };
  float got;

  g_assert_true (trc_op_axpby (lower, out, &p, NULL));
  g_assert_true (trc_tensor_read (out, &got, 1, NULL));
  g_assert_cmpfloat (got, ==, 5.0f);
  p.off[0] = 4; /* beyond the view, and beyond the memory */
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*too small*");
  g_assert_false (trc_op_axpby (lower, out, &p, NULL));
  g_test_assert_expected_messages ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/dispatch/refused", test_refused);
  g_test_add_func ("/compute/dispatch/views", test_views);
  return g_test_run ();
}
