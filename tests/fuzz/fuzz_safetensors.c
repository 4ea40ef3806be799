/* Any bytes as a safetensors file: a checked table of tensors or one sentence. Every tensor of
 * a table can be read to its last byte. */
#include "tests/fuzz/fuzz.h"

#include "compute/safetensors.h"

#include <string.h>

static void
read_all (const TrcSafetensors *file)
{
  for (gsize i = 0; i < trc_safetensors_n_tensors (file); i++)
    {
      const TrcFileTensor *t = trc_safetensors_get (file, i);
      g_autofree float *out = g_new (float, t->n_elements + 1);
      volatile guint8 last = 0;

      if (t->n_bytes > 0)
        last = t->data[t->n_bytes - 1];
      g_assert_true (trc_safetensors_find (file, t->name) == t || last == 0);
      if (t->type <= TRC_FILE_F64)
        g_assert_true (trc_file_tensor_to_f32 (t, 0, t->n_elements, out, NULL));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcSafetensors) file = trc_safetensors_open_bytes (bytes, "input", &error);

  if (file != NULL)
    {
      read_all (file);
      return 0;
    }
  g_assert_nonnull (error);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\n'));
  return 0;
}
