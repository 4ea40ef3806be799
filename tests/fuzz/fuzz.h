/* tests/fuzz/fuzz.h - one entry for two drivers
 *
 * A target defines LLVMFuzzerTestOneInput(). It runs under libFuzzer:
 *
 *   CC=clang meson setup build-fuzz -Db_sanitize=address,undefined -Db_lundef=false \
 *       -Dc_args=-fsanitize=fuzzer-no-link
 *   ninja -C build-fuzz tests/fuzz/fuzz_graph_libfuzzer
 *   build-fuzz/tests/fuzz/fuzz_graph_libfuzzer CORPUS tests/fuzz/seeds/graph
 *
 * and, in every build and without clang, under driver.c: the seeds, cuts of them,
 * and a fixed number of seeded mutations, as a test.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Looks at one input; a defect ends the process. Returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
