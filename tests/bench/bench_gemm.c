/* Matrix products of the CPU device against what OpenBLAS reaches here on a large square. */
#include "tests/bench/bench.h"

#include "compute/device.h"
#include "compute/ops.h"

#include <cblas.h>

typedef struct {
  guint m, n, k;
  TrcTensor *a, *b, *c;
  const float *host_a, *host_b;
  float *host_c;
} Product;

static void
on_device (gpointer data)
{
  Product *p = data;
  TrcMatmulParams params = { .m = p->m,
                             .n = p->n,
                             .k = p->k,
                             .ld_a = p->k,
                             .ld_b = p->n,
                             .ld_c = p->n,
                             .alpha = 1,
                             .n_outer = 1,
                             .n_inner = 1,
                             .b_group = 1 };
  g_autoptr (GError) error = NULL;

  if (!trc_op_matmul (p->a, p->b, NULL, p->c, &params, &error)
      || !trc_device_sync (trc_tensor_device (p->c), &error))
    g_error ("%s", error->message);
}

static void
by_openblas (gpointer data)
{
  Product *p = data;

  cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)p->m, (int)p->n, (int)p->k, 1,
               p->host_a, (int)p->k, p->host_b, (int)p->n, 0, p->host_c, (int)p->n);
}

static float *
numbers (gsize n)
{
  float *x = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    x[i] = (float)((i * 2654435761u >> 8) & 255) / 128 - 1;
  return x;
}

static double
rate (const Product *p, TrcBenchTime time)
{
  return 2e-9 * p->m * p->n * p->k / time.wall_min;
}

static TrcTensor *
upload (TrcDevice *dev, guint rows, guint cols, const float *x)
{
  g_autoptr (GError) error = NULL;
  TrcTensor *t = trc_tensor_from_data (dev, TRC_F32, TRC_SHAPE (rows, cols), x,
                                       sizeof *x * rows * cols, "bench", &error);

  g_assert_no_error (error);
  return t;
}

/* Times one shape both ways; the share is that of @peak, or of its own rate when that is 0. */
static double
measure (TrcDevice *dev, guint m, guint n, guint k, double peak)
{
  g_autofree float *a = numbers ((gsize)m * k);
  g_autofree float *b = numbers ((gsize)k * n);
  g_autofree float *c = numbers ((gsize)m * n);
  g_autoptr (TrcTensor) ta = upload (dev, m, k, a);
  g_autoptr (TrcTensor) tb = upload (dev, k, n, b);
  g_autoptr (TrcTensor) tc = upload (dev, m, n, c);
  Product product = { m, n, k, ta, tb, tc, a, b, c };
  g_autofree char *ours = g_strdup_printf ("matmul %u x %u x %u, device", m, n, k);
  g_autofree char *theirs = g_strdup_printf ("matmul %u x %u x %u, OpenBLAS", m, n, k);

  /* The device holds OpenBLAS to one thread and divides the work itself. */
  openblas_set_num_threads ((int)g_get_num_processors ());
  double blas = rate (&product, trc_bench (theirs, 9, by_openblas, &product));
  openblas_set_num_threads (1);
  double device = rate (&product, trc_bench (ours, 9, on_device, &product));
  trc_bench_figure ("rate of the device", device, "GFLOP/s");
  trc_bench_figure ("share of OpenBLAS on the same shape", 100 * device / blas, "%");
  trc_bench_figure ("share of OpenBLAS's peak", 100 * device / (peak > 0 ? peak : blas), "%");
  return blas;
}

int
main (void)
{
  g_autoptr (TrcDevice) dev = trc_device_open_cpu (0);
  double peak = measure (dev, 1024, 1024, 1024, 0);

  measure (dev, 512, 512, 512, peak);
  measure (dev, 12, 3072, 768, peak);
  measure (dev, 12, 768, 3072, peak);
  measure (dev, 1, 3072, 768, peak);
  measure (dev, 3830, 128, 128, peak);
  return 0;
}
