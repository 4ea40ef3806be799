/* Any bytes as a GGUF file: a checked table of tensors or one sentence. Every tensor of a table
 * can be expanded to its last element, every text of the metadata read. */
#include "tests/fuzz/fuzz.h"

#include "compute/base/packed.h"
#include "compute/formats/gguf.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
read_all (const TrcGguf *file)
{
  guint n;
  guint64 n_texts = 0, bytes = 0;
  const TrcGgufTensor *tensors = trc_gguf_tensors (file, &n);
  g_autofree TrcGgufString *texts = trc_gguf_strings (file, "tokenizer.ggml.tokens", &n_texts);

  for (guint64 i = 0; texts != NULL && i < n_texts; i++)
    for (gsize k = 0; k < texts[i].len; k++)
      bytes += (guint8)texts[i].data[k];
  for (guint i = 0; i < n; i++)
    {
      g_autofree float *out = g_new (float, tensors[i].n_elements + 1);

      if (tensors[i].dtype != TRC_I32)
        trc_packed_expand (tensors[i].dtype, tensors[i].data, tensors[i].n_elements, out);
      bytes += tensors[i].n_bytes;
    }
  g_assert_true (bytes < G_MAXUINT64);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("gguf", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GError) error = NULL;

  g_assert_true (fd >= 0 && write (fd, data, size) == (ssize_t)size);
  g_autoptr (TrcGguf) file = trc_gguf_open (path, &error);
  if (file != NULL)
    read_all (file);
  else
    {
      g_assert_nonnull (error);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (strchr (error->message, '\n'));
    }
  close (fd);
  return 0;
}
