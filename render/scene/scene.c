#include "render/scene/scene_private.h"

#include <math.h>
#include <string.h>

static TrcScene *
scene_new (void)
{
  TrcScene *self = g_atomic_rc_box_new0 (TrcScene);

  self->strings = g_string_chunk_new (4096);
  self->boxes = g_array_new (FALSE, FALSE, sizeof (TrcBox));
  self->curves = g_array_new (FALSE, FALSE, sizeof (TrcCurve));
  self->rows = g_array_new (FALSE, FALSE, sizeof (TrcSceneRow));
  self->columns = g_array_new (FALSE, FALSE, sizeof (TrcSceneColumn));
  self->legend = g_array_new (FALSE, FALSE, sizeof (TrcLegendEntry));
  return self;
}

static void
scene_clear (gpointer data)
{
  TrcScene *self = data;

  g_string_chunk_free (self->strings);
  g_array_unref (self->boxes);
  g_array_unref (self->curves);
  g_array_unref (self->rows);
  g_array_unref (self->columns);
  g_array_unref (self->legend);
  trc_hit_grid_clear (&self->grid);
  g_free (self->curve_first);
  g_free (self->curve_item);
  g_free (self->refs);
}

TrcScene *
trc_scene_ref (TrcScene *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
trc_scene_unref (TrcScene *self)
{
  if (self != NULL)
    g_atomic_rc_box_release_full (self, scene_clear);
}

/* Labels come from files: whatever bytes they hold, the scene has valid UTF-8. */
static const char *
keep (TrcScene *self, const char *text)
{
  if (text == NULL)
    return NULL;
  if (g_utf8_validate (text, -1, NULL))
    return g_string_chunk_insert (self->strings, text);

  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return g_string_chunk_insert (self->strings, valid);
}

TrcSceneBuilder *
trc_scene_builder_new (void)
{
  TrcSceneBuilder *self = g_new0 (TrcSceneBuilder, 1);

  self->scene = scene_new ();
  return self;
}

void
trc_scene_builder_free (TrcSceneBuilder *self)
{
  if (self == NULL)
    return;
  trc_scene_unref (self->scene);
  g_free (self);
}

gint32
trc_scene_builder_box (TrcSceneBuilder *self, const TrcBox *box)
{
  TrcScene *scene = self->scene;
  TrcBox copy = *box;

  g_return_val_if_fail (box->shape < TRC_N_BOX_SHAPES, -1);
  g_return_val_if_fail (box->parent < (gint32)scene->boxes->len, -1);

  copy.w = MAX (0.0, box->w);
  copy.h = MAX (0.0, box->h);
  copy.fill = CLAMP (box->fill, 0.0, 1.0);
  copy.label = keep (scene, box->label);
  copy.sublabel = keep (scene, box->sublabel);
  copy.tooltip = keep (scene, box->tooltip);
  g_array_append_val (scene->boxes, copy);
  return (gint32)scene->boxes->len - 1;
}

static double
clamp_part (double v)
{
  return isfinite (v) ? CLAMP (v, 0.0, 1.0) : 0;
}

void
trc_scene_builder_edge (TrcSceneBuilder *self, const TrcSceneEdge *edge)
{
  TrcScene *scene = self->scene;
  gint32 n = (gint32)scene->boxes->len;
  double share = clamp_part (edge->share);

  g_return_if_fail (edge->from >= 0 && edge->from < n && edge->to >= 0 && edge->to < n);

  TrcCurve curve = {
    .from = edge->from,
    .to = edge->to,
    .width = (float)MAX (0.75, edge->max_width * sqrt (share)),
    .strength = (float)share,
    .rank = (float)clamp_part (edge->rank),
    .value = (float)edge->value,
    .sign = edge->value > 0   ? 1
            : edge->value < 0 ? -1
                              : 0,
    .weave = edge->weave ? 1 : 0,
  };
  g_array_append_val (scene->curves, curve);
}

void
trc_scene_builder_row (TrcSceneBuilder *self, double y, gint32 ordinal, const char *label)
{
  TrcSceneRow row = { y, ordinal, keep (self->scene, label) };

  g_array_append_val (self->scene->rows, row);
}

void
trc_scene_builder_column (TrcSceneBuilder *self, double x, double w, gint32 box,
                          const char *label)
{
  TrcSceneColumn column = { x, w, box, FALSE, keep (self->scene, label) };

  g_return_if_fail (box < (gint32)self->scene->boxes->len);
  g_array_append_val (self->scene->columns, column);
}

void
trc_scene_builder_legend (TrcSceneBuilder *self, const TrcLegendEntry *entry)
{
  TrcLegendEntry copy = *entry;

  copy.label = keep (self->scene, entry->label);
  g_array_append_val (self->scene->legend, copy);
}

void
trc_scene_builder_words (TrcSceneBuilder *self, const char *title, const char *facts,
                         const char *chip)
{
  self->scene->title = keep (self->scene, title);
  self->scene->facts = keep (self->scene, facts);
  self->scene->chip = keep (self->scene, chip);
}

static int
by_y (gconstpointer a, gconstpointer b)
{
  const TrcSceneRow *r = a, *s = b;

  return (r->y > s->y) - (r->y < s->y);
}

static int
by_x (gconstpointer a, gconstpointer b)
{
  const TrcSceneColumn *c = a, *d = b;

  return (c->x > d->x) - (c->x < d->x);
}

/* Drawing order: the weave, then by rank; ties by ends, so that the same
 * edges in another order give the same picture. */
static int
by_rank (gconstpointer a, gconstpointer b)
{
  const TrcCurve *c = a, *d = b;

  if (c->weave != d->weave)
    return (int)d->weave - (int)c->weave;
  if (c->rank != d->rank)
    return c->rank < d->rank ? -1 : 1;
  if (c->from != d->from)
    return c->from < d->from ? -1 : 1;
  return (c->to > d->to) - (c->to < d->to);
}

static int
by_ref (gconstpointer a, gconstpointer b)
{
  const TrcSceneRef *r = a, *s = b;

  if (r->kind != s->kind)
    return r->kind < s->kind ? -1 : 1;
  if (r->ref != s->ref)
    return r->ref < s->ref ? -1 : 1;
  return (r->box > s->box) - (r->box < s->box);
}

static void
index_refs (TrcScene *self)
{
  self->refs = g_new (TrcSceneRef, MAX (1, self->boxes->len));
  for (guint i = 0; i < self->boxes->len; i++)
    {
      const TrcBox *box = &g_array_index (self->boxes, TrcBox, i);
      self->refs[i] = (TrcSceneRef){ box->ref, box->ref_kind, (gint32)i };
    }
  qsort (self->refs, self->boxes->len, sizeof (TrcSceneRef), by_ref);
}

/* Curves of each box by compressed rows; walking the sorted curves backwards
 * puts the strongest first. */
static void
index_curves (TrcScene *self)
{
  guint n = self->boxes->len, m = self->curves->len;
  const TrcCurve *curve = (const TrcCurve *)self->curves->data;

  self->curve_first = g_new0 (guint32, (gsize)n + 1);
  self->curve_item = g_new (guint32, MAX (1, (gsize)2 * m));
  for (guint i = 0; i < m; i++)
    {
      self->curve_first[curve[i].from + 1]++;
      self->curve_first[curve[i].to + 1] += curve[i].to != curve[i].from;
    }
  for (guint i = 0; i < n; i++)
    self->curve_first[i + 1] += self->curve_first[i];

  g_autofree guint32 *at = g_memdup2 (self->curve_first, sizeof (guint32) * (n + 1));
  for (guint i = m; i-- > 0;)
    {
      self->curve_item[at[curve[i].from]++] = i;
      if (curve[i].to != curve[i].from)
        self->curve_item[at[curve[i].to]++] = i;
    }
}

static void
mark_active_columns (TrcScene *self)
{
  for (guint c = 0; c < self->columns->len; c++)
    {
      TrcSceneColumn *column = &g_array_index (self->columns, TrcSceneColumn, c);
      const TrcBox *chip =
          column->box >= 0 ? &g_array_index (self->boxes, TrcBox, column->box) : NULL;
      column->active = chip != NULL && chip->style != TRC_STYLE_FAINT;
    }
}

static void
measure (TrcScene *self)
{
  double x0 = G_MAXDOUBLE, y0 = G_MAXDOUBLE, x1 = -G_MAXDOUBLE, y1 = -G_MAXDOUBLE;

  for (guint i = 0; i < self->boxes->len; i++)
    {
      TrcRect r = trc_box_rect (&g_array_index (self->boxes, TrcBox, i));
      x0 = MIN (x0, r.x);
      y0 = MIN (y0, r.y);
      x1 = MAX (x1, r.x + r.w + g_array_index (self->boxes, TrcBox, i).label_room);
      y1 = MAX (y1, r.y + r.h);
    }
  if (x0 <= x1)
    self->bounds = (TrcRect){ x0, y0, x1 - x0, y1 - y0 };
}

TrcScene *
trc_scene_builder_end (TrcSceneBuilder *self)
{
  TrcScene *scene = g_steal_pointer (&self->scene);

  g_free (self);
  g_array_sort (scene->rows, by_y);
  g_array_sort (scene->columns, by_x);
  if (scene->curves->len > 1)
    qsort (scene->curves->data, scene->curves->len, sizeof (TrcCurve), by_rank);
  measure (scene);
  mark_active_columns (scene);
  index_refs (scene);
  index_curves (scene);
  trc_scene_route (scene);
  trc_hit_grid_build (&scene->grid, scene);
  return scene;
}

#define SCENE_ARRAY(name, Type, field)                                                         \
  const Type *name (const TrcScene *self, guint *n)                                            \
  {                                                                                            \
    if (n != NULL)                                                                             \
      *n = self->field->len;                                                                   \
    return (const Type *)self->field->data;                                                    \
  }

SCENE_ARRAY (trc_scene_boxes, TrcBox, boxes)
SCENE_ARRAY (trc_scene_curves, TrcCurve, curves)
SCENE_ARRAY (trc_scene_rows, TrcSceneRow, rows)
SCENE_ARRAY (trc_scene_columns, TrcSceneColumn, columns)
SCENE_ARRAY (trc_scene_legend, TrcLegendEntry, legend)

const char *
trc_scene_title (const TrcScene *self)
{
  return self->title;
}

const char *
trc_scene_facts (const TrcScene *self)
{
  return self->facts;
}

const char *
trc_scene_chip (const TrcScene *self)
{
  return self->chip;
}

TrcRect
trc_scene_bounds (const TrcScene *self)
{
  return self->bounds;
}

TrcRect
trc_box_rect (const TrcBox *box)
{
  return (TrcRect){ box->at.x - box->w / 2, box->at.y - box->h / 2, box->w, box->h };
}

const guint32 *
trc_scene_curves_of (const TrcScene *self, gint32 box, guint *n)
{
  *n = 0;
  g_return_val_if_fail (box >= 0 && box < (gint32)self->boxes->len, NULL);

  *n = self->curve_first[box + 1] - self->curve_first[box];
  return self->curve_item + self->curve_first[box];
}

gint32
trc_scene_find (const TrcScene *self, guint ref_kind, guint64 ref)
{
  guint lo = 0, hi = self->boxes->len;

  while (lo < hi)
    {
      guint mid = lo + (hi - lo) / 2;
      const TrcSceneRef *r = &self->refs[mid];
      if (r->kind < ref_kind || (r->kind == ref_kind && r->ref < ref))
        lo = mid + 1;
      else
        hi = mid;
    }
  if (lo < self->boxes->len && self->refs[lo].kind == ref_kind && self->refs[lo].ref == ref)
    return self->refs[lo].box;
  return -1;
}
