"""Rules on the text itself: sizes, unfinished work, machine paths, output in compute."""

import re

from tree import LAYERS, blank, line_of

SOURCES = (".c", ".h", ".inc", ".py", ".sh", ".comp", ".glsl", ".build", ".ui", ".css", ".md",
           ".txt", ".xml", ".in", ".desktop", ".yml", ".tsv")
EXTRA = ("run", "check", ".ci/run")
MAX_LINES = 1000
MAX_SHADER_LINES = 200
MAX_README_LINES = 40
MAX_FUNCTION_LINES = 100

UNFINISHED = re.compile(
    r"\b(TODO|FIXME|XXX|HACK|stubs?|placeholders?(?!-text)|simplified|for now)\b")
MACHINE = re.compile(r"(?<![\w.$}])/(work|root|home)(?=/|\b)(?!\w)")
HOSTS = re.compile(r"\b(pypi\.org|crates\.io|proxy\.golang\.org|registry\.npmjs\.org|"
                   r"deb\.debian\.org|repo\.maven\.apache\.org)\b")
OUTPUT = re.compile(r"(?<![\w.>])(printf|fprintf|puts|fputs|putchar|perror|g_print|g_printerr|"
                    r"g_message|g_warning|g_critical|g_error|g_debug|g_info|exit|_exit|abort|"
                    r"_Exit|quick_exit)\s*\(")
FUNCTION = re.compile(r"^(?P<name>\w+) \([^;{}]*\)\n\{\n(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)


def is_source(path):
    return path.endswith(SOURCES) or path in EXTRA


def matches(tree, path, pattern, text, sentence):
    return [f"{path}:{line_of(text, match.start())}: {sentence.format(match.group(0).strip())}"
            for match in pattern.finditer(text)]


def check_words(tree):
    """No unfinished work, no path of one machine, no download host. The rules name the words
    themselves, so their own folder is left out."""
    problems = []
    for path in tree.paths:
        if not is_source(path) or path.startswith("tests/lint/"):
            continue
        text = tree.text(path)
        if not path.endswith((".css", ".ui")):  # GTK has a node of the name placeholder
            problems += matches(tree, path, UNFINISHED, text, "“{}” tells of unfinished work")
        problems += matches(tree, path, MACHINE, text, "“{}” is a path of one machine")
        problems += matches(tree, path, HOSTS, text, "“{}” is a download host")
    return problems


def check_output(tree):
    """Nothing under compute prints, exits or aborts; it returns a GError."""
    problems = []
    for path in tree.under(("compute",), [".c", ".h"]):
        problems += matches(tree, path, OUTPUT, blank(tree.text(path)), "“{}” in compute")
    return problems


def check_sizes(tree):
    problems = []
    for path in tree.paths:
        if not is_source(path):
            continue
        n_lines = tree.text(path).count("\n")
        limit = MAX_LINES
        if path.endswith(".comp"):
            limit = MAX_SHADER_LINES
        elif path.endswith("/README.md"):
            limit = MAX_README_LINES
        if n_lines > limit:
            problems.append(f"{path}: {n_lines} lines, more than {limit}")
    return problems


def is_flat(name, body):
    """Long but with nothing to follow: a class_init, or a switch with a line or two a case."""
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    labels = sum(line.startswith(("case ", "default:")) for line in lines)
    return name.endswith("class_init") or labels > 0.4 * len(lines)


def check_functions(tree):
    problems = []
    for path in tree.under(LAYERS, [".c"]):
        text = blank(tree.text(path))
        for match in FUNCTION.finditer(text):
            n_lines = match.group("body").count("\n") + 2
            if n_lines > MAX_FUNCTION_LINES and not is_flat(*match.group("name", "body")):
                problems.append(f"{path}:{line_of(text, match.start())}: {match.group('name')} "
                                f"has {n_lines} lines, more than {MAX_FUNCTION_LINES}")
    return problems


def check_whitespace(tree):
    problems = []
    for path in tree.paths:
        if not is_source(path):
            continue
        text = tree.text(path)
        if text and not text.endswith("\n"):
            problems.append(f"{path}: no newline at the end")
        problems += matches(tree, path, re.compile(r"[ \t]+$", re.MULTILINE), text,
                            "trailing space{}")
        problems += matches(tree, path, re.compile(r"\r"), text, "carriage return{}")
    return problems
