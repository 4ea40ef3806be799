#include "compute/vk/vk_stream.h"

#include "compute/error.h"

#define MAX_DISPATCHES 100
#define MAX_COMMANDS 400
#define MAX_SPANS 64 /* spans remembered before a barrier is simply made */

#define ALL_STAGES (VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT)
#define ALL_WRITES (VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT)
#define ALL_READS (VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_TRANSFER_READ_BIT)

static VkResult
create_layouts (TrcVkStream *self)
{
  TrcVkApi *api = &self->device->instance.api;
  VkDescriptorSetLayoutBinding bindings[TRC_VK_BINDINGS];
  const VkDescriptorSetLayoutCreateInfo set_info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
    .bindingCount = TRC_VK_BINDINGS,
    .pBindings = bindings,
  };
  const VkPushConstantRange push = { .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                     .size = TRC_VK_PUSH_BYTES };

  for (guint32 i = 0; i < TRC_VK_BINDINGS; i++)
    bindings[i] = (VkDescriptorSetLayoutBinding){
      .binding = i,
      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
      .descriptorCount = 1,
      .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
    };
  VkResult result =
      api->CreateDescriptorSetLayout (self->device->device, &set_info, NULL, &self->set_layout);
  if (result != VK_SUCCESS)
    return result;

  const VkPipelineLayoutCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
    .setLayoutCount = 1,
    .pSetLayouts = &self->set_layout,
    .pushConstantRangeCount = 1,
    .pPushConstantRanges = &push,
  };
  return api->CreatePipelineLayout (self->device->device, &info, NULL, &self->layout);
}

static VkResult
create_slot (TrcVkStream *self, TrcVkSlot *slot)
{
  TrcVkApi *api = &self->device->instance.api;
  VkDevice device = self->device->device;
  const VkCommandPoolCreateInfo pool = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
    .flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
    .queueFamilyIndex = self->device->chosen.queue_family,
  };
  const VkDescriptorPoolSize size = {
    .type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
    .descriptorCount = MAX_DISPATCHES * TRC_VK_BINDINGS,
  };
  const VkDescriptorPoolCreateInfo sets = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
    .maxSets = MAX_DISPATCHES,
    .poolSizeCount = 1,
    .pPoolSizes = &size,
  };
  VkResult result = api->CreateCommandPool (device, &pool, NULL, &slot->pool);
  if (result != VK_SUCCESS)
    return result;

  const VkCommandBufferAllocateInfo commands = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
    .commandPool = slot->pool,
    .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
    .commandBufferCount = 1,
  };
  result = api->AllocateCommandBuffers (device, &commands, &slot->commands);
  if (result != VK_SUCCESS)
    return result;
  return api->CreateDescriptorPool (device, &sets, NULL, &slot->sets);
}

gboolean
trc_vk_stream_init (TrcVkStream *self, TrcVkDevice *device, GError **error)
{
  *self = (TrcVkStream){ .device = device };
  self->max_work = 4 * device->max_work;
  self->read = g_array_new (FALSE, FALSE, sizeof (TrcVkSpan));
  self->written = g_array_new (FALSE, FALSE, sizeof (TrcVkSpan));

  VkResult result = create_layouts (self);
  for (guint i = 0; result == VK_SUCCESS && i < TRC_VK_SLOTS; i++)
    result = create_slot (self, &self->slots[i]);
  if (result == VK_SUCCESS)
    return TRUE;
  trc_vk_device_check (device, result, "prepare its command buffers", error);
  trc_vk_stream_clear (self);
  return FALSE;
}

void
trc_vk_stream_clear (TrcVkStream *self)
{
  if (self->device == NULL)
    return;
  TrcVkApi *api = &self->device->instance.api;
  VkDevice device = self->device->device;

  if (!self->device->lost)
    api->DeviceWaitIdle (device);
  for (guint i = 0; i < TRC_VK_SLOTS; i++)
    {
      if (self->slots[i].sets != VK_NULL_HANDLE)
        api->DestroyDescriptorPool (device, self->slots[i].sets, NULL);
      if (self->slots[i].pool != VK_NULL_HANDLE)
        api->DestroyCommandPool (device, self->slots[i].pool, NULL);
    }
  if (self->layout != VK_NULL_HANDLE)
    api->DestroyPipelineLayout (device, self->layout, NULL);
  if (self->set_layout != VK_NULL_HANDLE)
    api->DestroyDescriptorSetLayout (device, self->set_layout, NULL);
  g_clear_pointer (&self->read, g_array_unref);
  g_clear_pointer (&self->written, g_array_unref);
  g_clear_object (&self->cancellable);
  *self = (TrcVkStream){ 0 };
}

static void
barrier (TrcVkStream *self, VkPipelineStageFlags to, VkAccessFlags to_access)
{
  const VkMemoryBarrier all = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = ALL_WRITES,
    .dstAccessMask = to_access,
  };

  self->device->instance.api.CmdPipelineBarrier (self->slots[self->slot].commands, ALL_STAGES,
                                                 to, 0, 1, &all, 0, NULL, 0, NULL);
  g_array_set_size (self->read, 0);
  g_array_set_size (self->written, 0);
  self->n_barriers++;
}

/* Opens a command buffer when none is; waits for the oldest one if all four are
 * still running. */
static gboolean
begin (TrcVkStream *self, GError **error)
{
  TrcVkSlot *slot = &self->slots[self->slot];
  TrcVkApi *api = &self->device->instance.api;
  const VkCommandBufferBeginInfo info = {
    .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
    .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
  };
  VkResult result;

  if (!trc_vk_device_ok (self->device, error)
      || g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return FALSE;
  if (self->recording)
    return TRUE;
  if (slot->value > 0
      && !trc_vk_device_wait (self->device, slot->value, self->cancellable, error))
    return FALSE;

  result = api->ResetCommandPool (self->device->device, slot->pool, 0);
  if (result == VK_SUCCESS)
    result = api->ResetDescriptorPool (self->device->device, slot->sets, 0);
  if (result == VK_SUCCESS)
    result = api->BeginCommandBuffer (slot->commands, &info);
  if (!trc_vk_device_check (self->device, result, "record commands", error))
    return FALSE;
  self->recording = TRUE;
  self->n_dispatches = self->n_commands = 0;
  self->work = 0;
  self->bound = VK_NULL_HANDLE;
  barrier (self, ALL_STAGES, ALL_WRITES | ALL_READS); /* after whatever ran before */
  return TRUE;
}

static gboolean
overlaps (const GArray *list, const TrcVkSpan *span)
{
  for (guint i = 0; i < list->len; i++)
    {
      const TrcVkSpan *other = &g_array_index (list, TrcVkSpan, i);
      if (other->buffer == span->buffer && other->offset < span->offset + span->size
          && span->offset < other->offset + other->size)
        return TRUE;
    }
  return FALSE;
}

/* Makes a barrier if one of @spans meets a write since the last one, or is written
 * and meets a read; then remembers them. */
static void
order (TrcVkStream *self, const TrcVkSpan *spans, guint n, guint32 written)
{
  gboolean meets = self->read->len + self->written->len + n > MAX_SPANS;

  for (guint i = 0; i < n && !meets; i++)
    meets = overlaps (self->written, &spans[i])
            || ((written >> i & 1) && overlaps (self->read, &spans[i]));
  if (meets)
    barrier (self, ALL_STAGES, ALL_WRITES | ALL_READS);
  for (guint i = 0; i < n; i++)
    if (spans[i].size > 0)
      g_array_append_val ((written >> i & 1) ? self->written : self->read, spans[i]);
}

static gboolean
bind_spans (TrcVkStream *self, const TrcVkCommand *command, GError **error)
{
  TrcVkSlot *slot = &self->slots[self->slot];
  TrcVkApi *api = &self->device->instance.api;
  const VkDescriptorSetAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
    .descriptorPool = slot->sets,
    .descriptorSetCount = 1,
    .pSetLayouts = &self->set_layout,
  };
  VkDescriptorBufferInfo buffers[TRC_VK_BINDINGS];
  VkWriteDescriptorSet writes[TRC_VK_BINDINGS];
  VkDescriptorSet set;
  guint32 n = 0;

  VkResult result = api->AllocateDescriptorSets (self->device->device, &info, &set);
  if (!trc_vk_device_check (self->device, result, "bind tensors", error))
    return FALSE;
  for (guint32 i = 0; i < command->n_spans; i++)
    {
      const TrcVkSpan *span = &command->spans[i];

      if (span->bind_size == 0)
        continue;
      buffers[n] = (VkDescriptorBufferInfo){ span->buffer, span->offset, span->bind_size };
      writes[n] = (VkWriteDescriptorSet){
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstSet = set,
        .dstBinding = i,
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .pBufferInfo = &buffers[n],
      };
      n++;
    }
  api->UpdateDescriptorSets (self->device->device, n, writes, 0, NULL);
  api->CmdBindDescriptorSets (slot->commands, VK_PIPELINE_BIND_POINT_COMPUTE, self->layout, 0,
                              1, &set, 0, NULL);
  return TRUE;
}

gboolean
trc_vk_stream_dispatch (TrcVkStream *self, const TrcVkCommand *command, GError **error)
{
  TrcVkApi *api = &self->device->instance.api;

  g_assert (command->n_spans <= TRC_VK_BINDINGS && command->push_bytes <= TRC_VK_PUSH_BYTES);
  if (!begin (self, error) || !bind_spans (self, command, error))
    return FALSE;

  VkCommandBuffer commands = self->slots[self->slot].commands;
  order (self, command->spans, command->n_spans, command->written);
  if (self->bound != command->pipeline)
    api->CmdBindPipeline (commands, VK_PIPELINE_BIND_POINT_COMPUTE, command->pipeline);
  self->bound = command->pipeline;
  api->CmdPushConstants (commands, self->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                         command->push_bytes, command->push);
  api->CmdDispatch (commands, command->groups[0], command->groups[1], command->groups[2]);
  self->n_dispatches++;
  self->n_commands++;
  self->work += command->work;
  if (self->n_dispatches >= MAX_DISPATCHES || self->work >= self->max_work)
    return trc_vk_stream_submit (self, error);
  return TRUE;
}

static gboolean
count_command (TrcVkStream *self, GError **error)
{
  self->n_commands++;
  return self->n_commands < MAX_COMMANDS || trc_vk_stream_submit (self, error);
}

gboolean
trc_vk_stream_copy (TrcVkStream *self, const TrcVkSpan *from, const TrcVkSpan *to,
                    GError **error)
{
  const VkBufferCopy region = { from->offset, to->offset, from->size };
  const TrcVkSpan spans[2] = { *from, *to };

  if (from->size == 0)
    return TRUE;
  if (!begin (self, error))
    return FALSE;
  order (self, spans, 2, 1u << 1);
  self->device->instance.api.CmdCopyBuffer (self->slots[self->slot].commands, from->buffer,
                                            to->buffer, 1, &region);
  return count_command (self, error);
}

gboolean
trc_vk_stream_fill (TrcVkStream *self, const TrcVkSpan *to, guint32 word, GError **error)
{
  if (to->size == 0)
    return TRUE;
  if (!begin (self, error))
    return FALSE;
  order (self, to, 1, 1);
  self->device->instance.api.CmdFillBuffer (self->slots[self->slot].commands, to->buffer,
                                            to->offset, to->size, word);
  return count_command (self, error);
}

gboolean
trc_vk_stream_update (TrcVkStream *self, const TrcVkSpan *to, const void *data, GError **error)
{
  if (to->size == 0)
    return TRUE;
  if (!begin (self, error))
    return FALSE;
  order (self, to, 1, 1);
  self->device->instance.api.CmdUpdateBuffer (self->slots[self->slot].commands, to->buffer,
                                              to->offset, to->size, data);
  return count_command (self, error);
}

/* What failed to be submitted will never be computed, so nothing after it can be
 * trusted: the device counts as lost. */
static gboolean
submit_failed (TrcVkStream *self, VkResult result, GError **error)
{
  trc_vk_device_check (self->device, result, "run what was queued", error);
  self->device->lost = TRUE;
  return FALSE;
}

gboolean
trc_vk_stream_submit (TrcVkStream *self, GError **error)
{
  TrcVkSlot *slot = &self->slots[self->slot];
  TrcVkApi *api = &self->device->instance.api;
  const guint64 value = self->device->last_value + 1;
  const VkTimelineSemaphoreSubmitInfo timeline = {
    .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
    .signalSemaphoreValueCount = 1,
    .pSignalSemaphoreValues = &value,
  };
  const VkSubmitInfo info = {
    .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
    .pNext = &timeline,
    .commandBufferCount = 1,
    .pCommandBuffers = &slot->commands,
    .signalSemaphoreCount = 1,
    .pSignalSemaphores = &self->device->clock,
  };

  if (!trc_vk_device_ok (self->device, error))
    return FALSE;
  if (!self->recording)
    return TRUE;
  barrier (self, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
  self->recording = FALSE;
  VkResult result = api->EndCommandBuffer (slot->commands);
  if (result == VK_SUCCESS)
    result = api->QueueSubmit (self->device->queue, 1, &info, VK_NULL_HANDLE);
  if (result != VK_SUCCESS)
    return submit_failed (self, result, error);
  slot->value = self->device->last_value = value;
  self->slot = (self->slot + 1) % TRC_VK_SLOTS;
  self->n_submits++;
  return TRUE;
}

gboolean
trc_vk_stream_finish (TrcVkStream *self, GError **error)
{
  return trc_vk_stream_submit (self, error)
         && trc_vk_device_wait (self->device, self->device->last_value, self->cancellable,
                                error);
}

gboolean
trc_vk_stream_idle (TrcVkStream *self)
{
  return !self->recording && trc_vk_device_now (self->device) >= self->device->last_value;
}

guint64
trc_vk_stream_next_value (const TrcVkStream *self)
{
  return self->device->last_value + (self->recording ? 1 : 0);
}

void
trc_vk_stream_set_cancellable (TrcVkStream *self, GCancellable *cancellable)
{
  g_set_object (&self->cancellable, cancellable);
}
