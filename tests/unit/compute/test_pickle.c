#include "compute/formats/pickle.h"

#include <math.h>
#include <string.h>

#define PARSE(text) parse (text, sizeof text - 1)

static TrcPickle *
parse (const char *text, gsize len)
{
  g_autoptr (GError) error = NULL;
  TrcPickle *pickle = trc_pickle_parse ((const guint8 *)text, len, "p", &error);

  g_assert_no_error (error);
  return pickle;
}

static void
test_values (void)
{
  /* pickle.dumps({"a": [1, -2, True, None, 1.5], "b": ("x", b"y")}, 2) and the like */
  g_autoptr (TrcPickle) pickle =
      PARSE ("\x80\x02}q\x00(X\x01\x00\x00\x00"
             "aq\x01]q\x02(K\x01J\xfe\xff\xff\xff\x88NG?\xf8\x00\x00\x00\x00\x00\x00"
             "eX\x01\x00\x00\x00"
             "b(X\x01\x00\x00\x00xC\x01yt\x8a\x02\x00\xff\x8a\x00M\x00\x01\x86u.");
  const TrcPickleValue *root = trc_pickle_root (pickle);
  const TrcPickleValue *a = trc_pickle_get (root, "a"), *b = trc_pickle_get (root, "b");

  g_assert_cmpint (root->kind, ==, TRC_PICKLE_DICT);
  g_assert_cmpuint (trc_pickle_n_items (a), ==, 5);
  g_assert_cmpint (trc_pickle_item (a, 1)->integer, ==, -2);
  g_assert_cmpint (trc_pickle_item (a, 2)->kind, ==, TRC_PICKLE_BOOL);
  g_assert_cmpint (trc_pickle_item (a, 3)->kind, ==, TRC_PICKLE_NONE);
  g_assert_cmpfloat (trc_pickle_item (a, 4)->real, ==, 1.5);
  g_assert_cmpint (b->kind, ==, TRC_PICKLE_TUPLE);
  g_assert_cmpstr (trc_pickle_item (b, 1)->text, ==, "y");
  g_assert_null (trc_pickle_get (root, "c"));
  g_assert_null (trc_pickle_item (a, 5));
  /* the last pair: key -256, value (0, 256) */
  g_assert_cmpint (trc_pickle_item (root, 4)->integer, ==, -256);
  g_assert_cmpint (trc_pickle_item (trc_pickle_item (root, 5), 1)->integer, ==, 256);
}

static void
test_old_protocol (void)
{
  g_autoptr (TrcPickle) pickle = PARSE ("(lp0\nI1\naI01\naL5L\naF2.5\naVtext\np1\nag1\na.");
  const TrcPickleValue *root = trc_pickle_root (pickle);

  g_assert_cmpuint (trc_pickle_n_items (root), ==, 6);
  g_assert_cmpint (trc_pickle_item (root, 1)->kind, ==, TRC_PICKLE_BOOL);
  g_assert_cmpint (trc_pickle_item (root, 2)->integer, ==, 5);
  g_assert_cmpfloat (trc_pickle_item (root, 3)->real, ==, 2.5);
  g_assert_true (trc_pickle_item (root, 4) == trc_pickle_item (root, 5));
}

/* os.system ("x") is a record that says so. */
static void
test_call (void)
{
  g_autoptr (TrcPickle) pickle = PARSE ("cos\nsystem\n(X\x01\x00\x00\x00xtR.");
  const TrcPickleValue *root = trc_pickle_root (pickle);

  g_assert_cmpint (root->kind, ==, TRC_PICKLE_OBJECT);
  g_assert_true (trc_pickle_is_a (root, "os system"));
  g_assert_cmpstr (trc_pickle_item (trc_pickle_item (root, 1), 0)->text, ==, "x");
}

/* An object with a state, one with (state, slots), and an ordered dict. */
static void
test_objects (void)
{
  g_autoptr (TrcPickle) plain = PARSE ("cm\nC\n)\x81}X\x01\x00\x00\x00nK\x07sb.");
  g_autoptr (TrcPickle) slots = PARSE ("\x8c\x01m\x8c\x01"
                                       "C\x93)\x81N}\x8c\x01nK\x08s\x86"
                                       "b.");
  g_autoptr (TrcPickle) ordered =
      PARSE ("ccollections\nOrderedDict\n)RX\x01\x00\x00\x00nK\x09s.");
  g_autoptr (TrcPickle) instance = PARSE ("(K\x01im\nC\n.");
  g_autoptr (TrcPickle) object = PARSE ("(cm\nC\nK\x01o.");
  g_autoptr (TrcPickle) persistent = PARSE ("Pname\n.");

  g_assert_cmpint (trc_pickle_get (trc_pickle_root (plain), "n")->integer, ==, 7);
  g_assert_cmpint (trc_pickle_get (trc_pickle_root (slots), "n")->integer, ==, 8);
  g_assert_cmpint (trc_pickle_root (ordered)->kind, ==, TRC_PICKLE_DICT);
  g_assert_cmpint (trc_pickle_get (trc_pickle_root (ordered), "n")->integer, ==, 9);
  g_assert_true (trc_pickle_is_a (trc_pickle_root (instance), "m C"));
  g_assert_true (trc_pickle_is_a (trc_pickle_root (object), "m C"));
  g_assert_cmpstr (trc_pickle_item (trc_pickle_root (persistent), 0)->text, ==, "name");
}

static void
test_wrong (void)
{
  static const struct {
    const char *text;
    gsize len;
  } cases[] = {
#define CASE(t) { t, sizeof t - 1 }
    CASE (""),
    CASE ("."),
    CASE ("K"),
    CASE ("0."),
    CASE ("t."),
    CASE ("(u."),
    CASE ("e."),
    CASE ("s."),
    CASE ("K\x01s."),
    CASE ("R."),
    CASE ("(R."),
    CASE ("b."),
    CASE ("h\x05."),
    CASE ("g9\n."),
    CASE ("q\x01."),
    CASE ("cos\n"),
    CASE ("\x93."),
    CASE ("K\x01K\x02\x93."),
    CASE ("o."),
    CASE ("(o."),
    CASE ("\x86."),
    CASE ("(\x85."),
    CASE ("Q."),
    CASE ("X\xff\xff\xff\x7f."),
    CASE ("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."),
    CASE ("\x8b\xff\xff\xff\xff."),
    CASE ("\xff."),
    CASE ("N"),
    CASE ("(."),
    CASE ("2."),
    CASE ("1."),
    CASE ("\x82\x01."),
    CASE ("i"),
    CASE ("(ia\n."),
#undef CASE
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (TrcPickle) pickle =
          trc_pickle_parse ((const guint8 *)cases[i].text, cases[i].len, "p", &error);

      g_assert_null (pickle);
      g_assert_true (g_str_has_prefix (error->message, "p: "));
    }
}

/* Nothing that random instructions do ends the process, and circles are no trouble. */
static void
test_random (void)
{
  static const char ops[] =
      "(012NIJKMLFGSVTUXBCl]a})dtesurRcbioPQpqrghj\x80\x81\x85\x86\x87\x88"
      "\x89\x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95.";
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);

  for (guint round = 0; round < 30000; round++)
    {
      guint8 text[40];
      g_autoptr (GError) error = NULL;

      for (guint i = 0; i < sizeof text; i++)
        text[i] = g_rand_int_range (rand, 0, 4) == 0
                      ? (guint8)g_rand_int_range (rand, 0, 4)
                      : (guint8)ops[g_rand_int_range (rand, 0, sizeof ops - 1)];
      g_autoptr (TrcPickle) pickle = trc_pickle_parse (text, sizeof text, "p", &error);
      g_assert_true ((pickle != NULL) != (error != NULL));
    }
  g_autoptr (TrcPickle) circle = PARSE ("]q\x00h\x00"
                                        "a.");
  g_assert_true (trc_pickle_item (trc_pickle_root (circle), 0) == trc_pickle_root (circle));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pickle/values", test_values);
  g_test_add_func ("/pickle/old-protocol", test_old_protocol);
  g_test_add_func ("/pickle/call", test_call);
  g_test_add_func ("/pickle/objects", test_objects);
  g_test_add_func ("/pickle/wrong", test_wrong);
  g_test_add_func ("/pickle/random", test_random);
  return g_test_run ();
}
