/* tracery-layout: Graphviz dot behind a pipe. Graphviz can abort, cannot be
 * stopped and is not thread-safe, so it gets a process of its own with limits on
 * time and memory. Format: render/layout/helper_format.h */
#include "render/layout/helper_format.h"

#include <gvc.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int
silent (char *text)
{
  (void)text;
  return 0;
}

static void
limit_self (unsigned cpu_s, unsigned memory_mib)
{
  struct rlimit cpu = { cpu_s, cpu_s + 1 };

  setrlimit (RLIMIT_CPU, &cpu);
#if !defined(__SANITIZE_ADDRESS__)
  struct rlimit memory = { (rlim_t)memory_mib << 20, (rlim_t)memory_mib << 20 };
  setrlimit (RLIMIT_AS, &memory);
#else
  (void)memory_mib;
#endif
  struct rlimit none = { 0, 0 };
  setrlimit (RLIMIT_CORE, &none);
}

static void
set (void *object, const char *name, const char *value)
{
  agsafeset (object, (char *)name, (char *)value, (char *)"");
}

/* The options that halve dot's time and more; edges are drawn by others. */
static void
set_options (Agraph_t *graph)
{
  static const char *const option[][2] = {
    { "rankdir", "BT" },   { "nslimit", "1" },    { "nslimit1", "1" },   { "mclimit", "0.1" },
    { "splines", "line" }, { "nodesep", "0.16" }, { "ranksep", "0.42" },
  };

  for (size_t i = 0; i < sizeof option / sizeof *option; i++)
    agattr (graph, AGRAPH, (char *)option[i][0], (char *)option[i][1]);
  agattr (graph, AGNODE, (char *)"shape", (char *)"box");
  agattr (graph, AGNODE, (char *)"label", (char *)"");
  agattr (graph, AGNODE, (char *)"fixedsize", (char *)"true");
  agattr (graph, AGNODE, (char *)"width", (char *)"0.1");
  agattr (graph, AGNODE, (char *)"height", (char *)"0.1");
  agattr (graph, AGEDGE, (char *)"weight", (char *)"1");
  agattr (graph, AGEDGE, (char *)"arrowhead", (char *)"none");
}

static Agraph_t *
ranked (Agraph_t *graph, const char *name, const char *rank)
{
  Agraph_t *sub = agsubg (graph, (char *)name, 1);

  agsafeset (sub, (char *)"rank", (char *)rank, (char *)"");
  return sub;
}

static bool
read_nodes (Agraph_t *graph, Agnode_t **node, unsigned n)
{
  Agraph_t *low = NULL, *high = NULL;

  for (unsigned i = 0; i < n; i++)
    {
      double w, h;
      int rank;
      char text[32];
      if (scanf ("%lf %lf %d", &w, &h, &rank) != 3 || !(w > 0 && w < 1e5 && h > 0 && h < 1e5))
        return false;
      snprintf (text, sizeof text, "n%u", i);
      node[i] = agnode (graph, text, 1);
      snprintf (text, sizeof text, "%.4f", w / POINTS_PER_INCH);
      set (node[i], "width", text);
      snprintf (text, sizeof text, "%.4f", h / POINTS_PER_INCH);
      set (node[i], "height", text);
      if (rank == 1)
        agsubnode (low = low != NULL ? low : ranked (graph, "low", "min"), node[i], 1);
      else if (rank == 2)
        agsubnode (high = high != NULL ? high : ranked (graph, "high", "max"), node[i], 1);
    }
  return true;
}

static bool
read_edges (Agraph_t *graph, Agnode_t **node, unsigned n, unsigned m)
{
  for (unsigned i = 0; i < m; i++)
    {
      unsigned from, to, weight;
      char text[32];
      if (scanf ("%u %u %u", &from, &to, &weight) != 3 || from >= n || to >= n || weight < 1
          || weight > 100)
        return false;
      Agedge_t *edge = agedge (graph, node[from], node[to], NULL, 1);
      snprintf (text, sizeof text, "%u", weight);
      set (edge, "weight", text);
    }
  return true;
}

static void
answer (Agnode_t **node, unsigned n)
{
  printf (TRC_HELPER_ANSWER " %u\n", n);
  for (unsigned i = 0; i < n; i++)
    printf ("%.3f %.3f\n", ND_coord (node[i]).x, -ND_coord (node[i]).y);
  printf ("end\n");
}

int
main (void)
{
  unsigned cpu_s, memory_mib, n, m;
  char end[8];

  setlocale (LC_ALL, "C");
  if (scanf (TRC_HELPER_ASK " %u %u nodes %u", &cpu_s, &memory_mib, &n) != 3
      || n > TRC_HELPER_MAX_NODES || cpu_s > 86400 || memory_mib > 1u << 20)
    return 1;
  limit_self (cpu_s, memory_mib);
  agseterr (AGMAX);
  agseterrf (silent);

  GVC_t *gvc = gvContext ();
  Agraph_t *graph = agopen ((char *)"g", Agdirected, NULL);
  Agnode_t **node = calloc (n + 1, sizeof *node);
  if (node == NULL)
    return 1;
  set_options (graph);
  if (!read_nodes (graph, node, n) || scanf (" edges %u", &m) != 1 || m > TRC_HELPER_MAX_EDGES
      || !read_edges (graph, node, n, m) || scanf (" %7s", end) != 1
      || strcmp (end, "end") != 0)
    return 1;
  if (n > 0 && gvLayout (gvc, graph, "dot") != 0)
    return 1;
  answer (node, n);
  free (node); /* Graphviz's own memory goes with the process, it is faster so */
  return fflush (stdout) == 0 ? 0 : 1;
}
