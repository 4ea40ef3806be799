/* Gradients of products, sums, rows and tables against finite differences in double. */
#include "tests/support/double_device.h"

static TrcVar
matmul (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data);

  return trc_tape_matmul (tape, x[0], way & 1, x[1], way >> 1, 0.5f);
}

static TrcVar
linear (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  return trc_tape_linear (tape, x[0], x[1], FALSE, x[2]);
}

static TrcVar
linear_t (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  return trc_tape_linear (tape, x[0], x[1], TRUE, x[2]);
}

static void
test_products (void)
{
  for (guint way = 0; way < 4; way++)
    {
      TrcGradCase c = { .name = "matmul", .n_leaves = 2, .func = matmul };
      c.shape[0] = way & 1 ? TRC_SHAPE (3, 4) : TRC_SHAPE (4, 3);
      c.shape[1] = way >> 1 ? TRC_SHAPE (5, 3) : TRC_SHAPE (3, 5);
      c.data = GUINT_TO_POINTER (way);
      trc_grad_check (&c);
    }
  trc_grad_check (
      &(TrcGradCase){ .name = "linear",
                      .n_leaves = 3,
                      .shape = { TRC_SHAPE (2, 3, 4), TRC_SHAPE (4, 5), TRC_SHAPE (5) },
                      .func = linear });
  trc_grad_check (
      &(TrcGradCase){ .name = "linear, transposed",
                      .n_leaves = 3,
                      .shape = { TRC_SHAPE (3, 4), TRC_SHAPE (5, 4), TRC_SHAPE (5) },
                      .func = linear_t });
}

/* Every value is used more than once, so that gradients have to add up. */
static TrcVar
shared (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  TrcVar twice = trc_tape_add (tape, x[0], x[0]);
  TrcVar square = trc_tape_mul (tape, twice, x[0]);
  TrcVar self = trc_tape_matmul (tape, square, FALSE, twice, TRUE, 1.0f);
  TrcVar more = trc_tape_add_scaled (tape, self, -0.5f, trc_tape_scale (tape, self, 3.0f));

  return trc_tape_add_scaled (tape, more, 2.0f, x[1]);
}

static TrcVar
period (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  TrcVar sum = trc_tape_add_scaled (tape, x[0], -2.0f, x[1]);

  return trc_tape_mul (tape, trc_tape_add (tape, sum, x[2]), sum);
}

static TrcVar
rows (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  TrcVar last = trc_tape_rows (tape, x[0], 2, 3, 2),
         first = trc_tape_rows (tape, x[0], 0, 1, 2);

  return trc_tape_mul (tape, last, first);
}

static TrcVar
total (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  TrcVar sum = trc_tape_sum (tape, trc_tape_mul (tape, x[0], x[0]), 0.25f);

  return trc_tape_mul (tape, sum, trc_tape_dot (tape, x[0], x[1]));
}

static TrcVar
embed (TrcTape *tape, const TrcVar *x, gconstpointer data)
{
  static const gint32 id[] = { 1, 3, 1, -1, 0, 9 };
  g_autoptr (TrcTensor) ids = trc_tensor_from_data (
      trc_tape_device (tape), TRC_I32, TRC_SHAPE (2, 3), id, sizeof id, "ids", NULL);
  TrcVar rows_of_ids = trc_tape_embed (tape, x[0], ids);

  return trc_tape_mul (tape, rows_of_ids, trc_tape_embed (tape, x[0], ids));
}

static void
test_sums (void)
{
  static const TrcGradCase cases[] = {
    { .name = "shared inputs",
      .n_leaves = 2,
      .shape = { { 2, { 3, 4 } }, { 2, { 1, 3 } } },
      .func = shared },
    { .name = "rows that repeat",
      .n_leaves = 3,
      .shape = { { 2, { 6, 3 } }, { 2, { 2, 3 } }, { 1, { 3 } } },
      .func = period },
    { .name = "picked rows", .n_leaves = 1, .shape = { { 2, { 6, 3 } } }, .func = rows },
    { .name = "sum and dot",
      .n_leaves = 2,
      .shape = { { 2, { 2, 3 } }, { 2, { 3, 2 } } },
      .func = total },
    { .name = "embed", .n_leaves = 1, .shape = { { 2, { 4, 3 } } }, .func = embed },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    trc_grad_check (&cases[i]);
}

static void
test_misfit (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (1);
  g_autoptr (TrcTape) tape = trc_tape_new (dev, TRC_TAPE_RECORD);
  g_autoptr (TrcTensor) a = trc_tensor_zeros (dev, TRC_SHAPE (2, 3), "a", NULL);
  g_autoptr (GError) error = NULL;
  TrcVar x = trc_tape_input (tape, a), y;

  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*the shapes fit*");
  y = trc_tape_matmul (tape, x, FALSE, x, FALSE, 1.0f);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (y, ==, TRC_VAR_NONE);
  y = trc_tape_add (tape, x, x); /* fits, but the tape has failed */
  g_assert_cmpuint (y, ==, TRC_VAR_NONE);
  g_assert_false (trc_tape_backward (tape, y, NULL, &error));
  g_assert_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/compute/tape_linear/products", test_products);
  g_test_add_func ("/compute/tape_linear/sums", test_sums);
  g_test_add_func ("/compute/tape_linear/misfit", test_misfit);
  return g_test_run ();
}
