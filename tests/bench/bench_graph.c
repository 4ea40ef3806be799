/* Large graphs: writing, reading beside yajl alone on the same bytes, influence, and one step
 * of the pruning slider; memory that a graph takes.
 *
 * usage: bench_graph [NODES LINKS]      14,000 nodes and 1,000,000 links unless told otherwise
 */
#include "compute/graph_file.h"
#include "compute/graph_make.h"
#include "compute/prune.h"
#include "tests/bench/bench.h"

#include <glib/gstdio.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

typedef struct {
  TrcGraphMakeParams params;
  char *path;
  TrcGraph *graph;
  TrcPruner *pruner;
  double share;
} Bench;

static void
make_graph (gpointer data)
{
  Bench *self = data;

  trc_graph_unref (self->graph);
  self->graph = trc_graph_make (&self->params, NULL);
}

static void
write_graph (gpointer data)
{
  Bench *self = data;

  trc_graph_write (self->graph, self->path, NULL);
}

static void
read_graph (gpointer data)
{
  Bench *self = data;

  trc_graph_unref (self->graph);
  self->graph = trc_graph_read (self->path, NULL, NULL);
}

static int
nothing (void *ctx)
{
  return 1;
}

static int
nothing_text (void *ctx, const unsigned char *text, size_t len)
{
  return 1;
}

static int
nothing_number (void *ctx, const char *text, size_t len)
{
  return 1;
}

static void
parse_only (gpointer data)
{
  static const yajl_callbacks callbacks = { .yajl_number = nothing_number,
                                            .yajl_string = nothing_text,
                                            .yajl_map_key = nothing_text,
                                            .yajl_start_map = nothing,
                                            .yajl_end_map = nothing,
                                            .yajl_start_array = nothing,
                                            .yajl_end_array = nothing };
  Bench *self = data;
  yajl_handle yajl = yajl_alloc (&callbacks, NULL, NULL);
  static unsigned char chunk[256 * 1024];
  FILE *file = fopen (self->path, "rb");
  size_t n;

  while (file != NULL && (n = fread (chunk, 1, sizeof chunk, file)) > 0)
    yajl_parse (yajl, chunk, n);
  if (file != NULL)
    fclose (file);
  yajl_free (yajl);
}

static void
find_influence (gpointer data)
{
  Bench *self = data;

  trc_pruner_free (self->pruner);
  self->pruner = trc_pruner_new (self->graph, NULL, NULL);
}

static void
slide (gpointer data)
{
  Bench *self = data;
  TrcPruneParams params = { self->share, 0.98 };

  trc_pruned_free (trc_pruner_keep (self->pruner, &params, NULL, NULL));
}

static double
memory_mib (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return (double)(info.uordblks + info.hblkhd) / (1 << 20);
}

int
main (int argc, char **argv)
{
  Bench self = { .params = { .n_nodes = 14000, .n_edges = 1000000, .seed = 1 } };
  GStatBuf info;

  if (argc > 2)
    {
      self.params.n_nodes = (guint32)atoi (argv[1]);
      self.params.n_edges = g_ascii_strtoull (argv[2], NULL, 10);
    }
  self.path = g_build_filename (g_get_tmp_dir (), "tracery-bench-graph.json", NULL);
  trc_bench ("make the graph", 1, make_graph, &self);
  trc_bench ("write", 1, write_graph, &self);
  if (self.graph == NULL || g_stat (self.path, &info) != 0)
    return 1;
  trc_bench_figure ("nodes", trc_graph_n_nodes (self.graph), "");
  trc_bench_figure ("links", (double)trc_graph_n_edges (self.graph), "");
  trc_bench_figure ("file", (double)info.st_size / 1e6, "MB");
  TrcBenchTime parse = trc_bench ("yajl alone", 3, parse_only, &self);
  TrcBenchTime read = trc_bench ("read", 3, read_graph, &self);
  trc_bench_figure ("read", (double)info.st_size / 1e6 / read.cpu, "MB/s of processor time");
  trc_bench_figure ("read / yajl alone", read.cpu / parse.cpu, "times");
  double with = memory_mib ();
  trc_graph_unref (g_steal_pointer (&self.graph));
  trc_bench_figure ("memory of the graph", with - memory_mib (), "MiB");
  read_graph (&self);
  trc_bench ("influence and order", 5, find_influence, &self);
  self.share = 0.6;
  trc_bench ("slider at 0.6", 5, slide, &self);
  self.share = 0.9;
  trc_bench ("slider at 0.9", 5, slide, &self);
  trc_pruner_free (self.pruner);
  trc_graph_unref (self.graph);
  g_unlink (self.path);
  g_free (self.path);
  return 0;
}
