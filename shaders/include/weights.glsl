// shaders/include/weights.glsl - a tensor of weights in the type of its file
//
// compute/base/packed.h has the layouts. The variant table compiles a kernel once a type
// (-DWEIGHT=WEIGHT_Q8_0). Before including this the kernel has declared `p`, its params, and
// WEIGHT_BINDING, the binding of the weights, which are declared here. p.off of that binding
// counts elements for f32 and bytes for every other type.
//
//   trc_weight (e)   element e
//   trc_weights (e)  elements e to e + 3, e a multiple of 4: only WEIGHT_IN_BLOCKS, where
//                    one look at the scale serves all four
//
// The blocks of a file are not aligned to words, but all of their parts to halves of words.
// Results are `precise`: what the C definition rounds twice is not fused here.
#ifndef TRC_SHADERS_WEIGHTS_GLSL
#define TRC_SHADERS_WEIGHTS_GLSL

#define WEIGHT_F32 0
#define WEIGHT_F16 1
#define WEIGHT_BF16 2
#define WEIGHT_Q8_0 3
#define WEIGHT_Q4_0 4
#define WEIGHT_Q4_1 5
#define WEIGHT_Q5_0 6
#define WEIGHT_Q5_1 7
#define WEIGHT_Q4_K 8
#define WEIGHT_Q5_K 9
#define WEIGHT_Q6_K 10

#if WEIGHT == WEIGHT_F32

layout (std430, binding = WEIGHT_BINDING) readonly buffer Weights { float weights[]; };

float
trc_weight (uint e)
{
  return weights[p.off[WEIGHT_BINDING] + e];
}

#else

layout (std430, binding = WEIGHT_BINDING) readonly buffer Weights { uint weights[]; };

// The 16 bits at an even address.
uint
half_at (uint at)
{
  return weights[at >> 2] >> (at & 2u) * 8u & 0xffffu;
}

#if WEIGHT == WEIGHT_BF16

float
trc_weight (uint e)
{
  return uintBitsToFloat (half_at (p.off[WEIGHT_BINDING] + e * 2u) << 16);
}

#else

// An f16 at an even address. Devices may take subnormal halves for 0; scales can be such.
float
f16_at (uint at)
{
  uint h = half_at (at);

  if ((h & 0x7c00u) != 0u)
    return unpackHalf2x16 (h).x;
  float tiny = float (h & 0x3ffu) * 5.9604644775390625e-8;
  return (h & 0x8000u) != 0u ? -tiny : tiny;
}

#if WEIGHT == WEIGHT_F16

float
trc_weight (uint e)
{
  return f16_at (p.off[WEIGHT_BINDING] + e * 2u);
}

#else
#define WEIGHT_IN_BLOCKS

// The 32 bits at an even address.
uint
word_at (uint at)
{
  uint low = weights[at >> 2], high = weights[(at + 2u) >> 2];

  return (at & 2u) != 0u ? low >> 16 | high << 16 : low;
}

vec4
four_bytes (uint v)
{
  return vec4 (v & 255u, v >> 8 & 255u, v >> 16 & 255u, v >> 24);
}

// Bits i to i + 3 of v, each as bit 4 of a byte.
uint
fifth_bits (uint v, uint i)
{
  v >>= i;
  return (v & 1u) << 4 | (v & 2u) << 11 | (v & 4u) << 18 | (v & 8u) << 25;
}

// Four of the 16 bytes of nibble pairs at `at`: elements 0 to 15 lie in the low nibbles.
uint
four_nibbles (uint at, uint i)
{
  return word_at (at + (i & 15u)) >> (i >> 4) * 4u & 0x0f0f0f0fu;
}

#if WEIGHT == WEIGHT_Q8_0

const uint BLOCK = 32u, BLOCK_BYTES = 34u;

vec4
expand (uint at, uint i)
{
  int v = int (word_at (at + 2u + i));

  precise vec4 w = f16_at (at)
                   * vec4 (bitfieldExtract (v, 0, 8), bitfieldExtract (v, 8, 8),
                           bitfieldExtract (v, 16, 8), v >> 24);
  return w;
}

#elif WEIGHT == WEIGHT_Q4_0

const uint BLOCK = 32u, BLOCK_BYTES = 18u;

vec4
expand (uint at, uint i)
{
  precise vec4 w = f16_at (at) * (four_bytes (four_nibbles (at + 2u, i)) - 8.0);
  return w;
}

#elif WEIGHT == WEIGHT_Q4_1

const uint BLOCK = 32u, BLOCK_BYTES = 20u;

vec4
expand (uint at, uint i)
{
  precise vec4 w = f16_at (at) * four_bytes (four_nibbles (at + 4u, i)) + f16_at (at + 2u);
  return w;
}

#elif WEIGHT == WEIGHT_Q5_0

const uint BLOCK = 32u, BLOCK_BYTES = 22u;

vec4
expand (uint at, uint i)
{
  uint q = four_nibbles (at + 6u, i) | fifth_bits (word_at (at + 2u), i);

  precise vec4 w = f16_at (at) * (four_bytes (q) - 16.0);
  return w;
}

#elif WEIGHT == WEIGHT_Q5_1

const uint BLOCK = 32u, BLOCK_BYTES = 24u;

vec4
expand (uint at, uint i)
{
  uint q = four_nibbles (at + 8u, i) | fifth_bits (word_at (at + 4u), i);

  precise vec4 w = f16_at (at) * four_bytes (q) + f16_at (at + 2u);
  return w;
}

#elif WEIGHT == WEIGHT_Q4_K || WEIGHT == WEIGHT_Q5_K

const uint BLOCK = 256u;

uint
byte_at (uint at)
{
  return weights[at >> 2] >> (at & 3u) * 8u & 255u;
}

// Scale and minimum of sub-block j, 6 bits each: a byte each for the first four, a nibble and
// two bits left over from the first four for the others.
vec2
scale_and_min (uint at, uint j)
{
  if (j < 4u)
    return vec2 (byte_at (at + j) & 63u, byte_at (at + j + 4u) & 63u);
  uint both = byte_at (at + j + 4u);
  return vec2 (both & 15u | byte_at (at + j - 4u) >> 6 << 4,
               both >> 4 | byte_at (at + j) >> 6 << 4);
}

#if WEIGHT == WEIGHT_Q4_K
const uint BLOCK_BYTES = 144u, PAIRS = 16u;
#else
const uint BLOCK_BYTES = 176u, PAIRS = 48u;
#endif

vec4
expand (uint at, uint i)
{
  uint j = i / 32u, k = i % 32u;
  vec2 s = scale_and_min (at + 4u, j);
  uint q = word_at (at + PAIRS + j / 2u * 32u + k) >> (j & 1u) * 4u & 0x0f0f0f0fu;

#if WEIGHT == WEIGHT_Q5_K
  q |= (word_at (at + 16u + k) >> j & 0x01010101u) << 4;
#endif
  precise float scale = f16_at (at) * s.x, least = f16_at (at + 2u) * s.y;
  precise vec4 w = scale * four_bytes (q) - least;
  return w;
}

#else // Q6_K

const uint BLOCK = 256u, BLOCK_BYTES = 210u;

vec4
expand (uint at, uint i)
{
  uint side = i / 128u, quarter = i % 128u / 32u, k = i % 32u;
  uint low = word_at (at + side * 64u + (quarter & 1u) * 32u + k) >> (quarter >> 1) * 4u;
  uint high = word_at (at + 128u + side * 32u + k) >> quarter * 2u;
  int scales = int (half_at (at + 192u + (i / 16u & ~1u)));
  int s = bitfieldExtract (scales, int (i / 16u & 1u) * 8, 8);

  precise float scale = f16_at (at + 208u) * float (s);
  precise vec4 w =
      scale * (four_bytes (low & 0x0f0f0f0fu | (high & 0x03030303u) << 4) - 32.0);
  return w;
}

#endif

vec4
trc_weights (uint e)
{
  return expand (p.off[WEIGHT_BINDING] + e / BLOCK * BLOCK_BYTES, e % BLOCK);
}

float
trc_weight (uint e)
{
  return trc_weights (e & ~3u)[e & 3u];
}

#endif
#endif
#endif
#endif
