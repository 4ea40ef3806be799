/* tests/device/vk_fixture.h - opens a Vulkan device for a test, with the validation layer on
 *
 * The tests take a software device, which is the same everywhere: the first one whose name
 * holds "llvmpipe", or what TRACERY_TEST_VULKAN says. Without it they skip themselves.
 */
#pragma once

#include "compute/vk/vk_backend.h"

G_BEGIN_DECLS

/* Part of the name of the device that tests take. Borrowed. */
const char *vk_fixture_part (void);

/* FALSE, having marked the test as skipped, when there is no such device. */
gboolean vk_fixture_available (void);

/* Opens the device with @params (NULL: defaults) plus the fixture's name, validation and an own
 * cache folder. NULL after g_test_skip() when there is no such device; any other failure fails
 * the test. */
TrcVkBackend *vk_fixture_open (const TrcVkParams *params);

/* The same, only the lower half: instance and device. */
gboolean vk_fixture_device (TrcVkDevice *device, const TrcVkParams *params);

/* Fails the test if the validation layer has said anything; then closes the device. */
void vk_fixture_close (TrcVkBackend *backend);

/* The same for the lower half. */
void vk_fixture_device_close (TrcVkDevice *device);

/* --- trouble on request ------------------------------------------------------------------------
 * A patch for TrcVkParams that counts calls and makes one of them fail. */

typedef struct {
  const char *function; /* "QueueSubmit", "WaitSemaphores", "AllocateMemory", ... */
  VkResult result;      /* what it returns instead of working */
  int after;            /* calls that still work before */
  int calls;            /* calls so far */
  gboolean armed;       /* FALSE: every call works and is counted */
} VkTrouble;

/* @params with a patch that serves @trouble. One at a time. */
TrcVkParams vk_fixture_trouble (VkTrouble *trouble);

G_END_DECLS
