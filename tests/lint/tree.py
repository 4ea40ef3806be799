"""The source tree as the rules see it: which files there are, and their text."""

import os
import re

LAYERS = ("compute", "render", "app", "ui")
SKIPPED = re.compile(r"^(build.*|\..*|__pycache__)$")
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


class Tree:
    """Files below a root, by path relative to it, with forward slashes."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.paths = sorted(self._walk())

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not SKIPPED.match(name)]
            for name in files:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                yield path.replace(os.sep, "/")

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def under(self, folders, suffixes):
        """Paths below one of @folders that end in one of @suffixes."""
        return [path for path in self.paths
                if path.split("/")[0] in folders and path.endswith(tuple(suffixes))]

    def public_headers(self):
        """The headers on the first level of a layer: its interface."""
        return [path for path in self.under(LAYERS, [".h"]) if path.count("/") == 1]


def blank(text, keep_strings=False):
    """The text with comments (and strings) overwritten by spaces; lines keep their numbers."""
    def fill(match):
        piece = match.group(0)
        if keep_strings and piece[0] in "\"'":
            return piece
        filled = re.sub(r"[^\n]", " ", piece)
        return filled if piece[0] == "/" else piece[0] + filled[1:-1] + piece[0]
    return COMMENT_OR_STRING.sub(fill, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
