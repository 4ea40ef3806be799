/* Weights on a device: as f32 and as the file has them, each uploaded once, tied ones shared. */
#include "compute/run.h"

#include "compute/base/packed.h"
#include "compute/formats/gguf_write.h"
#include "tests/support/shared_data.h"

#include <math.h>
#include <string.h>

#define D 32
#define N_VOCAB 5

static void
fill (guint64 row, float *out, gsize n, gpointer data)
{
  guint seed = GPOINTER_TO_UINT (data);

  for (gsize i = 0; i < n; i++)
    out[i] = 0.3f * sinf ((float)(row * n + i) * 1.7f + (float)seed);
}

static void
ones (guint64 row, float *out, gsize n, gpointer data)
{
  for (gsize i = 0; i < n; i++)
    out[i] = 1;
}

/* One layer of a tied Llama with grouped heads, its matrices in @type; with @fused q, k and v in
 * one tensor. */
static char *
make_model (const char *dir, TrcDType type, gboolean fused)
{
  static const struct {
    const char *name;
    guint n_out, n_in;
  } matrices[] = { { "token_embd.weight", N_VOCAB, D },
                   { "blk.0.attn_output.weight", D, D },
                   { "blk.0.ffn_gate.weight", 64, D },
                   { "blk.0.ffn_up.weight", 64, D },
                   { "blk.0.ffn_down.weight", D, 64 } };
  static const char *const norms[] = { "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight",
                                       "output_norm.weight" };
  g_autoptr (TrcGgufWriter) w = trc_gguf_writer_new ();
  char *path = g_strdup_printf ("%s/%s-%d.gguf", dir, trc_dtype_info (type)->name, fused);
  g_autoptr (GError) error = NULL;

  trc_gguf_writer_string (w, "general.architecture", "llama");
  trc_gguf_writer_u32 (w, "llama.block_count", 1);
  trc_gguf_writer_u32 (w, "llama.embedding_length", D);
  trc_gguf_writer_u32 (w, "llama.attention.head_count", 2);
  trc_gguf_writer_u32 (w, "llama.attention.head_count_kv", fused ? 2 : 1);
  trc_gguf_writer_u32 (w, "llama.feed_forward_length", 64);
  trc_gguf_writer_u32 (w, "llama.context_length", 8);
  for (guint i = 0; i < G_N_ELEMENTS (matrices); i++)
    trc_gguf_writer_tensor (w, matrices[i].name, type, matrices[i].n_in, matrices[i].n_out,
                            fill, GUINT_TO_POINTER (i));
  if (fused)
    trc_gguf_writer_tensor (w, "blk.0.attn_qkv.weight", type, D, 3 * D, fill,
                            GUINT_TO_POINTER (9));
  else
    {
      trc_gguf_writer_tensor (w, "blk.0.attn_q.weight", type, D, D, fill, GUINT_TO_POINTER (6));
      trc_gguf_writer_tensor (w, "blk.0.attn_k.weight", type, D, D / 2, fill,
                              GUINT_TO_POINTER (7));
      trc_gguf_writer_tensor (w, "blk.0.attn_v.weight", type, D, D / 2, fill,
                              GUINT_TO_POINTER (8));
    }
  for (guint i = 0; i < 3; i++)
    trc_gguf_writer_tensor (w, norms[i], TRC_F32, D, 0, ones, NULL);
  g_assert_true (trc_gguf_writer_finish (w, path, NULL, &error));
  g_assert_no_error (error);
  return path;
}

static void
test_types (void)
{
  static const TrcDType types[] = { TRC_F32, TRC_F16, TRC_BF16, TRC_Q8_0, TRC_Q4_0 };
  g_autofree char *dir = trc_test_temp_dir ();
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);

  for (guint t = 0; t < G_N_ELEMENTS (types); t++)
    for (guint fused = 0; fused < 2; fused++)
      {
        g_autofree char *path = make_model (dir, types[t], fused);
        g_autoptr (GError) error = NULL;
        g_autoptr (TrcModel) model = trc_model_open (path, &error);
        float wide[D * D], host[D * D], row[D];

        g_assert_no_error (error);
        const TrcWeight *k = trc_model_weight_packed (model, dev, TRC_WEIGHT_V, 0, &error);
        const TrcWeight *f = trc_model_weight (model, dev, TRC_WEIGHT_V, 0, &error);
        guint n_out = fused ? D : D / 2;
        g_assert_no_error (error);
        g_assert_true (k->out_major && f->out_major && k->n_out == n_out && k->n_in == D);
        g_assert_cmpint (trc_tensor_dtype (k->tensor), ==, types[t]);
        g_assert_cmpint (trc_tensor_dtype (f->tensor), ==, TRC_F32);
        g_assert_cmpint (k == f, ==, types[t] == TRC_F32);
        g_assert_true (trc_tensor_read (f->tensor, wide, n_out * D, &error));
        g_assert_true (trc_model_weight_host (model, TRC_WEIGHT_V, 0, host, n_out * D, &error));
        /* The last row of v, packed and expanded as the definition has it. */
        fill (fused ? 3 * D - 1 : D / 2 - 1, row, D, GUINT_TO_POINTER (fused ? 9 : 8));
        guint8 packed[D * 4];
        float want[D];
        g_assert_true (trc_packed_write (types[t], row, D, packed));
        trc_packed_expand (types[t], packed, D, want);
        g_assert_cmpmem (wide + (n_out - 1) * D, sizeof want, want, sizeof want);
        for (guint i = 0; i < D; i++)
          g_assert_cmpfloat (host[i * n_out + n_out - 1], ==, want[i]);
      }
  trc_test_remove_tree (dir);
}

/* A run uploads a packed file's bytes, not four times as many, and gives the same logits. */
static void
test_run (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = make_model (dir, TRC_Q8_0, FALSE);
  g_autofree char *single = make_model (dir, TRC_F32, FALSE);
  static const guint32 ids[] = { 1, 4, 2, 0 };
  const TrcRunParams params = { .ids = ids, .n_prompts = 1, .n_tokens = 4 };
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);
  g_autoptr (GError) error = NULL;
  TrcRun *runs[2];
  guint64 bytes[2];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TrcModel) model = trc_model_open (i == 0 ? path : single, &error);
      guint64 before = trc_device_counters (dev).bytes_uploaded;

      g_assert_no_error (error);
      runs[i] = trc_run_new (model, dev, &params, NULL, &error);
      g_assert_no_error (error);
      bytes[i] = trc_device_counters (dev).bytes_uploaded - before;
      g_autoptr (TrcRun) again = trc_run_new (model, dev, &params, NULL, &error);
      g_assert_cmpuint (trc_device_counters (dev).bytes_uploaded - before, <, bytes[i] + 100);
      g_assert_cmpmem (trc_run_host (again, TRC_SITE_LOGITS, 0, NULL), 4 * N_VOCAB * 4,
                       trc_run_host (runs[i], TRC_SITE_LOGITS, 0, NULL), 4 * N_VOCAB * 4);
    }
  g_assert_cmpuint (2 * bytes[0], <, bytes[1]);
  for (guint i = 0; i < 4 * N_VOCAB; i++)
    g_assert_cmpfloat_with_epsilon (trc_run_host (runs[0], TRC_SITE_LOGITS, 0, NULL)[i],
                                    trc_run_host (runs[1], TRC_SITE_LOGITS, 0, NULL)[i], 0.05);
  trc_run_unref (runs[0]);
  trc_run_unref (runs[1]);
  trc_test_remove_tree (dir);
}

static void
test_tied (void)
{
  g_autofree char *dir = trc_test_temp_dir ();
  g_autofree char *path = make_model (dir, TRC_Q8_0, FALSE);
  g_autoptr (TrcModel) model = trc_model_open (path, NULL);
  g_autoptr (TrcDevice) dev = trc_device_open ("cpu", NULL);

  for (guint packed = 0; packed < 2; packed++)
    {
      const TrcWeight *(*get) (TrcModel *, TrcDevice *, TrcWeightRole, guint, GError **) =
          packed ? trc_model_weight_packed : trc_model_weight;
      const TrcWeight *embed = get (model, dev, TRC_WEIGHT_EMBED, 0, NULL);
      const TrcWeight *unembed = get (model, dev, TRC_WEIGHT_UNEMBED, 0, NULL);

      g_assert_true (embed->tensor == unembed->tensor);
      g_assert_true (!embed->out_major && embed->n_in == N_VOCAB);
      g_assert_true (unembed->out_major && unembed->n_in == D && unembed->n_out == N_VOCAB);
    }
  trc_model_release (model, dev);
  g_assert_cmpuint (trc_device_counters (dev).bytes_live, ==, 0);
  g_assert_nonnull (trc_model_weight (model, dev, TRC_WEIGHT_EMBED, 0, NULL));
  trc_test_remove_tree (dir);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/upload/types", test_types);
  g_test_add_func ("/upload/run", test_run);
  g_test_add_func ("/upload/tied", test_tied);
  return g_test_run ();
}
