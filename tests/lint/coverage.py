"""Every source file has a test that holds its name, every room is told of in a README."""

import os

from tree import LAYERS

TESTED = ("compute", "render", "app")


def stem(path):
    name = os.path.basename(path).rsplit(".", 1)[0]
    for prefix in ("cmd_", "test_", "test-"):
        if name.startswith(prefix):
            name = name[len(prefix):]
    return name


def check_tests(tree):
    """A .c file of a layer wants a program below tests/ whose name holds its own. A command's is
    tests/cli/test_NAME.py; the rest of the two programs is driven by tests/cli and tests/gui."""
    tests = [stem(path) for path in tree.under(("tests",), [".c", ".py"])
             if os.path.basename(path).startswith(("test_", "test-"))]
    problems = []
    for path in tree.under(TESTED, [".c"]):
        if path.startswith("app/gui/") or path.startswith("app/cli/") and "/cmd_" not in path:
            continue
        if not any(stem(path) in name for name in tests):
            problems.append(f"{path}: no tests/**/test_{stem(path)}.c or .py")
    return problems


def check_rooms(tree):
    """A layer's README names each of its rooms."""
    problems = []
    for layer in LAYERS + ("shaders", "data", "tests"):
        readme = f"{layer}/README.md"
        if readme not in tree.paths:
            problems.append(f"{readme} is missing")
            continue
        text = tree.text(readme)
        rooms = {path.split("/")[1] for path in tree.paths
                 if path.startswith(layer + "/") and path.count("/") > 1}
        problems += [f"{readme}: says nothing of {room}/" for room in sorted(rooms)
                     if room not in text]
    return problems
