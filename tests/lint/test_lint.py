"""Shows that each house rule can fail: a small tree with one offence per line of the table.

usage: test_lint.py
"""

import os
import sys
import tempfile

import coverage
import headers
import includes
import text
from tree import Tree

GOOD_HEADER = '''/* compute/tensor.h - a window onto memory
 */
#pragma once

#include "compute/error.h"

G_BEGIN_DECLS

typedef struct _TrcTensor TrcTensor;
typedef void (*TrcTensorFunc) (gpointer data);

/* A new one. */
TrcTensor *trc_tensor_new (int n,
                           int m) G_GNUC_WARN_UNUSED_RESULT;

void trc_tensor_free (TrcTensor *self); /* NULL is fine */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TrcTensor, trc_tensor_free)

/* Twice @n. */
static inline int
trc_twice (int n)
{
  return 2 * n;
}

G_END_DECLS
'''

# rule, path, text, part of the sentence expected; None: nothing may be found
CASES = (
    (includes.check, "ui/window.c", '#include "compute/graph.h"\n', "ui may not use compute"),
    (includes.check, "render/scene/a.c", '#include "app/error.h"\n', "render may not use app"),
    (includes.check, "compute/base/a.c", '#include "render/scene.h"\n', "may not use render"),
    (includes.check, "app/session/a.c", '#include "compute/vk/vk_device.h"\n', "private"),
    (includes.check, "app/session/a.c", '#include <gtk/gtk.h>\n', "belongs only in"),
    (includes.check, "compute/ops/a.c", '#include <vulkan/vulkan.h>\n', "belongs only in"),
    (includes.check, "render/draw/a.c", '#  include <graphviz/cgraph.h>\n', "belongs only in"),
    (includes.check, "ui/window.c", '#include <json-glib/json-glib.h>\n', "belongs only in"),
    (includes.check, "compute/ops/a.c", '#include "graph.h"\n', "full path"),
    (includes.check, "compute/tape/a.c", '#include "compute/graph.h"\n', "later room"),
    (includes.check, "compute/cpu/a.c", '#include "compute/vk/vk.h"\n', "side by side"),
    (includes.check, "compute/ops.h", '#include "compute/ops/a.h"\n', "private one"),
    (includes.check, "compute/ops/a.c", '#include "compute/oddity.h"\n', "no room is known"),
    (includes.check, "compute/graph/a.c", '#include "compute/tape.h"\n', None),
    (includes.check, "app/gui/main.c", '#include <gtk/gtk.h>\n#include "ui/window.h"\n', None),
    (includes.check, "render/draw/a.c", '/* #include "app/error.h" */\n', None),
    (headers.check_comments, "compute/tensor.h", GOOD_HEADER, None),
    (headers.check_comments, "compute/tensor.h",
     GOOD_HEADER.replace("/* A new one. */\n", "\n"), "trc_tensor_new has no comment"),
    (headers.check_comments, "compute/tensor.h",
     GOOD_HEADER.replace("/* NULL is fine */", ""), "trc_tensor_free has no comment"),
    (headers.check_comments, "compute/tensor.h",
     GOOD_HEADER.replace("/* Twice @n. */\n", "\n"), "trc_twice has no comment"),
    (headers.check_comments, "compute/tensor.h",
     GOOD_HEADER.replace("compute/tensor.h -", "tensor -"), "must open with a comment"),
    (headers.check_comments, "compute/tensor.h",
     GOOD_HEADER.replace("#pragma once", ""), "#pragma once"),
    (text.check_words, "app/session/a.c", "/* TODO: more */\n", "unfinished"),
    (text.check_words, "app/session/a.c", "/* enough for now */\n", "unfinished"),
    (text.check_words, "app/session/a.c", 'char *path = "/root/x";\n', "path of one machine"),
    (text.check_words, "README.md", "see /home/somebody/notes\n", "path of one machine"),
    (text.check_words, "run", "curl https://pypi.org/simple\n", "download host"),
    (text.check_words, "ui/a.ui", '<property name="placeholder-text">x</property>\n', None),
    (text.check_words, "app/session/a.c", "/* framework/root of a path/home */\n", None),
    (text.check_output, "compute/ops/a.c", 'printf ("x");\n', "printf"),
    (text.check_output, "compute/ops/a.c", 'g_warning ("x");\n', "g_warning"),
    (text.check_output, "compute/ops/a.c", "exit (1);\n", "exit"),
    (text.check_output, "compute/ops/a.c", '/* abort () */ g_strdup_printf ("printf (");\n',
     None),
    (text.check_sizes, "app/session/a.c", "\n" * 1001, "more than 1000"),
    (text.check_sizes, "shaders/a.comp", "\n" * 201, "more than 200"),
    (text.check_sizes, "app/README.md", "\n" * 41, "more than 40"),
    (text.check_sizes, "app/session/a.c", "\n" * 999, None),
    (text.check_functions, "app/session/a.c",
     "void\nlong_one (int n)\n{\n" + "  n++;\n" * 99 + "}\n", "long_one has 101 lines"),
    (text.check_functions, "ui/a.c",
     "void\na_class_init (int n)\n{\n" + "  n++;\n" * 200 + "}\n", None),
    (text.check_functions, "app/session/a.c",
     "int\nstep (int n)\n{\n  switch (n)\n    {\n"
     + "    case 1:\n      return 2;\n" * 60 + "    }\n}\n", None),
    (text.check_whitespace, "app/session/a.c", "int a; \n", "trailing space"),
    (text.check_whitespace, "app/session/a.c", "int a;", "no newline"),
    (coverage.check_tests, "compute/ops/a_thing.c", "int a;\n", "no tests/**/test_a_thing.c"),
    (coverage.check_rooms, "compute/ops/a.c", "int a;\n", "compute/README.md is missing"),
)


def found(rule, path, content):
    with tempfile.TemporaryDirectory() as root:
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(content)
        return rule(Tree(root))


def main():
    failed = False
    for number, (rule, path, content, wanted) in enumerate(CASES, 1):
        problems = found(rule, path, content)
        if wanted is None:
            good = not problems
        else:
            good = any(wanted in problem for problem in problems)
        failed = failed or not good
        print(f"{'ok' if good else 'not ok'} {number} - {rule.__name__}: "
              f"{wanted or 'nothing wrong'}")
        if not good:
            print(f"# {path} gave {problems}")
    print(f"1..{len(CASES)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
