#include "compute/vk/vk_memory.h"

#include "compute/error.h"

#define FIRST_BLOCK (32ull << 20)
#define LARGEST_BLOCK (256ull << 20)
#define USAGE                                                                                  \
  (VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT                       \
   | VK_BUFFER_USAGE_TRANSFER_DST_BIT)
#define HOST (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

typedef struct {
  guint64 offset, size;
} TrcVkHole;

static VkResult
create_buffer (TrcVkDevice *d, guint64 size, VkBuffer *buffer)
{
  const VkBufferCreateInfo info = {
    .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
    .size = size,
    .usage = USAGE,
    .sharingMode = VK_SHARING_MODE_EXCLUSIVE,
  };
  VkResult result = d->instance.api.CreateBuffer (d->device, &info, NULL, buffer);

  if (result != VK_SUCCESS)
    *buffer = VK_NULL_HANDLE;
  return result;
}

static void
block_free (TrcVkDevice *d, TrcVkBlock *block)
{
  TrcVkApi *api = &d->instance.api;

  if (block->buffer != VK_NULL_HANDLE)
    api->DestroyBuffer (d->device, block->buffer, NULL);
  if (block->memory != VK_NULL_HANDLE)
    api->FreeMemory (d->device, block->memory, NULL); /* unmaps too */
  g_clear_pointer (&block->holes, g_array_unref);
  g_free (block);
}

static VkResult
block_fill (TrcVkDevice *d, TrcVkBlock *block, guint32 type, gboolean map)
{
  TrcVkApi *api = &d->instance.api;
  VkMemoryRequirements need;
  VkResult result = create_buffer (d, block->size, &block->buffer);

  if (result != VK_SUCCESS)
    return result;
  api->GetBufferMemoryRequirements (d->device, block->buffer, &need);

  const VkMemoryAllocateInfo info = {
    .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
    .allocationSize = need.size,
    .memoryTypeIndex = type,
  };
  if (need.size > d->memory.memoryHeaps[d->memory.memoryTypes[type].heapIndex].size)
    return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  result = api->AllocateMemory (d->device, &info, NULL, &block->memory);
  if (result != VK_SUCCESS)
    {
      block->memory = VK_NULL_HANDLE;
      return result;
    }
  result = api->BindBufferMemory (d->device, block->buffer, block->memory, 0);
  if (result == VK_SUCCESS && map)
    result =
        api->MapMemory (d->device, block->memory, 0, VK_WHOLE_SIZE, 0, (void **)&block->mapped);
  return result;
}

static TrcVkBlock *
block_new (TrcVkDevice *d, guint64 size, guint32 type, gboolean map, VkResult *result)
{
  TrcVkBlock *block = g_new0 (TrcVkBlock, 1);
  const TrcVkHole all = { 0, size };

  block->size = size;
  *result = block_fill (d, block, type, map);
  if (*result != VK_SUCCESS)
    {
      block_free (d, block);
      return NULL;
    }
  block->holes = g_array_new (FALSE, FALSE, sizeof (TrcVkHole));
  g_array_append_val (block->holes, all);
  return block;
}

static int
find_type (const VkPhysicalDeviceMemoryProperties *memory, guint32 allowed,
           VkMemoryPropertyFlags flags)
{
  for (guint32 i = 0; i < memory->memoryTypeCount; i++)
    if ((allowed & (1u << i)) && (memory->memoryTypes[i].propertyFlags & flags) == flags)
      return (int)i;
  return -1;
}

/* Tensors go to mapped device memory only when that heap is (nearly) all of the
 * device's memory; the small window older GPUs offer would soon be full. */
static gboolean
shares_memory (const VkPhysicalDeviceMemoryProperties *memory, int mapped, int local)
{
  guint64 window, whole;

  if (mapped < 0)
    return FALSE;
  window = memory->memoryHeaps[memory->memoryTypes[mapped].heapIndex].size;
  whole = memory->memoryHeaps[memory->memoryTypes[local].heapIndex].size;
  return window >= whole / 10 * 9;
}

gboolean
trc_vk_memory_init (TrcVkMemory *self, TrcVkDevice *device, guint64 limit,
                    gboolean force_staging, GError **error)
{
  const VkMemoryPropertyFlags local_flag = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
  const VkMemoryPropertyFlags cached_flag = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;
  const VkPhysicalDeviceMemoryProperties *memory = &device->memory;
  VkMemoryRequirements need;
  VkBuffer probe;

  *self = (TrcVkMemory){ .device = device, .limit = limit > 0 ? limit : G_MAXUINT64 };
  if (!trc_vk_device_check (device, create_buffer (device, TRC_VK_ALIGN, &probe),
                            "make a buffer", error))
    return FALSE;
  device->instance.api.GetBufferMemoryRequirements (device->device, probe, &need);
  device->instance.api.DestroyBuffer (device->device, probe, NULL);

  int local = find_type (memory, need.memoryTypeBits, local_flag);
  int mapped = find_type (memory, need.memoryTypeBits, local_flag | HOST | cached_flag);
  int staging = find_type (memory, need.memoryTypeBits, HOST | cached_flag);
  if (local < 0)
    local = find_type (memory, need.memoryTypeBits, 0);
  if (mapped < 0)
    mapped = find_type (memory, need.memoryTypeBits, local_flag | HOST);
  if (staging < 0)
    staging = find_type (memory, need.memoryTypeBits, HOST);
  if (local < 0 || staging < 0)
    {
      g_set_error (error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_UNSUPPORTED,
                   "The graphics device %s offers no memory that Tracery can use. Use the CPU "
                   "device.",
                   device->chosen.name);
      return FALSE;
    }

  self->host_visible = !force_staging && shares_memory (memory, mapped, local);
  self->local_type = (guint32)(self->host_visible ? mapped : local);
  self->staging_type = (guint32)staging;
  self->host_cached =
      self->host_visible
      && (memory->memoryTypes[self->local_type].propertyFlags & cached_flag) != 0;
  self->blocks = g_ptr_array_new ();
  self->retired = g_ptr_array_new ();
  return TRUE;
}

void
trc_vk_memory_clear (TrcVkMemory *self)
{
  for (guint i = 0; self->blocks != NULL && i < self->blocks->len; i++)
    block_free (self->device, self->blocks->pdata[i]);
  for (guint i = 0; self->retired != NULL && i < self->retired->len; i++)
    block_free (self->device, self->retired->pdata[i]);
  g_clear_pointer (&self->blocks, g_ptr_array_unref);
  g_clear_pointer (&self->retired, g_ptr_array_unref);
  self->total = 0;
}

static gboolean
take_from (TrcVkBlock *block, guint64 size, TrcVkRange *range)
{
  for (guint i = 0; i < block->holes->len; i++)
    {
      TrcVkHole *hole = &g_array_index (block->holes, TrcVkHole, i);

      if (hole->size < size)
        continue;
      *range = (TrcVkRange){ block, hole->offset, size };
      hole->offset += size;
      hole->size -= size;
      if (hole->size == 0)
        g_array_remove_index (block->holes, i);
      block->used += size;
      return TRUE;
    }
  return FALSE;
}

/* A new block for @size: as large as the growth rule says, or, when that is
 * refused, exactly @size. */
static TrcVkBlock *
grow (TrcVkMemory *self, guint64 size, VkResult *result)
{
  guint64 want = MIN (MAX (FIRST_BLOCK, self->total), LARGEST_BLOCK);
  const guint64 tries[2] = { MAX (want, size), size };

  *result = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  if (size > self->device->max_allocation)
    return NULL;
  for (int i = 0; i < 2; i++)
    {
      if (tries[i] > self->limit - MIN (self->limit, self->total)
          || tries[i] > self->device->max_allocation)
        continue;
      TrcVkBlock *block =
          block_new (self->device, tries[i], self->local_type, self->host_visible, result);
      if (block != NULL || *result == VK_ERROR_DEVICE_LOST)
        return block;
    }
  return NULL;
}

gboolean
trc_vk_memory_alloc (TrcVkMemory *self, guint64 bytes, const char *label, TrcVkRange *range,
                     GError **error)
{
  VkResult result;

  if (!trc_vk_device_ok (self->device, error))
    return FALSE;
  guint64 size = MAX (bytes, 1);
  size = size > G_MAXUINT64 - TRC_VK_ALIGN
             ? size
             : (size + TRC_VK_ALIGN - 1) / TRC_VK_ALIGN * TRC_VK_ALIGN;
  for (guint i = 0; i < self->blocks->len; i++)
    if (take_from (self->blocks->pdata[i], size, range))
      return TRUE;

  TrcVkBlock *block = grow (self, size, &result);
  if (block == NULL)
    {
      g_autofree char *text = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *doing =
          g_strdup_printf ("provide %s of memory for %s", text, label ? label : "a tensor");
      return trc_vk_device_check (self->device, result, doing, error);
    }
  self->total += block->size;
  g_ptr_array_add (self->blocks, block);
  return take_from (block, size, range);
}

static void
give_back (TrcVkBlock *block, guint64 offset, guint64 size)
{
  GArray *holes = block->holes;
  const TrcVkHole hole = { offset, size };
  guint at = 0;

  while (at < holes->len && g_array_index (holes, TrcVkHole, at).offset < offset)
    at++;
  g_array_insert_val (holes, at, hole);
  for (guint i = at + 1; i-- > (at > 0 ? at - 1 : 0);)
    {
      TrcVkHole *a = &g_array_index (holes, TrcVkHole, i);
      if (i + 1 >= holes->len)
        continue;
      TrcVkHole *b = &g_array_index (holes, TrcVkHole, i + 1);
      if (a->offset + a->size == b->offset)
        {
          a->size += b->size;
          g_array_remove_index (holes, i + 1);
        }
    }
  block->used -= size;
}

void
trc_vk_memory_free (TrcVkMemory *self, TrcVkRange *range, guint64 value)
{
  TrcVkBlock *block = range->block;

  if (block == NULL)
    return;
  give_back (block, range->offset, range->size);
  *range = (TrcVkRange){ 0 };
  /* Keep the first block: small jobs come and go. */
  if (block->used == 0 && self->blocks->pdata[0] != block)
    {
      g_ptr_array_remove (self->blocks, block);
      block->retired = value;
      g_ptr_array_add (self->retired, block);
    }
  trc_vk_memory_collect (self);
}

void
trc_vk_memory_collect (TrcVkMemory *self)
{
  if (self->retired->len == 0)
    return;
  guint64 now = trc_vk_device_now (self->device);
  for (guint i = self->retired->len; i-- > 0;)
    {
      TrcVkBlock *block = self->retired->pdata[i];

      if (block->retired > now)
        continue;
      self->total -= block->size;
      block_free (self->device, block);
      g_ptr_array_remove_index_fast (self->retired, i);
    }
}

TrcVkBlock *
trc_vk_memory_staging_new (TrcVkMemory *self, guint64 bytes, GError **error)
{
  VkResult result;
  TrcVkBlock *block = block_new (self->device, bytes, self->staging_type, TRUE, &result);

  if (block == NULL)
    trc_vk_device_check (self->device, result, "provide staging memory", error);
  return block;
}

void
trc_vk_memory_staging_free (TrcVkMemory *self, TrcVkBlock *block)
{
  if (block != NULL)
    block_free (self->device, block);
}
