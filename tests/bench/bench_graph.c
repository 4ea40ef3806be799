/* Wall time, processor time and memory of graphs: making, writing, reading,
 * pruning, and of yajl alone on the same bytes.
 *
 * usage: bench_graph [NODES LINKS]
 */
#include "compute/graph_file.h"
#include "compute/graph_make.h"
#include "compute/prune.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <yajl/yajl_parse.h>

typedef struct {
  gint64 wall_us;
  clock_t cpu;
} Clock;

static Clock
now (void)
{
  return (Clock){ g_get_monotonic_time (), clock () };
}

static void
tell (const char *what, Clock start)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  printf ("%-28s %7.3f s wall %7.3f s cpu, %5ld MiB at most so far\n", what,
          (double)(g_get_monotonic_time () - start.wall_us) / 1e6,
          (double)(clock () - start.cpu) / CLOCKS_PER_SEC, usage.ru_maxrss / 1024);
}

static void
parse_only (const char *path)
{
  static const yajl_callbacks none = { 0 };
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  yajl_handle yajl = yajl_alloc (&none, NULL, NULL);
  Clock start = now ();

  yajl_parse (yajl, (const unsigned char *)g_mapped_file_get_contents (file),
              g_mapped_file_get_length (file));
  yajl_free (yajl);
  tell ("yajl alone, no callbacks", start);
}

static void
prune (TrcGraph *graph)
{
  Clock start = now ();
  g_autoptr (TrcPruner) pruner = trc_pruner_new (graph, NULL, NULL);

  tell ("influence and order", start);
  for (double share = 0.6; share < 0.95; share += 0.2)
    {
      TrcPruneParams params = { share, 0.98 };

      start = now ();
      g_autoptr (TrcPruned) kept = trc_pruner_keep (pruner, &params, NULL, NULL);
      tell ("prune (one slider step)", start);
      printf ("  keeps %u nodes, %" G_GUINT64_FORMAT " links\n", kept->n_nodes, kept->n_edges);
    }
}

int
main (int argc, char **argv)
{
  TrcGraphMakeParams params = { .n_nodes = 14000, .n_edges = 1000000, .seed = 1 };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "tracery-bench-graph.json", NULL);
  GStatBuf info;

  if (argc > 2)
    {
      params.n_nodes = (guint32)atoi (argv[1]);
      params.n_edges = g_ascii_strtoull (argv[2], NULL, 10);
    }
  Clock start = now ();
  TrcGraph *graph = trc_graph_make (&params, NULL);
  tell ("make", start);
  start = now ();
  if (!trc_graph_write (graph, path, NULL) || g_stat (path, &info) != 0)
    return 1;
  tell ("write", start);
  printf ("  %u nodes, %" G_GUINT64_FORMAT " links, %.1f MB\n", trc_graph_n_nodes (graph),
          trc_graph_n_edges (graph), (double)info.st_size / 1e6);
  trc_graph_unref (graph);
  parse_only (path);
  start = now ();
  graph = trc_graph_read (path, NULL, NULL);
  tell ("read", start);
  prune (graph);
  trc_graph_unref (graph);
  g_unlink (path);
  return 0;
}
