#include "tests/device/vk_fixture.h"
#include "tests/support/op_cases.h"

/* Every kernel of the op table on every case, against the definition on the host. The program
 * runs once for each subgroup width (LP_NATIVE_VECTOR_WIDTH, see meson.build); the argument
 * says in which shape:
 *
 *   cpu     the profile of software devices
 *   gpu     the profile of GPUs: wide workgroups, shared memory
 *   pieces  bindings of at most 48 KiB, so that calls are cut into several dispatches
 *   crumbs  the same with 3 KiB, for the kernels whose rows can be cut too
 *   exact   bindings that end with the tensor: what lies beyond reads as 0 and cannot be
 *           written, so a kernel that reached further would compute something else
 *   staged  memory the host does not see */
static TrcVkBackend *backend;
static gboolean in_crumbs;

/* The others need a whole row, or a whole period of rows, in one binding. */
static gboolean
can_be_crumbled (TrcOpId op)
{
  return op == TRC_OP_MATMUL || op == TRC_OP_EMBED || op == TRC_OP_EMBED_VJP
         || op == TRC_OP_AXPBY || op == TRC_OP_FILL || op == TRC_OP_SUM_COLS;
}

static void
test_op (gconstpointer data)
{
  const TrcOpId op = (TrcOpId)GPOINTER_TO_UINT (data);

  if (backend == NULL)
    g_test_skip ("there is no such Vulkan device on this machine");
  else if (in_crumbs && !can_be_crumbled (op))
    g_test_skip ("its rows are whole");
  else
    trc_op_cases_check (&backend->base, op);
}

static TrcVkParams
params_of (const char *shape)
{
  TrcVkParams params = { .profile = TRC_VK_PROFILE_CPU };

  if (g_str_equal (shape, "gpu"))
    params.profile = TRC_VK_PROFILE_GPU;
  else if (g_str_equal (shape, "pieces"))
    params.max_bind_bytes = 48 * 1024;
  else if (g_str_equal (shape, "crumbs"))
    params.max_bind_bytes = 3072;
  else if (g_str_equal (shape, "exact"))
    params.exact_bindings = TRUE;
  else if (g_str_equal (shape, "staged"))
    params.force_staging = TRUE;
  else
    g_assert_cmpstr (shape, ==, "cpu");
  in_crumbs = params.max_bind_bytes == 3072;
  return params;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  const TrcVkParams params = params_of (argc > 1 ? argv[1] : "cpu");
  if (vk_fixture_available ())
    backend = vk_fixture_open (&params);
  for (guint op = 0; op < TRC_N_OPS; op++)
    {
      g_autofree char *path = g_strdup_printf ("/vk/ops/%s", trc_op_info ((TrcOpId)op)->name);
      g_test_add_data_func (path, GUINT_TO_POINTER (op), test_op);
    }
  int status = g_test_run ();
  if (backend != NULL)
    vk_fixture_close (backend);
  return status;
}
