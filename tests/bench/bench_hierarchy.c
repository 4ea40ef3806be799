/* Cutting a large graph by each rule: seconds, memory, parts and defects. */
#include "compute/graph_make.h"
#include "compute/hierarchy.h"
#include "tests/bench/bench.h"

#include <sys/resource.h>

int
main (int argc, char **argv)
{
  TrcGraphMakeParams make = { .n_nodes = argc > 1 ? (guint32)atoi (argv[1]) : 14000,
                              .n_edges = argc > 2 ? (guint64)atoll (argv[2]) : 1000000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TrcGraph) graph = trc_graph_make (&make, &error);

  for (guint rule = 0; graph != NULL && rule < TRC_N_COARSEN_RULES; rule++)
    {
      TrcCoarsenParams params = { (TrcCoarsenRule)rule, 4, 1 };
      gint64 start = g_get_monotonic_time ();
      g_autoptr (TrcHierarchy) h = trc_hierarchy_new (graph, &params, NULL, &error);
      double seconds = (double)(g_get_monotonic_time () - start) / 1e6;
      struct rusage usage;
      if (h == NULL)
        break;
      getrusage (RUSAGE_SELF, &usage);
      g_print ("%-13s %6.2f s, peak %ld MiB, %u levels, sizes", trc_coarsen_rule_name (rule),
               seconds, usage.ru_maxrss / 1024, trc_hierarchy_n_levels (h));
      for (guint level = 1; level < MIN (trc_hierarchy_n_levels (h), 7); level++)
        g_print (" %u (%.2f)", trc_hierarchy_level_size (h, level),
                 trc_hierarchy_defect (h, level));
      g_print ("\n");
    }
  if (error != NULL)
    g_printerr ("%s\n", error->message);
  return error != NULL;
}
