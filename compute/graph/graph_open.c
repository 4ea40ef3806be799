#include "compute/graph_file.h"

#include "compute/graph/graph_reader.h"
#include "compute/graph/pt_file.h"

#include <string.h>

/* What the first bytes say that a file is. */
typedef enum { PLAIN, GZIP, ZIP } Packing;

/* The stream behind @base, unpacked if it is gzip. */
static GInputStream *
unpack (GInputStream *base, Packing *packing, GError **error)
{
  g_autoptr (GInputStream) buffered = g_buffered_input_stream_new_sized (base, 64 * 1024);
  GBufferedInputStream *in = G_BUFFERED_INPUT_STREAM (buffered);
  gsize n;

  if (g_buffered_input_stream_fill (in, 4, NULL, error) < 0)
    return NULL;
  const guchar *head = g_buffered_input_stream_peek_buffer (in, &n);
  *packing = n >= 2 && memcmp (head, "\x1f\x8b", 2) == 0     ? GZIP
             : n >= 4 && memcmp (head, "PK\x03\x04", 4) == 0 ? ZIP
                                                             : PLAIN;
  if (*packing != GZIP)
    return g_steal_pointer (&buffered);
  g_autoptr (GZlibDecompressor) gzip = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  return g_converter_input_stream_new (buffered, G_CONVERTER (gzip));
}

/* A sentence for what the system says about @path. */
static void
set_open_error (const char *name, const GError *cause, GError **error)
{
  const char *text = "cannot be opened";

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    text = "does not exist";
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY))
    text = "is a folder, not a graph file";
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    text = "may not be read: you have no permission";
  g_set_error (error, cause->domain, cause->code, "%s %s.", name, text);
}

TrcGraph *
trc_graph_read (const char *path, const TrcProgress *progress, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) cause = NULL;
  g_autofree char *name = g_filename_display_name (path);
  g_autoptr (GFileInputStream) base = NULL;
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GFileInfo) info = NULL;
  Packing packing = PLAIN;

  if (trc_progress_cancelled (progress, error))
    return NULL;
  base = g_file_read (file, NULL, &cause);
  if (base != NULL)
    stream = unpack (G_INPUT_STREAM (base), &packing, &cause);
  if (stream == NULL)
    {
      set_open_error (name, cause, error);
      return NULL;
    }
  if (packing == ZIP)
    return trc_pt_read (path, progress, error);
  info = g_file_input_stream_query_info (base, G_FILE_ATTRIBUTE_STANDARD_SIZE, NULL, NULL);
  return trc_graph_read_stream (
      stream, info != NULL && packing == PLAIN ? g_file_info_get_size (info) : -1, name,
      progress, error);
}

TrcGraph *
trc_graph_read_bytes (GBytes *bytes, const char *name, const TrcProgress *progress,
                      GError **error)
{
  g_autoptr (GInputStream) base = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) stream = NULL;
  Packing packing = PLAIN;

  stream = unpack (base, &packing, error);
  if (stream == NULL)
    return NULL;
  return trc_graph_read_stream (
      stream, packing != PLAIN ? -1 : (goffset)g_bytes_get_size (bytes), name, progress, error);
}
