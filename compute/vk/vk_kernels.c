#include "compute/vk/vk_kernels.h"

/* How the invocations of a kernel are laid out. */
typedef enum {
  EACH,    /* one invocation an item */
  ROWS,    /* `lanes` invocations a row */
  COLUMNS, /* `lanes` invocations a column */
  TILES,   /* matmul */
} Layout;

typedef struct {
  const char *shader; /* NULL: the op's own name */
  Layout layout;
} Kernel;

static const Kernel kernels[TRC_N_OPS] = {
  [TRC_OP_MATMUL] = { "matmul_lanes", TILES },
  [TRC_OP_SUM_ROWS] = { NULL, ROWS },
  [TRC_OP_SUM_COLS] = { NULL, COLUMNS },
  [TRC_OP_DOT_ROWS] = { NULL, ROWS },
  [TRC_OP_NORM] = { NULL, ROWS },
  [TRC_OP_NORM_VJP] = { NULL, ROWS },
  [TRC_OP_NORM_VJP_GAIN] = { NULL, COLUMNS },
  [TRC_OP_SOFTMAX] = { NULL, ROWS },
  [TRC_OP_SOFTMAX_VJP] = { NULL, ROWS },
  [TRC_OP_ATTN_PATTERN] = { NULL, ROWS },
  [TRC_OP_CROSS_ENTROPY] = { NULL, ROWS },
  [TRC_OP_CROSS_ENTROPY_VJP] = { NULL, ROWS },
  /* the others: EACH */
};

/* What a kernel owns (items, rows or columns) and how many terms each has. */
typedef struct {
  double n, terms;
} Size;

static Size
attention_size (TrcOpId op, const TrcAttnParams *p)
{
  const double b = p->batch, h = p->n_heads, g = p->n_kv_heads, d = p->d_head;
  const double t_q = p->t_q, t_k = p->t_k;

  switch (op)
    {
    case TRC_OP_ATTN_PATTERN:
      return (Size){ b * h * t_q, t_k * (d + 8) };
    case TRC_OP_ATTN_DOTS:
      return (Size){ b * h * t_q * t_k, d };
    case TRC_OP_ATTN_MIX:
      return (Size){ b * t_q * h * d, t_k };
    default:
      return (Size){ b * t_k * g * d, g > 0 ? h / g * t_q : 0 };
    }
}

static Size
size_of (const TrcVkCall *call)
{
  const TrcOpParams *p = &call->params;

  switch (call->op)
    {
    case TRC_OP_MATMUL:
      return (Size){ (double)p->matmul.m * p->matmul.n * p->matmul.n_outer * p->matmul.n_inner,
                     p->matmul.k };
    case TRC_OP_EMBED:
      return (Size){ (double)p->embed.n * p->embed.d, 1 };
    case TRC_OP_EMBED_VJP:
      return (Size){ (double)p->embed.n_table * p->embed.d, p->embed.n };
    case TRC_OP_AXPBY:
      return (Size){ (double)p->axpby.rows * p->axpby.cols, 2 };
    case TRC_OP_MUL:
      return (Size){ (double)p->mul.rows * p->mul.cols, 2 };
    case TRC_OP_FILL:
      return (Size){ (double)p->fill.rows * p->fill.cols, 1 };
    case TRC_OP_SUM_ROWS:
    case TRC_OP_DOT_ROWS:
      return (Size){ p->reduce.rows, p->reduce.cols };
    case TRC_OP_SUM_COLS:
      return (Size){ p->reduce.cols, p->reduce.rows };
    case TRC_OP_ACT:
    case TRC_OP_ACT_VJP:
      return (Size){ (double)p->act.rows * p->act.cols, 20 };
    case TRC_OP_NORM:
    case TRC_OP_NORM_VJP:
      return (Size){ p->norm.rows, p->norm.d * 6.0 };
    case TRC_OP_NORM_VJP_GAIN:
      return (Size){ p->norm.d, p->norm.rows * 3.0 };
    case TRC_OP_SOFTMAX:
    case TRC_OP_SOFTMAX_VJP:
      return (Size){ p->softmax.rows, p->softmax.cols * 8.0 };
    case TRC_OP_CROSS_ENTROPY:
    case TRC_OP_CROSS_ENTROPY_VJP:
      return (Size){ p->cross_entropy.rows, p->cross_entropy.cols * 8.0 };
    case TRC_OP_ADAMW:
      return (Size){ p->adamw.n, 10 };
    case TRC_OP_ROPE:
      return (Size){ (double)p->rope.rows * p->rope.n_heads
                         * (p->rope.d_head - p->rope.n_rot + p->rope.n_rot / 2),
                     4 };
    default:
      return attention_size (call->op, &p->attn);
    }
}

double
trc_vk_kernel_work (const TrcVkCall *call)
{
  const Size size = size_of (call);

  return 2.0 * size.n * size.terms;
}

/* Spreads @n groups over two axes. */
static gboolean
set_groups (TrcVkGrid *grid, double n)
{
  const guint64 limit = TRC_VK_MAX_GROUPS;

  if (n > (double)limit * (double)limit)
    return FALSE;
  guint64 count = (guint64)n;
  guint64 down = (count + limit - 1) / limit;
  grid->groups[0] = count > 0 ? (guint32)((count + down - 1) / down) : 0;
  grid->groups[1] = (guint32)MAX (down, 1);
  grid->groups[2] = 1;
  return TRUE;
}

static double
div_up (double n, double by)
{
  guint64 whole = (guint64)n, part = (guint64)by;

  return (double)((whole + part - 1) / part);
}

/* The shader called @name, or its variant for weights of @dtype. */
static guint32
shader_for (const char *name, TrcDType dtype)
{
  char variant[48];

  if (dtype == TRC_F32 || dtype == TRC_I32)
    return (guint32)trc_vk_shader_find (name);
  g_snprintf (variant, sizeof variant, "%s_%s", name, trc_dtype_info (dtype)->name);
  return (guint32)trc_vk_shader_find (variant);
}

static gboolean
matmul_grid (TrcVkProfile profile, guint32 width, const TrcVkCall *call, TrcVkGrid *grid)
{
  const TrcMatmulParams *p = &call->params.matmul;
  const double batch = (double)p->n_outer * p->n_inner;
  const char *name = "matmul_lanes";
  double across = width * 4, down = 4;

  if (profile == TRC_VK_PROFILE_GPU && p->m <= 4 && p->trans_b && !p->trans_a)
    {
      grid->key =
          (TrcVkPipelineKey){ shader_for ("matmul_rows", call->dtype[1]), 2, { 128, 32 } };
      return set_groups (grid, p->m == 0 ? 0 : div_up (batch * p->n, 128 / 32));
    }
  if (profile == TRC_VK_PROFILE_GPU)
    {
      width = 256;
      across = down = 64;
      name = "matmul_tile64";
      if (batch * div_up (p->m, 64) * div_up (p->n, 64) < 64)
        {
          across = down = 32;
          name = "matmul_tile32";
        }
    }
  grid->key = (TrcVkPipelineKey){ shader_for (name, call->dtype[1]), 1, { width } };
  return set_groups (grid, batch * div_up (p->m, down) * div_up (p->n, across));
}

gboolean
trc_vk_kernel_grid (TrcVkProfile profile, guint32 subgroup_size, const TrcVkCall *call,
                    TrcVkGrid *grid)
{
  const Kernel *kernel = &kernels[call->op];
  const Size size = size_of (call);
  guint32 width = kernel->layout == EACH ? 256 : CLAMP (subgroup_size, 4, 64), lanes = 1;

  *grid = (TrcVkGrid){ .work = 2.0 * size.n * size.terms };
  if (size.n > G_MAXINT32) /* shaders count in 32 bits */
    return FALSE;
  if (kernel->layout == TILES)
    return matmul_grid (profile, width, call, grid);

  if (profile == TRC_VK_PROFILE_GPU)
    {
      width = 256;
      if (kernel->layout == COLUMNS)
        lanes = size.terms >= 64 ? 8 : 1;
      else if (kernel->layout == ROWS)
        {
          lanes = size.terms >= 8192 ? 256 : 32;
          width = MAX (lanes, 128);
        }
    }
  const char *name = kernel->shader != NULL ? kernel->shader : trc_op_info (call->op)->name;
  grid->key = (TrcVkPipelineKey){ shader_for (name, call->dtype[0]),
                                  kernel->layout == EACH ? 1 : 2,
                                  { width, kernel->layout == EACH ? 0 : lanes } };
  return set_groups (grid, div_up (size.n, width / lanes));
}

/* --- cutting in two ---------------------------------------------------------------------------
 */

/* How far apart the entries of an axis lie in one tensor; a period as in compute/ops.h. */
typedef struct {
  guint64 step;
  guint32 period;
} Step;

/* The smallest number of rows after which everything read with a period starts over; more
 * than @n when that is too many. Periods of @n and more never start over. */
static guint64
common_period (const Step steps[TRC_OP_MAX_TENSORS], guint32 n)
{
  guint64 common = 1;

  for (int i = 0; i < TRC_OP_MAX_TENSORS; i++)
    if (steps[i].period > 1 && steps[i].period < n)
      {
        const guint64 step = common;
        while (common % steps[i].period != 0 && common <= n)
          common += step;
      }
  return common;
}

/* Cuts the axis whose length is the member of the params at @count, at a multiple of
 * @unit, which is 1 where something is read with a period. The cut respects all periods;
 * @steps are by tensor. */
static gboolean
cut_whole (const TrcVkCall *call, gsize count, guint32 unit,
           const Step steps[TRC_OP_MAX_TENSORS], TrcVkCall *first, TrcVkCall *second)
{
  const guint32 n = *(const guint32 *)((const guint8 *)&call->params + count);
  const guint64 whole = MAX (common_period (steps, n), unit);
  guint64 half = n / 2;

  if (half > 128)
    half = half / 64 * 64; /* keeps whole tiles */
  half = half / whole * whole;
  if (half == 0 && whole < n)
    half = whole;
  if (half == 0)
    return FALSE;

  *first = *second = *call;
  *(guint32 *)((guint8 *)&first->params + count) = (guint32)half;
  *(guint32 *)((guint8 *)&second->params + count) = n - (guint32)half;
  for (int i = 0; i < TRC_OP_MAX_TENSORS; i++)
    if (steps[i].period == 0 || steps[i].period >= n)
      second->base[i] += half * steps[i].step;
  return TRUE;
}

static gboolean
cut (const TrcVkCall *call, gsize count, const Step steps[TRC_OP_MAX_TENSORS], TrcVkCall *first,
     TrcVkCall *second)
{
  return cut_whole (call, count, 1, steps, first, second);
}

#define STEPS(...) ((const Step[TRC_OP_MAX_TENSORS]){ __VA_ARGS__ })
#define CUT(member, ...)                                                                       \
  cut (call, G_STRUCT_OFFSET (TrcOpParams, member), STEPS (__VA_ARGS__), first, second)
/* Only at a multiple of @unit. */
#define CUT_WHOLE(unit, member, ...)                                                           \
  cut_whole (call, G_STRUCT_OFFSET (TrcOpParams, member), unit, STEPS (__VA_ARGS__), first,    \
             second)

static gboolean
cut_matmul_axis (const TrcVkCall *call, char axis, TrcVkCall *first, TrcVkCall *second)
{
  const TrcMatmulParams *p = &call->params.matmul;
  const guint32 block = trc_dtype_info (call->dtype[1])->block_elements;
  gboolean done;

  switch (axis)
    {
    case 'o':
      return CUT (matmul.n_outer, { p->a_outer }, { p->b_outer }, { 0 }, { p->c_outer });
    case 'i':
      /* B moves by one step per group: give it a period to cut at whole groups only. */
      if (p->n_inner <= p->b_group)
        return CUT (matmul.n_inner, { p->a_inner }, { 0 }, { 0 }, { p->c_inner });
      done = CUT (matmul.n_inner, { p->a_inner }, { 0, p->b_group }, { 0 }, { p->c_inner });
      if (done)
        second->base[1] += (guint64)(first->params.matmul.n_inner / p->b_group) * p->b_inner;
      return done;
    case 'm':
      return CUT (matmul.m, { p->trans_a ? 1 : p->ld_a }, { 0 }, { 0 }, { p->ld_c });
    case 'n':
      return CUT_WHOLE (p->trans_b ? 1 : block, matmul.n, { 0 }, { p->trans_b ? p->ld_b : 1 },
                        { 1 }, { 1 });
    default:
      done = CUT_WHOLE (p->trans_b ? block : 1, matmul.k, { p->trans_a ? p->ld_a : 1 },
                        { p->trans_b ? 1 : p->ld_b });
      if (done)
        {
          second->params.matmul.accumulate = 1;
          second->params.matmul.has_bias = 0;
        }
      return done;
    }
}

static gboolean
cut_matmul (const TrcVkCall *call, int large, TrcVkCall *first, TrcVkCall *second)
{
  const TrcMatmulParams *p = &call->params.matmul;
  char axes[8] = { 0 };
  int n = 0;

  /* Only axes along which the large tensor gets smaller. */
  if (large < 0 || (large == 0 ? p->a_outer : large == 1 ? p->b_outer : p->c_outer) > 0)
    axes[n++] = 'o';
  if (large < 0
      || (large == 0   ? p->a_inner
          : large == 1 ? (p->n_inner > p->b_group ? p->b_inner : 0)
                       : p->c_inner)
             > 0)
    axes[n++] = 'i';
  if (large == 0)
    axes[n++] = p->trans_a ? 'k' : 'm';
  if (large == 1)
    axes[n++] = p->trans_b ? 'n' : 'k';
  if (large < 0 || large == 0 || large == 3)
    axes[n++] = large == 0 && !p->trans_a ? 'k' : 'm';
  if (large < 0 || large == 1 || large == 2 || large == 3)
    axes[n++] = large == 1 && p->trans_b ? 'k' : 'n';
  for (int i = 0; i < n; i++)
    if (cut_matmul_axis (call, axes[i], first, second))
      return TRUE;
  return FALSE;
}

static gboolean
cut_embed (const TrcVkCall *call, int large, TrcVkCall *first, TrcVkCall *second)
{
  const TrcEmbedParams *p = &call->params.embed;
  gboolean by_table = call->op == TRC_OP_EMBED ? large == 0 : large == 2 || large < 0;
  gboolean done;

  if (by_table)
    {
      done = call->op == TRC_OP_EMBED ? CUT (embed.n_table, { p->ld_table })
                                      : CUT (embed.n_table, { 0 }, { 0 }, { p->ld_table });
      if (done)
        second->params.off[7] += first->params.embed.n_table;
      if (done && call->op == TRC_OP_EMBED)
        second->params.embed.accumulate = 1; /* ids outside a piece add a row of zeros */
      return done;
    }
  if (call->op == TRC_OP_EMBED)
    return CUT (embed.n, { 0 }, { 1 }, { p->ld_out });
  done = CUT (embed.n, { p->ld_out }, { 1 });
  if (done)
    second->params.embed.accumulate = 1;
  return done;
}

static gboolean
cut_pointwise (const TrcVkCall *call, TrcVkCall *first, TrcVkCall *second)
{
  const TrcOpParams *p = &call->params;

  switch (call->op)
    {
    case TRC_OP_AXPBY:
      return CUT (axpby.rows, { p->axpby.ld_x, p->axpby.x_period }, { p->axpby.ld_y })
             || CUT (axpby.cols, { 1 }, { 1 });
    case TRC_OP_MUL:
      return CUT (mul.rows, { p->mul.ld_a, p->mul.a_period }, { p->mul.ld_b, p->mul.b_period },
                  { p->mul.ld_out })
             || CUT (mul.cols, { 1 }, { p->mul.step_b }, { 1 });
    case TRC_OP_FILL:
      return CUT (fill.rows, { p->fill.ld }) || CUT (fill.cols, { 1 });
    case TRC_OP_ACT:
      return CUT (act.rows, { p->act.ld_x, p->act.x_period }, { p->act.ld_u, p->act.x_period },
                  { p->act.ld_y })
             || CUT (act.cols, { 1 }, { 1 }, { 1 });
    case TRC_OP_ACT_VJP:
      return CUT (act.rows, { p->act.ld_y }, { p->act.ld_x, p->act.x_period },
                  { p->act.ld_u, p->act.x_period }, { p->act.ld_dx }, { p->act.ld_du })
             || CUT (act.cols, { 1 }, { 1 }, { 1 }, { 1 }, { 1 });
    default:
      return CUT (adamw.n, { 1 }, { 1 }, { 1 }, { 1 });
    }
}

static gboolean
cut_reduce (const TrcVkCall *call, int large, TrcVkCall *first, TrcVkCall *second)
{
  const TrcReduceParams *p = &call->params.reduce;

  if (call->op == TRC_OP_SUM_ROWS)
    return CUT (reduce.rows, { p->ld_a, p->a_period }, { 1 });
  if (call->op == TRC_OP_DOT_ROWS)
    return CUT (reduce.rows, { p->ld_a, p->a_period }, { p->ld_b, p->b_period }, { 1 });
  if (CUT (reduce.rows, { p->ld_a, p->a_period }))
    {
      second->params.reduce.accumulate = 1;
      return TRUE;
    }
  return CUT (reduce.cols, { 1 }, { 1 });
}

static gboolean
cut_norm (const TrcVkCall *call, TrcVkCall *first, TrcVkCall *second)
{
  const TrcNormParams *p = &call->params.norm;

  if (call->op == TRC_OP_NORM)
    return CUT (norm.rows, { p->ld_x }, { 0 }, { 0 }, { p->ld_y }, { 1 },
                { 1, p->given_rstd ? p->x_period : 0 });
  if (call->op == TRC_OP_NORM_VJP)
    return CUT (norm.rows, { p->ld_y }, { p->ld_x, p->x_period }, { 0 }, { 1, p->x_period },
                { 1, p->x_period }, { p->ld_dx });
  if (!CUT (norm.rows, { p->ld_y }, { p->ld_x, p->x_period }, { 1, p->x_period },
            { 1, p->x_period }))
    return FALSE;
  second->params.norm.accumulate = 1;
  return TRUE;
}

static gboolean
cut_rows (const TrcVkCall *call, TrcVkCall *first, TrcVkCall *second)
{
  const TrcSoftmaxParams *s = &call->params.softmax;
  const TrcCrossEntropyParams *c = &call->params.cross_entropy;
  const TrcRopeParams *r = &call->params.rope;

  switch (call->op)
    {
    case TRC_OP_SOFTMAX:
      return CUT (softmax.rows, { s->ld_x }, { s->ld_y });
    case TRC_OP_SOFTMAX_VJP:
      return CUT (softmax.rows, { s->ld_y }, { s->ld_y, s->y_period }, { s->ld_x });
    case TRC_OP_CROSS_ENTROPY:
      return CUT (cross_entropy.rows, { c->ld_x }, { 1 }, { 1 });
    case TRC_OP_CROSS_ENTROPY_VJP:
      return CUT (cross_entropy.rows, { c->ld_x }, { 1 }, { c->step_seed }, { c->ld_dx });
    default:
      if (!CUT (rope.rows, { r->ld_x }, { 0, r->period }, { r->ld_y }))
        return FALSE;
      if (r->period == 0 || r->period >= r->rows)
        second->params.rope.first += first->params.rope.rows;
      return TRUE;
    }
}

/* Places @x, @y, @p as the tensors of an attention kernel lie. */
static void
attention_steps (TrcOpId op, guint64 x, guint64 y, guint64 pattern,
                 Step out[TRC_OP_MAX_TENSORS])
{
  for (int i = 0; i < TRC_OP_MAX_TENSORS; i++)
    out[i] = (Step){ 0 };
  if (op == TRC_OP_ATTN_PATTERN || op == TRC_OP_ATTN_DOTS)
    out[0].step = x, out[1].step = y, out[2].step = pattern;
  else if (op == TRC_OP_ATTN_MIX)
    out[0].step = pattern, out[1].step = y, out[2].step = x;
  else
    out[0].step = pattern, out[1].step = x, out[2].step = y;
}

static gboolean
cut_attention (const TrcVkCall *call, TrcVkCall *first, TrcVkCall *second)
{
  const TrcAttnParams *p = &call->params.attn;
  const guint32 group = p->n_kv_heads > 0 ? p->n_heads / p->n_kv_heads : 0;
  Step steps[TRC_OP_MAX_TENSORS];

  attention_steps (call->op, p->x_batch, p->y_batch, p->p_batch, steps);
  if (cut (call, G_STRUCT_OFFSET (TrcOpParams, attn.batch), steps, first, second))
    return TRUE;

  attention_steps (call->op, (guint64)group * p->x_head, p->y_head,
                   (guint64)group * p->t_q * p->t_k, steps);
  if (cut (call, G_STRUCT_OFFSET (TrcOpParams, attn.n_kv_heads), steps, first, second))
    {
      first->params.attn.n_heads = first->params.attn.n_kv_heads * group;
      second->params.attn.n_heads = second->params.attn.n_kv_heads * group;
      return TRUE;
    }

  /* One kv head left: its query heads, and with one head its queries. The kernel that
   * sums over them adds its second half. */
  attention_steps (call->op, p->x_head, 0, (guint64)p->t_q * p->t_k, steps);
  gboolean done = cut (call, G_STRUCT_OFFSET (TrcOpParams, attn.n_heads), steps, first, second);
  if (!done)
    {
      attention_steps (call->op, p->x_row, 0, p->t_k, steps);
      done = cut (call, G_STRUCT_OFFSET (TrcOpParams, attn.t_q), steps, first, second);
      if (done)
        second->params.attn.first += first->params.attn.t_q;
    }
  if (done && call->op == TRC_OP_ATTN_MIX_T)
    second->params.attn.accumulate = 1;
  return done;
}

gboolean
trc_vk_kernel_split (const TrcVkCall *call, int large, TrcVkCall *first, TrcVkCall *second)
{
  switch (call->op)
    {
    case TRC_OP_MATMUL:
      return cut_matmul (call, large, first, second);
    case TRC_OP_EMBED:
    case TRC_OP_EMBED_VJP:
      return cut_embed (call, large, first, second);
    case TRC_OP_AXPBY:
    case TRC_OP_MUL:
    case TRC_OP_FILL:
    case TRC_OP_ACT:
    case TRC_OP_ACT_VJP:
    case TRC_OP_ADAMW:
      return cut_pointwise (call, first, second);
    case TRC_OP_SUM_ROWS:
    case TRC_OP_SUM_COLS:
    case TRC_OP_DOT_ROWS:
      return cut_reduce (call, large, first, second);
    case TRC_OP_NORM:
    case TRC_OP_NORM_VJP:
    case TRC_OP_NORM_VJP_GAIN:
      return cut_norm (call, first, second);
    case TRC_OP_ATTN_PATTERN:
    case TRC_OP_ATTN_DOTS:
    case TRC_OP_ATTN_MIX:
    case TRC_OP_ATTN_MIX_T:
      return cut_attention (call, first, second);
    default:
      return cut_rows (call, first, second);
    }
}
