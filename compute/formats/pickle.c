#include "compute/formats/pickle.h"

#include "compute/error.h"

#include <errno.h>
#include <math.h>
#include <string.h>

struct _TrcPickle {
  GPtrArray *values; /* all of them, owned */
  TrcPickleValue *root;
};

typedef struct {
  TrcPickle *pickle;
  const guint8 *at, *end;
  GPtrArray *stack; /* TrcPickleValue; mark stands for a MARK */
  GHashTable *memo; /* number -> value */
  guint next_memo;
  const char *name;
  GError *error;
} Machine;

static TrcPickleValue mark;

/* ---- values ---- */

static void
value_free (gpointer data)
{
  TrcPickleValue *value = data;

  g_free (value->text);
  if (value->items != NULL)
    g_ptr_array_unref (value->items);
  g_free (value);
}

static TrcPickleValue *
make (Machine *self, TrcPickleKind kind)
{
  TrcPickleValue *value = g_new0 (TrcPickleValue, 1);

  value->kind = kind;
  g_ptr_array_add (self->pickle->values, value);
  return value;
}

static void
add_item (TrcPickleValue *to, TrcPickleValue *item)
{
  if (to->items == NULL)
    to->items = g_ptr_array_new ();
  g_ptr_array_add (to->items, item);
}

/* ---- reading ---- */

static gboolean
fail (Machine *self, const char *what)
{
  if (self->error == NULL)
    g_set_error (&self->error, TRC_COMPUTE_ERROR, TRC_COMPUTE_ERROR_INVALID,
                 "%s: its pickle is damaged (%s).", self->name, what);
  return FALSE;
}

static gboolean
take (Machine *self, gsize n, const guint8 **bytes)
{
  if (n > (gsize)(self->end - self->at))
    return fail (self, "it ends in the middle");
  *bytes = self->at;
  self->at += n;
  return TRUE;
}

/* A little-endian number of @n bytes. */
static gboolean
take_number (Machine *self, guint n, guint64 *number)
{
  const guint8 *bytes;

  *number = 0;
  if (!take (self, n, &bytes))
    return FALSE;
  for (guint i = n; i-- > 0;)
    *number = *number << 8 | bytes[i];
  return TRUE;
}

/* Text up to the end of the line. */
static gboolean
take_line (Machine *self, char **line)
{
  const guint8 *end = memchr (self->at, '\n', (gsize)(self->end - self->at));

  if (end == NULL)
    return fail (self, "a line does not end");
  *line = g_strndup ((const char *)self->at, (gsize)(end - self->at));
  self->at = end + 1;
  return TRUE;
}

static gboolean
push (Machine *self, TrcPickleValue *value)
{
  g_ptr_array_add (self->stack, value);
  return TRUE;
}

/* The top of the stack, which must be a value. */
static TrcPickleValue *
top (Machine *self)
{
  TrcPickleValue *value =
      self->stack->len > 0 ? self->stack->pdata[self->stack->len - 1] : NULL;

  if (value == NULL || value == &mark)
    {
      fail (self, "its stack runs out");
      return NULL;
    }
  return value;
}

static TrcPickleValue *
pop (Machine *self)
{
  TrcPickleValue *value = top (self);

  if (value != NULL)
    g_ptr_array_set_size (self->stack, (gint)self->stack->len - 1);
  return value;
}

/* Place of the last MARK; FALSE when there is none. */
static gboolean
find_mark (Machine *self, guint *at)
{
  for (guint i = self->stack->len; i-- > 0;)
    if (self->stack->pdata[i] == &mark)
      {
        *at = i;
        return TRUE;
      }
  return fail (self, "a mark is missing");
}

/* Moves what is above the last MARK into @to, and takes the MARK away. */
static gboolean
collect (Machine *self, TrcPickleValue *to)
{
  guint from;

  if (to == NULL || !find_mark (self, &from))
    return FALSE;
  for (guint i = from + 1; i < self->stack->len; i++)
    add_item (to, self->stack->pdata[i]);
  g_ptr_array_set_size (self->stack, (gint)from);
  return TRUE;
}

/* The same for a container below the MARK. */
static gboolean
collect_into (Machine *self)
{
  guint from;

  if (!find_mark (self, &from))
    return FALSE;
  if (from == 0 || self->stack->pdata[from - 1] == &mark)
    return fail (self, "its stack runs out");
  return collect (self, self->stack->pdata[from - 1]);
}

static gboolean
collect_new (Machine *self, TrcPickleKind kind)
{
  TrcPickleValue *value = make (self, kind);

  return collect (self, value) && push (self, value);
}

static gboolean
push_int (Machine *self, gint64 number)
{
  TrcPickleValue *value = make (self, TRC_PICKLE_INT);

  value->integer = number;
  return push (self, value);
}

static gboolean
push_bool (Machine *self, gboolean truth)
{
  TrcPickleValue *value = make (self, TRC_PICKLE_BOOL);

  value->integer = truth;
  return push (self, value);
}

static gboolean
push_float (Machine *self, double number)
{
  TrcPickleValue *value = make (self, TRC_PICKLE_FLOAT);

  value->real = number;
  return push (self, value);
}

static gboolean
push_text (Machine *self, guint n_length_bytes)
{
  guint64 len;
  const guint8 *bytes;

  if (!take_number (self, n_length_bytes, &len) || !take (self, len, &bytes))
    return FALSE;
  TrcPickleValue *value = make (self, TRC_PICKLE_TEXT);
  value->text = g_strndup ((const char *)bytes, len);
  value->len = len;
  return push (self, value);
}

/* Two's complement, little end first. What does not fit becomes a rough float. */
static gboolean
push_long (Machine *self, guint n_length_bytes)
{
  guint64 len, number = 0;
  const guint8 *bytes;

  if (!take_number (self, n_length_bytes, &len) || !take (self, len, &bytes))
    return FALSE;
  if (len > 8)
    return push_float (self, bytes[len - 1] & 0x80 ? -INFINITY : INFINITY);
  for (guint64 i = 0; i < len; i++)
    number |= (guint64)bytes[i] << (8 * i);
  if (len > 0 && len < 8 && bytes[len - 1] & 0x80)
    number |= G_MAXUINT64 << (8 * len);
  return push_int (self, (gint64)number);
}

static gboolean
push_binary_float (Machine *self)
{
  const guint8 *bytes;
  guint64 bits = 0;
  double number;

  if (!take (self, 8, &bytes))
    return FALSE;
  for (guint i = 0; i < 8; i++)
    bits = bits << 8 | bytes[i];
  memcpy (&number, &bits, sizeof number);
  return push_float (self, number);
}

/* The text forms of protocol 0. */
static gboolean
push_line (Machine *self, guint8 op)
{
  g_autofree char *line = NULL;

  if (!take_line (self, &line))
    return FALSE;
  if (op == 'F')
    return push_float (self, g_ascii_strtod (line, NULL));
  if (op == 'I' && (strcmp (line, "00") == 0 || strcmp (line, "01") == 0))
    return push_bool (self, line[1] == '1');
  if (op == 'I' || op == 'L')
    return push_int (self, g_ascii_strtoll (line, NULL, 10));
  TrcPickleValue *value = make (self, TRC_PICKLE_TEXT);
  value->len = strlen (line);
  value->text = g_steal_pointer (&line);
  return push (self, value);
}

/* ---- records instead of calls ---- */

static gboolean
push_global (Machine *self, const char *module, const char *name)
{
  TrcPickleValue *value = make (self, TRC_PICKLE_GLOBAL);

  value->text = g_strconcat (module, " ", name, NULL);
  value->len = strlen (value->text);
  return push (self, value);
}

static gboolean
global_from_lines (Machine *self)
{
  g_autofree char *module = NULL, *name = NULL;

  return take_line (self, &module) && take_line (self, &name)
         && push_global (self, module, name);
}

static gboolean
global_from_stack (Machine *self)
{
  TrcPickleValue *name = pop (self);
  TrcPickleValue *module = name != NULL ? pop (self) : NULL;

  if (module == NULL)
    return FALSE;
  if (name->kind != TRC_PICKLE_TEXT || module->kind != TRC_PICKLE_TEXT)
    return fail (self, "a class has no name");
  return push_global (self, module->text, name->text);
}

/* REDUCE, NEWOBJ: an ordered dict is a dict, everything else stays a record. */
static gboolean
call (Machine *self, guint n_args)
{
  TrcPickleValue *args[2] = { NULL };

  for (guint i = n_args; i-- > 0;)
    if ((args[i] = pop (self)) == NULL)
      return FALSE;
  TrcPickleValue *callable = pop (self);
  if (callable == NULL)
    return FALSE;
  TrcPickleValue *value =
      make (self, trc_pickle_is_a (callable, "collections OrderedDict") ? TRC_PICKLE_DICT
                                                                        : TRC_PICKLE_OBJECT);
  if (value->kind == TRC_PICKLE_OBJECT)
    {
      add_item (value, callable);
      add_item (value, args[0]);
    }
  return push (self, value);
}

/* OBJ and INST: the class and its arguments lie above a MARK. */
static gboolean
call_marked (Machine *self, gboolean named_in_line)
{
  TrcPickleValue *args = make (self, TRC_PICKLE_TUPLE);
  TrcPickleValue *value = make (self, TRC_PICKLE_OBJECT);

  if (!collect (self, args))
    return FALSE;
  if (named_in_line)
    {
      if (!global_from_lines (self))
        return FALSE;
      add_item (value, pop (self));
    }
  else if (args->items == NULL)
    return fail (self, "an object has no class");
  else
    add_item (value, g_ptr_array_steal_index (args->items, 0));
  add_item (value, args);
  return push (self, value);
}

static gboolean
build (Machine *self)
{
  TrcPickleValue *state = pop (self);
  TrcPickleValue *object = state != NULL ? top (self) : NULL;

  if (object == NULL)
    return FALSE;
  if (object->kind == TRC_PICKLE_OBJECT)
    add_item (object, state);
  return TRUE;
}

static gboolean
push_persistent (Machine *self, gboolean from_stack)
{
  if (!from_stack && !push_line (self, 'V'))
    return FALSE;
  TrcPickleValue *id = pop (self);
  if (id == NULL)
    return FALSE;
  TrcPickleValue *value = make (self, TRC_PICKLE_PERSISTENT);
  add_item (value, id);
  return push (self, value);
}

/* ---- containers ---- */

static gboolean
push_tuple (Machine *self, guint n)
{
  TrcPickleValue *value = make (self, TRC_PICKLE_TUPLE);

  if (n > self->stack->len)
    return fail (self, "its stack runs out");
  for (guint i = self->stack->len - n; i < self->stack->len; i++)
    {
      if (self->stack->pdata[i] == &mark)
        return fail (self, "its stack runs out");
      add_item (value, self->stack->pdata[i]);
    }
  g_ptr_array_set_size (self->stack, (gint)(self->stack->len - n));
  return push (self, value);
}

/* APPEND and SETITEM: @n values into the container below them. */
static gboolean
add_to (Machine *self, guint n)
{
  TrcPickleValue *values[2] = { NULL };

  for (guint i = n; i-- > 0;)
    if ((values[i] = pop (self)) == NULL)
      return FALSE;
  TrcPickleValue *container = top (self);
  if (container == NULL)
    return FALSE;
  for (guint i = 0; i < n; i++)
    add_item (container, values[i]);
  return TRUE;
}

/* ---- memory of the program ---- */

static gboolean
put (Machine *self, guint64 number)
{
  TrcPickleValue *value = top (self);

  if (value == NULL || number > G_MAXUINT32)
    return value != NULL && fail (self, "a memo number is too large");
  g_hash_table_insert (self->memo, GUINT_TO_POINTER ((guint)number), value);
  return TRUE;
}

static gboolean
get (Machine *self, guint64 number)
{
  TrcPickleValue *value =
      number <= G_MAXUINT32 ? g_hash_table_lookup (self->memo, GUINT_TO_POINTER ((guint)number))
                            : NULL;

  return value != NULL ? push (self, value) : fail (self, "a memo is missing");
}

static gboolean
memo_from_line (Machine *self, gboolean (*use) (Machine *, guint64))
{
  g_autofree char *line = NULL;

  return take_line (self, &line) && use (self, g_ascii_strtoull (line, NULL, 10));
}

static gboolean
memo_from_bytes (Machine *self, guint n, gboolean (*use) (Machine *, guint64))
{
  guint64 number;

  return take_number (self, n, &number) && use (self, number);
}

static gboolean
pop_mark (Machine *self)
{
  guint from;

  if (!find_mark (self, &from))
    return FALSE;
  g_ptr_array_set_size (self->stack, (gint)from);
  return TRUE;
}

static gboolean
push_signed (Machine *self, guint n)
{
  guint64 number;

  return take_number (self, n, &number)
         && push_int (self, n == 4 ? (gint32)(guint32)number : (gint64)number);
}

static gboolean
skip (Machine *self, guint n)
{
  const guint8 *bytes;

  return take (self, n, &bytes);
}

/* One instruction. The letters are those of Python's pickletools. */
static gboolean
step (Machine *self, guint8 op)
{
  switch (op)
    {
    case 0x80: /* PROTO */
      return skip (self, 1);
    case 0x95: /* FRAME */
      return skip (self, 8);
    case '(':
      return push (self, &mark);
    case '0':
      return pop (self) != NULL;
    case '1':
      return pop_mark (self);
    case '2':
      return top (self) != NULL && push (self, top (self));
    case 'N':
      return push (self, make (self, TRC_PICKLE_NONE));
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
      return push_bool (self, op == 0x88);
    case 'I':
    case 'L':
    case 'F':
    case 'S':
    case 'V':
      return push_line (self, op);
    case 'J':
      return push_signed (self, 4);
    case 'K':
      return push_signed (self, 1);
    case 'M':
      return push_signed (self, 2);
    case 0x8a: /* LONG1 */
      return push_long (self, 1);
    case 0x8b: /* LONG4 */
      return push_long (self, 4);
    case 'G':
      return push_binary_float (self);
    case 'U':
    case 'C':
    case 0x8c: /* SHORT_BINUNICODE */
      return push_text (self, 1);
    case 'T':
    case 'B':
    case 'X':
      return push_text (self, 4);
    case 0x8d: /* BINUNICODE8 */
    case 0x8e: /* BINBYTES8 */
    case 0x96: /* BYTEARRAY8 */
      return push_text (self, 8);
    case ']':
    case 0x8f: /* EMPTY_SET */
      return push (self, make (self, TRC_PICKLE_LIST));
    case '}':
      return push (self, make (self, TRC_PICKLE_DICT));
    case ')':
      return push (self, make (self, TRC_PICKLE_TUPLE));
    case 0x85: /* TUPLE1 */
    case 0x86:
    case 0x87:
      return push_tuple (self, (guint)op - 0x84);
    case 'l':
    case 0x91: /* FROZENSET */
      return collect_new (self, TRC_PICKLE_LIST);
    case 't':
      return collect_new (self, TRC_PICKLE_TUPLE);
    case 'd':
      return collect_new (self, TRC_PICKLE_DICT);
    case 'a':
      return add_to (self, 1);
    case 's':
      return add_to (self, 2);
    case 'e':
    case 'u':
    case 0x90: /* ADDITEMS */
      return collect_into (self);
    case 'c':
      return global_from_lines (self);
    case 0x93: /* STACK_GLOBAL */
      return global_from_stack (self);
    case 'R':
    case 0x81: /* NEWOBJ */
      return call (self, 1);
    case 0x92: /* NEWOBJ_EX */
      return call (self, 2);
    case 'o':
    case 'i':
      return call_marked (self, op == 'i');
    case 'b':
      return build (self);
    case 'P':
    case 'Q':
      return push_persistent (self, op == 'Q');
    case 'p':
      return memo_from_line (self, put);
    case 'q':
      return memo_from_bytes (self, 1, put);
    case 'r':
      return memo_from_bytes (self, 4, put);
    case 0x94: /* MEMOIZE */
      return put (self, self->next_memo++);
    case 'g':
      return memo_from_line (self, get);
    case 'h':
      return memo_from_bytes (self, 1, get);
    case 'j':
      return memo_from_bytes (self, 4, get);
    default:
      return fail (self, "it has an instruction that is not known");
    }
}

static gboolean
run (Machine *self)
{
  while (self->at < self->end)
    {
      guint8 op = *self->at++;

      if (op == '.')
        {
          self->pickle->root = pop (self);
          return self->pickle->root != NULL;
        }
      if (!step (self, op))
        return FALSE;
    }
  return fail (self, "it ends in the middle");
}

TrcPickle *
trc_pickle_parse (const guint8 *data, gsize len, const char *name, GError **error)
{
  g_autoptr (TrcPickle) pickle = g_new0 (TrcPickle, 1);
  Machine machine = { .pickle = pickle, .at = data, .end = data + len, .name = name };
  gboolean ok;

  pickle->values = g_ptr_array_new_with_free_func (value_free);
  machine.stack = g_ptr_array_new ();
  machine.memo = g_hash_table_new (NULL, NULL);
  ok = run (&machine);
  g_ptr_array_unref (machine.stack);
  g_hash_table_unref (machine.memo);
  if (ok)
    return g_steal_pointer (&pickle);
  g_propagate_error (error, machine.error);
  return NULL;
}

void
trc_pickle_free (TrcPickle *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->values);
  g_free (self);
}

/* ---- looking at it ---- */

const TrcPickleValue *
trc_pickle_root (const TrcPickle *self)
{
  return self->root;
}

guint
trc_pickle_n_items (const TrcPickleValue *value)
{
  return value != NULL && value->items != NULL ? value->items->len : 0;
}

const TrcPickleValue *
trc_pickle_item (const TrcPickleValue *value, guint i)
{
  return i < trc_pickle_n_items (value) ? value->items->pdata[i] : NULL;
}

static const TrcPickleValue *
get_from_dict (const TrcPickleValue *dict, const char *key)
{
  const TrcPickleValue *found = NULL;

  for (guint i = 0; i + 1 < trc_pickle_n_items (dict); i += 2)
    {
      const TrcPickleValue *name = trc_pickle_item (dict, i);
      if (name->kind == TRC_PICKLE_TEXT && strcmp (name->text, key) == 0)
        found = trc_pickle_item (dict, i + 1); /* the last one wins */
    }
  return found;
}

const TrcPickleValue *
trc_pickle_get (const TrcPickleValue *value, const char *key)
{
  const TrcPickleValue *found = NULL;

  if (value == NULL)
    return NULL;
  if (value->kind == TRC_PICKLE_DICT)
    return get_from_dict (value, key);
  for (guint i = 1; value->kind == TRC_PICKLE_OBJECT && i < trc_pickle_n_items (value); i++)
    {
      const TrcPickleValue *state = trc_pickle_item (value, i);

      if (state->kind == TRC_PICKLE_DICT && get_from_dict (state, key) != NULL)
        found = get_from_dict (state, key);
      /* A state may be (dict, slots). */
      for (guint k = 0; state->kind == TRC_PICKLE_TUPLE && k < trc_pickle_n_items (state); k++)
        if (trc_pickle_item (state, k)->kind == TRC_PICKLE_DICT
            && get_from_dict (trc_pickle_item (state, k), key) != NULL)
          found = get_from_dict (trc_pickle_item (state, k), key);
    }
  return found;
}

gboolean
trc_pickle_is_a (const TrcPickleValue *value, const char *global)
{
  if (value != NULL && value->kind == TRC_PICKLE_OBJECT)
    value = trc_pickle_item (value, 0);
  return value != NULL && value->kind == TRC_PICKLE_GLOBAL && strcmp (value->text, global) == 0;
}
