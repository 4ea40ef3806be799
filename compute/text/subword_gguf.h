/* compute/text/subword_gguf.h - the tokeniser that a GGUF file carries
 *
 * Private to compute. Kinds "gpt2" (ranked merges; the pre-tokeniser by its name)
 * and "llama" (scored pieces).
 */
#pragma once

#include "compute/formats/gguf.h"
#include "compute/text/subword.h"

G_BEGIN_DECLS

/* Reads the tokenizer.ggml.* keys of @file, which may be closed afterwards. */
TrcTokenizer *trc_subword_from_gguf (const TrcGguf *file, GError **error);

G_END_DECLS
