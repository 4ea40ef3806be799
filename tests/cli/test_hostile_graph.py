"""Graph files that are cut, wrong, huge or absent: one sentence, status 1, nothing written."""

import json
import os

from harness import TempDir, case, main, ok, ordinary_user, refused, shared
from hostile import SMALL_GRAPH, as_bytes, listing, truncations, with_member, write

NODE, LINK = ("nodes", 1), ("links", 1)

# what is wrong, path of the member, its value
WRONG = (
    ("nodes is a number", ("nodes",), 7),
    ("nodes is an object of numbers", ("nodes",), {"a": 1}),
    ("nodes is null", ("nodes",), None),
    ("nodes is absent", ("nodes",), ...),
    ("a node is a text", NODE, "node"),
    ("a node is null", NODE, None),
    ("a node's id is absent", NODE + ("node_id",), ...),
    ("a node's id is a list", NODE + ("node_id",), ["0_5_1"]),
    ("a node's layer is a list", NODE + ("layer",), [0]),
    ("a node's layer is past counting", NODE + ("layer",), "99999999999999999999"),
    ("a node's position is a word", NODE + ("ctx_idx",), "first"),
    ("a node's position is past counting", NODE + ("ctx_idx",), 10 ** 300),
    ("a node's position is negative", NODE + ("ctx_idx",), -3),
    ("a node's activation is an object", NODE + ("activation",), {"x": 1}),
    ("links is a text", ("links",), "none"),
    ("a link is a number", LINK, 3),
    ("a link's source is absent", LINK + ("source",), ...),
    ("a link's source names nothing", LINK + ("source",), "9_9_9"),
    ("a link's target names nothing", LINK + ("target",), "9_9_9"),
    ("a link's weight is a word", LINK + ("weight",), "heavy"),
    ("a link's weight is a list", LINK + ("weight",), [1]),
    ("a link's weight is absent", LINK + ("weight",), ...),
)

# what is wrong, text replaced, replacement
RAW = (
    ("a weight is NaN", b"-0.5", b"NaN"),
    ("a weight is infinite", b"-0.5", b"Infinity"),
    ("a weight is too large for a number", b"-0.5", b"1e999"),
    ("an activation is too large for a number", b"2.5", b"-1e999"),
    ("a text is no UTF-8", b"Emb: a", b"Emb: \xff\xfe"),
    ("a text is never closed", b'"clerp": "Emb: a"', b'"clerp": "Emb: a'),
    ("a comma too many", b'"links": [', b'"links": [,'),
    ("words after the end", b"]}", b"]} and more"),
)

WHOLE = (
    ("an empty file", b""),
    ("a single brace", b"{"),
    ("an empty object", b"{}"),
    ("a list", b"[1, 2, 3]"),
    ("a number", b"42"),
    ("only spaces", b" \n" * 1000),
    ("zero bytes", bytes(4096)),
    ("noise", bytes((i * 2654435761 >> 7) & 255 for i in range(5000))),
    ("a hundred thousand brackets", b"[" * 100000),
    ("a hundred thousand objects inside each other", b'{"nodes":' * 100000),
    ("a broken gzip file", b"\x1f\x8b\x08\x00" + bytes(60)),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100)),
    ("another kind of JSON", b'{"name": "package", "version": "1.0"}'),
)


def look(folder, name, data):
    """What is wrong with the way each command that reads graphs refuses this file."""
    path = write(folder, "bad.json", data)
    before = listing(folder)
    for arguments in (("info", path), ("prune", path, "-o", os.path.join(folder, "out.json")),
                      ("coarsen", path),
                      ("layout", path, "-o", os.path.join(folder, "out.json")),
                      ("export", path, "-o", os.path.join(folder, "out.svg"))):
        try:
            sentence = refused(*arguments)
            if "bad.json" not in sentence:
                yield f"{name}: {arguments[0]} does not name the file: {sentence}"
        except AssertionError as problem:
            yield f"{name}: {problem}"
        if listing(folder) != before:
            yield f"{name}: {arguments[0]} left something behind"


def refused_everywhere(files):
    """Every (name, bytes) is refused by every command, and none of them writes anything."""
    with TempDir() as folder:
        problems = [problem for name, data in files for problem in look(folder, name, data)]
    assert not problems, "\n".join(problems)


@case("the small graph itself is read")
def small_graph():
    with TempDir() as folder:
        path = write(folder, "good.json", as_bytes(SMALL_GRAPH))
        facts = json.loads(ok("info", path, "--json").out)
        assert facts["n_nodes"] == 3 and facts["n_links"] == 3, facts


@case("a graph cut at every fiftieth is refused")
def cut():
    with TempDir() as folder:
        for name, data in truncations(as_bytes(SMALL_GRAPH)):
            path = write(folder, "bad.json", data)
            assert "bad.json" in refused("info", path), name


@case("a real graph cut at every fiftieth is refused")
def cut_real():
    with open(shared("graphs/gemma2-clt-meow-tiny.json"), "rb") as file:
        whole = file.read().rstrip()
    with TempDir() as folder:
        for name, data in truncations(whole):
            path = write(folder, "bad.json", data)
            assert "bad.json" in refused("info", path), name


@case("members of a wrong type, past counting, or naming nothing are refused")
def wrong_members():
    refused_everywhere((name, as_bytes(with_member(SMALL_GRAPH, path, value)))
                       for name, path, value in WRONG)


@case("numbers that are none and broken texts are refused")
def wrong_bytes():
    whole = as_bytes(SMALL_GRAPH)
    assert all(old in whole for _name, old, _new in RAW)
    refused_everywhere((name, new.join(whole.rsplit(old, 1))) for name, old, new in RAW)


@case("files that are no graph at all are refused")
def wrong_files():
    refused_everywhere(WHOLE)


@case("a folder, a missing file and a missing target folder are refused")
def places():
    with TempDir() as folder:
        good = write(folder, "good.json", as_bytes(SMALL_GRAPH))
        os.mkdir(os.path.join(folder, "folder.json"))
        assert "folder.json" in refused("info", os.path.join(folder, "folder.json"))
        assert "absent.json" in refused("info", os.path.join(folder, "absent.json"))
        before = listing(folder)
        for out in ("folder.json", "absent/out.json"):
            refused("prune", good, "-o", os.path.join(folder, out))
        for out in ("folder.json", "absent/out.svg"):
            refused("export", good, "-o", os.path.join(folder, out))
        assert listing(folder) == before


@case("a file without permission is refused")
def no_permission():
    with TempDir() as folder:
        path = write(folder, "bad.json", as_bytes(SMALL_GRAPH))
        os.chmod(path, 0)
        assert "bad.json" in refused("info", path, user=ordinary_user(folder))


@case("a failed command leaves the older result as it was")
def older_result():
    with TempDir() as folder:
        out = write(folder, "out.json", b"the older result")
        bad = write(folder, "bad.json", b"{")
        refused("prune", bad, "-o", out)
        with open(out, "rb") as file:
            assert file.read() == b"the older result"


main()
