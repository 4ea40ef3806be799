"""The house rules as a test that speaks TAP.

usage: lint.py SOURCE_ROOT BUILD_ROOT

One case a rule, and one for each public header that must compile alone. CONTRIBUTING.md gives
the reasons.
"""

import shutil
import subprocess
import sys

import coverage
import headers
import includes
import text
from tree import LAYERS, Tree

RULES = (
    ("includes keep to the layers and rooms", includes.check),
    ("public headers and functions are commented", headers.check_comments),
    ("no unfinished work, machine paths or download hosts", text.check_words),
    ("nothing in compute prints or exits", text.check_output),
    ("files are of moderate length", text.check_sizes),
    ("functions are of moderate length", text.check_functions),
    ("no stray white space", text.check_whitespace),
    ("every source file has a test", coverage.check_tests),
    ("every room is told of in a README", coverage.check_rooms),
)


def check_format(tree):
    """What clang-format would change, or None when it is not here."""
    if shutil.which("clang-format") is None:
        return None
    paths = tree.under(LAYERS + ("tests",), [".c", ".h"])
    done = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=0"] + paths,
                          cwd=tree.root, capture_output=True, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines()
                    if "clang-format-violations" in line})
    return [f"{path}: run clang-format -i on it" for path in wrong]


class Tap:
    def __init__(self):
        self.n = 0
        self.failed = False

    def case(self, name, problems, skip=None):
        self.n += 1
        for problem in problems:
            print("# " + problem.replace("\n", "\n# "))
        self.failed = self.failed or bool(problems)
        word = "not ok" if problems else "ok"
        print(f"{word} {self.n} - {name}" + (f" # SKIP {skip}" if skip else ""))


def main(source, build):
    tree, tap = Tree(source), Tap()
    for name, rule in RULES:
        tap.case(name, rule(tree))
    wrong = check_format(tree)
    tap.case("clang-format has nothing to change", wrong or [],
             "clang-format is not installed" if wrong is None else None)
    for path in tree.public_headers():
        said = headers.compile_alone(tree, build, path)
        tap.case(f"{path} compiles alone", [said] if said else [])
    print(f"1..{tap.n}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
