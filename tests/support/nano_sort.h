/* tests/support/nano_sort.h - the sorting model of the reference data, whole
 *
 * The safetensors file of data/models/gpt-nano-sort lacks the biases of q, k and v that the
 * published JSON beside it holds and that the reference figures were computed with. This makes
 * a folder from the JSON alone.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A temporary model folder with config.json, vocab.json and all weights, for
 * trc_test_remove_tree() and g_free(); NULL after g_test_skip() when there is no reference data. */
char *trc_test_nano_sort (void) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
