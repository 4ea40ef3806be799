/* compute/vk/vk_stream.h - records commands and submits them in short pieces
 *
 * Four command buffers go round. One is being recorded; it is submitted after
 * about 100 dispatches, or earlier when the estimated work is large, so that a
 * desktop stays usable, drivers do not time out and a cancel is felt soon.
 *
 * Order     A command that touches memory which an earlier command wrote, or
 *           writes what an earlier one read, is preceded by a barrier. Others may
 *           overlap.
 * Errors    A submission that fails for another reason than device loss marks
 *           the device as lost too: what it should have computed is missing.
 * Threads   The caller serialises.
 */
#pragma once

#include "compute/vk/vk_memory.h"

G_BEGIN_DECLS

#define TRC_VK_BINDINGS 8
#define TRC_VK_PUSH_BYTES 128

/* A piece of a buffer that a command reads or writes. A kernel may be given more of
 * the buffer than it touches: @bind_size >= @size. */
typedef struct {
  VkBuffer buffer;
  guint64 offset, size;
  guint64 bind_size;
} TrcVkSpan;

typedef struct {
  VkPipeline pipeline;
  const void *push;
  guint32 push_bytes;
  const TrcVkSpan *spans; /* binding i is spans[i]; bind_size 0 leaves it unbound */
  guint n_spans;
  guint32 written; /* bit i: the kernel writes spans[i] */
  guint32 groups[3];
  double work; /* estimated floating-point operations */
} TrcVkCommand;

typedef struct {
  VkCommandPool pool;
  VkCommandBuffer commands;
  VkDescriptorPool sets;
  guint64 value; /* clock value of its newest submission, 0: never submitted */
} TrcVkSlot;

#define TRC_VK_SLOTS 4

typedef struct {
  TrcVkDevice *device;
  VkDescriptorSetLayout set_layout;
  VkPipelineLayout layout;
  TrcVkSlot slots[TRC_VK_SLOTS];
  guint slot; /* the one being recorded, or next */
  gboolean recording;
  guint n_dispatches; /* in the open command buffer */
  guint n_commands;   /* dispatches and copies in it */
  double work, max_work;
  VkPipeline bound;
  GArray *read, *written;    /* TrcVkSpan since the last barrier */
  GCancellable *cancellable; /* owned, may be NULL */
  guint64 n_submits, n_barriers;
} TrcVkStream;

/* Makes layouts, pools and command buffers. @self need not be cleared when FALSE. */
gboolean trc_vk_stream_init (TrcVkStream *self, TrcVkDevice *device, GError **error);

/* Drops what is recorded but not submitted; waits for the rest unless lost. */
void trc_vk_stream_clear (TrcVkStream *self);

/* Records one kernel; may submit. */
gboolean
trc_vk_stream_dispatch (TrcVkStream *self, const TrcVkCommand *command, GError **error);

/* Records a copy between two spans of the same size (a multiple of 4). */
gboolean trc_vk_stream_copy (TrcVkStream *self, const TrcVkSpan *from, const TrcVkSpan *to,
                             GError **error);

/* Records filling a span (offset and size multiples of 4) with a 32-bit word. */
gboolean
trc_vk_stream_fill (TrcVkStream *self, const TrcVkSpan *to, guint32 word, GError **error);

/* Records writing at most 64 KiB that travel inside the command buffer; offset and
 * size are multiples of 4. */
gboolean
trc_vk_stream_update (TrcVkStream *self, const TrcVkSpan *to, const void *data, GError **error);

/* Hands what is recorded to the device. */
gboolean trc_vk_stream_submit (TrcVkStream *self, GError **error);

/* Submits, then waits until all of it is done. */
gboolean trc_vk_stream_finish (TrcVkStream *self, GError **error);

/* TRUE when nothing is recorded and nothing is running. */
gboolean trc_vk_stream_idle (TrcVkStream *self);

/* Clock value that covers everything recorded so far. */
guint64 trc_vk_stream_next_value (const TrcVkStream *self);

/* Looked at before each command and while waiting. NULL: nobody stops the work. */
void trc_vk_stream_set_cancellable (TrcVkStream *self, GCancellable *cancellable);

G_END_DECLS
