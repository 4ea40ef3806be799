"""Public headers: an opening comment, a comment on every function, and they compile alone."""

import json
import os
import re
import shlex
import subprocess
import tempfile

from tree import blank, line_of

OPENING = re.compile(r"\A/\* (?P<path>\S+) - \S.*?\*/", re.DOTALL)
PROTOTYPE = re.compile(r"(?P<name>\b[a-z_][a-z0-9_]*) \(", re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
MACRO_LINE = re.compile(r"^[ \t]*[A-Z][A-Z0-9_]+\b[ \t]*(\([^;\n]*\))?[ \t]*;?[ \t]*$",
                        re.MULTILINE)


def items(code):
    """Top-level declarations of blanked code: (offset, text up to ';' or the body)."""
    start, depth = 0, 0
    for offset, char in enumerate(code):
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0 and "(" in code[start:offset].split("{")[0]:
                yield start, code[start:offset].split("{")[0]
                start = offset + 1
        elif char == ";" and depth == 0:
            yield start, code[start:offset]
            start = offset + 1


def functions(text):
    """(line, last line, name) of every function a header declares or defines."""
    code = blank(text)
    code = PREPROCESSOR.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), code)
    code = MACRO_LINE.sub(lambda m: " " * len(m.group(0)), code)
    for offset, item in items(code):
        lead = len(item) - len(item.lstrip())
        body = item.strip()
        match = PROTOTYPE.search(body)
        if not match or body.startswith(("typedef", "struct", "enum", "union", "G_DEFINE")) \
                and "{" in body or body.startswith("typedef") or "(*" in body[:match.end() + 1]:
            continue
        if body.startswith(("G_DEFINE", "G_DECLARE", "G_STATIC")):
            continue
        first = line_of(code, offset + lead)
        yield first, line_of(code, offset + len(item)), match.group("name")


def has_comment(lines, first, last):
    """A comment ends on the line above, or on the last line of the declaration."""
    above = lines[first - 2].rstrip() if first >= 2 else ""
    return above.endswith("*/") or above.lstrip().startswith("//") \
        or "/*" in lines[last - 1].split(";")[-1]


def check_comments(tree):
    problems = []
    for path in tree.public_headers():
        text = tree.text(path)
        opening = OPENING.match(text)
        if not opening or opening.group("path") != path:
            problems.append(f"{path}:1: must open with a comment “{path} - what it is”")
        if "\n#pragma once\n" not in text:
            problems.append(f"{path}:1: #pragma once is missing")
        lines = text.split("\n")
        for first, last, name in functions(text):
            if not has_comment(lines, first, last):
                problems.append(f"{path}:{first}: {name} has no comment")
    return problems


def flags_of(build, layer):
    """The compiler and flags with which some file of a layer is compiled."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    wanted = re.compile(rf"(^|/){layer}/[a-z_]+/?[a-z_]*/?[^/]*\.c$")
    for command in commands:
        # A layer's own library, not a test of it.
        if f"libtracery-{layer}.a.p/" in command["output"] and wanted.search(command["file"]):
            words = shlex.split(command["command"])
            if words[0].endswith("ccache"):
                words = words[1:]
            skip = {"-o", "-MF", "-MQ", "-c", "-MD"}
            kept, drop = [], False
            for word in words:
                if drop:
                    drop = False
                elif word in ("-o", "-MF", "-MQ"):
                    drop = True
                elif word not in skip and not word.endswith(".c") \
                        and not word.startswith("-fsanitize"):
                    kept.append(word)
            return kept, command["directory"]
    return None, None


def compile_alone(tree, build, path):
    """None when the header compiles with nothing before it, else what the compiler says."""
    words, folder = flags_of(build, path.split("/")[0])
    if words is None:
        return None if path.startswith("ui/") else "its layer has no .c file to take flags from"
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.write(f'#include "{path}"\n#include "{path}"\n')
        source.flush()
        done = subprocess.run(words + ["-Werror", "-fsyntax-only", source.name], cwd=folder,
                              capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()
