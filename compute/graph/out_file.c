#include "compute/graph/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES (256 * 1024)

static void
flush (TrcOut *self)
{
  const char *at = self->text->str;
  gsize left = self->text->len;

  while (left > 0 && self->failed == 0)
    {
      gssize n = write (self->fd, at, left);

      if (n < 0 && errno != EINTR)
        self->failed = errno;
      else if (n > 0)
        {
          at += n;
          left -= (gsize)n;
        }
    }
  g_string_truncate (self->text, 0);
}

void
trc_out_flush (TrcOut *self)
{
  if (self->fd >= 0 && self->text->len > FLUSH_BYTES)
    flush (self);
}

static gboolean
set_write_error (const char *name, int code, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               "%s cannot be written: %s. Nothing was changed.", name, g_strerror (code));
  return FALSE;
}

/* Something that is no file (a pipe, a terminal) is written to as it is. */
static gboolean
is_special (const char *path)
{
  GStatBuf info;

  return g_stat (path, &info) == 0 && !S_ISREG (info.st_mode) && !S_ISDIR (info.st_mode);
}

static gboolean
write_special (TrcOutPut put, const TrcGraph *graph, const char *path, const char *name,
               GError **error)
{
  TrcOut out = { .fd = g_open (path, O_WRONLY | O_CLOEXEC, 0) };

  if (out.fd < 0)
    return set_write_error (name, errno, error);
  out.text = g_string_new (NULL);
  put (&out, graph);
  flush (&out);
  g_string_free (out.text, TRUE);
  close (out.fd);
  return out.failed == 0 || set_write_error (name, out.failed, error);
}

/* What open() would have given the file, or what the old file had. */
static mode_t
mode_for (const char *path)
{
  GStatBuf info;
  mode_t mask;

  if (g_stat (path, &info) == 0)
    return info.st_mode & 0777;
  mask = umask (022);
  umask (mask);
  return 0666 & ~mask;
}

gboolean
trc_out_write_file (TrcOutPut put, const TrcGraph *graph, const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  g_autofree char *real = realpath (path, NULL);
  const char *target = real != NULL ? real : path; /* a link keeps being one */
  g_autofree char *temporary = g_strconcat (target, ".XXXXXX", NULL);
  TrcOut out = { 0 };

  if (is_special (path))
    return write_special (put, graph, path, name, error);
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return set_write_error (name, EISDIR, error);
  out.fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (out.fd < 0)
    return set_write_error (name, errno, error);
  out.text = g_string_new (NULL);
  put (&out, graph);
  flush (&out);
  g_string_free (out.text, TRUE);
  if (out.failed == 0 && fchmod (out.fd, mode_for (target)) != 0)
    out.failed = errno;
  if (close (out.fd) != 0 && out.failed == 0)
    out.failed = errno;
  if (out.failed == 0 && g_rename (temporary, target) != 0)
    out.failed = errno;
  if (out.failed == 0)
    return TRUE;
  g_unlink (temporary);
  return set_write_error (name, out.failed, error);
}
