"""Which layer and which room may include what.

    ui -> app -> compute -> vulkan        app -> render -> cairo, pango, graphviz
    ui -> render

Inside compute a room uses only rooms before it in ROOMS.
"""

import re

from tree import LAYERS, blank, line_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# Rooms of compute, lowest first; those in one row do not depend on each other.
ROOMS = (
    ("base",),
    ("cpu", "vk"),
    ("ops",),
    ("tape",),
    ("formats",),
    ("text",),
    ("models",),
    ("task",),
    ("dictionary",),
    ("graph",),
    ("attribution",),
    ("hierarchy",),
    ("search",),
    ("verify",),
    ("train",),
)
RANK = {room: rank for rank, row in enumerate(ROOMS) for room in row}

# The room each public header of compute speaks for. What devices are and which kernels they
# run is declared below the devices themselves.
HEADER_ROOM = {
    "error": "base", "progress": "base", "json": "base", "rng": "base",
    "stats": "base", "paths": "base",
    "device": "base", "tensor": "base", "ops": "base",
    "tape": "tape",
    "safetensors": "formats",
    "tokenizer": "text",
    "generate": "models", "hook": "models", "model": "models", "random_model": "models",
    "run": "models",
    "task": "task",
    "dictionary": "dictionary",
    "graph": "graph", "graph_file": "graph", "graph_make": "graph", "prune": "graph",
    "attribution": "attribution",
    "hierarchy": "hierarchy",
    "circuit": "search",
    "verify": "verify",
    "train": "train",
}

# Library headers by family, and where a family may be used (a path that starts so).
FAMILIES = (
    (re.compile(r"^(gtk|gdk|gsk)/"), ("ui/", "app/gui/")),
    (re.compile(r"^(cairo|cairo-[a-z]+)\.h$|^cairo/"),
     ("render/", "app/export/", "ui/", "app/gui/")),
    (re.compile(r"^pango/"), ("render/", "ui/", "app/gui/")),
    (re.compile(r"^(graphviz/|cgraph\.h|gvc\.h|gvcext\.h)"), ("render/layout/",)),
    (re.compile(r"^vulkan/"), ("compute/vk/",)),
    (re.compile(r"^yajl/|^archive(_entry)?\.h$"), ("compute/",)),
    (re.compile(r"^(cblas|lapacke)(-[a-z0-9_]+)?\.h$|^openblas/|^igraph/"), ("compute/",)),
    (re.compile(r"^json-glib/"), ("compute/", "app/")),
    (re.compile(r"^sqlite3\.h$"), ("app/session/",)),
)

# Layers whose headers a layer may use besides its own.
USES = {"compute": ("shaders",), "render": (), "app": ("compute", "render"),
        "ui": ("app", "render")}


def room_of(path):
    """The room of a file of compute: its folder, or the one its public header speaks for."""
    parts = path.split("/")
    if len(parts) > 2:
        return parts[1]
    return HEADER_ROOM.get(parts[1].rsplit(".", 1)[0])


def check_layer(path, target):
    """What is wrong with a project include, or None."""
    layer, other = path.split("/")[0], target.split("/")[0]
    if "/" not in target:
        return "needs its full path from the root"
    if other == layer:
        return None
    if path.startswith("app/gui/") and other == "ui":
        return None
    if other not in USES[layer]:
        return f"{layer} may not use {other}"
    if other in LAYERS and target.count("/") > 1:
        return f"is private to {other}"
    return None


def check_room(path, target):
    """What is wrong with an include inside compute, or None."""
    if not (path.startswith("compute/") and target.startswith("compute/")):
        return None
    mine, theirs = room_of(path), room_of(target)
    if path.count("/") == 1 and target.count("/") > 1:
        return "a public header may not need a private one"
    for name, room in ((path, mine), (target, theirs)):
        if room not in RANK:
            return f"no room is known for {name}; name it in tests/lint/includes.py"
    if RANK[theirs] > RANK[mine]:
        return f"the room {mine} may not use the later room {theirs}"
    if RANK[theirs] == RANK[mine] and mine != theirs:
        return f"the rooms {mine} and {theirs} stand side by side"
    return None


def check_library(path, target):
    for pattern, allowed in FAMILIES:
        if pattern.search(target) and not path.startswith(allowed):
            return f"belongs only in {' '.join(allowed)}"
    return None


def check(tree):
    """Every include of the four layers, one sentence for each that is not allowed."""
    problems = []
    for path in tree.under(LAYERS, [".c", ".h", ".inc"]):
        text = blank(tree.text(path), keep_strings=True)
        for match in INCLUDE.finditer(text):
            quote, target = match.groups()
            if quote == '"':
                wrong = check_layer(path, target) or check_room(path, target)
            else:
                wrong = check_library(path, target)
            if wrong:
                line = line_of(text, match.start())
                problems.append(f"{path}:{line}: {target}: {wrong}")
    return problems
