/* Any bytes as the config.json of a model: sizes that a program can work with, or a sentence. */
#include "tests/fuzz/fuzz.h"

#include "compute/models/family.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("config", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  const TrcFamily *family = NULL;
  g_autoptr (GError) error = NULL;
  TrcModelConfig c;

  g_assert_true (fd >= 0 && write (fd, data, size) == (ssize_t)size);
  if (trc_config_read (path, &c, &family, &error))
    {
      g_assert_true (c.n_layers >= 1 && c.d_model >= 1 && c.n_heads >= 1 && c.n_vocab >= 1);
      g_assert_true (c.n_kv_heads >= 1 && c.n_heads % c.n_kv_heads == 0 && c.d_head >= 1);
      g_assert_true ((guint64)c.n_heads * c.d_head <= 1u << 22);
      g_assert_true (c.rotary_dims <= c.d_head && family != NULL);
    }
  else
    {
      g_assert_nonnull (error);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_null (strchr (error->message, '\n'));
    }
  close (fd);
  return 0;
}
