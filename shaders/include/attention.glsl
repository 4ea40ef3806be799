// shaders/include/attention.glsl - where the rows of queries, keys and patterns lie
//
// The including kernel has declared `p`, its TrcAttnParams. "first" offsets are added by
// the caller.
#ifndef TRC_SHADERS_ATTENTION_GLSL
#define TRC_SHADERS_ATTENTION_GLSL

uint
query_row (uint b, uint i, uint h)
{
  return b * p.x_batch + i * p.x_row + h * p.x_head;
}

uint
key_row (uint b, uint j, uint g)
{
  return b * p.y_batch + j * p.y_row + g * p.y_head;
}

uint
pattern_row (uint b, uint h, uint i)
{
  return b * p.p_batch + (h * p.t_q + i) * p.t_k;
}

uint
kv_head (uint h)
{
  return h / (p.n_heads / p.n_kv_heads);
}

// The keys that query i sees are [x, y).
uvec2
visible_keys (uint i)
{
  if (p.causal == 0u)
    return uvec2 (0u, p.t_k);
  uint end = p.first + i + 1u;
  uint begin = p.window != 0u && end > p.window ? end - p.window : 0u;
  return uvec2 (min (begin, p.t_k), min (end, p.t_k));
}

// The queries that see key j are [x, y).
uvec2
seeing_queries (uint j)
{
  if (p.causal == 0u)
    return uvec2 (0u, p.t_q);
  uint begin = j > p.first ? j - p.first : 0u;
  uint end = p.t_q;
  if (p.window != 0u)
    end = j + p.window > p.first ? min (end, j + p.window - p.first) : 0u;
  return uvec2 (min (begin, p.t_q), end);
}

#endif
